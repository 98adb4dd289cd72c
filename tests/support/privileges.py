"""What a thief of a role's credentials would try: calls on what the stack has, and on what else an account has.

Each call is well formed, so that an administrator's is either done or fails for want of what it names.
"""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from botocore.exceptions import ClientError

from functions.shared.contract import ENCRYPTION_CONTEXT_PURPOSE, ENCRYPTION_CONTEXT_USER_ID, SECRET_PURPOSE
from infra.constructs.security_events import dead_letter_queue_name
from local.stack import Stack
from tests.support.stack import Aws

#: The table "Least privilege" of the design, written out once more by hand; ``infra/permissions.py`` has it too.
MAY: Final[Mapping[str, frozenset[str]]] = {
    function: frozenset({*actions, "logs:CreateLogStream", "logs:PutLogEvents"})
    for function, actions in {
        "setup_mfa": ["dynamodb:PutItem", "kms:GenerateDataKey"],
        "verify_mfa_setup": ["dynamodb:GetItem", "dynamodb:UpdateItem", "kms:Decrypt"],
        "verify_mfa": ["dynamodb:GetItem", "dynamodb:UpdateItem", "kms:Decrypt"],
        "regenerate_backup_codes": ["dynamodb:GetItem", "dynamodb:UpdateItem", "kms:Decrypt"],
        "disable_mfa": ["dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "kms:Decrypt"],
        "mfa_status": ["dynamodb:GetItem"],
        "jwt_authorizer": [],
        "security_events": [
            *("dynamodb:DescribeStream", "dynamodb:GetShardIterator", "dynamodb:GetRecords"),
            *("events:PutEvents", "sqs:SendMessage"),
        ],
    }.items()
}

type Calls = dict[str, Callable[[], Any]]
type Client = Callable[[str], Any]

CONTEXT: Final = {ENCRYPTION_CONTEXT_USER_ID: "somebody", ENCRYPTION_CONTEXT_PURPOSE: SECRET_PURPOSE}
ITEM: Final = {"pk": {"S": "USER#nobody"}, "sk": {"S": "PRIVILEGES"}}
ABSENT: Final = "absent"
_TRACE: Final = "privileges"
_TRUST_ALL: Final = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}]}'
)

#: What services call a denial.
_DENIALS: Final = ("AccessDenied", "AuthorizationError", "UnauthorizedOperation")
#: Actions that change nothing, by how they begin.
_HARMLESS: Final = (
    *("BatchGet", "Condition", "Describe", "Filter", "Get", "List", "PartiQL", "Query", "Scan"),
    *("Decrypt", "Encrypt", "Generate", "ReEncrypt"),
)

DENIED: Final = "denied"
DONE: Final = "done"


@dataclass(frozen=True)
class Target:
    """What the calls name.

    Attributes
    ----------
    function, neighbour : str
        The Lambda names of the function whose role it is, and of another.
    """

    table: str
    stream: str
    key: str
    data_key: bytes
    function: str
    neighbour: str
    role: str
    neighbour_role: str
    queue: str
    bucket: str
    deploy_role: str
    user_pool: str
    client_id: str
    region: str

    @property
    def log_group(self) -> str:
        return f"/aws/lambda/{self.function}"

    @property
    def neighbours_log_group(self) -> str:
        return f"/aws/lambda/{self.neighbour}"


def target(aws: Aws, stack: Stack, function: str) -> Target:
    """Return what a function's role is tried on: the stack itself."""
    neighbour = next(name for folder, name in sorted(stack.functions.items()) if folder != function)
    data_key = aws.client("kms").generate_data_key(KeyId=stack.key_arn, KeySpec="AES_256", EncryptionContext=CONTEXT)
    queue_name = dead_letter_queue_name(stack.environment)
    return Target(
        table=stack.table_name,
        stream=aws.client("dynamodb").describe_table(TableName=stack.table_name)["Table"]["LatestStreamArn"],
        key=stack.key_arn,
        data_key=data_key["CiphertextBlob"],
        function=stack.functions[function],
        neighbour=neighbour,
        role=role_of(aws, stack.functions[function]),
        neighbour_role=role_of(aws, neighbour),
        queue=aws.client("sqs").get_queue_url(QueueName=queue_name)["QueueUrl"],
        bucket=aws.client("s3").list_buckets()["Buckets"][0]["Name"],
        deploy_role=_deploy_role(aws),
        user_pool=stack.user_pool_id,
        client_id=stack.client_id,
        region=stack.region,
    )


