"""Lambda entry point of the table's stream."""

import os
from collections.abc import Mapping
from typing import Any

from functions.security_events.delivery import Delivery
from functions.security_events.errors import BatchFailedError
from functions.security_events.publisher import EventBridgeBus, SqsDeadLetters
from functions.security_events.settings import SecurityEventsSettings
from functions.shared import startup
from functions.shared.contract import Metric
from functions.shared.observability import Telemetry

settings = SecurityEventsSettings.from_environ(os.environ)
telemetry = Telemetry(environment=settings.environment, log_level=settings.log_level, version=settings.version)
delivery = Delivery(
    bus=EventBridgeBus(settings.event_bus_name, environment=settings.environment),
    dead_letters=SqsDeadLetters(settings.dead_letter_queue_url),
    telemetry=telemetry,
)


def lambda_handler(event: Mapping[str, Any], _context: object) -> dict[str, list[dict[str, str]]]:
    """Publish the events of one batch of the stream.

    Parameters
    ----------
    event : mapping
        ``Records`` of the table's stream, with old and new images.

    Returns
    -------
    dict
        A partial batch response: the record to retry from, if any.
        https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html

    Raises
    ------
    BatchFailedError
        An unexpected exception: Lambda splits the batch and retries it.
    """
    try:
        failed = delivery.deliver(event["Records"])
    except Exception as error:  # noqa: BLE001 - Lambda would log the message, which may quote an image
        telemetry.unexpected("batch failed", error)
        telemetry.count([Metric.SECURITY_EVENT_FAILURES])
        raise BatchFailedError from None
    return {"batchItemFailures": [] if failed is None else [{"itemIdentifier": failed}]}


startup.finish()
