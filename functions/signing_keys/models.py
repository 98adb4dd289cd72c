"""What the routes return. The members have the names of the standards, not of this API."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from functions.shared.contract import PROOF_ALGORITHM
from functions.shared.response_body import ResponseBody


class _StandardBody(ResponseBody):
    @classmethod
    def member(cls, field_name: str) -> str:
        """Return the name of the field itself."""
        return field_name


@dataclass(frozen=True)
class OpenIdConfigurationResponse(_StandardBody):
    """The issuer's metadata: the members that OpenID Connect Discovery 1.0 section 3 requires of an issuer like this.

    It has no endpoints for a login, because this service does not sign users in. Kubernetes publishes the same members
    for its service accounts.
    """

    description = "The issuer of the proofs, and where its public keys are (OpenID Connect Discovery 1.0)."

    issuer: str = field(metadata={"description": "`iss` of every proof", "format": "uri"})
    jwks_uri: str = field(metadata={"description": "Where the public keys are", "format": "uri"})
    response_types_supported: tuple[str, ...] = field(
        metadata={"description": "Required by the standard; this service has no authorization endpoint"}
    )
    subject_types_supported: tuple[str, ...] = field(
        metadata={"description": "`sub` of a proof is that of the access token"}
    )
    id_token_signing_alg_values_supported: tuple[str, ...] = field(metadata={"description": "`alg` of every proof"})


@dataclass(frozen=True)
class JwksResponse(_StandardBody):
    """The public keys (RFC 7517 section 5)."""

    description = "The public keys that verify proofs (RFC 7517): the one that signs now, and those of a rotation."

    keys: tuple[Mapping[str, str], ...] = field(
        metadata={
            "description": "RSA keys (RFC 7518 section 6.3.1)",
            "minItems": 1,
            "items": {
                "type": "object",
                "properties": {
                    "kty": {"type": "string", "const": "RSA"},
                    "use": {"type": "string", "const": "sig"},
                    "alg": {"type": "string", "const": PROOF_ALGORITHM},
                    "kid": {"description": "Id of the key: `kid` of the proofs that it signed", "type": "string"},
                    "n": {"description": "Modulus, base64url", "type": "string"},
                    "e": {"description": "Exponent, base64url", "type": "string"},
                },
                "required": ["kty", "use", "alg", "kid", "n", "e"],
            },
        }
    )
