"""The dashboards are valid, and show exactly the metrics that the functions publish."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from functions.shared import contract
from functions.shared.contract import Metric
from infra.monitoring.dashboard.graphs import Colour
from infra.monitoring.queries import SAVED_QUERIES
from infra.paths import REPOSITORY
from local.cloudwatch.dashboard_body import metrics_shown, problems
from local.cloudwatch.graph_lines import lines
from local.cloudwatch.metric_statistics import Window
from tests.infra.monitoring.templates import KEY_ARN, PROOF_KEY_ARNS, Monitoring
from tests.support.metric_store import MetricStore


def _published_by_code() -> set[str]:
    """Return the metrics that the code under ``functions`` mentions."""
    names = {name for endpoint in (*contract.ENDPOINTS, contract.JWKS) for name in endpoint.metrics.names()}
    names.remove(contract.JWKS.metrics.unauthorized)  # a public route
    for path in (REPOSITORY / "functions").rglob("*.py"):
        if path.name != "contract.py":
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Metric":
                    names.add(str(Metric[node.attr]))
    return names


def _shown(monitoring: Monitoring) -> Iterator[tuple[str, str, dict[str, str]]]:
    for namespace, name, dimensions in metrics_shown(monitoring.overview):
        yield namespace, name, dict(dimensions)


@pytest.fixture(params=["prod", "dev", "dev_with_all_alarms", "local"])
def monitoring(request: pytest.FixtureRequest) -> Monitoring:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Monitoring)
    return found


def test_every_dashboard_is_named_after_its_region_and_valid(monitoring: Monitoring, dev: Monitoring) -> None:
    """Dashboards are global: a second region with the same names would fail to deploy."""
    name = f"mfa-{monitoring.environment}-eu-central-1"
    assert set(monitoring.dashboards) == {name, *([] if monitoring is dev else [f"{name}-functions"])}
    for body in monitoring.dashboards.values():
        assert problems(body) == []


def test_shows_exactly_the_published_metrics(prod: Monitoring) -> None:
    shown = {name for namespace, name, _ in _shown(prod) if namespace == contract.METRICS_NAMESPACE}
    assert shown == _published_by_code()


def test_metrics_have_exactly_their_dimensions(monitoring: Monitoring) -> None:
    environment = monitoring.environment
    names = {
        contract.lambda_name(folder, environment)
        for folder in (
            *(endpoint.function for endpoint in contract.ENDPOINTS),
            contract.AUTHORIZER_FUNCTION,
            contract.SECURITY_EVENTS_FUNCTION,
            contract.SIGNING_KEYS_FUNCTION,
        )
    }
    for namespace, name, dimensions in _shown(monitoring):
        match namespace:
            case contract.METRICS_NAMESPACE:
                assert dimensions == {"environment": environment, "service": "mfa"}
            case "AWS/ApiGateway":
                assert dimensions == {"ApiName": f"mfa-{environment}", "Stage": "v1"}
            case "AWS/Lambda" if name == "ClaimedAccountConcurrency":
                assert dimensions == {}
            case "AWS/Lambda":
                assert dimensions["FunctionName"] in names
            case "AWS/DynamoDB":
                assert dimensions.pop("TableName") == f"mfa-{environment}-users"
                assert set(dimensions) <= {"Operation"}
            case "AWS/KMS":
                uses = {"Sign"} if dimensions["KeyArn"] in PROOF_KEY_ARNS else {"Decrypt", "GenerateDataKey"}
                assert dimensions["KeyArn"] in {KEY_ARN, *PROOF_KEY_ARNS}
                assert dimensions["Operation"] in uses
            case "AWS/SQS":
                assert dimensions == {"QueueName": f"mfa-{environment}-security-events-dead-letters"}
            case other:
                pytest.fail(f"unexpected namespace {other}")


def _widget(monitoring: Monitoring, title: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = [
        widget["properties"] for widget in monitoring.overview["widgets"] if widget["properties"].get("title") == title
    ]
    (properties,) = found
    return properties


def test_the_answer_comes_first(prod: Monitoring) -> None:
    rows = defaultdict(list)
    for widget in prod.overview["widgets"]:
        rows[widget["y"]].append(widget)
    title, alarms, figures, *_ = (rows[y] for y in sorted(rows))
    assert title[0]["properties"]["markdown"].startswith("# MFA service · prod · ")
    assert alarms[0]["properties"]["states"] == ["ALARM"]
    assert {each["properties"]["view"] for each in figures} == {"singleValue", "gauge"}


def test_a_key_figure_has_the_colour_of_its_target_at_both_ends(prod: Monitoring) -> None:
    gauges = [each["properties"] for each in prod.overview["widgets"] if each["properties"].get("view") == "gauge"]
    targets = {
        each["title"]: {end["fill"]: end["color"] for end in each["annotations"]["horizontal"]} for each in gauges
    }
    good, bad = Colour.GOOD.value, Colour.BROKEN.value
    at_least, below = {"above": good, "below": bad}, {"above": bad, "below": good}
    assert targets == {
        "Setups succeeded": at_least,
        "Codes accepted": at_least,
        "Server errors (5xx)": below,
        "Latency, p99": below,
        "Wrong codes": below,
    }
    for gauge in gauges:
        (label,) = [each[-1]["label"] for each in gauge["metrics"] if each[-1].get("visible", True)]
        assert label.startswith("target: ")


@pytest.mark.parametrize(
    ("attempts", "successes", "enabled", "shown"), [(10, 6, 4, 100), (10, 6, 0, 60), (4, 0, 4, None)]
)
def test_setups_of_users_who_have_mfa_already_are_no_failures(
    prod: Monitoring, attempts: int, successes: int, enabled: int, shown: float | None
) -> None:
    store, now = MetricStore(), 600.0
    dimensions = contract.metric_dimensions("prod")
    names = contract.SETUP_METRICS
    for name, value in ((names.attempts, attempts), (names.successes, successes), (names.rejections, enabled)):
        store.put(contract.METRICS_NAMESPACE, name, dimensions, value, at=now - 1)
    (found,) = lines(_widget(prod, "Setups succeeded"), store, Window(end=now, period=300, length=1))
    assert found.values == [shown]


def test_the_search_field_changes_the_query_of_one_table(prod: Monitoring) -> None:
    (variable,) = prod.overview["variables"]
    assert (variable["type"], variable["inputType"]) == ("pattern", "input")
    changed = [each for each in prod.overview["widgets"] if variable["pattern"] in str(each)]
    assert [each["properties"]["title"] for each in changed] == ["Requests found"]


def test_dev_shows_the_state_of_its_six_alarms(dev: Monitoring) -> None:
    shown = [each["properties"]["alarms"] for each in dev.overview["widgets"] if each["type"] == "alarm"]
    assert len(shown) == 2
    for alarms in shown:
        assert sorted(alarms) == sorted(
            f"<AWS::CloudWatch::Alarm {each['AlarmName']} Arn>" for each in dev.alarms.values()
        )


def test_shows_the_state_of_every_alarm(prod: Monitoring) -> None:
    banner, *tiles = [each["properties"] for each in prod.overview["widgets"] if each["type"] == "alarm"]
    shown = [arn for each in tiles for arn in each["alarms"]]
    page = "<AWS::CloudWatch::CompositeAlarm mfa-prod-page Arn>"
    expected = [f"<AWS::CloudWatch::Alarm {each['AlarmName']} Arn>" for each in prod.alarms.values()]
    assert sorted(shown) == sorted([page, *expected])
    assert sorted(banner["alarms"]) == sorted(shown)
    assert tiles[0]["alarms"][0] == page


def test_saved_queries_read_the_environments_own_log_groups(monitoring: Monitoring) -> None:
    found = monitoring.stack.properties_of("AWS::Logs::QueryDefinition")
    assert {each["Name"] for each in found} == {f"mfa/{monitoring.environment}/{query.name}" for query in SAVED_QUERIES}
    for each in found:
        assert each["LogGroupNames"]
        assert all(name.removesuffix(">").endswith(f"-{monitoring.environment}") for name in each["LogGroupNames"])


def test_log_tables_run_saved_queries(prod: Monitoring) -> None:
    saved = {each["QueryString"] for each in prod.stack.properties_of("AWS::Logs::QueryDefinition")}
    for widget in prod.overview["widgets"]:
        if widget["type"] == "log":
            query = re.fullmatch(r"(?:SOURCE '[^']+' \| )+(.*)", widget["properties"]["query"], re.DOTALL)
            assert query is not None
            assert query[1] in saved
