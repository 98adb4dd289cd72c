"""Environment variables: read into typed values, or refused by name and without their value."""

import base64
import re
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.shared.contract import Env
from functions.shared.settings import (
    AuthorizerSettings,
    ConfigurationError,
    EndpointSettings,
    KmsKey,
    ProofSettings,
    RawKey,
    read_encryption_key,
    read_environment,
    read_event_bus_name,
    read_log_level,
    read_mfa_issuer,
    read_table_name,
    read_version,
)

ARN = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
MULTI_REGION_ARN = "arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/mrk-1234567890abcdef1234567890abcdef"
RAW = "raw:" + base64.b64encode(bytes(range(32))).decode()

ENDPOINT = {"ENVIRONMENT": "dev"}
AUTHORIZER = {
    "ENVIRONMENT": "dev",
    "JWT_ISSUER": "https://issuer.example",
    "JWT_AUDIENCE": "api",
    "JWT_JWKS_URL": "https://issuer.example/jwks.json",
}


class TestDefaults:
    def test_names_that_need_not_be_set(self) -> None:
        assert read_table_name({}) == "users"
        assert read_mfa_issuer({}) == "AILifestyle"
        assert read_log_level({}) == "INFO"
        assert read_event_bus_name({}) == "default"
        assert EndpointSettings.from_environ(ENDPOINT) == EndpointSettings("dev", "INFO", (), None)

    @pytest.mark.parametrize("blank", ["", " ", "\t\n"])
    def test_a_blank_variable_counts_as_not_set(self, blank: str) -> None:
        assert read_table_name({"USERS_TABLE_NAME": blank}) == "users"
        assert EndpointSettings.from_environ({**ENDPOINT, "MFA_REQUIRED_SCOPE": blank}).required_scope is None
        with pytest.raises(ConfigurationError, match="ENVIRONMENT"):
            read_environment({"ENVIRONMENT": blank})


@pytest.mark.parametrize(
    ("read", "variable", "value", "expected"),
    [
        (read_environment, Env.ENVIRONMENT, "staging-eu-2", "staging-eu-2"),
        (read_environment, Env.ENVIRONMENT, " prod ", "prod"),
        (read_log_level, Env.LOG_LEVEL, "debug", "DEBUG"),
        (read_version, Env.SERVICE_VERSION, "1.0.0-rc.1", "1.0.0-rc.1"),
        (read_table_name, Env.USERS_TABLE_NAME, "Users_v1.2-test", "Users_v1.2-test"),
        (read_mfa_issuer, Env.MFA_ISSUER, "Müller & Söhne: GmbH", "Müller & Söhne: GmbH"),
        (read_event_bus_name, Env.EVENT_BUS_NAME, "security/bus", "security/bus"),
        (
            read_event_bus_name,
            Env.EVENT_BUS_NAME,
            "arn:aws:events:eu-west-1:123456789012:event-bus/security",
            "arn:aws:events:eu-west-1:123456789012:event-bus/security",
        ),
        (read_encryption_key, Env.MFA_ENCRYPTION_KEY, ARN, KmsKey(ARN)),
        (read_encryption_key, Env.MFA_ENCRYPTION_KEY, MULTI_REGION_ARN, KmsKey(MULTI_REGION_ARN)),
    ],
)
def test_good_values(read: Any, variable: Env, value: str, expected: object) -> None:
    assert read({variable: value}) == expected


