"""CloudWatch metrics of functions: those that they publish through their logs, and those that Lambda publishes."""

from typing import Any, Final

from ministack.services import cloudwatch, lambda_svc

from local.cloudwatch.embedded_metrics import datapoints
from local.emulator import alarms


def function_metrics() -> None:
    """Publish the metrics in a function's log, and Lambda's of every invocation, by any kind of caller.

    MiniStack stores log lines in the Embedded Metric Format as text. It publishes Lambda's metrics only for invocations
    over Lambda's own API, not for those by API Gateway or a stream.
    """
    emit_logs, emit_metrics = lambda_svc._emit_lambda_logs, lambda_svc._emit_lambda_metrics

    def emit_with_metrics(
        function: Any, request_id: str, log: str, error: bool, milliseconds: int, **options: Any
    ) -> None:
        emit_logs(function, request_id, log, error, milliseconds, **options)
        found = [each for line in (log or "").splitlines() for each in datapoints(line)]
        for each in found:
            cloudwatch.record_metric(each.namespace, each.name, each.value, each.unit, dict(each.dimensions))
        name = (function.get("config") or function)["FunctionName"]
        # MiniStack publishes no duration of 0, which is what it rounds short ones down to.
        emit_metrics(name, max(milliseconds, 1), error=error, throttle=False)
        if found:
            alarms.evaluate_soon()

    def emit_refused(name: str, duration_ms: float, throttle: bool, **_: bool) -> None:
        # Lambda's own API counts a refused invocation again, with the time that it took to refuse.
        if throttle and not duration_ms:
            cloudwatch.record_metric("AWS/Lambda", "Throttles", 1, "Count", {"FunctionName": name})

    lambda_svc._emit_lambda_logs = emit_with_metrics
    lambda_svc._emit_lambda_metrics = emit_refused


GAPS: Final = (function_metrics,)
