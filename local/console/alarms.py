"""The alarms of the local stack, as the operations view shows them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from infra.monitoring.rules.model import alarm_name
from local.cloudwatch.alarm_rule import alarms_named
from local.cloudwatch.alarm_state import needs_aws
from local.console.documents import address

_DESCRIPTION: Final = re.compile(r"What happened: (?P<happened>.*) What to do: (?P<response>.*) Runbook: (?P<link>\S+)")
_TYPES: Final = ("MetricAlarm", "CompositeAlarm")
#: The most urgent first.
_ORDER: Final = ("ALARM", "INSUFFICIENT_DATA", "OK")


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """An alarm as the page shows it.

    Attributes
    ----------
    key : str
        Its name without service and environment: its heading in the runbook.
    state : str
        ``OK``, ``ALARM`` or ``INSUFFICIENT_DATA``.
    aws_only : bool
        Whether it needs metrics that the local stack does not have, so that its state means nothing.
    pages : bool
        Whether it pages on-call, itself or through the composite alarm.
    since : float
        When it went into the state, epoch seconds.
    reason : str
        Why it did, in CloudWatch's words.
    happened, response : str
        What its description says has happened, and what to do first.
    runbook : str or None
        Address of its heading.
    """

    name: str
    key: str
    state: str
    aws_only: bool
    pages: bool
    since: float
    reason: str
    happened: str
    response: str
    runbook: str | None


def alarms(cloudwatch: Any, environment: str) -> list[Alarm]:  # noqa: ANN401 (boto3 clients have no types)
    """Return every alarm of an environment, the most urgent first; among equals, those that page first."""
    prefix = alarm_name(environment, "")
    pages = cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=prefix, AlarmTypes=[*_TYPES])
    found = [alarm for page in pages for kind in _TYPES for alarm in page[f"{kind}s"]]
    composite = [each for each in found if "AlarmRule" in each]
    urgent = {name for each in composite for name in (each["AlarmName"], *alarms_named(each["AlarmRule"]))}
    shown = [_alarm(each, prefix, pages=each["AlarmName"] in urgent) for each in found]
    return sorted(shown, key=lambda each: (each.aws_only, _ORDER.index(each.state), not each.pages, each.key))


def _alarm(alarm: Mapping[str, Any], prefix: str, *, pages: bool) -> Alarm:
    description = alarm.get("AlarmDescription", "")
    parts = _DESCRIPTION.fullmatch(description)
    return Alarm(
        name=alarm["AlarmName"],
        key=alarm["AlarmName"].removeprefix(prefix),
        state=alarm["StateValue"],
        aws_only="AlarmRule" not in alarm and needs_aws(alarm),
        pages=pages,
        since=alarm["StateUpdatedTimestamp"].timestamp(),
        reason=alarm.get("StateReason", ""),
        happened=parts["happened"] if parts else description,
        response=parts["response"] if parts else "",
        runbook=address(parts["link"]) if parts else None,
    )
