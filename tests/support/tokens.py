"""JWTs, also invalid ones that a library would refuse to build, and the keys that sign them."""

import base64
import functools
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

ISSUER = "https://issuer.example/pool"
AUDIENCE = "mfa-api"
#: The time of the tests.
NOW = 1_800_000_000


def b64url(data: bytes) -> str:
    """Return base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def b64url_decode(text: str) -> bytes:
    """Return the bytes that `b64url` encoded."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def json_bytes(value: object) -> bytes:
    """Return compact JSON; bytes are returned unchanged."""
    return value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()


@dataclass(frozen=True)
class SigningKey:
    """A key pair with the ``kid`` under which its public half is published."""

    private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    kid: str

    @property
    def alg(self) -> str:
        return "RS256" if isinstance(self.private, rsa.RSAPrivateKey) else "ES256"

    @property
    def jwk(self) -> dict[str, Any]:
        """The public JWK."""
        if isinstance(self.private, rsa.RSAPrivateKey):
            jwk = RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        else:
            jwk = ECAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        jwk.pop("key_ops", None)
        return {**jwk, "kid": self.kid, "use": "sig", "alg": self.alg}

    def signature(self, signed: bytes) -> bytes:
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        r, s = decode_dss_signature(self.private.sign(signed, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32) + s.to_bytes(32)

    def token(self, claims: Mapping[str, Any] | bytes, header: Mapping[str, Any] | bytes | None = None) -> str:
        """Return a signed token. ``header`` is added to ``alg`` and ``kid``, or replaces all of it when bytes."""
        if not isinstance(header, bytes):
            header = json_bytes({"alg": self.alg, "kid": self.kid, **(header or {})})
        signed = f"{b64url(header)}.{b64url(json_bytes(claims))}"
        return f"{signed}.{b64url(self.signature(signed.encode()))}"


@functools.cache
def rsa_key(kid: str, bits: int = 2048) -> SigningKey:
    """Return the RSA key of a name, the same in each call."""
    return SigningKey(rsa.generate_private_key(65537, bits), kid)


@functools.cache
def ec_key(kid: str) -> SigningKey:
    """Return the P-256 key of a name, the same in each call."""
    return SigningKey(ec.generate_private_key(ec.SECP256R1()), kid)


def hmac_token(algorithm: str, secret: bytes, claims: Mapping[str, Any] | bytes, **header: Any) -> str:
    """Return a token signed with HS256, HS384 or HS512."""
    signed = f"{b64url(json_bytes({'alg': algorithm, **header}))}.{b64url(json_bytes(claims))}"
    digest = getattr(hashlib, f"sha{algorithm[2:]}")
    return f"{signed}.{b64url(hmac.digest(secret, signed.encode(), digest))}"


class _Absent:
    """Marks a claim to leave out; its text has no address, because it is part of test ids."""

    def __repr__(self) -> str:
        return "absent"


ABSENT = _Absent()


def claims(**changes: Any) -> dict[str, Any]:
    """Return the claims of a good access token of an OIDC issuer, with changes; ``ABSENT`` removes one."""
    good = {
        "iss": ISSUER,
        "sub": "user-1",
        "aud": AUDIENCE,
        "iat": NOW - 60,
        "nbf": NOW - 60,
        "exp": NOW + 300,
        "email": "ada@example.com",
        "scope": "openid mfa/manage",
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not ABSENT}


def cognito_claims(**changes: Any) -> dict[str, Any]:
    """Return the claims of a Cognito access token: ``client_id`` and ``token_use``, and no ``aud``."""
    return claims(
        **{
            "aud": ABSENT,
            "nbf": ABSENT,
            "email": ABSENT,
            "client_id": AUDIENCE,
            "token_use": "access",
            "username": "ada",
            "scope": "aws.cognito.signin.user.admin",
            **changes,
        }
    )
