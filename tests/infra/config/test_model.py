"""The settings: three environments, overrides, and a one-line error for each invalid value."""

from copy import replace
from operator import attrgetter

import pytest

from infra.config import ENVIRONMENTS, Config, ConfigError, load_config
from infra.config.load import SETTINGS
from infra.packaging import DEPLOYED_FUNCTIONS

KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
MULTI_REGION_KEY = "arn:aws:kms:us-east-1:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab"
TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/users"
STREAM = f"{TABLE}/stream/2026-01-01T00:00:00.000"
BUS = "arn:aws:events:us-east-1:123456789012:event-bus/security"
ROLE = "arn:aws:iam::123456789012:role/a"
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/1234abcd-12ab-34cd-56ef-1234567890ab"

ISSUER = {
    "jwt_issuer": "https://login.example.com",
    "jwt_jwks_url": "https://login.example.com/keys",
    "jwt_audience": "mfa-api",
}


def load(**context: object) -> Config:
    return load_config(context, process_environment={})


def refusal(**context: object) -> str:
    with pytest.raises(ConfigError) as caught:
        load(**context)
    return str(caught.value)


def test_dev_is_the_default() -> None:
    assert load() == ENVIRONMENTS["dev"]


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_an_environment_is_selected_by_its_name(name: str) -> None:
    assert load(environment=name) == ENVIRONMENTS[name]
    assert ENVIRONMENTS[name].environment == name


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_default_is_accepted_from_the_command_line(name: str) -> None:
    for setting in SETTINGS:
        value = attrgetter(setting)(ENVIRONMENTS[name])
        text = ",".join(value) if isinstance(value, tuple) else "" if value is None else str(value)
        assert load(**{"environment": name, setting: text}) == ENVIRONMENTS[name], setting


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("account", "123456789012", "123456789012"),
        ("region", "eu-central-1", "eu-central-1"),
        ("region", "eusc-de-east-1", "eusc-de-east-1"),
        ("mfa_issuer", "Käse & Co", "Käse & Co"),
        ("required_scope", "mfa/manage", "mfa/manage"),
        (
            "cors_allowed_origins",
            "https://a.example, http://localhost:8080",
            ("https://a.example", "http://localhost:8080"),
        ),
        (
            "cors_allowed_origins",
            "capacitor://localhost,ionic://localhost",
            ("capacitor://localhost", "ionic://localhost"),
        ),
        ("cors_allowed_origins", "*", ("*",)),
        ("cors_allowed_origins", "", ()),
        ("cors_allowed_origins", ["https://a.example"], ("https://a.example",)),
        ("cors_allowed_headers", "X-Trace-Id, x_b3.trace", ("X-Trace-Id", "x_b3.trace")),
        ("cors_allowed_headers", "", ()),
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
        ("traffic_shift", "linear-10-percent-every-1-minute", "linear-10-percent-every-1-minute"),
        ("users_table_name", "ailifestyle.users-prod", "ailifestyle.users-prod"),
        ("event_bus", "security", "security"),
        ("event_bus", BUS, BUS),
        ("event_bus", "", None),
        ("standby", "true", True),
        ("import_principals", f"{ROLE},arn:aws:iam::*:user/b", (ROLE, "arn:aws:iam::*:user/b")),
        ("max_auth_age_seconds", "300", 300),
        ("waf_requests_per_token", "10", 10),
        ("secret_key_arn", KEY, KEY),
        ("secret_key_arn", MULTI_REGION_KEY, MULTI_REGION_KEY),
        ("multi_region_key", "true", True),
        ("replica_regions", "eu-west-1, ap-south-1", ("eu-west-1", "ap-south-1")),
        ("proof_audience", "https://payments.example/", "https://payments.example/"),
        ("proof_lifetime_seconds", "3600", 3600),
        ("proof_keys", f"key-2, {MULTI_REGION_KEY}", ("key-2", MULTI_REGION_KEY)),
        ("waf", "true", True),
        ("waf_requests_per_ip", "10", 10),
    ],
)
def test_every_field_can_be_overridden(name: str, text: object, value: object) -> None:
    assert load(**{name: text}) == replace(ENVIRONMENTS["dev"], **{name: value})


