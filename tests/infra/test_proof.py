"""What proofs add to an environment, and that it is added only where they are on."""

import json
from fnmatch import fnmatchcase
from typing import Any, Final

import aws_cdk
import pytest
from aws_cdk import aws_lambda
from aws_cdk.assertions import Template

from functions.shared import contract
from infra.outputs import StackId
from tests.infra.readable import readable
from tests.infra.synthesis import Stack, Synthesized, synthesize
from tests.infra.test_api import PUBLIC_PATHS, methods, throttling
from tests.infra.test_data import KEY
from tests.support.pages import fences, section

SIGNING = {"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}
EXISTING = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
DOMAIN = {
    "domain_name": "api.example.com",
    "certificate_arn": "arn:aws:acm:us-east-1:123456789012:certificate/1234abcd-12ab-34cd-56ef-1234567890ab",
}


@pytest.fixture
def proving() -> Synthesized:
    """Return prod with proofs and one key."""
    return synthesize("prod", proof_audience="payments")


@pytest.fixture
def rotating() -> Synthesized:
    """Return prod in the middle of a rotation."""
    return synthesize("prod", proof_audience="payments", proof_keys="new,old")


def signing_keys(data: Stack) -> dict[str, dict[str, Any]]:
    """Return the key pairs by the last part of their alias."""
    keys = {name: each for name, each in data.resources(KEY).items() if "KeySpec" in each["Properties"]}
    aliases = [each["Properties"] for each in data.template["Resources"].values() if each["Type"] == "AWS::KMS::Alias"]
    names = {each["TargetKeyId"]["Fn::GetAtt"][0]: each["AliasName"] for each in aliases}
    return {names[name].rpartition("-proof-")[2]: each for name, each in keys.items()}


def key_reference(environment: Synthesized, variable: Any) -> str:
    """Return the logical id of the key of the data stack that a variable refers to."""
    output = variable["Fn::GetStackOutput"]["OutputName"]
    return str(environment.data.template["Outputs"][output]["Value"]["Fn::GetAtt"][0])


def test_without_an_audience_nothing_is_added(prod: Synthesized, dev: Synthesized) -> None:
    for environment in (prod, dev):
        everything = "".join(readable(stack.template) for stack in environment.stacks.values())
        for trace in ("PROOF", "proof", "openid-configuration", "kms:Sign", "GetPublicKey", "signing-keys", "RSA_2048"):
            assert trace not in everything, trace


def test_each_name_is_a_key_pair_that_is_kept_and_protected(rotating: Synthesized) -> None:
    keys = signing_keys(rotating.data)

    assert set(keys) == {"new", "old"}
    for key in keys.values():
        properties = key["Properties"]
        assert {name: properties[name] for name in SIGNING} == SIGNING
        assert "EnableKeyRotation" not in properties  # KMS cannot rotate key pairs
        assert properties["PendingWindowInDays"] == 30
        assert key["DeletionPolicy"].startswith("Retain")
        assert key["UpdateReplacePolicy"].startswith("Retain")


def test_the_keys_policy_allows_signatures_by_one_algorithm(proving: Synthesized) -> None:
    administration, sign, public = signing_keys(proving.data)["key-1"]["Properties"]["KeyPolicy"]["Statement"]

    assert sign["Action"] == "kms:Sign"
    assert sign["Condition"] == {
        "StringEquals": {"kms:SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256"},
        "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::<AWS::AccountId>:role/mfa-prod-service-*"},
        "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::<AWS::AccountId>:role/*/*"},
    }
    assert public["Action"] == "kms:GetPublicKey"
    uses = ("Sign", "Verify", "GetPublicKey", "CreateGrant", "*")
    assert not [action for action in administration["Action"] if any(each in action for each in uses)]


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("mfa-prod-service-VerifyMfaRole-1ABC", True),
        ("mfa-prod-service-x/evil", False),
        ("path/mfa-prod-service-VerifyMfaRole-1ABC", False),
        ("mfa-dev-service-VerifyMfaRole-1ABC", False),
    ],
)
def test_only_roles_of_the_service_without_a_path_may_use_the_keys(
    proving: Synthesized, role: str, allowed: bool
) -> None:
    """A wildcard in a policy also matches slashes."""
    principal = f"arn:aws:iam::<AWS::AccountId>:role/{role}"
    keys = proving.data.resources(KEY).values()  # that of the secrets, and the key pair
    uses = [use for key in keys for use in key["Properties"]["KeyPolicy"]["Statement"][1:]]

    assert len(uses) == 3
    for use in uses:
        like, unlike = (use["Condition"][operator]["aws:PrincipalArn"] for operator in ("ArnLike", "ArnNotLike"))
        assert (fnmatchcase(principal, like) and not fnmatchcase(principal, unlike)) is allowed


