"""The picture of the envelope: how a TOTP secret is kept, and what backup codes are made of.

What is in it comes from the code: a secret is sealed, and the message that results is taken apart.
"""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from functions.setup_mfa.encryption import EnvelopeSealer
from functions.setup_mfa.service import SECRET_LENGTH
from functions.shared.backup_codes import SALT_BYTES, BackupCodeKeys
from functions.shared.contract import BACKUP_CODE_COUNT, Attribute
from functions.shared.encryption import SUITE, encryption_context, master_key
from functions.shared.settings import RawKey
from infra.paths import REPOSITORY
from infra.permissions import PERMISSIONS
from tools.docsite.drawing import box, curve, drawing, line, path, text

PICTURE: Final = REPOSITORY / "docs" / "images" / "envelope.svg"

_WIDTH: Final = 960
_HEIGHT: Final = 664
_LEFT: Final = 12
_BAR_Y: Final = 268
_BAR_HEIGHT: Final = 60
_OPENING_Y: Final = 378
_CODES_Y: Final = 516
#: The parts of a message in their order: how wide each is on the page, and whether its size is always the same.
_PARTS: Final = {
    "version, suite, id": (128, True),
    "encryption context": (176, False),
    "data key, sealed by KMS": (182, False),
    "format": (60, True),
    "commitment": (98, True),
    "tag": (62, True),
    "IV": (52, True),
    "length": (58, True),
    "ciphertext": (78, True),
    "tag of it": (42, True),
}
_BODY: Final = ("IV", "length", "ciphertext", "tag of it")


def draw(target: Path = PICTURE) -> Path:
    """Draw the picture into a file, and return its path."""
    target.write_text(picture())
    return target


def picture() -> str:
    """Return the picture as SVG: the same text for the same code."""
    parts = [*_sealing(), *_message(), *_opening(), *_backup_codes()]
    return drawing(_WIDTH, _HEIGHT, "How a TOTP secret is sealed, and what backup codes are made of", parts)


def sealed_message() -> bytes:
    """Return a message as the service makes them, under a key of its own that is made up here."""
    key = master_key(RawKey(key=bytes(32)))
    sealed = EnvelopeSealer(key).seal("A" * SECRET_LENGTH, user_id="user-1")
    return base64.b64decode(sealed.message)


def taken_apart(message: bytes) -> dict[str, bytes]:
    """Return the parts of a message by their names, in their order.

    The form is that of the AWS Encryption SDK, version 2, without frames:
    https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/message-format.html

    Raises
    ------
    ValueError
        It is not of that form.
    """
    context = 35 + 2 + int.from_bytes(message[35:37])
    keys = context + 2
    for _ in range(3 * int.from_bytes(message[context:keys])):  # each of provider, its key's name, the sealed key
        keys += 2 + int.from_bytes(message[keys : keys + 2])
    body = len(message) - SUITE.iv_len - 8 - SECRET_LENGTH - SUITE.tag_len
    ends = {
        "version, suite, id": 35,
        "encryption context": context,
        "data key, sealed by KMS": keys,
        "format": keys + 5,
        "commitment": keys + 5 + 32,
        "tag": keys + 5 + 32 + SUITE.auth_len,
        "IV": body + SUITE.iv_len,
        "length": body + SUITE.iv_len + 8,
        "ciphertext": len(message) - SUITE.tag_len,
        "tag of it": len(message),
    }
    if ends["tag"] != body or message[0] != 2 or int.from_bytes(message[1:3]) != SUITE.algorithm_id:
        raise ValueError("not a message of the form that the service writes")
    starts = [0, *ends.values()]
    return {name: message[start:end] for start, (name, end) in zip(starts, ends.items(), strict=False)}


def _sealing() -> Iterator[str]:
    who = _with("kms:GenerateDataKey")
    yield from box(_LEFT, 24, 178, 92, "KMS key", "never leaves KMS", "used for this purpose alone", look="seals")
    yield from box(
        316, 24, 200, 92, "data key", f"{8 * SUITE.data_key_len} bits, one for each secret", "forgotten after use"
    )
    yield line("key", (_LEFT + 178, 70), (316, 70))
    yield text(_LEFT + 190, 60, "GenerateDataKey", "small picture-on-key")
    yield text(_LEFT + 190, 90, f"{who} alone", "small")
    yield from box(
        *(600, 24, 348, 92, "AES-256-GCM"),
        "under a key made of the data key by HKDF-SHA512,",
        "committed to it; header and context authenticated",
        "IV constant, as no key is used twice",
    )
    yield line("arrow", (516, 70), (600, 70))
    yield from box(316, 146, 200, 74, "TOTP secret", f"{5 * SECRET_LENGTH} random bits", "shown once, then sealed")
    yield curve("arrow", (516, 183), (600, 100))
    yield line("arrow", (764, 116), (764, _BAR_Y - 30))


