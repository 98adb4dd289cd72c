"""Access to the emulator: only signed requests with keys that it made, and none from pages of other origins."""

import hmac
import json
import os
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from ministack import app
from ministack.core import iam_evaluator, lambda_runtime
from ministack.core.responses import get_account_id
from ministack.services import lambda_svc, sts

from local import origins
from local.origins import Refusal
from local.server import HEALTH_PATH

_Scope = dict[str, Any]


def generated_root_key() -> None:
    """Accept only the generated key as root's, and check its signature.

    MiniStack treats the key ``test``, any twelve digits and requests without a key as root, and does not check root's
    signatures. The key is removed from the environment, where functions could see it.
    """
    access_key_id, secret_access_key = os.environ.pop("AWS_ACCESS_KEY_ID"), os.environ.pop("AWS_SECRET_ACCESS_KEY")
    iam_evaluator.is_root_access_key = sts.is_root_access_key = lambda _access_key_id: False
    account = get_account_id()
    sts.register_session(
        access_key_id,
        {
            "Arn": f"arn:aws:iam::{account}:root",
            "PrincipalType": "Root",
            "UserId": account,
            "SecretAccessKey": secret_access_key,
        },
    )


def unsigned_requests() -> None:
    """Serve unsigned requests only where AWS does: operations that SDKs do not sign, and methods of APIs.

    MiniStack serves more of them as root. Buckets with a public policy and public function URLs are not emulated.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
    """
    enforce, resolve = iam_evaluator.enforce, iam_evaluator.resolve_principal
    enforce_api = app._enforce_execute_api

    def enforce_signed(access_key_id: str, action: str, service: str, *arguments: Any, **options: Any) -> Any:
        if iam_evaluator._anonymous.get() and iam_evaluator._served_unsigned(service, action):
            return None
        return enforce(access_key_id, action, service, *arguments, **options)

    def resolve_signed(access_key_id: str, *arguments: Any, **options: Any) -> Any:
        if not access_key_id:
            message = "Request is missing Authentication Token"
            return iam_evaluator.AuthError("MissingAuthenticationToken", message)
        return resolve(access_key_id, *arguments, **options)

    def enforce_iam_methods(
        api_id: str,
        stage: str,
        method: str,
        path: str,
        headers: Any,
        query: Any,
        iam_action: str = "execute-api:Invoke",
    ) -> Any:
        # For a method that does not exist, the API has a gateway response.
        kind = app._execute_api_authorization_type(api_id, stage, method, path)
        if iam_action == "execute-api:Invoke" and kind != "AWS_IAM":
            return None
        return enforce_api(api_id, stage, method, path, headers, query, iam_action=iam_action)

    iam_evaluator.enforce = enforce_signed
    iam_evaluator.resolve_principal = resolve_signed
    app._enforce_execute_api = enforce_iam_methods


def secret_execution_credentials() -> None:
    """Give functions credentials that cannot be computed.

    MiniStack's are hashes of the ARNs of function and role. All environments of a function share one session, so the
    credentials stay the same while the emulator runs.
    """
    key = secrets.token_bytes(32)

    def credentials(config: dict[str, Any]) -> dict[str, str]:
        account, _ = lambda_runtime._account_region_from_function_config(config)
        role = config.get("Role", "").rpartition("/")[2]
        name = config.get("FunctionName", "")[:64]

        def derived(purpose: str) -> str:
            return hmac.digest(key, f"{purpose}:{config['FunctionArn']}:{config.get('Role')}".encode(), "sha256").hex()

        access_key_id = f"ASIA{derived('id')[:16].upper()}"
        session = {"SecretAccessKey": derived("secret"), "SessionToken": derived("token")}
        arn = f"arn:aws:sts::{account}:assumed-role/{role}/{name}"
        sts.register_session(access_key_id, session | {"Arn": arn, "UserId": f"{role}:{name}"})
        return {
            "AWS_ACCESS_KEY_ID": access_key_id,
            "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
            "AWS_SESSION_TOKEN": session["SessionToken"],
        }

    lambda_runtime.execution_credentials = lambda_svc.execution_credentials = credentials


def foreign_requests() -> None:
    """Refuse requests from pages of other origins, for other hosts, and to MiniStack's own routes.

    Pages of any origin may call an API, as on AWS; its CORS headers decide what they can read. It acts only for the
    user in the token, never for the developer.
    """
    serve = app.app

    async def serve_own(scope: _Scope, receive: Any, send: Any) -> None:
        refusal = _refusal(scope) if scope["type"] in {"http", "websocket"} else None
        if refusal is None:
            await serve(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close"})
        else:
            body = json.dumps({"message": refusal.message}).encode()
            headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
            await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
            await send({"type": "http.response.body", "body": body})

    app.app = serve_own


def _refusal(scope: _Scope) -> Refusal | None:
    headers, path = _headers(scope), scope["path"]
    custom_domain = app._resolve_custom_domain_request(headers.get("host", ""), path) is not None
    if not custom_domain and (refusal := origins.foreign_host(headers)):
        return refusal
    # MiniStack's administration and image registry, which check no signature.
    if (path.startswith("/_ministack/") and path != HEALTH_PATH) or app._is_ecr_registry_path(path):
        return Refusal(HTTPStatus.FORBIDDEN, "This route of the emulator is closed")
    if custom_domain or app._parse_execute_api_url("", path):
        return None
    return origins.foreign_page(scope.get("method", "GET"), headers)


def _headers(scope: _Scope) -> Mapping[str, str]:
    """Return the headers by lower-case name; the values of a repeated header are joined, which makes it invalid."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


GAPS: Final = (generated_root_key, unsigned_requests, secret_execution_credentials, foreign_requests)