def test_a_function_has_the_environments_memory_and_snapshot_unless_it_has_its_own() -> None:
    config = load(
        environment="prod",
        **{
            "memory_mb": "768",
            "functions.verify_mfa.memory_mb": "1024",
            "functions.mfa_status.snap_start": "false",
            "functions.security_events.snap_start": "true",
        },
    )
    found = {name: (config.memory_of(name), config.snap_start_of(name)) for name in DEPLOYED_FUNCTIONS}

    assert found == {
        "setup_mfa": (768, True),
        "verify_mfa_setup": (768, False),
        "verify_mfa": (1024, True),
        "disable_mfa": (768, False),
        "regenerate_backup_codes": (768, False),
        "mfa_status": (256, False),
        "jwt_authorizer": (256, True),
        "security_events": (256, True),
        "signing_keys": (256, True),
    }


def test_dev_keeps_no_snapshot_and_prod_none_of_what_is_rarely_used_or_waited_for() -> None:
    kept = {
        name: [function for function in DEPLOYED_FUNCTIONS if config.snap_start_of(function)]
        for name, config in ENVIRONMENTS.items()
    }

    assert kept["dev"] == []
    assert set(DEPLOYED_FUNCTIONS) - set(kept["prod"]) == {
        "disable_mfa",
        "regenerate_backup_codes",
        "verify_mfa_setup",
        "security_events",
    }
    assert kept["local"] == kept["prod"]


