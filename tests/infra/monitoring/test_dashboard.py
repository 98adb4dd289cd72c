"""The dashboards are valid, and show exactly the metrics that the functions publish."""

import ast
import re
from collections.abc import Iterator

import pytest

from functions.shared import contract
from functions.shared.contract import Metric
from infra.monitoring.queries import SAVED_QUERIES
from infra.paths import REPOSITORY
from local.cloudwatch.dashboard_body import metrics_shown, problems
from tests.infra.monitoring.templates import KEY_ARN, PROOF_KEY_ARNS, Monitoring


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


@pytest.fixture(params=["prod", "dev", "local"])
def monitoring(request: pytest.FixtureRequest) -> Monitoring:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Monitoring)
    return found


def test_every_body_is_valid(monitoring: Monitoring) -> None:
    assert set(monitoring.dashboards) == {f"mfa-{monitoring.environment}", f"mfa-{monitoring.environment}-functions"}
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


def test_the_six_metrics_are_shown_by_name(prod: Monitoring) -> None:
    (setup,) = [
        widget["properties"]
        for widget in prod.overview["widgets"]
        if widget["properties"].get("title") == "Setup: POST /auth/mfa/setup"
    ]
    labels = [metric[-1]["label"] for metric in setup["metrics"] if metric[-1].get("visible", True)]
    assert labels == [
        "MFASetupAttempts",
        "SuccessfulMFASetups",
        "MFAAlreadyEnabledErrors",
        "MFASetupErrors",
        "MFASetupSystemErrors",
        "UnauthorizedMFASetupAttempts",
    ]


def test_every_section_says_what_is_normal_and_links_the_runbook(prod: Monitoring) -> None:
    texts = [each["properties"]["markdown"] for each in prod.overview["widgets"] if each["type"] == "text"]
    sections = [text for text in texts if text.startswith("## ")]
    assert [section.splitlines()[0].removeprefix("## ") for section in sections] == [
        "Health",
        "Attacks",
        "Latency and failures",
        "Cost",
        "Latest failures",
    ]
    for section in sections:
        assert "Normal:" in section or "never a secret" in section
        assert "https://git.example.com/mfa/blob/main/docs/runbook.md#" in section


def test_shows_the_state_of_every_alarm(prod: Monitoring) -> None:
    tiles = [each["properties"] for each in prod.overview["widgets"] if each["type"] == "alarm"]
    shown = [arn for each in tiles for arn in each["alarms"]]
    page = "<AWS::CloudWatch::CompositeAlarm mfa-prod-page Arn>"
    expected = [f"<AWS::CloudWatch::Alarm {each['AlarmName']} Arn>" for each in prod.alarms.values()]
    assert sorted(shown) == sorted([page, *expected])
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
