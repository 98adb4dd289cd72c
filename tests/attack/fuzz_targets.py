"""The fuzz targets: functions of bytes that raise if the product breaks a promise.

``tests/attack/test_fuzzing.py`` runs them for a moment under Hypothesis, and longer under atheris. Atheris instruments
the product while it imports this module, so nothing may import the product before.
"""

import base64
import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from functions.jwt_authorizer.errors import TokenRejectedError
from functions.jwt_authorizer.keys import SigningKeys
from functions.jwt_authorizer.service import TokenVerifier
from functions.setup_mfa.encryption import EnvelopeSealer
from functions.shared.contract import DEFAULT_JWT_ALGORITHMS, DEFAULT_JWT_LEEWAY_SECONDS, VERIFY, Factor
from functions.shared.decryption import EnvelopeOpener
from functions.shared.encryption import master_key
from functions.shared.http import Request
from functions.shared.record import RecordDamagedError, record_from_item
from functions.shared.request_body import SecondFactorRequest, TotpRequest
from functions.shared.settings import AuthorizerSettings, EndpointSettings, RawKey
from tests.support.events import api_event
from tests.support.records import SECRET, attributes, pending
from tests.support.records import record as stored_record
from tests.support.routes import Value, handler_of
from tests.support.tokens import AUDIENCE, ISSUER, NOW, claims, cognito_claims, ec_key, rsa_key

type Json = Any

USER: Final = "user-1"


@dataclass(frozen=True)
class Target:
    """Code to fuzz."""

    run: Callable[[bytes], None]  # takes any bytes; raises only for a finding
    seeds: Callable[[], Sequence[bytes]]  # returns the bytes that mutations begin with
    promise: str  # the property that holds, for the report


def any_text(data: bytes) -> str:
    """Return text for any bytes, with lone surrogates: JSON can contain them, UTF-8 cannot."""
    try:
        return data.decode("utf-8", "surrogatepass" if b"\xed" in data else "replace")
    except UnicodeDecodeError:
        return data.decode("latin-1")


# -- requests ----------------------------------------------------------------------------------------------------

_SETTINGS: Final = EndpointSettings("dev", "CRITICAL", ("https://app.example.com",), required_scope=None)


def _handler(model: type[TotpRequest | SecondFactorRequest]) -> Any:
    def answering(request: Request[Any]) -> Value:
        offered = request.body.offered_code()
        form = r"[0-9]{6}" if offered.factor is Factor.TOTP else r"[A-Z]{4}-[0-9]{4}"
        assert re.fullmatch(form, offered.code, re.ASCII)
        return Value(offered.code)

    return handler_of(answering, VERIFY, _SETTINGS, body=model)


_HANDLERS: Final = cache(lambda: [_handler(TotpRequest), _handler(SecondFactorRequest)])


def request(data: bytes) -> None:
    """Fuzz an event if the data is the JSON of one, else a body."""
    try:
        event = json.loads(data)
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, dict) or "requestContext" not in event:
        event = api_event(VERIFY, body=any_text(data))
        encoded = {**event, "body": base64.b64encode(data).decode(), "isBase64Encoded": True}
        events = [event, encoded]
    else:
        events = [event]
    for each in events:
        for handler in _HANDLERS():
            _check_answer(handler(each, None), each)


def _check_answer(answer: Mapping[str, Any], event: Mapping[str, Any]) -> None:
    body = json.loads(answer["body"])
    assert answer["statusCode"] in {200, 400, 401}, answer
    assert all(isinstance(value, str) for value in answer["headers"].values())
    if answer["statusCode"] == 200:
        assert body.keys() == {"someValue"}
        sent = event["body"]
        if event.get("isBase64Encoded"):
            sent = base64.b64decode(sent)
        said = json.loads(sent if isinstance(sent, bytes) else sent.removeprefix("\ufeff"))
        (value,) = (each for each in said.values() if each is not None)
        # NFKC knows the digits and letters of all scripts' compatibility forms; of those, only these may be a code.
        read = "".join(str(unicodedata.decimal(each, each)) for each in unicodedata.normalize("NFKC", value))
        assert "".join(re.findall("[A-Za-z0-9]", read)).upper() == body["someValue"].replace("-", "")
    else:
        assert body.keys() == {"error", "message", "request_id", "timestamp"}


