"""The generated Mermaid diagrams: the architecture from the committed templates, the envelope from a sealed message.

The templates are the snapshots that tests compare with the synthesized ones. The diagrams are top-down and narrow, so
that they are readable on a phone.
"""

import base64
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from aws_encryption_sdk.internal.formatting.deserialize import deserialize_header, deserialize_header_auth

from functions.setup_mfa.encryption import EnvelopeSealer
from functions.setup_mfa.service import SECRET_LENGTH
from functions.shared.backup_codes import SALT_BYTES, BackupCodeKeys
from functions.shared.contract import (
    AUTHORIZER_FUNCTION,
    BACKUP_CODE_COUNT,
    ENDPOINTS,
    SECURITY_EVENTS_FUNCTION,
    SIGNING_KEYS_FUNCTION,
    Attribute,
)
from functions.shared.encryption import SUITE, master_key
from functions.shared.settings import RawKey
from infra.paths import REPOSITORY
from tools.marked_blocks import with_blocks

DOCS: Final = REPOSITORY / "docs"
#: The environment that has everything that can be configured.
TEMPLATES: Final = REPOSITORY / "tests" / "infra" / "snapshots" / "prod-with-everything"
_SETTINGS: Final = {"nodeSpacing": 24, "rankSpacing": 36, "padding": 10, "wrappingWidth": 200}
#: The resource that a role's statement is about, by a part of its ARN or reference.
_RESOURCES: Final = {
    "StreamArn": "stream",  # before the table, whose name is in the same reference
    "GetAttTable": "table",
    "GetAttSecretKey": "key",
    "GetAttProofKey": "proof key",
    "SecurityEventsBus": "bus",
    "DeadLetters": "queue",
    "Logs": "logs",
}
#: An action on the stream that IAM allows on all resources only.
_LIST_STREAMS: Final = "dynamodb:ListStreams"
_GATEWAY_FEATURES: Final = {
    "AWS::ApiGateway::DomainName": "domain",
    "AWS::WAFv2::WebACL": "firewall",
    "AWS::ApiGateway::Stage": "throttling",
}

type Resources = Mapping[str, Mapping[str, Any]]
type Grants = dict[str, tuple[str, ...]]


def diagrams() -> dict[Path, dict[str, str]]:
    """Return the generated diagrams, each in its fence, by page and name."""
    service = json.loads((TEMPLATES / "mfa-prod-service.json").read_text())["Resources"]
    sealed = sealing(message_parts(sealed_message()), role_grants(service))
    return {
        DOCS / "architecture.md": {"architecture": architecture(service)},
        DOCS / "security.md": {"sealing": sealed, "backup_codes": backup_codes()},
    }


def write() -> list[Path]:
    """Write the diagrams into their pages, and return the pages."""
    for page, blocks in diagrams().items():
        page.write_text(with_blocks(page.read_text(), "diagram", blocks))
    return list(diagrams())


def architecture(service: Resources) -> str:
    """Return the path of a request, and the actions that each function's role allows.

    Parameters
    ----------
    service
        The resources of the service stack's template.
    """
    grants = role_grants(service)
    alike: dict[tuple[tuple[str, tuple[str, ...]], ...], list[str]] = {}
    for endpoint in ENDPOINTS:
        alike.setdefault(tuple(sorted(grants[endpoint.function].items())), []).append(endpoint.function)
    types = {resource["Type"] for resource in service.values()}
    features = ", ".join(name for kind, name in _GATEWAY_FEATURES.items() if kind in types)
    publisher = grants[SECURITY_EVENTS_FUNCTION]
    return _flowchart(
        "The path of a request, and what each function's role allows",
        'app["App or backend"] -->|access token| api["<b>API Gateway</b><br>' + features + '"]',
        f'issuer["OIDC issuer"] -->|signing keys| {AUTHORIZER_FUNCTION}["<b>{AUTHORIZER_FUNCTION}</b>"]',
        f"{AUTHORIZER_FUNCTION} -->|allow or deny| api --> functions",
        'subgraph functions["Functions behind the routes"]',
        "    direction TB",
        *(
            "    " + _node(names[0], "<br>".join(names), *(f"{on}: {', '.join(actions)}" for on, actions in allowed))
            for allowed, names in alike.items()
        ),
        "    " + " ~~~ ".join(names[0] for names in alike.values()),
        "end",
        "style functions fill:none",
        *("functions --> " + _node("table", "DynamoDB table"), "functions --> " + _node("key", "KMS key")),
        "functions --> " + _node("proof_key", "KMS key pair", "signs proofs"),
        f'other["Any other API"] -->|no token| {_node(SIGNING_KEYS_FUNCTION, SIGNING_KEYS_FUNCTION)}',
        f"{SIGNING_KEYS_FUNCTION} -->|{', '.join(grants[SIGNING_KEYS_FUNCTION]['proof key'])}| proof_key",
        f"table -->|stream| {_node(SECURITY_EVENTS_FUNCTION, SECURITY_EVENTS_FUNCTION)}",
        f'{SECURITY_EVENTS_FUNCTION} -->|{", ".join(publisher["bus"])}| bus["EventBridge bus"]',
        f'{SECURITY_EVENTS_FUNCTION} -->|{", ".join(publisher["queue"])}| queue["Dead-letter queue"]',
    )