@pytest.mark.parametrize(
    ("read", "variable", "value"),
    [
        (read_environment, Env.ENVIRONMENT, "Prod"),
        (read_environment, Env.ENVIRONMENT, "1dev"),
        (read_environment, Env.ENVIRONMENT, "dev_1"),
        (read_environment, Env.ENVIRONMENT, "d" * 32),
        (read_environment, Env.ENVIRONMENT, "dev\nprod"),
        (read_log_level, Env.LOG_LEVEL, "VERBOSE"),
        (read_log_level, Env.LOG_LEVEL, "10"),
        (read_version, Env.SERVICE_VERSION, "latest"),
        (read_table_name, Env.USERS_TABLE_NAME, "us"),
        (read_table_name, Env.USERS_TABLE_NAME, "users table"),
        (read_table_name, Env.USERS_TABLE_NAME, "arn:aws:dynamodb:us-east-1:123456789012:table/users"),
        (read_table_name, Env.USERS_TABLE_NAME, "u" * 256),
        (read_mfa_issuer, Env.MFA_ISSUER, "a\u0007b"),
        (read_mfa_issuer, Env.MFA_ISSUER, "a\u202eb"),
        (read_event_bus_name, Env.EVENT_BUS_NAME, "bus name"),
        (read_encryption_key, Env.MFA_ENCRYPTION_KEY, "1234abcd-12ab-34cd-56ef-1234567890ab"),
        (read_encryption_key, Env.MFA_ENCRYPTION_KEY, "alias/mfa"),
        (read_encryption_key, Env.MFA_ENCRYPTION_KEY, ARN.replace("key/1234abcd", "alias/1234abcd")),
        (read_encryption_key, Env.MFA_ENCRYPTION_KEY, ARN + "0"),
        (read_encryption_key, Env.MFA_ENCRYPTION_KEY, ARN + "\nx"),
        (read_encryption_key, Env.MFA_ENCRYPTION_KEY, ARN.upper()),
        (read_encryption_key, Env.MFA_ENCRYPTION_KEY, ARN.replace("123456789012", "12345678901\u0662")),
        (read_encryption_key, Env.MFA_ENCRYPTION_KEY, "RAW" + RAW.removeprefix("raw")),
    ],
)
def test_bad_values_name_the_variable(read: Any, variable: Env, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"environment variable {variable}: ") as caught:
        read({variable: value})
    assert caught.value.variable == variable
    assert value not in str(caught.value)


class TestEncryptionKey:
    def test_a_kms_key_knows_its_region(self) -> None:
        assert KmsKey(ARN).region == "eu-west-1"

    def test_a_raw_key_is_32_bytes_and_hides_them(self) -> None:
        key = read_encryption_key({**ENDPOINT, Env.MFA_ENCRYPTION_KEY: RAW})
        assert key == RawKey(bytes(range(32)))
        assert repr(key) == "RawKey()"

    @pytest.mark.parametrize("environment", ["prod", " prod"])
    def test_a_raw_key_is_refused_in_production(self, environment: str) -> None:
        with pytest.raises(ConfigurationError, match="MFA_ENCRYPTION_KEY: a raw key is for development"):
            read_encryption_key({"ENVIRONMENT": environment, Env.MFA_ENCRYPTION_KEY: RAW})

    def test_a_raw_key_is_refused_where_the_environment_is_not_known(self) -> None:
        with pytest.raises(ConfigurationError, match="ENVIRONMENT"):
            read_encryption_key({Env.MFA_ENCRYPTION_KEY: RAW})

    @pytest.mark.parametrize(
        "encoded",
        [
            "",
            "AAAA",
            base64.b64encode(bytes(16)).decode(),
            base64.b64encode(bytes(31)).decode(),
            base64.b64encode(bytes(33)).decode(),
            base64.urlsafe_b64encode(b"\xff" * 32).decode(),
            base64.b64encode(bytes(32)).decode().rstrip("="),
            " " + base64.b64encode(bytes(32)).decode(),
            bytes(32).hex(),
            "é" * 44,
        ],
    )
    def test_a_malformed_raw_key_is_refused_and_not_quoted(self, encoded: str) -> None:
        with pytest.raises(ConfigurationError, match="MFA_ENCRYPTION_KEY") as caught:
            read_encryption_key({**ENDPOINT, Env.MFA_ENCRYPTION_KEY: f"raw:{encoded}"})
        assert not encoded or encoded not in str(caught.value)
        assert caught.value.__cause__ is None


class TestEndpointSettings:
    def test_reads_everything(self) -> None:
        settings = EndpointSettings.from_environ(
            {
                "ENVIRONMENT": "prod",
                "LOG_LEVEL": "warning",
                "CORS_ALLOWED_ORIGINS": "https://app.example.com, http://localhost:3000,",
                "MFA_REQUIRED_SCOPE": " mfa/manage ",
                "SERVICE_VERSION": "1.2.3",
            }
        )
        origins = ("https://app.example.com", "http://localhost:3000")
        assert settings == EndpointSettings("prod", "WARNING", origins, "mfa/manage", "1.2.3")

    def test_what_is_no_origin_is_refused(self) -> None:
        with pytest.raises(ConfigurationError, match="CORS_ALLOWED_ORIGINS: expected "):
            EndpointSettings.from_environ({**ENDPOINT, "CORS_ALLOWED_ORIGINS": "https://good.example,*.com"})

    def test_all_origins_may_be_allowed(self) -> None:
        settings = EndpointSettings.from_environ({**ENDPOINT, "CORS_ALLOWED_ORIGINS": "*"})
        assert settings.cors_allowed_origins == ("*",)


