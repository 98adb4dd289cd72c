"""An assumption about AWS, and the result of checking it."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from tests.acceptance.deployment import Deployment


class DoesNotHoldError(Exception):
    """The deployment behaves otherwise. The message contains no secret, code or token."""


class NotAnswerableError(Exception):
    """This deployment cannot answer the question. The message is the reason."""


class Verdict(StrEnum):
    """The result of a check."""

    HOLDS = "holds"
    DOES_NOT_HOLD = "does not hold"
    UNKNOWN = "unknown"


#: A check returns what it saw. It raises `DoesNotHoldError` or `NotAnswerableError`, and undoes what it changed.
type Check = Callable[[Deployment], str]


@dataclass(frozen=True, kw_only=True)
class Assumption:
    """Something that only AWS can prove.

    Attributes
    ----------
    key
        Its group and name, such as ``http/unauthorized``.
    assumed
        One sentence.
    source
        The address of the page of AWS that it was read on.
    check
        How it is checked; the first line of its docstring says so in words.
    remedy
        What to change if it is wrong.
    only_on_aws
        Why an emulated AWS cannot answer; empty if it can.
    long
        Whether the check takes longer than a pipeline should wait.
    """

    key: str
    assumed: str
    source: str
    check: Check
    remedy: str
    only_on_aws: str = ""
    long: bool = False

    @property
    def checked(self) -> str:
        """How it is checked, in words."""
        return (inspect.getdoc(self.check) or "").partition("\n")[0]


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a check found.

    Attributes
    ----------
    detail
        What was seen, what was seen instead, or why it is unknown.
    seconds
        How long the check took.
    """

    assumption: Assumption
    verdict: Verdict
    detail: str
    seconds: float = 0.0

    def after(self, seconds: float) -> "Result":
        """Return the result with the time that it took."""
        return replace(self, seconds=round(seconds, 1))


def expect(seen: object, expected: object, what: str) -> None:
    """Raise unless two values are equal.

    Raises
    ------
    DoesNotHoldError
        They differ; the message shows both.
    """
    if seen != expected:
        raise DoesNotHoldError(f"{what}: expected {expected!r}, got {seen!r}")


def require(condition: object, problem: str) -> None:
    """Raise unless a condition is true.

    Raises
    ------
    DoesNotHoldError
        It is false.
    """
    if not condition:
        raise DoesNotHoldError(problem)
