"""The console's operations view in a real browser: the deployed dashboard, with the metrics of the stack under test."""

import json
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from functions.shared.contract import BACKUP_CODES, METRICS_NAMESPACE, STATUS, Metric, metric_dimensions
from infra.monitoring.rules import PAGE_KEY
from infra.monitoring.rules.model import alarm_name
from infra.outputs import dashboard_name
from infra.project import VERSION
from local.cloudwatch.alarm_state import needs_aws
from local.cloudwatch.availability import AWS_ONLY, available_locally
from local.stack import Stack
from tests.support.browser import (
    DESKTOP,
    LOOKS,
    PHONE,
    Opened,
    OpenPage,
    TakePicture,
    accessibility_violations,
    look,
    overflows,
    tab_through,
)
from tests.support.http_user import HttpUser, NewUser
from tests.support.stack import Api, Aws

#: Where the grid has all its columns.
WIDE = 1440
#: Times that can be shown, and what graphs call them.
SPANS = {"5m": "5 min", "1h": "1 h", "3h": "3 h"}
DATA = "**/operations/data.json*"
REFRESH_SECONDS = 5
#: How long the stack is used before the picture is taken.
LIVELY_SECONDS = 75


class Operations:
    """The operations view, as people see it."""

    def __init__(self, opened: Opened) -> None:
        self.page: Page = opened.page
        self.watched = opened.watched
        expect(self.page.locator("#grid article").first).to_be_visible()

    def card(self, title: str) -> Locator:
        """Return a widget."""
        return self.page.locator("#grid article", has=self.page.get_by_role("heading", name=title, exact=True))

    def value(self, title: str, line: str) -> Locator:
        """Return the number beside a line of a graph."""
        label = self.page.get_by_text(line, exact=True)
        return self.card(title).locator(".legend li", has=label).locator(".legend-value")

    def show(self, span: str) -> None:
        """Choose the time shown, and wait until it is."""
        self.page.locator(f'input[name="span"][value="{span}"]').check(force=True)
        expect(self.page.get_by_text(f"total of {SPANS[span]}", exact=True).first).to_be_visible()

    def asked(self) -> int:
        """Return how often the page has asked for the state of the stack."""
        return sum("/operations/data.json" in url for url in self.watched.urls)

    def take_time_in_hand(self) -> None:
        """Let time pass faster when `later` says so."""
        self.page.clock.install()
        self.page.reload()
        expect(self.page.locator("#grid article").first).to_be_visible()

    def later(self, seconds: float = REFRESH_SECONDS) -> None:
        """Let time pass for the page."""
        self.page.clock.fast_forward(int(seconds * 1000))

    def refresh(self) -> None:
        """Let time pass until the page has asked again."""
        with self.page.expect_response(DATA):
            self.later()

    def keep_state(self, changes: Callable[[dict[str, Any]], dict[str, Any]] = lambda _: {}) -> None:
        """From now on, answer the page by the present state, with changes."""
        state = self.page.request.get("/operations/data.json").json()
        self.page.route(DATA, lambda route: route.fulfill(json=state | changes(state)))


type Open = Callable[..., Operations]


@pytest.fixture
def operations(open_page: OpenPage) -> Open:
    """Return a function that opens the view and waits until the dashboard is drawn."""
    return lambda **options: Operations(open_page("/operations", **({"width": WIDE} | options)))


@pytest.fixture(scope="module")
def body(aws: Aws, stack: Stack) -> list[dict[str, Any]]:
    """Return the widgets of the deployed dashboard, in the order that they are read in."""
    name = dashboard_name(stack.environment, stack.region)
    deployed = json.loads(aws.client("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"])
    return sorted(deployed["widgets"], key=lambda widget: (widget["y"], widget["x"]))


def titled(widgets: list[dict[str, Any]], kind: str, view: str | None = None) -> dict[str, dict[str, Any]]:
    """Return the properties of the widgets of a kind, by title."""
    return {
        widget["properties"]["title"]: widget["properties"]
        for widget in widgets
        if widget["type"] == kind and view in (None, widget["properties"].get("view", "timeSeries"))
    }