def role_grants(service: Resources) -> dict[str, Grants]:
    """Return the actions that each function's role allows, by the resource: ``{"setup_mfa": {"table": …}}``.

    Raises
    ------
    ValueError
        A role allows an action on a resource that the diagram does not have.
    """
    functions = {
        each["Properties"]["Role"].replace(".Arn}", "}"): each["Properties"]["Handler"].split(".")[1]
        for each in service.values()
        if each["Type"] == "AWS::Lambda::Function"
    }
    grants: dict[str, Grants] = {function: {} for function in functions.values()}
    for policy in (each["Properties"] for each in service.values() if each["Type"] == "AWS::IAM::Policy"):
        for function in (functions[role] for role in policy["Roles"] if role in functions):
            for statement in policy["PolicyDocument"]["Statement"]:
                resource = next((name for part, name in _RESOURCES.items() if part in str(statement["Resource"])), None)
                if statement["Action"] == _LIST_STREAMS:
                    resource = "stream"
                if resource is None:
                    raise ValueError(f"Add {statement['Resource']} to the resources in tools/docsite/diagrams.py")
                actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
                names = (action.partition(":")[2] for action in actions)
                grants[function][resource] = (*grants[function].get(resource, ()), *names)
    for each in grants.values():
        each.pop("logs", None)
    return grants


def sealed_message() -> bytes:
    """Return a message as ``setup_mfa`` writes it, under a raw key instead of one of KMS."""
    sealed = EnvelopeSealer(master_key(RawKey(key=bytes(32)))).seal("A" * SECRET_LENGTH, user_id="user-1")
    return base64.b64decode(sealed.message)


def message_parts(message: bytes) -> dict[str, dict[str, str]]:
    """Return what header and body of a sealed message consist of, in order: sizes where they are fixed.

    The format is that of the AWS Encryption SDK, version 2, without frames:
    https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/message-format.html

    Raises
    ------
    ValueError
        The message has another format.
    """
    stream = io.BytesIO(message)
    header, _ = deserialize_header(stream)
    tag = deserialize_header_auth(header.version, stream, header.algorithm).tag
    body = {"IV": SUITE.iv_len, "length": 8, "ciphertext": SECRET_LENGTH, "tag": SUITE.tag_len}
    if header.algorithm is not SUITE or len(stream.read()) != sum(body.values()):
        raise ValueError("The message does not have the format that setup_mfa writes")
    return {
        "header": {
            "version, suite, id": f"{1 + 2 + len(header.message_id)} bytes",
            "context": ", ".join(header.encryption_context),
            "data key": f"{len(header.encrypted_data_keys)}, encrypted by KMS",
            "format": "5 bytes",
            "commitment": f"{len(header.commitment_key)} bytes",
            "tag": f"{len(tag)} bytes",
        },
        "body": {name: f"{size} bytes" for name, size in body.items()},
    }


def sealing(message: Mapping[str, Mapping[str, str]], grants: Mapping[str, Grants]) -> str:
    """Return how a TOTP secret becomes a stored message, and which functions open it."""
    header, body = (
        _node(name, title, *(f"{part}: {content}" for part, content in message[name].items()))
        for name, title in (("header", "header, authenticated"), ("body", "body"))
    )
    sealers, openers = (
        "<br>".join(each.function for each in ENDPOINTS if action in grants[each.function].get("key", ()))
        for action in ("GenerateDataKey", "Decrypt")
    )
    return _flowchart(
        "How a TOTP secret is encrypted, stored and decrypted",
        f"kms -->|GenerateDataKey<br>{sealers} only| data_key",
        _node("kms", "KMS key", "never leaves KMS"),
        _node("data_key", "data key", f"{8 * SUITE.data_key_len} bits", "one per secret") + " --> seal",
        _node("secret", "TOTP secret", f"{5 * SECRET_LENGTH} random bits") + " --> seal",
        _node("seal", "AES-256-GCM", "key derived by HKDF-SHA512") + " --> message",
        f'subgraph message["{Attribute.ENCRYPTED_SECRET}"]',
        "    direction TB",
        f"    {header} ~~~ {body}",
        "end",
        "style message fill:none",
        "message -->|Decrypt| " + _node("check", "context and suite compared", "before the body is read"),
        f'check --> openers["{openers}"]',
    )


def backup_codes() -> str:
    """Return how backup codes and their hashes are derived from the TOTP secret."""
    keys = BackupCodeKeys.derive(secret=bytes(20), salt=bytes(SALT_BYTES))
    return _flowchart(
        "How backup codes and their hashes are derived",
        _node("secret", "TOTP secret") + ' --> hkdf["HKDF-SHA256"]',
        _node("salt", "salt", f"{SALT_BYTES} random bytes per set") + " --> hkdf",
        "hkdf --> " + _node("deriving", "deriving key", f"{8 * len(keys.deriving)} bits"),
        "hkdf --> " + _node("hashing", "hashing key", f"{8 * len(keys.hashing)} bits"),
        "deriving -->|HMAC of 0, 1, 2, …| " + _node("codes", f"{BACKUP_CODE_COUNT} codes", "shown once, never stored"),
        'codes & hashing --> hmac["HMAC-SHA256"]',
        "hmac --> " + _node("stored", Attribute.BACKUP_CODES, f"{BACKUP_CODE_COUNT} hashes, stored"),
    )


def _node(name: str, title: str, *lines: str) -> str:
    return f'{name}["{"<br>".join([f"<b>{title}</b>", *lines])}"]'


def _flowchart(title: str, *lines: str) -> str:
    head = [
        "```mermaid",
        f"%%{{init: {json.dumps({'flowchart': _SETTINGS})}}}%%",
        "flowchart TD",
        f"    accTitle: {title}",
    ]
    return "\n".join([*head, *(f"    {line}" for line in lines), "```"])