def request_seeds() -> list[bytes]:
    bodies = [
        '{"code":"123456"}',
        '{"code":" 123-456 "}',
        '{"backupCode":"ABCD-1234"}',
        '{"code":null,"backupCode":"abcd 1234"}',
        '{"backupCode":"\u017fbcd-1234"}',
        '{"backupCode":"\u200e\uff21\uff42cd\u2013\u0661\u0662\u09693\uff14"}',
        '{"code":"123456","more":[1.5e9,{"\\ud800":null}]}',
    ]
    events = [
        api_event(VERIFY, body=bodies[0], headers={"Origin": "https://app.example.com"}),
        api_event(VERIFY, user_id=None, body=bodies[2]),
        {**api_event(VERIFY, body=base64.b64encode(bodies[0].encode()).decode()), "isBase64Encoded": True},
        {**api_event(VERIFY, body=bodies[0]), "isBase64Encoded": True},
    ]
    return [*(body.encode() for body in bodies), *(json.dumps(event).encode() for event in events)]


# -- stored items ------------------------------------------------------------------------------------------------


def record(data: bytes) -> None:
    """Fuzz an item in DynamoDB's JSON."""
    try:
        item = _item(json.loads(data))
    except (ValueError, RecursionError):
        return
    try:
        read = record_from_item(USER, item)
    except RecordDamagedError:
        return
    assert record_from_item(USER, attributes(read)) == read
    if "status" not in item:
        assert read.enabled
    assert not (read.enabled and read.pending_at(0))


def _item(said: Json) -> dict[str, Json]:
    """Return an item as DynamoDB's client could return it: attributes by name, each a mapping; numbers as text."""
    if not isinstance(said, dict):
        raise ValueError("not an item")  # noqa: TRY004 - as for invalid JSON
    return {name: _value(value) for name, value in said.items()}


def _value(value: Json) -> dict[str, Json]:
    if not isinstance(value, dict):
        return {"NULL": True}
    typed = dict(value)
    for kind in typed.keys() & {"S", "N"}:
        typed[kind] = typed[kind] if isinstance(typed[kind], str) else str(typed[kind])
    if "L" in typed:
        elements = typed["L"] if isinstance(typed["L"], list) else [typed["L"]]
        typed["L"] = [_value(element) for element in elements]
    return typed


def record_seeds() -> list[bytes]:
    failed = {"failed_attempts": 4, "last_failed_at": NOW, "backup_failed_attempts": 100, "backup_last_failed_at": 0}
    whole, waiting = attributes(stored_record(**failed)), attributes(pending(**failed))
    return [json.dumps(item).encode() for item in (whole, waiting, {"status": {"NULL": True}}, {})]


# -- sealed secrets ----------------------------------------------------------------------------------------------


@cache
def _sealed() -> tuple[EnvelopeOpener, bytes]:
    key = master_key(RawKey(bytes(range(32))))
    return EnvelopeOpener(key), base64.b64decode(EnvelopeSealer(key).seal(SECRET, user_id=USER).message)


def envelope(data: bytes) -> None:
    """Fuzz a sealed secret: the message, and the base64 text that is stored."""
    opener, genuine = _sealed()
    for message in (base64.b64encode(data).decode(), any_text(data)):
        try:
            opened = opener.open(message, user_id=USER)
        except RecordDamagedError:
            continue
        assert (opened, message.encode()) == (SECRET, base64.b64encode(genuine))


def envelope_seeds() -> list[bytes]:
    _, genuine = _sealed()
    return [genuine, genuine[:-1], genuine + b"x", base64.b64encode(genuine), genuine[:100]]


