"""What each role may do, written independently of `infra.permissions`."""

from collections.abc import Mapping
from typing import Final

#: The table "Least privilege" of the design.
MAY: Final[Mapping[str, frozenset[str]]] = {
    function: frozenset({*actions, "logs:CreateLogStream", "logs:PutLogEvents"})
    for function, actions in {
        "setup_mfa": ["dynamodb:PutItem", "kms:GenerateDataKey"],
        "verify_mfa_setup": ["dynamodb:GetItem", "dynamodb:UpdateItem", "kms:Decrypt"],
        "verify_mfa": ["dynamodb:GetItem", "dynamodb:UpdateItem", "kms:Decrypt"],
        "regenerate_backup_codes": ["dynamodb:GetItem", "dynamodb:UpdateItem", "kms:Decrypt"],
        "disable_mfa": ["dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "kms:Decrypt"],
        "mfa_status": ["dynamodb:GetItem"],
        "jwt_authorizer": [],
        "security_events": [
            *("dynamodb:DescribeStream", "dynamodb:GetShardIterator", "dynamodb:GetRecords"),
            "dynamodb:ListStreams",  # IAM restricts it to no stream
            *("events:PutEvents", "sqs:SendMessage"),
        ],
        "signing_keys": [],
    }.items()
}

#: What proofs add to it, on the keys of the proofs alone.
MAY_ON_PROOF_KEYS: Final[Mapping[str, frozenset[str]]] = {
    "verify_mfa_setup": frozenset({"kms:Sign"}),
    "verify_mfa": frozenset({"kms:Sign"}),
    "signing_keys": frozenset({"kms:GetPublicKey"}),
}
