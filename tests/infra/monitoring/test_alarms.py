"""Every alarm fires when it should and not in a normal hour, evaluated from its CloudFormation properties."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from functions.shared import contract
from functions.shared.contract import Metric
from infra.monitoring.rules import PAGE_KEY
from local.cloudwatch.alarm_state import AlarmState, alarm_state
from tests.infra.monitoring.scenarios import FIRE, HOUR, PERIOD, Scenario, normal_five_minutes
from tests.infra.monitoring.templates import Monitoring
from tests.infra.monitoring.traffic import KEY_UNAVAILABLE, OK, REJECTED, UNAVAILABLE, Traffic

#: A time at which periods of every length in use end.
NOW = 20 * HOUR

#: How much later than the metric of KMS the functions' counts reach CloudWatch, seconds.
LAG_OF_COUNTS = 180

CASES = [
    pytest.param(key, scenario, id=f"{key}-{index}" if index else key)
    for key, scenarios in FIRE.items()
    for index, scenario in enumerate(scenarios)
]


def _happened(environment: str, scenario: Scenario) -> Traffic:
    traffic = Traffic(environment, now=NOW - 1)
    scenario(traffic)
    return traffic


def _dimensions(alarm: dict[str, Any]) -> Iterator[list[dict[str, str]]]:
    """Yield the dimensions of each metric that an alarm reads."""
    if "Metrics" not in alarm:
        yield alarm.get("Dimensions", [])
    for query in alarm.get("Metrics", ()):
        if "MetricStat" in query:
            yield query["MetricStat"]["Metric"].get("Dimensions", [])


def test_scenarios_and_alarms_match(prod: Monitoring) -> None:
    assert set(FIRE) == set(prod.alarms)


@pytest.mark.parametrize(("key", "scenario"), CASES)
def test_fires(prod: Monitoring, key: str, scenario: Scenario) -> None:
    assert alarm_state(prod.alarms[key], _happened("prod", scenario).store, now=NOW) is AlarmState.ALARM


@pytest.fixture(scope="module")
def normal_hours() -> Traffic:
    """Return four normal hours, as some alarms look back further than one."""
    traffic = Traffic("prod", now=0.0)
    for start in range(NOW - 4 * HOUR, NOW, PERIOD):
        traffic.now = start + 1
        normal_five_minutes(traffic)
    return traffic


@pytest.mark.parametrize("key", FIRE)
def test_is_silent_in_a_normal_hour(prod: Monitoring, normal_hours: Traffic, key: str) -> None:
    alarm = prod.alarms[key]
    for now in range(NOW - HOUR, NOW + 1, PERIOD):
        assert alarm_state(alarm, normal_hours.store, now=now) is AlarmState.OK


# Only `no-traffic` fires on missing data.
@pytest.mark.parametrize("key", [key for key in FIRE if key != "no-traffic"])
def test_is_silent_when_nothing_is_published(prod: Monitoring, key: str) -> None:
    assert alarm_state(prod.alarms[key], Traffic("prod", now=NOW).store, now=NOW) is AlarmState.OK


@pytest.mark.parametrize("key", [key for key in FIRE if key not in {"no-traffic", "account-concurrency"}])
def test_does_not_fire_with_a_wrong_dimension(prod: Monitoring, key: str) -> None:
    store = _happened("prod", FIRE[key][0]).store
    for position in range(max(len(dimensions) for dimensions in _dimensions(prod.alarms[key]))):
        broken = copy.deepcopy(prod.alarms[key])
        for dimensions in _dimensions(broken):
            if position < len(dimensions):
                dimensions[position]["Value"] += "-typo"
        assert alarm_state(broken, store, now=NOW) is not AlarmState.ALARM


def test_watches_only_its_own_environment(prod: Monitoring) -> None:
    for key, scenarios in FIRE.items():
        if key not in {"no-traffic", "account-concurrency"} and not key.endswith("-outside-the-api"):
            store = _happened("dev", scenarios[0]).store
            assert alarm_state(prod.alarms[key], store, now=NOW) is AlarmState.OK, key


def test_no_traffic_ends_with_the_first_request(prod: Monitoring) -> None:
    store = _happened("prod", lambda traffic: traffic.gateway(requests=1)).store
    assert alarm_state(prod.alarms["no-traffic"], store, now=NOW) is AlarmState.OK


def test_setup_rejections_are_no_outage(prod: Monitoring) -> None:
    store = _happened("prod", lambda traffic: traffic.requests(60, contract.SETUP, REJECTED)).store
    assert alarm_state(prod.alarms["setup-mfa-no-success"], store, now=NOW) is AlarmState.OK


def test_one_failure_in_a_quiet_night_does_not_page(prod: Monitoring) -> None:
    store = _happened("prod", lambda traffic: traffic.requests(1, contract.SETUP, UNAVAILABLE)).store
    for key in prod.paging - {"no-traffic"}:
        assert alarm_state(prod.alarms[key], store, now=NOW) is AlarmState.OK, key


def _logins_seen_at(now: int, per_minute: int) -> Traffic:
    """Return half an hour of logins as CloudWatch has it at a time: without the functions' counts of the last minutes.

    A count has a later time than the call of KMS.
    """
    traffic = Traffic("prod", now=now)
    for second in range(now - HOUR // 2, now, 10):
        traffic.now = second
        traffic.key_used("Decrypt", per_minute / 6)
        if second < now - LAG_OF_COUNTS:
            dimensions = contract.metric_dimensions("prod")
            name = Metric.SECRET_DECRYPTIONS
            traffic.store.put(contract.METRICS_NAMESPACE, name, dimensions, per_minute / 6, at=second + 0.5)
    traffic.now = now
    return traffic


@pytest.mark.parametrize("per_minute", [10, 100, 1000])
def test_late_counts_of_decryptions_do_not_fire(prod: Monitoring, per_minute: int) -> None:
    alarm = prod.alarms["secret-decrypted-outside-the-api"]
    for now in range(NOW, NOW + 2 * PERIOD, 60):
        assert alarm_state(alarm, _logins_seen_at(now, per_minute).store, now=now) is AlarmState.OK


@pytest.mark.parametrize("per_minute", [10, 100, 1000])
def test_ten_other_decryptions_fire_within_ten_minutes(prod: Monitoring, per_minute: int) -> None:
    alarm = prod.alarms["secret-decrypted-outside-the-api"]
    fired = []
    for now in range(NOW + 60, NOW + 2 * PERIOD + 60, 60):
        traffic = _logins_seen_at(now, per_minute)
        traffic.now = NOW
        traffic.key_used("Decrypt", 10)
        fired.append(alarm_state(alarm, traffic.store, now=now) is AlarmState.ALARM)
    assert fired[-1]
    assert not fired[0]


def test_decryptions_beyond_those_counted_fire(prod: Monitoring) -> None:
    alarm = prod.alarms["secret-decrypted-outside-the-api"]
    traffic = Traffic("prod", now=NOW - PERIOD - 1)
    traffic.counts(200, Metric.SECRET_DECRYPTIONS)
    traffic.key_used("Decrypt", 209)
    assert alarm_state(alarm, traffic.store, now=NOW) is AlarmState.OK
    traffic.key_used("Decrypt", 1)
    assert alarm_state(alarm, traffic.store, now=NOW) is AlarmState.ALARM


def test_other_failures_do_not_make_the_key_unusable(prod: Monitoring) -> None:
    store = _happened("prod", lambda traffic: traffic.requests(50, contract.SETUP, UNAVAILABLE)).store
    assert alarm_state(prod.alarms["secret-key-unusable"], store, now=NOW) is AlarmState.OK


def test_a_key_that_serves_most_calls_is_usable(prod: Monitoring) -> None:
    traffic = _happened("prod", lambda traffic: traffic.requests(5, contract.SETUP, KEY_UNAVAILABLE))
    assert alarm_state(prod.alarms["secret-key-unusable"], traffic.store, now=NOW) is AlarmState.ALARM
    traffic.requests(6, contract.SETUP, OK)
    assert alarm_state(prod.alarms["secret-key-unusable"], traffic.store, now=NOW) is AlarmState.OK


# -- names, descriptions and actions ----------------------------------------------------------------------------------


def test_names_carry_service_and_environment(prod: Monitoring, dev_with_all_alarms: Monitoring) -> None:
    for monitoring in (prod, dev_with_all_alarms):
        names = [alarm["AlarmName"] for alarm in monitoring.alarms.values()]
        names.append(monitoring.composite["AlarmName"])
        assert all(name.startswith(f"mfa-{monitoring.environment}-") for name in names)
        assert len(names) == len(set(names))


def test_descriptions_have_what_happened_what_to_do_and_the_runbook_link(prod: Monitoring) -> None:
    alarms = {**prod.alarms, PAGE_KEY: prod.composite}
    for key, alarm in alarms.items():
        happened, rest = alarm["AlarmDescription"].removeprefix("What happened: ").split(" What to do: ")
        response, link = rest.split(" Runbook: ")
        assert len(happened) > 20
        assert len(response) > 20
        assert link == f"https://git.example.com/mfa/blob/main/docs/runbook.md#{key}"
        assert len(alarm["AlarmDescription"]) <= 1024  # CloudWatch's limit


def test_missing_data_breaches_only_for_no_traffic(prod: Monitoring) -> None:
    for key, alarm in prod.alarms.items():
        assert alarm["TreatMissingData"] == ("breaching" if key == "no-traffic" else "notBreaching")


def test_only_the_composite_pages(prod: Monitoring) -> None:
    for alarm in prod.alarms.values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == ["<AWS::SNS::Topic mfa-prod-alerts>"]
    assert prod.composite["AlarmActions"] == prod.composite["OKActions"] == ["<AWS::SNS::Topic mfa-prod-pages>"]


def test_the_composite_watches_what_users_notice(prod: Monitoring) -> None:
    assert prod.paging == {
        *(
            f"{name.replace('_', '-')}-error-ratio"
            for name in (*(e.function for e in contract.ENDPOINTS), "signing_keys")
        ),
        "setup-mfa-no-success",
        "verify-mfa-no-success",
        "jwks-fetch-failures",
        "secret-key-unusable",
        "secret-decrypted-outside-the-api",
        "proof-key-unusable",
        "proof-signed-outside-the-api",
        "record-tampered",
        "api-5xx-ratio",
        "account-concurrency",
        "no-traffic",
    }
    assert " AND " not in prod.composite["AlarmRule"]
    assert "NOT " not in prod.composite["AlarmRule"]


def test_dev_does_not_page(dev_with_all_alarms: Monitoring) -> None:
    topics = dev_with_all_alarms.stack.properties_of("AWS::SNS::Topic")
    assert "AlarmActions" not in dev_with_all_alarms.composite
    assert [topic["TopicName"] for topic in topics] == ["mfa-dev-alerts"]


# -- coverage ------------------------------------------------------------------------------------------------------


def test_dev_has_by_default_one_alarm_for_each_of_the_six_metrics(dev: Monitoring) -> None:
    assert sorted(each["MetricName"] for each in dev.alarms.values()) == sorted(contract.SETUP_METRICS.names())
    for kind in ("AWS::CloudWatch::CompositeAlarm", "AWS::SNS::Topic", "AWS::KMS::Key"):
        assert dev.stack.resources(kind) == {}


def test_dev_can_have_every_alarm(dev_with_all_alarms: Monitoring, local: Monitoring) -> None:
    assert {*dev_with_all_alarms.alarms} == {*local.alarms} - {"proof-key-unusable", "proof-signed-outside-the-api"} - {
        key for key in local.alarms if key.startswith("signing-keys-")
    }
    assert len(dev_with_all_alarms.dashboards) == 2


def test_a_subscriber_is_notified_of_few_alarms_too() -> None:
    notified = Monitoring.synthesize("dev", alert_emails="team@example.com")
    for alarm in notified.alarms.values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == ["<AWS::SNS::Topic mfa-dev-alerts>"]
    assert [each["Endpoint"] for each in notified.stack.properties_of("AWS::SNS::Subscription")] == ["team@example.com"]


def test_alarms_are_within_cloudwatchs_limits(prod: Monitoring) -> None:
    for alarm in prod.alarms.values():
        queries = alarm.get("Metrics", [])
        assert sum("MetricStat" in query for query in queries) <= 10
        assert len({query["MetricStat"]["Period"] for query in queries if "MetricStat" in query}) <= 1
        assert len({query["Id"] for query in queries}) == len(queries)
        # CloudWatch evaluates at most one day.
        length = alarm.get("Period") or next(q["MetricStat"]["Period"] for q in queries if "MetricStat" in q)
        assert length * alarm["EvaluationPeriods"] <= 86_400
        assert alarm["DatapointsToAlarm"] <= alarm["EvaluationPeriods"]
    assert len(json.dumps(prod.composite["AlarmRule"])) <= 10_240
