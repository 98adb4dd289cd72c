"""Numbers, names and sequences in the documentation match the code."""

import json
import re
from collections.abc import Callable

import pytest

from functions.jwt_authorizer.service import MAX_SUBJECT_LENGTH, MAX_TOKEN_LENGTH
from functions.shared.aws import CLIENT_CONFIG
from functions.shared.contract import (
    ENDPOINTS,
    FREE_ATTEMPTS,
    MAX_CONSECUTIVE_FAILURES,
    PENDING_LIFETIME_SECONDS,
    PENDING_MAX_FAILURES,
    Attribute,
    Env,
    ErrorCode,
)
from functions.shared.request_body import MAX_BODY_BYTES
from infra.config import DEV, ENVIRONMENTS, PROD, Config
from infra.config.functions import FunctionConfig, FunctionsConfig
from infra.config.load import SETTINGS
from infra.config.monitoring import MonitoringConfig
from infra.paths import REPOSITORY
from infra.permissions import OWN_ITEMS
from local.ports import LOOPBACK
from local.stack import DEFAULT_PORT, StackFolder
from tests.support.embedded_aws import EmbeddedAws
from tests.support.life_cycle import Answer, User
from tests.support.pages import fences, quoted, rows, section, text_of
from tools.docsite.diagrams import TEMPLATES

README = (REPOSITORY / "README.md").read_text()
CONTRIBUTING = (REPOSITORY / "CONTRIBUTING.md").read_text()
CALLS = rows(section("architecture.md", "What each route does"))


def table(page: str, heading: str) -> list[list[str]]:
    found = rows(section(page, heading))
    assert found
    return found


# -- architecture


def test_the_table_of_stacks_lists_the_references_between_templates() -> None:
    documented = {quoted(name)[0]: set(quoted(needs)) for name, _, needs in table("architecture.md", "Stacks")}
    templates = {path.stem.removeprefix("mfa-prod-"): path.read_text() for path in TEMPLATES.glob("*.json")}
    there = {
        re.sub(r"^replica-.*", "replica-REGION", name): {
            other for other in templates if f"${{mfa-prod-{other}:" in text.partition('"Resources"')[2]
        }
        for name, text in templates.items()
    }

    assert documented == there


def test_the_item_has_these_attributes() -> None:
    documented = [name for names, _ in table("architecture.md", "The item") for name in quoted(names)]

    assert sorted(documented) == sorted(Attribute)


def prepared(user: User, route: str, outcome: str) -> Callable[[], Answer]:
    """Bring a user into the state for an outcome of a route, and return the request."""
    name = route.rpartition("/")[2]
    if name == "verify-setup" and outcome != "MFA_SETUP_NOT_FOUND":
        user.setup()
    elif (name, outcome) not in {
        ("setup", "OK"),
        ("verify-setup", "MFA_SETUP_NOT_FOUND"),
        ("verify", "MFA_NOT_ENABLED"),
    }:
        user.enrol()
    if outcome == "MFA_SETUP_EXPIRED":
        user.wait(PENDING_LIFETIME_SECONDS)
    if outcome == "TOO_MANY_ATTEMPTS":
        for _ in range(FREE_ATTEMPTS):
            user.verify(user.wrong_code())
    code = "123456"
    if user.secret:
        code = {"OK": user.code(), "VALIDATION_ERROR": "12345"}.get(outcome, user.wrong_code())
    endpoint = next(each for each in ENDPOINTS if f"{each.method} {each.path}" == route)
    return lambda: user.call(endpoint, None if name in ("setup", "mfa") else {"code": code})


@pytest.mark.parametrize(("route", "outcome", "calls"), CALLS, ids=[f"{row[0]} {row[1]}" for row in CALLS])
def test_a_route_makes_the_calls_that_it_says(
    aws: EmbeddedAws, user: User, route: str, outcome: str, calls: str
) -> None:
    ask = prepared(user, quoted(route)[0], (quoted(outcome) or ["OK"])[0])

    with aws.calls.recorded() as made:
        answer = ask()

    assert outcome == f"{answer.status}{f' `{answer.error}`' if answer.error else ''}"
    assert made == quoted(calls)


def test_every_route_is_among_them() -> None:
    assert {quoted(row[0])[0] for row in CALLS} == {f"{route.method} {route.path}" for route in ENDPOINTS}


