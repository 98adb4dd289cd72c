"""Rules of composite alarms, against "AlarmRule" of PutCompositeAlarm in the CloudWatch API reference."""

import pytest

from local.cloudwatch.alarm_rule import AlarmRuleError, alarms_named, rule_holds

STATES = {"on": "ALARM", "off": "OK", "new": "INSUFFICIENT_DATA", "two words": "ALARM", 'a"quote': "ALARM"}
ARN = "arn:aws:cloudwatch:eu-central-1:111122223333:alarm:"


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("ALARM(on)", True),
        ("ALARM(off)", False),
        ("OK(off)", True),
        ("INSUFFICIENT_DATA(new)", True),
        ("ALARM(new)", False),
        # names in quotes, and ARNs
        ('ALARM("on")', True),
        ('ALARM( "two words" )', True),
        (r'ALARM("a\"quote")', True),
        (f'ALARM("{ARN}on")', True),
        (f"ALARM({ARN}off)", False),
        # an alarm that does not exist is in no state
        ("ALARM(gone)", False),
        ("OK(gone)", False),
        ("TRUE", True),
        ("FALSE", False),
        ("NOT ALARM(on)", False),
        ("NOT ALARM(off) AND ALARM(on)", True),
        ("ALARM(on) AND ALARM(off)", False),
        ("ALARM(off) OR ALARM(on)", True),
        # AND binds more tightly than OR, NOT more tightly than both
        ("ALARM(on) OR ALARM(off) AND FALSE", True),
        ("(ALARM(on) OR ALARM(off)) AND FALSE", False),
        ("NOT FALSE OR ALARM(on)", True),
        ("NOT (FALSE OR ALARM(on))", False),
        ("((ALARM(on))\n  AND\tOK(off))", True),
        ("AT_LEAST(1, ALARM, (on, off))", True),
        ("AT_LEAST(2, ALARM, (on, off))", False),
        ('AT_LEAST(50%, ALARM, ("on", off))', True),
        ("AT_LEAST(51%, ALARM, (on, off))", False),
        ("AT_LEAST(2, NOT OK, (on, off, new))", True),
        ("AT_LEAST(1, OK, (on)) OR ALARM(on)", True),
    ],
)
def test_holds(rule: str, expected: bool) -> None:
    assert rule_holds(rule, STATES.get) is expected


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "ALARM(on",
        "ALARM()",
        "on",
        "ALARM(on) ALARM(off)",
        "ALARM(on) and ALARM(on)",
        "ALARM(on) XOR ALARM(off)",
        "NOT",
        "TRUE(FALSE)",
        "()",
        "AT_LEAST(x, ALARM, (on))",
        "__import__('os')",
    ],
)
def test_refuses_what_is_not_a_rule(rule: str) -> None:
    with pytest.raises(AlarmRuleError, match="cannot be read"):
        rule_holds(rule, STATES.get)


def test_names_the_alarms_that_it_refers_to() -> None:
    rule = f'(ALARM("{ARN}one") OR NOT OK(two)) AND AT_LEAST(2, ALARM, (three, "four", {ARN}five)) AND TRUE'
    assert alarms_named(rule) == {"one", "two", "three", "four", "five"}
