"""CloudWatch metrics that functions publish through their logs."""

import json
from collections.abc import Iterator
from typing import Any, Final

from ministack.services import cloudwatch, lambda_svc


def embedded_metrics() -> None:
    """Turn log lines in the Embedded Metric Format into metrics, and evaluate alarms on them at once.

    MiniStack stores them as text.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    emit = lambda_svc._emit_lambda_logs

    def emit_with_metrics(function: Any, request_id: str, log: str, *arguments: Any, **options: Any) -> None:
        emit(function, request_id, log, *arguments, **options)
        recorded = [
            cloudwatch.record_metric(*metric)
            for line in (log or "").splitlines()
            if '"_aws"' in line
            for metric in embedded_metrics_of(line)
        ]
        if recorded:
            cloudwatch._evaluate_all_alarms()

    lambda_svc._emit_lambda_logs = emit_with_metrics


def embedded_metrics_of(line: str) -> Iterator[tuple[str, str, float, str, dict[str, str]]]:
    """Yield namespace, name, value, unit and dimensions of each datapoint in a log line; none if it is no EMF."""
    try:
        document = json.loads(line)
        directives = document["_aws"]["CloudWatchMetrics"]
    except (ValueError, TypeError, KeyError):
        return
    for directive in directives:
        for names in directive.get("Dimensions") or [[]]:
            dimensions = {name: str(document[name]) for name in names if name in document}
            for metric in directive.get("Metrics", []):
                values = document.get(metric["Name"])
                for value in values if isinstance(values, list) else [values]:
                    if isinstance(value, int | float):
                        yield directive["Namespace"], metric["Name"], value, metric.get("Unit", "None"), dimensions


GAPS: Final = (embedded_metrics,)
