"""The command line: ``python -m local run|up|down|status|token``."""

import argparse
import os
import shlex
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NoReturn

from functions.shared.contract import SETUP
from local import lifecycle, server, users
from local.emulator.inert import INERT
from local.errors import LocalError
from local.progress import Progress
from local.stack import DEFAULT_PORT, REPOSITORY, STATE_FILE, Place, Stack
from local.users import TokenKind

DEMO_USER: Final = "demo@example.com"
_DESCRIPTION: Final = """\
Run the real API on this machine: the CDK stacks, deployed to an embedded AWS on 127.0.0.1.

  run     start it, show how to call it, stop it with Ctrl-C
  up      start it and leave it running; where it runs already, deploy the code as it is now
  down    stop it, whoever started it
  status  show whether it runs, and how to call it
  token   print a fresh token of a user, who is created on demand
  inert   list what deploys to it as to AWS, but has no effect there
"""
_EPILOG: Final = f"""\
While a stack runs, .local/PORT/{STATE_FILE} holds its URLs, names and administrator credentials, and
.local/{STATE_FILE} links to the one on port {DEFAULT_PORT}, or else to the one on the lowest port.
The emulator logs to .local/PORT/emulator.log, the last deployment to .local/PORT/deploy.log.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except LocalError as error:
        print(f"\n{error}" if sys.stderr.isatty() else error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    place = argparse.ArgumentParser(add_help=False)
    place.add_argument(
        "--port",
        type=_port,
        default=os.environ.get("LOCAL_PORT") or str(DEFAULT_PORT),
        help="port of the embedded AWS; stacks on different ports run side by side (LOCAL_PORT, %(default)s)",
    )
    place.add_argument(
        "--directory",
        type=Path,
        default=Place.root,
        help="where stacks keep their state, logs and temporary files (.local of this checkout)",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, command in {"run": _run, "up": _up, "down": _down, "status": _status, "token": _token}.items():
        subparser = commands.add_parser(name, parents=[place], description=command.__doc__)
        subparser.set_defaults(command=command)
    token = commands.choices["token"]
    token.add_argument("--user", required=True, metavar="NAME", help="created if there is no such user")
    token.add_argument(
        "--kind",
        type=TokenKind,
        choices=list(TokenKind),
        default=TokenKind.ACCESS,
        help="the access token, which the API takes, or the ID token, which it refuses (%(default)s)",
    )
    commands.add_parser("inert", description=_inert.__doc__).set_defaults(command=_inert)
    return parser


def _place(options: argparse.Namespace) -> Place:
    return Place(options.port, options.directory.absolute())


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: expected a number from 1 to 65535")
    return int(text)


def _run(options: argparse.Namespace) -> int:
    """Start a stack, show how to call it, and stop it with Ctrl-C."""
    # SIGINT too: a shell starts what runs in the background with it ignored, and Python then leaves it so.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    progress = Progress()
    place = _place(options)
    with lifecycle.running(place, progress) as running:
        with progress.step(f"create the user {DEMO_USER}"):
            access_token = users.token(running.stack, DEMO_USER)
        _explain(running.stack, place, access_token)
        print("Stop it with Ctrl-C.", flush=True)
        try:
            running.server.wait()
        except KeyboardInterrupt:
            print(file=sys.stderr)
            return 0
    raise LocalError(f"The emulator was ended from outside; its log: {place.log}")


def _up(options: argparse.Namespace) -> int:
    """Start a stack and leave it running; where one runs already, deploy the code as it is now to it."""
    signal.signal(signal.SIGTERM, _interrupt)
    progress = Progress()
    place = _place(options)
    stack = lifecycle.up(place, progress)
    with progress.step(f"create the user {DEMO_USER}"):
        access_token = users.token(stack, DEMO_USER)
    _explain(stack, place, access_token)
    print(f"Stop it with:   {_make('down', options.port)}")
    return 0


def _down(options: argparse.Namespace) -> int:
    """Stop the stack on a port, whoever started it."""
    if not lifecycle.down(_place(options), Progress()):
        print(f"No stack is running on port {options.port}.", file=sys.stderr)
    return 0


def _status(options: argparse.Namespace) -> int:
    """Show whether a stack runs on a port, and how to call it. The exit status is 3 when none does."""
    place = _place(options)
    process_id = server.running(place)
    if process_id is None or not place.state.exists():
        state = "not running" if process_id is None else f"starting (process {process_id})"
        print(f"The stack on port {options.port} is {state}. Start it with: {_make('run', options.port)}")
        return 3
    stack = Stack.load(place.state)
    print(f"The stack on port {options.port} is running (process {process_id}).")
    _explain(stack, place, users.token(stack, DEMO_USER))
    return 0


def _token(options: argparse.Namespace) -> int:
    """Print a fresh token of a user, who is created on demand, and nothing else."""
    place = _place(options)
    if server.running(place) is None or not place.state.exists():
        raise LocalError(f"No stack is running on port {options.port}. Start it with: {_make('run', options.port)}")
    print(users.token(Stack.load(place.state), options.user, options.kind))
    return 0


def _inert(_: argparse.Namespace) -> int:
    """List what deploys to the embedded AWS as it does to AWS, but has no effect there."""
    for each in INERT:
        print(f"{each.what}: {each.instead}.")
    return 0


def _explain(stack: Stack, place: Place, access_token: str) -> None:
    curl = [
        f"curl -s -X {SETUP.method} {stack.api_url}{SETUP.path}",
        f"  -H {shlex.quote(f'Authorization: Bearer {access_token}')}",
    ]
    options = "" if place.port == DEFAULT_PORT else f" --port {place.port}"
    if place.root != Place.root:
        options += f" --directory {shlex.quote(str(place.root))}"
    print(
        f"\nThe API is at   {stack.api_url}\n"
        f"Its state is in {_relative(place.state)}\n\n"
        f"Enrol an authenticator app as {DEMO_USER}:\n\n" + " \\\n".join(curl) + "\n\n"
        f"A fresh token:  .venv/bin/python -m local token{options} --user {DEMO_USER}"
    )


def _make(target: str, port: int) -> str:
    return f"make {target}" + ("" if port == DEFAULT_PORT else f" LOCAL_PORT={port}")


def _relative(path: Path) -> Path:
    return path.relative_to(REPOSITORY) if path.is_relative_to(REPOSITORY) else path


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
