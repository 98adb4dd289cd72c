"""The steps of the smoke test, and the clean-up after a failure."""

import base64
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from functions.shared.contract import BACKUP_CODE_COUNT, BACKUP_CODES, DISABLE, SETUP, STATUS, VERIFY, Endpoint
from tests.support.life_cycle import Answer, Caller

_STEP_SECONDS: Final = 30
#: The present time step must last this long, because the codes of three steps are used.
_NEEDED_SECONDS: Final = 15
_PNG: Final = "data:image/png;base64,"


class SmokeError(Exception):
    """The deployment responded wrongly. The message contains no secret, code or token."""


@dataclass
class Journey:
    """Calls every route as a disposable user."""

    user: Caller  # MFA must be off
    show: Callable[[str], None]  # takes each line of output
    sleep: Callable[[float], None] = time.sleep
    _unused: list[str] = field(default_factory=list)
    _enabled: bool = False

    def run(self) -> None:
        """Enrol, log in, get new backup codes and turn MFA off, also after a failure.

        Raises
        ------
        SmokeError
            A response was wrong, or MFA could not be turned off.
        """
        try:
            self._enrol()
            self._verify()
            self._regenerate()
            self._disable()
        finally:
            self._clean_up()

    def _enrol(self) -> None:
        with self._step("nothing is on yet"):
            state = self._expect(STATUS, 200)["state"]
            if state == "ENABLED":
                raise SmokeError("MFA is on for this user: give a disposable one, or reset it as an operator")
        with self._step("set up"):
            answer = self.user.setup()
            self._check(SETUP, answer, 200)
            if not base64.b64decode(answer.body["qrCode"].removeprefix(_PNG)).startswith(b"\x89PNG"):
                raise SmokeError("setup: the QR code is not a PNG")
        self._wait_for_a_fresh_step()
        with self._step("confirm, after a wrong code"):
            self._check_refused(self.user.verify_setup(self.user.wrong_code()), "INVALID_CODE")
            # From here on MFA may be on, even if the response is lost.
            self._enabled = True
            answer = self.user.verify_setup(self.user.code(steps=-1))
            self._check(SETUP, answer, 200)
            self._keep_codes(answer)

    def _verify(self) -> None:
        with self._step("log in with a code, once"):
            code = self.user.code()
            self._expect(VERIFY, 200, {"code": code})
            self._check_refused(self.user.verify(code), "INVALID_CODE")
        with self._step("log in with a backup code, once"):
            backup_code = self._unused.pop()
            answer = self._expect(VERIFY, 200, {"backupCode": backup_code})
            if answer["backupCodesRemaining"] != BACKUP_CODE_COUNT - 1:
                raise SmokeError("verify: the wrong number of backup codes is left")
            self._check_refused(self.user.verify_backup(backup_code), "INVALID_CODE")

    def _regenerate(self) -> None:
        with self._step("get new backup codes"):
            old = self._unused[0]
            answer = self.user.regenerate(self.user.code(steps=1))
            self._check(BACKUP_CODES, answer, 200)
            self._keep_codes(answer)
            self._check_refused(self.user.verify_backup(old), "INVALID_CODE")
        with self._step("a second setup is refused"):
            self._check_refused(self.user.setup(), "MFA_ALREADY_ENABLED")

    def _disable(self) -> None:
        with self._step("turn it off"):
            self._expect(DISABLE, 200, {"backupCode": self._unused.pop()})
            self._enabled = False
            self._check_refused(self.user.verify(), "MFA_NOT_ENABLED")
            if self._expect(STATUS, 200)["enabled"]:
                raise SmokeError("status: still on after it was turned off")

    def _clean_up(self) -> None:
        """Turn MFA off after a failure, with a backup code or the code of a new time step."""
        if not self._enabled:
            return
        with self._step("clean up"):
            for backup_code in self._unused[:3]:
                answer = self.user.disable(backupCode=backup_code)
                if answer.status == 200 or answer.error == "MFA_NOT_ENABLED":
                    return
            # Codes up to the next step may have been used.
            self.sleep(2 * _STEP_SECONDS)
            answer = self.user.disable()
            if answer.status != 200 and answer.error != "MFA_NOT_ENABLED":
                raise SmokeError(f"MFA stays on for this user: {_described(DISABLE, answer)}")

    def _wait_for_a_fresh_step(self) -> None:
        left = _STEP_SECONDS - self.user.time() % _STEP_SECONDS
        if left < _NEEDED_SECONDS:
            with self._step(f"wait {left:.0f} s for a fresh time step"):
                self.sleep(left + 0.1)

    def _keep_codes(self, answer: Answer) -> None:
        self._unused = list(answer.body["backupCodes"])
        if len(set(self._unused)) != BACKUP_CODE_COUNT:
            raise SmokeError(f"not {BACKUP_CODE_COUNT} different backup codes")

    def _expect(self, route: Endpoint, status: int, body: object = None) -> dict[str, Any]:
        answer = self.user.call(route, body)
        self._check(route, answer, status)
        return answer.body

    @staticmethod
    def _check(route: Endpoint, answer: Answer, status: int) -> None:
        if answer.status != status:
            raise SmokeError(f"expected {status}: {_described(route, answer)}")

    @staticmethod
    def _check_refused(answer: Answer, error: str) -> None:
        if answer.error != error:
            raise SmokeError(f"expected {error}, got {answer.status} {answer.error}")

    @contextmanager
    def _step(self, what: str) -> Iterator[None]:
        started = time.monotonic()
        try:
            yield
        except BaseException:
            self.show(f"  FAILED  {what}")
            raise
        self.show(f"  {time.monotonic() - started:5.1f} s {what}")


def _described(route: Endpoint, answer: Answer) -> str:
    """Describe an unexpected response, by the members that contain no secret."""
    known = {name: answer.body.get(name) for name in ("error", "request_id") if name in answer.body}
    return f"{route.method} {route.path} answered {answer.status} {known}"
