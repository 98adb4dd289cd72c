"""The key figures at the top of the dashboard: the last five minutes, coloured by their targets."""

from collections.abc import Callable

from aws_cdk import aws_cloudwatch as cloudwatch

from functions.shared import contract
from functions.shared.contract import Endpoint, Metric
from infra.config.monitoring import Thresholds
from infra.monitoring.dashboard.graphs import Colour, Figure, FigureTarget, computed, figure, line
from infra.monitoring.resources import WatchedResources
from infra.monitoring.rules.model import zero_filled

#: Of the checks of codes at login. People mistype, so a fifth of wrong codes is normal.
VERIFIED_PERCENT = 80


def success_rate(
    watched: WatchedResources, endpoint: Endpoint, label: str, colour: Colour | None = None
) -> cloudwatch.IMetric:
    """Return the line of a route's successful requests in percent; no value without a request.

    Requests of users who have MFA already (409) do not count for setup: the client is wrong, not the service.
    """
    names = {"attempts": endpoint.metrics.attempts, "successes": endpoint.metrics.successes}
    if endpoint is contract.SETUP:
        names["enabled"] = endpoint.metrics.rejections
    series = {f"{name}_{endpoint.function}": watched.counted(metric) for name, metric in names.items()}
    attempts, successes, *enabled = series
    counted = "-".join([attempts, *map(zero_filled, enabled)])
    return computed(label, f"100*{zero_filled(successes)}/({counted})", series, colour)


def key_figures(watched: WatchedResources, thresholds: Thresholds) -> list[Figure]:
    """Return the key figures, from left to right. A target is where the alarm of the same metric fires."""
    requests, failed = watched.gateway("Count"), watched.gateway("5XXError")

    def success(endpoint: Endpoint) -> Callable[[str], cloudwatch.IMetric]:
        return lambda label: success_rate(watched, endpoint, label)

    def server_errors(label: str) -> cloudwatch.IMetric:
        share = f"IF({zero_filled('requests')} > 0, 100*{zero_filled('failed')}/requests, 0)"
        return computed(label, share, {"requests": requests, "failed": failed})

    setups = FigureTarget(value=100 - thresholds.error_ratio_percent, highest=100, at_least=True)
    return [
        figure("Requests", lambda label: line(label, requests, Colour.NEUTRAL), unit="requests"),
        figure("Setups succeeded", success(contract.SETUP), unit="%", target=setups),
        figure(
            "Codes accepted",
            success(contract.VERIFY),
            unit="%",
            target=FigureTarget(value=VERIFIED_PERCENT, highest=100, at_least=True),
        ),
        figure(
            "Server errors (5xx)",
            server_errors,
            unit="%",
            target=FigureTarget(value=thresholds.api_5xx_percent, highest=min(100, 5 * thresholds.api_5xx_percent)),
        ),
        figure(
            "Latency, p99",
            lambda label: line(label, watched.gateway("Latency", "p99")),
            unit="ms",
            target=FigureTarget(value=thresholds.api_latency_p99_ms, highest=2 * thresholds.api_latency_p99_ms),
        ),
        figure(
            "Wrong codes",
            lambda label: computed(label, zero_filled("wrong"), {"wrong": watched.counted(Metric.INVALID_CODES)}),
            unit="codes",
            target=FigureTarget(value=thresholds.invalid_codes, highest=2 * thresholds.invalid_codes),
        ),
    ]
