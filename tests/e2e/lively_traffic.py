"""A few minutes of life for a local stack: people who enrol and log in, an attacker, a hiccup of KMS."""

import json
import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pyotp
import urllib3

from functions.shared import contract
from functions.shared.contract import Endpoint

_STEP: Final = 30
_ATTACK: Final = (0.45, 0.62)
_OUTAGE: Final = (0.74, 0.80)


@dataclass
class _Person:
    """A user of the service and what their authenticator knows."""

    token: str
    secret: str = ""
    backup_codes: list[str] = field(default_factory=list)
    step: int = 0


@dataclass
class Traffic:
    """Drives the API over HTTP.

    Attributes
    ----------
    api_url : str
        URL of the API with its stage.
    tokens : sequence of str
        Access tokens of users without a second factor.
    set_key_enabled : callable
        Enables and disables the secret's key.
    """

    api_url: str
    tokens: Sequence[str]
    set_key_enabled: Callable[[bool], None]

    def __post_init__(self) -> None:
        """Prepare the people and the dice, which fall the same way every time."""
        self._dice = random.Random(7)  # noqa: S311 (a demonstration)
        self._http = urllib3.PoolManager(retries=False, timeout=30)
        self._strangers = [_Person(token) for token in self.tokens]
        self._members: list[_Person] = []
        self._last: _Person | None = None

    def run(self, seconds: float) -> None:
        """Send requests for so long; the key is enabled at the end whatever happens."""
        began = time.monotonic()
        disabled = False
        try:
            while (part := (time.monotonic() - began) / seconds) < 1:
                if disabled != (_OUTAGE[0] <= part < _OUTAGE[1]):
                    disabled = not disabled
                    self.set_key_enabled(not disabled)
                self._moment(part)
                # Busier and quieter, as a day is.
                time.sleep(0.12 + 0.10 * (1 + math.sin(9 * part)) * self._dice.random())
        finally:
            self.set_key_enabled(True)

    def _moment(self, part: float) -> None:
        """Do one thing that happens at this part of the run."""
        if _ATTACK[0] <= part < _ATTACK[1]:
            self._attack()
        chance = self._dice.random()
        if self._strangers and (chance < 0.18 or not self._members):
            self._enrol(self._strangers.pop(0))
        elif not self._members:
            self._call(contract.STATUS, None)
        elif chance < 0.62:
            self._call(contract.STATUS, self._dice.choice(self._members))
        elif chance < 0.82:
            self._log_in(self._dice.choice(self._members))
        elif chance < 0.88:
            self._call(contract.SETUP, self._dice.choice(self._members))
        elif chance < 0.94:
            self._call(contract.VERIFY, self._dice.choice(self._members), {"code": "000000"})
        elif chance < 0.97:
            self._call(contract.SETUP, None)
        else:
            self._give_up(self._members[0])

    def _enrol(self, person: _Person) -> None:
        status, answer = self._call(contract.SETUP, person)
        if status != 200:
            self._strangers.append(person)
            return
        person.secret = answer["secret"]
        # The step before is accepted too: so one can log in at once with the present one.
        person.step = int(time.time()) // _STEP - 1
        status, answer = self._call(contract.VERIFY_SETUP, person, {"code": self._code(person)})
        if status == 200:
            person.backup_codes = answer["backupCodes"]
            self._members.append(person)
        else:
            self._strangers.append(person)

    def _log_in(self, person: _Person) -> None:
        latest = int(time.time()) // _STEP + 1
        if person.step < latest:
            person.step += 1
            person.step = max(person.step, latest - 2)
            self._call(contract.VERIFY, person, {"code": self._code(person)})
            self._last = person
        elif len(person.backup_codes) > 6:
            self._call(contract.VERIFY, person, {"backupCode": person.backup_codes.pop()})
        elif person.backup_codes:
            status, answer = self._call(contract.BACKUP_CODES, person, {"code": self._code(person)})
            person.backup_codes = answer["backupCodes"] if status == 200 else []

    def _give_up(self, person: _Person) -> None:
        if person.backup_codes:
            status, _ = self._call(contract.DISABLE, person, {"backupCode": person.backup_codes.pop()})
            if status == 200:
                self._members.remove(person)
                self._strangers.append(person)

    def _attack(self) -> None:
        """Try made-up tokens, guess codes of one user until locked, replay a code that was seen."""
        self._call(self._dice.choice(contract.ENDPOINTS), None)
        if self._members:
            victim = self._members[0]
            self._call(contract.VERIFY, victim, {"code": f"{self._dice.randrange(10**6):06d}"})
        if self._last is not None:
            self._call(contract.VERIFY, self._last, {"code": self._code(self._last)})
            self._last = None

    def _code(self, person: _Person) -> str:
        return pyotp.TOTP(person.secret).at(person.step * _STEP)

    def _call(
        self, endpoint: Endpoint, person: _Person | None, body: dict[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        token = "made-up" if person is None else person.token
        answer = self._http.request(
            endpoint.method,
            self.api_url + endpoint.path,
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            body=None if body is None else json.dumps(body),
        )
        return answer.status, answer.json()
