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
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.model import OperationModel

from functions.shared.errors import ServiceUnavailableError

CLIENT_CONFIG: Final = Config(
    connect_timeout=0.5,
    read_timeout=1.5,
    retries={"mode": "standard", "total_max_attempts": 2},
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


def refuse_incomplete_answer(http_response: AWSResponse, model: OperationModel, **_: object) -> None:
    """Refuse a good answer whose body is no JSON: register it with a client, for the event ``after-call`` of reads.

    botocore takes such a body for an empty one. What was cut short on its way as "here is the item" would pass for
    "there is none", and a user with a second factor for one without.

    Raises
    ------
    ServiceUnavailableError
        The body is not whole.
    """
    if http_response.status_code != HTTPStatus.OK:
        return
    try:
        json.loads(http_response.content)
    except ValueError:
        operation = f"{model.service_model.service_name}:{model.name}"
        raise ServiceUnavailableError(operation, "IncompleteAnswer") from None
