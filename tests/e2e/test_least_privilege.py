"""Each function's role tries what it must be able to do, and what a thief of its credentials would like to."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.stack import Stack
from tests.e2e.stack import Aws

CONTEXT = {"user_id": "somebody", "purpose": "mfa-totp"}
NOBODY = {"pk": {"S": "USER#nobody"}, "sk": {"S": "MFA#SECRET"}}

#: The table "Least privilege" of the design: what each function may do with the table and the key.
ALLOWED = {
    "setup_mfa": {"PutItem", "GenerateDataKey"},
    "verify_mfa_setup": {"GetItem", "UpdateItem", "Decrypt"},
    "verify_mfa": {"GetItem", "UpdateItem", "Decrypt"},
    "regenerate_backup_codes": {"GetItem", "UpdateItem", "Decrypt"},
    "disable_mfa": {"GetItem", "UpdateItem", "DeleteItem", "Decrypt"},
    "mfa_status": {"GetItem"},
    "jwt_authorizer": set(),
    "security_events": set(),
}

type Calls = dict[str, Callable[[], Any]]


def table_calls(dynamodb: Any, table: str) -> Calls:
    item = {"TableName": table, "Key": NOBODY}
    return {
        "GetItem": lambda: dynamodb.get_item(**item),
        "PutItem": lambda: dynamodb.put_item(TableName=table, Item=NOBODY),
        "UpdateItem": lambda: dynamodb.update_item(**item),
        "DeleteItem": lambda: dynamodb.delete_item(**item),
        "Query": lambda: dynamodb.query(
            TableName=table, KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": NOBODY["pk"]}
        ),
        "Scan": lambda: dynamodb.scan(TableName=table),
        "BatchGetItem": lambda: dynamodb.batch_get_item(RequestItems={table: {"Keys": [NOBODY]}}),
        "BatchWriteItem": lambda: dynamodb.batch_write_item(RequestItems={table: [{"DeleteRequest": {"Key": NOBODY}}]}),
        "ConditionCheckItem": lambda: dynamodb.transact_write_items(
            TransactItems=[{"ConditionCheck": {**item, "ConditionExpression": "attribute_not_exists(pk)"}}]
        ),
        "DescribeTable": lambda: dynamodb.describe_table(TableName=table),
        "DeleteTable": lambda: dynamodb.delete_table(TableName=table),
        "UpdateTable": lambda: dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False),
        "UpdateTimeToLive": lambda: dynamodb.update_time_to_live(
            TableName=table, TimeToLiveSpecification={"Enabled": False, "AttributeName": "expires_at"}
        ),
    }


def key_calls(kms: Any, key: str, blob: bytes) -> Calls:
    return {
        "GenerateDataKey": lambda: kms.generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext=CONTEXT),
        "Decrypt": lambda: kms.decrypt(CiphertextBlob=blob, KeyId=key, EncryptionContext=CONTEXT),
        "Encrypt": lambda: kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=CONTEXT),
        "ReEncrypt": lambda: kms.re_encrypt(CiphertextBlob=blob, SourceEncryptionContext=CONTEXT, DestinationKeyId=key),
        "DescribeKey": lambda: kms.describe_key(KeyId=key),
        "DisableKey": lambda: kms.disable_key(KeyId=key),
        "ScheduleKeyDeletion": lambda: kms.schedule_key_deletion(KeyId=key),
        "PutKeyPolicy": lambda: kms.put_key_policy(KeyId=key, PolicyName="default", Policy="{}"),
        "CreateGrant": lambda: kms.create_grant(
            KeyId=key, GranteePrincipal="arn:aws:iam::000000000000:root", Operations=["Decrypt"]
        ),
    }


def account_calls(aws: Aws, stack: Stack, function: str) -> Calls:
    lambda_client, iam, logs = (aws.client_as(function, service) for service in ("lambda", "iam", "logs"))
    name = stack.functions[function]
    return {
        "lambda:GetFunctionConfiguration": lambda: lambda_client.get_function_configuration(FunctionName=name),
        "lambda:UpdateFunctionConfiguration": lambda: lambda_client.update_function_configuration(
            FunctionName=name, Description="mine"
        ),
        "lambda:Invoke": lambda: lambda_client.invoke(FunctionName=stack.functions["jwt_authorizer"]),
        "iam:ListRoles": lambda: iam.list_roles(),
        "logs:FilterLogEvents": lambda: logs.filter_log_events(logGroupName=f"/aws/lambda/{name}"),
    }


def allowed(calls: Calls) -> set[str]:
    """Make each call and return the names of those that were not denied."""
    return {name for name, call in calls.items() if not is_denied(call)}


def is_denied(call: Callable[[], Any]) -> bool:
    try:
        call()
    except ClientError as error:
        if not error.response["Error"]["Code"].startswith("AccessDenied"):
            raise
        return True
    return False


@pytest.fixture
def blob(aws: Aws, stack: Stack) -> bytes:
    """Return a data key that the secret's key encrypted."""
    made = aws.client("kms").generate_data_key(KeyId=stack.key_arn, KeySpec="AES_256", EncryptionContext=CONTEXT)
    return bytes(made["CiphertextBlob"])


@pytest.mark.parametrize("function", sorted(ALLOWED))
def test_a_role_may_do_what_the_design_lists_and_nothing_else(
    function: str, aws: Aws, stack: Stack, blob: bytes
) -> None:
    calls = table_calls(aws.client_as(function, "dynamodb"), stack.table_name) | key_calls(
        aws.client_as(function, "kms"), stack.key_arn, blob
    )
    try:
        assert allowed(calls) == ALLOWED[function]
        assert allowed(account_calls(aws, stack, function)) == set()
    finally:
        aws.client("dynamodb").delete_item(TableName=stack.table_name, Key=NOBODY)


def test_an_administrator_may_do_them_all_so_that_a_denial_means_something(aws: Aws, stack: Stack) -> None:
    harmless = {"GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan", "BatchGetItem", "DescribeTable"}
    calls = table_calls(aws.client("dynamodb"), stack.table_name)
    assert allowed({name: calls[name] for name in harmless}) == harmless


@pytest.mark.parametrize("context", [{"purpose": "other"}, {}], ids=["another purpose", "none"])
def test_a_role_may_use_the_key_for_this_purpose_alone(
    context: dict[str, str], aws: Aws, stack: Stack, blob: bytes
) -> None:
    key = stack.key_arn
    setup, verify = aws.client_as("setup_mfa", "kms"), aws.client_as("verify_mfa", "kms")
    assert is_denied(lambda: setup.generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext=context))
    assert is_denied(lambda: verify.decrypt(CiphertextBlob=blob, KeyId=key, EncryptionContext=context))
