"""For every function: an event that succeeds, one that is refused, and the environment variables."""

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import pyotp
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from functions.setup_mfa.encryption import EnvelopeSealer
from functions.shared import contract
from functions.shared.backup_codes import BackupCodeKeys
from functions.shared.contract import Env, Status
from functions.shared.encryption import master_key
from functions.shared.settings import RawKey
from tests.images.inside import Exercise, Outcome
from tests.support import stream_records, tokens
from tests.support.events import api_event

#: The port of the fake AWS and issuer for a function in a container.
WORLD_PORT: Final = 9100

_USER: Final = "user-1"
_KEY: Final = bytes(range(32))
SECRET: Final = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
_SALT: Final = b"salt salt salt !"
_METHOD_ARN: Final = "arn:aws:execute-api:us-east-1:123456789012:api/v1/GET/auth/mfa"
_PROOF_KEY: Final = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000"
_ENDPOINTS: Final = {endpoint.function: endpoint for endpoint in contract.ENDPOINTS}
#: The constant part of each route's successful response, and the AWS operations that the route calls.
_GOOD: Final[Mapping[str, tuple[dict[str, Any], list[str]]]] = {
    contract.SETUP.function: ({}, ["PutItem"]),
    contract.VERIFY_SETUP.function: ({"enabled": True}, ["GetItem", "UpdateItem"]),
    contract.VERIFY.function: ({"verified": True, "method": "totp"}, ["GetItem", "UpdateItem"]),
    contract.DISABLE.function: ({"enabled": False}, ["GetItem", "DeleteItem"]),
    contract.BACKUP_CODES.function: ({"backupCodesRemaining": 8}, ["GetItem", "UpdateItem"]),
    contract.STATUS.function: ({"enabled": True, "state": "ENABLED"}, ["GetItem"]),
}

FUNCTIONS: Final = (
    *_ENDPOINTS,
    contract.AUTHORIZER_FUNCTION,
    contract.SECURITY_EVENTS_FUNCTION,
    contract.SIGNING_KEYS_FUNCTION,
)


def environment(function: str, *, world_port: int = WORLD_PORT) -> dict[str, str]:
    """Return a function's environment variables, with AWS and the issuer at a port of the loopback interface."""
    world = f"http://127.0.0.1:{world_port}"
    variables = {Env.ENVIRONMENT: "dev"}
    if function == contract.AUTHORIZER_FUNCTION:
        variables |= {
            Env.JWT_ISSUER: tokens.ISSUER,
            Env.JWT_AUDIENCE: tokens.AUDIENCE,
            Env.JWT_JWKS_URL: f"{world}/keys",
        }
    elif function == contract.SECURITY_EVENTS_FUNCTION:
        variables[Env.DEAD_LETTER_QUEUE_URL] = f"{world}/123456789012/dead-letters"
    elif function == contract.SIGNING_KEYS_FUNCTION:
        variables |= {Env.PROOF_ISSUER: "https://api.example/v1", Env.PROOF_KEYS: _PROOF_KEY}
    else:
        variables |= {Env.MFA_ENCRYPTION_KEY: f"raw:{base64.b64encode(_KEY).decode()}"}
    return {
        **{str(name): value for name, value in variables.items()},
        "AWS_LAMBDA_FUNCTION_NAME": contract.lambda_name(function, "dev"),
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "60",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "made-up",
        "AWS_SECRET_ACCESS_KEY": "made-up",
        "AWS_ENDPOINT_URL": world,
    }


