"""The parser of CloudWatch's Embedded Metric Format (EMF): metrics that functions publish by logging them.

Source: "Specification: Embedded metric format" in the CloudWatch user guide.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Datapoint:
    """One published value of a metric. A metric is identified by namespace, name and the whole set of dimensions."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    value: float
    unit: str = "None"


def datapoints(line: str) -> list[Datapoint]:
    """Return the datapoints in a log line, none if the line is not in the Embedded Metric Format.

    CloudWatch publishes nothing from a malformed document. A metric without a number in the document is skipped, and
    so is a set of dimensions of which the document lacks a value.
    """
    if '"_aws"' not in line:
        return []
    try:
        return list(_datapoints(json.loads(line)))
    except (ValueError, TypeError, KeyError, AttributeError):
        return []


def _datapoints(document: dict[str, Any]) -> Iterator[Datapoint]:
    for directive in document["_aws"]["CloudWatchMetrics"]:
        for names in directive.get("Dimensions") or [[]]:
            if any(name not in document for name in names):
                continue
            dimensions = {name: str(document[name]) for name in names}
            for metric in directive.get("Metrics", []):
                published = document.get(metric["Name"])
                for value in published if isinstance(published, list) else [published]:
                    if isinstance(value, int | float) and not isinstance(value, bool):
                        yield Datapoint(
                            namespace=directive["Namespace"],
                            name=metric["Name"],
                            dimensions=dimensions,
                            value=value,
                            unit=metric.get("Unit", "None"),
                        )
