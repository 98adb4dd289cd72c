"""The proof of a second factor, through the handlers that issue it, and read as another API reads it."""

import re
import time
from typing import Any

import jwt
import pytest
from botocore.exceptions import ReadTimeoutError

from functions.jwt_authorizer.service import MAX_SUBJECT_LENGTH
from functions.shared.clock import iso_timestamp
from functions.shared.contract import VERIFY, VERIFY_SETUP, Endpoint, Factor
from functions.shared.identity import AccessToken
from functions.shared.proof import Prover
from functions.shared.races import LOST_SIGNING_RACE_SECONDS
from functions.shared.settings import KmsKey, ProofSettings
from tests.support.aws_calls import Failure, raising, refused
from tests.support.embedded_aws import EmbeddedAws
from tests.support.life_cycle import Answer, User
from tests.support.metrics import Emitted
from tests.support.proofs import AUDIENCE, ISSUER, Proofs

#: The calls of a right code.
CALLS = ["dynamodb:GetItem", "kms:Decrypt", "kms:Sign", "dynamodb:UpdateItem"]
READS = CALLS[:2]

HANGS = raising(ReadTimeoutError(endpoint_url="https://kms"))
FAILURES = pytest.mark.parametrize(
    "failure",
    [refused("AccessDeniedException"), refused("ThrottlingException"), refused("KMSInternalException", 500), HANGS],
    ids=["denied", "throttled", "internal", "hangs"],
)


def claims_of(proofs: Proofs, user: User, answer: Answer) -> dict[str, Any]:
    assert answer.status == 200, answer.body
    return proofs.claims(answer.body["proof"], user.now)


class TestClaims:
    def test_those_of_a_totp_code(self, proofs: Proofs, enrolled: User) -> None:
        enrolled.access_token = {
            "subject": "sub-of-the-token",
            "expires_at": str(int(enrolled.now) + 3600),
            "client_id": "app",
            "session_id": "session-1",
        }
        answer = enrolled.verify()
        claims = claims_of(proofs, enrolled, answer)
        now = int(enrolled.now)
        assert re.fullmatch(r"[0-9a-f-]{36}", claims.pop("jti"))
        assert claims == {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "sub-of-the-token",
            "client_id": "app",
            "sid": "session-1",
            "iat": now,
            "auth_time": now,
            "exp": now + 300,
            "amr": ["otp", "mfa"],
            "acr": "mfa",
        }
        assert jwt.get_unverified_header(answer.body["proof"]) == {
            "alg": "RS256",
            "typ": "at+jwt",
            "kid": proofs.keys[0].rpartition("/")[2],
        }
        assert answer.body["proofExpiresAt"] == iso_timestamp(now + 300)

    def test_those_of_a_backup_code(self, proofs: Proofs, enrolled: User) -> None:
        claims = claims_of(proofs, enrolled, enrolled.verify_backup(enrolled.backup_codes[0]))
        assert (claims["amr"], claims["acr"]) == (["mfa"], "mfa")

    def test_those_of_an_enrolment(self, proofs: Proofs, user: User) -> None:
        user.setup()
        answer = user.verify_setup()
        claims = claims_of(proofs, user, answer)
        assert (claims["sub"], claims["amr"], claims["auth_time"]) == ("user-1", ["otp", "mfa"], int(user.now))
        assert answer.body["proofExpiresAt"] == iso_timestamp(claims["exp"])

    def test_what_the_access_token_lacks_is_left_out(self, proofs: Proofs, enrolled: User) -> None:
        assert not {"client_id", "sid"} & set(claims_of(proofs, enrolled, enrolled.verify()))

    def test_every_proof_has_its_own_id(self, proofs: Proofs, enrolled: User) -> None:
        first = claims_of(proofs, enrolled, enrolled.verify())
        enrolled.wait()
        assert first["jti"] != claims_of(proofs, enrolled, enrolled.verify())["jti"]


class _Signer:
    key_id = f"mrk-{'0' * 32}"
    message = b""

    def sign(self, message: bytes) -> bytes:
        self.message = message
        return b""


def test_the_longest_claims_fit_into_a_message_of_kms() -> None:
    """KMS signs messages of up to 4096 bytes: https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html"""
    signer = _Signer()
    settings = ProofSettings("a" * 255, f"https://{'d' * 253}/v1", 3600, KmsKey("unused"))
    quotes = '"' * MAX_SUBJECT_LENGTH  # JSON doubles them
    Prover(settings, signer=signer).prove(AccessToken(quotes, 2**53, quotes, quotes), Factor.TOTP, count=lambda _: None)
    assert len(signer.message) <= 4096


