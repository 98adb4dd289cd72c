"""What IAM allows the functions' roles to do, by its policy simulator.

The simulator evaluates the policies of the role. The key's own policy is not part of it: every right login shows that
it allows what the roles need.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from functions.shared.contract import (
    ENCRYPTION_CONTEXT_PURPOSE,
    PROOF_KMS_ALGORITHM,
    SECRET_PURPOSE,
    SECURITY_EVENTS_FUNCTION,
    SETUP,
    SIGNING_KEYS_FUNCTION,
    VERIFY,
    Env,
    partition_key,
)
from infra.outputs import dead_letter_queue_name
from tests.acceptance.deployment import Deployment
from tests.acceptance.model import NotAnswerableError, require
from tests.support.least_privilege import MAY, MAY_ON_PROOF_KEYS

_ALLOWED: Final = "allowed"
#: On the table and the key: what would give away, destroy or hide the secrets of all users.
_TABLE_ACTIONS: Final = (
    *("dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:DeleteTable"),
    *("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:UpdateItem"),
    *("dynamodb:UpdateTable", "dynamodb:UpdateTimeToLive"),
)
_KEY_ACTIONS: Final = (
    *("kms:CreateGrant", "kms:Decrypt", "kms:DisableKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:PutKeyPolicy"),
    *("kms:ReEncryptFrom", "kms:ScheduleKeyDeletion", "kms:Sign"),
)
_PROOF_ACTIONS: Final = ("kms:CreateGrant", "kms:Decrypt", "kms:GetPublicKey", "kms:ScheduleKeyDeletion", "kms:Sign")
_ACCOUNT_ACTIONS: Final = (
    *("iam:AttachRolePolicy", "iam:PassRole", "iam:PutRolePolicy", "lambda:InvokeFunction"),
    *("lambda:UpdateFunctionCode", "logs:DeleteLogGroup", "logs:FilterLogEvents", "s3:GetObject", "sts:AssumeRole"),
)
#: The key of an item of this service, and of another one's in the same table.
_OWN_ITEM: Final = {
    "ContextKeyName": "dynamodb:LeadingKeys",
    "ContextKeyValues": [partition_key("acceptance")],
    "ContextKeyType": "stringList",
}
_OTHER_ITEM: Final = {**_OWN_ITEM, "ContextKeyValues": ["ORDER#acceptance"]}
#: The algorithm of the proofs, and another one of the same keys.
_ALGORITHM: Final = {
    "ContextKeyName": "kms:SigningAlgorithm",
    "ContextKeyValues": [PROOF_KMS_ALGORITHM],
    "ContextKeyType": "string",
}
_OTHER_ALGORITHM: Final = {**_ALGORITHM, "ContextKeyValues": ["RSASSA_PSS_SHA_256"]}
#: The encryption context that the functions send.
_PURPOSE: Final = {
    "ContextKeyName": f"kms:EncryptionContext:{ENCRYPTION_CONTEXT_PURPOSE}",
    "ContextKeyValues": [SECRET_PURPOSE],
    "ContextKeyType": "string",
}


def on_the_table(deployment: Deployment) -> str:
    """Ask the simulator for every item and table action on the users' table, and on another table."""
    table = _table(deployment)
    other = table + "-other"
    for folder in deployment.functions:
        _compare(deployment, folder, _TABLE_ACTIONS, on=table, expected=MAY[folder], context=[_OWN_ITEM])
        _compare(deployment, folder, _TABLE_ACTIONS, on=other, expected=(), context=[_OWN_ITEM])
    return f"{len(_TABLE_ACTIONS)} actions, two tables"


def on_other_items(deployment: Deployment) -> str:
    """Ask the simulator for every action on an item of the users' table that is not this service's."""
    for folder in deployment.functions:
        _compare(deployment, folder, _TABLE_ACTIONS, on=_table(deployment), expected=(), context=[_OTHER_ITEM])
    return f"{len(_TABLE_ACTIONS)} actions"


