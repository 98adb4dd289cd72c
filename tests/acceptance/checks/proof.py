"""The proof that other APIs check, and its published keys."""

import json
from typing import Any, Final

import jwt

from functions.shared.contract import (
    JWKS,
    OPENID_CONFIGURATION,
    PROOF_ALGORITHM,
    PUBLIC_MAX_AGE_SECONDS,
    VERIFY,
    Endpoint,
    Env,
)
from tests.acceptance.deployment import Deployment
from tests.acceptance.model import DoesNotHoldError, NotAnswerableError, expect, require

#: A page of any origin may read the keys.
ORIGIN: Final = "https://acceptance.invalid"


def published_keys(deployment: Deployment) -> str:
    """Read the issuer's metadata and the keys without a token, from any origin."""
    variables = _with_proof(deployment)
    metadata = _public(deployment, OPENID_CONFIGURATION)
    expect(metadata.get("issuer"), variables[Env.PROOF_ISSUER], "issuer")
    expect(metadata.get("jwks_uri"), f"{metadata['issuer']}{JWKS.path}", "jwks_uri")
    kinds = {key.get("kty") for key in _public(deployment, JWKS)["keys"]}
    # API Gateway's JWT authorizers accept RSA keys only.
    expect(kinds, {"RSA"}, "kinds of the keys")
    return f"issuer {metadata['issuer']}"


def verifies(deployment: Deployment) -> str:
    """Enrol, and verify the signature, issuer, audience and expiry of the proof with the published keys."""
    variables = _with_proof(deployment)
    keys = jwt.PyJWKSet.from_dict(_public(deployment, JWKS))
    proof = deployment.proof()
    require(proof, "verify-setup returned no proof")
    try:
        key = keys[jwt.get_unverified_header(proof)["kid"]]
        claims = jwt.decode(
            proof,
            key,
            algorithms=[PROOF_ALGORITHM],
            audience=variables[Env.PROOF_AUDIENCE],
            issuer=variables[Env.PROOF_ISSUER],
        )
    except (jwt.PyJWTError, KeyError) as error:
        raise DoesNotHoldError(f"the proof does not verify: {type(error).__name__}") from None
    expect(claims["sub"], deployment.claims().get("sub"), "sub")
    return f"{PROOF_ALGORITHM}, valid for {claims['exp'] - claims['iat']} s"


def _with_proof(deployment: Deployment) -> dict[str, str]:
    variables = deployment.variables(VERIFY.function)
    if not variables.get(Env.PROOF_AUDIENCE):
        raise NotAnswerableError("proof_audience is not set")
    return variables


def _public(deployment: Deployment, route: Endpoint) -> dict[str, Any]:
    answer = deployment.api.request(route.method, route.path, headers={"Origin": ORIGIN})
    what = f"{route.method} {route.path}"
    expect(answer.status, 200, what)
    require(f"max-age={PUBLIC_MAX_AGE_SECONDS}" in answer.headers.get("Cache-Control", ""), f"{what} cannot be cached")
    expect(answer.headers.get("Access-Control-Allow-Origin"), "*", f"allowed origin of {what}")
    try:
        found: dict[str, Any] = json.loads(answer.content)
    except ValueError:
        raise DoesNotHoldError(f"{what}: the body is not JSON") from None
    return found
