"""The AWS SDK's models in the packages contain exactly the operations that the functions call."""

import gzip
import json
from pathlib import Path

import pytest

from infra.packaging import PackagingError, build_package
from infra.packaging.botocore_data import trim_model
from infra.packaging.package import aws_operations
from infra.permissions import PERMISSIONS
from tests.infra.test_packaging import CALLS_AWS, HERE, run_in


def test_the_models_contain_exactly_the_allowed_operations() -> None:
    allowed = {
        tuple(action.split(":"))
        for each in PERMISSIONS.values()
        for action in (*each.table, *each.secret_key, *each.proof_keys, *each.event_bus, *each.dead_letters)
    }

    assert allowed == {
        (service, operation)
        for function in CALLS_AWS
        for service, names in aws_operations(function).items()
        for operation in names
    }


@pytest.mark.parametrize("function", CALLS_AWS)
def test_a_packages_clients_have_exactly_these_operations(function: str) -> None:
    for service, operations in aws_operations(function).items():
        code = (
            "from functions.shared.aws import create_client\n"
            f"print(*create_client({service!r}).meta.service_model.operation_names)"
        )

        assert set(run_in(build_package(function, HERE), code).split()) == operations


def test_a_cut_model_still_writes_and_reads_every_type_of_value() -> None:
    """Values can contain lists and maps of values: recursive shapes that a cut could lose."""
    code = """
import botocore.stub
from functions.shared.aws import create_client
client = create_client("dynamodb")
deep = {"M": {"list": {"L": [{"S": "x"}, {"N": "1"}, {"B": b"x"}, {"BOOL": True}, {"NULL": True}, {"SS": ["y"]}]}}}
with botocore.stub.Stubber(client) as stub:
    stub.add_response("get_item", {"Item": {"deep": deep}})
    print(client.get_item(TableName="users", Key={"pk": deep})["Item"]["deep"] == deep)
    stub.add_client_error("put_item", "ConditionalCheckFailedException")
    try:
        client.put_item(TableName="users", Item={"deep": deep})
    except client.exceptions.ConditionalCheckFailedException:
        print("refused")
"""

    assert run_in(build_package("setup_mfa", HERE), code).split() == ["True", "refused"]


def test_an_unknown_operation_is_refused(tmp_path: Path) -> None:
    model = tmp_path / "dynamodb" / "2012-08-10" / "service-2.json.gz"
    model.parent.mkdir(parents=True)
    model.write_bytes(gzip.compress(json.dumps({"operations": {"GetItem": {}}, "shapes": {}}).encode()))

    with pytest.raises(PackagingError, match="dynamodb has no operation ReadItem"):
        trim_model(model, {"GetItem", "ReadItem"})
