"""CloudWatch metric math, the part that this service writes.

Source: "Using math expressions with CloudWatch metrics" in the CloudWatch user guide. A series is a list with one
value per period, oldest first, ``None`` where there is no datapoint. Anything not understood is refused, never guessed.
"""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

type Series = list[float | None]


@dataclass(frozen=True)
class _Array:
    """Several series, such as ``[a, b]`` or ``METRICS()``."""

    series: list[Series]


type _Value = float | Series | _Array

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z]\w*)|(?P<symbol><=|>=|==|!=|&&|\|\||[-+*/<>(),\[\]]))"
)

_BINARY: Final[dict[str, Callable[[float, float], float]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "AND": lambda left, right: bool(left) and bool(right),
    "OR": lambda left, right: bool(left) or bool(right),
}
_SPELLINGS: Final = {"&&": "AND", "||": "OR"}

#: From the loosest to the tightest.
_PRECEDENCE: Final = (("OR",), ("AND",), ("==", "!=", "<", ">", "<=", ">="), ("+", "-"), ("*", "/"))

_AGGREGATES: Final[dict[str, Callable[[list[float]], float]]] = {
    "SUM": sum,
    "MIN": min,
    "MAX": max,
    "AVG": lambda values: sum(values) / len(values),
}


class MetricMathError(ValueError):
    """An expression that is not metric math, or uses a part of it that is not implemented here."""


def evaluate(expression: str, metrics: Mapping[str, Sequence[float | None]], length: int) -> Series:
    """Compute an expression.

    Parameters
    ----------
    expression : str
        Metric math; names are the keys of ``metrics``.
    metrics : mapping of str to sequence
        The series, each ``length`` long.
    length : int
        Number of periods.

    Returns
    -------
    list of float or None
        One value a period. As in CloudWatch, an operation with a missing operand, or a division by zero, has none.

    Raises
    ------
    MetricMathError
        If the expression can not be read, or does not give one series.
    """
    for name, values in metrics.items():
        if len(values) != length:
            raise MetricMathError(f"{name}: expected {length} values, got {len(values)}")
    result = _Evaluation(_tokens(expression), {name: list(values) for name, values in metrics.items()}, length).run()
    if not isinstance(result, list):
        raise MetricMathError(f"expected one series: {expression}")
    return result


def _tokens(expression: str) -> list[str]:
    tokens, position = [], 0
    text = expression.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise MetricMathError(f"unexpected {text[position:].strip()[:10]!r} in: {expression}")
        token = match.group(match.lastgroup or 0)
        tokens.append(_SPELLINGS.get(token, token))
        position = match.end()
    return tokens


@dataclass
class _Evaluation:
    """Recursive descent over the tokens, computing as it goes."""

    tokens: list[str]
    metrics: dict[str, Series]
    length: int
    position: int = 0

    def run(self) -> _Value:
        result = self._level(0)
        if self.position != len(self.tokens):
            raise MetricMathError(f"unexpected {self.tokens[self.position]!r}")
        return result

    def _peek(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def _take(self, expected: str | None = None) -> str:
        token = self._peek()
        if not token or (expected is not None and token != expected):
            raise MetricMathError(f"expected {expected or 'more'}, got {token or 'the end'}")
        self.position += 1
        return token

    def _level(self, level: int) -> _Value:
        if level == len(_PRECEDENCE):
            return self._unary()
        left = self._level(level + 1)
        while self._peek() in _PRECEDENCE[level]:
            symbol = self._take()
            left = self._combine(_BINARY[symbol], left, self._level(level + 1))
        return left

    def _unary(self) -> _Value:
        if self._peek() == "-":
            self._take()
            return self._combine(operator.sub, 0.0, self._unary())
        return self._operand()

    def _operand(self) -> _Value:
        first = self._take()
        if first == "(":
            inner = self._level(0)
            self._take(")")
            return inner
        if first == "[":
            return _Array([self._series(each) for each in self._arguments("]")])
        if first[0].isdigit():
            return float(first)
        if self._peek() == "(":
            return self._call(first)
        if first in self.metrics:
            return self.metrics[first]
        raise MetricMathError(f"{first}: no such metric")

    def _arguments(self, end: str) -> list[_Value]:
        arguments = [self._level(0)] if self._peek() != end else []
        while self._peek() == ",":
            self._take()
            arguments.append(self._level(0))
        self._take(end)
        return arguments

    def _call(self, function: str) -> _Value:
        self._take("(")
        match function, self._arguments(")"):
            case "METRICS", []:
                return _Array(list(self.metrics.values()))
            case "FILL", [_Array(series), float(filler)]:
                return _Array([_fill(each, filler) for each in series])
            case "FILL", [list(series), float(filler)]:
                return _fill(series, filler)
            case "IF", [condition, then, otherwise]:
                return self._if(condition, then, otherwise)
            case name, [_Array(series)] if name in _AGGREGATES:
                return _across(_AGGREGATES[name], series)
            case name, [list(series)] if name in _AGGREGATES:
                return _AGGREGATES[name]([each for each in series if each is not None])
            case name, arguments:
                raise MetricMathError(f"{name} of {len(arguments)} such arguments is not implemented")

    def _if(self, condition: _Value, then: _Value, otherwise: _Value) -> Series:
        rows = zip(self._series(condition), self._series(then), self._series(otherwise), strict=True)
        return [None if test is None else yes if test else no for test, yes, no in rows]

    def _series(self, value: _Value) -> Series:
        if isinstance(value, _Array):
            raise MetricMathError("several series where one is expected")
        return value if isinstance(value, list) else [value] * self.length

    def _combine(self, operation: Callable[[float, float], float], left: _Value, right: _Value) -> _Value:
        if isinstance(left, float) and isinstance(right, float):
            result = _apply(operation, left, right)
            if result is None:
                raise MetricMathError("division by zero")
            return result
        pairs = zip(self._series(left), self._series(right), strict=True)
        return [_apply(operation, one, other) for one, other in pairs]


def _fill(series: Series, filler: float) -> Series:
    return [filler if each is None else each for each in series]


def _across(aggregate: Callable[[list[float]], float], series: list[Series]) -> Series:
    """Aggregate several series period by period, over those that have a datapoint."""
    present = ([each for each in period if each is not None] for period in zip(*series, strict=True))
    return [float(aggregate(period)) if period else None for period in present]


def _apply(operation: Callable[[float, float], float], left: float | None, right: float | None) -> float | None:
    if left is None or right is None or (operation is operator.truediv and right == 0):
        return None
    return float(operation(left, right))
