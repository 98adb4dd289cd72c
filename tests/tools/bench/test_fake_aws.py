"""The stand-in for AWS: correct enough for the SDKs, and it counts what it receives and sends."""

import http.client
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from tools.bench.fake_aws import StandIn, TrafficCount, running_stand_in


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with running_stand_in() as running:
        yield running


def client(stand_in: StandIn, service: str) -> Any:
    return boto3.client(service, endpoint_url=stand_in.url, region_name="us-east-1")


def test_a_data_key_decrypts_to_itself(stand_in: StandIn) -> None:
    kms = client(stand_in, "kms")

    made = kms.generate_data_key(KeyId="key", NumberOfBytes=32)

    assert len(made["Plaintext"]) == 32
    assert kms.decrypt(CiphertextBlob=made["CiphertextBlob"], KeyId="key")["Plaintext"] == made["Plaintext"]
    assert kms.generate_data_key(KeyId="key", NumberOfBytes=32)["Plaintext"] != made["Plaintext"]


def test_writes_succeed_and_change_nothing_so_that_a_request_can_be_repeated(stand_in: StandIn) -> None:
    dynamodb = client(stand_in, "dynamodb")
    stand_in.item = {"pk": {"S": "stored"}}

    dynamodb.put_item(TableName="users", Item={"pk": {"S": "written"}})
    dynamodb.update_item(TableName="users", Key={"pk": {"S": "stored"}}, UpdateExpression="SET a = b")
    dynamodb.delete_item(TableName="users", Key={"pk": {"S": "stored"}})

    assert dynamodb.get_item(TableName="users", Key={"pk": {"S": "any"}})["Item"] == {"pk": {"S": "stored"}}
    assert stand_in.put == {"pk": {"S": "written"}}


def test_calls_and_whole_messages_are_counted_since_the_last_reset(stand_in: StandIn) -> None:
    dynamodb = client(stand_in, "dynamodb")
    dynamodb.get_item(TableName="users", Key={"pk": {"S": "before"}})
    stand_in.item = {"pk": {"S": "x" * 1000}}
    stand_in.traffic = TrafficCount()

    dynamodb.get_item(TableName="users", Key={"pk": {"S": "y" * 500}})

    assert stand_in.traffic.calls == ["dynamodb:GetItem"]
    assert 500 < stand_in.traffic.bytes_received < 3000
    assert 1000 < stand_in.traffic.bytes_sent < 2000
    dynamodb.get_item(TableName="users", Key={"pk": {"S": "y"}})  # CPU time is counted once a response was sent
    assert 0 < stand_in.traffic.cpu_seconds < 1


def test_the_keys_of_the_issuer_are_published_and_an_unknown_operation_is_refused(stand_in: StandIn) -> None:
    stand_in.keys = {"keys": [{"kid": "1"}]}
    connection = http.client.HTTPConnection(stand_in.url.removeprefix("http://"), timeout=5)

    connection.request("GET", "/jwks.json")
    assert json.loads(connection.getresponse().read()) == {"keys": [{"kid": "1"}]}

    connection.request("POST", "/", b"{}", {"X-Amz-Target": "DynamoDB_20120810.Scan"})
    with pytest.raises(http.client.RemoteDisconnected):
        connection.getresponse()
    connection.close()
