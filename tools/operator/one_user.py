"""The commands that look at or change one user."""

import argparse
from collections.abc import Callable
from typing import Final

from functions.shared.clock import Clock
from functions.shared.contract import Factor
from tools.operator.account import Summary, summarize
from tools.operator.audit import AuditLog
from tools.operator.aws import OperatorAws
from tools.operator.command import Action, CommandOutcome, Operator, Order, Result, log_entry
from tools.operator.context import EXIT_STATUS, NOTHING_CHANGED, cannot_ask, confirmed, table_name, user_pool
from tools.operator.errors import explain
from tools.operator.output import print_json, print_summaries, say

_NO_RECORD: Final = 3
_WORDS: Final = {
    CommandOutcome.DONE: "Done.",
    CommandOutcome.NOTHING_TO_DO: "There is nothing to do. If this is unexpected, check the user id and the table.",
    CommandOutcome.DECLINED: NOTHING_CHANGED,
    CommandOutcome.CONFLICT: "The state has changed since it was shown. Nothing was changed; start again.",
}


def show(options: argparse.Namespace, clock: Clock) -> int:
    """Show the state of a user."""
    aws = OperatorAws(profile=options.profile, region=options.region)
    user_id, table = _introduced(options, aws, aws.identity())
    record = aws.repository(table).get(user_id)
    summary = summarize(record, clock())
    if options.json:
        print_json({"user_id": user_id, **summary})
    elif record is not None:
        print_summaries(state=summary)
    if record is None:
        say("There is no record for this id.")
        return _NO_RECORD
    return 0


def change(options: argparse.Namespace, clock: Clock) -> int:
    """Unlock or reset a user."""
    if cannot_ask(options):
        return EXIT_STATUS[CommandOutcome.DECLINED]
    aws = OperatorAws(profile=options.profile, region=options.region)
    identity = aws.identity()
    user_id, table = _introduced(options, aws, identity)
    order = Order(
        action=Action(options.action),
        user_id=user_id,
        factors=(Factor(options.factor),) if getattr(options, "factor", None) else tuple(Factor),
        reason=options.reason,
    )
    log = AuditLog(options.log)
    operator = Operator(repository=aws.repository(table), confirm=_confirmation(order, options), clock=clock)
    result = operator.carry_out(order)
    entry = log_entry(order, result, operator=identity, region=aws.region, table=table, now=clock())
    log.write(entry)
    if options.json:
        print_json(entry)
    if result.outcome is CommandOutcome.NOTHING_TO_DO:
        print_summaries(state=result.before)
    elif result.after is not None:
        print_summaries(before=result.before, after=result.after)
    say(_words(result))
    say(f"Logged to {log.path}.")
    return EXIT_STATUS[result.outcome]


def _introduced(options: argparse.Namespace, aws: OperatorAws, identity: str) -> tuple[str, str]:
    """Return the user's id and the table, and say who does what where."""
    table = table_name(options, aws)
    user_id: str = options.user or aws.user_id(user_pool(options, aws), options.username)
    say(f"You are {identity}.\nUser {user_id}, table {table} in {aws.region}:")
    return user_id, table


def _confirmation(order: Order, options: argparse.Namespace) -> Callable[[Summary], bool]:
    def confirm(summary: Summary) -> bool:
        print_summaries(state=summary)
        return bool(options.yes) or confirmed(_question(order))

    return confirm


def _question(order: Order) -> str:
    if order.action is Action.UNLOCK:
        return f"Clear the wrong codes of {' and '.join(order.factors)}?"
    return "Delete this second factor? The user will log in without one until enrolling again."


def _words(result: Result) -> str:
    if result.error is not None:
        return f"{explain(result.error)} The change may or may not have been made; check with `show`."
    return _WORDS[result.outcome]
