"""Security events: the limits of their delivery, and the bus that they go to."""

from tests.infra.synthesis import Stack, Synthesized


def test_a_failed_batch_is_retried_within_limits_and_then_kept(dev: Synthesized) -> None:
    (found,) = dev.service.properties_of("AWS::Lambda::EventSourceMapping")

    assert found["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert found["BisectBatchOnFunctionError"] is True
    # A stream keeps records for 24 hours: afterwards there is time to send them again.
    assert 3600 <= found["MaximumRecordAgeInSeconds"] <= 12 * 3600
    assert 0 < found["MaximumRetryAttempts"] <= 10_000
    assert found["DestinationConfig"] == {"OnFailure": {"Destination": "<AWS::SQS::Queue Arn>"}}


def buses(service: Stack) -> tuple[str, list[str]]:
    """Return the bus that the function is told, and those that its role may write to."""
    granted = service.granted("security_events")
    return service.variables("security_events")["EVENT_BUS_NAME"], [
        each["Resource"] for each in granted if each["Action"] == "events:PutEvents"
    ]


def test_its_role_may_write_to_the_default_bus_only(dev: Synthesized) -> None:
    assert buses(dev.service) == ("default", ["arn:aws:events:us-east-1:<AWS::AccountId>:event-bus/default"])


def test_its_role_may_write_to_a_bus_of_another_account_or_region_only(customized: Stack) -> None:
    arn = "arn:aws:events:eu-central-1:123456789012:event-bus/security"

    assert buses(customized) == (arn, [arn])


def test_prod_has_a_bus_of_its_own(prod: Synthesized) -> None:
    (bus,) = prod.service.properties_of("AWS::Events::EventBus")

    assert bus["Name"] == "mfa-prod-security-events"
    assert buses(prod.service) == ("<AWS::Events::EventBus>", ["<AWS::Events::EventBus Arn>"])
