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
    """Several series: ``[a, b]``."""

    series: list[Series]


type _Value = float | Series | _Array

_OPERATIONS: Final[Mapping[type[ast.AST], _Operation]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Lt: operator.lt,
    ast.Gt: operator.gt,
    ast.LtE: operator.le,
    ast.GtE: operator.ge,
    ast.And: lambda left, right: bool(left) and bool(right),
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
    # Metric math has the syntax and the precedence of Python, with another spelling of this operator.
    python = re.sub(r"\bAND\b", "and", " ".join(expression.split()))
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
            case "FILL", [list(series), float(filler)]:
                return [filler if each is None else each for each in series]
            case "EPOCH", [list(series)]:
                return [None if each is None else start for each, start in zip(series, self.starts, strict=True)]
            case "IF", [condition, then, otherwise]:
                return self._if(condition, then, otherwise)
            case "MAX", [_Array(series)]:
                periods = zip(*series, strict=True)
                return [max((each for each in period if each is not None), default=None) for period in periods]
            case "MAX", [list(series)]:
                return max(each for each in series if each is not None)
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


def _apply(operation: _Operation, left: float | None, right: float | None) -> float | None:
    if left is None or right is None or (operation is operator.truediv and right == 0):
        return None
    return float(operation(left, right))
