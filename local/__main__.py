"""The command line: ``python -m local run|up|down|status|token|env|code|inert``."""

import argparse
import base64
import json
import os
import shlex
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NoReturn

import pyotp
from botocore.exceptions import BotoCoreError
from rich.markup import escape

from functions.shared.contract import SETUP
from infra.paths import REPOSITORY
from local import lifecycle, server, users
from local.emulator.inert import INERT
from local.errors import LocalError
from local.progress import Progress
from local.stack import DEFAULT_PORT, STATE_FILE, Stack, StackFolder, default_port
from local.terminal import console, quiet_on_closed_pipes
from local.users import TokenKind

DEMO_USER: Final = "demo@example.com"
_COMMAND_LINE: Final = ".venv/bin/python -m local"
_DESCRIPTION: Final = """\
Run the real API on this machine: the CDK stacks, deployed to an emulated AWS on 127.0.0.1, and a
console to try it in a browser.
"""
_EPILOG: Final = f"""\
examples:
  make run                        the same as `{_COMMAND_LINE} run`, once everything is installed
  make up LOCAL_PORT=4700         another stack beside it
  make run LOCAL_ORIGINS=http://localhost:3000
                                  pages of that origin may call the API too; several are separated by commas
  {_COMMAND_LINE} token --user ada@example.com
  eval "$({_COMMAND_LINE} env)"     let this shell's AWS tools and $API use the stack

exit status: 0 on success, 1 on failure, 2 for invalid arguments; `status` exits with 3 if no stack runs.

While a stack runs, .local/PORT/{STATE_FILE} holds its URLs, names and administrator credentials, and
.local/{STATE_FILE} links to that of port {DEFAULT_PORT}, or else to that of the lowest port. Commands
that need a running stack use that one if no port is given.
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
        with quiet_on_closed_pipes():
            return command(options)
    except LocalError as error:
        return _fail(str(error))
    except BotoCoreError as error:
        folder = _folder(options)
        return _fail(
            f"The emulated AWS on port {folder.port} does not respond: {error}\n"
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
        _env: f'eval "$({_COMMAND_LINE} env)"',
        _code: f"{_COMMAND_LINE} code JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
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
        default=os.environ.get("LOCAL_PORT") or None,
        help=f"port of the emulated AWS; stacks on different ports run side by side (LOCAL_PORT, else the running "
        f"stack's, else {DEFAULT_PORT})",
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
            parents=[] if command in (_inert, _code) else [folder],
            description=command.__doc__,
            epilog=f"example: {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        subparser.set_defaults(command=command)
    token = commands.choices["token"]
    token.add_argument("--user", required=True, metavar="NAME", help="created if it does not exist")
    token.add_argument(
        "--kind",
        choices=[*map(str, TokenKind)],
        default=TokenKind.ACCESS,
        help="the access token, which the API accepts, or the ID token, which it refuses (%(default)s)",
    )
    token.add_argument("--sub", action="store_true", help="print the `sub` of the user's tokens instead of a token")
    commands.choices["status"].add_argument("--json", action="store_true", help="print one JSON object")
    commands.choices["code"].add_argument("secret", help="base32, as setup returns it")
    return parser


def _folder(options: argparse.Namespace, *, port: int | None = None) -> StackFolder:
    """Return the folder of the port that the options name, else of a given one, else of the running stack."""
    root = options.directory.absolute()
    return StackFolder(options.port or port or default_port(root), root)


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
    folder = _folder(options, port=DEFAULT_PORT)
    with lifecycle.running(folder, progress) as (stack, emulator):
        with progress.step(f"create the user {DEMO_USER}"):
            access_token = users.token(stack, DEMO_USER)
        _explain(stack, folder, access_token, stop="Ctrl-C")
        try:
            emulator.process.wait()
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
    folder = _folder(options, port=DEFAULT_PORT)
    stack = lifecycle.up(folder, progress)
    with progress.step(f"create the user {DEMO_USER}"):
        access_token = users.token(stack, DEMO_USER)
    _explain(stack, folder, access_token, stop=f"`{_make('down', folder.port)}`")
    return 0


def _down(options: argparse.Namespace) -> int:
    """Stop the stack on a port."""
    folder = _folder(options)
    if not lifecycle.down(folder, Progress()):
        print(f"No stack is running on port {folder.port}.", file=sys.stderr)
    return 0


def _status(options: argparse.Namespace) -> int:
    """Show whether a stack runs, and the URLs of its console and API; exit with 3 if it does not run."""
    folder = _folder(options)
    process_id = server.running(folder)
    deployed = process_id is not None and folder.state.exists()
    stack = Stack.load(folder.state) if deployed else None
    if options.json:
        state = "running" if deployed else "stopped" if process_id is None else "starting"
        names = ("api_url", "console_url", "endpoint_url", "region", "table_name", "user_pool_id")
        addresses = {name: getattr(stack, name) for name in names} if stack else {}
        print(json.dumps({"state": state, "port": folder.port, "process": process_id} | addresses))
        return 0 if deployed else 3
    if process_id is None:
        print(f"The stack on port {folder.port} is not running. Start it with `{_make('run', folder.port)}`.")
        return 3
    if stack is None:
        print(f"The stack on port {folder.port} is starting (process {process_id}): {_how_far(folder)}")
        return 3
    with Progress().wait(f"log in as {DEMO_USER}"):
        access_token = users.token(stack, DEMO_USER)
    print(f"The stack on port {folder.port} is running (process {process_id}).")
    _explain(stack, folder, access_token, stop=f"`{_make('down', folder.port)}`")
    return 0


def _token(options: argparse.Namespace) -> int:
    """Print only a new token of a user, who is created if necessary."""
    stack = _running_stack(_folder(options))
    with Progress().wait(f"log in as {options.user}"):
        token = users.token(stack, options.user, TokenKind(options.kind))
    print(_sub(token) if options.sub else token)
    return 0


def _sub(token: str) -> str:
    claims = token.split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["sub"])


def _env(options: argparse.Namespace) -> int:
    """Print the commands with which a shell uses the stack: its AWS, as an administrator, and its API."""
    stack = _running_stack(_folder(options))
    variables = {"API": stack.api_url, "AWS_REGION": stack.region} | stack.sdk_variables()
    print("unset AWS_PROFILE AWS_SESSION_TOKEN")
    print(*(f"export {name}={shlex.quote(value)}" for name, value in variables.items()), sep="\n")
    return 0


def _running_stack(folder: StackFolder) -> Stack:
    if server.running(folder) is None:
        raise LocalError(f"No stack is running on port {folder.port}.\nStart one: `{_make('run', folder.port)}`.")
    if not folder.state.exists():
        raise LocalError(f"The stack on port {folder.port} is still starting.\n{_how_far(folder)}")
    return Stack.load(folder.state)


def _code(options: argparse.Namespace) -> int:
    """Print the current code of a secret, as an authenticator app shows it."""
    try:
        print(pyotp.TOTP(options.secret.replace(" ", "").upper()).now())
    except ValueError as error:
        raise LocalError(f"This is not a secret in base32: {error}.") from None
    return 0


def _inert(_: argparse.Namespace) -> int:
    """List the resources that are accepted but not emulated."""
    for what, instead in INERT.items():
        print(f"{what}: {instead}.")
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
