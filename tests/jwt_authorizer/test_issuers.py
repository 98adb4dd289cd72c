"""Every issuer of the matrix can be connected by settings, and only its access tokens are accepted."""

import re
import tomllib
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from infra.config import load_config
from tests.jwt_authorizer.issuers import ISSUERS, Issuer, SampleToken
from tests.support.authorizer import LoadAuthorizer, effect
from tests.support.jwks_server import JwksServer
from tests.support.pages import fences, section
from tests.support.tokens import rsa_key

type Connect = Callable[[Issuer], Callable[[SampleToken], dict[str, Any]]]

REFUSED = [
    pytest.param(issuer, token, id=f"{issuer.heading}: {name}")
    for issuer in ISSUERS
    for name, token in issuer.refused.items()
]
EACH_ISSUER = pytest.mark.parametrize("issuer_sample", ISSUERS, ids=lambda each: each.heading)


def key_of(sample: Issuer) -> Any:
    return ec.generate_private_key(ec.SECP384R1()) if "jwt_algorithms" in sample.settings else rsa_key("kid-1").private


@pytest.fixture
def connect(load_authorizer: LoadAuthorizer, issuer: JwksServer) -> Connect:
    """Return a function that connects the authorizer to an issuer and returns what calls it with a sample."""

    def connect(sample: Issuer) -> Callable[[SampleToken], dict[str, Any]]:
        key, algorithm = key_of(sample), sample.settings.get("jwt_algorithms", "RS256")
        public = jwt.get_algorithm_by_name(algorithm).to_jwk(key.public_key(), as_dict=True)
        public.pop("key_ops", None)
        issuer.keys = [{**public, "kid": "kid-1", "use": "sig"}]
        variables = {name.upper(): value for name, value in sample.settings.items() if name != "jwt_jwks_url"}
        authorizer = load_authorizer(**variables)

        def call(token: SampleToken) -> dict[str, Any]:
            header = {**token.header, **({"kid": "kid-1"} if token.with_kid else {})}
            return authorizer.call(jwt.encode(dict(token.claims), key, algorithm, header))

        return call

    return connect


@EACH_ISSUER
def test_synthesis_accepts_the_settings(issuer_sample: Issuer) -> None:
    config = load_config({"environment": "prod", **issuer_sample.settings}, {})
    assert config.jwt_jwks_url == issuer_sample.settings["jwt_jwks_url"]


@EACH_ISSUER
def test_an_access_token_is_accepted(connect: Connect, issuer_sample: Issuer) -> None:
    policy = connect(issuer_sample)(issuer_sample.access)
    assert effect(policy) == "Allow"
    assert (policy["context"]["user_id"], policy["context"]["label"]) == (issuer_sample.user_id, issuer_sample.label)


@pytest.mark.parametrize(("issuer_sample", "token"), REFUSED)
def test_any_other_token_is_refused(connect: Connect, issuer_sample: Issuer, token: SampleToken) -> None:
    call = connect(issuer_sample)
    assert effect(call(token)) == "Deny"
    assert effect(call(issuer_sample.access)) == "Allow"


@EACH_ISSUER
def test_the_documentation_has_these_settings(issuer_sample: Issuer) -> None:
    text = section("issuers.md", issuer_sample.heading)
    assert tomllib.loads(fences(text, "toml")[0]) == issuer_sample.settings
    assert issuer_sample.documented in text


def test_the_documentation_has_no_other_issuer() -> None:
    assert re.findall(r"^### (.+)$", section("issuers.md", "Issuers"), re.MULTILINE) == [
        each.heading for each in ISSUERS
    ]
