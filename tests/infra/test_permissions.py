"""What each role may do, whole: the design's table "Least privilege", written out once more by hand."""

from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Environment
from aws_cdk import Stack as CdkStack
from aws_cdk import aws_iam as iam

from functions.shared import contract
from infra.config import load_config
from infra.constructs.grants import statements
from infra.outputs import StackId
from infra.permissions import PERMISSIONS
from infra.stacks.data import DataStack
from tests.infra.synthesis import Synthesized, load_stacks, new_app

TABLE = "<AWS::DynamoDB::GlobalTable Arn>"
KEY = "<AWS::KMS::Key Arn>"
FOR_TOTP_SECRETS = {"StringEquals": {"kms:EncryptionContext:purpose": "mfa-totp"}}


def on_table(*actions: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": one_or_all(actions), "Resource": TABLE}


def on_key(action: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": KEY, "Condition": FOR_TOTP_SECRETS}


def in_order(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(found, key=lambda statement: (statement["Resource"], statement["Action"]))


def one_or_all(actions: tuple[str, ...]) -> str | list[str]:
    return actions[0] if len(actions) == 1 else [*actions]


# The list of each function, but for its own log group.
EXPECTED: dict[str, list[dict[str, Any]]] = {
    "setup_mfa": [on_table("dynamodb:PutItem"), on_key("kms:GenerateDataKey")],
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
                "dynamodb:ListStreams",
            ],
            "Resource": "<AWS::DynamoDB::GlobalTable StreamArn>",
        },
        {
            "Effect": "Allow",
            "Action": "events:PutEvents",
            "Resource": "arn:aws:events:us-east-1:<AWS::AccountId>:event-bus/default",
        },
        {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "<AWS::SQS::Queue Arn>"},
    ],
}


def own_log_group(function: str, environment: str) -> dict[str, Any]:
    name = contract.lambda_name(function, environment)
    return {
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": f"<AWS::Logs::LogGroup /aws/lambda/{name} Arn>",
    }


def policies_by_role(each: Synthesized) -> dict[str, list[dict[str, Any]]]:
    """Return every statement of the service's roles, by the role's logical id; a role with none is there too."""
    service = each.stacks[StackId.SERVICE]
    granted: dict[str, list[dict[str, Any]]] = {role: [] for role in service.resources("AWS::IAM::Role")}
    for name in service.resources("AWS::IAM::Policy"):
        raw = service.template["Resources"][name]["Properties"]
        for role in raw["Roles"]:
            granted[role["Ref"]] += service.resolve(raw["PolicyDocument"]["Statement"])
    return granted


def role_of(each: Synthesized, function: str, environment: str) -> str:
    name = contract.lambda_name(function, environment)
    service = each.stacks[StackId.SERVICE].template["Resources"]
    (role,) = (
        resource["Properties"]["Role"]["Fn::GetAtt"][0]
        for resource in service.values()
        if resource["Type"] == "AWS::Lambda::Function" and resource["Properties"]["FunctionName"] == name
    )
    return str(role)


def deployed_functions(each: Synthesized) -> list[str]:
    return [*each.stage.service.functions]


def test_each_role_may_do_exactly_what_the_design_lists(each: Synthesized, environment: str) -> None:
    granted = policies_by_role(each)

    for function in deployed_functions(each):
        expected = [own_log_group(function, environment), *EXPECTED[function]]
        role = role_of(each, function, environment)
        assert in_order(granted[role]) == in_order(expected), function


def test_each_function_has_a_role_of_its_own(each: Synthesized, environment: str) -> None:
    roles = [role_of(each, function, environment) for function in deployed_functions(each)]

    assert len(set(roles)) == len(roles)


def test_no_role_carries_a_managed_policy_but_the_one_that_api_gateway_asks_for(each: Synthesized) -> None:
    roles = each.stacks[StackId.SERVICE].properties_of("AWS::IAM::Role")

    for role in roles:
        service = role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"]
        if service == "apigateway.amazonaws.com":
            assert [arn.rpartition("/")[2] for arn in role["ManagedPolicyArns"]] == [
                "AmazonAPIGatewayPushToCloudWatchLogs"
            ]
        elif service != "codedeploy.amazonaws.com":  # test_release looks at that one
            assert service == "lambda.amazonaws.com"
            assert "ManagedPolicyArns" not in role


def test_no_role_is_granted_a_wildcard(each: Synthesized) -> None:
    for statements_ in policies_by_role(each).values():
        for statement in statements_:
            assert "*" not in str(statement)


def test_whoever_seals_secrets_cannot_open_them(each: Synthesized, environment: str) -> None:
    granted = policies_by_role(each)[role_of(each, "setup_mfa", environment)]

    assert "kms:Decrypt" not in str(granted)
    assert "dynamodb:GetItem" not in str(granted)


@pytest.fixture(scope="module")
def table_of_permissions() -> dict[str, list[dict[str, Any]]]:
    """Grant every function of the design, deployed or not, in a stack beside the data; return what each got."""
    app, config = new_app(), load_config({}, process_environment={})
    region = Environment(region=config.region)
    data = DataStack(app, "data", config=config, env=region)
    roles = CdkStack(app, "roles", env=region)
    for function in EXPECTED:
        if granted := statements(function, data.storage):
            iam.ManagedPolicy(roles, function, managed_policy_name=function, statements=granted)
    stack = load_stacks(Path(app.synth().directory))["roles"]
    return {
        policy["ManagedPolicyName"]: policy["PolicyDocument"].get("Statement", [])
        for policy in stack.properties_of("AWS::IAM::ManagedPolicy")
    }


@pytest.mark.parametrize("function", EXPECTED)
def test_the_table_of_permissions_is_the_designs(
    function: str, table_of_permissions: dict[str, list[dict[str, Any]]]
) -> None:
    granted = table_of_permissions.get(function, [])
    expected = [each for each in EXPECTED[function] if each["Resource"] in (TABLE, KEY)]

    assert in_order(granted) == in_order(expected)


def test_the_table_of_permissions_knows_no_other_function() -> None:
    assert set(PERMISSIONS) == set(EXPECTED)


def test_only_the_gateway_may_invoke_a_function_through_its_alias_for_its_own_route(each: Synthesized) -> None:
    api = "arn:aws:execute-api:us-east-1:<AWS::AccountId>:<AWS::ApiGateway::RestApi>"
    routes = {
        f"{api}/<AWS::ApiGateway::Stage>/{endpoint.method}{endpoint.path}": endpoint.function
        for endpoint in contract.ENDPOINTS
    } | {f"{api}/authorizers/<AWS::ApiGateway::Authorizer>": "jwt_authorizer"}
    service = each.stacks[StackId.SERVICE]
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
