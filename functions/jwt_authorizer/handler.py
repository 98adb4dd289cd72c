"""Entry point of the Lambda REQUEST authorizer.

It runs for every request, even without a token (no identity sources, no result cache), and returns a policy for
exactly the called method. A Deny has its time and its challenge in the context, from which the gateway renders the
401.

It raises only if the token's signing key cannot be fetched now. The gateway then responds with 503. A Deny would be a
401, on which clients log their users out, although the users did nothing wrong.
"""

import os
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from functions.jwt_authorizer.errors import SigningKeysUnavailableError, TokenRejectedError
from functions.jwt_authorizer.keys import JwksEndpoint, JwksSource, SigningKeys
from functions.jwt_authorizer.service import Caller, TokenVerifier
from functions.shared import startup
from functions.shared.clock import Clock, iso_timestamp
from functions.shared.contract import ENDPOINTS, WWW_AUTHENTICATE, AuthorizerContext, Metric
from functions.shared.observability import Telemetry
from functions.shared.request_id import extended_request_id, request_id
from functions.shared.settings import AuthorizerSettings

_ENDPOINTS: Final = {(endpoint.method, endpoint.path): endpoint for endpoint in ENDPOINTS}

type AuthorizerHandler = Callable[[Mapping[str, Any], object], dict[str, Any]]


def create_handler(
    environ: Mapping[str, str], clock: Clock = time.time, *, source: JwksSource | None = None
) -> AuthorizerHandler:
    """Return the authorizer, configured by environment variables; ``source`` replaces the issuer's JWKS URL.

    It takes API Gateway's REQUEST authorizer event. It returns an Allow or a Deny. The context of an Allow has
    ``user_id``, ``label``, ``scope`` and the claims that a proof repeats; that of a Deny has ``timestamp`` and
    ``challenge``. It raises `SigningKeysUnavailableError` if the token cannot be checked.

    Under SnapStart the keys are fetched here. The snapshot then holds them, and an environment that is restored from
    it need not fetch them within its first request.
    """
    settings = AuthorizerSettings.from_environ(environ)
    telemetry = Telemetry(environment=settings.environment, log_level=settings.log_level, version=settings.version)

    def fetch_failed(error: Exception) -> None:
        telemetry.count([Metric.JWKS_FETCH_FAILURES])
        telemetry.warning("signing keys could not be fetched", failure=type(error).__name__)

    keys = SigningKeys(
        source or JwksEndpoint(settings.jwks_url),
        algorithms=settings.algorithms,
        on_fetch_failure=fetch_failed,
        clock=clock,
    )
    # https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
    if environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        keys.prefetch()
    verifier = TokenVerifier(settings, keys=keys, clock=clock)

    def authorize(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
        ids = {"request_id": request_id(event), "extended_request_id": extended_request_id(event)}
        endpoint = _ENDPOINTS.get((str(event.get("httpMethod")), str(event.get("resource"))))
        challenge = WWW_AUTHENTICATE
        try:
            caller = verifier.verify(_bearer_token(event))
            if endpoint is not None and endpoint.needs_recent_login:
                verifier.require_recent_login(caller)
            return _allow(event, caller)
        except TokenRejectedError as error:
            reason, challenge = error.reason, error.challenge
        except SigningKeysUnavailableError:
            telemetry.warning("signing key unavailable", **ids)
            raise
        except Exception as error:  # noqa: BLE001 - a token that cannot be checked is refused
            telemetry.unexpected("unexpected error", error, **ids)
            reason = "unexpected"
        counted = () if endpoint is None else (endpoint.metrics.unauthorized,)
        telemetry.info("request refused", metrics=counted, **ids, reason=reason, route=event.get("resource"))
        context = {AuthorizerContext.TIMESTAMP: iso_timestamp(clock()), AuthorizerContext.CHALLENGE: challenge}
        return _policy("Deny", event.get("methodArn", "*"), "anonymous", context)

    startup.finish()
    return authorize


def _bearer_token(event: Mapping[str, Any]) -> str:
    """Return the token of the only ``Authorization`` header (RFC 6750 section 2.1)."""
    headers = event.get("multiValueHeaders") or {name: [value] for name, value in (event.get("headers") or {}).items()}
    values = [value for name, found in headers.items() if name.lower() == "authorization" for value in found or ()]
    if not values:
        raise TokenRejectedError("missing")
    # Strip only HTTP's white space (RFC 9110 section 5.6.3); other white space makes the token malformed.
    scheme, _, token = str(values[0]).strip(" \t").partition(" ")
    token = token.lstrip(" ")
    if len(values) > 1 or scheme.lower() != "bearer" or not token:
        raise TokenRejectedError("malformed")
    return token


def _allow(event: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
    context = {
        AuthorizerContext.USER_ID: caller.user_id,
        AuthorizerContext.LABEL: caller.label,
        AuthorizerContext.SCOPE: caller.scope,
        AuthorizerContext.EXPIRES_AT: str(caller.expires_at),
        AuthorizerContext.SUBJECT: caller.subject,
        AuthorizerContext.CLIENT_ID: caller.client_id,
        AuthorizerContext.SESSION_ID: caller.session_id,
    }
    return _policy("Allow", event["methodArn"], caller.user_id, context)


def _policy(
    effect: str, resource: str, principal: str, context: Mapping[AuthorizerContext, str | None]
) -> dict[str, Any]:
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}
    return {
        "principalId": principal,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {str(key): value for key, value in context.items() if value is not None},
    }


lambda_handler = create_handler(os.environ)
