"""Reads metrics out of a function's standard output."""

from collections.abc import Callable

from local.cloudwatch.embedded_metrics import datapoints

type Emitted = Callable[[], dict[str, float]]


def emitted_metrics(output: str, *, environment: str) -> dict[str, float]:
    """Return the sum of each metric; fail if one has not exactly the contract's namespace, dimensions and unit."""
    totals: dict[str, float] = {}
    for line in output.splitlines():
        found = datapoints(line)
        assert bool(found) == ('"_aws"' in line), line
        for each in found:
            assert (each.namespace, each.unit) == ("AILifestyle/MFA", "Count")
            assert each.dimensions == {"environment": environment, "service": "mfa"}
            totals[each.name] = totals.get(each.name, 0) + each.value
    return totals
