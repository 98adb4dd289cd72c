"""Reads metrics out of a function's standard output, by the Embedded Metric Format specification."""

import json


def emitted_metrics(output: str, *, environment: str) -> dict[str, float]:
    """Return the sum of each metric in the namespace and with exactly the dimensions of the contract."""
    totals: dict[str, float] = {}
    for line in output.splitlines():
        if '"_aws"' not in line:
            continue
        blob = json.loads(line)
        for group in blob["_aws"]["CloudWatchMetrics"]:
            assert group["Namespace"] == "AILifestyle/MFA"
            assert [sorted(names) for names in group["Dimensions"]] == [["environment", "service"]]
            assert (blob["environment"], blob["service"]) == (environment, "mfa")
            for metric in group["Metrics"]:
                assert metric["Unit"] == "Count"
                value = blob[metric["Name"]]
                totals[metric["Name"]] = totals.get(metric["Name"], 0) + sum(
                    value if isinstance(value, list) else [value]
                )
    return totals
