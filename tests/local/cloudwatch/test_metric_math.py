"""Metric math, against what CloudWatch's page "Using math expressions with CloudWatch metrics" says of it."""

import pytest

from local.cloudwatch.metric_math import MetricMathError, evaluate

M1 = [2.0, 4.0, None, 8.0]
M2 = [1.0, None, 3.0, 0.0]
STARTS = [0.0, 300.0, 600.0, 900.0]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("m1", M1),
        # "Arithmetic on two time series: only where both have a value"; division by zero has none
        ("m1 + m2", [3.0, None, None, 8.0]),
        ("m1 - m2", [1.0, None, None, 8.0]),
        ("m1 / m2", [2.0, None, None, None]),
        ("100 * m1 / 4", [50.0, 100.0, None, 200.0]),
        ("m1 + m2 * 2", [4.0, None, None, 8.0]),
        ("(m1 + m2) * 2", [6.0, None, None, 16.0]),
        ("8 - m1 - 2", [4.0, 2.0, None, -2.0]),
        # comparisons give 1 and 0
        ("m1 > 3", [0.0, 1.0, None, 1.0]),
        ("m1 >= 4", [0.0, 1.0, None, 1.0]),
        ("m1 < m2", [0.0, None, None, 0.0]),
        ("m1 <= 2", [1.0, 0.0, None, 0.0]),
        ("(m1 > 1) AND (m1 < 5)", [1.0, 1.0, None, 0.0]),
        # FILL fills in "the missing values of a metric with the specified filler value"
        ("FILL(m1, 0)", [2.0, 4.0, 0.0, 8.0]),
        ("FILL(m1,0) + FILL(m2,0)", [3.0, 4.0, 3.0, 8.0]),
        # MAX of several series skips what is missing; of one series it is a number
        ("MAX([m1, m2])", [2.0, 4.0, 3.0, 8.0]),
        ("56 * m1 / MAX(m1)", [14.0, 28.0, None, 56.0]),
        # IF, with numbers and with series in every place
        ("IF(m1 > 3, 1, 0)", [0.0, 1.0, None, 1.0]),
        ("IF(FILL(m1,0) >= 4, m1, FILL(m2,0))", [1.0, 4.0, 3.0, 8.0]),
        ("IF(m2, m1, 7)", [2.0, None, None, 7.0]),
        # EPOCH: the times of the datapoints
        ("EPOCH(m1)", [0.0, 300.0, None, 900.0]),
        ("IF(EPOCH(FILL(m1,0)) < MAX(EPOCH(FILL(m1,0))), m1, 0)", [2.0, 4.0, None, 0.0]),
    ],
)
def test_computes_period_by_period(expression: str, expected: list[float | None]) -> None:
    assert evaluate(expression, {"m1": M1, "m2": M2}, STARTS) == expected


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("m3", "m3: no such metric"),
        ("m1 +", "cannot be read: m1 \\+"),
        ("m1 m2", "cannot be read"),
        ("(m1", "cannot be read"),
        ("m1) + (m2", "cannot be read"),
        ("m1 % 2", "m1 % 2 is not implemented"),
        ("m1 < m2 < 3", "is not implemented"),
        ("m1 and m2", "unexpected 'and'"),
        ("m1 if m2 else 3", "unexpected 'else'"),
        ("m1, m2", "is not implemented"),
        ("'m1' + m2", "'m1' is not implemented"),
        ("FILL(m1, REPEAT)", "REPEAT: no such metric"),
        ("RATE(m1)", "RATE of 1 such arguments is not implemented"),
        ("MAX(m1)", "expected one series"),
        ("SUM([m1, m2])", "SUM of 1 such arguments is not implemented"),
        ("-m1", "-m1 is not implemented"),
        ("[m1, m2] + 1", "several series where one is expected"),
        ("1 / 0 + m1", "division by zero"),
    ],
)
def test_refuses_what_it_does_not_know(expression: str, complaint: str) -> None:
    with pytest.raises(MetricMathError, match=complaint):
        evaluate(expression, {"m1": M1, "m2": M2}, STARTS)


def test_refuses_series_of_another_length() -> None:
    with pytest.raises(MetricMathError, match="m1: expected 3 values, got 4"):
        evaluate("m1", {"m1": M1}, STARTS[:3])
