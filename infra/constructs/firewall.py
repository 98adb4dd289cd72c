"""AWS WAF in front of the API, against known attacks and too many requests from one address or with one token.

A blocked request gets the gateway's ``WAF_FILTERED`` response, which has the error body of the contract.
"""

from collections.abc import Mapping
from typing import Final

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from infra.config import Config

_WINDOW_SECONDS: Final = 300


#: The groups of rules that AWS maintains, each with its rules that only count, because they would block legitimate
#: requests. https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html
_MANAGED_RULES: Final[Mapping[str, tuple[str, ...]]] = {
    "AWSManagedRulesKnownBadInputsRuleSet": (),
    "AWSManagedRulesCommonRuleSet": (
        # HTTP libraries of login servers may send no User-Agent, and RFC 9110 does not require one.
        "NoUserAgent_HEADER",
        # Browsers send cookies that other applications set for the parent domain. This API reads no cookie, and a
        # tracker's cookie must not block a login.
        "CrossSiteScripting_COOKIE",
        "EC2MetaDataSSRF_COOKIE",
        "SizeRestrictions_Cookie_HEADER",
        # The contract's response to a body over 4 KiB is a 400 with a reason, not a 403.
        "SizeRestrictions_BODY",
    ),
}

#: Keeps tokens, sessions and codes out of the samples of requests that WAF stores.
_DATA_PROTECTION: Final = wafv2.CfnWebACL.DataProtectionConfigProperty(
    data_protections=[
        wafv2.CfnWebACL.DataProtectProperty(
            action="SUBSTITUTION", field=wafv2.CfnWebACL.FieldToProtectProperty(field_type=kind, field_keys=keys)
        )
        for kind, keys in (("SINGLE_HEADER", ["authorization", "cookie"]), ("BODY", None))
    ]
)


class Firewall(Construct):
    """A web ACL on the API's stage.

    Parameters
    ----------
    config
        The environment's settings.
    stage
        The stage that it protects.
    """

    def __init__(self, scope: Construct, id: str, *, config: Config, stage: apigateway.Stage) -> None:
        super().__init__(scope, id)
        name = f"mfa-{config.environment}"
        acl = wafv2.CfnWebACL(
            self,
            "WebAcl",
            name=name,
            description="Known attacks, and too many requests from one address or with one token",
            scope="REGIONAL",
            default_action=wafv2.CfnWebACL.DefaultActionProperty(allow={}),
            rules=[
                *_rate_rules(config),
                *(_managed_rule(group, priority) for priority, group in enumerate(_MANAGED_RULES, start=2)),
            ],
            visibility_config=_visibility(name),
            data_protection_config=_DATA_PROTECTION,
        )
        wafv2.CfnWebACLAssociation(self, "Association", resource_arn=stage.stage_arn, web_acl_arn=acl.attr_arn)


def _rate_rules(config: Config) -> list[wafv2.CfnWebACL.RuleProperty]:
    # First, so that the other rules do not charge for a blocked request and the authorizer does not see it.
    return [
        _rate_rule(
            "RequestsOfOneAddress",
            0,
            wafv2.CfnWebACL.RateBasedStatementProperty(
                aggregate_key_type="IP", limit=config.waf_requests_per_ip, evaluation_window_sec=_WINDOW_SECONDS
            ),
        ),
        _rate_rule("RequestsOfOneToken", 1, _requests_of_one_token(config.waf_requests_per_token)),
    ]


def _requests_of_one_token(limit: int) -> wafv2.CfnWebACL.RateBasedStatementProperty:
    # One token, sent from many addresses, would use up the throttling of the enrolment routes for all users. The
    # transformations match what the authorizer accepts: a scheme in any case, and several spaces after it.
    transformations = [
        wafv2.CfnWebACL.TextTransformationProperty(priority=priority, type=kind)
        for priority, kind in enumerate(("COMPRESS_WHITE_SPACE", "LOWERCASE"))
    ]
    header = wafv2.CfnWebACL.RateLimitHeaderProperty(name="authorization", text_transformations=transformations)
    return wafv2.CfnWebACL.RateBasedStatementProperty(
        aggregate_key_type="CUSTOM_KEYS",
        custom_keys=[wafv2.CfnWebACL.RateBasedStatementCustomKeyProperty(header=header)],
        limit=limit,
        evaluation_window_sec=_WINDOW_SECONDS,
    )


def _rate_rule(
    name: str, priority: int, statement: wafv2.CfnWebACL.RateBasedStatementProperty
) -> wafv2.CfnWebACL.RuleProperty:
    return wafv2.CfnWebACL.RuleProperty(
        name=name,
        priority=priority,
        action=wafv2.CfnWebACL.RuleActionProperty(block={}),
        statement=wafv2.CfnWebACL.StatementProperty(rate_based_statement=statement),
        visibility_config=_visibility(name),
    )


def _managed_rule(group: str, priority: int) -> wafv2.CfnWebACL.RuleProperty:
    count = wafv2.CfnWebACL.RuleActionProperty(count={})
    counted = [
        wafv2.CfnWebACL.RuleActionOverrideProperty(name=rule, action_to_use=count) for rule in _MANAGED_RULES[group]
    ]
    return wafv2.CfnWebACL.RuleProperty(
        name=group,
        priority=priority,
        override_action=wafv2.CfnWebACL.OverrideActionProperty(none={}),
        statement=wafv2.CfnWebACL.StatementProperty(
            managed_rule_group_statement=wafv2.CfnWebACL.ManagedRuleGroupStatementProperty(
                vendor_name="AWS", name=group, rule_action_overrides=counted or None
            )
        ),
        visibility_config=_visibility(group),
    )


def _visibility(metric: str) -> wafv2.CfnWebACL.VisibilityConfigProperty:
    return wafv2.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=metric, sampled_requests_enabled=True
    )
