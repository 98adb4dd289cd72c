"""Goes through the assumptions, one after the other."""

import time
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import PurePath
from typing import Final

import urllib3
from botocore.exceptions import BotoCoreError, ClientError

from tests.acceptance.deployment import Deployment
from tests.acceptance.model import Assumption, DoesNotHoldError, NotAnswerableError, Result, Verdict
from tests.smoke.journey import SmokeError

#: Error codes of AWS for credentials without a permission.
_DENIED: Final = ("AccessDenied", "AuthorizationError", "UnauthorizedOperation", "NotAuthorized")


def examine(deployment: Deployment, assumptions: Iterable[Assumption], *, long: bool) -> Iterator[Result]:
    """Yield the result of each assumption; only with ``long``, make the long checks.

    A check that fails does not stop the others.
    """
    for assumption in assumptions:
        started = time.monotonic()
        result = _result(deployment, assumption, long=long)
        yield replace(result, seconds=round(time.monotonic() - started, 1))


def _result(deployment: Deployment, assumption: Assumption, *, long: bool) -> Result:
    def result(verdict: Verdict, detail: str) -> Result:
        return Result(assumption=assumption, verdict=verdict, detail=detail)

    if deployment.emulated and assumption.only_on_aws:
        return result(Verdict.UNKNOWN, f"not answerable here: {assumption.only_on_aws}")
    if assumption.long and not long:
        return result(Verdict.UNKNOWN, "takes half an hour: run with --long")
    try:
        return result(Verdict.HOLDS, assumption.check(deployment))
    except NotAnswerableError as error:
        return result(Verdict.UNKNOWN, f"not answerable here: {error}")
    except (DoesNotHoldError, SmokeError) as error:
        return result(Verdict.DOES_NOT_HOLD, str(error))
    except ClientError as error:
        code = str(error.response["Error"]["Code"])
        if code.startswith(_DENIED):
            return result(Verdict.UNKNOWN, f"the credentials may not call {error.operation_name}")
        return result(Verdict.DOES_NOT_HOLD, f"{error.operation_name}: {code}")
    except (BotoCoreError, urllib3.exceptions.HTTPError) as error:
        return result(Verdict.DOES_NOT_HOLD, f"no answer: {type(error).__name__}")
    except Exception as error:  # noqa: BLE001 - an answer that no check expects; its text may contain a secret
        place = traceback.extract_tb(error.__traceback__)[-1]
        return result(
            Verdict.DOES_NOT_HOLD,
            f"unexpected answer: {type(error).__name__} in {PurePath(place.filename).name}:{place.lineno}",
        )