def role_of(aws: Aws, function: str) -> str:
    """Return the ARN of a function's role, by its Lambda name."""
    return str(aws.client("lambda").get_function_configuration(FunctionName=function)["Role"])


def _deploy_role(aws: Aws) -> str:
    """Return the role that deployments assume, as CDK's bootstrap makes it. It trusts the whole account."""
    roles = aws.client("iam").list_roles()["Roles"]
    return next(str(role["Arn"]) for role in roles if "-deploy-role-" in role["RoleName"])


def absent(real: Target) -> Target:
    """Return a target of things that are not there: what would destroy the stack can be tried on it."""
    return replace(
        real,
        table=ABSENT,
        stream=real.stream.replace(real.table, ABSENT),
        key=f"{real.key.rpartition('/')[0]}/00000000-0000-0000-0000-000000000000",
        function=ABSENT,
        neighbour=ABSENT,
        role=f"{real.role.rpartition('/')[0]}/{ABSENT}",
        neighbour_role=f"{real.role.rpartition('/')[0]}/{ABSENT}",
        queue=f"{real.queue.rpartition('/')[0]}/{ABSENT}",
        bucket=ABSENT,
        user_pool=f"{real.region}_Absent",
        client_id=ABSENT,
    )


def is_harmless(action: str) -> bool:
    """Whether a call, by its name in `all_calls`, changes nothing."""
    return action.partition(":")[2].startswith(_HARMLESS)


def outcome(call: Callable[[], Any]) -> str:
    """Return what came of a call: `DONE`, `DENIED`, or another error's code."""
    try:
        call()
    except ClientError as error:
        code = str(error.response["Error"]["Code"])
        return DENIED if code.startswith(_DENIALS) else code
    return DONE


def attempts(aws: Aws, stack: Stack, function: str) -> dict[str, str]:
    """Make every call with the credentials of a function's role, and return what came of each."""
    on = target(aws, stack, function)
    with _traces_removed(aws, on):
        return {name: outcome(call) for name, call in all_calls(partial(aws.client_as, function), on).items()}


@contextmanager
def _traces_removed(aws: Aws, on: Target) -> Iterator[None]:
    """Make what the calls write to, and remove at the end what they wrote."""
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
    """Return every call, by its IAM action; where one is tried in several ways, with what is special about it."""
    return {
        name: call
        for calls in (_table, _stream, _key, _functions, _roles, _logs, _events, _users, _monitoring, _account)
        for name, call in calls(client, on).items()
    }


