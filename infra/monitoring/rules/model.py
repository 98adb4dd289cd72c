"""The words that alarms are written in: a series of datapoints, and a rule over one or more of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

MINUTE: Final = 60

#: CloudWatch's limit on the metrics of one alarm's expression.
MAX_METRICS_PER_ALARM: Final = 10


@dataclass(frozen=True, kw_only=True)
class Series:
    """One metric with one statistic: CloudWatch finds it only if namespace, name and *every* dimension match."""

    namespace: str
    name: str
    dimensions: Mapping[str, str] = field(default_factory=dict)
    statistic: str = "Sum"


class Missing(StrEnum):
    """What a period without a datapoint means (CloudWatch's ``TreatMissingData``)."""

    NOT_BREACHING = "notBreaching"
    BREACHING = "breaching"


class Urgency(StrEnum):
    """Whether an alarm wakes somebody, through the composite alarm, or waits for the morning."""

    PAGE = "page"
    NOTIFY = "notify"


@dataclass(frozen=True, kw_only=True)
class AlarmRule:
    """When an alarm fires, and what it says then.

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
        From this value on a datapoint breaches.
    missing : Missing
        Stated by every rule, with the reason in a comment.
    expression : str or None
        Metric math over ``series``; ``None`` where there is one series and nothing to compute.
    below : bool
        Breach below the threshold instead.
    period_minutes : int
        Length of a datapoint.
    datapoints, periods : int
        So many of so many recent datapoints must breach.
    urgency : Urgency
        Who is told.
    """

    key: str
    happened: str
    response: str
    series: Mapping[str, Series]
    threshold: float
    missing: Missing
    expression: str | None = None
    below: bool = False
    period_minutes: int = 5
    datapoints: int = 1
    periods: int = 1
    urgency: Urgency = Urgency.NOTIFY

    def __post_init__(self) -> None:
        """Refuse what CloudWatch would refuse at deployment."""
        if self.expression is None and len(self.series) != 1:
            raise ValueError(f"{self.key}: without an expression there is exactly one series")
        if len(self.series) > MAX_METRICS_PER_ALARM:
            raise ValueError(f"{self.key}: an alarm takes {MAX_METRICS_PER_ALARM} metrics at most")
        if not 1 <= self.datapoints <= self.periods:
            raise ValueError(f"{self.key}: {self.datapoints} of {self.periods} datapoints can not be")


def alarm_name(environment: str, key: str) -> str:
    """Return an alarm's name. It is CloudWatch's key of the alarm, so the environment belongs in it."""
    return f"mfa-{environment}-{key}"


def ratio(part: str, whole: str, minimum: int) -> str:
    """Return an expression: ``part`` in percent of ``whole``, zero below ``minimum``.

    The guard looks at the whole, never at the successes alone: else total failure would silence the alarm.
    """
    return f"IF({whole} >= {minimum}, 100*({part})/({whole}), 0)"


def zero_filled(name: str) -> str:
    """Return an expression: the series, with a zero in every period that counted nothing."""
    return f"FILL({name},0)"


def total(names: Mapping[str, Series] | list[str]) -> str:
    """Return an expression: the sum of the named series, quiet ones counting as zero."""
    return "+".join(zero_filled(name) for name in names)
