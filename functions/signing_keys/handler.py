"""Lambda entry point of ``GET /.well-known/openid-configuration`` and ``GET /.well-known/jwks.json``."""

import os
import time
from collections.abc import Mapping

from functions.shared.clock import Clock
from functions.shared.contract import OPENID_CONFIGURATION, Env
from functions.shared.http import LambdaHandler, Request, Response, endpoint
from functions.shared.route import Event, NoBody
from functions.shared.settings import EndpointSettings, read_kms_keys, read_proof_issuer
from functions.signing_keys.models import JwksResponse, OpenIdConfigurationResponse
from functions.signing_keys.public_keys import KmsPublicKeys
from functions.signing_keys.route import JWKS_ROUTE, OPENID_CONFIGURATION_ROUTE
from functions.signing_keys.service import jwks, openid_configuration


def create_handler(environ: Mapping[str, str], clock: Clock = time.time) -> LambdaHandler:
    """Return the handler of both routes, configured by environment variables."""
    settings = EndpointSettings.from_environ(environ)
    issuer = read_proof_issuer(environ)
    keys = KmsPublicKeys(read_kms_keys(environ, Env.PROOF_KEYS))

    @endpoint(OPENID_CONFIGURATION_ROUTE, settings, clock)
    def handle_openid_configuration(_request: Request[NoBody]) -> OpenIdConfigurationResponse:
        return openid_configuration(issuer)

    @endpoint(JWKS_ROUTE, settings, clock)
    def handle_jwks(_request: Request[NoBody]) -> JwksResponse:
        return jwks(keys)

    def handle(event: Event, context: object) -> Response:
        asked = event.get("resource") if isinstance(event, Mapping) else None
        handler = handle_openid_configuration if asked == OPENID_CONFIGURATION.path else handle_jwks
        return handler(event, context)

    return handle


lambda_handler = create_handler(os.environ)
