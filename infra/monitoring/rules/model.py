"""An alarm as data, and the metric math that several alarms use."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from infra.config.monitoring import MonitoringConfig
from infra.monitoring.resources import Series

#: CloudWatch's limit on the metrics of one alarm's expression.
MAX_METRICS_PER_ALARM: Final = 10


@dataclass(frozen=True, kw_only=True)
class AlarmRule:
    """When an alarm fires, and what its message says.

    Attributes
    ----------
    key : str
        Its name without service and environment; also its heading in the runbook.
    happened : str
        One sentence: what the operator is looking at.
    response : str
        One sentence: what to do first.
    series : mapping of str to Series
        What is measured, by the names that ``expression`` uses.
    threshold : float
        A datapoint breaches from this value on.
    expression : str or None
        Metric math over ``series``; ``None`` for a single series.
    below : bool
        Whether a datapoint breaches below the threshold instead.
    missing_breaches : bool
        Whether a period without a datapoint breaches too. Not by default: the functions and AWS publish these metrics
        only when something happens, so in such a period nothing happened.
    period_minutes : int
        Length of a datapoint.
    datapoints, periods : int
        The alarm fires when ``datapoints`` of the last ``periods`` breach.
    pages : bool
        Whether the alarm pages on-call, through the composite alarm, or only notifies.
    """

    key: str
    happened: str
    response: str
    series: Mapping[str, Series]
    threshold: float
    expression: str | None = None
    below: bool = False
    missing_breaches: bool = False
    period_minutes: int = 5
    datapoints: int = 1
    periods: int = 1
    pages: bool = False

    def __post_init__(self) -> None:
        """Refuse what CloudWatch would refuse at deployment."""
        if self.expression is None and len(self.series) != 1:
            raise ValueError(f"{self.key}: an alarm without an expression needs exactly one series")
        if len(self.series) > MAX_METRICS_PER_ALARM:
            raise ValueError(f"{self.key}: expected at most {MAX_METRICS_PER_ALARM} metrics, got {len(self.series)}")
        if not 1 <= self.datapoints <= self.periods:
            raise ValueError(f"{self.key}: datapoints must be between 1 and periods ({self.periods})")


def alarm_name(environment: str, key: str) -> str:
    """Return an alarm's name. An alarm that is put under an existing name replaces it, so it has the environment."""
    return f"mfa-{environment}-{key}"


def alarm_description(config: MonitoringConfig, heading: str, *, happened: str, response: str) -> str:
    """Return an alarm's description, which is all that a message on a phone shows; ``heading`` is in the runbook."""
    return f"What happened: {happened} What to do: {response} Runbook: {config.runbook_link(heading)}"


def ratio(part: str, whole: str, minimum: int) -> str:
    """Return an expression: ``part`` in percent of ``whole``, zero below ``minimum``.

    The guard looks at the whole. If it looked at the successes, total failure would silence the alarm.
    """
    return f"IF({whole} >= {minimum}, 100*({part})/({whole}), 0)"


def zero_filled(name: str) -> str:
    """Return an expression: the series, with a zero for every period without a datapoint."""
    return f"FILL({name},0)"


def total(names: Iterable[str]) -> str:
    """Return an expression: the sum of the named series; a series without a datapoint counts as zero."""
    return "+".join(zero_filled(name) for name in names)


def except_newest(value: str, times: str) -> str:
    """Return an expression: ``value``, but zero in the newest period.

    Parameters
    ----------
    times : str
        A series with a datapoint in each period, for its timestamps.
    """
    return f"IF(EPOCH({times}) < MAX(EPOCH({times})), {value}, 0)"
