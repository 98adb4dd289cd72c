import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.emulator.conditions import (
    item_condition_keys,
    kms_condition_keys,
    log_stream,
    members,
    role_of_session,
    table_stream,
)
from local.stack import Credentials
from tests.support.emulator import Deployed, Emulator, allow, resource, table


def role_that_may(*statements: dict[str, Any]) -> dict[str, Any]:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement} for statement in statements]}
    trust = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": "sts:AssumeRole"}
    return resource(
        "IAM::Role",
        AssumeRolePolicyDocument={"Version": "2012-10-17", "Statement": [trust]},
        Policies=[{"PolicyName": "use", "PolicyDocument": document}],
    )


def attribute(logical_id: str, name: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [logical_id, name]}


#: Uses a key with one encryption context; writes the streams of one log group, and reads the stream of one table; puts
#: items of some keys, with some attributes, and does not read the old ones.
ROLES = {
    "Encrypts": role_that_may(
        {
            "Action": ["kms:GenerateDataKey", "kms:Decrypt"],
            "Resource": attribute("Key", "Arn"),
            "Condition": {"StringEquals": {"kms:EncryptionContext:purpose": "test"}},
        }
    ),
    "Streams": role_that_may(
        {"Action": "logs:*", "Resource": attribute("Own", "Arn")},
        {"Action": "dynamodb:*", "Resource": attribute("Table", "StreamArn")},
    ),
    "Writes": role_that_may(
        {
            "Action": ["dynamodb:PutItem", "dynamodb:UpdateItem"],
            "Resource": attribute("Table", "Arn"),
            "Condition": {
                "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["USER#*"]},
                "ForAllValues:StringEquals": {"dynamodb:Attributes": ["pk", "mine"]},
                "StringEqualsIfExists": {"dynamodb:ReturnValues": "NONE"},
                "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"},
            },
        }
    ),
}


@pytest.fixture(scope="module")
def deployed(emulator: Emulator) -> Iterator[Deployed]:
    """Deploy the roles, and what they may use and what not."""
    with_stream = table(StreamSpecification={"StreamViewType": "KEYS_ONLY"})
    group = {"Type": "AWS::Logs::LogGroup"}
    used = {"Key": resource("KMS::Key", KeyPolicy=allow("kms:*")), "Table": with_stream, "Own": group}
    stack = emulator.deploy(
        ROLES | used | {"OtherTable": with_stream, "Other": group},
        {name: attribute(name, "Arn") for name in ROLES}
        | {"Stream": attribute("Table", "StreamArn"), "OtherStream": attribute("OtherTable", "StreamArn")},
    )
    yield stack
    stack.delete()


def as_role(deployed: Deployed, role: str, service: str) -> Any:
    sts = deployed.emulator.client("sts")
    key = sts.assume_role(RoleArn=deployed.outputs[role], RoleSessionName="test")["Credentials"]
    credentials = Credentials(key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"])
    return deployed.emulator.client(service, credentials)


def denied(call: Callable[[], Any]) -> bool:
    try:
        call()
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"AccessDeniedException", "AccessDenied"}:
            raise
        return True
    return False


@pytest.fixture(scope="module")
def kms(deployed: Deployed) -> Any:
    return as_role(deployed, "Encrypts", "kms")


def test_a_key_may_be_used_with_the_encryption_context_that_the_policy_asks_for(kms: Any, deployed: Deployed) -> None:
    context = {"purpose": "test", "user_id": "user-1"}
    sealed = kms.generate_data_key(KeyId=deployed.physical_id("Key"), KeySpec="AES_256", EncryptionContext=context)
    opened = kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext=context)
    assert opened["Plaintext"] == sealed["Plaintext"]


@pytest.mark.parametrize("context", [{}, {"purpose": "other"}, {"user_id": "test"}, {"Purpose ": "test"}])
def test_a_key_may_not_be_used_with_another_encryption_context(
    kms: Any, deployed: Deployed, context: dict[str, str]
) -> None:
    key = {"KeyId": deployed.physical_id("Key"), "KeySpec": "AES_256"}
    assert denied(lambda: kms.generate_data_key(**key, EncryptionContext=context))


def test_keys_of_a_request_to_kms() -> None:
    request = {"SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256", "Message": "YQ=="}
    assert kms_condition_keys(request) == {"kms:SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256"}
    assert kms_condition_keys({"EncryptionContext": {"a": "1"}}) == {"kms:EncryptionContext:a": "1"}
    assert kms_condition_keys({"EncryptionContext": None}) == {}


