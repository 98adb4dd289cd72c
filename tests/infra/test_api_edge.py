"""What stands in front of the API where it is configured: a domain of its own, and a firewall."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from infra.config import PROD
from infra.outputs import StackId
from tests.infra.synthesis import Stack, Synthesized, synthesize
from tests.infra.test_rules import cfn_lint, nag_findings

DOMAIN = "api.ailifestyle.app"
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/1234abcd-12ab-34cd-56ef-1234567890ab"
ZONE = {"hosted_zone_id": "Z0123456789ABCDEFGHIJ", "hosted_zone_name": "ailifestyle.app"}

BASE_PATH_MAPPING = "AWS::ApiGateway::BasePathMapping"
RECORD = "AWS::Route53::RecordSet"
ACL = "AWS::WAFv2::WebACL"

type Synthesize = Callable[..., Synthesized]


@pytest.fixture(scope="module")
def prod_with() -> Synthesize:
    """Return a function that synthesizes prod with some settings, once for each."""
    return cache(lambda **settings: synthesize("prod", **settings))


@pytest.fixture(scope="module")
def whole(prod_with: Synthesize) -> Synthesized:
    """Return prod with a domain whose certificate and zone exist."""
    return prod_with(domain_name=DOMAIN, certificate_arn=CERTIFICATE, **ZONE)


def service(environment: Synthesized) -> Stack:
    return environment.stacks[StackId.SERVICE]


def rules(environment: Synthesized) -> dict[str, dict[str, Any]]:
    (acl,) = service(environment).properties_of(ACL)
    return {each["Name"]: each for each in acl["Rules"]}


def test_the_version_is_part_of_the_public_url_once(whole: Synthesized) -> None:
    """A mapping leads to the stage `v1`, which is then no part of the path: the base path is."""
    (mapping,) = service(whole).properties_of(BASE_PATH_MAPPING)

    assert mapping["BasePath"] == "v1"
    assert mapping["Stage"] == "<AWS::ApiGateway::Stage>"
    assert service(whole).outputs == {"ApiUrl": "https://api.ailifestyle.app/v1"}


def test_the_domain_is_regional_and_speaks_tls_1_2_or_later(whole: Synthesized) -> None:
    (domain,) = service(whole).properties_of("AWS::ApiGateway::DomainName")

    assert domain["DomainName"] == DOMAIN
    assert domain["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    assert domain["SecurityPolicy"] == "TLS_1_2"
    assert domain["RegionalCertificateArn"] == CERTIFICATE


def test_with_a_domain_there_is_no_other_way_in(whole: Synthesized, prod: Synthesized) -> None:
    assert service(whole).only("AWS::ApiGateway::RestApi")["Properties"]["DisableExecuteApiEndpoint"] is True
    assert "DisableExecuteApiEndpoint" not in service(prod).only("AWS::ApiGateway::RestApi")["Properties"]


def test_the_zone_gets_an_alias_of_the_domain(whole: Synthesized) -> None:
    (record,) = service(whole).properties_of(RECORD)

    assert (record["Name"], record["Type"]) == (f"{DOMAIN}.", "A")
    assert record["HostedZoneId"] == ZONE["hosted_zone_id"]
    assert record["AliasTarget"] == {
        "DNSName": "<AWS::ApiGateway::DomainName RegionalDomainName>",
        "HostedZoneId": "<AWS::ApiGateway::DomainName RegionalHostedZoneId>",
    }


def test_without_a_zone_the_output_says_where_the_record_must_point(prod_with: Synthesize) -> None:
    found = service(prod_with(domain_name=DOMAIN, certificate_arn=CERTIFICATE))

    assert not found.resources(RECORD)
    assert found.outputs["DomainTarget"] == "<AWS::ApiGateway::DomainName RegionalDomainName>"


def test_without_a_certificate_the_zone_proves_a_new_one(prod_with: Synthesize) -> None:
    found = service(prod_with(domain_name=DOMAIN, **ZONE))
    (certificate,) = found.properties_of("AWS::CertificateManager::Certificate")

    assert certificate["DomainName"] == DOMAIN
    assert certificate["ValidationMethod"] == "DNS"
    assert certificate["DomainValidationOptions"] == [{"DomainName": DOMAIN, "HostedZoneId": ZONE["hosted_zone_id"]}]


def test_without_a_domain_nothing_of_it_is_there(each: Synthesized) -> None:
    for kind in ("AWS::ApiGateway::DomainName", BASE_PATH_MAPPING, RECORD, "AWS::CertificateManager::Certificate"):
        assert not service(each).resources(kind)


def test_prod_alone_has_a_firewall_unless_told_otherwise(each: Synthesized, environment: str) -> None:
    assert bool(service(each).resources(ACL)) is (environment == PROD)


def test_the_firewall_can_be_turned_off(prod_with: Synthesize) -> None:
    environment = prod_with(waf="false")

    assert not [each for each in service(environment).template["Resources"].values() if "WAF" in each["Type"]]
    assert nag_findings(environment) == []


def test_the_firewall_stands_before_the_stage(prod: Synthesized) -> None:
    (association,) = service(prod).properties_of("AWS::WAFv2::WebACLAssociation")

    assert association["WebACLArn"] == f"<{ACL} Arn>"
    assert association["ResourceArn"] == (
        "arn:aws:apigateway:us-east-1::/restapis/<AWS::ApiGateway::RestApi>/stages/<AWS::ApiGateway::Stage>"
    )


def test_requests_of_one_address_are_limited_before_anything_else_is_looked_at(prod_with: Synthesize) -> None:
    first = min(rules(prod_with(waf_requests_per_ip="5000")).values(), key=lambda rule: int(rule["Priority"]))

    assert first["Statement"] == {
        "RateBasedStatement": {"AggregateKeyType": "IP", "EvaluationWindowSec": 300, "Limit": 5000}
    }
    assert first["Action"] == {"Block": {}}


def test_known_attacks_are_blocked(prod: Synthesized) -> None:
    for name in ("AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet"):
        rule = rules(prod)[name]
        assert rule["OverrideAction"] == {"None": {}}
        assert rule["Statement"]["ManagedRuleGroupStatement"]["VendorName"] == "AWS"


def test_rules_that_would_block_legitimate_requests_only_count(prod: Synthesized) -> None:
    group = rules(prod)["AWSManagedRulesCommonRuleSet"]["Statement"]["ManagedRuleGroupStatement"]
    counted = {each["Name"] for each in group["RuleActionOverrides"]}

    assert all(each["ActionToUse"] == {"Count": {}} for each in group["RuleActionOverrides"])
    # A client without a name, other applications' cookies, and a body whose answer is the contract's 400.
    assert counted == {
        "NoUserAgent_HEADER",
        "CrossSiteScripting_COOKIE",
        "EC2MetaDataSSRF_COOKIE",
        "SizeRestrictions_Cookie_HEADER",
        "SizeRestrictions_BODY",
    }


def test_no_sample_that_the_firewall_keeps_shows_a_token_or_a_code(prod: Synthesized) -> None:
    (acl,) = service(prod).properties_of(ACL)
    protected = acl["DataProtectionConfig"]["DataProtections"]

    assert [each["Field"] for each in protected] == [
        {"FieldType": "SINGLE_HEADER", "FieldKeys": ["authorization", "cookie"]},
        {"FieldType": "BODY"},
    ]
    assert {each["Action"] for each in protected} == {"SUBSTITUTION"}


@pytest.mark.parametrize("settings", [{"certificate_arn": CERTIFICATE, **ZONE}, {"certificate_arn": CERTIFICATE}, ZONE])
def test_cdk_nag_and_cfn_lint_find_nothing(prod_with: Synthesize, settings: dict[str, str]) -> None:
    environment = prod_with(domain_name=DOMAIN, **settings)

    assert nag_findings(environment) == []
    finished = cfn_lint(*environment.templates)
    assert (finished.returncode, finished.stdout) == (0, "")
