"""The commands: show the state, ask, write if the shown state is still stored, and return what to log."""

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
    """What an operator can change about a user."""

    UNLOCK = "unlock"
    RESET = "reset"


class CommandOutcome(StrEnum):
    """How a command ended."""

    DONE = "done"
    NOTHING_TO_DO = "nothing_to_do"
    DECLINED = "declined"
    CONFLICT = "conflict"
    FAILED = "failed"
    REFUSED_LINES = "refused_lines"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, kw_only=True)
class Order:
    """What the operator asked for.

    Attributes
    ----------
    action : Action
        The command.
    user_id : str
        The user: the ``sub`` of their tokens.
    factors : tuple of Factor
        The factors to unlock.
    reason : str
        The reason in the operator's words, for the log.
    """

    action: Action
    user_id: str
    factors: tuple[Factor, ...] = tuple(Factor)
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Result:
    """The result of an order.

    Attributes
    ----------
    outcome : CommandOutcome
        How it ended.
    request_id : str
        The id that a write stored in the item: ``operator:`` and a UUID.
    before, after : Summary or None
        The state before the command and after it.
    error : ServiceUnavailableError or None
        The failed call.
    """

    outcome: CommandOutcome
    request_id: str
    before: Summary | None = None
    after: Summary | None = None
    error: ServiceUnavailableError | None = None


@dataclass(frozen=True, kw_only=True)
class Operator:
    """Carries out orders.

    Attributes
    ----------
    repository : MfaRepository
        Stores the records.
    confirm : callable
        Shows the state to the operator and asks whether to continue.
    clock : callable
        The current time in epoch seconds.
    """

    repository: MfaRepository
    confirm: Callable[[Summary], bool]
    clock: Clock
    request_id: str = field(default_factory=lambda: f"{OPERATOR_REQUEST_PREFIX}{uuid.uuid4()}")

    def carry_out(self, order: Order) -> Result:
        """Carry out an order, unless there is nothing to do, the operator declines, or the item changed meanwhile.

        Raises
        ------
        RecordDamagedError
            The user's item does not have the form that the service writes.
        ServiceUnavailableError
            The state could not be read.
        """
        now = self.clock()
        record = self.repository.get(order.user_id)
        result = Result(outcome=CommandOutcome.NOTHING_TO_DO, request_id=self.request_id, before=summarize(record, now))
        if record is None or not _something_to_do(order, record):
            return result
        if not self.confirm(summarize(record, now)):
            return replace(result, outcome=CommandOutcome.DECLINED)
        after: MfaRecord | None = None
        try:
            if order.action is Action.UNLOCK:
                after = self._unlock(record, order.factors)
            else:
                self._reset(record)
        except ConflictError:
            return replace(result, outcome=CommandOutcome.CONFLICT)
        except ServiceUnavailableError as error:
            return replace(result, outcome=CommandOutcome.FAILED, error=error)
        return replace(result, outcome=CommandOutcome.DONE, after=summarize(after, self.clock()))

    def _unlock(self, record: MfaRecord, factors: tuple[Factor, ...]) -> MfaRecord:
        return self.repository.swap(record, unlocked(record, factors), request_id=self.request_id, now=self.clock())

    def _reset(self, record: MfaRecord) -> None:
        if not record.enabled:  # the end of an enrolment is no event, so it needs no request id
            self.repository.remove(record)
            return
        # This write turns the second factor off and stores who did it, which a deletion cannot do. What remains has
        # the same effect as no item, so it does not matter whether the deletion after it succeeds.
        now = self.clock()
        stored = self.repository.swap(record, emptied(record, now), request_id=self.request_id, now=now)
        with suppress(ConflictError, ServiceUnavailableError):
            self.repository.remove(stored)


def _something_to_do(order: Order, record: MfaRecord) -> bool:
    if order.action is Action.UNLOCK:
        return record.enabled and unlocked(record, order.factors) != record
    return True


def log_entry(order: Order, result: Result, *, operator: str, region: str, table: str, now: float) -> dict[str, object]:
    """Return the log line: who did what to which user, when and why."""
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
