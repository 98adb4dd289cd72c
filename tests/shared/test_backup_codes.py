"""Backup codes: derived, keyed, and the same for ever from the same secret and salt."""

import collections
import hashlib
import hmac
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.shared.backup_codes import SALT_BYTES, BackupCodeKeys

SECRET = bytes(range(20))
SALT = bytes(range(16))
LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
FORM = re.compile(rf"[{LETTERS}]{{4}}-[0-9]{{4}}")

SECRETS = st.binary(min_size=20, max_size=20)
SALTS = st.binary(min_size=16, max_size=16)


def keys(secret: bytes = SECRET, salt: bytes = SALT) -> BackupCodeKeys:
    return BackupCodeKeys.derive(secret=secret, salt=salt)


def hkdf_sha256(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """Return HKDF by RFC 5869 sections 2.2 and 2.3, by hand."""
    pseudorandom_key = hmac.new(salt, secret, hashlib.sha256).digest()
    output, block = b"", b""
    for counter in range(1, -(-length // 32) + 1):
        block = hmac.new(pseudorandom_key, block + info + bytes([counter]), hashlib.sha256).digest()
        output += block
    return output[:length]


def test_the_independent_hkdf_has_the_rfcs_first_vector() -> None:
    derived = hkdf_sha256(b"\x0b" * 22, bytes(range(13)), bytes(range(0xF0, 0xFA)), 42)
    assert derived.hex() == ("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865")


def test_known_answers() -> None:
    """Stored hashes must stay valid: whatever changes these strands every user's codes."""
    material = hkdf_sha256(SECRET, SALT, b"mfa-backup-codes-v1", 64)
    expected = []
    for index in range(8):
        number = int.from_bytes(hmac.new(material[:32], index.to_bytes(4, "big"), hashlib.sha256).digest(), "big")
        letters = "".join(LETTERS[number // 10_000 // 20**place % 20] for place in range(4))
        expected.append(f"{letters}-{number % 10_000:04}")
    assert keys().codes() == expected
    assert keys().codes() == [
        "SBQV-6798",
        "JFGH-1123",
        "WLPQ-3383",
        "NWVB-6564",
        "FHGB-4057",
        "PHKS-8990",
        "TRKD-8681",
        "SQVV-6578",
    ]
    assert keys().hashes() == [hmac.new(material[32:], code.encode(), hashlib.sha256).hexdigest() for code in expected]


@given(SECRETS, SALTS)
def test_eight_distinct_codes_of_the_documented_form(secret: bytes, salt: bytes) -> None:
    codes = keys(secret, salt).codes()
    assert len(codes) == len(set(codes)) == 8
    assert all(FORM.fullmatch(code) for code in codes)


def test_no_code_has_a_vowel_or_a_letter_that_looks_like_a_digit() -> None:
    assert not set(LETTERS) & set("AEIOUY")
    assert len(set(LETTERS)) == 20
    assert math.log2(len(LETTERS) ** 4 * 10**4) > 30


@given(SECRETS, SALTS)
def test_the_same_every_time(secret: bytes, salt: bytes) -> None:
    assert keys(secret, salt).codes() == keys(secret, salt).codes()
    assert keys(secret, salt).hashes() == keys(secret, salt).hashes()


@given(SECRETS, SALTS, st.integers(0, 159), st.integers(0, 127))
def test_every_bit_of_secret_and_salt_matters(secret: bytes, salt: bytes, in_secret: int, in_salt: int) -> None:
    other_secret = (int.from_bytes(secret) ^ 1 << in_secret).to_bytes(20)
    other_salt = (int.from_bytes(salt) ^ 1 << in_salt).to_bytes(16)
    codes, hashes = set(keys(secret, salt).codes()), set(keys(secret, salt).hashes())
    for other in (keys(other_secret, salt), keys(secret, other_salt)):
        assert len(codes & set(other.codes())) <= 1
        assert not hashes & set(other.hashes())


def test_a_code_hashes_to_what_is_stored_of_it_and_no_other_does() -> None:
    made = keys()
    for code, stored in zip(made.codes(), made.hashes(), strict=True):
        assert made.hash(code) == stored
        assert re.fullmatch("[0-9a-f]{64}", stored)
        assert made.hash(code.lower()) != stored
        assert made.hash(code.replace("-", "")) != stored


def test_the_hash_is_keyed_by_the_secret() -> None:
    code = keys().codes()[0]
    assert keys().hash(code) != keys(secret=SECRET[::-1]).hash(code)
    assert keys().hash(code) not in {
        hashlib.sha256(text).hexdigest() for text in (code.encode(), SALT + code.encode(), code.encode() + SALT)
    }


def test_the_two_keys_differ_and_have_256_bits() -> None:
    made = keys()
    assert made.deriving != made.hashing
    assert (len(made.deriving), len(made.hashing)) == (32, 32)


def test_letters_and_digits_are_evenly_spread() -> None:
    letters: collections.Counter[str] = collections.Counter()
    digits: collections.Counter[str] = collections.Counter()
    sets = 2000
    for number in range(sets):
        for code in keys(salt=number.to_bytes(SALT_BYTES)).codes():
            letters.update(code[:4])
            digits.update(code[5:])
    for counts, symbols in ((letters, 20), (digits, 10)):
        expected = sets * 8 * 4 / symbols
        assert len(counts) == symbols
        chi_squared = sum((count - expected) ** 2 / expected for count in counts.values())
        # The inputs are fixed, so this never flickers; 19 degrees of freedom exceed 60 once in 10^4.
        assert chi_squared < 60


def test_a_repeated_code_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = iter([0, 0, 1, 1, 2, 3, 4, 5, 6, 7])
    monkeypatch.setattr(BackupCodeKeys, "_code", lambda _self, _index: f"AAAA-{next(numbers):04}")
    assert keys().codes() == [f"AAAA-{number:04}" for number in range(8)]


def test_a_code_of_other_than_ascii_is_refused_by_the_hash() -> None:
    with pytest.raises(UnicodeEncodeError):
        keys().hash("ÄBCD-1234")
