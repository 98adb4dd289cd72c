"""The measured variants: each function in each state that matters, and its peers."""

import base64
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import jwt
import pyotp
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from jwt.algorithms import RSAAlgorithm

from functions.shared import contract
from functions.shared.backup_codes import BackupCodeKeys
from functions.shared.clock import iso_timestamp
from functions.shared.contract import Attribute, Env
from tools.bench import packages

USER_ID: Final = "6f1c2f1e-0a55-4a0e-9f6e-2f8b7a3f9d10"
_FOLDER: Final = Path(__file__).parent
_KEY_ARN: Final = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-4000-8000-000000000000"
_ISSUER: Final = "https://issuer.example/pool"
_AUDIENCE: Final = "mfa-api"


@dataclass(frozen=True)
class Variant:
    """A function, or a peer, with the request that it handles.

    Attributes
    ----------
    name : str
        The key in the results.
    command : tuple of str
        The program that reads the plan.
    route : Endpoint or None
        The route of the event; None for the authorizer.
    item : str
        The user's stored item, see `Enrolment`.
    backup_code : bool
        Send a backup code instead of a TOTP code.
    status : int
        The expected HTTP status.
    warm_up, requests : int
        Requests before the warm measurement, and in it.
    """

    name: str
    command: tuple[str, ...]
    route: contract.Endpoint | None
    item: str = "none"
    backup_code: bool = False
    status: int = 200
    warm_up: int = 100
    requests: int = 300


@dataclass(frozen=True)
class Enrolment:
    """A user who was enrolled by the real handler: the base32 secret, and the stored item in each state."""

    secret: str
    items: Mapping[str, dict[str, Any] | None]

    @classmethod
    def of(cls, response: Mapping[str, Any], put: dict[str, Any], *, now: float) -> "Enrolment":
        """Return the enrolment from the response of setup and the item that it put."""
        pending = put | {Attribute.EXPIRES_AT: {"N": str(int(now) + 3600)}}
        enabled = {name: value for name, value in put.items() if name != Attribute.EXPIRES_AT}
        enabled |= {Attribute.STATUS: {"S": contract.Status.ENABLED}, Attribute.ENABLED_AT: put[Attribute.CREATED_AT]}
        failures = {Attribute.FAILED_ATTEMPTS: {"N": "20"}, Attribute.LAST_FAILED_AT: {"S": iso_timestamp(now)}}
        items = {"none": None, "pending": pending, "enabled": enabled, "locked": enabled | failures}
        return cls(json.loads(response["body"])["secret"], items)

    def backup_code(self) -> str:
        """Return the last of the user's backup codes."""
        salt = base64.b64decode((self.items["enabled"] or {})[Attribute.BACKUP_CODES_SALT]["S"])
        return BackupCodeKeys.derive(secret=base64.b32decode(self.secret), salt=salt).codes()[-1]


@dataclass(frozen=True)
class BenchIssuer:
    """An OIDC issuer with one RSA key."""

    key: RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    def token(self, now: float) -> str:
        """Return an access token of the user, valid for an hour."""
        claims = {"iss": _ISSUER, "sub": USER_ID, "aud": _AUDIENCE, "iat": int(now), "exp": int(now) + 3600}
        claims |= {"email": "ada.lovelace@example.com", "scope": "openid", "token_use": "access"}
        return jwt.encode(claims, self.key, algorithm="RS256", headers={"kid": "1"})

    def keys(self) -> dict[str, Any]:
        """Return the JWK Set."""
        jwk = RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {"keys": [{**jwk, "kid": "1", "use": "sig", "alg": "RS256"}]}