def lines_of(properties: Mapping[str, Any]) -> list[str]:
    """Return the names of the lines of a graph that its metrics do not hide."""
    options = [(metric[-1] if isinstance(metric[-1], dict) else {}, metric) for metric in properties["metrics"]]
    return [each.get("label") or metric[1] for each, metric in options if each.get("visible", True)]


def only_on_aws(widget: Mapping[str, Any]) -> bool:
    """Return whether the local stack can have nothing to show in a widget."""
    properties = widget["properties"]
    if widget["type"] == "log":
        return "SOURCE '/aws/lambda/" not in properties["query"]
    metrics = [each for each in properties.get("metrics", []) if isinstance(each[0], str)]
    return widget["type"] == "metric" and not any(available_locally(*each[:2]) for each in metrics)


def test_every_widget_of_the_deployed_dashboard_is_there_in_its_row(
    operations: Open, body: list[dict[str, Any]]
) -> None:
    view = operations()
    widgets = [widget for widget in body if widget["type"] != "text" and "states" not in widget["properties"]]
    titles = [widget["properties"]["title"] for widget in widgets]
    assert len(set(titles)) == len(titles)
    missing = [widget["properties"]["title"] for widget in widgets if only_on_aws(widget)]
    assert view.page.locator("#grid article h3").all_inner_texts() == [each for each in titles if each not in missing]
    # What only AWS has takes a line, not an empty graph.
    named = " · ".join(view.page.locator(".aws-only").all_inner_texts()).replace(f"{AWS_ONLY}: ", "")
    assert sorted(named.split(" · ")) == sorted(missing)
    texts = view.page.locator("#grid section.card-text").all_inner_texts()
    for widget, text in zip([each for each in body if each["type"] == "text"], texts, strict=True):
        assert text.split("\n")[0] == widget["properties"]["markdown"].split("\n")[0].lstrip("# ")
    rows: list[list[list[float]]] = view.page.locator("#grid .row").evaluate_all(
        """rows => rows.map((row) => [...row.children].map((each) => {
            const box = each.getBoundingClientRect();
            return [box.left - row.getBoundingClientRect().left, box.right - row.getBoundingClientRect().left, box.top];
        }))"""
    )
    for row in rows:
        assert len({top for *_, top in row}) == 1
        assert [left for left, *_ in row] == sorted(left for left, *_ in row)
        assert row[0][0] == pytest.approx(0, abs=1)
    width = view.page.locator("#grid").bounding_box()
    assert width is not None
    assert all(row[-1][1] == pytest.approx(width["width"], abs=1) for row in rows)


def test_the_answer_is_on_the_first_screen(operations: Open) -> None:
    view = operations(width=DESKTOP)
    view.keep_state(lambda state: {"alarms": [each | {"state": "OK"} for each in state["alarms"]]})
    view.page.reload()
    summary, figures = view.page.locator("#summary"), view.page.locator(".figures")
    expect(summary).to_contain_text("No active alarms")
    for each in (summary, figures):
        expect(each).to_be_in_viewport(ratio=1)
    # Tiles are there when they are wanted.
    tile = view.card("Pages on-call").locator(f'a[href="#alarm-{PAGE_KEY}"]')
    expect(tile).to_be_hidden()
    view.card("Pages on-call").locator("summary").press("Enter")
    expect(tile).to_be_visible()
    # Of a phone, the banner is.
    look(view.page, PHONE, "dark")
    view.page.evaluate("scrollTo(0, 0)")
    expect(summary).to_be_in_viewport(ratio=1)
    expect(figures.locator("article").first).to_be_in_viewport()


