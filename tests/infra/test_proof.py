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
from tests.infra.deployments import DOMAIN, OTHERWISE, SECRET_KEY, TABLE_KEY, deployment
from tests.infra.readable import readable
from tests.infra.synthesis import Stack, Synthesized, synthesize
from tests.infra.test_api import PUBLIC_PATHS, methods, throttling
from tests.infra.test_data import KEY
from tests.support.pages import fences, section

SIGNING = {"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}
EXISTING = {"users_table_name": "users", "secret_key_arn": SECRET_KEY}


@pytest.fixture
def rotating() -> Synthesized:
    """Return prod in the middle of a rotation."""
    return deployment(OTHERWISE)


@pytest.fixture
def without_domain() -> Stack:
    """Return the service of dev with proofs."""
    return synthesize("dev", proof_audience="payments", proof_lifetime_seconds="60").service


def signing_keys(data: Stack) -> dict[str, dict[str, Any]]:
    """Return the key pairs by the last part of their alias."""
    keys = {name: each for name, each in data.resources(KEY).items() if "KeySpec" in each["Properties"]}
    aliases = data.unresolved("AWS::KMS::Alias")
    names = {each["TargetKeyId"]["Fn::GetAtt"][0]: each["AliasName"] for each in aliases}
    return {names[name].rpartition("-proof-")[2]: each for name, each in keys.items()}


def policy_of(key: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the statements of a key's policy by their names."""
    return {each["Sid"]: each for each in key["Properties"]["KeyPolicy"]["Statement"]}


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


def test_the_keys_policy_allows_signatures_by_one_algorithm(rotating: Synthesized) -> None:
    policy = policy_of(signing_keys(rotating.data)["new"])
    sign = policy["SignByIam"]

    assert set(policy) == {"AdministrationByIam", "SignByIam", "PublicKeyByIam"}
    assert sign["Action"] == "kms:Sign"
    assert sign["Condition"] == {
        "StringEquals": {"kms:SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256"},
        "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::<AWS::AccountId>:role/mfa-prod-service-*"},
        "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::<AWS::AccountId>:role/*/*"},
    }
    assert policy["PublicKeyByIam"]["Action"] == "kms:GetPublicKey"
    uses = ("Sign", "Verify", "GetPublicKey", "CreateGrant", "*")
    assert not [action for action in policy["AdministrationByIam"]["Action"] if any(each in action for each in uses)]


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
    everything: Synthesized, role: str, allowed: bool
) -> None:
    """A wildcard in a policy also matches slashes."""
    principal = f"arn:aws:iam::<AWS::AccountId>:role/{role}"
    keys = everything.data.resources(KEY).values()  # that of the secrets, and the key pair
    named = [statement for key in keys for statement in policy_of(key).items()]
    uses = [use for name, use in named if name not in ("AdministrationByIam", "ReplicationByIam")]

    assert len(uses) == 3
    for use in uses:
        like, unlike = (use["Condition"][operator]["aws:PrincipalArn"] for operator in ("ArnLike", "ArnNotLike"))
        assert (fnmatchcase(principal, like) and not fnmatchcase(principal, unlike)) is allowed


def test_the_first_key_signs_and_all_are_published(rotating: Synthesized) -> None:
    variables = [each["Environment"]["Variables"] for each in rotating.service.unresolved("AWS::Lambda::Function")]
    (listed,) = (each["PROOF_KEYS"]["Fn::Join"] for each in variables if "PROOF_KEYS" in each)
    signing = [key_reference(rotating, each["PROOF_KEY"]) for each in variables if "PROOF_KEY" in each]

    assert listed[0] == ""
    new, comma, old = listed[1]
    assert comma == ","
    assert signing == [key_reference(rotating, new)] * 2
    assert "new" in key_reference(rotating, new)
    assert "old" in key_reference(rotating, old)


