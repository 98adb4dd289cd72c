"""Calls that an attacker could try with the credentials of a function's role.

Each call is well formed: an administrator's call succeeds, or fails because the named resource does not exist.
"""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from botocore.exceptions import ClientError

from functions.shared.contract import ENCRYPTION_CONTEXT_PURPOSE, ENCRYPTION_CONTEXT_USER_ID, SECRET_PURPOSE
from infra.outputs import dead_letter_queue_name
from local.stack import Stack
from tests.support.stack import Aws

type Calls = dict[str, Callable[[], Any]]
type Client = Callable[[str], Any]

CONTEXT: Final = {ENCRYPTION_CONTEXT_USER_ID: "user", ENCRYPTION_CONTEXT_PURPOSE: SECRET_PURPOSE}
ITEM: Final = {"pk": {"S": "USER#privileges"}, "sk": {"S": "PRIVILEGES"}}
ABSENT: Final = "absent"
_TRACE: Final = "privileges"

#: Error codes of denials.
_DENIALS: Final = ("AccessDenied", "AuthorizationError", "UnauthorizedOperation")
#: Prefixes of actions that change nothing.
_HARMLESS: Final = (
    *("BatchGet", "Condition", "Describe", "Filter", "Get", "List", "PartiQL", "Query", "Scan"),
    *("Decrypt", "Encrypt", "Generate", "ReEncrypt", "Sign"),
)

DENIED: Final = "denied"
DONE: Final = "done"


@dataclass(frozen=True)
class Target:
    """The resources that the calls name; ``function`` and ``neighbour`` are Lambda names, roles are ARNs."""

    table: str
    stream: str
    key: str
    proof_key: str
    data_key: bytes
    function: str
    neighbour: str
    role: str
    neighbour_role: str
    queue: str
    bucket: str
    deploy_role: str
    user_pool: str

    @property
    def log_group(self) -> str:
        return f"/aws/lambda/{self.function}"

    @property
    def neighbours_log_group(self) -> str:
        return f"/aws/lambda/{self.neighbour}"


def target(aws: Aws, stack: Stack, function: str) -> Target:
    """Return the resources of the stack, from the point of view of a function."""
    neighbour = next(name for folder, name in sorted(stack.functions.items()) if folder != function)
    data_key = aws.client_as("setup_mfa", "kms").generate_data_key(
        KeyId=stack.key_arn, KeySpec="AES_256", EncryptionContext=CONTEXT
    )
    queue_name = dead_letter_queue_name(stack.environment)
    roles = [str(role["Arn"]) for role in aws.client("iam").list_roles()["Roles"]]
    return Target(
        table=stack.table_name,
        stream=aws.client("dynamodb").describe_table(TableName=stack.table_name)["Table"]["LatestStreamArn"],
        key=stack.key_arn,
        proof_key=proof_key(aws, stack),
        data_key=data_key["CiphertextBlob"],
        function=stack.functions[function],
        neighbour=neighbour,
        role=role_of(aws, stack.functions[function]),
        neighbour_role=role_of(aws, neighbour),
        queue=aws.client("sqs").get_queue_url(QueueName=queue_name)["QueueUrl"],
        bucket=aws.client("s3").list_buckets()["Buckets"][0]["Name"],
        # Made by CDK's bootstrap, and trusts the whole account.
        deploy_role=next(role for role in roles if "-deploy-role-" in role),
        user_pool=stack.user_pool_id,
    )


def proof_key(aws: Aws, stack: Stack) -> str:
    """Return the ARN of the key that signs proofs."""
    variables = aws.client("lambda").get_function_configuration(FunctionName=stack.functions["verify_mfa"])
    return str(variables["Environment"]["Variables"]["PROOF_KEY"])


def role_of(aws: Aws, function: str) -> str:
    """Return the ARN of a function's role, by its Lambda name."""
    return str(aws.client("lambda").get_function_configuration(FunctionName=function)["Role"])


def absent(real: Target) -> Target:
    """Return resources that do not exist, for calls that would destroy the stack."""
    return replace(
        real,
        table=ABSENT,
        stream=real.stream.replace(real.table, ABSENT),
        key=f"{real.key.rpartition('/')[0]}/00000000-0000-0000-0000-000000000000",
        proof_key=f"{real.key.rpartition('/')[0]}/00000000-0000-0000-0000-000000000000",
        function=ABSENT,
        neighbour=ABSENT,
        role=f"{real.role.rpartition('/')[0]}/{ABSENT}",
        neighbour_role=f"{real.role.rpartition('/')[0]}/{ABSENT}",
        queue=f"{real.queue.rpartition('/')[0]}/{ABSENT}",
        bucket=ABSENT,
        user_pool=f"{real.user_pool.partition('_')[0]}_Absent",
    )


