"""The key figures at the top of the dashboard: the last five minutes, coloured by their targets."""

from dataclasses import dataclass
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from functions.shared import contract
from functions.shared.contract import Endpoint, Metric
from infra.config.monitoring import Thresholds
from infra.monitoring.dashboard.graphs import PERIOD_MINUTES, Colour, WidgetRow, computed, line
from infra.monitoring.resources import WatchedResources
from infra.monitoring.rules.model import zero_filled

#: Of the checks of codes at login. People mistype, so a fifth of wrong codes is normal.
VERIFIED_PERCENT: Final = 80

_WIDTH: Final = 4
_HEIGHT: Final = 4


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


@dataclass(frozen=True, kw_only=True)
class FigureTarget:
    """The target of a key figure.

    Attributes
    ----------
    value : float
        From this value on the figure is good, or bad.
    unit : str
        The unit of the figure.
    highest : float
        End of the gauge's scale.
    at_least : bool
        Whether values from ``value`` on are good, not bad.
    """

    value: float
    unit: str
    highest: float
    at_least: bool = False

    @property
    def label(self) -> str:
        """The target in words: ``target: below 3000 ms``."""
        return f"target: {'at least' if self.at_least else 'below'} {self.value:g} {self.unit}"


def key_figures(watched: WatchedResources, thresholds: Thresholds) -> WidgetRow:
    """Return the key figures, from left to right. A target is where the alarm of the same metric fires."""
    setups = FigureTarget(value=100 - thresholds.error_ratio_percent, unit="%", highest=100, at_least=True)
    codes = FigureTarget(value=VERIFIED_PERCENT, unit="%", highest=100, at_least=True)
    failures = FigureTarget(
        value=thresholds.api_5xx_percent, unit="%", highest=min(100, 5 * thresholds.api_5xx_percent)
    )
    latency = FigureTarget(value=thresholds.api_latency_p99_ms, unit="ms", highest=2 * thresholds.api_latency_p99_ms)
    wrong = FigureTarget(value=thresholds.invalid_codes, unit="codes", highest=2 * thresholds.invalid_codes)
    requests = watched.gateway("Count")
    server_errors = computed(
        failures.label,
        f"IF({zero_filled('requests')} > 0, 100*{zero_filled('failed')}/requests, 0)",
        {"requests": requests, "failed": watched.gateway("5XXError")},
    )
    wrong_codes = computed(wrong.label, zero_filled("wrong"), {"wrong": watched.counted(Metric.INVALID_CODES)})
    return [
        cloudwatch.SingleValueWidget(
            title="Requests",
            metrics=[line(f"requests in {PERIOD_MINUTES} minutes", requests, Colour.NEUTRAL)],
            sparkline=True,
            width=_WIDTH,
            height=_HEIGHT,
        ),
        _gauge("Setups succeeded", success_rate(watched, contract.SETUP, setups.label), setups),
        _gauge("Codes accepted", success_rate(watched, contract.VERIFY, codes.label), codes),
        _gauge("Server errors (5xx)", server_errors, failures),
        _gauge("Latency, p99", line(latency.label, watched.gateway("Latency", "p99")), latency),
        _gauge("Wrong codes", wrong_codes, wrong),
    ]


def _gauge(title: str, value: cloudwatch.IMetric, target: FigureTarget) -> cloudwatch.GaugeWidget:
    """Return the gauge of a figure. CloudWatch shows the label of its metric below the number.

    It is not a number widget, because CloudWatch colours only a gauge by its annotations ("Using gauge widgets",
    CloudWatch user guide).
    """
    good, bad = cloudwatch.Shading.BELOW, cloudwatch.Shading.ABOVE
    if target.at_least:
        good, bad = bad, good
    return cloudwatch.GaugeWidget(
        title=title,
        metrics=[value],
        left_y_axis=cloudwatch.YAxisProps(min=0, max=target.highest, label=target.unit, show_units=False),
        annotations=[
            cloudwatch.HorizontalAnnotation(value=target.value, label=name, color=colour, fill=fill)
            for name, colour, fill in (("on target", Colour.GOOD, good), ("off target", Colour.BROKEN, bad))
        ],
        period=Duration.minutes(PERIOD_MINUTES),
        width=_WIDTH,
        height=_HEIGHT,
    )