class TestAuthorizerSettings:
    def test_reads_everything(self) -> None:
        settings = AuthorizerSettings.from_environ({**AUTHORIZER, "JWT_AUDIENCE": "api, client-1 ,,client-2"})
        assert settings == AuthorizerSettings(
            environment="dev",
            log_level="INFO",
            issuer="https://issuer.example",
            audience=("api", "client-1", "client-2"),
            jwks_url="https://issuer.example/jwks.json",
        )

    @pytest.mark.parametrize(
        "url",
        [
            *(
                "http://issuer.example/jwks.json",
                "file:///etc/passwd",
                "ftp://127.0.0.1/",
                "issuer.example",
                "https://",
            ),
            *("//issuer.example", "https:///jwks.json", "https://[::1", "https://issuer.example:port/", "data:,{}"),
            *(
                "http://127.0.0.1.evil.example/",
                "http://localhost.evil.example/",
                "http://user@evil.example/@localhost",
            ),
            *("http://169.254.169.254/latest", "http://[::ffff:127.0.0.1]/", "http://0.0.0.0/"),
        ],
    )
    def test_keys_come_over_https(self, url: str) -> None:
        with pytest.raises(ConfigurationError, match="JWT_JWKS_URL"):
            AuthorizerSettings.from_environ({**AUTHORIZER, "JWT_JWKS_URL": url})

    @pytest.mark.parametrize("url", ["http://127.0.0.1:4566/jwks", "http://localhost/jwks", "http://[::1]:8080/jwks"])
    def test_but_for_the_loopback_interface_outside_production(self, url: str) -> None:
        assert AuthorizerSettings.from_environ({**AUTHORIZER, "JWT_JWKS_URL": url}).jwks_url == url
        with pytest.raises(ConfigurationError, match="JWT_JWKS_URL"):
            AuthorizerSettings.from_environ({**AUTHORIZER, "ENVIRONMENT": "prod", "JWT_JWKS_URL": url})


class TestProofSettings:
    PROOF: Final = {"PROOF_AUDIENCE": "payments", "PROOF_ISSUER": "https://api.example/v1", "PROOF_KEY": ARN}

    def test_proofs_are_off_without_an_audience(self) -> None:
        assert ProofSettings.from_environ({**self.PROOF, "PROOF_AUDIENCE": " "}) is None

    @pytest.mark.parametrize(("given", "seconds"), [("", 300), ("30", 30), ("3600", 3600)])
    def test_the_lifetime_is_five_minutes_unless_it_is_set(self, given: str, seconds: int) -> None:
        settings = ProofSettings.from_environ({**self.PROOF, "PROOF_LIFETIME_SECONDS": given})
        assert settings == ProofSettings("payments", "https://api.example/v1", seconds, KmsKey(ARN))

    @pytest.mark.parametrize(
        ("variable", "value"),
        [
            *(("PROOF_LIFETIME_SECONDS", value) for value in ("29", "3601", "30.5", "-30", "\u0663\u0663")),
            ("PROOF_ISSUER", "https://api.example/v1/"),
            ("PROOF_KEY", f"{ARN},{ARN}"),
            ("PROOF_KEY", ""),
        ],
    )
    def test_an_invalid_value_is_refused_by_name(self, variable: str, value: str) -> None:
        with pytest.raises(ConfigurationError, match=f"environment variable {variable}: "):
            ProofSettings.from_environ({**self.PROOF, variable: value})


@given(st.dictionaries(st.sampled_from([str(name) for name in Env]), st.text(max_size=80)))
def test_any_environment_is_read_or_refused_by_name(environ: dict[str, str]) -> None:
    for read in (
        *(read_environment, read_log_level, read_version, read_table_name),
        *(read_event_bus_name, read_mfa_issuer, read_encryption_key),
        *(EndpointSettings.from_environ, AuthorizerSettings.from_environ, ProofSettings.from_environ),
    ):
        refused = _refusal(read, environ)
        assert refused is None or re.match(f"environment variable {refused.variable}: ", str(refused))
        assert refused is None or refused.variable in set(Env)


def _refusal(read: Any, environ: dict[str, str]) -> ConfigurationError | None:
    try:
        read(environ)
    except ConfigurationError as error:
        return error
    return None
