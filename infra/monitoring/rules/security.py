"""Alarms of attack and misuse over all routes, and of the keys and logs."""

from collections.abc import Iterator

from functions.shared import contract
from functions.shared.contract import SETUP, Metric
from infra.config.monitoring import Thresholds
from infra.monitoring.resources import DECRYPT, WatchedResources
from infra.monitoring.rules.model import AlarmRule, except_newest, total, zero_filled


def security_rules(watched: WatchedResources, thresholds: Thresholds) -> Iterator[AlarmRule]:
    """Yield the alarms of guessing, of the token issuer, of the secret key and of the logs."""
    yield from _guessing(watched, thresholds)
    yield from _tokens(watched, thresholds)
    yield from _secret_key(watched, thresholds)
    if watched.proof_key_arns:
        yield from _proof_keys(watched, thresholds)
    yield from _logs(watched)
    if contract.SECURITY_EVENTS_FUNCTION in watched.functions:
        yield AlarmRule(
            key="record-tampered",
            happened="A user's item was changed in a way that no function produces: a secret, a counter or a code.",
            response="Find the writer in CloudTrail; reset the user, end their sessions, revoke the writer's access.",
            series={"records": watched.counted(Metric.RECORDS_TAMPERED)},
            threshold=1,
            pages=True,
        )


def _logs(watched: WatchedResources) -> Iterator[AlarmRule]:
    # AWS's page names a metric with both dimensions; templates that others deployed name only the group. A metric is
    # found only by its whole set of dimensions, and ten metrics are the most for one alarm: so there are two alarms.
    for key, dimensions in (
        ("secret-in-logs", {"DataProtectionOperation": "Audit"}),
        ("secret-in-logs-by-group", {}),
    ):
        findings = {folder: watched.masked_log_events(folder, dimensions) for folder in watched.functions}
        yield AlarmRule(
            key=key,
            happened="A log event looked like a TOTP secret, an otpauth URI or a backup code, and was masked.",
            response="Fix the function that logs it. Principals that may unmask logs could read it: reset that user.",
            series=findings,
            expression=total(findings),
            threshold=1,
        )


def _guessing(watched: WatchedResources, thresholds: Thresholds) -> Iterator[AlarmRule]:
    yield AlarmRule(
        key="invalid-codes-surge",
        happened="Far more wrong codes than people mistype: an attacker guesses, or clocks are wrong.",
        response="One user: lock-out handles it. Many users: block a common source, or check the clocks.",
        series={"codes": watched.counted(Metric.INVALID_CODES)},
        threshold=thresholds.invalid_codes,
    )
    yield AlarmRule(
        key="replays-surge",
        happened="Used codes were sent again, after ten seconds or more: a phishing page or a client repeats them.",
        response="Find the users. Several with different clients mean phishing: warn them and end their sessions.",
        series={"replays": watched.counted(Metric.REPLAYS_REJECTED)},
        threshold=thresholds.replays,
    )
    yield AlarmRule(
        key="lockouts-surge",
        happened="Many second factors were locked after wrong codes: an attacker who has passwords guesses codes.",
        response="Treat the passwords of the locked users as stolen, block the source, prepare for support calls.",
        series={"lockouts": watched.counted(Metric.LOCKOUTS)},
        threshold=thresholds.lockouts,
    )
    yield AlarmRule(
        key="backup-codes-surge",
        happened="Unusually many logins by backup code: leaked codes, or authenticators that stopped working.",
        response="Compare with wrong codes: many mean failing authenticators; few mean a leak.",
        series={"codes": watched.counted(Metric.BACKUP_CODES_USED)},
        threshold=thresholds.backup_codes_used,
    )
    yield AlarmRule(
        key="conflicts-surge",
        happened="Many simultaneous requests of the same user: parallel guessing, or a client that sends twice.",
        response="The guesses gained nothing. Find the users: few mean guessing, many mean a client's release.",
        series={"conflicts": watched.counted(Metric.CONFLICTS)},
        threshold=thresholds.conflicts,
    )


