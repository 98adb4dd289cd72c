"""The commands: show the state, ask, write on the condition that it is still the one that was shown, leave a trace."""

import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum

from functions.shared.clock import Clock, iso_timestamp
from functions.shared.contract import OPERATOR_REQUEST_PREFIX, Factor
from functions.shared.errors import ConflictError, ServiceUnavailableError
from functions.shared.record import MfaRecord
from functions.shared.repository import MfaRepository
from tools.operator.account import Summary, emptied, summarize, unlocked


class Action(StrEnum):
    """What an operator can do."""

    SHOW = "show"
    UNLOCK = "unlock"
    RESET = "reset"


class Outcome(StrEnum):
    """How it ended."""

    DONE = "done"
    NOTHING_TO_DO = "nothing_to_do"
    DECLINED = "declined"
    CONFLICT = "conflict"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Order:
    """What the operator asked for.

    Attributes
    ----------
    action : Action
        What to do.
    user_id : str
        For whom: the ``sub`` of the user's tokens.
    factors : tuple of Factor
        Which factors to unlock.
    reason : str
        Why, in the operator's words; for the log.
    """

    action: Action
    user_id: str
    factors: tuple[Factor, ...] = tuple(Factor)
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came of an order.

    Attributes
    ----------
    outcome : Outcome
        How it ended.
    request_id : str
        The mark that a write left on the item: ``operator:`` and a UUID.
    before, after : Summary or None
        The state that was shown, and the one that was written.
    error : ServiceUnavailableError or None
        The call that failed.
    """

    outcome: Outcome
    request_id: str
    before: Summary | None = None
    after: Summary | None = None
    error: ServiceUnavailableError | None = None


@dataclass(frozen=True, kw_only=True)
class Operator:
    """Carries orders out.

    Attributes
    ----------
    repository : MfaRepository
        The records.
    confirm : callable
        Shows the state to the operator and asks whether to go on.
    clock : callable
        The present time in epoch seconds.
    """

    repository: MfaRepository
    confirm: Callable[[Summary], bool]
    clock: Clock
    request_id: str = field(default_factory=lambda: f"{OPERATOR_REQUEST_PREFIX}{uuid.uuid4()}")

    def carry_out(self, order: Order) -> Result:
        """Do what is asked for, once, unless there is nothing to do, the operator declines, or the user was faster.

        Raises
        ------
        RecordDamagedError
            The user's item is not what the service writes.
        ServiceUnavailableError
            The state could not be read.
        """
        now = self.clock()
        record = self.repository.get(order.user_id)
        result = Result(outcome=Outcome.NOTHING_TO_DO, request_id=self.request_id, before=summarize(record, now))
        if record is None or not _something_to_do(order, record):
            return result
        if not self.confirm(summarize(record, now)):
            return replace(result, outcome=Outcome.DECLINED)
        after: MfaRecord | None = None
        try:
            if order.action is Action.UNLOCK:
                after = self._unlock(record, order.factors)
            else:
                self._reset(record)
        except ConflictError:
            return replace(result, outcome=Outcome.CONFLICT)
        except ServiceUnavailableError as error:
            return replace(result, outcome=Outcome.FAILED, error=error)
        return replace(result, outcome=Outcome.DONE, after=summarize(after, self.clock()))

    def _unlock(self, record: MfaRecord, factors: tuple[Factor, ...]) -> MfaRecord:
        return self.repository.swap(record, unlocked(record, factors), request_id=self.request_id, now=self.clock())

    def _reset(self, record: MfaRecord) -> None:
        if not record.enabled:  # nobody is told of the end of an enrolment: no mark is needed
            self.repository.remove(record)
            return
        # One write turns the second factor off and says who did it; a deletion could not carry the mark. What it
        # leaves is as good as nothing, so that it does not matter whether the deletion after it still succeeds.
        now = self.clock()
        stored = self.repository.swap(record, emptied(record, now), request_id=self.request_id, now=now)
        with suppress(ConflictError, ServiceUnavailableError):
            self.repository.remove(stored)


def _something_to_do(order: Order, record: MfaRecord) -> bool:
    if order.action is Action.UNLOCK:
        return record.enabled and unlocked(record, order.factors) != record
    return order.action is Action.RESET


def log_entry(order: Order, result: Result, *, operator: str, region: str, table: str, now: float) -> dict[str, object]:
    """Return the line that records who did what to whom, when and why."""
    return {
        "timestamp": iso_timestamp(now),
        "event": "mfa_operator_command",
        "action": order.action,
        "outcome": result.outcome,
        "user_id": order.user_id,
        "factors": [*order.factors] if order.action is Action.UNLOCK else [],
        "reason": order.reason,
        "operator": operator,
        "region": region,
        "table": table,
        "request_id": result.request_id,
        "before": result.before,
        "after": result.after,
    }
