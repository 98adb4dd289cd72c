"""Which tokens are let through, and what of them is passed on."""

from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from functions.shared.contract import DEFAULT_JWT_ALGORITHMS
from tests.support.authorizer import METHOD_ARN, Authorizer, LoadAuthorizer, effect
from tests.support.jwks_server import JwksServer
from tests.support.tokens import (
    ABSENT,
    AUDIENCE,
    NOW,
    SigningKey,
    b64url,
    claims,
    cognito_claims,
    ec_key,
    hmac_token,
    json_bytes,
    rsa_key,
)

RSA = rsa_key("rsa-1")
EC = ec_key("ec-1")


@pytest.mark.parametrize("key", [RSA, EC], ids=["RS256", "ES256"])
@pytest.mark.parametrize("make", [claims, cognito_claims], ids=["OIDC", "Cognito"])
def test_a_good_token_is_allowed_the_called_method_alone(
    authorizer: Authorizer, key: SigningKey, make: Callable[[], dict[str, Any]]
) -> None:
    answer = authorizer.call(key.token(make()))
    assert answer.pop("context").keys() >= {"user_id", "label", "scope", "subject", "expires_at"}
    assert answer == {
        "principalId": "user-1",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": METHOD_ARN}],
        },
    }


def test_the_algorithms_are_these_two() -> None:
    assert DEFAULT_JWT_ALGORITHMS == ("RS256", "ES256")


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256", "PS384", "PS512"])
def test_a_good_signature_by_another_algorithm_is_refused(
    authorizer: Authorizer, issuer: JwksServer, algorithm: str
) -> None:
    key = rsa_key("another-algorithm")
    issuer.keys.append({**key.jwk, "alg": algorithm})
    assert isinstance(key.private, rsa.RSAPrivateKey)
    assert not authorizer.allows(jwt.encode(claims(), key.private, algorithm, {"kid": key.kid}))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"aud": [AUDIENCE]}, id="aud in a list"),
        pytest.param({"aud": ["other", AUDIENCE]}, id="aud among others"),
        pytest.param({"aud": "second-client"}, id="another configured audience"),
        pytest.param({"nbf": ABSENT, "iat": ABSENT}, id="only exp"),
        pytest.param({"exp": NOW + 1}, id="one second left"),
        pytest.param({"exp": NOW + 0.5}, id="half a second left"),
        pytest.param({"nbf": NOW + 30, "iat": NOW + 30}, id="from a clock half a minute ahead"),
        pytest.param({"sub": "a" * 255}, id="a long sub"),
        pytest.param({"sub": "auth0|5f7c8ec7c33c6c004bbafe82"}, id="a sub with a provider"),
        pytest.param({"sub": "USER#admin"}, id="a sub with our own separator"),
        pytest.param({"token_use": "access"}, id="named an access token"),
    ],
)
def test_a_token_with_these_claims_is_good(authorizer: Authorizer, changes: dict[str, Any]) -> None:
    assert authorizer.allows(RSA.token(claims(**changes)))