def _tokens(watched: WatchedResources, thresholds: Thresholds) -> Iterator[AlarmRule]:
    yield AlarmRule(
        key="insufficient-scope-surge",
        happened="Valid tokens without the required scope: a client or the issuer is misconfigured.",
        response="Find the client in the logs; if all are refused, compare the required scope with the issuer's.",
        series={"refused": watched.counted(Metric.INSUFFICIENT_SCOPE)},
        threshold=thresholds.insufficient_scope,
    )
    yield AlarmRule(
        key="jwks-fetch-failures",
        happened="The token issuer's keys cannot be fetched: soon every token will be refused.",
        response="Fetch the JWKS URL by hand; check the issuer's status, its certificate and the configured URL.",
        series={"failures": watched.counted(Metric.JWKS_FETCH_FAILURES)},
        threshold=thresholds.jwks_fetch_failures,
        # Cached keys bridge a short failure.
        datapoints=2,
        periods=2,
        pages=True,
    )


def _secret_key(watched: WatchedResources, thresholds: Thresholds) -> Iterator[AlarmRule]:
    # Every setup and every decryption of a secret is one call of the key; both counts include the failed calls.
    calls = {
        "setups": watched.counted(SETUP.metrics.attempts),
        "decryptions": watched.counted(Metric.SECRET_DECRYPTIONS),
    }
    failed = zero_filled("failures")
    yield AlarmRule(
        key="secret-key-unusable",
        happened="At least half of the calls on the secret key fail: disabled, denied, to be deleted, or KMS is down.",
        response="Run describe-key at once: cancel a pending deletion, enable the key, or restore its policy.",
        series={"failures": watched.counted(Metric.KEY_FAILURES), **calls},
        expression=f"IF(({failed} >= {thresholds.errors}) AND (2*{failed} >= {total(calls)}), 1, 0)",
        threshold=1,
        pages=True,
    )
    yield AlarmRule(
        key="secret-decrypted-outside-the-api",
        happened="The secret key decrypted more than the functions asked for: another principal decrypts secrets.",
        response="Find the caller of Decrypt in CloudTrail; if it is not expected, deny that principal on the key.",
        series={
            "decrypted": watched.secret_key_uses(DECRYPT),
            "counted": watched.counted(Metric.SECRET_DECRYPTIONS),
        },
        expression=except_newest(f"{zero_filled('decrypted')}-{zero_filled('counted')}", zero_filled("decrypted")),
        threshold=thresholds.decryptions_unaccounted,
        # The newest period is left out: the functions' counts reach CloudWatch through their logs, minutes after KMS's.
        # Two settled periods remain, in case the metric of KMS is late.
        periods=3,
        pages=True,
    )


def _proof_keys(watched: WatchedResources, thresholds: Thresholds) -> Iterator[AlarmRule]:
    failed, asked = zero_filled("failures"), zero_filled("asked")
    yield AlarmRule(
        key="proof-key-unusable",
        happened="At least half of the signatures of proofs fail: correct codes get a 503, and users cannot log in.",
        response="Run describe-key on the first of proof_keys: cancel a deletion, enable it, or compare its quota.",
        series={
            "failures": watched.counted(Metric.PROOF_SIGNING_FAILURES),
            "asked": watched.counted(Metric.PROOF_SIGNATURES),
        },
        expression=f"IF(({failed} >= {thresholds.errors}) AND (2*{failed} >= {asked}), 1, 0)",
        threshold=1,
        pages=True,
    )
    signed = watched.proof_key_uses()
    yield AlarmRule(
        key="proof-signed-outside-the-api",
        happened="The keys signed more than the functions asked for: another principal signs proofs for any user.",
        response="Find the caller of Sign in CloudTrail; deny that principal on the key, then replace the key.",
        series={**signed, "counted": watched.counted(Metric.PROOF_SIGNATURES)},
        expression=except_newest(f"{total(signed)}-{zero_filled('counted')}", total(signed)),
        threshold=thresholds.signatures_unaccounted,
        periods=3,  # for the same reasons
        pages=True,
    )