def test_settings_of_monitoring_override_those_of_the_environment() -> None:
    changes = {
        "monitoring.alert_emails": "a@example.com,b@example.com",
        "monitoring.page_urls": "https://pager.example.com/hook",
        "monitoring.quiet_hours": "6",
        "monitoring.thresholds.errors": "50",
        "monitoring.thresholds.api_5xx_percent": "0.5",
    }
    monitoring = load(environment="prod", **changes).monitoring
    before = ENVIRONMENTS["prod"].monitoring

    assert monitoring == replace(
        before,
        alert_emails=("a@example.com", "b@example.com"),
        page_urls=("https://pager.example.com/hook",),
        quiet_hours=6,
        thresholds=replace(before.thresholds, errors=50, api_5xx_percent=0.5),
    )
    assert monitoring.paging is True


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("environment", "staging", "one of dev, prod, local"),
        ("account", "1234", "an account number of 12 digits"),
        ("region", "Frankfurt", "an AWS region such as us-east-1"),
        ("mfa_issuer", " ", "a name that is not blank"),
        ("mfa_issuer", "two\nlines", "a name that is not blank"),
        ("mfa_issuer", "a bell\u0007", "of printable characters"),
        ("jwt_issuer", "login.example.com", "an https:// URL"),
        ("jwt_issuer", "https://login.example.com/?tenant=1", "an https:// URL"),
        ("cors_allowed_headers", "X-Trace Id", "a comma separated list, each the name of a header"),
        ("cors_allowed_headers", "X-Trace-Id:", "the name of a header"),
        ("cors_allowed_headers", "*", "the name of a header"),
        ("cors_allowed_headers", "X-It's", "the name of a header"),
        ("jwt_jwks_url", "https://login.example.com/keys#a", "an https:// URL"),
        ("jwt_algorithms", "RS256,HS256", "a comma separated list, each one of RS256, RS384"),
        ("jwt_algorithms", "", "a comma separated list, each one of RS256, RS384"),
        ("jwt_user_claim", "", "the name of a claim"),
        ("jwt_label_claims", "e mail", "a comma separated list, each the name of a claim"),
        ("jwt_leeway_seconds", "-1", "a whole number from 0 to 300"),
        ("jwt_leeway_seconds", "301", "a whole number from 0 to 300"),
        ("log_level", "LOUD", "one of DEBUG, INFO, WARNING, ERROR, CRITICAL"),
        ("log_retention_days", "42", "one of 1, 3, 5, 7, 14, 30"),
        ("architecture", "arm", "one of arm64, x86_64"),
        ("packaging", "images", "one of zip, image"),
        ("memory_mb", "127", "a whole number from 128 to 10240"),
        ("memory_mb", "1 GiB", "a whole number from 128 to 10240"),
        ("timeout_seconds", "30", "a whole number from 1 to 29"),
        ("snap_start", "yes", "true or false"),
        ("traffic_shift", "canary", "one of all-at-once, canary-10-percent-5-minutes, "),
        ("users_table_name", "no table", "the name of a DynamoDB table"),
        ("users_table_key_arn", "alias/users", "an ARN such as arn:aws:kms:us-east-1:123456789012:key/"),
        ("users_table_stream_arn", f"{TABLE}/stream", "an ARN such as arn:aws:dynamodb:us-east-1:123456789012:table/"),
        ("event_bus", "arn:aws:sns:us-east-1:123456789012:security", "the name or ARN of an EventBridge bus"),
        ("secret_key_arn", KEY.replace("key/", "alias/"), "an ARN such as arn:aws:kms:us-east-1:123456789012:key/"),
        ("secret_key_arn", KEY.replace("123456789012", "12345"), "an ARN such as arn:aws:kms:"),
        ("secret_key_arn", f"{KEY},{KEY}", "an ARN such as arn:aws:kms:"),
        ("replica_regions", "eu-west-1,Dublin", "a comma separated list, each an AWS region such as us-east-1"),
        ("domain_name", "https://api.example.com", "a domain name such as api.example.com"),
        ("domain_name", "api", "a domain name such as api.example.com"),
        ("domain_name", "api.example.com.", "a domain name such as api.example.com"),
        ("certificate_arn", KEY, "an ARN such as arn:aws:acm:us-east-1:123456789012:certificate/"),
        ("hosted_zone_id", "/hostedzone/Z123", "a hosted zone's id such as Z0123456789ABCDEFGHIJ"),
        (
            "import_principals",
            "a",
            "a comma separated list, each the ARN of a role such as arn:aws:iam::123456789012:role/operator",
        ),
        ("proof_audience", "two words", "an audience of up to 255 characters, without spaces"),
        ("proof_audience", "a" * 256, "an audience of up to 255 characters, without spaces"),
        ("proof_lifetime_seconds", "29", "a whole number from 30 to 3600"),
        ("proof_lifetime_seconds", "3601", "a whole number from 30 to 3600"),
        ("proof_keys", "", "a comma separated list, each a name such as key-1, or the ARN of an existing KMS key"),
        (
            "proof_keys",
            "a,b,c,d",
            "a comma separated list, each a name such as key-1, or the ARN of an existing KMS key",
        ),
        ("proof_keys", "Key 1", "a comma separated list, each a name such as key-1, or the ARN of an existing KMS key"),
        ("proof_keys", KEY.replace("key/", "alias/"), "a comma separated list, each a name such as key-1"),
        ("waf_requests_per_token", "9", "a whole number from 10 to 2000000000"),
        ("max_auth_age_seconds", "29", "a whole number from 30 to 86400, or nothing"),
        ("waf_requests_per_ip", "9", "a whole number from 10 to 2000000000"),
        ("monitoring.alert_emails", "a b@example.com", "a comma separated list, each text without spaces"),
        ("monitoring.paging", "always", "true or false"),
        ("monitoring.quiet_hours", "25", "1 to 24"),
        ("monitoring.runbook_url", "", "an address without fragment"),
        ("monitoring.runbook_url", "https://x#y", "an address without fragment"),
        ("functions.verify_mfa.memory_mb", "64", "a whole number from 128 to 10240, or nothing"),
        ("functions.jwt_authorizer.snap_start", "maybe", "true or false, or nothing"),
        ("monitoring.thresholds.errors", "0", "a whole number from 1 to 1000000000"),
        ("monitoring.thresholds.api_5xx_percent", "-1", "a number above 0"),
    ],
)
def test_an_invalid_value_is_refused_with_its_field_and_what_was_expected(name: str, text: str, expected: str) -> None:
    message = refusal(**{name: text})

    assert message.startswith(f"{name}: expected ")
    assert expected in message
    assert repr(text) in message
    assert "\n" not in message


def test_a_mistyped_field_is_refused_with_the_similar_one() -> None:
    assert refusal(memory="512") == "memory: no such setting, did you mean memory_mb?"


