"""The alarms of the embedded AWS, and what of them means anything here."""

import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any, Final, Literal

from infra.monitoring.rules.model import alarm_name
from local.console.documents import address

#: EVALUATED: the embedded AWS looks at it. NO_DATA: it does, and AWS's own metric under it has never had a datapoint.
#: PARTLY: it looks at some of the alarms that this one joins. NOT_EVALUATED: it can not; the state says nothing.
type Standing = Literal["EVALUATED", "NO_DATA", "PARTLY", "NOT_EVALUATED"]

_DESCRIPTION: Final = re.compile(r"What happened: (?P<happened>.*) What to do: (?P<response>.*) Runbook: (?P<link>\S+)")
_MEMBER: Final = re.compile(r'ALARM\("?(?:[^")]*:alarm:)?([^":)]+)"?\)')
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
    standing : Standing
        What the state is worth here.
    note : str
        Why, where it is not worth what it would be on AWS.
    pages : bool
        Whether it wakes somebody, itself or through the alarm that joins it to others.
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
    standing: Standing
    note: str
    pages: bool
    since: float
    reason: str
    happened: str
    response: str
    runbook: str | None


def alarms(cloudwatch: Any, environment: str) -> list[Alarm]:  # noqa: ANN401 (boto3 clients have no types of their own)
    """Return every alarm of an environment, the most urgent first: those that are on, and of those what pages."""
    prefix = alarm_name(environment, "")
    plain, composite = [], []
    for page in cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=prefix, AlarmTypes=[*_TYPES]):
        plain += page["MetricAlarms"]
        composite += page["CompositeAlarms"]
    published = set(_published(cloudwatch)) if plain else set()
    urgent = {name for each in composite for name in (each["AlarmName"], *_members(each))}
    found = [_alarm(each, prefix, urgent, *_standing(each, published)) for each in plain]
    standings = {each.name: each.standing for each in found}
    found += [_alarm(each, prefix, urgent, *_standing_of_composite(each, standings)) for each in composite]
    return sorted(found, key=_urgency)


def _urgency(alarm: Alarm) -> tuple[bool, int, bool, str]:
    return alarm.standing == "NOT_EVALUATED", _ORDER.index(alarm.state), not alarm.pages, alarm.key


def _members(composite: Mapping[str, Any]) -> set[str]:
    return set(_MEMBER.findall(composite["AlarmRule"]))


def _published(cloudwatch: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 (boto3 clients have no types of their own)
    """Yield namespace and name of every metric that has had a datapoint."""
    for page in cloudwatch.get_paginator("list_metrics").paginate():
        yield from ((metric["Namespace"], metric["MetricName"]) for metric in page["Metrics"])


def _standing(alarm: Mapping[str, Any], published: Set[tuple[str, str]]) -> tuple[Standing, str]:
    if "MetricName" not in alarm:
        return "NOT_EVALUATED", "It computes with metrics, which the embedded AWS does not do for alarms."
    namespace, name = alarm["Namespace"], alarm["MetricName"]
    if namespace.startswith("AWS/") and (namespace, name) not in published:
        return "NO_DATA", f"The embedded AWS has published no datapoint of {namespace} {name}."
    return "EVALUATED", ""


def _standing_of_composite(alarm: Mapping[str, Any], standings: Mapping[str, Standing]) -> tuple[Standing, str]:
    members = _members(alarm)
    idle = sum(standings.get(each, "NOT_EVALUATED") == "NOT_EVALUATED" for each in members)
    if idle == 0:
        return "EVALUATED", ""
    note = f"{idle} of its {len(members)} alarms are not evaluated here."
    return ("NOT_EVALUATED" if idle == len(members) else "PARTLY"), note


def _alarm(alarm: Mapping[str, Any], prefix: str, urgent: Set[str], standing: Standing, note: str) -> Alarm:
    description = alarm.get("AlarmDescription", "")
    told = _DESCRIPTION.fullmatch(description)
    return Alarm(
        name=alarm["AlarmName"],
        key=alarm["AlarmName"].removeprefix(prefix),
        state=alarm["StateValue"],
        standing=standing,
        note=note,
        pages=alarm["AlarmName"] in urgent,
        since=alarm["StateUpdatedTimestamp"].timestamp(),
        reason=alarm.get("StateReason", ""),
        happened=told["happened"] if told else description,
        response=told["response"] if told else "",
        runbook=address(told["link"]) if told else None,
    )
