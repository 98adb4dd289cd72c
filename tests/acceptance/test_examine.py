"""The results of checks that fail in other ways, and the ways to show results."""

import json
from typing import Any

import pytest
import urllib3
from botocore.exceptions import ClientError, NoCredentialsError
from rich.console import Console

from infra.paths import REPOSITORY
from tests.acceptance.catalogue import ASSUMPTIONS, COVERED_ELSEWHERE, NAMESPACES
from tests.acceptance.deployment import Deployment
from tests.acceptance.examine import examine
from tests.acceptance.fake_deployment import FakeDeployment
from tests.acceptance.model import Assumption, Check, Result, Verdict
from tests.acceptance.page import PAGE, text
from tests.acceptance.report import as_json, show
from tests.smoke.journey import SmokeError

PRIVATE = "JBSWY3DPEHPK3PXP"


def assumption(check: Check, **options: Any) -> Assumption:
    return Assumption(
        key="group/name",
        assumed="It is so.",
        source="https://docs.aws.amazon.com/x",
        check=check,
        remedy="x",
        **options,
    )


def raising(error: Exception) -> Check:
    def check(_deployment: Deployment) -> str:
        """Look."""
        raise error

    return check


def result_of(*assumptions: Assumption, long: bool = False, **options: Any) -> list[Result]:
    return list(examine(FakeDeployment().deployment(**options), assumptions, long=long))


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": PRIVATE}}, "GetRule")


@pytest.mark.parametrize(
    ("error", "verdict", "detail"),
    [
        (refused("AccessDeniedException"), Verdict.UNKNOWN, "the credentials may not call GetRule"),
        (refused("ResourceNotFoundException"), Verdict.DOES_NOT_HOLD, "GetRule: ResourceNotFoundException"),
        (urllib3.exceptions.ReadTimeoutError(None, "/", PRIVATE), Verdict.DOES_NOT_HOLD, "no answer: ReadTimeoutError"),  # type: ignore[arg-type]
        (NoCredentialsError(), Verdict.DOES_NOT_HOLD, "no answer: NoCredentialsError"),
        (SmokeError("expected 200"), Verdict.DOES_NOT_HOLD, "expected 200"),
        (KeyError(PRIVATE), Verdict.DOES_NOT_HOLD, "unexpected answer: KeyError in test_examine.py:"),
        (AssertionError(PRIVATE), Verdict.DOES_NOT_HOLD, "unexpected answer: AssertionError in test_examine.py:"),
    ],
)
def test_a_failed_check_says_why_without_values_and_does_not_stop_the_others(
    error: Exception, verdict: Verdict, detail: str
) -> None:
    failed, following = result_of(assumption(raising(error)), assumption(lambda _deployment: "seen"))

    assert failed.verdict is verdict
    assert failed.detail.startswith(detail)
    assert PRIVATE not in failed.detail
    assert (following.verdict, following.detail) == (Verdict.HOLDS, "seen")


@pytest.mark.parametrize(
    ("options", "emulated", "long", "verdict"),
    [
        ({"only_on_aws": "nothing is masked"}, True, False, Verdict.UNKNOWN),
        ({"only_on_aws": "nothing is masked"}, False, False, Verdict.HOLDS),
        ({"long": True}, False, False, Verdict.UNKNOWN),
        ({"long": True}, False, True, Verdict.HOLDS),
    ],
)
def test_what_cannot_be_answered_is_unknown(
    options: dict[str, Any], emulated: bool, long: bool, verdict: Verdict
) -> None:
    (result,) = result_of(assumption(lambda _deployment: "seen", **options), emulated=emulated, long=long)

    assert result.verdict is verdict


@pytest.fixture
def results() -> list[Result]:
    return result_of(
        assumption(lambda _deployment: "[seen]"), assumption(raising(SmokeError("[bold] 404")), only_on_aws="")
    )


def test_the_table_names_what_to_change(results: list[Result], capsys: pytest.CaptureFixture[str]) -> None:
    show(results, Console(width=120))

    shown = capsys.readouterr().out
    assert "[seen]" in shown
    assert "does not hold: [bold] 404" in shown
    assert "What to change: x" in shown
    assert "1 holds, 1 does not hold, 0 unknown" in shown


def test_the_json_has_an_object_for_each_assumption(results: list[Result]) -> None:
    first, second = json.loads(as_json(results))

    assert first.pop("seconds") >= 0
    assert first == {
        "key": "group/name",
        "assumed": "It is so.",
        "source": "https://docs.aws.amazon.com/x",
        "checked": "",
        "remedy": "x",
        "result": "holds",
        "detail": "[seen]",
    }
    assert (second["checked"], second["result"]) == ("Look.", "does not hold")


@pytest.mark.parametrize("each", ASSUMPTIONS, ids=lambda each: each.key)
def test_each_assumption_names_its_source_its_check_and_a_remedy(each: Assumption) -> None:
    assert each.source.startswith("https://docs.aws.amazon.com/")
    assert each.checked.endswith(".")
    assert each.remedy


def test_the_metrics_of_every_namespace_that_is_read_are_checked() -> None:
    templates = REPOSITORY.glob("tests/infra/snapshots/prod-with-everything/*.json")
    read = {found["Namespace"] for path in templates for found in _metrics(json.loads(path.read_text()))}

    assert read == NAMESPACES.keys() | COVERED_ELSEWHERE


def _metrics(value: Any) -> list[dict[str, Any]]:
    match value:
        case {"Namespace": str(), "MetricName": str()}:
            return [value]
        case dict():
            return [found for each in value.values() for found in _metrics(each)]
        case list():
            return [found for each in value for found in _metrics(each)]
        case _:
            return []


def test_the_page_has_the_present_list() -> None:
    assert PAGE.read_text() == text(PAGE.read_text()), "run python -m tests.acceptance.page"
