"""The stand-in for AWS: right enough for the SDKs, and honest about what it counts."""

import http.client
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from tools.bench.endpoint import Endpoint, running_endpoint


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    with running_endpoint() as running:
        yield running


def client(endpoint: Endpoint, service: str) -> Any:
    return boto3.client(service, endpoint_url=endpoint.url, region_name="us-east-1")


def test_a_data_key_decrypts_to_itself(endpoint: Endpoint) -> None:
    kms = client(endpoint, "kms")

    made = kms.generate_data_key(KeyId="key", NumberOfBytes=32)

    assert len(made["Plaintext"]) == 32
    assert kms.decrypt(CiphertextBlob=made["CiphertextBlob"], KeyId="key")["Plaintext"] == made["Plaintext"]
    assert kms.generate_data_key(KeyId="key", NumberOfBytes=32)["Plaintext"] != made["Plaintext"]


def test_writes_succeed_and_change_nothing_so_that_a_request_can_be_repeated(endpoint: Endpoint) -> None:
    dynamodb = client(endpoint, "dynamodb")
    endpoint.reset(item={"pk": {"S": "stored"}})

    dynamodb.put_item(TableName="users", Item={"pk": {"S": "written"}})
    dynamodb.update_item(TableName="users", Key={"pk": {"S": "stored"}}, UpdateExpression="SET a = b")
    dynamodb.delete_item(TableName="users", Key={"pk": {"S": "stored"}})

    assert dynamodb.get_item(TableName="users", Key={"pk": {"S": "any"}})["Item"] == {"pk": {"S": "stored"}}
    assert endpoint.reset()["put"] == {"pk": {"S": "written"}}


def test_calls_and_whole_messages_are_counted_since_the_last_reset(endpoint: Endpoint) -> None:
    dynamodb = client(endpoint, "dynamodb")
    endpoint.reset(item={"pk": {"S": "x" * 1000}})

    dynamodb.get_item(TableName="users", Key={"pk": {"S": "y" * 500}})
    counted = endpoint.reset()

    assert counted["calls"] == ["dynamodb:GetItem"]
    assert 500 < counted["bytes_received"] < 3000
    assert 1000 < counted["bytes_sent"] < 2000
    assert counted["cpu_seconds"] > 0
    assert endpoint.reset()["calls"] == []


def test_keys_of_the_issuer_are_published(endpoint: Endpoint) -> None:
    endpoint.reset(keys={"keys": [{"kid": "1"}]})
    connection = http.client.HTTPConnection(endpoint.url.removeprefix("http://"))

    connection.request("GET", "/jwks.json")

    assert json.loads(connection.getresponse().read()) == {"keys": [{"kid": "1"}]}
    connection.close()


def test_an_operation_that_no_function_calls_is_not_answered(endpoint: Endpoint) -> None:
    connection = http.client.HTTPConnection(endpoint.url.removeprefix("http://"), timeout=5)

    connection.request("POST", "/", b"{}", {"X-Amz-Target": "DynamoDB_20120810.Scan"})

    with pytest.raises(http.client.RemoteDisconnected):
        connection.getresponse()
    connection.close()
