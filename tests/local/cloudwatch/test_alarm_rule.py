"""Rules of composite alarms, against "AlarmRule" of PutCompositeAlarm in the CloudWatch API reference."""

import pytest

from local.cloudwatch.alarm_rule import alarms_named, rule_holds

STATES = {"on": "ALARM", "off": "OK", "new": "INSUFFICIENT_DATA", "two words": "ALARM"}
ARN = "arn:aws:cloudwatch:eu-central-1:111122223333:alarm:"


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("ALARM(on)", True),
        ("ALARM(off)", False),
        ("ALARM(new)", False),
        ("ALARM(gone)", False),
        ('ALARM( "two words" )', True),
        (f'ALARM("{ARN}on")', True),
        (f"ALARM({ARN}off)", False),
        ("(ALARM(off) OR ALARM(on))", True),
        ("(ALARM(off)\n OR ALARM(new))", False),
    ],
)
def test_holds(rule: str, expected: bool) -> None:
    assert rule_holds(rule, STATES.get) is expected


@pytest.mark.parametrize(
    "rule",
    [
        *("", "()", "on", "ALARM(on", "ALARM()", "OK(off)", "TRUE", "NOT ALARM(on)", "ALARM(on) ALARM(off)"),
        *("ALARM(on) AND ALARM(off)", "ALARM(on) or ALARM(on)", "ALARM(on) OR OK(off)", "AT_LEAST(1, ALARM, (on))"),
    ],
)
def test_refuses_other_rules(rule: str) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        rule_holds(rule, STATES.get)


def test_names_the_alarms_that_it_refers_to() -> None:
    assert alarms_named(f'(ALARM("{ARN}one") OR ALARM(two))') == {"one", "two"}
