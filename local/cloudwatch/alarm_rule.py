"""Rules of composite alarms: expressions over the states of other alarms.

Source: "AlarmRule" of PutCompositeAlarm in the CloudWatch API reference. Anything not understood is refused, never
guessed.
"""

import ast
import re
from collections.abc import Callable
from typing import Final

_NAME: Final = r'"(?:[^"\\]|\\.)+"|[^\s(),"]+'
_STATE: Final = r"ALARM|OK|INSUFFICIENT_DATA"
_IN_STATE: Final = re.compile(rf"\b({_STATE})\(\s*({_NAME})\s*\)")
_AT_LEAST: Final = re.compile(
    rf"\bAT_LEAST\(\s*(\d+)(%?)\s*,\s*(NOT\s+)?({_STATE})\s*,\s*\(\s*((?:{_NAME})(?:\s*,\s*(?:{_NAME}))*)\s*\)\s*\)"
)
#: Once the states are known, a rule has the syntax and the precedence of Python.
_WORDS: Final = {"AND": "and", "OR": "or", "NOT": "not", "TRUE": "True", "FALSE": "False", "(": "(", ")": ")"}


class AlarmRuleError(ValueError):
    """A rule that is not in the language of composite alarms."""


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
    AlarmRuleError
        If the rule cannot be read.
    """

    def at_least(match: re.Match[str]) -> str:
        count, percent, negated, state, names = match.groups()
        members = _names(names)
        hits = sum((state_of(name) == state) != bool(negated) for name in members)
        return str(hits * 100 >= int(count) * len(members) if percent else hits >= int(count)).upper()

    def in_state(match: re.Match[str]) -> str:
        return str(state_of(_plain(match[2])) == match[1]).upper()

    known = _IN_STATE.sub(in_state, _AT_LEAST.sub(at_least, rule))
    try:
        python = " ".join(_WORDS[word] for word in re.findall(r"\w+|\S", known))
        return _truth(ast.parse(python, mode="eval").body)
    except (KeyError, SyntaxError) as error:
        raise AlarmRuleError(f"cannot be read: {rule}") from error


def alarms_named(rule: str) -> set[str]:
    """Return the names of the alarms that a rule refers to."""
    lists = [match[5] for match in _AT_LEAST.finditer(rule)]
    rest = _AT_LEAST.sub("", rule)
    return {_plain(match[2]) for match in _IN_STATE.finditer(rest)} | {name for each in lists for name in _names(each)}


def _truth(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=bool() as value):
            return value
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _truth(operand)
        case ast.BoolOp(op=ast.And(), values=values):
            return min(map(_truth, values))  # reads all of them, so that it finds a mistake in any
        case ast.BoolOp(op=ast.Or(), values=values):
            return max(map(_truth, values))
    raise AlarmRuleError(f"cannot be read: {ast.unparse(node)}")


def _names(text: str) -> list[str]:
    return [_plain(name) for name in re.findall(_NAME, text)]


def _plain(name: str) -> str:
    """Return the name in a reference, which may be quoted and may be an ARN."""
    unquoted = re.sub(r"\\(.)", r"\1", name[1:-1]) if name.startswith('"') else name
    return unquoted.rpartition(":alarm:")[2]