def test_the_old_version_of_a_function_may_still_sign_during_a_release(rotating: Synthesized) -> None:
    """A release that moves another key to the front changes the role before the alias."""
    for folder in ("verify_mfa", "verify_mfa_setup"):
        (sign,) = (each for each in rotating.service.granted(folder) if each["Action"] == "kms:Sign")
        assert sign["Resource"] == ["<AWS::KMS::Key Arn>"] * 2


def test_no_other_role_may_sign_or_read_a_public_key(everything: Synthesized) -> None:
    granted = {folder: json.dumps(everything.service.granted(folder)) for folder in everything.stage.service.functions}

    assert {folder for folder, found in granted.items() if "kms:Sign" in found} == {"verify_mfa", "verify_mfa_setup"}
    assert {folder for folder, found in granted.items() if "GetPublicKey" in found} == {"signing_keys"}
    assert "dynamodb" not in granted["signing_keys"]


@pytest.mark.parametrize("path", sorted(PUBLIC_PATHS))
def test_the_public_routes_have_the_limits_of_a_login(everything: Synthesized, path: str) -> None:
    """Anyone may call them. Using up a low limit would keep other APIs from the keys, and so refuse every proof."""
    assert ("GET", path) not in throttling(everything.service)  # as the stage
    method = methods(everything.service)["GET", path]
    assert method["AuthorizationType"] == "NONE"
    assert "AuthorizerId" not in method


def test_the_issuer_is_the_apis_public_url(without_domain: Stack, everything: Synthesized) -> None:
    for service, issuer in (
        (without_domain, "https://<AWS::ApiGateway::RestApi>.execute-api.us-east-1.<AWS::URLSuffix>/v1"),
        (everything.service, f"https://{DOMAIN}/v1"),
    ):
        assert {service.variables(folder)["PROOF_ISSUER"] for folder in contract.PROOF_FUNCTIONS} == {issuer}
        assert service.outputs["ApiUrl"].replace("<AWS::ApiGateway::Stage>", "v1") == issuer


def test_the_settings_reach_the_functions(without_domain: Stack) -> None:
    service = without_domain

    for folder in ("verify_mfa", "verify_mfa_setup"):
        found = service.variables(folder)
        assert (found["PROOF_AUDIENCE"], found["PROOF_LIFETIME_SECONDS"]) == ("payments", "60")
    assert {"PROOF_KEY", "PROOF_AUDIENCE", "MFA_ENCRYPTION_KEY"}.isdisjoint(service.variables("signing_keys"))
    for folder in ("setup_mfa", "disable_mfa", "mfa_status", "jwt_authorizer"):
        assert not [name for name in service.variables(folder) if name.startswith("PROOF_")]


def test_existing_keys_are_used_instead_of_new_ones() -> None:
    existing = synthesize("prod", proof_audience="payments", proof_keys=TABLE_KEY, **EXISTING)

    assert StackId.DATA not in existing.stacks
    assert existing.service.variables("verify_mfa")["PROOF_KEY"] == TABLE_KEY
    assert existing.service.variables("signing_keys")["PROOF_KEYS"] == TABLE_KEY
    (sign,) = (each for each in existing.service.granted("verify_mfa") if each["Action"] == "kms:Sign")
    assert sign["Resource"] == TABLE_KEY


def test_with_an_existing_table_and_key_the_data_stack_has_only_new_key_pairs() -> None:
    data = synthesize("prod", proof_audience="payments", **EXISTING).data

    assert set(signing_keys(data)) == {"key-1"}
    assert len(data.resources(KEY)) == 1


def test_each_replica_region_has_the_same_key_pairs(everything: Synthesized) -> None:
    replicas = everything.stacks_by_name["mfa-prod-replica-us-west-2"].resources("AWS::KMS::ReplicaKey").values()
    policies = [set(policy_of(replica)) for replica in replicas]

    assert signing_keys(everything.data)["key-1"]["Properties"]["MultiRegion"] is True
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
