"""An assumption about AWS, and the result of checking it."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
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
    """Something that only AWS can prove."""

    key: str  # its group and name, such as ``http/unauthorized``
    assumed: str  # one sentence
    source: str  # the address of the page of AWS that it was read on
    check: Check  # the first line of its docstring says in words how it checks
    remedy: str  # what to change if the assumption is wrong
    only_on_aws: str = ""  # why an emulated AWS cannot answer; empty if it can
    long: bool = False  # whether the check takes longer than a pipeline should wait

    @property
    def checked(self) -> str:
        """How it is checked, in words."""
        return (inspect.getdoc(self.check) or "").partition("\n")[0]


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a check found."""

    assumption: Assumption
    verdict: Verdict
    detail: str  # what was seen, what was seen instead, or why it is unknown
    seconds: float = 0.0  # that the check took


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
