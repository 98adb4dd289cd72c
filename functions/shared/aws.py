"""How the functions call AWS: time limits, retries, and the meaning of a failed call.

In the worst case a call takes two attempts of (connect + read) and one backoff of at most a second: 5 s. A route makes
at most three calls, 15 s, which is well inside the functions' timeout of 20 s and API Gateway's of 29 s. A proof adds
1.5 s at most (``functions.shared.signing``).
"""

import encodings.idna  # noqa: F401 - docs/adr/0072: the first request would import it to look up a host
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http import HTTPStatus
from typing import Any, Final

from botocore import session
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
    # A Lambda process handles one request at a time; keep-alive keeps its connection open between requests.
    max_pool_connections=2,
    tcp_keepalive=True,
    # botocore would check every value of a request against the API's model, and compose this header, for each call.
    parameter_validation=False,
    user_agent="mfa-service",
)

# Our request was malformed: a bug of ours, not a failure of AWS.
_OUR_FAULT: Final = frozenset({"ValidationException", "SerializationException", "UnknownOperationException"})


@cache
def sdk_session() -> session.Session:
    """Return the session of all clients of the process: it has the function's credentials and region."""
    return session.get_session()


def create_client(service: str, *, region: str | None = None, config: Config = CLIENT_CONFIG) -> Any:  # noqa: ANN401 - botocore has no types
    """Return a client of an AWS service with the functions' time limits and retries.

    It comes from botocore, because importing boto3 costs a tenth of a cold start (docs/adr/0073).

    Parameters
    ----------
    service : str
        botocore's name of the service, such as ``dynamodb``.
    region : str, optional
        The region that receives the requests; by default the function's own.
    config : Config
        Other time limits.
    """
    return sdk_session().create_client(service, region_name=region, config=config)


@contextmanager
def failing_closed(operation: str) -> Iterator[None]:
    """Turn a failed AWS call into a 503; a bug of ours remains an exception and becomes a 500.

    Parameters
    ----------
    operation : str
        The call in the block, such as ``dynamodb:PutItem``.

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


def retry_truncated_responses(client: BaseClient, calls: str) -> None:
    """Make a client retry a 200 whose body is not valid JSON, and fail if the last attempt has one too.

    botocore reads such a body as an empty one. A truncated item would look like a missing item, and a user with a
    second factor like one without. This is for calls whose body matters; for a write, the status is enough.

    Parameters
    ----------
    calls : str
        botocore's name of a service or an operation: ``kms``, ``dynamodb.GetItem``.
    """
    client.meta.events.register(f"needs-retry.{calls}", _retry_if_truncated)
    client.meta.events.register(f"after-call.{calls}", fail_if_truncated)


def _retry_if_truncated(response: tuple[AWSResponse, object] | None, attempts: int, **_: object) -> float | None:
    """Return the seconds to wait before the next attempt, or None if this gives no reason to retry."""
    if response is None or not _is_truncated(response[0]) or attempts >= _ATTEMPTS:
        return None
    return 0.0


def fail_if_truncated(http_response: AWSResponse, model: OperationModel, **_: object) -> None:
    """Raise `ServiceUnavailableError` for a 200 whose body is not valid JSON; for botocore's event ``after-call``."""
    if _is_truncated(http_response):
        operation = f"{model.service_model.service_name}:{model.name}"
        raise ServiceUnavailableError(operation, "TruncatedResponse")


def _is_truncated(http_response: AWSResponse) -> bool:
    if http_response.status_code != HTTPStatus.OK:
        return False  # the status is enough
    try:
        json.loads(http_response.content)
    except ValueError:
        return True
    return False
