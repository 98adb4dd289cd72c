"""``POST /auth/mfa/setup`` as tutorials write it: good code that uses every helper of its libraries.

It uses a DynamoDB resource, a read before the write, a QR code from Pillow, a KMS key provider for each request,
Argon2id at OWASP's minimum for each backup code, and Powertools with event handler, parser and tracer.
"""

import base64
import io
import os
import secrets
import string
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import aws_encryption_sdk
import boto3
import pyotp
import qrcode
from argon2 import PasswordHasher  # type: ignore[import-not-found]
from aws_encryption_sdk.identifiers import Algorithm, CommitmentPolicy
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response, content_types
from aws_lambda_powertools.event_handler.exceptions import ServiceError
from aws_lambda_powertools.metrics import MetricUnit
from pydantic import BaseModel, Field

logger = Logger(service="mfa")
metrics = Metrics(namespace="AILifestyle/MFA", service="mfa")
tracer = Tracer(service="mfa")
app = APIGatewayRestResolver()
table = boto3.resource("dynamodb").Table(os.environ["USERS_TABLE_NAME"])
# OWASP's Password Storage Cheat Sheet: 19 MiB, two passes, one lane.
hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


class SetupBody(BaseModel):
    """Body of the 200 response."""

    secret: str
    qr_code: str = Field(serialization_alias="qrCode")


def seal(secret: str, user_id: str) -> bytes:
    """Seal the secret under the KMS key."""
    client = aws_encryption_sdk.EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
    provider = aws_encryption_sdk.StrictAwsKmsMasterKeyProvider(key_ids=[os.environ["MFA_ENCRYPTION_KEY"]])
    message, _ = client.encrypt(
        source=secret.encode(),
        key_provider=provider,
        encryption_context={"user_id": user_id, "purpose": "mfa-totp"},
        algorithm=Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY,
    )
    return bytes(message)


def qr_code(uri: str) -> str:
    """Return the QR code as a data URI."""
    image = io.BytesIO()
    qrcode.make(uri, box_size=8).save(image, "PNG")
    return "data:image/png;base64," + base64.b64encode(image.getvalue()).decode()


def backup_code() -> str:
    """Return a new backup code."""
    letters = "".join(secrets.choice(string.ascii_uppercase) for _ in range(4))
    return letters + "-" + "".join(secrets.choice(string.digits) for _ in range(4))


@app.post("/auth/mfa/setup")
@tracer.capture_method
def setup() -> Response[str]:
    """Enrol the caller."""
    metrics.add_metric(name="MFASetupAttempts", unit=MetricUnit.Count, value=1)
    identity = app.current_event.raw_event["requestContext"]["authorizer"]
    key = {"pk": f"USER#{identity['user_id']}", "sk": "MFA#SECRET"}
    if table.get_item(Key=key).get("Item", {}).get("status") == "ENABLED":
        metrics.add_metric(name="MFAAlreadyEnabledErrors", unit=MetricUnit.Count, value=1)
        raise ServiceError(HTTPStatus.CONFLICT, "MFA is already enabled for this account")
    secret = pyotp.random_base32()
    uri = pyotp.TOTP(secret).provisioning_uri(name=identity["label"], issuer_name="AILifestyle")
    now = datetime.now(UTC)
    table.put_item(
        Item={
            **key,
            "entity_type": "MFA_SECRET",
            "status": "PENDING",
            "encrypted_secret": base64.b64encode(seal(secret, identity["user_id"])).decode(),
            "backup_codes": [hasher.hash(backup_code()) for _ in range(8)],
            "backup_codes_used": [],
            "created_at": now.isoformat(),
            "updated_at": now.isoformat(),
            "expires_at": int(now.timestamp()) + 600,
        }
    )
    metrics.add_metric(name="SuccessfulMFASetups", unit=MetricUnit.Count, value=1)
    logger.info("MFA setup", extra={"user_id": identity["user_id"]})
    body = SetupBody(secret=secret, qr_code=qr_code(uri)).model_dump_json(by_alias=True)
    return Response(HTTPStatus.OK, content_types.APPLICATION_JSON, body)


@metrics.log_metrics
@tracer.capture_lambda_handler
def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Lambda entry point."""
    return app.resolve(event, context)  # type: ignore[arg-type]