def test_a_key_figure_has_the_colour_of_its_target(operations: Open) -> None:
    figures = {
        "Codes accepted": (0.45, "off target"),
        "Setups succeeded": (95, "on target"),
        "Server errors (5xx)": (0, "on target"),
        "Latency, p99": (7900, "off target"),
        "Wrong codes": (None, ""),
    }

    def changed(state: dict[str, Any]) -> dict[str, Any]:
        values = {title: {"latest": [value]} for title, (value, _) in figures.items()}
        return {"widgets": [each | values.get(each["title"], {}) for each in state["widgets"]]}

    view = operations()
    view.keep_state(changed)
    view.page.reload()
    for _, scheme in LOOKS[:2]:
        look(view.page, WIDE, scheme)
        for title, (value, word) in figures.items():
            figure = view.card(title)
            expect(figure).to_contain_text("target: ")
            if value is None:
                expect(figure).to_contain_text("no data")
                expect(figure.locator("strong")).to_have_count(0)
                continue
            expect(figure.locator("strong")).to_have_text(word)
            # oklch(lightness chroma hue): the hue of green, or of red.
            colour = figure.locator(".number-value").evaluate("(each) => getComputedStyle(each).color")
            hue = float(re.findall(r"[\d.]+", colour)[2])
            assert (120 < hue < 190) if word == "on target" else (hue < 45), (title, colour)
        assert accessibility_violations(view.page) == []


def test_every_kind_of_widget_shows_what_the_dashboard_asks_for(operations: Open, body: list[dict[str, Any]]) -> None:
    view = operations()
    shown = {"text"}
    drawn = [widget for widget in body if not only_on_aws(widget)]
    for title, properties in titled(drawn, "metric", "timeSeries").items():
        shown.add("graph")
        assert view.card(title).locator(".legend-label").all_inner_texts() == lines_of(properties), title
        expect(view.card(title).locator("canvas")).to_be_attached()
        # Units are on the axes, which are drawn, and plots of a row are equally high.
        assert properties["yAxis"]["left"]["label"]
        (height,) = {view.card(title).locator(".graph").bounding_box()["height"]}  # type: ignore[index]
        assert height == pytest.approx(176, abs=1)
    for view_of in ("singleValue", "gauge"):
        for title, properties in titled(drawn, "metric", view_of).items():
            shown.add(view_of)
            (label,) = lines_of(properties)
            expect(view.card(title)).to_contain_text(label)
    for title, properties in titled(body, "alarm").items():
        if "states" in properties:
            continue
        shown.add("alarms")
        names = [arn.rpartition(":")[2].removeprefix("mfa-local-") for arn in properties["alarms"]]
        assert view.card(title).locator(".tile-name").all_text_contents() == names
    for title, properties in titled(drawn, "log").items():
        shown.add("log")
        query = view.card(title).locator(".query pre")
        assert " ".join((query.text_content() or "").split()) in " ".join(properties["query"].split())
    assert shown == {"text", "graph", "singleValue", "gauge", "alarms", "log"}
    assert view.page.get_by_text("not drawn").count() == 0
    assert view.page.get_by_text("CloudWatch would refuse").count() == 0


def test_what_was_done_is_what_is_counted(
    operations: Open, new_user: NewUser, api: Api, aws: Aws, stack: Stack
) -> None:
    user = new_user("operations-count@example.com")
    user.enrol()
    view = operations()
    view.show("3h")
    # What this test alone does, but for the others before it: these are counted first.
    regeneration, reading = f"POST {BACKUP_CODES.path}", f"GET {STATUS.path}"
    counted = {
        (regeneration, "rejected (4xx)"): 2,
        (regeneration, "succeeded"): 1,
        (reading, "no valid token (401)"): 3,
        ("Wrong and replayed codes", "wrong or used codes"): 2 + 7,
    }
    before = {line: int(view.value(*line).inner_text().replace(",", "")) for line in counted}

    user.fresh_time_step()
    for _ in range(2):
        assert user.regenerate(user.wrong_code()).error == "INVALID_CODE"
    assert user.regenerate(user.code(steps=1)).status == 200
    for _ in range(3):
        assert api.request(STATUS.method, STATUS.path, token="made-up").status == 401

    dimensions = [{"Name": name, "Value": value} for name, value in metric_dimensions(stack.environment).items()]
    earlier = {"MetricName": Metric.INVALID_CODES, "Dimensions": dimensions, "Timestamp": time.time() - 2 * 3600}
    aws.client("cloudwatch").put_metric_data(Namespace=METRICS_NAMESPACE, MetricData=[earlier | {"Value": 7}])

    for line, number in counted.items():
        expect(view.value(*line)).to_have_text(f"{before[line] + number:,}")
    # And in the table, which is there for who does not see the graph.
    view.page.get_by_role("button", name=f"Table of {reading}").press("Enter")
    table = view.page.get_by_role("region", name=f"Values of {reading}")
    expect(table.get_by_role("columnheader", name="no valid token (401)")).to_be_visible()
    assert table.get_by_role("row").count() > 1
    expect(view.card(reading).locator("canvas")).to_be_hidden()
    view.page.get_by_role("button", name=f"Table of {reading}").press("Enter")
    expect(view.card(reading).locator("canvas")).to_be_visible()
    expect(view.card("Refused tokens by reason").get_by_role("cell", name="malformed").first).to_be_visible()


