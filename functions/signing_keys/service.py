"""The documents with which any API can check a proof."""

from collections.abc import Mapping
from typing import Protocol

from functions.shared.contract import JWKS, PROOF_ALGORITHM
from functions.signing_keys.models import JwksResponse, OpenIdConfigurationResponse


class PublicKeys(Protocol):
    """The public keys that verify proofs."""

    def published(self) -> tuple[Mapping[str, str], ...]:
        """Return the keys as JSON Web Keys, or raise `ServiceUnavailableError`."""
        ...


def openid_configuration(issuer: str) -> OpenIdConfigurationResponse:
    """Return the metadata of an issuer: the API's public base URL."""
    return OpenIdConfigurationResponse(
        issuer=issuer,
        jwks_uri=f"{issuer}{JWKS.path}",
        response_types_supported=("id_token",),
        subject_types_supported=("public",),
        id_token_signing_alg_values_supported=(PROOF_ALGORITHM,),
    )


def jwks(keys: PublicKeys) -> JwksResponse:
    """Return the public keys.

    Raises
    ------
    ServiceUnavailableError
        KMS failed.
    """
    return JwksResponse(keys=keys.published())
