"""CloudWatch metric math, as far as this service uses it.

Source: "Using math expressions with CloudWatch metrics" in the CloudWatch user guide. A series is a list with one
value per period, oldest first, ``None`` where there is no datapoint. Anything not understood is refused, never guessed.
"""

import ast
import keyword
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from typing import Final

type Series = list[float | None]
type _Operation = Callable[[float, float], float]


@dataclass(frozen=True)
class _Array:
    """Several series, such as ``[a, b]`` or ``METRICS()``."""

    series: list[Series]


type _Value = float | Series | _Array

#: Metric math has the syntax and the precedence of Python, with other words for two operators.
_SPELLINGS: Final = {"AND": " and ", "&&": " and ", "OR": " or ", "||": " or "}
_OPERATIONS: Final[Mapping[type[ast.AST], _Operation]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Lt: operator.lt,
    ast.Gt: operator.gt,
    ast.LtE: operator.le,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.And: lambda left, right: bool(left) and bool(right),
    ast.Or: lambda left, right: bool(left) or bool(right),
}

_AGGREGATES: Final[Mapping[str, Callable[[list[float]], float]]] = {
    "SUM": sum,
    "MIN": min,
    "MAX": max,
    "AVG": lambda values: sum(values) / len(values),
}


class MetricMathError(ValueError):
    """An expression that is not metric math, or uses a part of it that is not implemented here."""


def evaluate(expression: str, metrics: Mapping[str, Sequence[float | None]], starts: Sequence[float]) -> Series:
    """Compute an expression.

    Parameters
    ----------
    expression : str
        Metric math; names are the keys of ``metrics``.
    metrics : mapping of str to sequence
        The series, with one value per period.
    starts : sequence of float
        Start of each period, seconds.

    Returns
    -------
    list of float or None
        One value per period. As in CloudWatch, an operation with a missing operand has no value, and neither has a
        division by zero.

    Raises
    ------
    MetricMathError
        If the expression cannot be read, or does not result in one series.
    """
    for name, values in metrics.items():
        if len(values) != len(starts):
            raise MetricMathError(f"{name}: expected {len(starts)} values, got {len(values)}")
    series = {name: list(values) for name, values in metrics.items()}
    result = _Evaluation(series, list(starts)).value(_parsed(expression))
    if not isinstance(result, list):
        raise MetricMathError(f"expected one series: {expression}")
    return result


def _parsed(expression: str) -> ast.expr:
    if reserved := set(re.findall(r"\w+", expression)) & set(keyword.kwlist):
        raise MetricMathError(f"unexpected {min(reserved)!r} in: {expression}")
    python = re.sub(r"\bAND\b|\bOR\b|&&|\|\|", lambda match: _SPELLINGS[match[0]], " ".join(expression.split()))
    try:
        return ast.parse(python, mode="eval").body
    except SyntaxError as error:
        raise MetricMathError(f"cannot be read: {expression}") from error


@dataclass(frozen=True)
class _Evaluation:
    """Computes the parts of an expression."""

    metrics: Mapping[str, Series]
    starts: list[float]

    def value(self, node: ast.expr) -> _Value:
        match node:
            case ast.Constant(value=int() | float() as number):
                return float(number)
            case ast.Name(id=name):
                return self._metric(name)
            case ast.List(elts=parts):
                return _Array([self._series(self.value(part)) for part in parts])
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._combine(operator.sub, 0.0, self.value(operand))
            case (
                ast.BinOp(left=left, op=symbol, right=right) | ast.Compare(left=left, ops=[symbol], comparators=[right])
            ) if type(symbol) in _OPERATIONS:
                return self._combine(_OPERATIONS[type(symbol)], self.value(left), self.value(right))
            case ast.BoolOp(op=symbol, values=parts):
                operation = partial(self._combine, _OPERATIONS[type(symbol)])
                return reduce(operation, (self.value(part) for part in parts))
            case ast.Call(func=ast.Name(id=function), args=arguments, keywords=[]):
                return self._call(function, [self.value(each) for each in arguments])
        raise MetricMathError(f"{ast.unparse(node)} is not implemented")

    def _metric(self, name: str) -> Series:
        if name not in self.metrics:
            raise MetricMathError(f"{name}: no such metric")
        return self.metrics[name]

    def _call(self, function: str, arguments: list[_Value]) -> _Value:
        match function, arguments:
            case "METRICS", []:
                return _Array(list(self.metrics.values()))
            case "FILL", [_Array(series), float(filler)]:
                return _Array([_fill(each, filler) for each in series])
            case "FILL", [list(series), float(filler)]:
                return _fill(series, filler)
            case "EPOCH", [list(series)]:
                return [None if each is None else start for each, start in zip(series, self.starts, strict=True)]
            case "IF", [condition, then, otherwise]:
                return self._if(condition, then, otherwise)
            case name, [_Array(series)] if name in _AGGREGATES:
                return _across(_AGGREGATES[name], series)
            case name, [list(series)] if name in _AGGREGATES:
                return _AGGREGATES[name]([each for each in series if each is not None])
        raise MetricMathError(f"{function} of {len(arguments)} such arguments is not implemented")

    def _if(self, condition: _Value, then: _Value, otherwise: _Value) -> Series:
        rows = zip(self._series(condition), self._series(then), self._series(otherwise), strict=True)
        return [None if test is None else yes if test else no for test, yes, no in rows]

    def _series(self, value: _Value) -> Series:
        if isinstance(value, _Array):
            raise MetricMathError("several series where one is expected")
        return value if isinstance(value, list) else [value] * len(self.starts)

    def _combine(self, operation: _Operation, left: _Value, right: _Value) -> _Value:
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


def _apply(operation: _Operation, left: float | None, right: float | None) -> float | None:
    if left is None or right is None or (operation is operator.truediv and right == 0):
        return None
    return float(operation(left, right))