def test_the_limits_are_these() -> None:
    prod, dev = ENVIRONMENTS[PROD], ENVIRONMENTS[DEV]
    api = (REPOSITORY / "infra" / "constructs" / "api.py").read_text()
    options = CLIENT_CONFIG._user_provided_options

    assert dict(table("architecture.md", "Limits")) == {
        "request body": f"{MAX_BODY_BYTES // 1024} KiB",
        "access token": f"{MAX_TOKEN_LENGTH} characters",
        "`sub`": f"{MAX_SUBJECT_LENGTH} printable ASCII characters",
        "time for an enrolment": f"{PENDING_LIFETIME_SECONDS} seconds, {PENDING_MAX_FAILURES} wrong codes",
        "wrong codes in a row before a lock; in all": f"{FREE_ATTEMPTS}; {MAX_CONSECUTIVE_FAILURES}",
        "a function's time": f"{prod.timeout_seconds} seconds; the gateway waits 29",
        "an AWS call": (
            f"{options['retries']['total_max_attempts']} attempts of {options['connect_timeout']} s to connect "
            f"and {options['read_timeout']} s to answer"
        ),
        "requests a second: `prod`, `dev`": f"{prod.api_throttling_rate}, {dev.api_throttling_rate}",
        "enrolment routes, each: `prod`, `dev`": (
            f"{prod.api_enrolment_throttling_rate}, {dev.api_enrolment_throttling_rate}"
        ),
    }
    assert "timeout" not in api  # the gateway's own: 29 seconds


# -- integration


def test_the_integration_guide_says_what_to_do_about_every_error() -> None:
    documented = [code for row in table("integration.md", "Errors") for code in quoted(row[0])]

    assert sorted(documented) == sorted(ErrorCode)


def test_the_integration_guide_knows_the_throttling() -> None:
    prod, dev = ENVIRONMENTS[PROD], ENVIRONMENTS[DEV]
    documented = {row[0]: row[1:] for row in table("integration.md", "Browsers and rate limits")}

    assert documented == {
        "requests a second, burst": [
            f"{each.api_throttling_rate}, {each.api_throttling_burst}" for each in (prod, dev)
        ],
        "each of setup, verify-setup, disable, backup-codes": [
            f"{each.api_enrolment_throttling_rate}, {each.api_enrolment_throttling_burst}" for each in (prod, dev)
        ],
        "from one address in five minutes, with the firewall": [f"{prod.waf_requests_per_ip}", "no firewall"],
        "with one access token in five minutes, with the firewall": [f"{prod.waf_requests_per_token}", "no firewall"],
    }
    assert (prod.waf, dev.waf) == (True, False)


# -- README, deploy


def test_the_quick_start_ends_as_the_command_does() -> None:
    console = f"  http://{LOOPBACK}:{StackFolder(DEFAULT_PORT).console_port}\n"

    assert section("quick-start.md", "Start it").count(console) == 1


def test_the_deployment_guide_lists_settings_that_exist() -> None:
    names = {name for setting, _ in table("deploy.md", "Settings") for name in quoted(setting)}

    own = {f"{FunctionsConfig.prefix}NAME.{name}" for name in FunctionConfig.model_fields}
    own |= {f"{MonitoringConfig.prefix}{name}" for name in MonitoringConfig.model_fields}
    example = f"{FunctionsConfig.prefix}verify_mfa.memory_mb"
    assert names <= set(Config.model_fields) | own
    assert example in SETTINGS
    assert example in text_of("deploy.md")


def test_the_deployment_guide_lists_the_environment_variables_of_the_functions() -> None:
    lines = section("deploy.md", "Settings").splitlines()
    (sentence,) = [line for line in lines if line.startswith("The functions read environment variables")]

    assert set(quoted(sentence)) == set(Env)


def test_the_layout_names_every_folder_that_is_committed() -> None:
    layout = CONTRIBUTING.partition("## Layout")[2].partition("```")[2].partition("```")[0]
    documented = set(re.findall(r"^(\w+)/", layout, re.MULTILINE))
    there = {path.name for path in REPOSITORY.iterdir() if path.is_dir() and any(path.glob("**/*.py"))}

    assert documented == (there | {"docs"}) - {"build", "node_modules"} - {
        name for name in there if name.startswith(".")
    }


def test_the_settings_of_the_deployment_guide_exist() -> None:
    named = set(re.findall(r"`([a-z]+(?:_[a-z]+)+)(?: = [^`]*)?`", text_of("deploy.md")))
    settings = set(Config.model_fields) | set(MonitoringConfig.model_fields)
    # A field of the access log, claims of tokens, and an argument in infra/constructs/security_events.py.
    others = {"integration_status", "client_id", "auth_time", "parallelization_factor"}

    assert named - settings <= others | set(Attribute)


def test_the_documented_policies_admit_only_the_items_of_this_service() -> None:
    """The table may have items of others, and an import or the help desk needs none of them."""
    policies = [json.loads(policy) for policy in fences(text_of("operator.md"), "json")]
    tables = [
        statement
        for policy in policies
        for statement in policy["Statement"]
        if "dynamodb:GetItem" in statement["Action"]
    ]

    assert len(tables) == 2
    assert all(statement["Condition"] == OWN_ITEMS for statement in tables)