def is_harmless(action: str) -> bool:
    """Return whether a call of `all_calls` changes nothing."""
    return action.partition(":")[2].startswith(_HARMLESS)


def outcome(call: Callable[[], Any]) -> str:
    """Return `DONE`, `DENIED`, or the code of another error."""
    try:
        call()
    except ClientError as error:
        code = str(error.response["Error"]["Code"])
        return DENIED if code.startswith(_DENIALS) else code
    return DONE


def attempts(aws: Aws, stack: Stack, function: str) -> dict[str, str]:
    """Make every call with the credentials of a function's role, and return the outcome of each."""
    on = target(aws, stack, function)
    with _traces_removed(aws, on):
        return {name: outcome(call) for name, call in all_calls(partial(aws.client_as, function), on).items()}


@contextmanager
def _traces_removed(aws: Aws, on: Target) -> Iterator[None]:
    """Create the log streams that the calls write to, and remove what the calls wrote."""
    logs, sqs = aws.client("logs"), aws.client("sqs")
    for group in (on.log_group, on.neighbours_log_group):
        logs.create_log_stream(logGroupName=group, logStreamName=_TRACE)
    try:
        yield
    finally:
        for group in (on.log_group, on.neighbours_log_group):
            for stream in logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=_TRACE)["logStreams"]:
                logs.delete_log_stream(logGroupName=group, logStreamName=stream["logStreamName"])
        aws.client("dynamodb").delete_item(TableName=on.table, Key=ITEM)
        for message in sqs.receive_message(QueueUrl=on.queue, MaxNumberOfMessages=10).get("Messages", []):
            if message["Body"] == _TRACE:
                sqs.delete_message(QueueUrl=on.queue, ReceiptHandle=message["ReceiptHandle"])


def all_calls(client: Client, on: Target) -> Calls:
    """Return every call, by its IAM action; variants of an action have a suffix."""
    parts = (_table(client("dynamodb"), on), _stream(client("dynamodbstreams"), on), _key(client("kms"), on))
    return {name: call for calls in (*parts, _code(client, on), _rest(client, on)) for name, call in calls.items()}


def _table(dynamodb: Any, on: Target) -> Calls:
    table = {"TableName": on.table}
    item, elsewhere = {**table, "Key": ITEM}, {"TableName": "another-table", "Key": ITEM}
    query = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": ITEM["pk"]}}
    check = {"ConditionCheck": {**item, "ConditionExpression": "attribute_not_exists(nothing)"}}
    delete = {"DeleteRequest": {"Key": ITEM}}
    ttl = {"Enabled": False, "AttributeName": "expires_at"}
    return {
        "dynamodb:GetItem": lambda: dynamodb.get_item(**item),
        "dynamodb:PutItem": lambda: dynamodb.put_item(**table, Item=ITEM),
        "dynamodb:UpdateItem": lambda: dynamodb.update_item(**item),
        "dynamodb:DeleteItem": lambda: dynamodb.delete_item(**item),
        "dynamodb:Query": lambda: dynamodb.query(**table, **query),
        "dynamodb:Scan": lambda: dynamodb.scan(**table),
        "dynamodb:BatchGetItem": lambda: dynamodb.batch_get_item(RequestItems={on.table: {"Keys": [ITEM]}}),
        "dynamodb:BatchWriteItem": lambda: dynamodb.batch_write_item(RequestItems={on.table: [delete]}),
        "dynamodb:ConditionCheckItem": lambda: dynamodb.transact_write_items(TransactItems=[check]),
        "dynamodb:PartiQLSelect": lambda: dynamodb.execute_statement(Statement=f'SELECT * FROM "{on.table}"'),  # noqa: S608 - a name of ours
        "dynamodb:GetItem of another table": lambda: dynamodb.get_item(**elsewhere),
        "dynamodb:PutItem to another table": lambda: dynamodb.put_item(TableName="another-table", Item=ITEM),
        "dynamodb:UpdateItem of another table": lambda: dynamodb.update_item(**elsewhere),
        "dynamodb:DeleteItem of another table": lambda: dynamodb.delete_item(**elsewhere),
        "dynamodb:DescribeTable": lambda: dynamodb.describe_table(**table),
        "dynamodb:CreateBackup": lambda: dynamodb.create_backup(**table, BackupName="mine"),
        "dynamodb:DeleteTable": lambda: dynamodb.delete_table(**table),
        "dynamodb:UpdateTable": lambda: dynamodb.update_table(**table, DeletionProtectionEnabled=False),
        "dynamodb:UpdateTimeToLive": lambda: dynamodb.update_time_to_live(**table, TimeToLiveSpecification=ttl),
    }


