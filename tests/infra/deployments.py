"""The deployments that several tests check, each by its settings. Together they have every optional part."""

from collections.abc import Mapping
from typing import Final

from infra.config import ENVIRONMENTS
from tests.infra.synthesis import Synthesized, synthesize

DOMAIN: Final = "api.ailifestyle.app"
CERTIFICATE: Final = "arn:aws:acm:us-east-1:123456789012:certificate/1234abcd-12ab-34cd-56ef-1234567890ab"
ZONE: Final = {"hosted_zone_id": "Z0123456789ABCDEFGHIJ", "hosted_zone_name": "ailifestyle.app"}
SECRET_KEY: Final = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
TABLE_KEY: Final = "arn:aws:kms:us-east-1:123456789012:key/00000000-12ab-34cd-56ef-1234567890ab"
REPLICA_KEY: Final = "arn:aws:kms:us-west-2:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab"

#: The name of prod with every part that is optional and new.
EVERYTHING: Final = "prod-with-everything"
#: The name of prod where each of these parts is another one: a new certificate, an existing secret key, other keys of
#: the proof in the middle of a rotation, no firewall, and no traffic shift.
OTHERWISE: Final = "prod-otherwise"
#: The name of prod with an existing table, and a domain without a zone.
EXISTING_TABLE: Final = "prod-existing-table"
#: The name of the service in a second region, on standby, with the replicas of table and key.
SECOND_REGION: Final = "second-region"

DEPLOYMENTS: Final[Mapping[str, Mapping[str, str]]] = {
    **{environment: {"environment": environment} for environment in ENVIRONMENTS},
    EVERYTHING: {
        "environment": "prod",
        "domain_name": DOMAIN,
        "certificate_arn": CERTIFICATE,
        **ZONE,
        "replica_regions": "us-west-2",
        "proof_audience": "payments",
        "monitoring.alert_emails": "team@ailifestyle.app",
        "monitoring.page_urls": "https://pager.example.com/hook",
    },
    OTHERWISE: {
        "environment": "prod",
        "domain_name": DOMAIN,
        **ZONE,
        "secret_key_arn": SECRET_KEY,
        "proof_audience": "payments",
        "proof_keys": "new,old",
        "waf": "false",
        "traffic_shift": "all-at-once",
        "monitoring.quiet_hours": "3",
    },
    EXISTING_TABLE: {
        "environment": "prod",
        "domain_name": DOMAIN,
        "certificate_arn": CERTIFICATE,
        "users_table_name": "users",
        "users_table_key_arn": TABLE_KEY,
        "waf_requests_per_ip": "5000",
        "waf_requests_per_token": "50",
        "traffic_shift": "linear-10-percent-every-1-minute",
    },
    SECOND_REGION: {
        "environment": "prod",
        "region": "us-west-2",
        "users_table_name": "mfa-prod-users",
        "secret_key_arn": REPLICA_KEY,
        "jwt_issuer": "https://login.example.com",
        "jwt_jwks_url": "https://login.example.com/keys",
        "jwt_audience": "mfa,mobile-app",
        "standby": "true",
    },
}


def deployment(name: str) -> Synthesized:
    """Return a deployment, synthesized once."""
    return synthesize(**DEPLOYMENTS[name])
