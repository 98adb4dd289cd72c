"""Random walks through the real handlers, compared with a simple model of a second factor.

The model has no versions, ciphertexts or conditions: it is what a user's guide would say.
"""

import math
from typing import Any
from uuid import uuid4

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from functions.security_events.service import derive_events
from functions.security_events.stream import change_from_record
from functions.shared.contract import SecurityEventType
from tests.support.embedded_aws import EmbeddedAws
from tests.support.life_cycle import START, Answer, User
from tests.support.stream_records import stream_record

FREE = 5


class Failures:
    """A counter of wrong codes of one factor, and the resulting lock."""

    def __init__(self) -> None:
        self.count = 0
        self.locked_until = 0.0

    def add(self, now: float) -> None:
        self.count += 1
        if self.count >= FREE:
            self.locked_until = int(now) + min(60 * 2 ** (self.count - FREE), 3600)

    def clear(self) -> None:
        self.__init__()  # type: ignore[misc] # a cleared counter is a new one


class LifeCycle(RuleBasedStateMachine):
    """Walks one user through the routes and predicts every response."""

    def __init__(self, aws: EmbeddedAws, user: User) -> None:
        super().__init__()
        self.aws = aws
        self.user = user
        self.item: dict[str, Any] = {}
        user.user_id, user.now, user.secret = f"user-{uuid4()}", START, ""
        self.forget()

    def forget(self) -> None:
        self.state = "DISABLED"
        self.pending_failures = 0
        self.pending_until = 0.0
        self.last_step = -1
        self.written_at = -math.inf
        self.totp, self.backup = Failures(), Failures()
        self.unused: list[str] = []
        self.used: list[str] = []

    # -- what time does

    @rule(seconds=st.sampled_from([1, 8, 29, 30, 61, 125, 599, 3601]))
    def wait(self, seconds: int) -> None:
        self.user.wait(seconds)
        if self.state == "PENDING" and self.user.now >= self.pending_until:
            self.state = "EXPIRED"

    # -- enrolment

    @rule()
    def setup(self) -> None:
        answer = self.user.setup()
        if self.state == "ENABLED":
            assert (answer.status, answer.error) == (409, "MFA_ALREADY_ENABLED")
            return
        assert answer.status == 200
        self.forget()
        self.state, self.pending_until = "PENDING", int(self.user.now) + 600

    @precondition(lambda self: self.user.secret)
    @rule(steps=st.integers(-3, 3))
    def verify_setup(self, steps: int) -> None:
        answer = self.user.verify_setup(self.user.code(steps=steps))
        match self.state:
            case "DISABLED":
                assert answer.error == "MFA_SETUP_NOT_FOUND"
            case "EXPIRED":
                assert answer.error == "MFA_SETUP_EXPIRED"
            case "ENABLED":
                assert answer.error == "MFA_ALREADY_ENABLED"
            case "PENDING" if abs(steps) <= 1:
                assert answer.status == 200
                self.state, self.last_step, self.written_at = "ENABLED", self.step(steps), int(self.user.now)
                self.unused = list(answer.body["backupCodes"])
            case "PENDING":
                assert answer.error == "INVALID_CODE"
                self.pending_failures += 1
                if self.pending_failures == 10:
                    self.state = "DISABLED"

    # -- using it

    def step(self, steps: int) -> int:
        return int(self.user.now) // 30 + steps

    def refuse(self, failures: Failures, *, sent_twice: bool) -> None:
        """Count a wrong or used code, unless it is the last accepted one, within ten seconds of the last write."""
        if not (sent_twice and failures.count == 0 and self.user.now - self.written_at <= 10):
            failures.add(self.user.now)
            self.written_at = int(self.user.now)

    def predict_totp(self, answer: Answer, steps: int) -> bool:
        """Check the response to a TOTP code; return whether the code must have been accepted."""
        if self.state != "ENABLED":
            assert answer.error == "MFA_NOT_ENABLED"
        elif self.user.now < self.totp.locked_until:
            assert answer.error == "TOO_MANY_ATTEMPTS"
            assert 0 <= int(answer.headers["Retry-After"]) - (self.totp.locked_until - self.user.now) < 1
        elif abs(steps) > 1 or self.step(steps) <= self.last_step:
            assert answer.error == "INVALID_CODE"
            self.refuse(self.totp, sent_twice=abs(steps) <= 1 and self.step(steps) == self.last_step)
        else:
            assert answer.status == 200
            self.last_step, self.written_at = self.step(steps), int(self.user.now)
            self.totp.clear()
            return True
        return False

    def predict_backup(self, answer: Answer, code: str) -> bool:
        if self.state != "ENABLED":
            assert answer.error == "MFA_NOT_ENABLED"
        elif self.user.now < self.backup.locked_until:
            assert answer.error == "TOO_MANY_ATTEMPTS"
        elif code not in self.unused:
            assert answer.error == "INVALID_CODE"
            self.refuse(self.backup, sent_twice=[code] == self.used[-1:])
        else:
            assert answer.status == 200
            self.unused.remove(code)
            self.used.append(code)
            self.backup.clear()
            self.written_at = int(self.user.now)
            return True
        return False

    @precondition(lambda self: self.user.secret)
    @rule(steps=st.integers(-2, 2))
    def verify(self, steps: int) -> None:
        answer = self.user.verify(self.user.code(steps=steps))
        if self.predict_totp(answer, steps):
            assert answer.body["backupCodesRemaining"] == len(self.unused)
            assert ("warnings" in answer.body) == (len(self.unused) <= 2)

    @rule(data=st.data())
    def verify_with_a_backup_code(self, data: st.DataObject) -> None:
        code = data.draw(st.sampled_from([*self.unused, *self.used, "AAAA-0000"]))
        answer = self.user.verify_backup(code)
        if self.predict_backup(answer, code):
            assert answer.body["backupCodesRemaining"] == len(self.unused)

    @precondition(lambda self: self.user.secret)
    @rule(steps=st.integers(-2, 2))
    def regenerate(self, steps: int) -> None:
        answer = self.user.regenerate(self.user.code(steps=steps))
        if self.predict_totp(answer, steps):
            new = answer.body["backupCodes"]
            assert not set(new) & {*self.unused, *self.used}
            self.unused, self.used = list(new), []

    @precondition(lambda self: self.user.secret)
    @rule(steps=st.integers(-2, 2))
    def disable(self, steps: int) -> None:
        answer = self.user.disable(code=self.user.code(steps=steps))
        if self.predict_totp(answer, steps):
            self.forget()

    @invariant()
    def status_agrees(self) -> None:
        status = self.user.status()
        assert status["state"] == (self.state if self.state in ("PENDING", "ENABLED") else "DISABLED")
        assert status["enabled"] == (self.state == "ENABLED")
        assert status["backupCodesRemaining"] == len(self.unused)
        assert (status["lockedUntil"] is not None) == (
            self.state == "ENABLED" and self.user.now < self.totp.locked_until
        )

    @invariant()
    def no_write_of_a_route_looks_like_tampering(self) -> None:
        before, self.item = self.item, self.aws.item(self.user.user_id)
        if before != self.item:
            record = stream_record(before, self.item, written_at=self.user.now)
            events = derive_events(change_from_record(record))
            assert SecurityEventType.MFA_RECORD_TAMPERED not in {event.type for event in events}


def test_every_walk_through_the_routes_is_as_the_model_says(aws: EmbeddedAws, user: User) -> None:
    run_state_machine_as_test(
        lambda: LifeCycle(aws, user),  # type: ignore[arg-type] # any callable that makes one will do
        settings=settings(
            max_examples=10,
            stateful_step_count=40,
            # Shrinking a failing walk would take minutes, and it is readable as it is.
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