def _table(client: Client, on: Target) -> Calls:
    dynamodb = client("dynamodb")
    item = {"TableName": on.table, "Key": ITEM}
    elsewhere = {"TableName": "another-table", "Key": ITEM}
    return {
        "dynamodb:GetItem": lambda: dynamodb.get_item(**item),
        "dynamodb:PutItem": lambda: dynamodb.put_item(TableName=on.table, Item=ITEM),
        "dynamodb:UpdateItem": lambda: dynamodb.update_item(**item),
        "dynamodb:DeleteItem": lambda: dynamodb.delete_item(**item),
        "dynamodb:Query": lambda: dynamodb.query(
            TableName=on.table, KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": ITEM["pk"]}
        ),
        "dynamodb:Scan": lambda: dynamodb.scan(TableName=on.table),
        "dynamodb:BatchGetItem": lambda: dynamodb.batch_get_item(RequestItems={on.table: {"Keys": [ITEM]}}),
        "dynamodb:BatchWriteItem": lambda: dynamodb.batch_write_item(
            RequestItems={on.table: [{"DeleteRequest": {"Key": ITEM}}]}
        ),
        "dynamodb:ConditionCheckItem": lambda: dynamodb.transact_write_items(
            TransactItems=[{"ConditionCheck": {**item, "ConditionExpression": "attribute_not_exists(nothing)"}}]
        ),
        "dynamodb:PartiQLSelect": lambda: dynamodb.execute_statement(Statement=f'SELECT * FROM "{on.table}"'),  # noqa: S608
        "dynamodb:GetItem of another table": lambda: dynamodb.get_item(**elsewhere),
        "dynamodb:PutItem to another table": lambda: dynamodb.put_item(TableName="another-table", Item=ITEM),
        "dynamodb:UpdateItem of another table": lambda: dynamodb.update_item(**elsewhere),
        "dynamodb:DeleteItem of another table": lambda: dynamodb.delete_item(**elsewhere),
        "dynamodb:ListTables": lambda: dynamodb.list_tables(),
        "dynamodb:DescribeTable": lambda: dynamodb.describe_table(TableName=on.table),
        "dynamodb:CreateBackup": lambda: dynamodb.create_backup(TableName=on.table, BackupName="mine"),
        "dynamodb:DeleteTable": lambda: dynamodb.delete_table(TableName=on.table),
        "dynamodb:UpdateTable": lambda: dynamodb.update_table(TableName=on.table, DeletionProtectionEnabled=False),
        "dynamodb:UpdateTimeToLive": lambda: dynamodb.update_time_to_live(
            TableName=on.table, TimeToLiveSpecification={"Enabled": False, "AttributeName": "expires_at"}
        ),
        "dynamodb:UpdateContinuousBackups": lambda: dynamodb.update_continuous_backups(
            TableName=on.table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}
        ),
    }


def _stream(client: Client, on: Target) -> Calls:
    streams = client("dynamodbstreams")
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


def _key(client: Client, on: Target) -> Calls:
    kms = client("kms")
    key, blob = on.key, on.data_key
    return {
        "kms:GenerateDataKey": lambda: kms.generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext=CONTEXT),
        "kms:Decrypt": lambda: kms.decrypt(CiphertextBlob=blob, KeyId=key, EncryptionContext=CONTEXT),
        "kms:GenerateDataKeyWithoutPlaintext": lambda: kms.generate_data_key_without_plaintext(
            KeyId=key, KeySpec="AES_256", EncryptionContext=CONTEXT
        ),
        "kms:Encrypt": lambda: kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=CONTEXT),
        "kms:ReEncryptFrom": lambda: kms.re_encrypt(
            CiphertextBlob=blob, SourceEncryptionContext=CONTEXT, DestinationKeyId=key
        ),
        "kms:DescribeKey": lambda: kms.describe_key(KeyId=key),
        "kms:GetKeyPolicy": lambda: kms.get_key_policy(KeyId=key, PolicyName="default"),
        "kms:ListKeys": lambda: kms.list_keys(),
        "kms:DisableKey": lambda: kms.disable_key(KeyId=key),
        "kms:ScheduleKeyDeletion": lambda: kms.schedule_key_deletion(KeyId=key),
        "kms:PutKeyPolicy": lambda: kms.put_key_policy(KeyId=key, PolicyName="default", Policy="{}"),
        "kms:CreateGrant": lambda: kms.create_grant(KeyId=key, GranteePrincipal=on.role, Operations=["Decrypt"]),
        "kms:DisableKeyRotation": lambda: kms.disable_key_rotation(KeyId=key),
    }


def _functions(client: Client, on: Target) -> Calls:
    functions = client("lambda")
    own, other = {"FunctionName": on.function}, {"FunctionName": on.neighbour}
    return {
        "lambda:ListFunctions": lambda: functions.list_functions(),
        "lambda:GetFunction": lambda: functions.get_function(**own),
        "lambda:GetFunctionConfiguration": lambda: functions.get_function_configuration(**own),
        "lambda:InvokeFunction": lambda: functions.invoke(**other),
        "lambda:UpdateFunctionConfiguration": lambda: functions.update_function_configuration(
            **own, Environment={"Variables": {"LOG_LEVEL": "DEBUG"}}
        ),
        "lambda:UpdateFunctionCode": lambda: functions.update_function_code(**own, ZipFile=b"mine"),
        "lambda:UpdateAlias": lambda: functions.update_alias(**own, Name="live", FunctionVersion="$LATEST"),
        "lambda:AddPermission": lambda: functions.add_permission(
            **other, StatementId="mine", Action="lambda:InvokeFunction", Principal="*"
        ),
        "lambda:DeleteFunction": lambda: functions.delete_function(**other),
        # It passes another function's role to the new one (iam:PassRole).
        "lambda:CreateFunction with another's role": lambda: functions.create_function(
            FunctionName="mine",
            Runtime="python3.13",
            Handler="mine.handler",
            Role=on.neighbour_role,
            Code={"S3Bucket": ABSENT, "S3Key": ABSENT},
        ),
    }


