"""From the table's stream to an event bus: the function in between, how it is fed, and what happens when it fails."""

import json
from collections.abc import Sequence
from typing import Final

from aws_cdk import Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from functions.shared import contract
from functions.shared.contract import Attribute, Env
from infra.config import Config
from infra.constructs.acknowledge import acknowledge
from infra.constructs.function import CodeSource, MfaFunction
from infra.constructs.retention import removal_policy
from infra.permissions import PERMISSIONS

#: DynamoDB keeps a stream for a day: what is given up after this has as long again to be looked at and sent again.
_MAX_AGE: Final = Duration.hours(12)


def dead_letter_queue_name(environment: str) -> str:
    """Return the name of the dead-letter queue: its metrics' only dimension."""
    return f"mfa-{environment}-security-events-dead-letters"


class SecurityEvents(Construct):
    """Publishes what happens to users' second factors; nothing of it is in the path of a request.

    Parameters
    ----------
    config
        The environment's settings.
    code
        Where the function's code comes from.
    table
        The users' table, with a stream of old and new images.
    event_bus
        Name or ARN of the EventBridge bus.
    statements
        What the function may do besides: use the table's own key, where it has one.

    Attributes
    ----------
    function
        The function that reads the stream.
    dead_letter_queue
        Holds references to what could not be published: one message for each record that no event could be made
        of, and one for each batch that Lambda gave up.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: Config,
        code: CodeSource,
        table: dynamodb.ITableV2,
        event_bus: str = contract.DEFAULT_EVENT_BUS_NAME,
        statements: Sequence[iam.PolicyStatement] = (),
    ) -> None:
        super().__init__(scope, id)
        self.dead_letter_queue: Final = sqs.Queue(
            self,
            "DeadLetters",
            queue_name=dead_letter_queue_name(config.environment),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
            removal_policy=removal_policy(config),
        )
        stream = _stream_arn(table)
        self.function: Final = MfaFunction(
            self,
            "Publisher",
            function=contract.SECURITY_EVENTS_FUNCTION,
            description="Publishes security events from the table's stream",
            config=config,
            code=code,
            environment={
                Env.ENVIRONMENT: config.environment,
                Env.LOG_LEVEL: config.log_level,
                Env.EVENT_BUS_NAME: event_bus,
                Env.DEAD_LETTER_QUEUE_URL: self.dead_letter_queue.queue_url,
            },
            statements=[*self._statements(stream, event_bus), *statements],
        )
        self._feed(stream)
        acknowledge(
            self.dead_letter_queue, "AwsSolutions-SQS3", "This is the dead-letter queue; its messages are for people."
        )

    def _statements(self, stream: str, event_bus: str) -> list[iam.PolicyStatement]:
        permissions = PERMISSIONS[contract.SECURITY_EVENTS_FUNCTION]
        bus = (
            event_bus
            if event_bus.startswith("arn:")
            else Stack.of(self).format_arn(service="events", resource="event-bus", resource_name=event_bus)
        )
        return [
            iam.PolicyStatement(actions=[*permissions.stream], resources=[stream]),
            iam.PolicyStatement(actions=[*permissions.event_bus], resources=[bus]),
            iam.PolicyStatement(actions=[*permissions.dead_letters], resources=[self.dead_letter_queue.queue_arn]),
        ]

    def _feed(self, stream: str) -> None:
        lambda_.CfnEventSourceMapping(
            self,
            "Stream",
            # The alias: a canary or a rollback then covers this function as it does the others.
            function_name=self.function.alias.function_arn,
            event_source_arn=stream,
            # Not LATEST, which loses what is written while the mapping starts. Should the mapping ever be replaced,
            # a day's events come again, with the ids that they had.
            starting_position="TRIM_HORIZON",
            filter_criteria=lambda_.CfnEventSourceMapping.FilterCriteriaProperty(
                filters=[lambda_.CfnEventSourceMapping.FilterProperty(pattern=json.dumps(_MFA_ITEMS))]
            ),
            batch_size=100,
            # Most writes are logins, which make no event. Waiting a second makes their invocations few.
            maximum_batching_window_in_seconds=1,
            # One batch of a shard at a time: in order for every user. Lambda would keep to the order of each item with
            # more as well; should the function fall behind its stream, that is the number to raise.
            parallelization_factor=1,
            function_response_types=["ReportBatchItemFailures"],
            bisect_batch_on_function_error=True,
            # What is retried is a bus that takes nothing, for which the age is the limit that counts.
            maximum_record_age_in_seconds=int(_MAX_AGE.to_seconds()),
            maximum_retry_attempts=10_000,
            destination_config=lambda_.CfnEventSourceMapping.DestinationConfigProperty(
                on_failure=lambda_.CfnEventSourceMapping.OnFailureProperty(destination=self.dead_letter_queue.queue_arn)
            ),
        )


#: The items' sort key rather than their ``entity_type``: it is in every record, whatever happened to the attributes.
_MFA_ITEMS: Final = {"dynamodb": {"Keys": {Attribute.SK: {"S": [contract.SORT_KEY]}}}}


def _stream_arn(table: dynamodb.ITableV2) -> str:
    if table.table_stream_arn is None:
        raise ValueError("the table has no stream")
    return table.table_stream_arn
