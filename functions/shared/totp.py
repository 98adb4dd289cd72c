"""Time-based one-time passwords: RFC 6238 with SHA-1, 6 digits and steps of 30 seconds."""

import base64
import hmac

import pyotp

from functions.shared.contract import STEP_SECONDS, WINDOW


class _Hotp(pyotp.HOTP):
    """Accepts the shorter keys of imported users too; pyotp refuses keys of less than 112 bits."""

    def __init__(self, secret: str) -> None:
        self._key = base64.b32decode(secret)
        super().__init__(secret)

    def byte_secret(self) -> bytes:
        """Return the key, which pyotp asks for at every step."""
        return self._key


def time_step(now: float) -> int:
    """Return the time step T of an epoch time (RFC 6238 section 4.2, T0 = 0)."""
    return int(now) // STEP_SECONDS


def matching_step(secret: str, code: str, *, now: float) -> int | None:
    """Return the time step within the window whose password is ``code``, or None.

    Every step is computed and compared in constant time, whether or not an earlier one matched. If two steps have the
    same password, the later one is returned, so that both are burned.

    Parameters
    ----------
    secret : str
        Base32, in whole groups of eight characters.
    code : str
        Six ASCII digits.
    now : float
        Epoch seconds.
    """
    hotp = _Hotp(secret)
    present = time_step(now)
    matched = None
    for step in range(max(0, present - WINDOW), present + WINDOW + 1):
        if hmac.compare_digest(hotp.at(step).encode(), code.encode()):
            matched = step
    return matched
