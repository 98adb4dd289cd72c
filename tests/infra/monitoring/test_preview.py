"""The picture of the dashboard: it shows what is there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from local.cloudwatch.preview.contents import LogEvent, Window
from local.cloudwatch.preview.drawing import COLUMN_INCHES, DPI, ROW_INCHES, Picture
from local.cloudwatch.preview.source import CloudWatchMetrics, alarm_states, log_events
from tests.infra.monitoring.scenarios import PERIOD, normal_five_minutes
from tests.infra.monitoring.templates import Monitoring
from tests.infra.monitoring.traffic import Traffic

WINDOW = Window(end=3600, period=PERIOD, length=12)


@pytest.fixture(scope="module")
def normal_hour() -> Traffic:
    traffic = Traffic("prod", now=0)
    for start in range(0, 3600, PERIOD):
        traffic.now = start + 1
        normal_five_minutes(traffic)
    return traffic


def _pixels(path: Path) -> "np.ndarray[Any, np.dtype[np.uint8]]":
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def _widget(monitoring: Monitoring, title: str) -> dict[str, Any]:
    (found,) = [each for each in monitoring.overview["widgets"] if each["properties"].get("title") == title]
    return {**found, "x": 0, "y": 0}


def _draw(path: Path, widget: dict[str, Any], metrics: Traffic, states: dict[str, str] | None = None) -> Path:
    Picture(body={"widgets": [widget]}, metrics=metrics.store, states=states or {}, events=[], window=WINDOW).save(path)
    return path


def _count(path: Path, colour: tuple[int, int, int]) -> int:
    return int((_pixels(path) == colour).all(axis=2).sum())


def test_draws_the_whole_dashboard(prod: Monitoring, normal_hour: Traffic, tmp_path: Path) -> None:
    event: LogEvent = (1.0, "/aws/lambda/setup-mfa-prod", '{"level": "ERROR", "route": "POST /auth/mfa/setup"}')
    picture = Picture(body=prod.overview, metrics=normal_hour.store, states={}, events=[event], window=WINDOW)
    picture.save(tmp_path / "whole.png")
    rows = max(each["y"] + each["height"] for each in prod.overview["widgets"])
    height, width, _ = _pixels(tmp_path / "whole.png").shape
    assert (width, height) == pytest.approx((24 * COLUMN_INCHES * DPI, rows * ROW_INCHES * DPI), abs=1)


def test_the_same_input_gives_the_same_bytes(prod: Monitoring, normal_hour: Traffic, tmp_path: Path) -> None:
    widget = _widget(prod, "Lock-outs")
    one, two = (_draw(tmp_path / name, widget, normal_hour).read_bytes() for name in ("one.png", "two.png"))
    assert one == two


def test_draws_a_line_where_there_are_datapoints_only(prod: Monitoring, normal_hour: Traffic, tmp_path: Path) -> None:
    widget = _widget(prod, "Whole answer, milliseconds")
    orange = (0xD5, 0x5E, 0x00)
    with_data = _count(_draw(tmp_path / "data.png", widget, normal_hour), orange)
    without = _count(_draw(tmp_path / "none.png", widget, Traffic("prod", now=0)), orange)
    assert with_data > without + 200


def test_an_alarm_that_is_on_is_red(prod: Monitoring, tmp_path: Path) -> None:
    widget, red = _widget(prod, "These tell"), (0xC8, 0x10, 0x2E)
    nothing = Traffic("prod", now=0)
    assert _count(_draw(tmp_path / "ok.png", widget, nothing, {"mfa-prod-lockouts-surge": "OK"}), red) == 0
    assert _count(_draw(tmp_path / "on.png", widget, nothing, {"mfa-prod-lockouts-surge": "ALARM"}), red) > 1000


def test_draws_thresholds_over_datapoints_of_the_alarms_length(prod: Monitoring, tmp_path: Path) -> None:
    traffic, red = Traffic("prod", now=3599), (0xC8, 0x10, 0x2E)
    widget = _widget(prod, "Lock-outs")
    plain = {**widget, "properties": {**widget["properties"], "annotations": {}}}
    assert _count(_draw(tmp_path / "with.png", widget, traffic), red) > 100
    assert _count(_draw(tmp_path / "without.png", plain, traffic), red) < _count(tmp_path / "with.png", red)


class _Paginated:
    """A boto3 client whose paginated operations answer these pages."""

    def __init__(self, **pages: list[dict[str, Any]]) -> None:
        self._pages = pages
        self._operation = ""

    def get_paginator(self, operation: str) -> "_Paginated":
        self._operation = operation
        return self

    def paginate(self, **_parameters: Any) -> Iterator[dict[str, Any]]:
        return iter(self._pages[self._operation])


def test_reads_lambdas_own_metrics_from_its_reports() -> None:
    report = "REPORT RequestId: 1-2\tDuration: {} ms\tBilled Duration: 13 ms\tMemory Size: 1024 MB"
    logs = _Paginated(
        describe_log_groups=[{"logGroups": [{"logGroupName": "/aws/lambda/setup-mfa-local"}]}],
        filter_log_events=[
            {"events": [{"timestamp": 3_301_000, "message": report.format("12.5")}]},
            {"events": [{"timestamp": 3_302_000, "message": report.format("7") + "\n"}]},
            {"events": [{"timestamp": 3_303_000, "message": "START RequestId: 1-2"}]},
        ],
    )
    events = log_events(logs, "/aws/lambda/", since=0)
    metrics = CloudWatchMetrics(cloudwatch=None, events=events)
    span = {"end": 3600.0, "period": 300, "length": 2}
    of_setup = {"FunctionName": "setup-mfa-local"}
    assert metrics.series("AWS/Lambda", "Invocations", of_setup, "Sum", **span) == [None, 2.0]  # type: ignore[arg-type]
    assert metrics.series("AWS/Lambda", "Duration", of_setup, "p99", **span) == [None, 12.5]  # type: ignore[arg-type]


def test_reads_the_states_of_all_alarms() -> None:
    page = {
        "MetricAlarms": [{"AlarmName": "mfa-local-a", "StateValue": "OK"}],
        "CompositeAlarms": [{"AlarmName": "mfa-local-page", "StateValue": "ALARM"}],
    }
    assert alarm_states(_Paginated(describe_alarms=[page]), "mfa-local-") == {
        "mfa-local-a": "OK",
        "mfa-local-page": "ALARM",
    }
