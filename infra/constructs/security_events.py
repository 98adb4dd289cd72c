"""The way from the table's stream to an event bus: the function, its event source, and its dead-letter queue."""

import json
from typing import Final

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from functions.shared import contract
from functions.shared.contract import Attribute, Env
from infra.config import Config
from infra.constructs.acknowledge import acknowledge
from infra.constructs.function import CodeSource, MfaFunction
from infra.constructs.retention import removal_policy
from infra.constructs.storage import Storage
from infra.outputs import dead_letter_queue_name, event_bus_name
from infra.permissions import statements

#: DynamoDB keeps a stream for a day. Lambda gives a change up after half a day, which leaves operators the other half
#: to examine the change and send it again.
_MAX_AGE: Final = Duration.hours(12)

#: Filters by the items' sort key, not their ``entity_type``: every record has it, also if other attributes changed.
_MFA_ITEMS: Final = {"dynamodb": {"Keys": {Attribute.SK: {"S": [contract.SORT_KEY]}}}}


class SecurityEvents(Construct):
    """Publishes changes to users' second factors, outside the path of any request.

    Parameters
    ----------
    config
        The environment's settings.
    code
        The source of the function's code.
    storage
        The users' table, with a stream of old and new images.

    Attributes
    ----------
    function
        The function that reads the stream.
    """

    def __init__(self, scope: Construct, id: str, *, config: Config, code: CodeSource, storage: Storage) -> None:
        super().__init__(scope, id)
        # One message for each record that could not become an event, and one for each batch that Lambda gave up.
        # A message refers to its records and does not contain them.
        dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            queue_name=dead_letter_queue_name(config.environment),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
            removal_policy=removal_policy(config),
        )
        acknowledge(dead_letters, "AwsSolutions-SQS3", "This is the dead-letter queue; operators read its messages.")
        name, arn = self._bus(config)
        self.function: Final = MfaFunction(
            self,
            "Publisher",
            function=contract.SECURITY_EVENTS_FUNCTION,
            description="Publishes security events from the table's stream",
            config=config,
            code=code,
            environment={
                Env.EVENT_BUS_NAME: name,
                Env.DEAD_LETTER_QUEUE_URL: dead_letters.queue_url,
            },
            statements=statements(
                contract.SECURITY_EVENTS_FUNCTION,
                storage,
                event_bus_arn=arn,
                dead_letters_arn=dead_letters.queue_arn,
            ),
        )
        acknowledge(
            self.function.role,
            "AwsSolutions-IAM5[Resource::*]",
            "Lambda requires dynamodb:ListStreams for the stream, and IAM cannot restrict it. It lists names only.",
        )
        self._feed(storage, dead_letters)

    def _bus(self, config: Config) -> tuple[str, str]:
        """Return the name and the ARN of the configured bus, or of a new one."""
        if config.event_bus is None:
            bus = events.EventBus(
                self,
                "Bus",
                event_bus_name=event_bus_name(config.environment),
                description=f"Security events of the MFA service ({config.environment})",
            )
            return bus.event_bus_name, bus.event_bus_arn
        if config.event_bus.startswith("arn:"):
            return config.event_bus, config.event_bus
        arn = Stack.of(self).format_arn(service="events", resource="event-bus", resource_name=config.event_bus)
        return config.event_bus, arn

    def _feed(self, storage: Storage, dead_letters: sqs.Queue) -> None:
        lambda_.CfnEventSourceMapping(
            self,
            "Stream",
            # The alias, so that a canary or a rollback covers this function like the others.
            function_name=self.function.alias.function_arn,
            event_source_arn=storage.table.table_stream_arn,
            # LATEST would lose the changes that are written while the mapping starts. If the mapping is replaced,
            # the events of a day are published again with the same ids.
            starting_position="TRIM_HORIZON",
            filter_criteria=lambda_.CfnEventSourceMapping.FilterCriteriaProperty(
                filters=[lambda_.CfnEventSourceMapping.FilterProperty(pattern=json.dumps(_MFA_ITEMS))]
            ),
            batch_size=100,
            # Most writes are logins, which cause no event. A second of waiting keeps their invocations few.
            maximum_batching_window_in_seconds=1,
            # One batch of a shard at a time keeps the order for every user. Lambda keeps the order of each item with
            # a higher number too; raise it if the function falls behind its stream.
            parallelization_factor=1,
            function_response_types=["ReportBatchItemFailures"],
            bisect_batch_on_function_error=True,
            # A bus that accepts nothing is retried until the records reach this age.
            maximum_record_age_in_seconds=int(_MAX_AGE.to_seconds()),
            maximum_retry_attempts=10_000,
            destination_config=lambda_.CfnEventSourceMapping.DestinationConfigProperty(
                on_failure=lambda_.CfnEventSourceMapping.OnFailureProperty(destination=dead_letters.queue_arn)
            ),
        )
