"""Every example of a response is one that a handler really returns, except ids, times and random values.

``tests/e2e/test_openapi.py`` compares the gateway's responses with the deployed gateway.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from functions.shared.clock import iso_timestamp
from functions.shared.contract import BACKUP_CODES_LOW_AT, DISABLE, SETUP, VERIFY, VERIFY_SETUP, Endpoint, Env
from tests.support.api_description import ISO_TIME, DescribedAnswer, assert_described, described_answers, operation
from tests.support.aws_calls import raising, refused
from tests.support.embedded_aws import EmbeddedAws
from tests.support.life_cycle import START, Answer, User
from tests.support.proofs import Proofs
from tools.openapi.examples import SCOPE

EXAMPLES = [each for each in described_answers() if not each.by_gateway]

#: What differs from one response to the next.
_CHANGING = {
    re.compile(r"data:image/png;base64,[A-Za-z0-9+/]+=*"): "(QR code)",
    re.compile(r"[A-Z2-7]{32}"): "(secret)",
    re.compile(r"[A-Z]{4}-\d{4}"): "(backup code)",
    re.compile(r"[\w-]{16,}(\.[\w-]+){2}", re.ASCII): "(proof)",
    ISO_TIME: "(time)",
}


class Situation:
    """A user and the emulated AWS, brought to the state in which a route returns one response."""

    def __init__(self, user: User, aws: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> None:
        self.user = user
        self.aws = aws
        self.monkeypatch = monkeypatch

    def request(self, route: Endpoint) -> Answer:
        """Send a valid request, with a right code if the route takes one."""
        return self.user.call(route, {"code": self.user.code()} if "requestBody" in operation(route) else None)

    def ready(self, route: Endpoint) -> None:
        """Bring the user to the state in which the route returns 200."""
        self.user.setup()
        if route not in (SETUP, VERIFY_SETUP):
            self.user.verify_setup(self.user.code(steps=-1))

    def locked(self, route: Endpoint, failures: int) -> Answer:
        self.ready(route)
        self.aws.set(
            self.user.user_id,
            failed_attempts={"N": str(failures)},
            last_failed_at={"S": iso_timestamp(self.user.now)},
        )
        return self.request(route)

    def with_backup_codes(self, number: int) -> Answer:
        """Log in with a backup code, so that a number of them remains."""
        self.user.enrol()
        for code in self.user.backup_codes[number + 1 :]:
            self.user.verify_backup(code)
        return self.user.verify_backup(self.user.backup_codes[0])

    def failing(self, route: Endpoint, **failures: Callable[[], Any]) -> Answer:
        self.ready(route)
        with self.aws.calls.recorded({f"dynamodb:{operation}": failure for operation, failure in failures.items()}):
            return self.request(route)


def _sent(body: str) -> Callable[[Situation, Endpoint], Answer]:
    return lambda situation, route: situation.user.call(route, body)


def _ok(situation: Situation, route: Endpoint) -> Answer:
    situation.ready(route)
    return situation.request(route)


def _with_proof(situation: Situation, route: Endpoint) -> Answer:
    Proofs(situation.aws, situation.user.load, situation.monkeypatch)
    return _ok(situation, route)


def _disabled(situation: Situation, route: Endpoint) -> Answer:
    if route is DISABLE:
        situation.ready(route)
    return situation.request(route)


def _pending(situation: Situation, route: Endpoint) -> Answer:
    if route is not SETUP:
        situation.user.setup()
    return situation.request(route)


def _invalid_code(situation: Situation, route: Endpoint) -> Answer:
    situation.ready(route)
    return situation.user.call(route, {"code": situation.user.wrong_code()})


def _insufficient_scope(situation: Situation, route: Endpoint) -> Answer:
    situation.monkeypatch.setenv(Env.MFA_REQUIRED_SCOPE, SCOPE)
    return situation.user.call(route)


def _already_enabled(situation: Situation, route: Endpoint) -> Answer:
    situation.user.enrol()
    return situation.request(route)


def _conflict(situation: Situation, route: Endpoint) -> Answer:
    lost = refused("ConditionalCheckFailedException")
    return situation.failing(route, UpdateItem=lost, DeleteItem=lost)


def _setup_expired(situation: Situation, route: Endpoint) -> Answer:
    situation.user.setup()
    situation.aws.set(situation.user.user_id, expires_at={"N": str(int(START))})
    return situation.request(route)


def _unavailable(situation: Situation, route: Endpoint) -> Answer:
    throttled = refused("ProvisionedThroughputExceededException")
    return situation.failing(route, PutItem=throttled, GetItem=throttled)


def _internal(situation: Situation, route: Endpoint) -> Answer:
    unexpected = raising(ZeroDivisionError("a secret detail"))
    return situation.failing(route, PutItem=unexpected, GetItem=unexpected)


SITUATIONS: Mapping[str, Callable[[Situation, Endpoint], Answer]] = {
    "pending": _pending,
    "enabled": _ok,
    "totp": _ok,
    "enabledWithProof": _with_proof,
    "totpWithProof": _with_proof,
    "replaced": _ok,
    "disabled": _disabled,
    "backupCode": lambda situation, _: situation.with_backup_codes(7),
    "fewBackupCodes": lambda situation, _: situation.with_backup_codes(BACKUP_CODES_LOW_AT),
    "notJson": _sent("code=123456"),
    "malformedCode": _sent('{"code":"12345"}'),
    "unknownField": _sent('{"code":"123456","pin":"1234"}'),
    "invalidCode": _invalid_code,
    "insufficientScope": _insufficient_scope,
    "mfaSetupNotFound": _sent('{"code":"123456"}'),
    "mfaAlreadyEnabled": _already_enabled,
    "mfaNotEnabled": _sent('{"code":"123456"}'),
    "conflict": _conflict,
    "mfaSetupExpired": _setup_expired,
    "locked": lambda situation, route: situation.locked(route, 5),
    "lockedForGood": lambda situation, route: situation.locked(route, 100),
    "serviceUnavailable": _unavailable,
    "internalError": _internal,
}


def without_what_changes(body: Mapping[str, Any]) -> Any:
    text = json.dumps({name: "(id)" if name == "request_id" else value for name, value in body.items()})
    for pattern, name in _CHANGING.items():
        text = pattern.sub(name, text)
    return json.loads(text)


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_a_handler_really_answers_so(
    example: DescribedAnswer, user: User, aws: EmbeddedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = SITUATIONS[example.name](Situation(user, aws, monkeypatch), example.route)

    assert (answer.status, without_what_changes(answer.body)) == (example.status, without_what_changes(example.body))
    assert_described(example.route, answer.status, answer.headers, answer.body)
    assert_described(example.route, example.status, answer.headers, example.body)


def test_each_situation_is_an_example() -> None:
    assert SITUATIONS.keys() == {example.name for example in EXAMPLES}


def test_what_a_lock_for_good_lacks_is_not_required(enrolled: User, aws: EmbeddedAws) -> None:
    aws.set(enrolled.user_id, failed_attempts={"N": "100"}, last_failed_at={"S": iso_timestamp(START)})
    answer = enrolled.verify()
    assert "Retry-After" not in answer.headers
    assert_described(VERIFY, answer.status, answer.headers, answer.body)