# -- tokens ------------------------------------------------------------------------------------------------------


class _Published:
    """The issuer's keys, without a network."""

    def fetch(self) -> object:
        return {"keys": [rsa_key("rsa-1").jwk, ec_key("ec-1").jwk]}


@cache
def _verifier() -> TokenVerifier:
    settings = AuthorizerSettings("dev", "INFO", issuer=ISSUER, audience=(AUDIENCE,), jwks_url="")
    keys = SigningKeys(_Published(), algorithms=settings.algorithms, on_fetch_failure=_fail, clock=lambda: NOW)
    return TokenVerifier(settings, keys=keys, clock=lambda: NOW)


def _fail(error: Exception) -> None:
    raise AssertionError("the keys are always available") from error


@cache
def _genuine() -> frozenset[str]:
    return frozenset(key.token(claims()) for key in (rsa_key("rsa-1"), ec_key("ec-1")))


def token(data: bytes) -> None:
    """Fuzz a token; or, by the first byte, the claims or the header of a token that the issuer signs."""
    kind, said = data[:1], data[1:]
    text = any_text(said)
    if kind == b"c":
        text = ec_key("ec-1").token(said)
    elif kind == b"h":
        text = ec_key("ec-1").token(claims(), said)
    try:
        caller = _verifier().verify(text)
    except TokenRejectedError:
        return
    assert caller.user_id
    assert caller.label
    if kind == b"c":
        _check_claims(json.loads(said), caller.user_id)
    elif kind == b"h":
        header = json.loads(said)
        assert header["alg"] in DEFAULT_JWT_ALGORITHMS
        assert header.get("kid", "ec-1") == "ec-1"
    else:
        assert text in _genuine()


def _check_claims(said: Mapping[str, Any], user_id: str) -> None:
    assert said["iss"] == ISSUER
    names_client = said.get("token_use") == "access" and "aud" not in said
    addressee = said["client_id" if names_client else "aud"]
    assert AUDIENCE in (addressee if isinstance(addressee, list) else [addressee])
    assert said["exp"] > NOW
    assert said.get("nbf", 0) <= NOW + DEFAULT_JWT_LEEWAY_SECONDS
    assert said.get("iat", 0) <= NOW + DEFAULT_JWT_LEEWAY_SECONDS
    assert said.get("token_use", "access") == "access"
    assert said["sub"] == user_id


def token_seeds() -> list[bytes]:
    header = {"alg": "ES256", "kid": "ec-1", "typ": "at+jwt"}
    signed = [claims(), cognito_claims(), claims(aud=["other", AUDIENCE], exp=NOW + 1.5)]
    early = claims(nbf=NOW + DEFAULT_JWT_LEEWAY_SECONDS + 1)
    refused = [claims(exp=NOW - 1), early, claims(iat="1"), claims(aud="other"), claims(token_use="id")]
    return [
        *(b"t" + each.encode() for each in sorted(_genuine())),
        *(b"c" + json.dumps(each).encode() for each in signed + refused),
        b"c" + b"[" * 5000,
        b"h" + b"[" * 5000,
        b"h" + json.dumps(header).encode(),
        b"h" + json.dumps({**header, "crit": ["exp"], "exp": 1, "jku": "http://127.0.0.1:9/"}).encode(),
    ]


TARGETS: Final[Mapping[str, Target]] = {
    "request": Target(
        request,
        request_seeds,
        "Any event and any body: 200 for a well-formed code, else 400 or 401 with the contract's body, never a 500",
    ),
    "record": Target(
        record,
        record_seeds,
        "Any item: written again unchanged, or recognised as damaged",
    ),
    "envelope": Target(
        envelope,
        envelope_seeds,
        "Any bytes for a sealed secret: only the genuine message opens, others are recognised as damaged",
    ),
    "token": Target(
        token,
        token_seeds,
        "Any token, and any claims and header that the issuer signs: accepted only if all of them are valid",
    ),
}
