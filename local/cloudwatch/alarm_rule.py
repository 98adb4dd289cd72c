"""Rules of composite alarms, as far as this service uses them: alternatives of alarms in ALARM.

Source: "AlarmRule" of PutCompositeAlarm in the CloudWatch API reference. Anything else is refused, never guessed.
"""

import re
from collections.abc import Callable
from typing import Final

_ALARM: Final = re.compile(r'ALARM\(\s*(?:"([^"\\]+)"|([^\s(),"]+))\s*\)')


def rule_holds(rule: str, state_of: Callable[[str], str | None]) -> bool:
    """Return whether a composite alarm is in ALARM.

    Parameters
    ----------
    rule : str
        ``AlarmRule``; alarms are referred to by name or ARN.
    state_of : callable
        Returns the state of an alarm by name, ``None`` if there is no such alarm.

    Raises
    ------
    ValueError
        If the rule cannot be read.
    """
    return any(state_of(name) == "ALARM" for name in alarms_named(rule))


def alarms_named(rule: str) -> set[str]:
    """Return the names of the alarms that a rule refers to.

    Raises
    ------
    ValueError
        If the rule cannot be read.
    """
    alternatives = rule[1:-1] if rule.startswith("(") and rule.endswith(")") else rule
    found = [_ALARM.fullmatch(each) for each in re.split(r"\s+OR\s+", alternatives.strip())]
    if not all(found):
        raise ValueError(f"cannot be read: {rule}")
    return {(match[1] or match[2]).rpartition(":alarm:")[2] for match in found if match}