def event_of(variant: Variant, enrolment: Enrolment, issuer: BenchIssuer, now: float) -> dict[str, Any]:
    """Return the event that API Gateway sends for a variant."""
    route = variant.route or contract.VERIFY
    headers = {"Accept": "application/json", "Content-Type": "application/json", "User-Agent": "app/1.0"}
    context: dict[str, Any] = {"requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef", "stage": contract.STAGE_NAME}
    event = {"resource": route.path, "path": route.path, "httpMethod": route.method, "requestContext": context}
    if variant.route is None:
        arn = "arn:aws:execute-api:us-east-1:123456789012:abcdef1234/v1/POST/auth/mfa/verify"
        headers["Authorization"] = f"Bearer {issuer.token(now)}"
        return event | {"type": "REQUEST", "methodArn": arn, "headers": headers}
    context["authorizer"] = {"user_id": USER_ID, "label": "ada.lovelace@example.com", "scope": "openid"}
    body: dict[str, str] | None = None
    if variant.backup_code:
        body = {"backupCode": enrolment.backup_code()}
    elif variant.route not in (contract.SETUP, contract.STATUS):
        body = {"code": pyotp.TOTP(enrolment.secret).at(int(now))}
    return event | {"headers": headers, "body": body and json.dumps(body), "isBase64Encoded": False}


def environment(endpoint_url: str) -> dict[str, str]:
    """Return the environment variables of the functions, ours and the peers'."""
    return {
        Env.ENVIRONMENT: "dev",
        Env.MFA_ENCRYPTION_KEY: _KEY_ARN,
        Env.USERS_TABLE_NAME: "users",
        Env.JWT_ISSUER: _ISSUER,
        Env.JWT_AUDIENCE: _AUDIENCE,
        Env.JWT_JWKS_URL: f"{endpoint_url}/jwks.json",
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "not-a-real-secret-key-of-40-characters-x",
        "AWS_SESSION_TOKEN": "t" * 700,  # as long as a role's
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_KMS": endpoint_url,
        "AWS_ENDPOINT_URL_DYNAMODB": endpoint_url,
        "AWS_LAMBDA_FUNCTION_NAME": "measured",
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        # The tracer of a peer needs the X-Ray daemon, which only Lambda runs.
        "POWERTOOLS_TRACE_DISABLED": "true",
    }


def _python(*folders: Path, module: str) -> tuple[str, ...]:
    runner = str(_FOLDER / "runner.py")
    return (sys.executable, "-I", "-S", "-B", runner, os.pathsep.join(map(str, folders)), module)


def _function(function: str, name: str, route: contract.Endpoint | None, **options: Any) -> Variant:  # noqa: ANN401
    module = contract.handler_path(function).rpartition(".")[0]
    return Variant(name, _python(packages.ours(function), module=module), route, **options)


def our_variants() -> list[Variant]:
    """Return every function in each state that matters, after building missing packages."""
    return [
        _function("setup_mfa", "setup", contract.SETUP),
        _function("verify_mfa", "verify", contract.VERIFY, item="enabled"),
        _function("verify_mfa", "verify, backup code", contract.VERIFY, item="enabled", backup_code=True),
        _function("verify_mfa", "verify, locked", contract.VERIFY, item="locked", status=429),
        _function("verify_mfa_setup", "verify-setup", contract.VERIFY_SETUP, item="pending"),
        _function("disable_mfa", "disable", contract.DISABLE, item="enabled"),
        _function("regenerate_backup_codes", "backup-codes", contract.BACKUP_CODES, item="enabled"),
        _function("mfa_status", "status", contract.STATUS, item="enabled"),
        _function("jwt_authorizer", "authorizer", None),
    ]


def peers() -> list[Variant]:
    """Return the other implementations, after building missing packages."""
    straightforward = _python(packages.straightforward(), module="handler")
    node = (packages.tool("node"), str(packages.PEERS / "node" / "runner.mjs"), str(packages.node() / "handler.mjs"))
    # The floor uses the same trimmed SDK as setup.
    floor = _python(packages.ours(contract.SETUP.function), packages.PEERS, module="floor")
    return [
        Variant("setup, straightforward", straightforward, contract.SETUP, warm_up=2, requests=8),
        Variant("setup, Node", node, contract.SETUP),
        Variant("setup, floor", floor, contract.SETUP),
        Variant("verify, floor", floor, contract.VERIFY, item="enabled"),
    ]
