"""The API's custom domain: certificate, mapping to the stage, and DNS record if the zone is in Route 53."""

from typing import Final

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as targets
from constructs import Construct

from functions.shared import contract
from infra.config import Config
from infra.outputs import Output


class ApiDomain(Construct):
    """A regional domain name in front of an API.

    Parameters
    ----------
    config
        The environment's settings.
    domain_name
        The name.
    rest_api
        The API that is reached under it.

    Attributes
    ----------
    url
        The URL of the API's stage under the domain, without a trailing slash.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: Config,
        domain_name: str,
        rest_api: apigateway.RestApi,
    ) -> None:
        super().__init__(scope, id)
        zone = self._zone(config)
        domain = apigateway.DomainName(
            self,
            "Domain",
            domain_name=domain_name,
            certificate=self._certificate(config, domain_name, zone),
            endpoint_type=apigateway.EndpointType.REGIONAL,
            # TLS 1.2 and 1.3; the only alternative allows 1.0.
            security_policy=apigateway.SecurityPolicy.TLS_1_2,
        )
        # A mapping hides the stage's name. The base path keeps the version in the public URL, and leaves the domain
        # room for a v2 in another API.
        domain.add_base_path_mapping(rest_api, base_path=contract.STAGE_NAME, stage=rest_api.deployment_stage)
        self.url: Final = f"https://{domain_name}/{contract.STAGE_NAME}"
        if zone is None:
            # The target of the CNAME record that the DNS operator creates.
            CfnOutput(Stack.of(self), Output.DOMAIN_TARGET, value=domain.domain_name_alias_domain_name)
        else:
            alias = route53.RecordTarget.from_alias(targets.ApiGatewayDomain(domain))
            route53.ARecord(self, "Record", zone=zone, record_name=f"{domain_name}.", target=alias)

    def _zone(self, config: Config) -> route53.IHostedZone | None:
        if not (config.hosted_zone_id and config.hosted_zone_name):
            return None
        return route53.HostedZone.from_hosted_zone_attributes(
            self, "Zone", hosted_zone_id=config.hosted_zone_id, zone_name=config.hosted_zone_name
        )

    def _certificate(self, config: Config, domain_name: str, zone: route53.IHostedZone | None) -> acm.ICertificate:
        if config.certificate_arn:
            return acm.Certificate.from_certificate_arn(self, "Certificate", config.certificate_arn)
        return acm.Certificate(
            self, "Certificate", domain_name=domain_name, validation=acm.CertificateValidation.from_dns(zone)
        )
