"""The saved queries, run over lines that the functions write."""

import json
import time
from collections.abc import Callable
from types import ModuleType

import pytest

from functions.shared import contract
from infra.monitoring import queries
from infra.monitoring.queries import SAVED_QUERIES, SavedQuery
from local.cloudwatch.logs_insights import Row, run
from tests.support.aws_calls import raising, refused
from tests.support.embedded_aws import EmbeddedAws
from tests.support.events import api_event

type Load = Callable[[str], ModuleType]
type Captured = pytest.CaptureFixture[str]

GROUP = "/aws/lambda/setup-mfa-dev"
EVES, JOES = "00000000-0000-4000-8000-00000000000e", "00000000-0000-4000-8000-00000000000a"


@pytest.fixture
def log(aws: EmbeddedAws, load_handler: Load, capsys: Captured) -> list[str]:
    """Return what setup logs for two users who succeed, a failure of KMS, and an unexpected error."""
    handler = load_handler("setup_mfa")
    capsys.readouterr()
    for user in ("ada", "ada", "bob"):
        handler.lambda_handler(api_event(contract.SETUP, user_id=user), None)
    with aws.calls.recorded({"kms:GenerateDataKey": refused("DisabledException")}):
        handler.lambda_handler(api_event(contract.SETUP, user_id="eve", request_id=EVES), None)
    with aws.calls.recorded({"dynamodb:PutItem": raising(ZeroDivisionError())}):
        handler.lambda_handler(api_event(contract.SETUP, user_id="joe", request_id=JOES), None)
    return capsys.readouterr().out.splitlines()


def _rows(query: SavedQuery, lines: list[str], group: str = GROUP) -> list[Row]:
    return run(query.text, [(time.time(), group, line) for line in lines])


def test_latest_failures_are_exactly_the_failures(log: list[str]) -> None:
    rows = _rows(queries.LATEST_FAILURES, log)
    assert {row["request_id"] for row in rows} == {EVES, JOES}
    assert {row.get("exception.0.type") for row in rows} == {None, "builtins.ZeroDivisionError"}
    assert {row.get("status") for row in rows} >= {500, 503}


def test_outcomes_are_counted_by_route(log: list[str]) -> None:
    rows = _rows(queries.OUTCOMES_BY_ROUTE, log)
    assert rows[0] == {"route": "POST /auth/mfa/setup", "status": 200, "outcome": "OK", "responses": 3}
    assert {(row["status"], row["responses"]) for row in rows[1:]} == {(500, 1), (503, 1)}


def test_the_busiest_user_is_first(log: list[str]) -> None:
    rows = _rows(queries.BUSIEST_USERS, log)
    assert (rows[0]["user_id"], rows[0]["responses"], rows[0]["outcomes"]) == ("ada", 2, 1)
    assert len(rows) == 4


def test_one_request_is_found_by_its_id(log: list[str]) -> None:
    query = SavedQuery(
        name="one",
        source=queries.ONE_REQUEST.source,
        lines=(queries.ONE_REQUEST.lines[0].replace(queries.SEARCHED, JOES), *queries.ONE_REQUEST.lines[1:]),
    )
    assert {row["message"] for row in _rows(query, log)} == {"unexpected error", "request answered"}


def test_durations_are_found(log: list[str]) -> None:
    (row,) = _rows(queries.SLOWEST_ROUTES, log)
    assert row["responses"] == 5
    assert 0 < row["p50"] <= row["p99"]


def test_refused_codes_are_found_by_user() -> None:
    lines = [
        json.dumps({"message": "request answered", "user_id": user, "outcome": outcome})
        for user, outcome in [("ada", "INVALID_CODE"), ("ada", "INVALID_CODE"), ("bob", "CONFLICT"), ("eve", "OK")]
    ]
    rows = _rows(queries.REFUSED_CODES, lines)
    assert [(row["user_id"], row["outcome"], row["refused"]) for row in rows] == [
        ("ada", "INVALID_CODE", 2),
        ("bob", "CONFLICT", 1),
    ]


def test_refused_tokens_are_found_by_reason(authorizer: ModuleType, capsys: Captured) -> None:
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Bearer x"}):
        authorizer.lambda_handler(api_event(contract.SETUP, user_id=None, headers=headers), None)
    rows = _rows(queries.REFUSED_TOKENS, capsys.readouterr().out.splitlines())
    assert [(row["reason"], row["refused"]) for row in rows] == [("malformed", 2), ("missing", 1)]


def test_cold_starts_include_restores_but_not_warm_calls() -> None:
    report = "REPORT RequestId: 1-2 Duration: 12.10 ms Billed Duration: 13 ms Memory Size: 1024 MB"
    lines = [
        "START RequestId: 1-2 Version: 3",
        f"{report} Init Duration: 412.50 ms",
        f"{report} Restore Duration: 187.20 ms Billed Restore Duration: 90 ms",
        report,
    ]
    assert _rows(queries.COLD_STARTS, lines) == [
        {"function": "setup-mfa-dev", "starts": 2, "longest_ms": 412.5, "invocations": 3},
    ]


def test_refused_requests_are_found_by_source() -> None:
    lines = [
        json.dumps({"status": status, "source_ip": ip, "user_agent": "curl", "path": "/auth/mfa/setup"})
        for status, ip in [("401", "192.0.2.1"), ("401", "192.0.2.1"), ("403", "192.0.2.2"), ("200", "192.0.2.3")]
    ]
    rows = _rows(queries.REFUSED_SOURCES, lines)
    assert [(row["source_ip"], row["refused"]) for row in rows] == [("192.0.2.1", 2), ("192.0.2.2", 1)]


@pytest.mark.parametrize("query", SAVED_QUERIES, ids=[query.name for query in SAVED_QUERIES])
def test_finds_nothing_in_an_empty_log(query: SavedQuery) -> None:
    assert _rows(query, []) == []


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ("dedup user_id", "unknown command 'dedup'"),
        ("filter status like /5../", "condition"),
        ("parse @message 'a * b'", "parse"),
        ("stats avg(x) by y", "stats"),
        ("stats median(x) as m by y", "median is not implemented"),
    ],
)
def test_refuses_unknown_commands(query: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        run(query, [(0.0, GROUP, '{"x": 1}')])
