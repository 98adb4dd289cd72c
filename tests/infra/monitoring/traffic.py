"""Traffic of the service, as metrics in CloudWatch.

The functions' own code writes their embedded metrics, so a metric or dimension that an alarm misspells is not found.
AWS's own metrics are written as each service documents them.
"""

import io
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from unittest.mock import patch

from aws_lambda_powertools.metrics import Metrics

from functions.shared.contract import METRICS_SERVICE, Endpoint, Metric
from functions.shared.errors import (
    ApiError,
    InsufficientScopeError,
    InternalError,
    MfaAlreadyEnabledError,
    ServiceUnavailableError,
    UnauthorizedError,
)
from functions.shared.http import Request
from functions.shared.observability import Telemetry
from functions.shared.settings import EndpointSettings
from tests.infra.monitoring.templates import KEY_ARN, PROOF_KEY_ARNS
from tests.support.events import api_event
from tests.support.metric_store import MetricStore
from tests.support.routes import Value, handler_of

OK = None
REJECTED = MfaAlreadyEnabledError()
UNAVAILABLE = ServiceUnavailableError("dynamodb:GetItem", "InternalServerError")
KEY_UNAVAILABLE = ServiceUnavailableError("kms:Decrypt", "KMSInvalidStateException")
NOT_SIGNED = ServiceUnavailableError("kms:Sign", "ThrottlingException")
UNEXPECTED = InternalError()
UNAUTHORIZED = UnauthorizedError()
FORBIDDEN = InsufficientScopeError("mfa")


@cache
def answered(
    environment: str, route: Endpoint, error: ApiError | None, metrics: tuple[Metric, ...] = ()
) -> tuple[str, ...]:
    """Return what a route's handler logs for one request that succeeds or fails with ``error``."""

    def operation(request: Request[Any]) -> Value:
        for metric in metrics:
            request.count(metric)
        if error is UNEXPECTED:
            raise RuntimeError
        if error is not None:
            raise error
        return Value(1)

    settings = EndpointSettings(environment, "CRITICAL", (), "mfa" if error is FORBIDDEN else None)
    user = None if error is UNAUTHORIZED else "user-1"
    with _output() as lines:
        response = handler_of(operation, route, settings)(api_event(route, user_id=user), None)
    assert response["statusCode"] == (200 if error is None else error.status)
    return tuple(lines())


@cache
def counted(environment: str, metric: Metric) -> tuple[str, ...]:
    """Return what a function logs when it counts a metric outside any route."""
    with _output() as lines:
        Telemetry(environment=environment, log_level="CRITICAL", version="1.2.3").count([metric])
    return tuple(lines())


@contextmanager
def _output() -> Iterator[Callable[[], list[str]]]:
    """Collect standard output with fresh state in Powertools, which keeps its state per process."""
    buffer = io.StringIO()
    fresh: dict[str, Any] = {"_metrics": {}, "_dimensions": {}, "_metadata": {}, "_default_dimensions": {}}
    with redirect_stdout(buffer), patch.multiple(Metrics, **fresh):
        logging.Logger.manager.loggerDict.pop(METRICS_SERVICE, None)
        yield lambda: buffer.getvalue().splitlines()
    logging.Logger.manager.loggerDict.pop(METRICS_SERVICE, None)


@dataclass
class Traffic:
    """Publishes metrics at a given time.

    Attributes
    ----------
    environment : str
        The environment that the traffic belongs to.
    now : float
        The time of the next metrics, seconds.
    store : MetricStore
        The store that receives them.
    """

    environment: str
    now: float
    store: MetricStore = field(default_factory=MetricStore)

    def requests(self, times: int, route: Endpoint, error: ApiError | None, *metrics: Metric) -> None:
        for _ in range(times):
            self.store.put_embedded(answered(self.environment, route, error, metrics), at=self.now)

    def counts(self, times: int, metric: Metric) -> None:
        for _ in range(times):
            self.store.put_embedded(counted(self.environment, metric), at=self.now)

    def logged(self, lines: list[str]) -> None:
        self.store.put_embedded(lines, at=self.now)

    def gateway(self, *, requests: int = 0, refused: int = 0, failed: int = 0, latency_ms: float | None = None) -> None:
        api = {"ApiName": f"mfa-{self.environment}", "Stage": "v1"}
        self._put("AWS/ApiGateway", api, Count=requests)
        self._put("AWS/ApiGateway", api, **{"4XXError": refused, "5XXError": failed})
        if latency_ms is not None:
            self._put("AWS/ApiGateway", api, Latency=latency_ms)

    def function(self, folder: str, **metrics: float) -> None:
        self._put("AWS/Lambda", {"FunctionName": f"{folder.replace('_', '-')}-{self.environment}"}, **metrics)

    def account(self, **metrics: float) -> None:
        self._put("AWS/Lambda", {}, **metrics)

    def table(self, operation: str | None = None, **metrics: float) -> None:
        of_operation = {} if operation is None else {"Operation": operation}
        self._put("AWS/DynamoDB", {"TableName": f"mfa-{self.environment}-users", **of_operation}, **metrics)

    def key_used(self, operation: str, times: float) -> None:
        self._put("AWS/KMS", {"KeyArn": KEY_ARN, "Operation": operation}, SuccessfulRequest=times)

    def proof_key_used(self, key: int, times: int) -> None:
        self._put("AWS/KMS", {"KeyArn": PROOF_KEY_ARNS[key], "Operation": "Sign"}, SuccessfulRequest=times)

    def dead_letters(self, waiting: int) -> None:
        queue = f"mfa-{self.environment}-security-events-dead-letters"
        self._put("AWS/SQS", {"QueueName": queue}, ApproximateNumberOfMessagesVisible=waiting)

    def masked(self, folder: str, events: int, **dimensions: str) -> None:
        group = f"/aws/lambda/{folder.replace('_', '-')}-{self.environment}"
        self._put("AWS/Logs", {"LogGroupName": group, **dimensions}, LogEventsWithFindings=events)

    def _put(self, namespace: str, dimensions: dict[str, str], **metrics: Any) -> None:
        for name, value in metrics.items():
            self.store.put(namespace, name, dimensions, value, at=self.now)
