"""The commands about one user: show the state, or ask and write if the shown state is still stored."""

import argparse
import uuid
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from functions.shared.aws import CLIENT_CONFIG
from functions.shared.clock import Clock
from functions.shared.contract import OPERATOR_REQUEST_PREFIX, Factor
from functions.shared.errors import ConflictError, ServiceUnavailableError
from functions.shared.record import MfaRecord
from functions.shared.repository import DynamoDbMfaRepository
from tools.operator.account import Summary, emptied, summarize, unlocked
from tools.operator.audit import open_log
from tools.operator.aws import OperatorAws
from tools.operator.context import (
    EXIT_STATUS,
    NOTHING_CHANGED,
    CommandOutcome,
    cannot_ask,
    confirmed,
    record_command,
)
from tools.operator.errors import explain
from tools.operator.output import print_json, print_summaries, say

_WORDS: Final = {
    CommandOutcome.DONE: "Done.",
    CommandOutcome.NOTHING_TO_DO: "There is nothing to do. If this is unexpected, check the user id and the table.",
    CommandOutcome.DECLINED: NOTHING_CHANGED,
    CommandOutcome.CONFLICT: "The state has changed since it was shown. Nothing was changed; start again.",
}


def show(options: argparse.Namespace, clock: Clock) -> int:
    """Show the state of a user."""
    aws = OperatorAws(options)
    user_id, table = _introduced(aws, aws.identity())
    record = _repository(aws, table).get(user_id)
    summary = summarize(record, clock())
    if options.json:
        print_json({"user_id": user_id, **summary})
    elif record is not None:
        print_summaries(state=summary)
    if record is None:
        say("There is no record for this id.")
        return EXIT_STATUS[CommandOutcome.NOTHING_TO_DO]
    return 0


class _Result(NamedTuple):
    """How a change ended: with the state after it, or with the call that failed."""

    outcome: CommandOutcome
    after: Summary | None = None
    error: ServiceUnavailableError | None = None


def change(options: argparse.Namespace, clock: Clock) -> int:
    """Unlock or reset a user, unless there is nothing to do, the operator declines, or the item changed meanwhile."""
    if cannot_ask(options):
        return EXIT_STATUS[CommandOutcome.DECLINED]
    aws = OperatorAws(options)
    identity = aws.identity()
    user_id, table = _introduced(aws, identity)
    factors: tuple[Factor, ...] = ()  # a reset concerns the user, not a factor
    if options.action == "unlock":
        factors = (Factor(options.factor),) if options.factor else tuple(Factor)
    request_id = f"{OPERATOR_REQUEST_PREFIX}{uuid.uuid4()}"
    with open_log(options.log) as log:
        repository = _repository(aws, table)
        record = repository.get(user_id)
        before = summarize(record, clock())
        if record is None or (factors and not _can_unlock(record, factors)):
            print_summaries(state=before)
            result = _Result(CommandOutcome.NOTHING_TO_DO)
        elif not _agreed(before, factors, options):
            result = _Result(CommandOutcome.DECLINED)
        else:
            result = _written(repository, record, factors, request_id, clock)
        record_command(
            log,
            options,
            clock(),
            outcome=result.outcome,
            user_id=user_id,
            factors=factors,
            reason=options.reason,
            operator=identity,
            region=aws.region,
            table=table,
            request_id=request_id,
            before=before,
            after=result.after,
        )
    if result.after is not None:
        print_summaries(before=before, after=result.after)
    say(_words(result))
    say(f"Logged to {options.log}.")
    return EXIT_STATUS[result.outcome]


def _introduced(aws: OperatorAws, identity: str) -> tuple[str, str]:
    """Return the user's id and the table, after printing them with the caller and the region."""
    table, user_id = aws.table(), aws.user_id()
    say(f"You are {identity}.\nUser {user_id}, table {table} in {aws.region}:")
    return user_id, table


def _repository(aws: OperatorAws, table: str) -> DynamoDbMfaRepository:
    return DynamoDbMfaRepository(table, aws.session.client("dynamodb", config=CLIENT_CONFIG))


def _can_unlock(record: MfaRecord, factors: Sequence[Factor]) -> bool:
    return record.enabled and unlocked(record, factors) != record


def _agreed(state: Summary, factors: Sequence[Factor], options: argparse.Namespace) -> bool:
    """Show the state and return whether the operator confirms the change."""
    print_summaries(state=state)
    if factors:
        return confirmed(f"Clear the wrong codes of {' and '.join(factors)}?", options)
    return confirmed("Delete this second factor? The user will log in without one until enrolling again.", options)


def _written(
    repository: DynamoDbMfaRepository, record: MfaRecord, factors: Sequence[Factor], request_id: str, clock: Clock
) -> _Result:
    """Unlock the factors, or without factors reset the user."""
    after: MfaRecord | None = None
    try:
        if factors:
            after = repository.swap(record, unlocked(record, factors), request_id=request_id, now=clock())
        else:
            _reset(repository, record, request_id, clock())
    except ConflictError:
        return _Result(CommandOutcome.CONFLICT)
    except ServiceUnavailableError as error:
        return _Result(CommandOutcome.FAILED, error=error)
    return _Result(CommandOutcome.DONE, after=summarize(after, clock()))


def _reset(repository: DynamoDbMfaRepository, record: MfaRecord, request_id: str, now: float) -> None:
    if not record.enabled:  # the end of an enrolment causes no event, so the request id is not needed
        repository.remove(record)
        return
    # This write turns the second factor off and stores who did it, which a deletion cannot do. What remains has the
    # same effect as no item, so it does not matter whether the deletion after it succeeds.
    stored = repository.swap(record, emptied(record, now), request_id=request_id, now=now)
    with suppress(ConflictError, ServiceUnavailableError):
        repository.remove(stored)


def _words(result: _Result) -> str:
    if result.error is not None:
        return f"{explain(result.error)} The change may or may not have been made; check with `show`."
    return _WORDS[result.outcome]