@contextmanager
def breached(cloudwatch: Any, alarm: Mapping[str, Any]) -> Iterator[None]:
    """Count what did not happen, as often as an alarm takes to go on, and take it back."""
    # Periods end now, where the emulated AWS looks.
    times = [time.time() - 1 - number * alarm["Period"] for number in range(alarm["EvaluationPeriods"])]

    def put(value: float) -> None:
        named = {"MetricName": alarm["MetricName"], "Dimensions": alarm["Dimensions"], "Value": value}
        data = [named | {"Timestamp": at} for at in times]
        cloudwatch.put_metric_data(Namespace=alarm["Namespace"], MetricData=data)

    put(alarm["Threshold"])
    try:
        yield
    finally:
        put(-alarm["Threshold"])


def test_an_alarm_that_goes_off_is_seen_announced_and_leads_to_the_runbook(
    operations: Open, aws: Aws, stack: Stack
) -> None:
    view = operations()
    view.take_time_in_hand()
    key = "jwks-fetch-failures"
    cloudwatch = aws.client("cloudwatch")
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[alarm_name(stack.environment, key)])["MetricAlarms"]
    tile = view.card("Pages on-call").locator(f'a[href="#alarm-{key}"]')
    summary = view.page.locator("#summary li")
    expect(tile).to_have_attribute("data-kind", "good")
    expect(view.page.locator("#alarms-on")).not_to_contain_text(key)

    with breached(cloudwatch, alarm):
        view.later()
        expect(tile).to_have_attribute("data-kind", "bad")
        expect(tile).to_contain_text("ALARM")
        expect(view.page.locator("#changes")).to_contain_text("Now in ALARM")
        expect(view.page).to_have_title(re.compile(rf"^\({summary.count()}\) Operations"))
        # Alarms that page come first, and so does the composite alarm.
        shown = [each.split(" ")[0] for each in summary.all_inner_texts()]
        assert {f"{key}pages", f"{PAGE_KEY}pages"} <= set(shown)
        assert sorted(shown, key=lambda each: not each.endswith("pages")) == shown
        link = summary.get_by_role("link", name=key, exact=True)
        # The same state twice, because what other tests do may change the list at any time.
        view.keep_state()
        view.refresh()
        link.focus()
        view.refresh()
        expect(link).to_be_focused()
        view.page.unroute(DATA)
        link.press("Enter")
        entry = view.page.locator(f"#alarm-{key}")
        expect(entry).to_be_focused()
        expect(entry).to_be_in_viewport()
        expect(entry).to_contain_text("Threshold Crossed")
    view.later()
    expect(tile).to_have_attribute("data-kind", "good")
    expect(view.page.locator("#changes")).to_contain_text("No longer in ALARM")

    if not tile.is_visible():
        view.card("Pages on-call").locator("summary").press("Enter")
    tile.press("Enter")
    expect(view.page.locator(f"#alarm-{key}")).to_be_focused()
    with view.page.context.expect_page() as opened:
        view.page.get_by_role("link", name=f"Runbook for {key}").click()
    expect(opened.value).to_have_url(f"{stack.console_url}/docs/runbook#{key}")
    expect(opened.value.get_by_role("heading", name=key, exact=True)).to_be_in_viewport()
    expect(view.page).to_have_title(re.compile("Operations"))


