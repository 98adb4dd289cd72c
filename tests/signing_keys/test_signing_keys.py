"""The public routes: the issuer of the proofs and its keys, through the handler."""

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import jwt
import pytest

from functions.shared.contract import JWKS, OPENID_CONFIGURATION, Endpoint
from tests.support.api_description import assert_described
from tests.support.aws_calls import refused
from tests.support.life_cycle import User
from tests.support.metrics import Emitted
from tests.support.proofs import ISSUER, Proofs

ROUTES = pytest.mark.parametrize("route", [OPENID_CONFIGURATION, JWKS], ids=lambda route: route.path)
GET_PUBLIC_KEY = "kms:GetPublicKey"


def key_ids(published: dict[str, Any]) -> list[str]:
    return [key["kid"] for key in published["keys"]]


def ids(arns: list[str]) -> list[str]:
    return [arn.rpartition("/")[2] for arn in arns]


def test_the_discovery_document_has_what_openid_connect_requires_of_it(proofs: Proofs) -> None:
    """OpenID Connect Discovery 1.0 section 3, without the endpoints of a login."""
    with proofs.aws.calls.recorded() as made:
        response = proofs.signing_keys()(OPENID_CONFIGURATION)
    assert json.loads(response["body"]) == {
        "issuer": ISSUER,
        "jwks_uri": f"{ISSUER}/.well-known/jwks.json",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }
    assert made == []


def test_the_keys_are_public_rsa_keys(proofs: Proofs) -> None:
    (key,) = proofs.published()["keys"]
    assert {name: key[name] for name in ("kty", "use", "alg", "kid")} == {
        "kty": "RSA",
        "use": "sig",
        "alg": "RS256",
        "kid": ids(proofs.keys)[0],
    }
    assert set(key) == {"kty", "use", "alg", "kid", "n", "e"}
    assert jwt.PyJWK(key).key.key_size == 2048


@ROUTES
def test_every_caller_gets_the_same_answer(proofs: Proofs, route: Endpoint) -> None:
    get = proofs.signing_keys()
    plain = get(route)
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Authorization": "Bearer x.y.z"},
        {"authorization": "Basic eDp5", "origin": "https://app.example.com"},
    ):
        assert get(route, headers=headers) == plain
    assert plain["statusCode"] == 200
    assert plain["headers"]["Access-Control-Allow-Origin"] == "*"
    assert plain["headers"]["Cache-Control"] == "public, max-age=3600"
    assert plain["headers"]["Content-Type"] == "application/json"
    assert "Vary" not in plain["headers"]


@ROUTES
def test_the_answer_is_the_described_one(proofs: Proofs, route: Endpoint) -> None:
    response = proofs.signing_keys()(route)
    assert_described(route, response["statusCode"], response["headers"], json.loads(response["body"]))


def test_a_key_is_fetched_once_in_the_life_of_a_process(proofs: Proofs) -> None:
    get = proofs.signing_keys()
    with proofs.aws.calls.recorded() as made:
        answers = [get(JWKS) for _ in range(3)]
    assert made == [GET_PUBLIC_KEY]
    assert answers[0] == answers[1] == answers[2]


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException", "DisabledException"])
def test_without_kms_it_is_a_503_that_nothing_caches(proofs: Proofs, code: str, emitted: Emitted) -> None:
    get = proofs.signing_keys()
    with proofs.aws.calls.recorded({GET_PUBLIC_KEY: refused(code)}):
        response = get(JWKS)
    assert response["statusCode"] == 503
    assert json.loads(response["body"])["error"] == "SERVICE_UNAVAILABLE"
    assert response["headers"]["Cache-Control"] == "no-store"
    assert response["headers"]["Retry-After"] == "2"
    counted = emitted()
    assert (counted["MFASigningKeysReadAttempts"], counted["MFASigningKeysReadErrors"]) == (1, 1)
    assert "MFAKeyFailures" not in counted
    assert get(JWKS)["statusCode"] == 200


def test_a_key_of_another_kind_is_an_error_and_not_published(proofs: Proofs) -> None:
    created = proofs.aws.kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    proofs.deploy([created["KeyMetadata"]["Arn"]])
    assert proofs.signing_keys()(JWKS)["statusCode"] == 500


@pytest.mark.parametrize("event", [{}, {"resource": "/"}, None])
def test_an_event_of_no_route_is_no_exception(
    proofs: Proofs, load_handler: Callable[..., ModuleType], event: Any
) -> None:
    assert load_handler("signing_keys").lambda_handler(event, None)["statusCode"] == 200


class TestRotation:
    """Each step of docs/proof.md: a token that was signed before it is valid after it."""

    def test_every_token_stays_valid(self, proofs: Proofs, enrolled: User) -> None:
        old, new = [*proofs.keys, proofs.new_key()]
        steps = ([old], [old, new], [new, old], [new])
        signed: list[str] = []
        for keys in steps:
            proofs.deploy(keys)
            assert key_ids(proofs.published()) == ids(keys)
            if len(keys) == 1 and signed:  # the last step comes after the lifetime of the old key's last proof
                signed = signed[-1:]
            for proof in signed:
                proofs.claims(proof, enrolled.now)
            enrolled.handlers.clear()  # as a deployment does
            enrolled.wait()
            signed.append(enrolled.verify().body["proof"])
            assert jwt.get_unverified_header(signed[-1])["kid"] == ids(keys)[0]
            proofs.claims(signed[-1], enrolled.now)

    @pytest.mark.parametrize("code", ["KMSInvalidStateException", "DisabledException", "AccessDeniedException"])
    def test_a_key_that_is_gone_does_not_hide_the_others(self, proofs: Proofs, code: str) -> None:
        """A version from before the last step still lists the key, which its role may no longer read."""
        get = self.with_a_deleted_key(proofs)
        assert key_ids(json.loads(get(JWKS)["body"])) == ids(proofs.keys)
        with proofs.aws.calls.recorded({GET_PUBLIC_KEY: refused(code)}) as made:
            assert key_ids(json.loads(get(JWKS)["body"])) == ids(proofs.keys)
        assert made == [GET_PUBLIC_KEY]  # it is asked for again, because a new role takes effect with a delay

    def test_a_key_that_cannot_be_read_now_is_a_503(self, proofs: Proofs) -> None:
        """Caches would keep the incomplete set for an hour."""
        get = self.with_a_deleted_key(proofs)
        assert get(JWKS)["statusCode"] == 200
        with proofs.aws.calls.recorded({GET_PUBLIC_KEY: refused("ThrottlingException")}):
            assert get(JWKS)["statusCode"] == 503

    @staticmethod
    def with_a_deleted_key(proofs: Proofs) -> Callable[..., dict[str, Any]]:
        deleted = f"{proofs.keys[0].rpartition('/')[0]}/00000000-0000-0000-0000-000000000000"
        proofs.deploy([*proofs.keys, deleted])
        return proofs.signing_keys()
