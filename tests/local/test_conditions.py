import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.bootstrap import Credentials
from local.emulator.conditions import encryption_context_keys
from tests.local.emulator import Deployed, Emulator

_ACCOUNT = {"AWS": "arn:aws:iam::000000000000:root"}


@pytest.fixture(scope="module")
def deployed(emulator: Emulator) -> Iterator[Deployed]:
    condition = {"StringEquals": {"kms:EncryptionContext:purpose": "test"}}
    statement = {
        "Effect": "Allow",
        "Action": ["kms:GenerateDataKey", "kms:Decrypt"],
        "Resource": {"Fn::GetAtt": ["Key", "Arn"]},
        "Condition": condition,
    }
    stack = emulator.deploy(
        {
            "Key": {
                "Type": "AWS::KMS::Key",
                "Properties": {
                    "KeyPolicy": {
                        "Version": "2012-10-17",
                        "Statement": [{"Effect": "Allow", "Principal": _ACCOUNT, "Action": "kms:*", "Resource": "*"}],
                    }
                },
            },
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "AssumeRolePolicyDocument": {
                        "Version": "2012-10-17",
                        "Statement": [{"Effect": "Allow", "Principal": _ACCOUNT, "Action": "sts:AssumeRole"}],
                    },
                    "Policies": [
                        {
                            "PolicyName": "use",
                            "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
                        }
                    ],
                },
            },
        },
        {"RoleArn": {"Fn::GetAtt": ["Role", "Arn"]}},
    )
    yield stack
    stack.delete()


@pytest.fixture(scope="module")
def kms(emulator: Emulator, deployed: Deployed) -> Any:
    assumed = emulator.client("sts").assume_role(RoleArn=deployed.outputs["RoleArn"], RoleSessionName="test")
    key = assumed["Credentials"]
    return emulator.client("kms", Credentials(key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"]))


def test_a_key_may_be_used_with_the_encryption_context_that_the_policy_asks_for(kms: Any, deployed: Deployed) -> None:
    context = {"purpose": "test", "user_id": "somebody"}
    sealed = kms.generate_data_key(KeyId=deployed.physical_id("Key"), KeySpec="AES_256", EncryptionContext=context)
    opened = kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext=context)
    assert opened["Plaintext"] == sealed["Plaintext"]


@pytest.mark.parametrize("context", [{}, {"purpose": "other"}, {"user_id": "test"}, {"Purpose ": "test"}])
def test_a_key_may_not_be_used_with_another_encryption_context(
    kms: Any, deployed: Deployed, context: dict[str, str]
) -> None:
    with pytest.raises(ClientError) as refused:
        kms.generate_data_key(KeyId=deployed.physical_id("Key"), KeySpec="AES_256", EncryptionContext=context)
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"


def test_keys_of_an_encryption_context() -> None:
    assert encryption_context_keys(json.dumps({"EncryptionContext": {"a": "1"}}).encode()) == {
        "kms:EncryptionContext:a": "1",
        "kms:EncryptionContextKeys": ["a"],
    }


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"EncryptionContext": []}', b"\xff"])
def test_a_request_without_an_encryption_context_has_no_keys(body: bytes) -> None:
    assert encryption_context_keys(body) == {}


@pytest.mark.parametrize(("insecure", "refused"), [("false", False), ("true", True)])
def test_the_loopback_interface_counts_as_tls(emulator: Emulator, insecure: str, refused: bool) -> None:
    queues = emulator.client("sqs")
    url = queues.create_queue(QueueName=f"conditions-{insecure}")["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    condition = {"Bool": {"aws:SecureTransport": insecure}}
    deny = {"Effect": "Deny", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn, "Condition": condition}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    queues.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    try:
        if refused:
            with pytest.raises(ClientError, match="AccessDenied"):
                queues.send_message(QueueUrl=url, MessageBody="x")
        else:
            queues.send_message(QueueUrl=url, MessageBody="x")
    finally:
        queues.delete_queue(QueueUrl=url)
