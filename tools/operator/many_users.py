"""The commands about many users: import and report."""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO, Final

import rich.progress

from functions.shared.clock import Clock, iso_timestamp
from functions.shared.errors import ServiceUnavailableError
from local.terminal import console
from tools.operator.arguments import STANDARD_INPUT
from tools.operator.audit import AuditLog
from tools.operator.aws import OperatorAws
from tools.operator.command import CommandOutcome
from tools.operator.context import (
    EXIT_STATUS,
    NOTHING_CHANGED,
    cannot_ask,
    confirmed,
    secret_key,
    table_name,
    user_pool,
)
from tools.operator.errors import OperatorError, explain
from tools.operator.import_file import LineRefusal, numbered_lines
from tools.operator.importing import Importer, ImportReport, LineResult, ProcessedLine
from tools.operator.output import print_counts, print_json, say
from tools.operator.report import MEANING, UsersReport, UserState

#: The user id under which the key is tried.
_CHECK: Final = "import-check"


def import_users(options: argparse.Namespace, clock: Clock) -> int:
    """Import the users of a file."""
    if not options.dry_run and cannot_ask(options):
        return EXIT_STATUS[CommandOutcome.DECLINED]
    aws = OperatorAws(profile=options.profile, region=options.region)
    identity, table, key = aws.identity(), table_name(options, aws), secret_key(options, aws)
    with _opened(options.file) as file:
        say(f"You are {identity}.\nTable {table} in {aws.region}, key {key}.")
        sealer = aws.sealer(key)
        sealer.seal("A" * 32, user_id=_CHECK)  # fails before the first user if the key cannot be used
        if not (options.dry_run or options.yes or confirmed(f"Import the users of {options.file}?")):
            say(NOTHING_CHANGED)
            return EXIT_STATUS[CommandOutcome.DECLINED]
        log = AuditLog(options.log)
        importer = Importer(
            repository=aws.import_repository(table), sealer=sealer, clock=clock, dry_run=options.dry_run
        )
        report = ImportReport()
        outcome, error = _imported(importer, file, report)
    entry = {
        "timestamp": iso_timestamp(clock()),
        "event": "mfa_operator_command",
        "action": "import",
        "outcome": outcome,
        "dry_run": options.dry_run,
        **report.counts(),
        "reason": options.reason,
        "operator": identity,
        "region": aws.region,
        "table": table,
        "request_id": importer.request_id,
    }
    log.write(entry)
    if options.json:
        print_json(entry)
    _print_import(report, dry_run=options.dry_run)
    if error is not None:
        say(f"{explain(error)} Run the same command again to continue: users who are there are skipped.")
    if outcome is CommandOutcome.INTERRUPTED:
        say("Interrupted. Run the same command again to continue: users who are there are skipped.")
    say(f"Logged to {log.path}.")
    return EXIT_STATUS[outcome]


def _imported(
    importer: Importer, file: BinaryIO, report: ImportReport
) -> tuple[CommandOutcome, ServiceUnavailableError | None]:
    try:
        with _progress(file) as advance:
            for line in importer.process(numbered_lines(file)):
                report.add(line)
                advance(line)
    except ServiceUnavailableError as error:
        return CommandOutcome.FAILED, error
    except KeyboardInterrupt:
        return CommandOutcome.INTERRUPTED, None
    return (CommandOutcome.REFUSED_LINES if report.refused else CommandOutcome.DONE), None


@contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    if name == STANDARD_INPUT:
        yield sys.stdin.buffer
        return
    try:
        file = Path(name).open("rb")  # noqa: SIM115 -- closed below
    except OSError as error:
        raise OperatorError(f"{name} cannot be read: {error.strerror}.") from None
    with file:
        yield file


@contextmanager
def _progress(file: BinaryIO) -> Iterator[Callable[[ProcessedLine], None]]:
    """Show the progress on a terminal, and each refused line anywhere."""
    shown = console(sys.stderr)
    path = Path(str(getattr(file, "name", "")))  # standard input has none
    size = path.stat().st_size if path.is_file() else None
    columns = (
        rich.progress.BarColumn(),
        rich.progress.TaskProgressColumn(),
        rich.progress.TextColumn("{task.fields[users]:,} users"),
        rich.progress.TimeRemainingColumn(),
    )
    display = rich.progress.Progress(*columns, console=shown, transient=True, disable=not shown.is_interactive)
    task = display.add_task("", total=size, users=0)
    users = 0

    def advance(line: ProcessedLine) -> None:
        nonlocal users
        users += 1
        display.update(task, advance=line.size, users=users)
        if isinstance(line.result, LineRefusal):
            shown.print(f"line {line.number}: {line.result}", markup=False)

    with display if shown.is_interactive else nullcontext():
        yield advance


def _print_import(report: ImportReport, *, dry_run: bool) -> None:
    imported = "would be imported" if dry_run else "imported"
    names = {LineResult.IMPORTED: imported, LineResult.ALREADY_THERE: "already there"}
    rows = {name: report.results[result] for result, name in names.items()}
    rows |= {"among them, with a weak secret": report.weak} if report.weak else {}
    rows |= {f"refused: {refusal}": count for refusal, count in report.refused.most_common()}
    print_counts(rows, {})


def report(options: argparse.Namespace, clock: Clock) -> int:
    """Count the users of a table."""
    aws = OperatorAws(profile=options.profile, region=options.region)
    table = table_name(options, aws)
    compared = options.user_pool is not None or options.list == UserState.NONE
    pool = user_pool(options, aws) if compared else None
    scan = aws.scan(table, units_per_second=options.rate)
    cost = scan.cost()
    seconds = cost.units / options.rate
    say(
        f"Reading about {cost.items:,} items of {table} in {aws.region}: {cost.units:,} read units, "
        f"at most {options.rate:.0f} in a second, at least {seconds:.0f} s."
    )
    users, now = UsersReport(), clock()
    _list(users.add(scan.items(), now, compared=compared), options.list)
    if pool is not None:
        _list(users.add_pool(aws.pool_users(pool)), options.list)
    counts = {str(state): users.counts[state] for state in UserState if compared or state is not UserState.NONE}
    if options.json and options.list is None:
        print_json(counts)
    else:
        print_counts(counts, {str(state): meaning for state, meaning in MEANING.items()})
    return 0


def _list(users: Iterator[tuple[str, set[UserState]]], wanted: UserState | None) -> None:
    for user_id, states in users:
        if wanted in states:
            print(user_id)