def _stream(streams: Any, on: Target) -> Calls:
    return {
        "dynamodb:ListStreams": lambda: streams.list_streams(TableName=on.table),
        "dynamodb:DescribeStream": lambda: streams.describe_stream(StreamArn=on.stream),
        "dynamodb:GetShardIterator": lambda: _shard_iterator(streams, on),
        "dynamodb:GetRecords": lambda: streams.get_records(ShardIterator=_shard_iterator(streams, on)),
    }


def _shard_iterator(streams: Any, on: Target) -> str:
    shard = streams.describe_stream(StreamArn=on.stream)["StreamDescription"]["Shards"][0]["ShardId"]
    given = streams.get_shard_iterator(StreamArn=on.stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    return str(given["ShardIterator"])


def _key(kms: Any, on: Target) -> Calls:
    key, context = {"KeyId": on.key}, {"EncryptionContext": CONTEXT}
    spec = {**key, **context, "KeySpec": "AES_256"}
    again = {"SourceEncryptionContext": CONTEXT, "DestinationKeyId": on.key}
    grant = {"GranteePrincipal": on.role, "Operations": ["Decrypt"]}
    signature = {"KeyId": on.proof_key, "Message": b"x", "MessageType": "RAW"}
    return {
        "kms:GenerateDataKey": lambda: kms.generate_data_key(**spec),
        "kms:Decrypt": lambda: kms.decrypt(CiphertextBlob=on.data_key, **key, **context),
        "kms:GenerateDataKeyWithoutPlaintext": lambda: kms.generate_data_key_without_plaintext(**spec),
        "kms:Encrypt": lambda: kms.encrypt(**key, **context, Plaintext=b"x"),
        "kms:ReEncryptFrom": lambda: kms.re_encrypt(CiphertextBlob=on.data_key, **again),
        "kms:DescribeKey": lambda: kms.describe_key(**key),
        "kms:DisableKey": lambda: kms.disable_key(**key),
        "kms:ScheduleKeyDeletion": lambda: kms.schedule_key_deletion(**key),
        "kms:PutKeyPolicy": lambda: kms.put_key_policy(**key, PolicyName="default", Policy="{}"),
        "kms:CreateGrant": lambda: kms.create_grant(**key, **grant),
        "kms:Sign": lambda: kms.sign(**signature, SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256"),
        "kms:Sign by another algorithm": lambda: kms.sign(**signature, SigningAlgorithm="RSASSA_PSS_SHA_256"),
        "kms:GetPublicKey": lambda: kms.get_public_key(KeyId=on.proof_key),
        "kms:CreateGrant to sign": lambda: kms.create_grant(
            KeyId=on.proof_key, GranteePrincipal=on.role, Operations=["Sign"]
        ),
        "kms:DisableKey of the proofs": lambda: kms.disable_key(KeyId=on.proof_key),
    }


def _code(client: Client, on: Target) -> Calls:
    """Return calls that change or run code, or that widen permissions."""
    functions, iam, sts, s3 = (client(service) for service in ("lambda", "iam", "sts", "s3"))
    own, other = {"FunctionName": on.function}, {"FunctionName": on.neighbour}
    debug = {"Environment": {"Variables": {"LOG_LEVEL": "DEBUG"}}}
    public = {"StatementId": "mine", "Action": "lambda:InvokeFunction", "Principal": "*"}
    code = {"Runtime": "python3.13", "Handler": "mine.handler", "Code": {"S3Bucket": ABSENT, "S3Key": ABSENT}}
    role = {"RoleName": on.role.rpartition("/")[2]}
    administrator = {"PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}
    asset = {"Bucket": on.bucket, "Key": ABSENT}
    return {
        "lambda:GetFunction": lambda: functions.get_function(**own),
        "lambda:InvokeFunction": lambda: functions.invoke(**other),
        "lambda:UpdateFunctionConfiguration": lambda: functions.update_function_configuration(**own, **debug),
        "lambda:UpdateFunctionCode": lambda: functions.update_function_code(**own, ZipFile=b"mine"),
        "lambda:UpdateAlias": lambda: functions.update_alias(**own, Name="live", FunctionVersion="$LATEST"),
        "lambda:AddPermission": lambda: functions.add_permission(**other, **public),
        "lambda:DeleteFunction": lambda: functions.delete_function(**other),
        # Passes another function's role to the new one (iam:PassRole).
        "lambda:CreateFunction with another's role": lambda: functions.create_function(
            FunctionName="mine", Role=on.neighbour_role, **code
        ),
        "iam:GetRole": lambda: iam.get_role(**role),
        "iam:PutRolePolicy": lambda: iam.put_role_policy(**role, PolicyName="mine", PolicyDocument="{}"),
        "iam:AttachRolePolicy": lambda: iam.attach_role_policy(**role, **administrator),
        "sts:AssumeRole of deployments": lambda: sts.assume_role(RoleArn=on.deploy_role, RoleSessionName="mine"),
        "s3:GetObject": lambda: s3.get_object(**asset),
        "s3:PutObject": lambda: s3.put_object(**asset, Body=b""),
    }


def _rest(client: Client, on: Target) -> Calls:
    """Return calls on logs, events, users and metrics."""
    logs, events, sqs = client("logs"), client("events"), client("sqs")
    cognito, cloudwatch = client("cognito-idp"), client("cloudwatch")
    own, other = {"logGroupName": on.log_group}, {"logGroupName": on.neighbours_log_group}
    lines = {"logStreamName": _TRACE, "logEvents": [{"timestamp": int(time.time() * 1000), "message": _TRACE}]}
    entry = {"Source": "privileges", "DetailType": "Tried", "Detail": "{}"}
    elsewhere = f"{on.queue.rpartition('/')[0]}/another-queue"
    user = {"UserPoolId": on.user_pool, "Username": "absent@example.com"}
    metric = {"Namespace": "privileges", "MetricData": [{"MetricName": "Tried", "Value": 1}]}
    return {
        "logs:CreateLogStream": lambda: logs.create_log_stream(**own, logStreamName=f"{_TRACE}-{uuid.uuid4()}"),
        "logs:PutLogEvents": lambda: logs.put_log_events(**own, **lines),
        "logs:CreateLogStream of another function": lambda: logs.create_log_stream(
            **other, logStreamName=f"{_TRACE}-{uuid.uuid4()}"
        ),
        "logs:PutLogEvents of another function": lambda: logs.put_log_events(**other, **lines),
        "logs:FilterLogEvents": lambda: logs.filter_log_events(**own),
        "logs:DeleteLogGroup": lambda: logs.delete_log_group(**other),
        "events:PutEvents": lambda: events.put_events(Entries=[entry]),
        "events:PutEvents to another bus": lambda: events.put_events(Entries=[entry | {"EventBusName": ABSENT}]),
        "events:PutRule": lambda: events.put_rule(Name=ABSENT, EventBusName=ABSENT, EventPattern="{}"),
        "sqs:SendMessage": lambda: sqs.send_message(QueueUrl=on.queue, MessageBody=_TRACE),
        "sqs:SendMessage to another queue": lambda: sqs.send_message(QueueUrl=elsewhere, MessageBody=_TRACE),
        "sqs:ReceiveMessage": lambda: sqs.receive_message(QueueUrl=on.queue, VisibilityTimeout=0),
        "sqs:PurgeQueue": lambda: sqs.purge_queue(QueueUrl=on.queue),
        "cognito-idp:ListUsers": lambda: cognito.list_users(UserPoolId=on.user_pool),
        "cognito-idp:AdminSetUserPassword": lambda: cognito.admin_set_user_password(**user, Password="Thief-4711!"),
        "cloudwatch:PutMetricData": lambda: cloudwatch.put_metric_data(**metric),
        "cloudwatch:DisableAlarmActions": lambda: cloudwatch.disable_alarm_actions(AlarmNames=[ABSENT]),
    }