@dataclass(frozen=True)
class Case:
    """An exercise whose first event must succeed and whose second must be refused; a public route refuses nobody."""

    function: str
    exercise: Exercise

    def check(self, outcome: Outcome) -> None:
        """Fail unless both responses and the calls to AWS are as expected."""
        good, refused = outcome.answers
        if self.function == contract.AUTHORIZER_FUNCTION:
            assert [_effect(good), _effect(refused)] == ["Allow", "Deny"], outcome
            assert good["context"]["user_id"] == _USER, good
        elif self.function == contract.SECURITY_EVENTS_FUNCTION:
            assert (good, outcome.calls) == ({"batchItemFailures": []}, ["PutEvents"]), outcome
            assert refused["errorType"] == "BatchFailedError", refused
        elif self.function == contract.SIGNING_KEYS_FUNCTION:
            (key,) = json.loads(good["body"])["keys"]
            assert (key["kid"], outcome.calls) == (_PROOF_KEY.rpartition("/")[2], ["GetPublicKey"]), outcome
            assert (refused["statusCode"], refused["body"]) == (200, good["body"]), refused  # from the cache
        else:
            body, calls = _GOOD[self.function]
            assert good["statusCode"] == 200, good
            assert json.loads(good["body"]).items() >= body.items(), good
            assert outcome.calls == calls, outcome
            assert (refused["statusCode"], json.loads(refused["body"])["error"]) == (401, "UNAUTHORIZED"), refused


def case(function: str) -> Case:
    """Return a function's case. Its codes and tokens are valid only now, so use it immediately."""
    if function == contract.AUTHORIZER_FUNCTION:
        return Case(function, _authorizer())
    if function == contract.SECURITY_EVENTS_FUNCTION:
        return Case(function, Exercise(events=[{"Records": [stream_records.enabling()]}, {"Records": "none"}]))
    if function == contract.SIGNING_KEYS_FUNCTION:
        return Case(function, Exercise(events=[api_event(contract.JWKS, user_id=None)] * 2, public_key=_public_key()))
    endpoint = _ENDPOINTS[function]
    body = None if endpoint in (contract.SETUP, contract.STATUS) else {"code": pyotp.TOTP(SECRET).now()}
    events = [api_event(endpoint, user_id=_USER, body=body), api_event(endpoint, user_id=None)]
    item = {} if endpoint == contract.SETUP else stored_item(pending=endpoint == contract.VERIFY_SETUP)
    return Case(function, Exercise(events=events, item=item))


def check_wrong_handler(response: Any) -> None:
    """Fail unless the runtime reports that the handler does not exist."""
    assert response["errorType"] == "Runtime.HandlerNotFound", response


def _authorizer() -> Exercise:
    key = tokens.ec_key("key-1")
    now = int(time.time())
    token = key.token(tokens.claims(sub=_USER, iat=now, nbf=now, exp=now + 300))
    request = {"type": "REQUEST", "methodArn": _METHOD_ARN, "resource": "/auth/mfa", "httpMethod": "GET"}
    good = {**request, "headers": {"Authorization": f"Bearer {token}"}}
    return Exercise(events=[good, {**request, "headers": {}}], keys=[key.jwk])


def _effect(policy: Mapping[str, Any]) -> Any:
    return policy["policyDocument"]["Statement"][0]["Effect"]


def _public_key() -> str:
    """Return the public half of an RSA key pair as KMS returns it, in base64."""
    public = tokens.rsa_key("proof").private.public_key()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


@cache
def _sealed() -> dict[str, Any]:
    sealed = EnvelopeSealer(master_key(RawKey(_KEY))).seal(SECRET, user_id=_USER)
    keys = BackupCodeKeys.derive(secret=base64.b32decode(SECRET), salt=_SALT)
    return {
        "encrypted_secret": {"S": sealed.message},
        "iv": {"S": sealed.iv},
        "backup_codes": {"L": [{"S": value} for value in keys.hashes()]},
        "backup_codes_salt": {"S": base64.b64encode(_SALT).decode()},
        "last_used_step": None,
    }


def stored_item(*, pending: bool = False) -> stream_records.Item:
    """Return the item of a user who has enabled MFA with the secret, or of one who has not confirmed it yet."""
    if not pending:
        return stream_records.item(_USER, **_sealed())
    return stream_records.item(
        _USER,
        **_sealed(),
        status={"S": Status.PENDING},
        enabled_at=None,
        expires_at={"N": str(int(time.time()) + contract.PENDING_LIFETIME_SECONDS)},
    )
