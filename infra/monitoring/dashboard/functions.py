"""The dashboard `mfa-ENVIRONMENT-REGION-functions`: details of every function and of the table."""

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from functions.shared import contract
from infra.monitoring.dashboard.graphs import (
    Colour,
    WidgetRow,
    dashboard,
    graph,
    line,
    request_units,
    table_latency,
    table_throttles,
)
from infra.monitoring.resources import TABLE_OPERATIONS, WatchedResources


class FunctionsDashboard(Construct):
    """One row for each function, and one for the table.

    Parameters
    ----------
    watched : WatchedResources
        The functions and the table, and their metrics.
    """

    def __init__(self, scope: Construct, id: str, *, watched: WatchedResources) -> None:
        super().__init__(scope, id)
        rows = [row for folder in watched.functions for row in _function(folder, watched)] + _table(watched)
        # The construct "Factory" keeps the dashboard's logical id: CloudFormation could not replace the dashboard,
        # because it creates the new one before it deletes the old one of the same name.
        dashboard(Construct(self, "Factory"), f"{watched.dashboard_name}-functions", rows)


def _function(folder: str, watched: WatchedResources) -> list[WidgetRow]:
    counts = {"Invocations": Colour.FIRST, "Errors": Colour.BROKEN, "Throttles": Colour.REFUSED}
    durations = {"p50": Colour.GOOD, "p90": Colour.REFUSED, "p99": Colour.FAILED, "Maximum": Colour.BROKEN}
    row: list[cloudwatch.ConcreteWidget] = [
        graph(
            "Invocations, errors and throttles",
            [line(name.lower(), watched.function(folder, name), colour) for name, colour in counts.items()],
        ),
        graph(
            "Duration (ms)",
            [line(each, watched.function(folder, "Duration", each), colour) for each, colour in durations.items()],
            unit="ms",
            threshold=1000 * watched.timeout_seconds,
        ),
    ]
    if folder == contract.SECURITY_EVENTS_FUNCTION:
        age = watched.function(folder, "IteratorAge", "Maximum")
        row.append(graph("Age of the stream's records (ms)", [line("oldest record", age, Colour.FIRST)], unit="ms"))
    else:
        concurrency = watched.function(folder, "ConcurrentExecutions", "Maximum")
        row.append(graph("Concurrency", [line("concurrent invocations", concurrency, Colour.FIRST)]))
    return [_heading(watched.functions[folder]), row]


def _table(watched: WatchedResources) -> list[WidgetRow]:
    return [
        _heading(f"Table {watched.table_name}"),
        [
            graph("Consumed request units", request_units(watched), unit="units"),
            graph("Latency by operation, average (ms)", table_latency(watched), unit="ms"),
            graph(
                "Throttles and system errors",
                [
                    *table_throttles(watched),
                    *(line(each, watched.table("SystemErrors", operation=each)) for each in TABLE_OPERATIONS),
                ],
            ),
        ],
    ]


def _heading(text: str) -> WidgetRow:
    return [cloudwatch.TextWidget(markdown=f"## {text}", width=24, height=1)]