def _roles(client: Client, on: Target) -> Calls:
    iam, sts = client("iam"), client("sts")
    name = on.role.rpartition("/")[2]
    return {
        "iam:ListRoles": lambda: iam.list_roles(),
        "iam:GetRole": lambda: iam.get_role(RoleName=name),
        "iam:PutRolePolicy": lambda: iam.put_role_policy(RoleName=name, PolicyName="mine", PolicyDocument="{}"),
        "iam:AttachRolePolicy": lambda: iam.attach_role_policy(
            RoleName=name, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
        ),
        "iam:UpdateAssumeRolePolicy": lambda: iam.update_assume_role_policy(RoleName=name, PolicyDocument=_TRUST_ALL),
        "iam:CreateAccessKey": lambda: iam.create_access_key(UserName=ABSENT),
        "sts:AssumeRole of deployments": lambda: sts.assume_role(RoleArn=on.deploy_role, RoleSessionName="mine"),
    }


def _logs(client: Client, on: Target) -> Calls:
    logs = client("logs")
    event = [{"timestamp": int(time.time() * 1000), "message": _TRACE}]
    own, other = {"logGroupName": on.log_group}, {"logGroupName": on.neighbours_log_group}
    return {
        "logs:CreateLogStream": lambda: logs.create_log_stream(**own, logStreamName=_new_name()),
        "logs:PutLogEvents": lambda: logs.put_log_events(**own, logStreamName=_TRACE, logEvents=event),
        "logs:CreateLogStream of another function": lambda: logs.create_log_stream(**other, logStreamName=_new_name()),
        "logs:PutLogEvents of another function": lambda: logs.put_log_events(
            **other, logStreamName=_TRACE, logEvents=event
        ),
        "logs:CreateLogGroup": lambda: logs.create_log_group(logGroupName=on.log_group),
        "logs:FilterLogEvents": lambda: logs.filter_log_events(**own),
        "logs:StartQuery": lambda: logs.start_query(**own, startTime=0, endTime=1, queryString="fields @message"),
        "logs:DeleteLogStream": lambda: logs.delete_log_stream(**own, logStreamName=_TRACE),
        "logs:DeleteLogGroup": lambda: logs.delete_log_group(**other),
        "logs:PutRetentionPolicy": lambda: logs.put_retention_policy(**other, retentionInDays=1),
    }


def _new_name() -> str:
    return f"{_TRACE}-{uuid.uuid4()}"


def _events(client: Client, on: Target) -> Calls:
    events, sqs, sns = client("events"), client("sqs"), client("sns")
    entry = {"Source": "privileges", "DetailType": "Tried", "Detail": "{}"}
    elsewhere = f"{on.queue.rpartition('/')[0]}/another-queue"
    topic = f"arn:aws:sns:{on.region}:000000000000:{ABSENT}"
    return {
        "events:PutEvents": lambda: events.put_events(Entries=[entry]),
        "events:PutEvents to another bus": lambda: events.put_events(Entries=[entry | {"EventBusName": ABSENT}]),
        "events:ListRules": lambda: events.list_rules(),
        "events:PutRule": lambda: events.put_rule(Name=ABSENT, EventBusName=ABSENT, EventPattern="{}"),
        "events:PutTargets": lambda: events.put_targets(Rule=ABSENT, Targets=[{"Id": "mine", "Arn": topic}]),
        "events:DeleteRule": lambda: events.delete_rule(Name=ABSENT),
        "sqs:SendMessage": lambda: sqs.send_message(QueueUrl=on.queue, MessageBody=_TRACE),
        "sqs:SendMessage to another queue": lambda: sqs.send_message(QueueUrl=elsewhere, MessageBody=_TRACE),
        "sqs:ReceiveMessage": lambda: sqs.receive_message(QueueUrl=on.queue, VisibilityTimeout=0),
        "sqs:GetQueueAttributes": lambda: sqs.get_queue_attributes(QueueUrl=on.queue),
        "sqs:PurgeQueue": lambda: sqs.purge_queue(QueueUrl=on.queue),
        "sqs:DeleteQueue": lambda: sqs.delete_queue(QueueUrl=on.queue),
        "sns:Publish": lambda: sns.publish(TopicArn=topic, Message="tried"),
        "sns:Subscribe": lambda: sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="thief@example.com"),
    }


