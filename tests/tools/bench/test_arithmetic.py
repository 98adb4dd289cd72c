"""Figures that the bench computes from measurements."""

from dataclasses import replace
from typing import Any

import pytest

from functions.shared.contract import AUTHORIZER_FUNCTION
from infra.config import ENVIRONMENTS, PROD
from tools.bench import costs
from tools.bench.measure import Sample
from tools.bench.results import RequestCost, Results, Spread
from tools.bench.targets import outcomes, ratios

SAMPLE = Sample(
    start=10,
    init=300,
    first=20,
    warm=6,
    warm_wall=7,
    peak_mib=60,
    calls=("dynamodb:GetItem", "kms:Decrypt", "dynamodb:UpdateItem"),
    bytes_sent=5000,
    bytes_received=2000,
    stand_in=0.5,
    response_bytes=100,
    log_bytes=700,
    modules=(),
    late_modules=(),
)


def test_a_cold_start_is_the_interpreter_the_init_and_the_first_request() -> None:
    assert SAMPLE.cold == 330


def test_a_spread_is_the_median_with_its_quartiles() -> None:
    assert Spread.of([5, 1, 2, 3, 4]) == Spread(median=3, low=2, high=4)
    assert Spread.of([7]) == Spread(7, 7, 7)
    assert Spread(3, 2.25, 4).text(1) == "3.0 (2.2–4.0)"  # noqa: RUF001


def of_variants() -> dict[str, list[Sample]]:
    """Return samples that meet every target."""
    names = ["setup, straightforward", "setup, Node", "setup, floor", "verify", "verify, floor"]
    samples = {name: [SAMPLE] for name in names}
    samples["setup, straightforward"] = [replace(SAMPLE, init=2000, warm=300)]
    samples["setup, Node"] = [replace(SAMPLE, warm=20)]
    samples["setup"] = [replace(SAMPLE, calls=SAMPLE.calls[:2])]
    samples |= {name: [replace(SAMPLE, calls=SAMPLE.calls[:1])] for name in ("verify, locked", "status")}
    samples["authorizer"] = [replace(SAMPLE, init=100, warm=0.2, calls=(), log_bytes=0)]
    return samples


def results(samples: dict[str, list[Sample]], zip_bytes: int = 0) -> Results:
    return replace(
        Results.load(),
        requests={name: RequestCost.of(each) for name, each in samples.items()},
        ratios=ratios(samples),
        packages={"setup": (zip_bytes, zip_bytes)},
        item_bytes=1500,
    )


def test_ratios_are_taken_within_a_round_so_that_a_busy_moment_cancels_out() -> None:
    rounds = {name: samples * 2 for name, samples in of_variants().items()}
    rounds["setup"] = [SAMPLE, replace(SAMPLE, warm=60)]
    rounds["setup, Node"] = [replace(SAMPLE, warm=12), replace(SAMPLE, warm=120)]

    assert ratios(rounds)["setup, warm: ours / Node"] == Spread(0.5, 0.5, 0.5)
    assert RequestCost.of(rounds["setup"]).warm.median == 33


def test_every_target_of_a_good_run_is_met_and_a_slower_one_misses() -> None:
    samples = of_variants()

    assert [each.name for each in outcomes(results(samples, 10 * 2**20)) if not each.met] == []

    samples["setup"] = [replace(SAMPLE, init=800, warm=19)]
    samples["verify"] = [replace(SAMPLE, log_bytes=2000)]
    assert {each.name for each in outcomes(results(samples, 10 * 2**20 + 1)) if not each.met} == {
        "setup, cold: ours / straightforward",
        "setup, cold: ours / Node",
        "setup, warm: ours / straightforward",
        "setup, warm: ours / Node",
        "setup, warm: ours / floor",
        "zip of setup_mfa, with bytecode",
        "log bytes of a verification, authorizer included",
        "a million verifications",
        "AWS calls: setup",
    }


def test_half_a_core_takes_twice_as_long_and_waiting_as_long_as_ever() -> None:
    assert costs.duration_ms(10, 0, 1769) == 10
    assert costs.duration_ms(10, 0, 3538) == 10
    assert costs.duration_ms(10, 2, 1769 // 2) == pytest.approx(20 + 2 * costs.ASSUMED_CALL_MS, abs=1)


def test_an_items_size_is_counted_as_dynamodb_does() -> None:
    item: dict[str, Any] = {
        "pk": {"S": "USER#1"},
        "version": {"N": "123456"},
        "codes": {"L": [{"S": "abc"}, {"S": "de"}]},
    }

    # Names 2 + 7 + 5; text 6; number 6 / 2 + 1; list 3 and 1 for each element, with its text.
    assert costs.item_bytes(item) == 14 + 6 + 4 + 3 + (1 + 3) + (1 + 2)


def test_a_bill_adds_up_calls_units_and_durations() -> None:
    bill = costs.bill(replace(results(of_variants()), memory_mib=1769), "verify")

    memory = ENVIRONMENTS[PROD].memory_of(AUTHORIZER_FUNCTION)
    mib_ms = (6 + 3 * costs.ASSUMED_CALL_MS) * 1769 + costs.duration_ms(0.2, 0, memory) * memory
    assert bill["API Gateway"] == pytest.approx(3.5)
    assert bill["KMS"] == pytest.approx(3.0)
    assert bill["Logs"] == pytest.approx((700 + 2 * costs.PLATFORM_LOG_BYTES) / 2000)
    assert bill["DynamoDB"] == pytest.approx(2 * 0.625 + 0.125)
    assert bill["Lambda"] == pytest.approx(0.4 + mib_ms / 1000 / 1024 * 13.3334)
