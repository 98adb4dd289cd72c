"""Deploys the stacks to the emulated AWS with the CDK command line."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TextIO
from urllib.parse import urlsplit

from functions.shared.contract import (
    AUTHORIZER_FUNCTION,
    ENDPOINTS,
    SECURITY_EVENTS_FUNCTION,
    SIGNING_KEYS_FUNCTION,
    lambda_name,
)
from infra.config import ENVIRONMENTS
from infra.outputs import Output
from infra.paths import REPOSITORY
from local.errors import LocalError
from local.progress import Progress
from local.protected_api.provision import provision
from local.server import REGION, log_tail
from local.stack import Credentials, Stack, StackFolder
from local.synthesis import inputs_digest

ENVIRONMENT: Final = "local"
#: Where the emulator serves APIs, without the Host header that AWS uses.
_EXECUTE_API: Final = "/_aws/execute-api"
#: Lines of CDK's output, and the step that begins after each.
_MILESTONES: Final = (
    (re.compile(r"^✨  Synthesis time"), "publish templates and code"),
    (re.compile(r"^(?:\S+ \()?([\w-]+)\)?: deploying\.\.\."), r"deploy \1"),
    (re.compile(r"^ ?✅  "), "publish templates and code"),
)


def deploy(folder: StackFolder, administrator: Credentials, console_url: str, progress: Progress) -> Stack:
    """Deploy the local environment, and return the deployed stack.

    Raises
    ------
    LocalError
        CDK failed; the message ends with its last lines.
    """
    endpoint_url = folder.endpoint_url
    settings = context(endpoint_url=endpoint_url, console_url=console_url)
    inputs = inputs_digest([REGION, *settings])
    # The digest of the inputs of CDK's output. It is stored in that output, so that both are deleted together.
    synthesized = folder.assembly / "inputs.sha256"
    current = synthesized.exists() and synthesized.read_text() == inputs
    command = [
        *("cdk", "deploy", "**", "--require-approval", "never", "--no-color", "--ci", "--no-notices"),
        *("--no-version-reporting", "--progress", "events", "--outputs-file", str(folder.outputs)),
        *(("--app", str(folder.assembly)) if current else ("--output", str(folder.assembly), *settings)),
    ]
    if not current:
        synthesized.unlink(missing_ok=True)  # the synthesis may fail half-way
    folder.outputs.unlink(missing_ok=True)
    with (
        folder.deploy_log.open("w", buffering=1) as log,
        _start(command, cdk_environment(administrator, endpoint_url)) as cdk,
    ):
        assert cdk.stdout is not None  # noqa: S101 -- for the type checker: it is a pipe
        show_steps(f"{'load the synthesized' if current else 'synthesize the'} stacks", cdk.stdout, log, progress)
        if cdk.wait() != 0:
            raise LocalError(
                f"`cdk deploy` failed (status {cdk.returncode}); full output: {folder.deploy_log}\n\n"
                f"{log_tail(folder.deploy_log)}"
            )
    # A source that was edited meanwhile may be in the output, which would look current again if the edit was undone.
    if inputs_digest([REGION, *settings]) == inputs:
        synthesized.write_text(inputs)
    outputs = json.loads(folder.outputs.read_text())
    stack = describe(outputs, administrator, endpoint_url=endpoint_url, console_url=console_url)
    with progress.step("deploy the protected API"):
        protected_api = provision(stack, str(ENVIRONMENTS[ENVIRONMENT].proof_audience))
    return replace(stack, protected_api_url=f"{endpoint_url}{_EXECUTE_API}/{protected_api}")


def context(*, endpoint_url: str, console_url: str) -> list[str]:
    """Return the CDK options that select the local environment.

    ``LOCAL_ORIGINS`` adds the origins of other pages that may call the API, such as an app's development server.
    """
    further_origins = os.environ.get("LOCAL_ORIGINS", "")
    settings = {
        "environment": ENVIRONMENT,
        "cognito_jwks_base_url": endpoint_url,
        "execute_api_base_url": f"{endpoint_url}{_EXECUTE_API}",
        "cors_allowed_origins": ",".join(filter(None, (console_url, further_origins))),
    }
    return [option for name, value in settings.items() for option in ("--context", f"{name}={value}")]


def show_steps(first: str, output: Iterable[str], log: TextIO, progress: Progress) -> None:
    """Copy CDK's output to a log, and show its steps, of which the first is given."""
    with ExitStack() as step:
        step.enter_context(progress.step(first))
        for line in output:
            log.write(line)
            for pattern, name in _MILESTONES:
                if match := pattern.match(line):
                    step.close()
                    step.enter_context(progress.step(match.expand(name)))


