"""Users who call the routes: the deployed ones, or the Lambda handlers at a time that the test chooses."""

import json
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pyotp

from functions.shared.contract import BACKUP_CODES, DISABLE, SETUP, STATUS, VERIFY, VERIFY_SETUP, Endpoint
from tests.support.events import api_event

#: A time in the middle of a time step.
START = 1_800_000_015.0
#: The steps, counted from now, whose codes tests use.
_STEPS_OF_A_TEST = range(-3, 5)


@dataclass
class Answer:
    """The response of a route."""

    status: int
    body: dict[str, Any]
    headers: Mapping[str, str]

    @property
    def error(self) -> str | None:
        return self.body.get("error")


class Caller(ABC):
    """A user with an authenticator app; subclasses define the transport and the time."""

    def __init__(self) -> None:
        self.secret = ""
        self.backup_codes: list[str] = []

    @abstractmethod
    def call(self, route: Endpoint, body: Any = None) -> Answer:
        """Call a route as this user."""

    @abstractmethod
    def time(self) -> float:
        """Return the time of the authenticator app, in epoch seconds."""

    def fresh_time_step(self, seconds: float = 12) -> None:  # noqa: B027 -- for the kind of caller whose time passes
        """Wait until the present time step has so many seconds left, so that its code stays valid during a test."""

    def code(self, *, steps: int = 0) -> str:
        """Return the code of a time step, counted from now."""
        return pyotp.TOTP(self.secret).at(int(self.time()) + 30 * steps)

    def wrong_code(self) -> str:
        """Return a wrong code: one of long ago, because six zeros could not be recognised in a log."""
        right = {self.code(steps=steps) for steps in (-2, -1, 0, 1, 2)}
        return next(code for code in (self.code(steps=-100 - back) for back in range(10)) if code not in right)

    def setup(self) -> Answer:
        answer = self.call(SETUP)
        if answer.status == 200:
            self.secret = answer.body["secret"]
        return answer

    def verify_setup(self, code: str | None = None) -> Answer:
        answer = self.call(VERIFY_SETUP, {"code": self.code() if code is None else code})
        if answer.status == 200:
            self.backup_codes = answer.body["backupCodes"]
        return answer

    def enrol(self) -> None:
        """Turn MFA on with the code of the previous step, which leaves the present code for a login."""
        # With a few secrets in a million, two of these steps have the same code, which would be refused as used.
        while True:
            assert self.setup().status == 200
            if len({self.code(steps=steps) for steps in _STEPS_OF_A_TEST}) == len(_STEPS_OF_A_TEST):
                break
        self.fresh_time_step(4)  # the code of the previous step is valid until this step ends
        assert self.verify_setup(self.code(steps=-1)).status == 200

    def verify(self, code: str | None = None) -> Answer:
        return self.call(VERIFY, {"code": self.code() if code is None else code})

    def verify_backup(self, code: str) -> Answer:
        return self.call(VERIFY, {"backupCode": code})

    def disable(self, **body: str) -> Answer:
        return self.call(DISABLE, body or {"code": self.code()})

    def regenerate(self, code: str | None = None) -> Answer:
        answer = self.call(BACKUP_CODES, {"code": self.code() if code is None else code})
        if answer.status == 200:
            self.backup_codes = answer.body["backupCodes"]
        return answer

    def status(self) -> dict[str, Any]:
        answer = self.call(STATUS)
        assert answer.status == 200
        return answer.body


class User(Caller):
    """A user who calls the Lambda handlers, at a time of the test's choosing."""

    def __init__(
        self,
        load: Callable[..., ModuleType],
        user_id: str = "user-1",
        *,
        now: float = START,
        secret: str = "",
    ) -> None:
        super().__init__()
        self.load = load
        self.user_id = user_id
        self.now = now
        self.secret = secret
        self.handlers: dict[str, ModuleType] = {}
        self.access_token: dict[str, str] | None = None  # see `api_event`
        self.requests = 0

    def time(self) -> float:
        return self.now

    def wait(self, seconds: float = 30) -> None:
        """Let time pass; by default so that the app shows the next code."""
        self.now += seconds

    def call(self, route: Endpoint, body: Any = None) -> Answer:
        handler = self.handlers.get(route.function)
        if handler is None:
            handler = self.handlers[route.function] = self.load(route.function, self.time)
        self.requests += 1
        request_id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.user_id}-{self.requests}"))
        event = api_event(route, user_id=self.user_id, body=body, request_id=request_id, access_token=self.access_token)
        response = handler.lambda_handler(event, None)
        return Answer(response["statusCode"], json.loads(response["body"]), response["headers"])