def test_an_unknown_field_is_refused_with_all_fields() -> None:
    message = refusal(colour="blue")

    assert message.startswith("colour: no such setting, expected one of environment, account, ")


def test_feature_flags_and_cached_lookups_are_ignored() -> None:
    context = {"@aws-cdk/core:x": True, "aws:cdk:enable-path-metadata": True, "availability-zones:account=1": ["a"]}

    assert load_config(context, process_environment={}) == ENVIRONMENTS["dev"]


@pytest.mark.parametrize(
    ("context", "message"),
    [
        (
            {"proof_audience": "mfa-api", **ISSUER},
            (
                "proof_audience: expected another audience than jwt_audience, got 'mfa-api': "
                "an API for proofs must not accept access tokens"
            ),
        ),
        (
            {
                "proof_audience": "payments",
                **ISSUER,
                "jwt_issuer": "https://api.example.com/v1",
                "domain_name": "api.example.com",
                "certificate_arn": CERTIFICATE,
            },
            (
                "jwt_issuer: expected another issuer than this API, got 'https://api.example.com/v1': "
                "a proof must not be an access token here"
            ),
        ),
        ({"proof_keys": "a,b,a"}, "proof_keys: expected each key once, got 'a,b,a'"),
        (
            {"proof_keys": KEY, "region": "eu-west-1"},
            f"proof_keys: expected an ARN of region eu-west-1, got {KEY!r}",
        ),
        (
            {"execute_api_base_url": "https://x.example"},
            "execute_api_base_url: expected nothing in dev, it is for local only",
        ),
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
            {"jwt_user_claim": "oid"},
            (
                "jwt_user_claim_confirmed: expected oid, got None: users who enrolled under another claim lose their "
                "second factor, see docs/issuers.md"
            ),
        ),
        (
            {"jwt_user_claim": "oid", "jwt_user_claim_confirmed": "sub"},
            (
                "jwt_user_claim_confirmed: expected oid, got 'sub': users who enrolled under another claim lose their "
                "second factor, see docs/issuers.md"
            ),
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
            "cognito_jwks_base_url: expected nothing in prod, it is for local only",
        ),
        (
            {"region": "ap-east-2", "functions.verify_mfa.snap_start": "true"},
            "functions.verify_mfa.snap_start: expected false in ap-east-2, where Lambda does not offer SnapStart",
        ),
        (
            {"region": "ap-east-2", "snap_start": "true"},
            "snap_start: expected false in ap-east-2, where Lambda does not offer SnapStart",
        ),
        ({"users_table_key_arn": KEY}, "users_table_key_arn: expected nothing, as users_table_name is not set"),
        (
            {"users_table_stream_arn": STREAM},
            "users_table_stream_arn: expected nothing, as users_table_name is not set",
        ),
        (
            {"users_table_name": "people", "users_table_stream_arn": STREAM},
            f"users_table_stream_arn: expected a stream of the table people, got {STREAM!r}",
        ),
        (
            {"secret_key_arn": MULTI_REGION_KEY, "multi_region_key": "true"},
            "multi_region_key: expected false, as secret_key_arn names an existing key",
        ),
        (
            {"secret_key_arn": KEY, "region": "eu-west-1"},
            f"secret_key_arn: expected an ARN of region eu-west-1, got {KEY!r}",
        ),
        (
            {"users_table_name": "users", "users_table_key_arn": KEY, "account": "999999999999"},
            f"users_table_key_arn: expected an ARN of account 999999999999, got {KEY!r}",
        ),
        (
            {"domain_name": "api.example.com", "certificate_arn": CERTIFICATE, "region": "eu-west-1"},
            f"certificate_arn: expected an ARN of region eu-west-1, got {CERTIFICATE!r}",
        ),
        (
            {"replica_regions": "eu-west-1,us-east-1"},
            "replica_regions: expected regions other than us-east-1, which has the original",
        ),
        (
            {"replica_regions": "eu-west-1,eu-west-1"},
            "replica_regions: expected each region once, got 'eu-west-1,eu-west-1'",
        ),
        (
            {"replica_regions": "eu-west-1", "users_table_name": "users"},
            "replica_regions: expected none, as users_table_name is set: replicate that one yourself",
        ),
        (
            {"replica_regions": "eu-west-1", "secret_key_arn": MULTI_REGION_KEY},
            "replica_regions: expected none, as secret_key_arn is set: replicate that one yourself",
        ),
        ({"certificate_arn": CERTIFICATE}, "certificate_arn: expected nothing, as domain_name is not set"),
        (
            {"domain_name": "api.example.com"},
            "certificate_arn: expected a certificate for domain_name, or a hosted zone to create one with",
        ),
        (
            {"domain_name": "api.example.com", "hosted_zone_id": "Z123"},
            "hosted_zone_name: expected the zone's, as hosted_zone_id is set",
        ),
        (
            {"domain_name": "api.example.com", "hosted_zone_name": "example.com"},
            "hosted_zone_id: expected the zone's, as hosted_zone_name is set",
        ),
        (
            {"domain_name": "api.counterexample.com", "hosted_zone_id": "Z123", "hosted_zone_name": "example.com"},
            "domain_name: expected a name in the zone example.com, got 'api.counterexample.com'",
        ),
        (
            {"cors_allowed_origins": "https://a.example,https://*.example.com"},
            (
                "cors_allowed_origins: expected each origin by its full name, because browsers know no patterns, "
                "or * for all origins, got 'https://*.example.com'"
            ),
        ),
        (
            {"cors_allowed_origins": "https://A.example:443/"},
            "cors_allowed_origins: expected https://a.example, as browsers send it, got 'https://A.example:443/'",
        ),
        (
            {"cors_allowed_origins": "https://a.example,nonsense"},
            "cors_allowed_origins: expected an origin such as https://app.example.com, or *, got 'nonsense'",
        ),
        (
            {"cors_allowed_origins": "*,https://a.example"},
            "cors_allowed_origins: expected only * or only full names, got '*,https://a.example'",
        ),
        (
            {"environment": "prod", "monitoring.page_urls": "http://pager.example.com"},
            "monitoring.page_urls: expected an https:// address, got 'http://pager.example.com'",
        ),
        (
            {"monitoring.alert_emails": "nobody"},
            "monitoring.alert_emails: expected an e-mail address, got 'nobody'",
        ),
        (
            {"environment": "prod", "monitoring.page_emails": "x"},
            "monitoring.page_emails: expected an e-mail address, got 'x'",
        ),
        ({"monitoring.paging": "true"}, "monitoring.coverage: expected all, as paging is set, got 'setup'"),
        ({"monitoring.quiet_hours": "3"}, "monitoring.coverage: expected all, as quiet_hours is set, got 'setup'"),
        (
            {"monitoring.page_emails": "oncall@example.com"},
            "monitoring.paging: expected true where page_urls or page_emails are given",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused(context: dict[str, str], message: str) -> None:
    assert refusal(**context) == message


def test_a_region_without_snap_start_is_accepted_if_it_is_off() -> None:
    assert load_config({"region": "ap-southeast-6", "snap_start": "false"}, {}).snap_start is False


def test_the_region_of_the_context_overrides_that_of_the_command_line() -> None:
    process_environment = {"CDK_DEFAULT_REGION": "eu-west-1", "CDK_DEFAULT_ACCOUNT": "123456789012"}

    assert load_config({}, process_environment).region == "eu-west-1"
    assert load_config({"region": "eu-north-1"}, process_environment).region == "eu-north-1"
    assert load_config({}, {}).region == "us-east-1"


def test_credentials_do_not_change_the_templates() -> None:
    """The account of the credentials is ignored, so that the templates are the same without credentials."""
    assert load_config({}, {"CDK_DEFAULT_ACCOUNT": "123456789012"}).account is None


def test_every_field_is_documented() -> None:
    for name, field in Config.model_fields.items():
        assert field.description, name


def test_a_changed_copy_is_checked() -> None:
    with pytest.raises(ConfigError, match=r"^memory_mb: expected a whole number from 128 to 10240, got 1$"):
        replace(ENVIRONMENTS["dev"], memory_mb=1)
    with pytest.raises(ConfigError, match=r"^packaging: expected zip in local, got 'image'$"):
        replace(ENVIRONMENTS["local"], packaging="image")
