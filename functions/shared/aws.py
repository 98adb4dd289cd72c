"""How the functions talk to AWS: time limits, retries, and what a failed call means.

The worst case of one call is two attempts of (connect + read) and one backoff of at most a second: 5 s. Three calls,
the most that a route makes, end in 15 s, well inside the functions' 20 s, and API Gateway waits 29 s.
"""

import encodings.idna  # noqa: F401 - see docs/adr/0072: looking up a host would import it within the first request
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final

from botocore.awsrequest import AWSResponse
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.model import OperationModel

from functions.shared.errors import ServiceUnavailableError

_ATTEMPTS: Final = 2
CLIENT_CONFIG: Final = Config(
    connect_timeout=0.5,
    read_timeout=1.5,
    retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
    # One request at a time in a Lambda process; the connection outlives the pauses between requests.
    max_pool_connections=2,
    tcp_keepalive=True,
)

# These say that our request was malformed: a defect of ours, not a failure of AWS.
_OUR_FAULT: Final = frozenset({"ValidationException", "SerializationException", "UnknownOperationException"})


@contextmanager
def failing_closed(operation: str) -> Iterator[None]:
    """Turn a failed AWS call into a 503; leave a defect of ours to become a 500.

    Parameters
    ----------
    operation : str
        What the block calls, such as ``dynamodb:PutItem``.

    Raises
    ------
    ServiceUnavailableError
        AWS refused, throttled, timed out or could not be reached.
    """
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", "Unknown"))
        if code in _OUR_FAULT:
            raise
        raise ServiceUnavailableError(operation, code) from error
    except BotoCoreError as error:
        raise ServiceUnavailableError(operation, type(error).__name__) from error


def mistrust_answers(client: BaseClient, calls: str) -> None:
    """Let a client try again for a good answer whose body is no JSON, and refuse it in the end.

    botocore takes such a body for an empty one. What was cut short on its way as "here is the item" would pass for
    "there is none", and a user with a second factor for one without. It is for calls whose body says something: that
    a write succeeded is said by the status.

    Parameters
    ----------
    calls : str
        botocore's name of a service, or of one operation: ``kms``, ``dynamodb.GetItem``.
    """
    client.meta.events.register(f"needs-retry.{calls}", _try_again_if_incomplete)
    client.meta.events.register(f"after-call.{calls}", _refuse_if_incomplete)


def _try_again_if_incomplete(response: tuple[AWSResponse, object] | None, attempts: int, **_: object) -> float | None:
    """Return the seconds to wait before the next attempt; None for none on this account."""
    if response is None or _is_complete(response[0]) or attempts >= _ATTEMPTS:
        return None
    return 0.0


def _refuse_if_incomplete(http_response: AWSResponse, model: OperationModel, **_: object) -> None:
    if not _is_complete(http_response):
        operation = f"{model.service_model.service_name}:{model.name}"
        raise ServiceUnavailableError(operation, "IncompleteAnswer")


def _is_complete(http_response: AWSResponse) -> bool:
    if http_response.status_code != HTTPStatus.OK:
        return True  # the status says enough
    try:
        json.loads(http_response.content)
    except ValueError:
        return False
    return True
