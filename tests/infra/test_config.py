"""The configuration: three environments, overrides, and one line for every mistake."""

from dataclasses import fields, replace

import pytest

from infra.config import ENVIRONMENTS, Config, ConfigError, load_config


def load(**context: object) -> Config:
    return load_config(context, process_environment={})


def mistake(**context: object) -> str:
    with pytest.raises(ConfigError) as caught:
        load(**context)
    return str(caught.value)


def test_dev_is_the_environment_of_who_names_none() -> None:
    assert load() == ENVIRONMENTS["dev"]


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_an_environment_is_selected_by_its_name(name: str) -> None:
    assert load(environment=name) == ENVIRONMENTS[name]
    assert ENVIRONMENTS[name].environment == name


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_default_would_be_accepted_from_the_command_line(name: str) -> None:
    for each in fields(Config):
        value = getattr(ENVIRONMENTS[name], each.name)
        text = ",".join(value) if isinstance(value, tuple) else "" if value is None else str(value)
        assert each.metadata["kind"].parse(text) == value, each.name


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("account", "123456789012", "123456789012"),
        ("region", "eu-central-1", "eu-central-1"),
        ("mfa_issuer", "Käse & Co", "Käse & Co"),
        ("required_scope", "mfa/manage", "mfa/manage"),
        (
            "cors_allowed_origins",
            "https://a.example, http://localhost:8080",
            ("https://a.example", "http://localhost:8080"),
        ),
        ("cors_allowed_origins", "*", ("*",)),
        ("cors_allowed_origins", "", ()),
        ("cors_allowed_origins", ["https://a.example"], ("https://a.example",)),
        ("log_level", "DEBUG", "DEBUG"),
        ("log_retention_days", "90", 90),
        ("architecture", "x86_64", "x86_64"),
        ("memory_mb", "512", 512),
        ("memory_mb", 512, 512),
        ("timeout_seconds", "29", 29),
        ("snap_start", "false", False),
        ("snap_start", True, True),
        ("retain_data", "true", True),
        ("api_throttling_rate", "5", 5),
    ],
)
def test_every_field_can_be_overridden(name: str, text: object, value: object) -> None:
    assert load(**{name: text}) == replace(ENVIRONMENTS["dev"], **{name: value})  # type: ignore[arg-type] # by name


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("environment", "staging", "one of dev, prod, local"),
        ("account", "1234", "an account number of 12 digits"),
        ("region", "Frankfurt", "an AWS region such as us-east-1"),
        ("mfa_issuer", " ", "a name that is not blank"),
        ("mfa_issuer", "two\nlines", "a name that is not blank"),
        ("jwt_issuer", "login.example.com", "an https:// URL"),
        ("jwt_issuer", "https://login.example.com/?tenant=1", "an https:// URL"),
        ("cors_allowed_origins", "https://a.example/", "an origin such as https://app.example.com"),
        ("cors_allowed_origins", "https://a.example,nonsense", "an origin such as https://app.example.com"),
        ("log_level", "LOUD", "one of DEBUG, INFO, WARNING, ERROR, CRITICAL"),
        ("log_retention_days", "42", "one of 1, 3, 5, 7, 14, 30"),
        ("architecture", "arm", "one of arm64, x86_64"),
        ("memory_mb", "127", "a whole number from 128 to 10240"),
        ("memory_mb", "1 GiB", "a whole number from 128 to 10240"),
        ("timeout_seconds", "30", "a whole number from 1 to 29"),
        ("snap_start", "yes", "true or false"),
    ],
)
def test_a_bad_value_is_answered_with_its_field_and_what_was_expected(name: str, text: str, expected: str) -> None:
    message = mistake(**{name: text})

    assert message.startswith(f"{name}: expected ")
    assert expected in message
    assert repr(text) in message
    assert "\n" not in message


def test_a_mistyped_field_is_answered_with_the_one_that_was_meant() -> None:
    assert mistake(memory="512") == "memory: no such setting, did you mean memory_mb?"


def test_an_unknown_field_is_answered_with_all_there_are() -> None:
    message = mistake(colour="blue")

    assert message.startswith("colour: no such setting, expected one of environment, account, ")


def test_feature_flags_and_cached_lookups_are_no_settings() -> None:
    context = {"@aws-cdk/core:x": True, "aws:cdk:enable-path-metadata": True, "availability-zones:account=1": ["a"]}

    assert load_config(context, process_environment={}) == ENVIRONMENTS["dev"]


@pytest.mark.parametrize(
    ("context", "message"),
    [
        (
            {"jwt_issuer": "https://login.example.com", "jwt_audience": "api"},
            "jwt_jwks_url: expected the issuer's jwks_uri, as jwt_issuer is set",
        ),
        (
            {"jwt_issuer": "https://login.example.com", "jwt_jwks_url": "https://login.example.com/keys"},
            "jwt_audience: expected at least one audience, as jwt_issuer is set",
        ),
        ({"jwt_audience": "api"}, "jwt_audience: expected nothing, as jwt_issuer is not set"),
        (
            {
                "environment": "prod",
                "jwt_issuer": "http://login.example.com",
                "jwt_audience": "api",
                "jwt_jwks_url": "https://login.example.com/keys",
            },
            "jwt_issuer: expected an https:// URL in prod, got 'http://login.example.com'",
        ),
        (
            {
                "jwt_issuer": "https://login.example.com",
                "jwt_audience": "api",
                "jwt_jwks_url": "http://login.example.com/keys",
            },
            "jwt_jwks_url: expected an https:// URL in dev, got 'http://login.example.com/keys'",
        ),
        (
            {"environment": "prod", "cognito_jwks_base_url": "http://127.0.0.1:4566"},
            "cognito_jwks_base_url: expected nothing in prod, it is for local alone",
        ),
    ],
)
def test_settings_that_exclude_each_other_are_refused(context: dict[str, str], message: str) -> None:
    assert mistake(**context) == message


def test_the_region_is_the_command_lines_unless_the_context_names_one() -> None:
    process_environment = {"CDK_DEFAULT_REGION": "eu-west-1", "CDK_DEFAULT_ACCOUNT": "123456789012"}

    assert load_config({}, process_environment).region == "eu-west-1"
    assert load_config({"region": "eu-north-1"}, process_environment).region == "eu-north-1"
    assert load_config({}, {}).region == "us-east-1"


def test_credentials_leave_no_trace_in_the_templates() -> None:
    """The account of whoever synthesizes is not looked at: the templates are the same without credentials."""
    assert load_config({}, {"CDK_DEFAULT_ACCOUNT": "123456789012"}).account is None


def test_every_field_is_documented() -> None:
    documented = (Config.__doc__ or "").split()

    for each in fields(Config):
        assert each.name in documented, each.name
