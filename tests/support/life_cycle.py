"""Drives a user through the routes by their Lambda handlers, at a time of the test's choosing."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import pyotp

from functions.shared.contract import BACKUP_CODES, DISABLE, SETUP, STATUS, VERIFY, VERIFY_SETUP, Endpoint
from tests.support.events import api_event

#: A time in the middle of a time step.
START = 1_800_000_015.0


@dataclass
class Answer:
    """What a route answered."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str]

    @property
    def error(self) -> str | None:
        return self.body.get("error")


@dataclass
class User:
    """A user with an authenticator app, calling the routes."""

    load: Callable[[str], ModuleType]
    user_id: str = "user-1"
    now: float = START
    secret: str = ""
    backup_codes: list[str] = field(default_factory=list)
    _handlers: dict[str, ModuleType] = field(default_factory=dict)
    _requests: int = 0

    def call(self, route: Endpoint, body: Any = None) -> Answer:
        """Call a route at the present time."""
        handler = self._handlers.get(route.function)
        if handler is None:
            handler = self._handlers[route.function] = self.load(route.function)
            self._follow_clock(handler)
        self._requests += 1
        event = api_event(route, user_id=self.user_id, body=body, request_id=f"{self.user_id}-{self._requests}")
        response = handler.lambda_handler(event, None)
        return Answer(response["statusCode"], json.loads(response["body"]), response["headers"])

    def _follow_clock(self, handler: ModuleType) -> None:
        service: Any = handler.service
        clocked: Any = getattr(service, "_second_factor", service)
        if hasattr(clocked, "_clock"):
            clocked._clock = lambda: self.now

    def follow_clock(self) -> None:
        """Make handlers that other users have used follow this user's time."""
        for handler in self._handlers.values():
            self._follow_clock(handler)

    def code(self, *, steps: int = 0) -> str:
        """Return the app's code, some time steps from now."""
        return pyotp.TOTP(self.secret).at(int(self.now) + 30 * steps)

    def wrong_code(self) -> str:
        """Return a code that no step of the window has."""
        right = {self.code(steps=steps) for steps in (-2, -1, 0, 1, 2)}
        return next(code for code in (f"{number:06}" for number in range(10)) if code not in right)

    def wait(self, seconds: float = 30) -> None:
        """Let time pass; by default so that the app shows the next code."""
        self.now += seconds

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
        """Turn MFA on, and wait for a fresh code."""
        assert self.setup().status == 200
        assert self.verify_setup().status == 200
        self.wait()

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