def _message() -> Iterator[str]:
    found = taken_apart(sealed_message())
    yield text(
        _LEFT, _BAR_Y - 12, f"{Attribute.ENCRYPTED_SECRET}: base64 of a message of the AWS Encryption SDK", "name"
    )
    x = _LEFT
    for name, (width, fixed) in _PARTS.items():
        look = "seals" if name == "data key, sealed by KMS" else "box"
        yield f'<rect class="picture-{look}" x="{x}" y="{_BAR_Y}" width="{width}" height="{_BAR_HEIGHT}"/>'
        yield text(x + 8, _BAR_Y + 24, name.removesuffix(" of it"), "small picture-strong")
        yield text(x + 8, _BAR_Y + 44, _size(name, found[name]) if fixed else _contents(name), "small")
        if name == "IV":
            yield path("bracket", f"M{_LEFT} {_BAR_Y + 68} v6 H{x - 6} v-6")
            yield path("bracket", f"M{x} {_BAR_Y + 68} v6 H{_WIDTH - 12} v-6")
            yield text(_LEFT, _BAR_Y + 92, "header: in clear, but no bit of it can be changed", "small")
            yield text(x, _BAR_Y + 92, f"body; {Attribute.IV} is a copy of the IV", "small")
        x += width


def _size(name: str, part: bytes) -> str:
    return f"{len(part)}" if name in _BODY else f"{len(part)} bytes"


def _contents(name: str) -> str:
    return ", ".join(encryption_context("")) if name == "encryption context" else "exactly one"


def _opening() -> Iterator[str]:
    who = _with("kms:Decrypt").split()
    yield from box(
        *(_LEFT, _OPENING_Y, 290, 92, "Opened by"),
        ", ".join(who[:2]) + ",",
        ", ".join(who[2:]),
        "one Decrypt for each code that is checked",
        look="seals",
    )
    yield from box(
        *(330, _OPENING_Y, 618, 92, "Refused, before the body is read, unless"),
        "KMS opens the data key under the context that is in the message,",
        "that context is the user of the request and this purpose, compared by our own code,",
        "the suite is this one, and the commitment is to this key",
    )


def _backup_codes() -> Iterator[str]:
    keys = BackupCodeKeys.derive(secret=bytes(20), salt=bytes(SALT_BYTES))
    bits = 8 * len(keys.deriving)
    y = _CODES_Y
    yield text(_LEFT, y - 14, "Backup codes: made of the secret, hashed under it, never stored", "name")
    yield from box(_LEFT, y, 170, 54, "TOTP secret", "once opened")
    yield from box(_LEFT, y + 74, 170, 54, "salt", f"{SALT_BYTES} random bytes a set")
    yield from box(244, y + 30, 130, 68, "HKDF-SHA256", "two keys at once")
    yield curve("arrow", (_LEFT + 170, y + 27), (244, y + 54))
    yield curve("table", (_LEFT + 170, y + 101), (244, y + 74))
    yield from box(436, y, 170, 54, "deriving key", f"{bits} bits")
    yield from box(436, y + 74, 170, 54, "hashing key", f"{bits} bits")
    yield curve("arrow", (374, y + 54), (436, y + 27))
    yield curve("arrow", (374, y + 74), (436, y + 101))
    codes = f"{BACKUP_CODE_COUNT} codes, ABCD-1234"
    yield from box(678, y, 270, 54, codes, "HMAC-SHA256 of 0, 1, 2 …; shown once")
    yield from box(678, y + 74, 270, 54, Attribute.BACKUP_CODES, "HMAC-SHA256 of each code: what is stored")
    yield line("arrow", (606, y + 27), (678, y + 27))
    yield line("table", (606, y + 101), (678, y + 101))


def _with(action: str) -> str:
    """Return the functions whose roles allow an action on the key."""
    return " ".join(name for name, permissions in PERMISSIONS.items() if action in permissions.secret_key)
