"""The functions: runtime, alias, logs and environment variables."""

import pytest

from functions.shared import contract
from infra.permissions import PERMISSIONS
from tests.infra.synthesis import Stack, Synthesized, endpoints_of, synthesize

FUNCTION = "AWS::Lambda::Function"
TABLE = "<AWS::DynamoDB::GlobalTable>"
KEY_ARN = "<AWS::KMS::Key Arn>"
DEPLOYED = (*(endpoint.function for endpoint in contract.ENDPOINTS), "jwt_authorizer", "security_events")

# The variables that a function reads, besides ENVIRONMENT, LOG_LEVEL and SERVICE_VERSION.
READS = {
    "setup_mfa": {"USERS_TABLE_NAME", "MFA_ENCRYPTION_KEY", "MFA_ISSUER", "CORS_ALLOWED_ORIGINS"},
    "verify_mfa_setup": {"USERS_TABLE_NAME", "MFA_ENCRYPTION_KEY", "CORS_ALLOWED_ORIGINS"},
    "verify_mfa": {"USERS_TABLE_NAME", "MFA_ENCRYPTION_KEY", "CORS_ALLOWED_ORIGINS"},
    "disable_mfa": {"USERS_TABLE_NAME", "MFA_ENCRYPTION_KEY", "CORS_ALLOWED_ORIGINS"},
    "regenerate_backup_codes": {"USERS_TABLE_NAME", "MFA_ENCRYPTION_KEY", "CORS_ALLOWED_ORIGINS"},
    "mfa_status": {"USERS_TABLE_NAME", "CORS_ALLOWED_ORIGINS"},
    "jwt_authorizer": {
        *("JWT_ISSUER", "JWT_AUDIENCE", "JWT_JWKS_URL", "JWT_ALGORITHMS"),
        *("JWT_USER_CLAIM", "JWT_LABEL_CLAIMS", "JWT_LEEWAY_SECONDS"),
    },
    "security_events": {"EVENT_BUS_NAME", "DEAD_LETTER_QUEUE_URL"},
}
# The further variables of a function that signs proofs.
OF_PROOFS = {"PROOF_AUDIENCE", "PROOF_ISSUER", "PROOF_LIFETIME_SECONDS", "PROOF_KEY"}


def test_there_is_a_function_for_each_route_the_authorizer_and_the_events(service: Stack, environment: str) -> None:
    deployed = {*DEPLOYED, *(endpoint.function for endpoint in endpoints_of(environment))}
    names = {each["FunctionName"] for each in service.properties_of(FUNCTION)}

    assert names == {contract.lambda_name(folder, environment) for folder in deployed}
    assert f"setup-mfa-{environment}" in names


@pytest.mark.parametrize("folder", DEPLOYED)
def test_runtime_and_limits(service: Stack, folder: str, each: Synthesized) -> None:
    found = service.function(folder)

    assert found["Runtime"] == "python3.13"
    assert found["Architectures"] == [each.config.architecture]
    snapshot = {"ApplyOn": "PublishedVersions"} if each.config.snap_start_of(folder) else None
    assert found.get("SnapStart") == snapshot
    assert found["Timeout"] == 20
    assert found["MemorySize"] == (256 if folder in ("jwt_authorizer", "mfa_status", "security_events") else 512)
    assert "ReservedConcurrentExecutions" not in found
    assert "TracingConfig" not in found


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
def test_each_function_writes_to_its_masked_log_group_with_a_retention(
    service: Stack, folder: str, each: Synthesized, environment: str
) -> None:
    name = f"/aws/lambda/{contract.lambda_name(folder, environment)}"
    (group,) = (found for found in service.properties_of("AWS::Logs::LogGroup") if found["LogGroupName"] == name)

    assert service.function(folder)["LoggingConfig"] == {"LogGroup": f"<AWS::Logs::LogGroup {name}>"}
    assert group["RetentionInDays"] == {"dev": 30, "prod": 365, "local": 1}[environment]
    assert group["DataProtectionPolicy"]["Statement"][1]["Operation"] == {"Deidentify": {"MaskConfig": {}}}


@pytest.mark.parametrize("folder", DEPLOYED)
def test_a_function_has_exactly_the_variables_that_it_reads(service: Stack, folder: str, environment: str) -> None:
    found = service.variables(folder)
    proofs = environment == "local" and folder in contract.PROOF_FUNCTIONS

    expected = READS[folder] | {"ENVIRONMENT", "LOG_LEVEL", "SERVICE_VERSION"}
    assert set(found) == expected | (OF_PROOFS if proofs else set())
    assert found["ENVIRONMENT"] == environment
    assert found["LOG_LEVEL"] == "INFO"
    assert found.get("USERS_TABLE_NAME", TABLE) == TABLE
    assert found.get("MFA_ENCRYPTION_KEY", KEY_ARN) == KEY_ARN
    assert found.get("MFA_ISSUER", "AILifestyle") == "AILifestyle"


def test_a_new_version_follows_what_another_stack_may_replace(dev: Synthesized) -> None:
    """References to other stacks are resolved only at a deployment, and a version keeps the values of its time."""

    def versions(**settings: str) -> dict[str, str]:
        """Return the logical id of each function's version."""
        resources = (synthesize("dev", **settings).service if settings else dev.service).template["Resources"]
        aliases = [each["Properties"] for each in resources.values() if each["Type"] == "AWS::Lambda::Alias"]
        return {
            resources[each["FunctionName"]["Ref"]]["Properties"]["Handler"]: each["FunctionVersion"]["Fn::GetAtt"][0]
            for each in aliases
        }

    def published(**settings: str) -> set[str]:
        return {handler.split(".")[1] for handler, _ in versions(**settings).items() - versions().items()}

    with_key = {folder for folder, permissions in PERMISSIONS.items() if permissions.secret_key}
    # The settings change the definitions of pool, table and key, and no property of a function.
    assert published(retain_data="true") == with_key | {"jwt_authorizer"}
    assert published(multi_region_key="true") == with_key
    assert published(log_retention_days="7") == set()
    assert versions(multi_region_key="true") == versions(replica_regions="us-west-2")

    service = synthesize(
        "dev",
        mfa_issuer="Käse & Co",
        required_scope="mfa/manage",
        cors_allowed_origins="https://a.example,https://b.example",
        log_level="DEBUG",
        memory_mb="2048",
        timeout_seconds="10",
        snap_start="true",
        **{"functions.setup_mfa.snap_start": "false"},
        architecture="x86_64",
    ).service

    found = service.variables("setup_mfa")
    assert found["MFA_ISSUER"] == "Käse & Co"
    assert found["MFA_REQUIRED_SCOPE"] == "mfa/manage"
    assert found["CORS_ALLOWED_ORIGINS"] == "https://a.example,https://b.example"
    assert found["LOG_LEVEL"] == "DEBUG"
    setup = service.function("setup_mfa")
    assert (setup["MemorySize"], setup["Timeout"], setup["Architectures"]) == (2048, 10, ["x86_64"])
    assert "SnapStart" not in setup
    assert service.function("verify_mfa")["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    assert service.function("jwt_authorizer")["MemorySize"] == 256
    assert "MFA_REQUIRED_SCOPE" not in service.variables("jwt_authorizer")


def test_the_authorizer_knows_the_oldest_login_if_there_is_a_limit() -> None:
    limited = synthesize("dev", max_auth_age_seconds="300").service
    assert limited.variables("jwt_authorizer")["JWT_MAX_AUTH_AGE_SECONDS"] == "300"
