"""Who issues the access tokens, as the authorizer needs to know it."""

from dataclasses import dataclass
from typing import Self

from infra.config import Config


@dataclass(frozen=True)
class Identity:
    """An issuer of access tokens.

    Attributes
    ----------
    issuer
        ``iss`` of its tokens.
    audience
        Accepted ``aud`` or ``client_id`` values.
    jwks_url
        Where its signing keys are.
    """

    issuer: str
    audience: tuple[str, ...]
    jwks_url: str

    @classmethod
    def configured(cls, config: Config) -> Self | None:
        """Return the issuer that the configuration names, or None: then the environment needs one of its own."""
        if config.jwt_issuer is None or config.jwt_jwks_url is None:
            return None
        return cls(config.jwt_issuer, config.jwt_audience, config.jwt_jwks_url)