def _start(command: list[str], environment: dict[str, str]) -> "subprocess.Popen[str]":
    """Start a command that ends, with all its descendants, when this process ends or leaves the context."""
    return subprocess.Popen(  # noqa: S603 -- a fixed command
        [sys.executable, "-m", "local.lifeline", *command],
        cwd=REPOSITORY,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # this process handles Ctrl-C
    )


def cdk_environment(administrator: Credentials, endpoint_url: str) -> dict[str, str]:
    """Return an environment in which AWS SDKs reach only the emulated AWS."""
    tools = (Path(sys.executable).parent, REPOSITORY / "node_modules" / ".bin")
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "CDK_")) and name != "PYTHONDONTWRITEBYTECODE"
    }
    return inherited | {
        "AWS_ACCESS_KEY_ID": administrator.access_key_id,
        "AWS_SECRET_ACCESS_KEY": administrator.secret_access_key,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        # AWS's rules take half of the time of a synthesis. `make synth` and the tests check the templates.
        "CDK_VALIDATION": "false",
        "NO_PROXY": "127.0.0.1,localhost",
        "PATH": os.pathsep.join([*map(str, tools), os.environ.get("PATH", os.defpath)]),
    }


def _local_url(url: str, endpoint_url: str) -> str:
    """Return the emulator's URL of an API, given that on AWS: ``https://{id}.execute-api.{region}.amazonaws.com/{stage}``."""
    parts = urlsplit(url)
    api_id = (parts.hostname or "").partition(".")[0]
    return f"{endpoint_url}{_EXECUTE_API}/{api_id}{parts.path.rstrip('/')}"


def describe(
    outputs: dict[str, dict[str, Any]], administrator: Credentials, *, endpoint_url: str, console_url: str
) -> Stack:
    """Return the deployed stack without the protected API, given the CDK stacks' outputs by stack name.

    Raises
    ------
    LocalError
        An output is missing; the message names it.
    """
    return Stack(
        api_url=_local_url(_value(outputs, Output.API_URL), endpoint_url),
        protected_api_url="",
        endpoint_url=endpoint_url,
        console_url=console_url,
        region=REGION,
        environment=ENVIRONMENT,
        issuer=_value(outputs, Output.ISSUER),
        jwks_url=_value(outputs, Output.JWKS_URL),
        user_pool_id=_value(outputs, Output.USER_POOL_ID),
        client_id=_value(outputs, Output.CLIENT_ID),
        table_name=_value(outputs, Output.TABLE_NAME),
        key_arn=_value(outputs, Output.KEY_ARN),
        functions={
            function: lambda_name(function, ENVIRONMENT)
            for function in (
                AUTHORIZER_FUNCTION,
                *(endpoint.function for endpoint in ENDPOINTS),
                SECURITY_EVENTS_FUNCTION,
                SIGNING_KEYS_FUNCTION,
            )
        },
        access_key_id=administrator.access_key_id,
        secret_access_key=administrator.secret_access_key,
    )


def _value(outputs: dict[str, dict[str, Any]], name: Output) -> str:
    """Return an output of the stacks; a missing one is an error that names it."""
    for stack in outputs.values():
        if name in stack:
            return str(stack[name])
    raise LocalError(f"The stacks have no output {name}; `infra/outputs.py` lists the expected ones.")