@pytest.mark.parametrize("typ", ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt"])
def test_a_token_may_say_that_it_is_an_access_token(authorizer: Authorizer, typ: str) -> None:
    assert authorizer.allows(RSA.token(claims(), {"typ": typ}))


def test_other_headers_do_not_matter(authorizer: Authorizer) -> None:
    assert authorizer.allows(
        RSA.token(claims(), {"x5t": "abc", "jku": "https://evil.example/", "crit": ["b64"], "b64": True})
    )


def test_a_token_is_refused_from_the_second_it_expires(authorizer: Authorizer) -> None:
    token = RSA.token(claims(exp=NOW + 300))
    authorizer.now = NOW + 299.999
    assert authorizer.allows(token)
    authorizer.now = NOW + 300
    assert not authorizer.allows(token)


@pytest.mark.parametrize(
    ("changes", "label"),
    [
        pytest.param({"email": "ada@example.com", "username": "ada"}, "ada@example.com", id="e-mail"),
        pytest.param({"email": ABSENT, "username": "ada", "cognito:username": "x"}, "ada", id="user name"),
        pytest.param({"email": ABSENT, "cognito:username": "ada"}, "ada", id="Cognito's user name"),
        pytest.param({"email": ABSENT, "preferred_username": "ada", "upn": "x"}, "ada", id="preferred user name"),
        pytest.param({"email": ABSENT, "upn": "ada@corp.example", "unique_name": "x"}, "ada@corp.example", id="upn"),
        pytest.param({"email": ABSENT, "unique_name": "CORP\\ada", "username": "x"}, "CORP\\ada", id="unique name"),
        pytest.param({"email": ABSENT}, "user-1", id="sub"),
        pytest.param({"email": " ", "username": ""}, "user-1", id="blanks do not count"),
        pytest.param({"email": "\u200b\u0000\ufeff"}, "user-1", id="nothing visible"),
        pytest.param({"email": 1, "username": ["ada"]}, "user-1", id="nor do other types"),
        pytest.param({"email": "Ada Lövelace 👩‍💻"}, "Ada Lövelace 👩‍💻", id="unicode"),
        pytest.param({"email": "a\ud800b"}, "a?b", id="lone surrogate"),
        pytest.param({"email": "a" * 600}, "a" * 512, id="shortened"),
    ],
)
def test_the_label_is_how_people_know_the_user(authorizer: Authorizer, changes: dict[str, Any], label: str) -> None:
    answer = authorizer.call(RSA.token(claims(**changes)))
    assert answer["context"]["label"] == label
    assert answer["context"]["user_id"] == answer["principalId"] == "user-1"


@pytest.mark.parametrize(
    ("changes", "scope"),
    [
        ({"scope": "openid mfa/manage"}, "openid mfa/manage"),
        ({"scope": ABSENT, "scp": ["openid", "mfa/manage"]}, "openid mfa/manage"),
        ({"scope": ABSENT, "scp": "openid"}, "openid"),
        ({"scope": "openid", "scp": ["admin", "openid"]}, "openid admin"),
        ({"scope": "", "scp": "mfa/manage"}, "mfa/manage"),
        ({"scope": ABSENT, "client_id": "web"}, ""),
        ({"scope": 1}, ""),
        ({"scope": {"admin": True}}, ""),
        ({"scope": ["openid", 1, None, ["admin"]]}, "openid"),
        ({"scope": ["open admin", "openid"]}, "openid"),
        ({"scope": 'open"id \ud800 a\u00a0b a\nb mfa'}, "mfa"),
    ],
    ids=str,
)
def test_the_scope_is_passed_on_as_one_string(authorizer: Authorizer, changes: dict[str, Any], scope: str) -> None:
    assert authorizer.call(RSA.token(claims(**changes)))["context"]["scope"] == scope


def test_every_value_of_the_context_is_a_string(authorizer: Authorizer) -> None:
    """API Gateway refuses an authorizer's response that contains objects or lists."""
    context = authorizer.call(RSA.token(cognito_claims(scope=["a"])))["context"]
    assert {type(value) for pair in context.items() for value in pair} == {str}


def test_the_leeway_can_be_changed(load_authorizer: LoadAuthorizer) -> None:
    authorizer = load_authorizer(JWT_LEEWAY_SECONDS="120")
    assert authorizer.allows(RSA.token(claims(nbf=NOW + 120)))
    assert not authorizer.allows(RSA.token(claims(nbf=NOW + 121)))
    assert not authorizer.allows(RSA.token(claims(exp=NOW)))


class TestUserClaim:
    """The claim that identifies the user can be chosen; then ``sub`` no longer matters."""

    @pytest.fixture
    def by_oid(self, load_authorizer: LoadAuthorizer) -> Authorizer:
        return load_authorizer(JWT_USER_CLAIM="oid")

    @pytest.mark.parametrize("sub", ["user-1", "another for each application", "ü", ABSENT], ids=str)
    def test_it_is_passed_on(self, by_oid: Authorizer, sub: Any) -> None:
        policy = by_oid.call(RSA.token(claims(oid="object-1", sub=sub, email=ABSENT)))
        assert (effect(policy), policy["context"]["user_id"]) == ("Allow", "object-1")
        assert policy["context"]["label"] == "object-1"

    @pytest.mark.parametrize("oid", [ABSENT, None, "", " ", 1, ["a"], "ü", "a" * 256, "a\n"], ids=str)
    def test_a_token_without_a_usable_one_is_refused(self, by_oid: Authorizer, oid: Any) -> None:
        assert not by_oid.allows(RSA.token(claims(oid=oid)))


class TestPublishedKeys:
    """A key is used for what it says it is for."""

    # PyJWT warns of such a key even where it accepts it, and a warning would fail the request here, but not in life.
    @pytest.mark.filterwarnings("ignore::jwt.InsecureKeyLengthWarning")
    def test_an_rsa_key_below_2048_bits_verifies_nothing(self, authorizer: Authorizer, issuer: JwksServer) -> None:
        weak = rsa_key("weak", 1024)
        issuer.keys.append(weak.jwk)
        assert not authorizer.allows(weak.token(claims()))

    def test_a_key_for_encryption_verifies_nothing(self, authorizer: Authorizer, issuer: JwksServer) -> None:
        key = rsa_key("enc")
        issuer.keys.append({**key.jwk, "use": "enc"})
        assert not authorizer.allows(key.token(claims()))

    def test_a_key_of_another_curve_verifies_nothing(self, authorizer: Authorizer, issuer: JwksServer) -> None:
        key = SigningKey(ec.generate_private_key(ec.SECP384R1()), "p384")
        issuer.keys.append({**key.jwk, "alg": "ES384"})
        header = json_bytes({"alg": "ES384", "kid": "p384"})
        signed = SigningKey(ec_key("other").private, "p384")
        assert not authorizer.allows(signed.token(claims(), header))
        assert not authorizer.allows(signed.token(claims()))

    def test_a_symmetric_key_in_the_set_verifies_nothing(self, authorizer: Authorizer, issuer: JwksServer) -> None:
        issuer.keys.append({"kty": "oct", "kid": "shared", "k": b64url(b"k" * 32)})
        assert not authorizer.allows(hmac_token("HS256", b"k" * 32, claims(), kid="shared"))

    def test_a_key_without_alg_and_use_works(self, authorizer: Authorizer, issuer: JwksServer) -> None:
        key = rsa_key("plain")
        issuer.keys.append({name: value for name, value in key.jwk.items() if name not in ("alg", "use")})
        assert authorizer.allows(key.token(claims()))

    def test_a_key_bound_to_another_algorithm_verifies_nothing(
        self, authorizer: Authorizer, issuer: JwksServer
    ) -> None:
        key = rsa_key("ps")
        issuer.keys.append({**key.jwk, "alg": "PS256"})
        assert not authorizer.allows(key.token(claims()))

    def test_unusable_keys_beside_a_good_one_do_not_matter(self, authorizer: Authorizer, issuer: JwksServer) -> None:
        issuer.keys[:0] = [
            {},
            {"kty": "AKP", "kid": "pq"},
            {**RSA.jwk, "kid": "broken", "n": 5},
            {"kty": "EC", "kid": "e"},
        ]
        assert authorizer.allows(RSA.token(claims()))


def test_another_issuers_process_refuses_this_ones_token(load_authorizer: LoadAuthorizer) -> None:
    assert not load_authorizer(JWT_ISSUER="https://another.example").allows(RSA.token(claims()))
