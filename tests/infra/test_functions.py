"""The functions: runtime, packaging on AWS, logs, and what each finds in its environment."""

from typing import Any

import pytest

from functions.shared import contract
from infra.outputs import StackId
from tests.infra.synthesis import Resource, Stack, Synthesized, synthesize

FUNCTION = "AWS::Lambda::Function"
TABLE = "<AWS::DynamoDB::GlobalTable>"
KEY_ARN = "<AWS::KMS::Key Arn>"
DEPLOYED = (*(endpoint.function for endpoint in contract.ENDPOINTS), "jwt_authorizer", "security_events")

# What a function reads beyond ENVIRONMENT and LOG_LEVEL, as its `config` does.
READS = {
    "setup_mfa": {"USERS_TABLE_NAME", "MFA_ENCRYPTION_KEY", "MFA_ISSUER", "CORS_ALLOWED_ORIGINS"},
    "verify_mfa_setup": {"USERS_TABLE_NAME", "MFA_ENCRYPTION_KEY", "CORS_ALLOWED_ORIGINS"},
    "verify_mfa": {"USERS_TABLE_NAME", "MFA_ENCRYPTION_KEY", "CORS_ALLOWED_ORIGINS"},
    "disable_mfa": {"USERS_TABLE_NAME", "MFA_ENCRYPTION_KEY", "CORS_ALLOWED_ORIGINS"},
    "regenerate_backup_codes": {"USERS_TABLE_NAME", "MFA_ENCRYPTION_KEY", "CORS_ALLOWED_ORIGINS"},
    "mfa_status": {"USERS_TABLE_NAME", "CORS_ALLOWED_ORIGINS"},
    "jwt_authorizer": {"JWT_ISSUER", "JWT_AUDIENCE", "JWT_JWKS_URL"},
    "security_events": {"EVENT_BUS_NAME", "DEAD_LETTER_QUEUE_URL"},
}


@pytest.fixture
def service(each: Synthesized) -> Stack:
    return each.stacks[StackId.SERVICE]


def function(service: Stack, folder: str) -> Resource:
    handler = contract.handler_path(folder)
    (found,) = (each for each in service.properties_of(FUNCTION) if each["Handler"] == handler)
    return found


def variables(service: Stack, folder: str) -> dict[str, Any]:
    return dict(function(service, folder)["Environment"]["Variables"])


def test_every_route_the_authorizer_and_the_events_have_a_function_and_nothing_else_has(
    service: Stack, environment: str
) -> None:
    names = {each["FunctionName"] for each in service.properties_of(FUNCTION)}

    assert names == {contract.lambda_name(folder, environment) for folder in DEPLOYED}
    assert f"setup-mfa-{environment}" in names


@pytest.mark.parametrize("folder", DEPLOYED)
def test_functions_run_on_lambdas_python_3_13(service: Stack, folder: str, each: Synthesized) -> None:
    found = function(service, folder)

    assert found["Runtime"] == "python3.13"
    assert found["Architectures"] == [each.config.architecture]
    assert found["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    assert found["Timeout"] == 20
    assert found["MemorySize"] == 1024
    assert "ReservedConcurrentExecutions" not in found
    assert "TracingConfig" not in found


def test_functions_are_built_for_graviton_on_aws(dev: Synthesized, prod: Synthesized) -> None:
    for environment in (dev, prod):
        for found in environment.stacks[StackId.SERVICE].properties_of(FUNCTION):
            assert found["Architectures"] == ["arm64"]


def test_each_function_is_published_behind_the_alias_live(service: Stack) -> None:
    resources = service.template["Resources"]
    aliases = [each["Properties"] for each in resources.values() if each["Type"] == "AWS::Lambda::Alias"]

    assert {alias["Name"] for alias in aliases} == {"live"}
    functions = {name for name, each in resources.items() if each["Type"] == FUNCTION}
    assert {alias["FunctionName"]["Ref"] for alias in aliases} == functions
    for alias in aliases:
        version = resources[alias["FunctionVersion"]["Fn::GetAtt"][0]]
        assert version["Type"] == "AWS::Lambda::Version"
        assert version["Properties"]["FunctionName"] == alias["FunctionName"]


@pytest.mark.parametrize("folder", DEPLOYED)
def test_each_function_writes_to_a_log_group_that_forgets(
    service: Stack, folder: str, each: Synthesized, environment: str
) -> None:
    name = f"/aws/lambda/{contract.lambda_name(folder, environment)}"
    (group,) = (found for found in service.properties_of("AWS::Logs::LogGroup") if found["LogGroupName"] == name)

    assert function(service, folder)["LoggingConfig"] == {"LogGroup": f"<AWS::Logs::LogGroup {name}>"}
    assert group["RetentionInDays"] == {"dev": 30, "prod": 365, "local": 1}[environment]
    assert group["DataProtectionPolicy"]["Statement"][1]["Operation"] == {"Deidentify": {"MaskConfig": {}}}


@pytest.mark.parametrize("folder", DEPLOYED)
def test_a_function_finds_what_it_reads_and_nothing_else(service: Stack, folder: str, environment: str) -> None:
    found = variables(service, folder)

    assert set(found) == READS[folder] | {"ENVIRONMENT", "LOG_LEVEL"}
    assert found["ENVIRONMENT"] == environment
    assert found["LOG_LEVEL"] == "INFO"
    assert found.get("USERS_TABLE_NAME", TABLE) == TABLE
    assert found.get("MFA_ENCRYPTION_KEY", KEY_ARN) == KEY_ARN
    assert found.get("MFA_ISSUER", "AILifestyle") == "AILifestyle"


def test_settings_reach_the_functions() -> None:
    service = synthesize(
        "dev",
        mfa_issuer="Käse & Co",
        required_scope="mfa/manage",
        cors_allowed_origins="https://a.example,https://b.example",
        log_level="DEBUG",
        memory_mb="2048",
        timeout_seconds="10",
        snap_start="false",
        architecture="x86_64",
    ).stacks[StackId.SERVICE]

    found = variables(service, "setup_mfa")
    assert found["MFA_ISSUER"] == "Käse & Co"
    assert found["MFA_REQUIRED_SCOPE"] == "mfa/manage"
    assert found["CORS_ALLOWED_ORIGINS"] == "https://a.example,https://b.example"
    assert found["LOG_LEVEL"] == "DEBUG"
    setup = function(service, "setup_mfa")
    assert (setup["MemorySize"], setup["Timeout"], setup["Architectures"]) == (2048, 10, ["x86_64"])
    assert "SnapStart" not in setup
    assert "MFA_REQUIRED_SCOPE" not in variables(service, "jwt_authorizer")
