"""Proofs in the emulated AWS: their keys, the variables of the functions, and a reader that knows only the issuer."""

import json
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import jwt
import pytest

from functions.shared.contract import JWKS, OPENID_CONFIGURATION, Endpoint, Env
from tests.support.embedded_aws import EmbeddedAws
from tests.support.events import api_event

AUDIENCE = "payments"
ISSUER = "https://api.example.com/v1"

type Load = Callable[..., ModuleType]


class Proofs:
    """Turns proofs on for handlers that are loaded afterwards."""

    def __init__(self, aws: EmbeddedAws, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
        self.aws = aws
        self._load = load
        self._monkeypatch = monkeypatch
        self.keys = [self.new_key()]
        monkeypatch.setenv(Env.PROOF_AUDIENCE, AUDIENCE)
        monkeypatch.setenv(Env.PROOF_ISSUER, ISSUER)
        self.deploy(self.keys)

    def new_key(self) -> str:
        """Create a key pair in KMS and return its ARN."""
        created = self.aws.kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
        return str(created["KeyMetadata"]["Arn"])

    def deploy(self, keys: Sequence[str]) -> None:
        """Set the keys of handlers that are loaded afterwards: all are published, the first signs."""
        self._monkeypatch.setenv(Env.PROOF_KEY, keys[0])
        self._monkeypatch.setenv(Env.PROOF_KEYS, ",".join(keys))

    def signing_keys(self) -> Callable[..., dict[str, Any]]:
        """Return a fresh process of the function, as a function of a route that returns its response."""
        handler = self._load("signing_keys")

        def get(route: Endpoint, **event: Any) -> dict[str, Any]:
            response: dict[str, Any] = handler.lambda_handler(api_event(route, user_id=None, **event), None)
            return response

        return get

    def published(self) -> dict[str, Any]:
        """Return the JWKS of a fresh process, found through the discovery document."""
        get = self.signing_keys()
        found = json.loads(get(OPENID_CONFIGURATION)["body"])
        assert found["issuer"] == ISSUER
        assert found["jwks_uri"] == f"{ISSUER}{JWKS.path}"
        response = get(JWKS)
        assert response["statusCode"] == 200
        document: dict[str, Any] = json.loads(response["body"])
        return document

    def claims(self, proof: str, now: float) -> dict[str, Any]:
        """Return the claims of a valid proof at a time; raise a PyJWT error for any other."""
        kid = jwt.get_unverified_header(proof)["kid"]
        (key,) = (jwt.PyJWK(each) for each in self.published()["keys"] if each["kid"] == kid)
        options: Any = {"verify_exp": False, "verify_iat": False}
        claims: dict[str, Any] = jwt.decode(
            proof, key, algorithms=["RS256"], audience=AUDIENCE, issuer=ISSUER, options=options
        )
        if claims["exp"] <= now:
            raise jwt.ExpiredSignatureError
        return claims