def test_the_first_key_signs_and_all_are_published(rotating: Synthesized) -> None:
    resources = rotating.service.template["Resources"]

    def variables(folder: str) -> dict[str, Any]:
        handler = contract.handler_path(folder)
        (found,) = (
            each["Properties"]["Environment"]["Variables"]
            for each in resources.values()
            if each["Type"] == "AWS::Lambda::Function" and each["Properties"]["Handler"] == handler
        )
        return dict(found)

    listed = variables("signing_keys")["PROOF_KEYS"]["Fn::Join"]
    assert listed[0] == ""
    published = [key_reference(rotating, part) for part in listed[1] if part != ","]
    signing = [key_reference(rotating, variables(folder)["PROOF_KEY"]) for folder in ("verify_mfa", "verify_mfa_setup")]

    assert len(published) == 2
    assert signing == published[:1] * 2
    assert "new" in published[0]
    assert "old" in published[1]


def test_the_old_version_of_a_function_may_still_sign_during_a_release(rotating: Synthesized) -> None:
    """A release that moves another key to the front changes the role before the alias."""
    for folder in ("verify_mfa", "verify_mfa_setup"):
        (sign,) = (each for each in rotating.service.granted(folder) if each["Action"] == "kms:Sign")
        assert sign["Resource"] == ["<AWS::KMS::Key Arn>"] * 2


def test_no_other_role_may_sign_or_read_a_public_key(proving: Synthesized) -> None:
    granted = {folder: json.dumps(proving.service.granted(folder)) for folder in proving.stage.service.functions}

    assert {folder for folder, found in granted.items() if "kms:Sign" in found} == {"verify_mfa", "verify_mfa_setup"}
    assert {folder for folder, found in granted.items() if "GetPublicKey" in found} == {"signing_keys"}
    assert "dynamodb" not in granted["signing_keys"]


@pytest.mark.parametrize("path", sorted(PUBLIC_PATHS))
def test_the_public_routes_have_the_limits_of_a_login(proving: Synthesized, path: str) -> None:
    """Anyone may call them. Using up a low limit would keep other APIs from the keys, and so refuse every proof."""
    assert ("GET", path) not in throttling(proving.service)  # as the stage
    method = methods(proving.service)["GET", path]
    assert method["AuthorizationType"] == "NONE"
    assert "AuthorizerId" not in method


@pytest.mark.parametrize(
    ("settings", "issuer"),
    [
        ({}, "https://<AWS::ApiGateway::RestApi>.execute-api.us-east-1.<AWS::URLSuffix>/v1"),
        (DOMAIN, "https://api.example.com/v1"),
    ],
    ids=["execute-api", "domain"],
)
def test_the_issuer_is_the_apis_public_url(settings: dict[str, str], issuer: str) -> None:
    service = synthesize("dev", proof_audience="payments", **settings).service

    assert {service.variables(folder)["PROOF_ISSUER"] for folder in contract.PROOF_FUNCTIONS} == {issuer}
    assert service.outputs["ApiUrl"].replace("<AWS::ApiGateway::Stage>", "v1") == issuer


def test_the_settings_reach_the_functions() -> None:
    service = synthesize("dev", proof_audience="payments", proof_lifetime_seconds="60").service

    for folder in ("verify_mfa", "verify_mfa_setup"):
        found = service.variables(folder)
        assert (found["PROOF_AUDIENCE"], found["PROOF_LIFETIME_SECONDS"]) == ("payments", "60")
    assert {"PROOF_KEY", "PROOF_AUDIENCE", "MFA_ENCRYPTION_KEY"}.isdisjoint(service.variables("signing_keys"))
    for folder in ("setup_mfa", "disable_mfa", "mfa_status", "jwt_authorizer"):
        assert not [name for name in service.variables(folder) if name.startswith("PROOF_")]


