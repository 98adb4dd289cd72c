"""Alarms of attack and misuse, over all routes, and of the keys that everything rests on."""

from collections.abc import Iterator

from functions.shared.contract import SETUP, Metric
from infra.config.monitoring import Thresholds
from infra.monitoring.resources import WatchedResources
from infra.monitoring.rules.model import AlarmRule, Missing, Series, Urgency, total, zero_filled
from infra.monitoring.rules.series import counted, masked_log_events, secret_key_uses

#: What the functions ask of the secret's key: setup the first, everything after it the second.
GENERATE_DATA_KEY = "GenerateDataKey"
DECRYPT = "Decrypt"


def security_rules(environment: str, resources: WatchedResources, thresholds: Thresholds) -> Iterator[AlarmRule]:
    """Yield the alarms of guessing, of the token issuer, of the secret's key and of the logs."""
    yield from _guessing(environment, thresholds)
    yield from _tokens(environment, thresholds)
    yield from _secret_key(environment, resources, thresholds)
    yield _masked_secrets(environment, resources)


def _guessing(environment: str, thresholds: Thresholds) -> Iterator[AlarmRule]:
    yield AlarmRule(
        key="invalid-codes-surge",
        happened="Far more wrong codes than people mistype: somebody guesses, or clocks are off.",
        response="One user: lock-out handles it. Many users: look for one source and block it; none: check the time.",
        series={"codes": counted(Metric.INVALID_CODES, environment)},
        threshold=thresholds.invalid_codes,
        missing=Missing.NOT_BREACHING,  # a counter: no datapoint is no wrong code
    )
    yield AlarmRule(
        key="replays-surge",
        happened="Right codes came a second time: relayed from a phishing page, or a client that sends twice.",
        response="Find the users; several of them with different clients means phishing, tell them and end sessions.",
        series={"replays": counted(Metric.REPLAYS_REJECTED, environment)},
        threshold=thresholds.replays,
        missing=Missing.NOT_BREACHING,  # a counter: no datapoint is no replay
    )
    yield AlarmRule(
        key="lockouts-surge",
        happened="Many second factors were locked after repeated wrong codes: a guessing campaign that had passwords.",
        response="Treat the passwords of the locked users as stolen, block the source, be ready for support calls.",
        series={"lockouts": counted(Metric.LOCKOUTS, environment)},
        threshold=thresholds.lockouts,
        missing=Missing.NOT_BREACHING,  # a counter: no datapoint is nobody locked
    )
    yield AlarmRule(
        key="backup-codes-surge",
        happened="Unusually many logins by backup code: leaked codes, or authenticators that stopped working.",
        response="Compare with wrong codes: high means authenticators fail; low means look for a leak.",
        series={"codes": counted(Metric.BACKUP_CODES_USED, environment)},
        threshold=thresholds.backup_codes_used,
        missing=Missing.NOT_BREACHING,  # a counter: no datapoint is no code used
    )
    yield AlarmRule(
        key="conflicts-surge",
        happened="Many requests of one user at the same time: parallel guessing, or a client that fires twice.",
        response="No guess was won by it. Find the users: one or few means guessing, many means a client's release.",
        series={"conflicts": counted(Metric.CONFLICTS, environment)},
        threshold=thresholds.conflicts,
        missing=Missing.NOT_BREACHING,  # a counter: no datapoint is no race
    )


def _tokens(environment: str, thresholds: Thresholds) -> Iterator[AlarmRule]:
    yield AlarmRule(
        key="insufficient-scope-surge",
        happened="Valid tokens without the required scope: a client or the issuer is configured wrongly.",
        response="Find the client in the logs; if all are refused, compare the required scope with the issuer's.",
        series={"refused": counted(Metric.INSUFFICIENT_SCOPE, environment)},
        threshold=thresholds.insufficient_scope,
        missing=Missing.NOT_BREACHING,  # a counter: no datapoint is nobody refused
    )
    yield AlarmRule(
        key="jwks-fetch-failures",
        happened="The token issuer's keys can not be fetched: soon every token will be refused.",
        response="Fetch the JWKS URL by hand; check the issuer's status, its certificate and the configured URL.",
        series={"failures": counted(Metric.JWKS_FETCH_FAILURES, environment)},
        threshold=thresholds.jwks_fetch_failures,
        datapoints=2,
        periods=2,  # cached keys carry the service over a hiccup
        missing=Missing.NOT_BREACHING,  # a counter: no datapoint is no failed fetch
        urgency=Urgency.PAGE,
    )


def _secret_key(environment: str, resources: WatchedResources, thresholds: Thresholds) -> Iterator[AlarmRule]:
    # Each setup asks the key once, and so does each secret that is opened: failed calls are counted in both.
    calls = {
        "setups": counted(SETUP.metrics.attempts, environment),
        "decryptions": counted(Metric.SECRET_DECRYPTIONS, environment),
    }
    failed = zero_filled("failures")
    yield AlarmRule(
        key="secret-key-unusable",
        happened="Half of the calls on the secret's key or more fail: disabled, denied, to be deleted, or KMS is down.",
        response="Run describe-key at once: cancel a pending deletion, enable the key, or restore its policy.",
        series={"failures": counted(Metric.KEY_FAILURES, environment), **calls},
        expression=f"IF(({failed} >= {thresholds.errors}) AND (2*{failed} >= {total(calls)}), 1, 0)",
        threshold=1,
        missing=Missing.NOT_BREACHING,  # no failed call is counted: the key answers, or nobody asks
        urgency=Urgency.PAGE,
    )
    yield AlarmRule(
        key="secret-decrypted-outside-the-api",
        happened="The secret's key decrypted more than the functions asked for: somebody else opens TOTP secrets.",
        response="Find the caller of Decrypt in CloudTrail; if it is not expected, deny that principal on the key.",
        series={
            "decrypted": secret_key_uses(DECRYPT, resources),
            "counted": counted(Metric.SECRET_DECRYPTIONS, environment),
        },
        expression=f"{zero_filled('decrypted')}-{zero_filled('counted')}",
        threshold=thresholds.decryptions_unaccounted,
        # Long periods: a call and its count may fall on two sides of a period's edge.
        period_minutes=15,
        missing=Missing.NOT_BREACHING,  # no call on the key: nothing was opened
        urgency=Urgency.PAGE,
    )


def _masked_secrets(environment: str, resources: WatchedResources) -> AlarmRule:
    findings: dict[str, Series] = {each.folder: masked_log_events(each, environment) for each in resources.functions}
    return AlarmRule(
        key="secret-in-logs",
        happened="A log event looked like a TOTP secret, an otpauth URI or a backup code, and was masked.",
        response="Find and fix the function that logs it; whoever may unmask logs could read it, so reset that user.",
        series=findings,
        expression=total(findings),
        threshold=1,
        missing=Missing.NOT_BREACHING,  # published on findings alone
    )
