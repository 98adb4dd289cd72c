"""Entry point of the Lambda REQUEST authorizer.

It runs for every request, a missing token included (no identity sources, no result cache), and answers with a
policy for exactly the called method. A refusal carries its time in the context, from which the gateway renders the
body of the 401.

It raises in one case alone: no signing keys can be had. The gateway then answers 503. A Deny would be a 401, on
which clients log their users out, and the users did nothing wrong.
"""

import os
import time
from collections.abc import Mapping
from typing import Any

from functions.jwt_authorizer.errors import SigningKeysUnavailableError, TokenRejectedError
from functions.jwt_authorizer.keys import JwksEndpoint, SigningKeys
from functions.jwt_authorizer.service import Caller, TokenVerifier
from functions.shared.clock import iso_timestamp
from functions.shared.contract import ENDPOINTS, AuthorizerContext, Metric
from functions.shared.observability import Telemetry
from functions.shared.settings import AuthorizerSettings

settings = AuthorizerSettings.from_environ(os.environ)
telemetry = Telemetry(environment=settings.environment, log_level=settings.log_level)


def _fetch_failed(error: Exception) -> None:
    telemetry.count([Metric.JWKS_FETCH_FAILURES])
    telemetry.warning("signing keys could not be fetched", failure=type(error).__name__)


verifier = TokenVerifier(
    issuer=settings.issuer,
    audience=settings.audience,
    keys=SigningKeys(JwksEndpoint(settings.jwks_url), on_fetch_failure=_fetch_failed),
)


def lambda_handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Return the policy for one request.

    Parameters
    ----------
    event : mapping
        API Gateway's REQUEST authorizer event.

    Returns
    -------
    dict
        An Allow with ``user_id``, ``label`` and ``scope``, or a Deny with ``timestamp``.

    Raises
    ------
    SigningKeysUnavailableError
        No keys can be had to judge any token by.
    """
    request_id = str((event.get("requestContext") or {}).get("requestId", ""))
    try:
        return _allow(event, verifier.verify(_bearer_token(event)))
    except TokenRejectedError as error:
        reason = error.reason
    except SigningKeysUnavailableError:
        telemetry.warning("no signing keys", request_id=request_id)
        raise
    except Exception as error:  # noqa: BLE001 - what cannot be judged is refused
        telemetry.unexpected("unexpected error", error, request_id=request_id)
        reason = "unexpected"
    telemetry.info("request refused", request_id=request_id, reason=reason, route=event.get("resource"))
    telemetry.count(
        route.metrics.unauthorized
        for route in ENDPOINTS
        if (route.method, route.path) == (event.get("httpMethod"), event.get("resource"))
    )
    context = {AuthorizerContext.TIMESTAMP: iso_timestamp(time.time())}
    return _policy("Deny", event.get("methodArn", "*"), "anonymous", context)


def _bearer_token(event: Mapping[str, Any]) -> str:
    """Return the token of the one ``Authorization`` header (RFC 6750 section 2.1)."""
    headers = event.get("multiValueHeaders") or {name: [value] for name, value in (event.get("headers") or {}).items()}
    values = [value for name, found in headers.items() if name.lower() == "authorization" for value in found or ()]
    if not values:
        raise TokenRejectedError("missing")
    # White space is HTTP's alone (RFC 9110 section 5.6.3): what else Python strips is part of a bad token.
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
    }
    return _policy("Allow", event["methodArn"], caller.user_id, context)


def _policy(effect: str, resource: str, principal: str, context: Mapping[AuthorizerContext, str]) -> dict[str, Any]:
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}
    return {
        "principalId": principal,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {str(key): value for key, value in context.items()},
    }
