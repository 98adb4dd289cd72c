"""The command that imports users of another system."""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO, Final

import rich.progress

from functions.setup_mfa.encryption import EnvelopeSealer
from functions.shared.clock import Clock
from functions.shared.encryption import master_key
from functions.shared.errors import ServiceUnavailableError
from functions.shared.settings import KmsKey
from local.terminal import console
from tools.operator.arguments import STANDARD_INPUT
from tools.operator.audit import open_log
from tools.operator.aws import PATIENT, OperatorAws
from tools.operator.context import (
    EXIT_STATUS,
    NOTHING_CHANGED,
    CommandOutcome,
    cannot_ask,
    confirmed,
    record_command,
)
from tools.operator.errors import OperatorError, explain
from tools.operator.import_file import LineRefusal, numbered_lines
from tools.operator.importing import Importer, ImportReport, ImportRepository, LineResult, ProcessedLine
from tools.operator.output import print_counts, say

#: The user id under which the key is tried.
_CHECK: Final = "import-check"


def import_users(options: argparse.Namespace, clock: Clock) -> int:
    """Import the users of a file."""
    if not options.dry_run and cannot_ask(options):
        return EXIT_STATUS[CommandOutcome.DECLINED]
    aws = OperatorAws(options)
    identity, table, key = aws.identity(), aws.table(), KmsKey(aws.secret_key())
    with _opened(options.file) as file:
        say(f"You are {identity}.\nTable {table} in {aws.region}, key {key.arn}.")
        kms = aws.session.client("kms", region_name=key.region, config=PATIENT)
        sealer = EnvelopeSealer(master_key(key, client=kms))
        sealer.seal("A" * 32, user_id=_CHECK)  # fails before the first user if the key cannot be used
        if not (options.dry_run or confirmed(f"Import the users of {options.file}?", options)):
            say(NOTHING_CHANGED)
            return EXIT_STATUS[CommandOutcome.DECLINED]
        importer = Importer(
            repository=ImportRepository(table, aws.session.client("dynamodb", config=PATIENT)),
            sealer=sealer,
            clock=clock,
            dry_run=options.dry_run,
        )
        with open_log(options.log) as log:
            report = ImportReport()
            outcome, error = _imported(importer, file, report)
            record_command(
                log,
                options,
                clock(),
                outcome=outcome,
                dry_run=options.dry_run,
                imported=report.results[LineResult.IMPORTED],
                already_there=report.results[LineResult.ALREADY_THERE],
                weak_secrets=report.weak,
                refused=report.refused(),
                reason=options.reason,
                operator=identity,
                region=aws.region,
                table=table,
                request_id=importer.request_id,
            )
    _print_import(report, dry_run=options.dry_run)
    again = "Run the same command again to continue: users who are there are skipped."
    if error is not None:
        say(f"{explain(error)} {again}")
    if outcome is CommandOutcome.INTERRUPTED:
        say(f"Interrupted. {again}")
    say(f"Logged to {options.log}.")
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
    return (CommandOutcome.REFUSED_LINES if report.refused() else CommandOutcome.DONE), None


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
    display = rich.progress.Progress(
        rich.progress.BarColumn(),
        rich.progress.TaskProgressColumn(),
        rich.progress.TextColumn("{task.fields[users]:,} users"),
        rich.progress.TimeRemainingColumn(),
        console=shown,
        transient=True,
    )
    task = display.add_task("", total=path.stat().st_size if path.is_file() else None, users=0)
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
    rows = {
        "would be imported" if dry_run else "imported": report.results[LineResult.IMPORTED],
        "already there": report.results[LineResult.ALREADY_THERE],
    }
    rows |= {"among them, with a weak secret": report.weak} if report.weak else {}
    rows |= {f"refused: {refusal}": count for refusal, count in report.refused().items()}
    print_counts(rows, {})
