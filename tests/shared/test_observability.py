"""Logs and metrics: structured, and never with a value of the request in them."""

import json
import re

import pytest

from functions.shared.contract import Metric
from functions.shared.observability import Telemetry, describe
from tests.support.metrics import Emitted, emitted_metrics

PRIVATE = "JBSWY3DPEHPK3PXP"
#: What every line that says "it happened" has.
LINE = {"level": "INFO", "message": "it happened", "service": "mfa", "environment": "dev", "version": "1.2.3"}


def telemetry(log_level: str = "INFO") -> Telemetry:
    return Telemetry(environment="dev", log_level=log_level, version="1.2.3")


def raised(depth: int = 1) -> BaseException:
    """Return an exception with a chain of causes, each quoting something private."""
    cause = raised(depth - 1) if depth > 1 else KeyError(PRIVATE)
    with pytest.raises(ValueError, match=PRIVATE) as caught:
        raise ValueError(f"cannot read {PRIVATE}") from cause
    return caught.value


class TestDescribe:
    def test_names_types_and_places_outermost_first(self) -> None:
        outer, middle, inner = describe(raised(2))
        assert [outer["type"], middle["type"], inner["type"]] == ["builtins.ValueError"] * 2 + ["builtins.KeyError"]
        for part in (outer, middle):
            (frame,) = part["frames"]
            assert re.fullmatch(r"test_observability\.py:\d+ raised", frame)

    def test_holds_no_value(self) -> None:
        assert PRIVATE not in json.dumps(describe(raised(4)))

    def test_holds_no_path_of_the_machine(self) -> None:
        assert "/" not in json.dumps(describe(raised()))

    def test_a_hidden_context_is_described_too(self) -> None:
        error = ValueError()
        error.__context__, error.__suppress_context__ = KeyError(PRIVATE), True
        assert [part["type"] for part in describe(error)] == ["builtins.ValueError", "builtins.KeyError"]

    def test_a_long_or_circular_chain_ends(self) -> None:
        assert len(describe(raised(20))) == 5
        error = ValueError()
        error.__context__ = other = KeyError()
        other.__context__ = error
        assert len(describe(error)) == 5

    def test_an_exception_that_was_never_raised(self) -> None:
        assert describe(ValueError(PRIVATE)) == [{"type": "builtins.ValueError", "frames": []}]


class TestLog:
    def test_a_line_is_json_with_its_fields(self, capsys: pytest.CaptureFixture[str]) -> None:
        telemetry().info("it happened", request_id="r-1", status=200)
        (line,) = map(json.loads, capsys.readouterr().out.splitlines())
        assert line.pop("timestamp").endswith("+00:00")
        assert line == {**LINE, "request_id": "r-1", "status": 200}

    def test_an_unexpected_exception_is_logged_without_its_message(self, capsys: pytest.CaptureFixture[str]) -> None:
        telemetry().unexpected("unexpected error", raised(), request_id="r-1")
        captured = capsys.readouterr()
        (line,) = map(json.loads, captured.out.splitlines())
        assert (line["level"], line["request_id"]) == ("ERROR", "r-1")
        assert line["exception"][0]["type"] == "builtins.ValueError"
        assert PRIVATE not in captured.out + captured.err

    def test_a_line_is_one_line_whatever_is_in_it(self, capsys: pytest.CaptureFixture[str]) -> None:
        telemetry().warning("failed", user_id='a\nb"}\r\u2028{"level":"FATAL"')
        (line,) = map(json.loads, capsys.readouterr().out.split("\n")[:-1])
        assert line["level"] == "WARNING"
        assert line["user_id"] == 'a\nb"}\r\u2028{"level":"FATAL"'


class TestLogWithMetrics:
    def test_one_line_has_both(self, capsys: pytest.CaptureFixture[str]) -> None:
        telemetry().info("it happened", metrics=[Metric.CONFLICTS, "Twice", "Twice"], user_id="u\n1", status=409)
        output = capsys.readouterr().out
        (line,) = map(json.loads, output.splitlines())
        assert emitted_metrics(output, environment="dev") == {"MFAConflicts": 1, "Twice": 2}
        del line["_aws"], line["MFAConflicts"], line["Twice"]
        assert line == {**LINE, "user_id": "u\n1", "status": 409}

    def test_the_next_line_has_nothing_of_it(self, capsys: pytest.CaptureFixture[str]) -> None:
        same = telemetry()
        same.info("first", metrics=["One"], user_id="u-1")
        same.info("second", metrics=["One"], status=200)
        first, second = map(json.loads, capsys.readouterr().out.splitlines())
        assert (first["user_id"], "status" in first) == ("u-1", False)
        assert ("user_id" in second, second["status"]) == (False, 200)

    def test_a_higher_level_leaves_the_metrics(self, capsys: pytest.CaptureFixture[str]) -> None:
        telemetry("WARNING").info("it happened", metrics=["One"], user_id="u-1")
        output = capsys.readouterr().out
        assert emitted_metrics(output, environment="dev") == {"One": 1}
        assert "it happened" not in output
        assert "u-1" not in output


class TestMetrics:
    def test_each_name_counts_as_often_as_it_is_given_in_one_line(self, capsys: pytest.CaptureFixture[str]) -> None:
        telemetry().count([Metric.CONFLICTS, "Twice", "Twice"])
        output = capsys.readouterr().out
        assert len(output.splitlines()) == 1
        assert emitted_metrics(output, environment="dev") == {"MFAConflicts": 1, "Twice": 2}

    def test_nothing_to_count_writes_nothing(self, capsys: pytest.CaptureFixture[str]) -> None:
        telemetry().count([])
        assert capsys.readouterr().out == ""

    def test_the_next_request_starts_from_nothing(self, emitted: Emitted) -> None:
        same = telemetry()
        same.count(["First"])
        emitted()
        same.count(["Second"])
        assert emitted() == {"Second": 1}
