"""A stack to test, and clients of it: the API's callers, and an administrator of AWS."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import urllib3
from botocore.config import Config
from botocore.loaders import create_loader

from local import lifecycle, ports
from local.bootstrap import session
from local.progress import Progress
from local.stack import Credentials, Stack, StackFolder
from tests.support.leaks import OVER_HTTP

#: The first request to a function starts a process, on a busy machine slowly.
TIMEOUT_SECONDS = 60
#: The most concurrent requests of one client.
CONNECTIONS = 64
#: botocore's models of services, read once: reading takes longer than most calls.
_MODELS = create_loader()
#: How the platform's own lines begin.
_UNTOLD_LINES = ("START RequestId", "END RequestId", "REPORT RequestId")


@dataclass(frozen=True)
class HttpResponse:
    """An HTTP response; header names are case-insensitive."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        """Return the parsed body; fail with the whole response if it is not JSON."""
        try:
            return json.loads(self.content)
        except ValueError:
            raise AssertionError(f"no JSON: {self}") from None


class Api:
    """A client of the API. Safe to use from several threads."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._pool = urllib3.PoolManager(
            maxsize=CONNECTIONS, timeout=urllib3.Timeout(TIMEOUT_SECONDS), retries=False, block=True
        )

    def request(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        body: object = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HttpResponse:
        """Send a request once, and return the response: with ``body`` as JSON, or with ``content`` as it is."""
        sent = dict(headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if body is not None:
            content = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        OVER_HTTP.add_token(sent.get("Authorization", "").removeprefix("Bearer "))
        OVER_HTTP.add_request(content)
        answer = self._pool.request(method, self.url + path, body=content, headers=sent)
        OVER_HTTP.add_answer(f"{method} {path}", answer.status, answer.headers, answer.data)
        return HttpResponse(answer.status, answer.headers, answer.data)


class Aws:
    """The emulated AWS behind the stack."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._role_credentials = cache(self._assume_role_of)

    def client(self, service: str, *, region: str | None = None) -> Any:
        """Return a boto3 client of an administrator."""
        return self._client(service, self._stack.administrator, region)

    def client_as(self, function: str, service: str) -> Any:
        """Return a boto3 client with the permissions of a function: ``client_as("setup_mfa", "kms")``.

        The function's role trusts only Lambda. While it is assumed here, it also trusts the administrator.
        """
        return self._client(service, self._role_credentials(function), None)

    def user_names(self) -> set[str]:
        """Return the names of all users of the stack's pool."""
        pages = self.client("cognito-idp").get_paginator("list_users").paginate(UserPoolId=self._stack.user_pool_id)
        return {person["Username"] for page in pages for person in page["Users"]}

    def _assume_role_of(self, function: str) -> Credentials:
        configuration = self.client("lambda").get_function_configuration(FunctionName=self._stack.functions[function])
        role = configuration["Role"]
        name = role.rpartition("/")[2]
        iam = self.client("iam")
        trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
        anyone_here = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        widened = trust | {"Statement": [*trust["Statement"], anyone_here]}
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(widened))
        try:
            assumed = self.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        finally:
            iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
        return Credentials(assumed["AccessKeyId"], assumed["SecretAccessKey"], assumed["SessionToken"])

    def _client(self, service: str, credentials: Credentials, region: str | None) -> Any:
        aws = session(credentials, region or self._stack.region)
        aws._session.register_component("data_loader", _MODELS)
        # No retries: many tests expect an error. But the emulated AWS sometimes returns 500 when it lists logs that
        # functions are writing.
        attempts = {"mode": "standard", "total_max_attempts": 5 if service == "logs" else 1}
        config = Config(retries=attempts, read_timeout=TIMEOUT_SECONDS, max_pool_connections=CONNECTIONS)
        return aws.client(service, endpoint_url=self._stack.endpoint_url, config=config)


@contextmanager
def own_stack(root: Path) -> Iterator[tuple[Stack, StackFolder]]:
    """Start a stack on a free port, with its state in a directory, and stop it after the block."""
    place = StackFolder(ports.free_port(), root)
    with lifecycle.running(place, Progress()) as (stack, _):
        yield stack, place


def function_log_since(aws: Aws, milliseconds: int) -> Iterator[str]:
    """Yield the log lines of the functions since a time (epoch milliseconds), with the names of the functions."""
    for function, message in every_function_log_since(aws, milliseconds):
        if not message.startswith(_UNTOLD_LINES):
            yield f"{function}: {message}"


def every_function_log_since(aws: Aws, milliseconds: int) -> Iterator[tuple[str, str]]:
    """Yield a function's name and a log line, with the platform's lines, since a time."""
    logs = aws.client("logs")
    for page in logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix="/aws/lambda/"):
        for group in page["logGroups"]:
            name = group["logGroupName"]
            for events in logs.get_paginator("filter_log_events").paginate(logGroupName=name, startTime=milliseconds):
                for event in events["events"]:
                    yield name.rpartition("/")[2], event["message"]


def log_since(place: StackFolder, offset: int) -> str:
    """Return the emulator's log from an offset on."""
    try:
        with place.log.open("rb") as log:
            log.seek(offset)
            return log.read().decode(errors="replace")
    except FileNotFoundError:
        return ""


def log_size(place: StackFolder) -> int:
    """Return the size of the emulator's log."""
    return place.log.stat().st_size if place.log.exists() else 0


@contextmanager
def given_stack(state_file: Path) -> Iterator[tuple[Stack, StackFolder]]:
    """Use the running stack of a state file, and leave it running."""
    stack = Stack.load(state_file)
    port = urllib3.util.parse_url(stack.endpoint_url).port
    if port is None or StackFolder(port).endpoint_url != stack.endpoint_url:
        raise ValueError(f"{state_file} describes no stack on this machine: {stack.endpoint_url}")
    yield stack, StackFolder(port, state_file.resolve().parent.parent)
