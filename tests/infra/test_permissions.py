"""The complete statements of each role, compared with the design's table "Least privilege"."""

from typing import Any

from functions.shared import contract
from infra.config import PROD
from infra.permissions import PERMISSIONS
from tests.infra.synthesis import Stack, Synthesized, endpoints_of

TABLE = "<AWS::DynamoDB::GlobalTable Arn>"
KEY = "<AWS::KMS::Key Arn>"
DEFAULT_BUS = "arn:aws:events:us-east-1:<AWS::AccountId>:event-bus/default"
OWN_BUS = "<AWS::Events::EventBus Arn>"
FOR_TOTP_SECRETS = {"StringEquals": {"kms:EncryptionContext:purpose": "mfa-totp"}}


OWN_ITEMS = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["USER#*"]}}
#: Not those of an enabled item, so that setup can put none back.
PENDING_ITEMS = {
    "ForAllValues:StringEquals": {
        "dynamodb:Attributes": [
            *("pk", "sk", "entity_type", "status", "encrypted_secret", "iv"),
            *("backup_codes", "backup_codes_used", "backup_codes_salt"),
            *("created_at", "updated_at", "expires_at", "version"),
        ]
    },
    "StringEqualsIfExists": {"dynamodb:ReturnValues": "NONE"},
}


def on_table(*actions: str, **conditions: Any) -> dict[str, Any]:
    condition = OWN_ITEMS | conditions
    return {"Effect": "Allow", "Action": one_or_all(actions), "Resource": TABLE, "Condition": condition}


def on_key(action: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": KEY, "Condition": FOR_TOTP_SECRETS}


def in_order(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(found, key=lambda statement: (statement["Resource"], statement["Action"]))


def one_or_all(actions: tuple[str, ...]) -> str | list[str]:
    return actions[0] if len(actions) == 1 else [*actions]


# The statements of each function, without those on its own log group.
EXPECTED: dict[str, list[dict[str, Any]]] = {
    "setup_mfa": [on_table("dynamodb:PutItem", **PENDING_ITEMS), on_key("kms:GenerateDataKey")],
    "verify_mfa_setup": [on_table("dynamodb:GetItem", "dynamodb:UpdateItem"), on_key("kms:Decrypt")],
    "verify_mfa": [on_table("dynamodb:GetItem", "dynamodb:UpdateItem"), on_key("kms:Decrypt")],
    "regenerate_backup_codes": [on_table("dynamodb:GetItem", "dynamodb:UpdateItem"), on_key("kms:Decrypt")],
    "disable_mfa": [
        on_table("dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:UpdateItem"),
        on_key("kms:Decrypt"),
    ],
    "mfa_status": [on_table("dynamodb:GetItem")],
    "jwt_authorizer": [],
    "security_events": [
        {
            "Effect": "Allow",
            "Action": [
                "dynamodb:DescribeStream",
                "dynamodb:GetRecords",
                "dynamodb:GetShardIterator",
            ],
            "Resource": "<AWS::DynamoDB::GlobalTable StreamArn>",
        },
        {"Effect": "Allow", "Action": "dynamodb:ListStreams", "Resource": "*"},
        {
            "Effect": "Allow",
            "Action": "events:PutEvents",
            "Resource": DEFAULT_BUS,
        },
        {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "<AWS::SQS::Queue Arn>"},
    ],
}

# What proofs add, where they are on.
SIGN = {
    "Effect": "Allow",
    "Action": "kms:Sign",
    "Resource": KEY,
    "Condition": {"StringEquals": {"kms:SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256"}},
}
ON_PROOF_KEYS: dict[str, list[dict[str, Any]]] = {
    "verify_mfa_setup": [SIGN],
    "verify_mfa": [SIGN],
    "signing_keys": [{"Effect": "Allow", "Action": "kms:GetPublicKey", "Resource": KEY}],
}


def own_log_group(function: str, environment: str) -> dict[str, Any]:
    name = contract.lambda_name(function, environment)
    return {
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": f"<AWS::Logs::LogGroup /aws/lambda/{name} Arn>",
    }


def test_each_role_may_do_exactly_what_the_design_lists(service: Stack, environment: str) -> None:
    deployed = {endpoint.function for endpoint in endpoints_of(environment)} | set(EXPECTED)
    for function in deployed:
        expected = [own_log_group(function, environment), *EXPECTED.get(function, [])]
        if environment == "local":
            expected += ON_PROOF_KEYS.get(function, [])
        if environment == PROD:
            expected = [each | {"Resource": OWN_BUS} if each["Resource"] == DEFAULT_BUS else each for each in expected]
        assert in_order(service.granted(function)) == in_order(expected), function


def test_the_table_of_permissions_lists_exactly_the_deployed_functions(each: Synthesized) -> None:
    with_proofs = {contract.SIGNING_KEYS_FUNCTION} if each.config.proof_audience else set()

    assert set(EXPECTED) | with_proofs == set(each.stage.service.functions)
    assert set(PERMISSIONS) == set(EXPECTED) | {contract.SIGNING_KEYS_FUNCTION}


def test_each_function_has_its_own_role(service: Stack) -> None:
    assert len({service.role_of(function) for function in EXPECTED}) == len(EXPECTED)


def test_only_the_roles_of_aws_services_have_managed_policies(service: Stack) -> None:
    required = {
        "lambda": [],
        "apigateway": ["AmazonAPIGatewayPushToCloudWatchLogs"],
        "codedeploy": ["AWSCodeDeployRoleForLambdaLimited"],
    }
    for role in service.properties_of("AWS::IAM::Role"):
        principal = role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"]
        managed = [arn.rpartition("/")[2] for arn in role.get("ManagedPolicyArns", ())]
        assert managed == required[principal.removesuffix(".amazonaws.com")]
        assert "Policies" not in role


def test_no_role_is_granted_a_wildcard_that_can_be_narrower(service: Stack) -> None:
    granted = [statement for found in service.statements_by_role.values() for statement in found]

    assert [each for each in granted if "*" in str((each["Action"], each["Resource"]))] == [
        {"Effect": "Allow", "Action": "dynamodb:ListStreams", "Resource": "*"}
    ]


def test_setup_cannot_decrypt_secrets(service: Stack) -> None:
    granted = str(service.granted("setup_mfa"))

    assert "kms:Decrypt" not in granted
    assert "dynamodb:GetItem" not in granted


def test_only_the_gateway_may_invoke_an_alias_and_only_for_its_route(service: Stack, environment: str) -> None:
    api = "arn:aws:execute-api:us-east-1:<AWS::AccountId>:<AWS::ApiGateway::RestApi>"
    routes = {
        f"{api}/<AWS::ApiGateway::Stage>/{endpoint.method}{endpoint.path}": endpoint.function
        for endpoint in endpoints_of(environment)
    } | {f"{api}/authorizers/<AWS::ApiGateway::Authorizer>": "jwt_authorizer"}
    invocable = {}
    for name, permission in service.resources("AWS::Lambda::Permission").items():
        assert permission["Properties"]["Principal"] == "apigateway.amazonaws.com"
        assert permission["Properties"]["Action"] == "lambda:InvokeFunction"
        alias = service.template["Resources"][name]["Properties"]["FunctionName"]["Ref"]
        function = service.template["Resources"][alias]["Properties"]["FunctionName"]["Ref"]
        invocable[permission["Properties"]["SourceArn"]] = service.template["Resources"][function]["Properties"][
            "Handler"
        ]

    assert invocable == {arn: contract.handler_path(function) for arn, function in routes.items()}
