"""The functions: runtime, alias, logs and environment variables."""

import pytest

from functions.shared import contract
from infra.permissions import PERMISSIONS
from tests.infra.synthesis import Stack, Synthesized, synthesize

FUNCTION = "AWS::Lambda::Function"
TABLE = "<AWS::DynamoDB::GlobalTable>"
KEY_ARN = "<AWS::KMS::Key Arn>"

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


@pytest.mark.parametrize("folder", READS)
def test_each_function_writes_to_its_masked_log_group_with_a_retention(
    service: Stack, folder: str, each: Synthesized, environment: str
) -> None:
    name = f"/aws/lambda/{contract.lambda_name(folder, environment)}"
    (group,) = (found for found in service.properties_of("AWS::Logs::LogGroup") if found["LogGroupName"] == name)

    assert service.function(folder)["LoggingConfig"] == {"LogGroup": f"<AWS::Logs::LogGroup {name}>"}
    assert group["RetentionInDays"] == {"dev": 30, "prod": 365, "local": 1}[environment]
    assert group["DataProtectionPolicy"]["Statement"][1]["Operation"] == {"Deidentify": {"MaskConfig": {}}}


@pytest.mark.parametrize("folder", READS)
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


def test_a_new_version_follows_what_another_stack_may_replace() -> None:
    """References to other stacks are resolved only at a deployment, and a version keeps the values of its time."""

    def versions(**settings: str) -> set[tuple[str, str]]:
        """Return each function with the logical id of its version."""
        service = synthesize("dev", **settings).service
        return {
            (each["FunctionName"]["Ref"], each["FunctionVersion"]["Fn::GetAtt"][0])
            for each in service.unresolved("AWS::Lambda::Alias")
        }

    def published(**settings: str) -> set[str]:
        """Return the functions that get another version than without the settings."""
        names = {contract.lambda_name(folder, "dev"): folder for folder in PERMISSIONS}
        resources = synthesize("dev").service.template["Resources"]
        changed = versions(**settings) - versions()
        return {names[resources[function]["Properties"]["FunctionName"]] for function, _ in changed}

    with_key = {folder for folder, permissions in PERMISSIONS.items() if permissions.secret_key}
    # The settings change the definitions of pool, table and key, and no property of a function.
    assert published(retain_data="true") == with_key | {"jwt_authorizer"}
    assert published(multi_region_key="true") == with_key
    assert published(log_retention_days="7") == set()
    assert versions(multi_region_key="true") == versions(replica_regions="us-west-2")


def test_the_settings_reach_the_functions(customized: Stack) -> None:
    found = customized.variables("setup_mfa")
    assert found["MFA_ISSUER"] == "Käse & Co"
    assert found["MFA_REQUIRED_SCOPE"] == "mfa/manage"
    assert found["CORS_ALLOWED_ORIGINS"] == "https://a.example,https://b.example"
    assert found["LOG_LEVEL"] == "DEBUG"
    setup = customized.function("setup_mfa")
    assert (setup["MemorySize"], setup["Timeout"], setup["Architectures"]) == (2048, 10, ["x86_64"])
    assert "SnapStart" not in setup
    assert customized.function("verify_mfa")["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    assert customized.function("jwt_authorizer")["MemorySize"] == 256
    assert "MFA_REQUIRED_SCOPE" not in customized.variables("jwt_authorizer")
    assert customized.variables("jwt_authorizer")["JWT_MAX_AUTH_AGE_SECONDS"] == "300"