def _users(client: Client, on: Target) -> Calls:
    cognito = client("cognito-idp")
    pool, user = {"UserPoolId": on.user_pool}, {"UserPoolId": on.user_pool, "Username": "nobody@example.com"}
    return {
        "cognito-idp:ListUsers": lambda: cognito.list_users(**pool),
        "cognito-idp:AdminGetUser": lambda: cognito.admin_get_user(**user),
        "cognito-idp:AdminCreateUser": lambda: cognito.admin_create_user(**user, MessageAction="SUPPRESS"),
        "cognito-idp:AdminSetUserPassword": lambda: cognito.admin_set_user_password(**user, Password="Thief-4711!"),
        "cognito-idp:AdminDeleteUser": lambda: cognito.admin_delete_user(**user),
        "cognito-idp:DescribeUserPoolClient": lambda: cognito.describe_user_pool_client(**pool, ClientId=on.client_id),
        "cognito-idp:DeleteUserPool": lambda: cognito.delete_user_pool(**pool),
    }


def _monitoring(client: Client, _on: Target) -> Calls:
    cloudwatch = client("cloudwatch")
    return {
        "cloudwatch:PutMetricData": lambda: cloudwatch.put_metric_data(
            Namespace="privileges", MetricData=[{"MetricName": "Tried", "Value": 1}]
        ),
        "cloudwatch:DescribeAlarms": lambda: cloudwatch.describe_alarms(),
        "cloudwatch:DisableAlarmActions": lambda: cloudwatch.disable_alarm_actions(AlarmNames=[ABSENT]),
        "cloudwatch:DeleteAlarms": lambda: cloudwatch.delete_alarms(AlarmNames=[ABSENT]),
        "cloudwatch:DeleteDashboards": lambda: cloudwatch.delete_dashboards(DashboardNames=[ABSENT]),
    }


def _account(client: Client, on: Target) -> Calls:
    s3, secrets, ssm, stacks, apis, ec2 = (
        client(service) for service in ("s3", "secretsmanager", "ssm", "cloudformation", "apigateway", "ec2")
    )
    return {
        "s3:ListAllMyBuckets": lambda: s3.list_buckets(),
        "s3:ListBucket": lambda: s3.list_objects_v2(Bucket=on.bucket),
        "s3:GetObject": lambda: s3.get_object(Bucket=on.bucket, Key=ABSENT),
        "s3:PutObject": lambda: s3.put_object(Bucket=on.bucket, Key=ABSENT, Body=b""),
        "secretsmanager:ListSecrets": lambda: secrets.list_secrets(),
        "secretsmanager:GetSecretValue": lambda: secrets.get_secret_value(SecretId=ABSENT),
        "ssm:GetParameter": lambda: ssm.get_parameter(Name=ABSENT, WithDecryption=True),
        "ssm:DeleteParameter": lambda: ssm.delete_parameter(Name=ABSENT),
        "cloudformation:DescribeStacks": lambda: stacks.describe_stacks(),
        "cloudformation:DeleteStack": lambda: stacks.delete_stack(StackName=ABSENT),
        "apigateway:GET": lambda: apis.get_rest_apis(),
        "apigateway:DELETE": lambda: apis.delete_rest_api(restApiId=ABSENT),
        "ec2:DescribeInstances": lambda: ec2.describe_instances(),
    }
