"""The second factor at login."""

from functions.shared.clock import iso_timestamp
from functions.shared.contract import BACKUP_CODES_LOW_AT, ResponseWarning
from functions.shared.identity import Identity
from functions.shared.proof import Proof, Prover
from functions.shared.record import MfaRecord
from functions.shared.request_body import OfferedCode
from functions.shared.second_factor import Count, SecondFactor
from functions.verify_mfa.models import VerifyResponse


def verify(
    second_factor: SecondFactor,
    prover: Prover | None,
    identity: Identity,
    offered: OfferedCode,
    *,
    request_id: str,
    count: Count,
) -> VerifyResponse:
    """Accept the code and burn it, and issue a proof if there is a prover.

    The proof is signed after the code was compared and before it is burned: if it cannot be signed, nothing has
    changed, and a request that loses the write returns no proof. For the errors see `SecondFactor.require` and
    `Identity.require_access_token`.
    """
    access_token = identity.require_access_token() if prover else None
    proof: Proof | None = None

    def sign(burned: MfaRecord, _secret: str) -> MfaRecord:
        nonlocal proof
        if prover and access_token:
            proof = prover.prove(access_token, offered.factor, count=count)
        return burned

    success = second_factor.require(
        identity.user_id, offered, sign, request_id=request_id, count=count, signs=prover is not None
    )
    remaining, failures = len(success.record.backup_codes), success.failures
    return VerifyResponse(
        verified=True,
        method=offered.factor,
        backup_codes_remaining=remaining,
        failed_attempts=failures.count,
        last_failed_attempt_at=None if failures.last_at is None else iso_timestamp(failures.last_at),
        warnings=(ResponseWarning.BACKUP_CODES_LOW,) if remaining <= BACKUP_CODES_LOW_AT else (),
        proof=proof.token if proof else None,
        proof_expires_at=iso_timestamp(proof.expires_at) if proof else None,
    )
