"""The optional parts in front of the API: a custom domain and a firewall."""

from operator import itemgetter
from typing import Any

from infra.config import PROD
from tests.infra.deployments import DOMAIN, EXISTING_TABLE, OTHERWISE, ZONE, deployment
from tests.infra.synthesis import Synthesized

BASE_PATH_MAPPING = "AWS::ApiGateway::BasePathMapping"
RECORD = "AWS::Route53::RecordSet"
ACL = "AWS::WAFv2::WebACL"


def rules(environment: Synthesized) -> dict[str, dict[str, Any]]:
    (acl,) = environment.service.properties_of(ACL)
    return {each["Name"]: each for each in sorted(acl["Rules"], key=itemgetter("Priority"))}


def test_the_version_is_part_of_the_public_url_once(everything: Synthesized) -> None:
    """A mapping hides the stage `v1`; the base path puts it back into the URL."""
    (mapping,) = everything.service.properties_of(BASE_PATH_MAPPING)

    assert mapping["BasePath"] == "v1"
    assert mapping["Stage"] == "<AWS::ApiGateway::Stage>"
    assert everything.service.outputs["ApiUrl"] == "https://api.ailifestyle.app/v1"
    assert "DomainTarget" not in everything.service.outputs


def test_with_a_domain_the_default_endpoint_is_off(everything: Synthesized, prod: Synthesized) -> None:
    assert everything.service.only("AWS::ApiGateway::RestApi")["Properties"]["DisableExecuteApiEndpoint"] is True
    assert "DisableExecuteApiEndpoint" not in prod.service.only("AWS::ApiGateway::RestApi")["Properties"]


def test_the_zone_gets_an_alias_of_the_domain(everything: Synthesized) -> None:
    (record,) = everything.service.properties_of(RECORD)

    assert (record["Name"], record["Type"]) == (f"{DOMAIN}.", "A")
    assert record["HostedZoneId"] == ZONE["hosted_zone_id"]
    assert record["AliasTarget"] == {
        "DNSName": "<AWS::ApiGateway::DomainName RegionalDomainName>",
        "HostedZoneId": "<AWS::ApiGateway::DomainName RegionalHostedZoneId>",
    }


def test_without_a_zone_an_output_has_the_records_target() -> None:
    found = deployment(EXISTING_TABLE).service

    assert not found.resources(RECORD)
    assert found.outputs["DomainTarget"] == "<AWS::ApiGateway::DomainName RegionalDomainName>"


def test_without_a_certificate_a_new_one_is_validated_in_the_zone() -> None:
    (certificate,) = deployment(OTHERWISE).service.properties_of("AWS::CertificateManager::Certificate")

    assert certificate["DomainName"] == DOMAIN
    assert certificate["ValidationMethod"] == "DNS"
    assert certificate["DomainValidationOptions"] == [{"DomainName": DOMAIN, "HostedZoneId": ZONE["hosted_zone_id"]}]


def test_without_a_domain_there_are_no_resources_for_one(each: Synthesized) -> None:
    for kind in ("AWS::ApiGateway::DomainName", BASE_PATH_MAPPING, RECORD, "AWS::CertificateManager::Certificate"):
        assert not each.service.resources(kind)


def test_only_prod_has_a_firewall_by_default(each: Synthesized, environment: str) -> None:
    assert bool(each.service.resources(ACL)) is (environment == PROD)


def test_the_firewall_can_be_turned_off() -> None:
    resources = deployment(OTHERWISE).service.template["Resources"].values()
    assert not [each for each in resources if "WAF" in each["Type"]]


def test_requests_of_one_address_are_limited_first() -> None:
    first = next(iter(rules(deployment(EXISTING_TABLE)).values()))

    assert first["Statement"] == {
        "RateBasedStatement": {"AggregateKeyType": "IP", "EvaluationWindowSec": 300, "Limit": 5000}
    }
    assert first["Action"] == {"Block": {}}


def test_requests_with_one_token_are_limited_from_whichever_addresses() -> None:
    """Otherwise a single token, sent from many addresses, uses up the limits of the enrolment routes for all users."""
    limit = rules(deployment(EXISTING_TABLE))["RequestsOfOneToken"]["Statement"]["RateBasedStatement"]
    (key,) = limit["CustomKeys"]

    assert (limit["AggregateKeyType"], limit["Limit"]) == ("CUSTOM_KEYS", 50)
    assert key["Header"]["Name"] == "authorization"
    # What the authorizer reads as the same token is the same key.
    assert [each["Type"] for each in key["Header"]["TextTransformations"]] == ["COMPRESS_WHITE_SPACE", "LOWERCASE"]


def test_rules_that_would_block_legitimate_requests_only_count(prod: Synthesized) -> None:
    group = rules(prod)["AWSManagedRulesCommonRuleSet"]["Statement"]["ManagedRuleGroupStatement"]
    counted = {each["Name"] for each in group["RuleActionOverrides"]}

    assert all(each["ActionToUse"] == {"Count": {}} for each in group["RuleActionOverrides"])
    # A client without a user agent, other applications' cookies, and a large body, for which the contract has a 400.
    assert counted == {
        "NoUserAgent_HEADER",
        "CrossSiteScripting_COOKIE",
        "EC2MetaDataSSRF_COOKIE",
        "SizeRestrictions_Cookie_HEADER",
        "SizeRestrictions_BODY",
    }


def test_samples_that_the_firewall_keeps_show_no_token_or_code(prod: Synthesized) -> None:
    (acl,) = prod.service.properties_of(ACL)
    protected = acl["DataProtectionConfig"]["DataProtections"]

    assert [each["Field"] for each in protected] == [
        {"FieldType": "SINGLE_HEADER", "FieldKeys": ["authorization", "cookie"]},
        {"FieldType": "BODY"},
    ]
    assert {each["Action"] for each in protected} == {"SUBSTITUTION"}
