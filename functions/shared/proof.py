"""The proof of a second factor: a signed token that any API can check by itself (RFC 7519, RFC 9068).

It states that one user proved a second factor at one time, for one audience. It is neither a session nor accepted by
this service's own authorizer.
"""

import base64
import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from functions.shared.clock import Clock
from functions.shared.contract import PROOF_ALGORITHM, Factor, Metric
from functions.shared.identity import AccessToken
from functions.shared.settings import ProofSettings
from functions.shared.signing import KmsSigner

#: ``amr`` by factor (RFC 8176 section 2): a backup code is a second factor, but not a one-time password of a device.
_METHODS: Final = {Factor.TOTP: ["otp", "mfa"], Factor.BACKUP_CODE: ["mfa"]}


class Signer(Protocol):
    """Signs with RS256."""

    @property
    def key_id(self) -> str:
        """The ``kid`` of its public key."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the signature of a message, or raise `ServiceUnavailableError`."""
        ...


@dataclass(frozen=True)
class Proof:
    """A signed token, and when it expires in epoch seconds."""

    token: str = field(repr=False)
    expires_at: int


class Prover:
    """Issues proofs.

    Parameters
    ----------
    settings : ProofSettings
        Issuer, audience and lifetime.
    signer : Signer
        Signs them.
    clock : callable
        The current time in epoch seconds.
    """

    def __init__(self, settings: ProofSettings, *, signer: Signer, clock: Clock = time.time) -> None:
        self._settings = settings
        self._signer = signer
        self._clock = clock

    def prove(self, access_token: AccessToken, factor: Factor, *, count: Callable[[Metric], None]) -> Proof:
        """Return a proof that the user of an access token proved a factor now. It never outlives that token.

        Raises
        ------
        ServiceUnavailableError
            The proof could not be signed.
        """
        now = int(self._clock())
        expires_at = min(now + self._settings.lifetime_seconds, access_token.expires_at)
        header = {"alg": PROOF_ALGORITHM, "typ": "at+jwt", "kid": self._signer.key_id}
        claims = {
            "iss": self._settings.issuer,
            "aud": self._settings.audience,
            "sub": access_token.subject,
            "client_id": access_token.client_id,
            "sid": access_token.session_id,
            "iat": now,
            "auth_time": now,
            "exp": expires_at,
            "jti": str(uuid.uuid4()),
            "amr": _METHODS[factor],
            "acr": "mfa",
        }
        signed = f"{_encoded(header)}.{_encoded({name: value for name, value in claims.items() if value is not None})}"
        count(Metric.PROOF_SIGNATURES)
        return Proof(f"{signed}.{_base64url(self._signer.sign(signed.encode()))}", expires_at)


def prover_from_environ(environ: Mapping[str, str], clock: Clock = time.time) -> Prover | None:
    """Return the prover that the environment describes, or None if proofs are off.

    Raises
    ------
    ConfigurationError
        A variable is missing or wrong.
    """
    settings = ProofSettings.from_environ(environ)
    return None if settings is None else Prover(settings, signer=KmsSigner(settings.key), clock=clock)


def _encoded(part: Mapping[str, Any]) -> str:
    return _base64url(json.dumps(part, separators=(",", ":")).encode())


def _base64url(content: bytes) -> str:
    """Return base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