@pytest.mark.parametrize(("insecure", "refused"), [("false", False), ("true", True)])
def test_the_loopback_interface_counts_as_tls(emulator: Emulator, insecure: str, refused: bool) -> None:
    queues = emulator.client("sqs")
    url = queues.create_queue(QueueName=f"conditions-{insecure}")["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    condition = {"Bool": {"aws:SecureTransport": insecure}}
    deny = {"Effect": "Deny", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn, "Condition": condition}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    queues.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    assert denied(lambda: queues.send_message(QueueUrl=url, MessageBody="x")) == refused
    queues.delete_queue(QueueUrl=url)


@pytest.mark.parametrize(("group", "refused"), [("Own", False), ("Other", True)])
def test_a_log_is_written_by_who_may_write_its_streams(
    emulator: Emulator, deployed: Deployed, group: str, refused: bool
) -> None:
    logs = as_role(deployed, "Streams", "logs")
    stream = {"logGroupName": deployed.physical_id(group), "logStreamName": "a"}
    event = {"timestamp": int(time.time() * 1000), "message": "x"}
    assert denied(lambda: logs.create_log_stream(**stream)) == refused
    if refused:
        emulator.client("logs").create_log_stream(**stream)
    assert denied(lambda: logs.put_log_events(**stream, logEvents=[event])) == refused


def test_a_tables_stream_is_read_by_who_may_read_it(deployed: Deployed) -> None:
    reader = as_role(deployed, "Streams", "dynamodbstreams")
    iterator = shard_iterator(reader, deployed.outputs["Stream"])
    assert reader.get_records(ShardIterator=iterator)["Records"] == []


def test_another_tables_stream_is_not(emulator: Emulator, deployed: Deployed) -> None:
    other = deployed.outputs["OtherStream"]
    iterator = shard_iterator(emulator.client("dynamodbstreams"), other)
    reader = as_role(deployed, "Streams", "dynamodbstreams")
    assert denied(lambda: reader.describe_stream(StreamArn=other))
    assert denied(lambda: shard_iterator(reader, other))
    assert denied(lambda: reader.get_records(ShardIterator=iterator))


def shard_iterator(streams: Any, arn: str) -> str:
    (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="LATEST")
    return str(iterator["ShardIterator"])


@pytest.mark.parametrize("request_", [{}, {"logStreamName": 1, "StreamArn": [], "ShardIterator": "x"}])
def test_a_request_that_names_no_stream_is_about_none(request_: dict[str, Any]) -> None:
    assert log_stream(request_) == ""
    assert table_stream(request_) is None


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff"])
def test_a_body_that_is_no_object_has_nomembers(body: bytes) -> None:
    assert members(body) == {}


OWN = {"pk": {"S": "USER#1"}}
MINE = {**OWN, "mine": {"S": "x"}}


@pytest.mark.parametrize(
    ("request_", "refused"),
    [
        ({"Item": MINE}, False),
        ({"Item": MINE, "ReturnValues": "NONE"}, False),
        ({"Item": MINE, "ReturnValues": "ALL_OLD"}, True),
        ({"Item": MINE | {"theirs": {"S": "x"}}}, True),
        ({"Item": {"pk": {"S": "GROUP#1"}}}, True),
        ({"Item": MINE, "ConditionExpression": "attribute_exists(pk) OR mine = mine"}, False),
        ({"Item": MINE, "ConditionExpression": "attribute_not_exists(theirs)"}, True),
        (
            {
                "Item": MINE,
                "ConditionExpression": "attribute_not_exists(#name)",
                "ExpressionAttributeNames": {"#name": "theirs"},
            },
            True,
        ),
    ],
)
def test_conditions_on_the_items_of_a_request(deployed: Deployed, request_: dict[str, Any], refused: bool) -> None:
    writer = as_role(deployed, "Writes", "dynamodb")
    name = deployed.physical_id("Table")
    assert denied(lambda: writer.put_item(TableName=name, **request_)) == refused
    if "ReturnValues" not in request_:
        put = {"Put": {"TableName": name, **request_}}
        assert denied(lambda: writer.transact_write_items(TransactItems=[put])) == refused


def test_an_update_names_the_attributes_of_its_expression(deployed: Deployed) -> None:
    writer = as_role(deployed, "Writes", "dynamodb")
    update = {"TableName": deployed.physical_id("Table"), "Key": OWN, "ExpressionAttributeValues": {":x": {"S": "x"}}}
    assert not denied(lambda: writer.update_item(**update, UpdateExpression="SET mine = :x"))
    assert denied(lambda: writer.update_item(**update, UpdateExpression="SET theirs = :x"))


def test_a_request_that_names_no_item_has_no_keys_of_one() -> None:
    assert item_condition_keys({}) == {}
    assert item_condition_keys({"TableName": "unknown", "Key": OWN}) == {"dynamodb:Attributes": ["pk"]}


@pytest.mark.parametrize(
    ("arn", "principal"),
    [
        ("arn:aws:sts::123456789012:assumed-role/setup/session", "arn:aws:iam::123456789012:role/setup"),
        ("arn:aws:iam::123456789012:user/ada", "arn:aws:iam::123456789012:user/ada"),
    ],
)
def test_the_principal_of_a_session_is_its_role(arn: str, principal: str) -> None:
    assert role_of_session(arn) == principal