def test_the_address_has_the_time_shown_the_search_and_the_section(
    operations: Open, new_user: NewUser, stack: Stack
) -> None:
    name = "operations-find@example.com"
    user = new_user(name)
    refusal = user.verify(user.wrong_code() if user.secret else "000000")
    request_id = refusal.body["request_id"]
    view = operations()
    view.show("3h")
    # Long enough ago to show the deployment.
    expect(view.page.get_by_role("img", name=re.compile(r"Deployed at \d\d:\d\d:\d\d")).first).to_be_visible()
    field = view.page.get_by_role("searchbox", name="Request id, user id or user")
    found = view.card("Requests found")
    for searched, shown in ((request_id, user.user_id), (name, request_id), (user.user_id, request_id)):
        field.fill(searched)
        field.press("Enter")
        expect(found.get_by_role("cell", name=shown).first).to_be_visible()
        expect(found).to_be_in_viewport()
        expect(found.get_by_role("columnheader", name="@")).to_have_count(0)
    assert f"span=3h&find={user.user_id}" in view.page.url
    # The links to sections stay within reach.
    expect(view.page.get_by_role("navigation", name="Sections")).to_be_in_viewport()
    view.page.reload()
    expect(found.get_by_role("cell", name=request_id).first).to_be_visible()
    expect(view.page.locator('input[value="3h"]')).to_be_checked()
    field.fill('" or level = "INFO')
    field.press("Enter")
    expect(view.page.get_by_text("is not a request ID, a user ID or a user name")).to_be_visible()
    expect(found).to_contain_text("No rows")
    for link in view.page.get_by_role("navigation", name="Sections").get_by_role("link").all():
        link.press("Enter")
        heading = view.page.get_by_role("heading", level=2, name=link.inner_text(), exact=True)
        expect(heading).to_be_in_viewport()
    expect(view.page.get_by_text(f"MFA service · {stack.environment} · {VERSION}")).to_contain_text(stack.region)


def test_an_address_with_an_alarm_leads_to_it(open_page: OpenPage) -> None:
    page = open_page("/operations#alarm-api-latency-p99").page
    expect(page.locator("#alarm-api-latency-p99")).to_be_focused()
    expect(page.locator("#alarm-api-latency-p99")).to_be_in_viewport()


def test_pointing_at_a_graph_shows_the_values_of_that_time_in_all_graphs(operations: Open) -> None:
    view = operations()
    captions = view.page.locator("#grid article:has(.graph) > header small")
    pointed_at = view.page.locator(".graph .u-over").first
    expect(captions.first).to_have_text(re.compile("^(total of|latest)"))
    pointed_at.hover()
    for caption in captions.all():
        expect(caption).to_have_text(re.compile(r"^\d\d:\d\d:\d\d$"))
    view.page.mouse.move(0, 0)
    expect(captions.first).to_have_text(re.compile("^(total of|latest)"))


def test_every_alarm_shows_its_state_and_its_section_of_the_runbook(operations: Open, aws: Aws, stack: Stack) -> None:
    prefix = alarm_name(stack.environment, "")
    found = aws.client("cloudwatch").describe_alarms(AlarmNamePrefix=prefix, MaxRecords=100)["MetricAlarms"]
    needs = {each["AlarmName"].removeprefix(prefix): needs_aws(each) for each in found}
    assert set(needs.values()) == {True, False}
    view = operations()
    for summary in view.page.locator("#all-alarms summary").all():
        if summary.locator("xpath=..").get_attribute("open") is None:
            summary.press("Enter")
    entries = {
        each.locator("h3").inner_text(): each.inner_text() for each in view.page.locator("#all-alarms .alarm").all()
    }
    assert entries.keys() == needs.keys() | {PAGE_KEY}
    assert {key for key, text in entries.items() if AWS_ONLY in text} == {key for key, aws in needs.items() if aws}
    links = {
        (each.get_attribute("href") or "").rpartition("#")[2]
        for each in view.page.locator("#all-alarms .alarm a").all()
    }
    assert links == entries.keys()
    view.page.goto("/docs/runbook")
    identifiers = view.page.locator("[id]").evaluate_all("all => all.map((each) => each.id)")
    assert links <= set(identifiers)


