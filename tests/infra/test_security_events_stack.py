"""The way from the table's stream to the bus: what feeds the function, what it may do, where failures end up."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Environment
from aws_cdk import Stack as CdkStack
from aws_cdk import aws_iam as iam
from cdk_nag import AwsSolutionsChecks

from infra.config import load_config
from infra.constructs.function import LIVE
from infra.constructs.security_events import SecurityEvents, dead_letter_queue_name
from infra.permissions import PERMISSIONS
from infra.stacks.data import DataStack
from tests.infra.synthesis import Stack, load_stacks, new_app, stub_code

QUEUE = "<AWS::SQS::Queue Arn>"
STREAM = "<AWS::DynamoDB::GlobalTable StreamArn>"
OTHER_BUS = "arn:aws:events:eu-central-1:123456789012:event-bus/security"

type Build = Callable[..., Stack]


@pytest.fixture
def build() -> Iterator[Build]:
    """Return a function that synthesizes the construct beside the data that it reads."""
    folders: list[str] = []

    def synthesize(environment: str = "dev", **arguments: Any) -> Stack:
        app, config = new_app(), load_config({"environment": environment}, process_environment={})
        folders.append(app.outdir)
        region = Environment(region=config.region)
        data = DataStack(app, "data", config=config, env=region, stack_name="mfa-data")
        stack = CdkStack(app, "events", env=region, stack_name="mfa-events")
        events = SecurityEvents(
            stack, "SecurityEvents", config=config, code=lambda _: stub_code(), table=data.table, **arguments
        )
        assert events.function.alias.alias_name == LIVE
        assert not AwsSolutionsChecks().validate_scope(app).violations
        return load_stacks(Path(app.synth().directory))["mfa-events"]

    yield synthesize
    for folder in folders:
        shutil.rmtree(folder)


@pytest.fixture
def stack(build: Build) -> Stack:
    return build()


def mapping(stack: Stack) -> dict[str, Any]:
    (properties,) = stack.properties_of("AWS::Lambda::EventSourceMapping")
    return properties


def test_the_live_alias_reads_the_whole_stream(stack: Stack) -> None:
    found = mapping(stack)

    assert found["EventSourceArn"] == STREAM
    assert found["FunctionName"].startswith("<AWS::Lambda::Alias")
    assert found["StartingPosition"] == "TRIM_HORIZON"


def test_only_the_items_of_second_factors_reach_it_however_they_were_changed(stack: Stack) -> None:
    (only,) = mapping(stack)["FilterCriteria"]["Filters"]

    assert json.loads(only["Pattern"]) == {"dynamodb": {"Keys": {"sk": {"S": ["MFA#SECRET"]}}}}


def test_one_batch_of_a_shard_at_a_time_so_that_order_holds(stack: Stack) -> None:
    assert mapping(stack)["ParallelizationFactor"] == 1


def test_a_failed_batch_is_retried_from_the_failed_record_within_bounds_and_then_kept(stack: Stack) -> None:
    found = mapping(stack)

    assert found["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert found["BisectBatchOnFunctionError"] is True
    # Within the 24 hours of a stream, with time left to send again what was given up.
    assert 3600 <= found["MaximumRecordAgeInSeconds"] <= 12 * 3600
    assert 0 < found["MaximumRetryAttempts"] <= 10_000
    assert found["DestinationConfig"] == {"OnFailure": {"Destination": QUEUE}}


def test_dead_letters_are_encrypted_and_kept_for_two_weeks(stack: Stack) -> None:
    (queue,) = stack.properties_of("AWS::SQS::Queue")

    assert queue["SqsManagedSseEnabled"] is True
    assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert queue["QueueName"] == dead_letter_queue_name("dev") == "mfa-dev-security-events-dead-letters"


def test_dead_letters_travel_over_tls_alone(stack: Stack) -> None:
    (policy,) = stack.properties_of("AWS::SQS::QueuePolicy")
    (statement,) = policy["PolicyDocument"]["Statement"]

    assert statement["Effect"] == "Deny"
    assert statement["Principal"] == {"AWS": "*"}
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert statement["Resource"] == QUEUE


@pytest.mark.parametrize(("environment", "kept"), [("dev", "Delete"), ("prod", "Retain")])
def test_dead_letters_outlive_the_stack_in_prod(build: Build, environment: str, kept: str) -> None:
    assert build(environment).only("AWS::SQS::Queue")["DeletionPolicy"] == kept


@pytest.mark.parametrize(
    ("arguments", "bus"),
    [
        ({}, "arn:aws:events:us-east-1:<AWS::AccountId>:event-bus/default"),
        ({"event_bus": "security"}, "arn:aws:events:us-east-1:<AWS::AccountId>:event-bus/security"),
        ({"event_bus": OTHER_BUS}, OTHER_BUS),
    ],
    ids=["the default bus", "a bus by name", "a bus by ARN"],
)
def test_its_role_reads_the_stream_and_writes_to_one_bus_and_one_queue(
    build: Build, arguments: dict[str, str], bus: str
) -> None:
    stack = build(**arguments)
    (policy,) = stack.properties_of("AWS::IAM::Policy")
    allowed = {each["Resource"]: each["Action"] for each in policy["PolicyDocument"]["Statement"]}

    assert {each["Effect"] for each in policy["PolicyDocument"]["Statement"]} == {"Allow"}
    assert allowed == {
        "<AWS::Logs::LogGroup /aws/lambda/security-events-dev Arn>": ["logs:CreateLogStream", "logs:PutLogEvents"],
        STREAM: [*PERMISSIONS["security_events"].stream],
        bus: "events:PutEvents",
        QUEUE: "sqs:SendMessage",
    }


def test_it_may_use_the_tables_own_key_where_there_is_one(build: Build) -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/0b7b3d0e-6a52-4ad3-8d2c-6d0d8f6f2f11"
    stack = build(statements=[iam.PolicyStatement(actions=["kms:Decrypt"], resources=[key])])
    (policy,) = stack.properties_of("AWS::IAM::Policy")

    assert {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key} in policy["PolicyDocument"]["Statement"]


def test_it_is_told_where_events_and_dead_letters_go(build: Build) -> None:
    (function,) = build(event_bus=OTHER_BUS).properties_of("AWS::Lambda::Function")

    assert function["FunctionName"] == "security-events-dev"
    assert function["Handler"] == "functions.security_events.handler.lambda_handler"
    assert function["Environment"]["Variables"] == {
        "ENVIRONMENT": "dev",
        "LOG_LEVEL": "INFO",
        "EVENT_BUS_NAME": OTHER_BUS,
        "DEAD_LETTER_QUEUE_URL": "<AWS::SQS::Queue>",
    }
