"""The budget of each request, as packaged: AWS calls, imported packages, bytes. `make bench` measures time.

Raise a budget only for a good reason; lower it when the cost falls.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from functions.shared.contract import SORT_KEY, Attribute, partition_key
from tests.support.embedded_aws import TABLE_NAME, EmbeddedAws
from tests.support.life_cycle import User
from tools.bench.costs import item_bytes
from tools.bench.fake_aws import running_stand_in
from tools.bench.measure import Bench, Sample
from tools.bench.variants import our_variants

CALLS = {
    "setup": ["kms:GenerateDataKey", "dynamodb:PutItem"],
    "verify": ["dynamodb:GetItem", "kms:Decrypt", "dynamodb:UpdateItem"],
    "verify, backup code": ["dynamodb:GetItem", "kms:Decrypt", "dynamodb:UpdateItem"],
    "verify, locked": ["dynamodb:GetItem"],
    "verify-setup": ["dynamodb:GetItem", "kms:Decrypt", "dynamodb:UpdateItem"],
    "disable": ["dynamodb:GetItem", "kms:Decrypt", "dynamodb:DeleteItem"],
    "backup-codes": ["dynamodb:GetItem", "kms:Decrypt", "dynamodb:UpdateItem"],
    "status": ["dynamodb:GetItem"],
    "authorizer": ["issuer:JWKS"],  # the first request fetches the keys, the others nothing
}

OBSERVABILITY = {"functions", "aws_lambda_powertools", "jmespath", "typing_extensions"}
AWS = {"botocore", "dateutil", "six", "urllib3"}
# boto3 is only its name: the import happens on first use, and no request uses it.
SECRETS = {"attr", "boto3", "aws_encryption_sdk", "cryptography", "pyotp", "wrapt"}
INPUT = {"annotated_types", "pydantic", "pydantic_core", "typing_inspection"}
MODULES = dict.fromkeys(CALLS, OBSERVABILITY | AWS | SECRETS | INPUT) | {
    "setup": OBSERVABILITY | AWS | SECRETS | {"png", "qrcode"},
    "status": OBSERVABILITY | AWS,
    "authorizer": OBSERVABILITY | {"cryptography", "jwt"},
}

#: The most bytes sent and received, as whole HTTP messages to and from AWS with a session token of 700 characters; in
#: the response's body; and in the log without Lambda's own lines. They are about 5 % above what a request takes.
BYTES = {
    "setup": (5070, 790, 890, 620),
    "verify": (5670, 2590, 60, 730),
    "verify, backup code": (6410, 2590, 70, 805),
    "verify, locked": (1530, 2120, 190, 740),
    "verify-setup": (5980, 2580, 175, 760),
    "disable": (5180, 2590, 18, 735),
    "backup-codes": (6570, 2590, 146, 785),
    "status": (1530, 2040, 145, 635),
    "authorizer": (200, 650, 0, 0),  # it logs only what it refuses
}
ITEM_BYTES = 2048  # two write units


@pytest.fixture(scope="module")
def requests() -> Iterator[dict[str, Sample]]:
    """Return the first request of each kind, each in a separate process."""
    variants = our_variants()
    with running_stand_in() as stand_in:
        bench = Bench(stand_in, variants[0])
        assert item_bytes(bench.stored_item) < ITEM_BYTES
        yield {each.name: bench.run(replace(each, warm_up=0, requests=0)) for each in variants}


def test_every_kind_of_request_has_a_budget(requests: dict[str, Sample]) -> None:
    assert requests.keys() == CALLS.keys() == BYTES.keys()


@pytest.mark.parametrize("name", CALLS)
def test_a_request_makes_exactly_these_calls(requests: dict[str, Sample], name: str) -> None:
    assert list(requests[name].calls) == CALLS[name]


@pytest.mark.parametrize("name", MODULES)
def test_a_function_imports_exactly_these_packages(requests: dict[str, Sample], name: str) -> None:
    assert set(requests[name].modules) == MODULES[name]


@pytest.mark.parametrize("name", MODULES)
def test_the_first_request_imports_nothing_so_that_a_snapshot_contains_all_modules(
    requests: dict[str, Sample], name: str
) -> None:
    assert requests[name].late_modules == ()


@pytest.mark.parametrize("name", BYTES)
def test_a_request_sends_and_receives_no_more_bytes(requests: dict[str, Sample], name: str) -> None:
    request = requests[name]

    for found, most in zip(
        (request.bytes_sent, request.bytes_received, request.response_bytes, request.log_bytes),
        BYTES[name],
        strict=True,
    ):
        assert found <= most
        assert found >= 0.9 * most, "lower the budget"


def test_the_number_of_users_changes_no_call(aws: EmbeddedAws, enrolled: User) -> None:
    with aws.calls.recorded() as alone:
        assert enrolled.verify().status == 200
    for number in range(200):
        item: dict[str, Any] = {Attribute.PK: {"S": partition_key(f"other-{number}")}, Attribute.SK: {"S": SORT_KEY}}
        aws.dynamodb.put_item(TableName=TABLE_NAME, Item=item)

    enrolled.now += 30
    with aws.calls.recorded() as among_many:
        assert enrolled.verify().status == 200

    assert among_many == alone


def test_a_backup_code_costs_the_same_calls_whether_eight_are_left_or_one(aws: EmbeddedAws, enrolled: User) -> None:
    made = []
    for code in enrolled.backup_codes:
        with aws.calls.recorded() as calls:
            assert enrolled.verify_backup(code).status == 200
        made.append(calls)

    assert made == [CALLS["verify, backup code"]] * 8