class TestLifetime:
    def test_it_is_a_setting(self, proofs: Proofs, enrolled: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PROOF_LIFETIME_SECONDS", "30")
        claims = claims_of(proofs, enrolled, enrolled.verify())
        assert claims["exp"] == int(enrolled.now) + 30

    def test_the_proof_never_outlives_the_access_token(self, proofs: Proofs, enrolled: User) -> None:
        expires_at = int(enrolled.now) + 10
        enrolled.access_token = {"subject": "user-1", "expires_at": str(expires_at)}
        answer = enrolled.verify()
        assert claims_of(proofs, enrolled, answer)["exp"] == expires_at
        with pytest.raises(jwt.ExpiredSignatureError):
            proofs.claims(answer.body["proof"], expires_at)


class TestOrder:
    """Compare, sign, write: so that a failure changes nothing, and a guess never reaches the key."""

    def test_a_right_code_makes_four_calls(self, proofs: Proofs, enrolled: User) -> None:
        enrolled.verify()
        enrolled.wait()
        with proofs.aws.calls.recorded() as made:
            assert enrolled.verify().status == 200
        assert made == CALLS

    def test_a_confirmed_enrolment_makes_four_calls(self, proofs: Proofs, user: User) -> None:
        user.setup()
        with proofs.aws.calls.recorded() as made:
            assert user.verify_setup().status == 200
        assert made == CALLS

    def test_without_an_audience_nothing_is_signed(self, aws: EmbeddedAws, user: User) -> None:
        user.setup()
        with aws.calls.recorded() as made:
            assert not {"proof", "proofExpiresAt"} & set(user.verify_setup().body)
            user.wait()
            assert not {"proof", "proofExpiresAt"} & set(user.verify().body)
        assert made == [*READS, "dynamodb:UpdateItem"] * 2

    def test_a_wrong_code_is_never_signed(self, proofs: Proofs, user: User) -> None:
        user.setup()
        with proofs.aws.calls.recorded() as made:
            assert user.verify_setup(user.wrong_code()).error == "INVALID_CODE"
        assert "kms:Sign" not in made
        assert user.verify_setup().status == 200
        with proofs.aws.calls.recorded() as made:
            for answer in (user.verify(user.wrong_code()), user.verify(), user.verify_backup("AAAA-0000")):
                assert answer.error == "INVALID_CODE"
        assert "kms:Sign" not in made

    @FAILURES
    def test_a_failed_signature_changes_nothing_and_the_code_still_works(
        self, proofs: Proofs, enrolled: User, failure: Failure, emitted: Emitted
    ) -> None:
        before = proofs.aws.item("user-1")
        emitted()
        with proofs.aws.calls.recorded({"kms:Sign": failure}) as made:
            answer = enrolled.verify()
        assert (answer.status, answer.error, answer.headers["Retry-After"]) == (503, "SERVICE_UNAVAILABLE", "2")
        assert made == [*READS, "kms:Sign", "kms:Sign", "dynamodb:GetItem"]
        assert proofs.aws.item("user-1") == before
        counted = emitted()
        assert (counted["MFAProofSignatures"], counted["MFAProofSigningFailures"]) == (1, 1)
        assert "MFAKeyFailures" not in counted
        assert "proof" in enrolled.verify().body

    @FAILURES
    def test_so_does_one_at_the_end_of_an_enrolment(self, proofs: Proofs, user: User, failure: Failure) -> None:
        user.setup()
        before = proofs.aws.item("user-1")
        with proofs.aws.calls.recorded({"kms:Sign": failure}):
            assert user.verify_setup().status == 503
        assert proofs.aws.item("user-1") == before
        assert "proof" in user.verify_setup().body

    @FAILURES
    def test_a_signature_is_tried_twice(self, proofs: Proofs, enrolled: User, failure: Failure) -> None:
        with proofs.aws.calls.recorded({"kms:Sign": failure}, times=1) as made:
            assert "proof" in enrolled.verify().body
        assert made == [*READS, "kms:Sign", *CALLS[2:]]

    @pytest.mark.parametrize("route", [VERIFY, VERIFY_SETUP], ids=lambda route: route.function)
    def test_a_failed_signature_does_not_show_which_of_parallel_guesses_was_right(
        self, proofs: Proofs, user: User, route: Endpoint
    ) -> None:
        """They count once. A 503 among the 409s, or a 409 at another time, would show it."""
        user.setup()
        if route is VERIFY:
            user.verify_setup(user.code(steps=-1))
        rival = User(user.load, now=user.now, secret=user.secret)

        def overtaken() -> Any:
            rival.call(route, {"code": rival.wrong_code()})
            return refused("ThrottlingException")()

        began = time.perf_counter()
        with proofs.aws.calls.recorded({"kms:Sign": overtaken}):
            answer = user.call(route, {"code": user.code()})
        assert (answer.status, answer.error) == (409, "CONFLICT")
        assert time.perf_counter() - began > LOST_SIGNING_RACE_SECONDS

    @pytest.mark.parametrize("route", [VERIFY, VERIFY_SETUP], ids=lambda route: route.function)
    def test_a_lost_race_returns_no_proof(self, proofs: Proofs, user: User, route: Endpoint) -> None:
        user.setup()
        if route is VERIFY:
            user.verify_setup(user.code(steps=-1))

        def other_request() -> None:
            proofs.aws.set("user-1", version={"N": "1"})

        with proofs.aws.calls.before("dynamodb:UpdateItem", other_request):
            answer = user.call(route, {"code": user.code()})
        assert (answer.status, answer.error) == (409, "CONFLICT")
        assert "proof" not in answer.body


@pytest.mark.parametrize("access_token", [{"expires_at": "4102444800"}, {"subject": "user-1"}, {}])
@pytest.mark.parametrize("route", [VERIFY, VERIFY_SETUP], ids=lambda route: route.function)
def test_a_token_that_names_no_user_or_end_gets_no_proof(
    proofs: Proofs, enrolled: User, route: Endpoint, access_token: dict[str, str]
) -> None:
    enrolled.access_token = access_token
    with proofs.aws.calls.recorded() as made:
        answer = enrolled.call(route, {"code": enrolled.code()})
    assert (answer.status, made) == (401, [])
