"""Backup codes: derived from the TOTP secret and a salt, stored as keyed hashes.

HKDF (RFC 5869) makes two keys from the secret: one derives the codes, the other hashes them for storage. The codes
themselves are never stored and cannot be shown again; each new set uses a new salt. A stolen table reveals nothing
about them without the secret, which only KMS decrypts; a plain hash could not protect their 30 bits from guessing.
"""

import hashlib
import hmac
import itertools
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from functions.shared.contract import BACKUP_CODE_COUNT

SALT_BYTES: Final = 16

_INFO: Final = b"mfa-backup-codes-v1"
_KEY_BYTES: Final = 32
#: No vowels and no Y, so that no code spells a word, and no letter is mistaken for a digit as O and I are. With the
#: digits, 20^4 * 10^4 codes: 30.6 bits. Codes of older sets have all letters; their hashes are compared like any other.
_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
_HALF: Final = 4


@dataclass(frozen=True)
class BackupCodeKeys:
    """The two keys of one set of codes.

    Parameters
    ----------
    deriving, hashing : bytes
        32 bytes each.
    """

    deriving: bytes = field(repr=False)
    hashing: bytes = field(repr=False)

    @classmethod
    def derive(cls, *, secret: bytes, salt: bytes) -> "BackupCodeKeys":
        """Derive the keys from the TOTP secret (20 bytes) and the set's salt (16 bytes)."""
        material = HKDF(algorithm=hashes.SHA256(), length=2 * _KEY_BYTES, salt=salt, info=_INFO).derive(secret)
        return cls(deriving=material[:_KEY_BYTES], hashing=material[_KEY_BYTES:])

    def codes(self) -> list[str]:
        """Return the eight distinct codes, each as ``ABCD-1234``."""
        codes: list[str] = []
        for index in itertools.count():
            code = self._code(index)
            if code not in codes:
                codes.append(code)
            if len(codes) == BACKUP_CODE_COUNT:
                return codes
        raise AssertionError("unreachable")

    def _code(self, index: int) -> str:
        digest = hmac.digest(self.deriving, index.to_bytes(4), hashlib.sha256)
        # 256 bits reduced to 31: the bias is too small to measure.
        number, digits = divmod(int.from_bytes(digest), 10**_HALF)
        letters = []
        for _ in range(_HALF):
            number, letter = divmod(number, len(_LETTERS))
            letters.append(_LETTERS[letter])
        return f"{''.join(letters)}-{digits:0{_HALF}}"

    def hash(self, code: str) -> str:
        """Return the stored hash of a code: 64 hexadecimal digits."""
        return hmac.digest(self.hashing, code.encode("ascii"), hashlib.sha256).hex()

    def hashes(self) -> list[str]:
        """Return the stored hashes of the eight codes, in their order."""
        return [self.hash(code) for code in self.codes()]
