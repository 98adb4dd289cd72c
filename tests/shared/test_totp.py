"""One-time passwords against the vectors of the RFCs and against an implementation in another language."""

import base64
import hashlib
import subprocess

import pyotp
import pytest

from functions.shared.totp import matching_step, time_step

RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()

#: RFC 4226 appendix D: counter and six-digit HOTP value.
RFC_4226 = list(
    enumerate(["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"])
)

#: RFC 6238 appendix B, SHA-1 rows: time, T, and the eight-digit TOTP, of which ours are the last six.
RFC_6238 = [
    (59, 0x1, "94287082"),
    (1111111109, 0x23523EC, "07081804"),
    (1111111111, 0x23523ED, "14050471"),
    (1234567890, 0x273EF07, "89005924"),
    (2000000000, 0x3F940AA, "69279037"),
    (20000000000, 0x27BC86AA, "65353130"),
]


@pytest.mark.parametrize(("counter", "password"), RFC_4226)
def test_rfc_4226_appendix_d(counter: int, password: str) -> None:
    assert matching_step(RFC_SECRET, password, now=counter * 30) == counter


@pytest.mark.parametrize(("now", "step", "password"), RFC_6238)
def test_rfc_6238_appendix_b(now: int, step: int, password: str) -> None:
    assert time_step(now) == step
    assert matching_step(RFC_SECRET, password[-6:], now=now) == step


@pytest.mark.parametrize("offset", [-2, -1, 0, 1, 2])
def test_the_window_is_one_step_either_way(offset: int) -> None:
    now = 2000000000
    password = pyotp.TOTP(RFC_SECRET).at(now + 30 * offset)
    expected = time_step(now) + offset if abs(offset) < 2 else None
    assert matching_step(RFC_SECRET, password, now=now) == expected


@pytest.mark.parametrize(("now", "offset"), [(2000000010 - 0.001, -1), (2000000010, 0), (2000000039.999, 0)])
def test_a_step_ends_exactly_at_its_thirtieth_second(now: float, offset: int) -> None:
    assert time_step(now) == 2000000010 // 30 + offset


def test_the_first_steps_of_the_epoch_have_none_before_them() -> None:
    assert matching_step(RFC_SECRET, "755224", now=0) == 0


@pytest.mark.parametrize("now", [1_700_000_000, 1_800_000_029, 4_000_000_000])
def test_oathtool_agrees(oathtool: str, now: int) -> None:
    # Another secret each time, the same in each run: two steps of a random one may have the same code.
    secret = base64.b32encode(hashlib.sha256(str(now).encode()).digest()[:20]).decode()
    command = [oathtool, "--totp", "--base32", f"--now=@{now}", secret]
    password = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    assert matching_step(secret, password, now=now) == time_step(now)
