import json
from itertools import chain
from typing import Any

import pytest

from tests.support.emulator import Deploy, Deployed, eventually, function, resource, table

#: Fails on a bad record, by an exception or a report, and logs the records of each invocation.
_CONSUMER = """
import json, os
def handler(event, context):
    ids = [record["dynamodb"]["Keys"]["pk"]["S"] for record in event["Records"]]
    print("got", json.dumps(ids))
    bad = [r["dynamodb"]["SequenceNumber"] for r in event["Records"] if r["dynamodb"]["Keys"]["pk"]["S"] == "bad"]
    if bad and not os.environ.get("REPORTS"):
        raise RuntimeError("bad record")
    return {"batchItemFailures": [{"itemIdentifier": number} for number in bad]}
"""
_FILTER = json.dumps({"dynamodb": {"NewImage": {"skip": {"S": [{"exists": False}]}}}})


@pytest.fixture
def consumer(deploy: Deploy) -> Deploy:
    """Return a function that deploys a table and a consumer of its stream, given properties of their mapping."""

    def deploy_consumer(*, reports: bool = False, **properties: Any) -> Deployed:
        mapping = {
            "EventSourceArn": {"Fn::GetAtt": ["Table", "StreamArn"]},
            "FunctionName": {"Ref": "F"},
            "StartingPosition": "TRIM_HORIZON",
            "BatchSize": 10,
            "FilterCriteria": {"Filters": [{"Pattern": _FILTER}]},
            "DestinationConfig": {"OnFailure": {"Destination": {"Fn::GetAtt": ["Dead", "Arn"]}}},
        }
        return deploy(
            {
                "F": function(_CONSUMER, Environment={"Variables": {"REPORTS": "1"} if reports else {}}),
                "Dead": resource("SQS::Queue"),
                "Table": table(StreamSpecification={"StreamViewType": "NEW_AND_OLD_IMAGES"}),
                "Mapping": resource("Lambda::EventSourceMapping", **mapping | properties),
            }
        )

    return deploy_consumer


def _write(deployed: Deployed, *keys: str) -> None:
    dynamodb = deployed.emulator.client("dynamodb")
    for key in keys:
        skipped = {"skip": {"S": "yes"}} if key == "skipped" else {}
        dynamodb.put_item(TableName=deployed.physical_id("Table"), Item={"pk": {"S": key}} | skipped)


def _received(deployed: Deployed) -> list[list[str]]:
    group = f"/aws/lambda/{deployed.physical_id('F')}"
    logs = deployed.emulator.client("logs")
    if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
        return []
    events = logs.filter_log_events(logGroupName=group)["events"]
    return [json.loads(event["message"][4:]) for event in events if event["message"].startswith("got ")]


def _dead(deployed: Deployed) -> list[dict[str, Any]]:
    response = deployed.emulator.client("sqs").receive_message(
        QueueUrl=deployed.physical_id("Dead"), MaxNumberOfMessages=10, WaitTimeSeconds=1
    )
    return [json.loads(message["Body"]) for message in response.get("Messages", [])]


def test_records_arrive_in_order_and_filtered(consumer: Deploy) -> None:
    deployed = consumer()
    _write(deployed, "a", "skipped", "b", "c")
    eventually(lambda: list(chain.from_iterable(_received(deployed))) == ["a", "b", "c"])


def test_a_bad_record_is_split_off_given_up_and_reported_and_blocks_nothing(consumer: Deploy) -> None:
    deployed = consumer(MaximumRetryAttempts=0, BisectBatchOnFunctionError=True, Enabled=False)
    _write(deployed, "a", "b", "bad", "c", "d")
    _enable(deployed)
    eventually(lambda: ["c", "d"] in _received(deployed))
    assert _received(deployed) == [["a", "b", "bad", "c", "d"], ["a", "b"], ["bad", "c", "d"], ["bad"], ["c", "d"]]
    [report] = eventually(lambda: _dead(deployed))
    assert report["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert report["DDBStreamBatchInfo"]["batchSize"] == 1
    _write(deployed, "e")
    eventually(lambda: _received(deployed)[-1] == ["e"])


def test_a_reported_record_is_retried_alone_with_those_after_it(consumer: Deploy) -> None:
    deployed = consumer(
        reports=True, MaximumRetryAttempts=1, FunctionResponseTypes=["ReportBatchItemFailures"], Enabled=False
    )
    _write(deployed, "a", "bad", "c")
    _enable(deployed)
    [report] = eventually(lambda: _dead(deployed))
    assert _received(deployed) == [["a", "bad", "c"], ["bad", "c"]]
    assert report["DDBStreamBatchInfo"]["batchSize"] == 2


def test_a_failing_batch_is_retried_as_often_as_the_mapping_says(consumer: Deploy) -> None:
    deployed = consumer(MaximumRetryAttempts=2)
    _write(deployed, "bad")
    eventually(lambda: _dead(deployed))
    assert _received(deployed) == [["bad"]] * 3


def _enable(deployed: Deployed) -> None:
    deployed.emulator.client("lambda").update_event_source_mapping(UUID=deployed.physical_id("Mapping"), Enabled=True)
