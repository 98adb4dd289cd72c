"""The issuer of the access tokens."""

from dataclasses import dataclass
from typing import Self

from infra.config import Config


@dataclass(frozen=True)
class TokenIssuer:
    """An issuer of access tokens, as the authorizer needs to know it.

    Attributes
    ----------
    issuer
        ``iss`` of its tokens.
    audience
        Accepted ``aud`` or ``client_id`` values.
    jwks_url
        The address of its signing keys.
    definition
        A digest that changes if a deployment may replace the user pool or its client; empty for a configured issuer.
    """

    issuer: str
    audience: tuple[str, ...]
    jwks_url: str
    definition: str = ""

    @classmethod
    def configured(cls, config: Config) -> Self | None:
        """Return the configured issuer; None means that the environment needs a user pool."""
        if config.jwt_issuer is None or config.jwt_jwks_url is None:
            return None
        return cls(config.jwt_issuer, config.jwt_audience, config.jwt_jwks_url)