def test_pausing_stops_asking_and_going_on_asks_at_once(operations: Open) -> None:
    view = operations()
    view.take_time_in_hand()
    pause = view.page.get_by_role("button", name="Pause")
    view.refresh()
    expect(view.page.locator("#updated")).to_contain_text("Updated")
    pause.press("Enter")
    expect(pause).to_have_attribute("aria-pressed", "true")
    expect(view.page.locator("#updated")).to_contain_text("Paused, as of")
    # Another time is asked for all the same, once.
    view.show("1h")
    expect(view.page.locator("#updated")).to_contain_text("Paused, as of")
    asked = view.asked()
    view.later(10 * REFRESH_SECONDS)
    view.page.wait_for_timeout(300)
    assert view.asked() == asked
    with view.page.expect_response(DATA):
        pause.press("Enter")
    expect(view.page.locator("#updated")).to_contain_text("Updated")
    view.refresh()


def test_a_stack_that_is_gone_is_told_once_and_what_was_seen_stays(operations: Open) -> None:
    view = operations()
    view.take_time_in_hand()
    alert = view.page.get_by_role("alert")
    view.page.route(DATA, lambda route: route.abort())
    view.later()
    expect(alert).to_contain_text("The local stack does not respond. Is it running?")
    expect(alert).to_contain_text("make run")
    expect(view.page.locator("#updated")).to_contain_text("As of")
    assert view.card("Pages on-call").is_visible()
    told = alert.inner_text()
    with view.page.expect_request(DATA):
        view.later()
    assert alert.inner_text() == told
    view.page.unroute(DATA)
    view.later()
    expect(alert).to_be_empty()
    expect(view.page.locator("#updated")).to_contain_text("Updated")


def test_before_the_stack_is_there_the_page_says_so_and_fills_itself_later(open_page: OpenPage) -> None:
    page = open_page("/docs/runbook").page
    refusal = {"error": "SERVICE_UNAVAILABLE", "message": "The stack is still being deployed"}
    page.clock.install()
    page.route(DATA, lambda route: route.fulfill(status=503, json=refusal))
    page.goto("/operations")
    expect(page.get_by_role("alert")).to_contain_text("The stack is still being deployed. Since")
    expect(page.get_by_role("alert")).to_contain_text("There is nothing to show yet.")
    assert accessibility_violations(page) == []
    page.unroute(DATA)
    page.clock.fast_forward(REFRESH_SECONDS * 1000)
    expect(page.get_by_role("heading", name="Pages on-call")).to_be_visible()
    expect(page.get_by_role("alert")).to_be_empty()


def test_what_is_missing_or_not_drawn_is_said(operations: Open) -> None:
    view = operations()
    view.take_time_in_hand()
    position = {"x": 0, "y": 0, "width": 6, "height": 4}
    reason = "The view 'gauge' is not drawn here."
    unknown = {"kind": "unknown", "title": "Gauge", "reason": reason, "position": position}
    view.keep_state(lambda _: {"widgets": [unknown], "problems": ["widget 3 has no region"]})
    view.later()
    expect(view.card("Gauge")).to_contain_text("The view 'gauge' is not drawn here.")
    expect(view.page.get_by_text("CloudWatch would refuse: widget 3 has no region")).to_be_visible()
    view.page.unroute(DATA)
    view.keep_state(lambda _: {"dashboard": None, "widgets": [], "alarms": []})
    view.later()
    expect(view.page.get_by_text("The environment local has no dashboard.")).to_be_visible()
    expect(view.page.get_by_role("heading", name="All alarms")).to_be_hidden()


