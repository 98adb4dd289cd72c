"""The command line: ``python -m local run|up|down|status|token``."""

import argparse
import os
import shlex
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NoReturn

from botocore.exceptions import BotoCoreError
from rich.markup import escape

from functions.shared.contract import SETUP
from infra.paths import REPOSITORY
from local import lifecycle, server, users
from local.emulator.inert import INERT
from local.errors import LocalError
from local.progress import Progress
from local.stack import DEFAULT_PORT, STATE_FILE, Stack, StackFolder
from local.terminal import console
from local.users import TokenKind

DEMO_USER: Final = "demo@example.com"
_COMMAND_LINE: Final = ".venv/bin/python -m local"
_DESCRIPTION: Final = """\
Run the real API on this machine: the CDK stacks, deployed to an embedded AWS on 127.0.0.1, and a
console to try it in a browser.
"""
_EPILOG: Final = f"""\
examples:
  make run                        the same as `{_COMMAND_LINE} run`, once everything is installed
  make up LOCAL_PORT=4700         another stack beside it
  make run LOCAL_ORIGINS=http://localhost:3000
                                  pages of that origin may call the API too; several are separated by commas
  {_COMMAND_LINE} token --user ada@example.com

exit status: 0 on success, 1 on failure, 2 for invalid arguments; `status` exits with 3 if no stack runs.

While a stack runs, .local/PORT/{STATE_FILE} holds its URLs, names and administrator credentials, and
.local/{STATE_FILE} links to that of port {DEFAULT_PORT}, or else to that of the lowest port.
The emulator logs to .local/PORT/emulator.log, the last deployment to .local/PORT/deploy.log.
NO_COLOR=1 turns colours off.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    command: Callable[[argparse.Namespace], int] | None = options.command
    if command is None:
        parser.print_help(sys.stderr)
        return 2
    try:
        return command(options)
    except LocalError as error:
        return _fail(str(error))
    except BotoCoreError as error:
        folder = _folder(options)
        return _fail(
            f"The embedded AWS on port {folder.port} does not respond: {error}\n"
            f"Its log: {_relative(folder.log)}. Restart it: `{_make('down', folder.port)}`, "
            f"then `{_make('run', folder.port)}`."
        )
    except (PermissionError, NotADirectoryError, FileExistsError) as error:
        return _fail(f"{error.filename}: {error.strerror}.\nChoose a directory with --directory.")
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _fail(message: str) -> int:
    what, _, next_steps = message.partition("\n")
    shown = console(sys.stderr)
    shown.print(what, style="bold red", markup=False)
    if next_steps:
        shown.print(next_steps, markup=False)
    return 1


def _parser() -> argparse.ArgumentParser:
    examples: dict[Callable[[argparse.Namespace], int], str] = {
        _run: "make run",
        _up: "make up LOCAL_PORT=4700",
        _down: "make down LOCAL_PORT=4700",
        _status: f"{_COMMAND_LINE} status --port 4700",
        _token: f"TOKEN=$({_COMMAND_LINE} token --user ada@example.com)",
        _inert: f"{_COMMAND_LINE} inert",
    }
    summary = [f"  {command.__name__[1:]:7} {command.__doc__}" for command in examples]
    parser = argparse.ArgumentParser(
        prog="python -m local",
        usage="python -m local COMMAND [options]",
        description="\n".join([_DESCRIPTION, *summary]),
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    folder = argparse.ArgumentParser(add_help=False)
    folder.add_argument(
        "--port",
        type=_port,
        default=os.environ.get("LOCAL_PORT") or str(DEFAULT_PORT),
        help="port of the embedded AWS; stacks on different ports run side by side (LOCAL_PORT, %(default)s)",
    )
    folder.add_argument(
        "--directory",
        type=Path,
        default=StackFolder.root,
        help="where stacks keep their state, logs and temporary files (.local of this checkout)",
    )
    parser.set_defaults(command=None)
    commands = parser.add_subparsers(prog=parser.prog, metavar="COMMAND", help=argparse.SUPPRESS)
    for command, example in examples.items():
        subparser = commands.add_parser(
            command.__name__[1:],
            parents=[] if command is _inert else [folder],
            description=command.__doc__,
            epilog=f"example: {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        subparser.set_defaults(command=command)
    token = commands.choices["token"]
    token.add_argument("--user", required=True, metavar="NAME", help="created if it does not exist")
    token.add_argument(
        "--kind",
        type=TokenKind,
        choices=list(TokenKind),
        default=TokenKind.ACCESS,
        help="the access token, which the API accepts, or the ID token, which it refuses (%(default)s)",
    )
    return parser


def _folder(options: argparse.Namespace) -> StackFolder:
    return StackFolder(options.port, options.directory.absolute())


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: expected a number from 1 to 65535")
    return int(text)


def _run(options: argparse.Namespace) -> int:
    """Start a stack and show the URLs of its console and API; Ctrl-C stops it."""
    # SIGINT too: a shell starts background processes with it ignored, and Python keeps it ignored.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    progress = Progress()
    folder = _folder(options)
    with lifecycle.running(folder, progress) as running:
        with progress.step(f"create the user {DEMO_USER}"):
            access_token = users.token(running.stack, DEMO_USER)
        _explain(running.stack, folder, access_token, stop="Ctrl-C")
        try:
            running.server.wait()
        except KeyboardInterrupt:
            print(file=sys.stderr)
            return 0
    raise LocalError(
        f"The emulator was stopped by another program; its log: {_relative(folder.log)}\n"
        f"Restart it: `{_make('run', folder.port)}`."
    )


def _up(options: argparse.Namespace) -> int:
    """Start a stack and leave it running; if it runs already, deploy the current code."""
    signal.signal(signal.SIGTERM, _interrupt)
    progress = Progress()
    folder = _folder(options)
    stack = lifecycle.up(folder, progress)
    with progress.step(f"create the user {DEMO_USER}"):
        access_token = users.token(stack, DEMO_USER)
    _explain(stack, folder, access_token, stop=f"`{_make('down', options.port)}`")
    return 0


def _down(options: argparse.Namespace) -> int:
    """Stop the stack on a port."""
    if not lifecycle.down(_folder(options), Progress()):
        print(f"No stack is running on port {options.port}.", file=sys.stderr)
    return 0


def _status(options: argparse.Namespace) -> int:
    """Show whether a stack runs, and the URLs of its console and API; exit with 3 if it does not run."""
    folder = _folder(options)
    process_id = server.running(folder)
    if process_id is None:
        print(f"The stack on port {options.port} is not running. Start it with `{_make('run', options.port)}`.")
        return 3
    if not folder.state.exists():
        print(f"The stack on port {options.port} is starting (process {process_id}): {_how_far(folder)}")
        return 3
    stack = Stack.load(folder.state)
    with Progress().wait(f"log in as {DEMO_USER}"):
        access_token = users.token(stack, DEMO_USER)
    print(f"The stack on port {options.port} is running (process {process_id}).")
    _explain(stack, folder, access_token, stop=f"`{_make('down', options.port)}`")
    return 0


def _token(options: argparse.Namespace) -> int:
    """Print only a new token of a user, who is created if necessary."""
    folder = _folder(options)
    if server.running(folder) is None:
        raise LocalError(f"No stack is running on port {options.port}.\nStart one: `{_make('run', options.port)}`.")
    if not folder.state.exists():
        raise LocalError(f"The stack on port {options.port} is still starting.\n{_how_far(folder)}")
    with Progress().wait(f"log in as {options.user}"):
        token = users.token(Stack.load(folder.state), options.user, options.kind)
    print(token)
    return 0


def _inert(_: argparse.Namespace) -> int:
    """List the resources that are accepted but not emulated."""
    for each in INERT:
        print(f"{each.what}: {each.instead}.")
    return 0


def _explain(stack: Stack, folder: StackFolder, access_token: str, *, stop: str) -> None:
    """Print how to call the API and, last, the URL of the console."""
    curl = [
        f"curl -s -X {SETUP.method} {stack.api_url}{SETUP.path}",
        f"  -H {shlex.quote(f'Authorization: Bearer {access_token}')}",
    ]
    options = "" if folder.port == DEFAULT_PORT else f" --port {folder.port}"
    if folder.root != StackFolder.root:
        options += f" --directory {shlex.quote(str(folder.root))}"
    lines = [
        "",
        f"The API is at   [bold]{escape(stack.api_url)}[/]",
        f"Its state is in {escape(str(_relative(folder.state)))}",
        "",
        f"Enrol an authenticator app as {DEMO_USER}:",
        "",
        f"[dim]{escape(' \\\n'.join(curl))}[/]",
        "",
        f"A new token:    {_COMMAND_LINE} token{escape(options)} --user {DEMO_USER}",
        "",
        f"Stop it with {stop}. To try it, open the console in a browser:",
        "",
        f"  [bold]{escape(stack.console_url)}[/]",
    ]
    console(sys.stdout).print("\n".join(lines))


def _how_far(folder: StackFolder) -> str:
    return f"see its progress with `tail {_relative(folder.deploy_log)}`"


def _make(target: str, port: int) -> str:
    return f"make {target}" + ("" if port == DEFAULT_PORT else f" LOCAL_PORT={port}")


def _relative(path: Path) -> Path:
    return path.relative_to(REPOSITORY) if path.is_relative_to(REPOSITORY) else path


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
