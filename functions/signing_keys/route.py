"""Declarations of the two routes."""

from functions.shared.contract import JWKS, OPENID_CONFIGURATION
from functions.shared.route import NoBody, Route
from functions.signing_keys.errors import ROUTE_ERRORS
from functions.signing_keys.models import JwksResponse, OpenIdConfigurationResponse

_PUBLIC = (
    "Takes no access token, and pages of any origin may read it. Deployed only where the setting `proof_audience` "
    "turns proofs on."
)

OPENID_CONFIGURATION_ROUTE = Route(
    endpoint=OPENID_CONFIGURATION,
    summary="Get the issuer of the proofs",
    description=f"JWT libraries and API Gateway read it to find the public keys. {_PUBLIC}",
    body=NoBody,
    response=OpenIdConfigurationResponse,
    errors=ROUTE_ERRORS,
    public=True,
)

JWKS_ROUTE = Route(
    endpoint=JWKS,
    summary="Get the public keys that verify proofs",
    description=f"Cache it for at most an hour, and fetch it again for a `kid` that it does not have. {_PUBLIC}",
    body=NoBody,
    response=JwksResponse,
    errors=ROUTE_ERRORS,
    public=True,
)

ROUTES = (OPENID_CONFIGURATION_ROUTE, JWKS_ROUTE)