def test_it_is_accessible(operations: Open) -> None:
    view = operations()
    for each in view.page.locator("details").all():
        each.evaluate("details => { details.open = true; }")
    table = view.page.get_by_role("button", name="Table of GET /auth/mfa")
    table.click()
    for width, scheme in LOOKS:
        look(view.page, width, scheme)
        assert accessibility_violations(view.page) == [], f"{width}, {scheme}"
    # The other colours close nothing that the user has opened.
    expect(table).to_have_attribute("aria-pressed", "true")


def test_the_keyboard_reaches_and_operates_it(operations: Open) -> None:
    view = operations()
    page = view.page
    page.get_by_role("button", name="Pause").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#updated")).to_contain_text("Paused")
    tab_through(page)
    page.locator('input[value="15m"]').focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator('input[value="1h"]')).to_be_checked()
    expect(page.get_by_text("total of 1 h", exact=True).first).to_be_visible()


@pytest.mark.parametrize("path", ["/operations", "/docs/runbook", "/docs/api", "/docs/integration"])
def test_a_phone_shows_all_of_it_without_scrolling_sideways(open_page: OpenPage, path: str) -> None:
    page = open_page(path, width=PHONE, color_scheme="dark").page
    expect(page.get_by_role("heading").nth(3)).to_be_visible()
    for each in page.locator("details").all():
        each.evaluate("details => { details.open = true; }")
    assert not overflows(page)
    cut: list[str] = page.locator("main *:not(.visually-hidden)").evaluate_all(
        """all => all.filter((each) => {
            const box = each.getBoundingClientRect();
            const scrolls = each.closest(".rows, .values, .sections, .scrolls, pre, .visually-hidden");
            return box.width && box.right > innerWidth + 1 && !scrolls;
        }).map((each) => each.outerHTML.slice(0, 120))"""
    )
    assert cut == []


def _live(users: list[HttpUser], seconds: float) -> None:
    """Enrol users, log in, mistype codes and use backup codes for some time."""
    dice = random.Random(7)  # noqa: S311 -- sample traffic
    logged_in: dict[HttpUser, int] = {}
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        user, chance, step = dice.choice(users), dice.random(), int(time.time()) // 30
        if not user.backup_codes:
            if chance < 0.15 and user.setup().status == 200:
                user.verify_setup(user.code(steps=-1))
        elif chance < 0.25 and logged_in.get(user) != step:
            logged_in[user] = step
            user.verify()
        elif chance < 0.28:
            user.verify_backup(user.backup_codes.pop())
        elif chance < 0.31:
            user.verify(user.wrong_code())
        elif chance < 0.32:
            user.setup()
        else:
            user.call(STATUS)
        time.sleep(0.1 + 0.2 * dice.random())


def test_the_dashboard_for_the_documentation(
    operations: Open, picture: TakePicture, pytestconfig: pytest.Config, api: Api, stack: Stack, aws: Aws,
    new_user: NewUser,
) -> None:  # fmt: skip
    kept = pytestconfig.getoption("--screenshots", None) is not None
    users = [new_user(f"operations-{number}@example.com") for number in range(14 if kept else 1)]
    seconds = LIVELY_SECONDS if kept else 0.5
    _live(users, seconds)
    kms = aws.client("kms")
    kms.disable_key(KeyId=stack.key_arn)
    try:
        _live(users, seconds / 10)
    finally:
        kms.enable_key(KeyId=stack.key_arn)
    for _ in range(3):
        assert api.request(STATUS.method, STATUS.path, token="made-up").status == 401
    _live(users, seconds / 5)
    view = operations(width=DESKTOP)
    view.show("5m")
    # The first screen: the alarms and the key figures.
    last = view.page.locator(".figures").bounding_box()
    assert last is not None
    picture(view.page, "console-operations", height=int(last["y"] + last["height"]) + 8)
