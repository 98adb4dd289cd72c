"""A client generated from ``docs/openapi.json`` can call every route, with typed responses."""

import importlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pyotp
import pytest

from functions.shared.contract import BACKUP_CODES, DISABLE, SETUP, STATUS, VERIFY, VERIFY_SETUP, Endpoint
from local.stack import Stack
from tests.support.api_description import FILE, operation
from tests.support.http_user import HttpUser, NewUser
from tests.support.leaks import OVER_HTTP
from tests.support.stack import TIMEOUT_SECONDS

PACKAGE = "generated_mfa_client"
PROGRAMS = Path(sys.executable).parent

type Import = Callable[[str], ModuleType]


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Import]:
    """Generate the client without warnings, and return a function that imports its modules."""
    folder = tmp_path_factory.mktemp("client")
    made = subprocess.run(
        [
            *(PROGRAMS / "openapi-python-client", "generate", "--meta=none", "--fail-on-warning"),
            *(f"--path={FILE}", f"--output-path={folder / PACKAGE}"),
        ],
        env=os.environ | {"PATH": f"{PROGRAMS}:{os.environ['PATH']}"},  # the generator formats its output with ruff
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    sys.path.insert(0, str(folder))
    yield lambda name: importlib.import_module(f"{PACKAGE}.{name}")
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


class Client:
    """The generated client of one user."""

    def __init__(self, generated: Import, base_url: str, token: str) -> None:
        self._import = generated
        hooks = {"request": [_remember_request], "response": [_remember_answer]}
        self._client = generated("client").AuthenticatedClient(
            base_url=base_url,
            token=token,
            raise_on_unexpected_status=True,
            timeout=httpx.Timeout(TIMEOUT_SECONDS),
            httpx_args={"event_hooks": hooks},
        )

    def call(self, route: Endpoint, **body: Any) -> Any:
        """Call the generated function of a route, and return its result, an object of the client's models."""
        (tag,) = operation(route)["tags"]
        function = self._import(f"api.{tag.lower()}.{route.function}")
        return function.sync(client=self._client, **body)

    def close(self) -> None:
        self._client.get_httpx_client().close()


def _remember_request(request: httpx.Request) -> None:
    OVER_HTTP.add_request(request.content)


def _remember_answer(response: httpx.Response) -> None:
    OVER_HTTP.add_answer(response.request.url.path, response.status_code, response.headers, response.read())


@pytest.fixture
def user(new_user: NewUser) -> HttpUser:
    return new_user("generated-client@example.com")


@pytest.fixture
def client(generated: Import, user: HttpUser, stack: Stack) -> Iterator[Client]:
    OVER_HTTP.add_token(user.token)
    client = Client(generated, stack.api_url, user.token)
    yield client
    client.close()


def test_the_client_calls_every_route_and_returns_its_models(client: Client, generated: Import, user: HttpUser) -> None:
    models = generated("models")
    user.fresh_time_step()
    enrolment = client.call(SETUP)
    assert isinstance(enrolment, models.SetupResponse)
    app, now = pyotp.TOTP(enrolment.secret), int(time.time())
    enabled = client.call(VERIFY_SETUP, body=models.TotpRequest(code=app.at(now - 30)))
    assert isinstance(enabled, models.VerifySetupResponse)
    verified = client.call(VERIFY, body=models.SecondFactorByCode(code=app.at(now)))
    assert (verified.method, verified.backup_codes_remaining) == (models.Method.TOTP, 8)
    replaced = client.call(BACKUP_CODES, body=models.TotpRequest(code=app.at(now + 30)))
    assert isinstance(replaced, models.BackupCodesResponse)
    status = client.call(STATUS)
    assert (status.state, status.locked_until) == (models.State.ENABLED, None)
    assert datetime.now(UTC) - status.enabled_at < timedelta(minutes=1)
    spent = models.SecondFactorByBackupCode(backup_code=replaced.backup_codes[7])
    assert isinstance(client.call(DISABLE, body=spent), models.DisableResponse)
    refused = client.call(VERIFY, body=spent)
    assert refused.error is models.MfaNotEnabledOrConflictErrorError.MFA_NOT_ENABLED


def test_an_invalid_token_is_a_typed_error(generated: Import, stack: Stack) -> None:
    stranger = Client(generated, stack.api_url, "no-token")
    try:
        answer = stranger.call(STATUS)
    finally:
        stranger.close()
    assert isinstance(answer, generated("models").UnauthorizedError)
    assert answer.message == "User authentication required"