def on_the_key(deployment: Deployment) -> str:
    """Ask the simulator for the uses of the secret key, for this purpose and for another one."""
    key = deployment.variables(SETUP.function)[Env.MFA_ENCRYPTION_KEY]
    if not key.startswith("arn:"):
        raise NotAnswerableError("the secrets are not encrypted by KMS")
    elsewhere = {**_PURPOSE, "ContextKeyValues": ["another purpose"]}
    for folder in deployment.functions:
        _compare(deployment, folder, _KEY_ACTIONS, on=key, expected=MAY[folder], context=[_PURPOSE])
        _compare(deployment, folder, _KEY_ACTIONS, on=key, expected=(), context=[elsewhere])
    return f"{len(_KEY_ACTIONS)} actions, two purposes"


def on_the_proof_keys(deployment: Deployment) -> str:
    """Ask the simulator for the uses of the proof's keys, with this algorithm and with another one."""
    if SIGNING_KEYS_FUNCTION not in deployment.functions:
        raise NotAnswerableError("proof_audience is not set")
    keys = deployment.variables(SIGNING_KEYS_FUNCTION)[Env.PROOF_KEYS].split(",")
    for key in keys:
        for folder in deployment.functions:
            expected = MAY_ON_PROOF_KEYS.get(folder, ())
            _compare(deployment, folder, _PROOF_ACTIONS, on=key, expected=expected, context=[_ALGORITHM])
            unsigned = set(expected) - {"kms:Sign"}
            _compare(deployment, folder, _PROOF_ACTIONS, on=key, expected=unsigned, context=[_OTHER_ALGORITHM])
    return f"{len(_PROOF_ACTIONS)} actions, {len(keys)} keys"


def elsewhere(deployment: Deployment) -> str:
    """Ask the simulator for log groups, the event bus, the queue, and for what changes code or permissions."""
    folders = list(deployment.functions)
    logs = ("logs:CreateLogStream", "logs:PutLogEvents")
    for folder, neighbour in zip(folders, [*folders[1:], folders[0]], strict=True):
        for each, expected in ((folder, MAY[folder]), (neighbour, ())):
            stream = f"log-group:/aws/lambda/{deployment.lambda_name(each)}:log-stream:acceptance"
            _compare(deployment, folder, logs, on=_arn(deployment, "logs", stream), expected=expected)
        _compare(deployment, folder, _ACCOUNT_ACTIONS, on="*", expected=())
    if SECURITY_EVENTS_FUNCTION in folders:
        queue = _arn(deployment, "sqs", dead_letter_queue_name(deployment.environment))
        bus = deployment.variables(SECURITY_EVENTS_FUNCTION)[Env.EVENT_BUS_NAME]
        bus = bus if bus.startswith("arn:") else _arn(deployment, "events", f"event-bus/{bus}")
        for folder in folders:
            _compare(deployment, folder, ("sqs:SendMessage", "sqs:ReceiveMessage"), on=queue, expected=MAY[folder])
            _compare(deployment, folder, ("events:PutEvents", "events:PutRule"), on=bus, expected=MAY[folder])
    return f"{len(folders)} roles"


def _compare(
    deployment: Deployment,
    folder: str,
    actions: Iterable[str],
    *,
    on: str,
    expected: Iterable[str],
    context: Iterable[Mapping[str, Any]] = (),
) -> None:
    """Raise unless a role may do exactly the expected ones of some actions on a resource."""
    role = deployment.functions[folder]["Role"]
    answer = deployment.client("iam").simulate_principal_policy(
        PolicySourceArn=role, ActionNames=[*actions], ResourceArns=[on], ContextEntries=[*context]
    )
    decisions = {each["EvalActionName"]: each["EvalDecision"] for each in answer["EvaluationResults"]}
    allowed = {action for action, decision in decisions.items() if decision == _ALLOWED}
    wanted = set(expected) & set(actions)
    subject = f"the role of {folder} on {on.rpartition(':')[2]}"
    require(not allowed - wanted, f"{subject} may also {', '.join(sorted(allowed - wanted))}")
    require(not wanted - allowed, f"{subject} may not {', '.join(sorted(wanted - allowed))}")


def _table(deployment: Deployment) -> str:
    return _arn(deployment, "dynamodb", f"table/{deployment.variables(VERIFY.function)[Env.USERS_TABLE_NAME]}")


def _arn(deployment: Deployment, service: str, resource: str) -> str:
    """Return an ARN in the account and region of the functions."""
    _, partition, _, region, account, *_ = deployment.functions[SETUP.function]["FunctionArn"].split(":")
    return f"arn:{partition}:{service}:{region}:{account}:{resource}"