def test_an_existing_key_is_used_instead_of_a_new_one() -> None:
    existing = synthesize("prod", proof_audience="payments", proof_keys=EXISTING)

    assert not signing_keys(existing.data)
    assert existing.service.variables("verify_mfa")["PROOF_KEY"] == EXISTING
    assert existing.service.variables("signing_keys")["PROOF_KEYS"] == EXISTING
    (sign,) = (each for each in existing.service.granted("verify_mfa") if each["Action"] == "kms:Sign")
    assert sign["Resource"] == EXISTING


@pytest.mark.parametrize(("keys", "has_data_stack"), [(EXISTING, False), ("key-1", True)])
def test_with_an_existing_table_and_key_the_data_stack_has_only_new_key_pairs(keys: str, has_data_stack: bool) -> None:
    environment = synthesize(
        "prod", proof_audience="payments", proof_keys=keys, users_table_name="users", secret_key_arn=EXISTING
    )

    assert (StackId.DATA in environment.stacks) is has_data_stack
    if has_data_stack:
        assert set(signing_keys(environment.data)) == {"key-1"}
        assert len(environment.data.resources(KEY)) == 1


def test_each_replica_region_has_the_same_key_pairs() -> None:
    environment = synthesize("prod", proof_audience="payments", replica_regions="us-west-2")
    replicas = environment.stacks_by_name["mfa-prod-replica-us-west-2"].resources("AWS::KMS::ReplicaKey").values()
    policies = [{each["Sid"] for each in replica["Properties"]["KeyPolicy"]["Statement"]} for replica in replicas]

    assert signing_keys(environment.data)["key-1"]["Properties"]["MultiRegion"] is True
    assert sorted(map(len, policies)) == [2, 3]
    assert {"AdministrationByIam", "SignByIam", "PublicKeyByIam"} in policies


# -- the recipes for API Gateway

ISSUER: Final = "https://api.example.com/v1"


def resources_of_recipe(heading: str, name: str) -> dict[str, list[dict[str, Any]]]:
    """Run a recipe of ``docs/proof.md`` as the page has it, and return the properties of its resources by type."""
    code = fences(section("proof.md", heading), "python")[0]
    names: dict[str, Any] = {}
    exec(compile(code, "docs/proof.md", "exec"), names)  # noqa: S102 -- our own documentation
    stack = aws_cdk.Stack()
    arn = "arn:aws:lambda:us-east-1:123456789012:function:pay"
    names[name](stack, aws_lambda.Function.from_function_arn(stack, "Pay", arn), issuer=ISSUER)
    found: dict[str, list[dict[str, Any]]] = {}
    for resource in Template.from_stack(stack).to_json()["Resources"].values():
        found.setdefault(resource["Type"], []).append(resource["Properties"])
    return found


def test_the_recipe_for_an_http_api_requires_the_proof() -> None:
    found = resources_of_recipe("API Gateway, HTTP API", "http_api")

    (authorizer,) = found["AWS::ApiGatewayV2::Authorizer"]
    assert authorizer["AuthorizerType"] == "JWT"
    assert authorizer["JwtConfiguration"] == {"Audience": ["payments"], "Issuer": ISSUER}
    (route,) = found["AWS::ApiGatewayV2::Route"]
    assert (route["RouteKey"], route["AuthorizationType"]) == ("POST /payments", "JWT")
    assert "Proof" in route["AuthorizerId"]["Ref"]


def test_the_recipe_for_a_rest_api_requires_the_proof() -> None:
    found = resources_of_recipe("API Gateway, REST API", "rest_api")

    (authorizer,) = found["AWS::ApiGateway::Authorizer"]
    assert (authorizer["Type"], authorizer["IdentitySource"]) == ("JWT", "method.request.header.Authorization")
    issuers = [{"Issuer": ISSUER, "Audiences": ["payments"]}]
    assert authorizer["JwtConfiguration"] == {"Issuers": issuers, "DefaultAlgorithms": ["RS256"]}
    (method,) = found["AWS::ApiGateway::Method"]
    assert (method["HttpMethod"], method["AuthorizationType"]) == ("POST", "JWT")
    assert "Proof" in method["AuthorizerId"]["Ref"]
