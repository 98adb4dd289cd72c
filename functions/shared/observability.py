"""Structured logs and CloudWatch metrics, configured once per process.

Log lines contain no secret, code, token or e-mail address. An exception's message may quote its input, so unexpected
exceptions are logged by their type and source positions, without their message.
"""

import logging
import traceback
from collections.abc import Iterable
from pathlib import PurePath
from typing import Any

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit

from functions.shared.contract import DIMENSION_ENVIRONMENT, METRICS_NAMESPACE, METRICS_SERVICE

# Nothing here runs in a task, and the first log line would import asyncio to find that out (docs/adr/0073).
# https://docs.python.org/3/howto/logging.html#optimization
logging.logAsyncioTasks = False  # type: ignore[attr-defined]  # typeshed does not know it

_LONGEST_CHAIN = 5


class Telemetry:
    """The log and the metrics of one function.

    Parameters
    ----------
    environment : str
        Deployment environment: a dimension of every metric and a field of every log line.
    log_level : str
        Level of the log.
    version : str
        Version of the service: a field of every log line.
    """

    def __init__(self, *, environment: str, log_level: str, version: str) -> None:
        self._logger = Logger(service=METRICS_SERVICE, level=log_level, location=None, utc=True, use_rfc3339=True)
        self._logger.append_keys(environment=environment, version=version)
        self._version = version
        self._metrics = Metrics(namespace=METRICS_NAMESPACE, service=METRICS_SERVICE)
        self._metrics.set_default_dimensions(**{DIMENSION_ENVIRONMENT: environment})

    def info(self, message: str, *, metrics: Iterable[str] = (), **fields: object) -> None:
        """Log an event of normal operation and emit one count for each metric, in a single line.

        A line with metrics has the Embedded Metric Format. Its other members can be queried like those of any line
        (docs/adr/0075). A log level above INFO leaves only the metrics.
        """
        names = tuple(metrics)
        if not names:
            self._logger.info(message, extra=fields)
            return
        if self._logger.log_level <= logging.INFO:
            line = {"level": "INFO", "message": message, "version": self._version, **fields}
            for name, value in line.items():
                self._metrics.add_metadata(name, value)
        self.count(names)

    def warning(self, message: str, **fields: object) -> None:
        """Log an expected failure."""
        self._logger.warning(message, extra=fields)

    def unexpected(self, message: str, error: BaseException, **fields: object) -> None:
        """Log an unexpected exception and its causes, without their messages."""
        self._logger.error(message, extra={**fields, "exception": describe(error)})

    def count(self, names: Iterable[str]) -> None:
        """Emit one count for each name, in a single Embedded Metric Format line."""
        counted = False
        for name in names:
            self._metrics.add_metric(name=name, unit=MetricUnit.Count, value=1)
            counted = True
        if counted:
            self._metrics.flush_metrics()


def describe(error: BaseException) -> list[dict[str, Any]]:
    """Return the types and source positions of an exception and its causes, outermost first, without any value."""
    described: list[dict[str, Any]] = []
    current: BaseException | None = error
    while current is not None and len(described) < _LONGEST_CHAIN:
        frames = [
            f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(current.__traceback__)
        ]
        described.append({"type": f"{type(current).__module__}.{type(current).__qualname__}", "frames": frames})
        current = current.__cause__ or current.__context__
    return described
