"""Gradual releases of new versions, with rollback when an alarm fires."""

from collections.abc import Mapping
from typing import Final, cast

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_iam as iam
from constructs import Construct

from functions.shared import contract
from infra.config import Config
from infra.constructs.acknowledge import acknowledge
from infra.constructs.function import MfaFunction
from infra.monitoring.rules.model import alarm_description, alarm_name
from infra.outputs import LIVE

#: The number of 5xx responses in a minute, over all routes, that rolls a release back. Every version returns 503 when
#: KMS or DynamoDB fails, so a few of them are no reason to roll back.
_API_ERRORS: Final = 5

#: The runbook's heading for all alarms of a release.
RUNBOOK_HEADING: Final = "release"


class GradualRelease(Construct):
    """Moves the aliases of functions by CodeDeploy.

    The alarms belong to this stack, not to the monitoring stack, which is deployed later and can fail without
    affecting a release. They report only to CodeDeploy; monitoring reports the same failures to on-call.

    Parameters
    ----------
    config
        The environment's settings.
    functions
        The functions, by their folder under ``functions``.
    api_name
        The API in front of them.
    """

    def __init__(
        self, scope: Construct, id: str, *, config: Config, functions: Mapping[str, MfaFunction], api_name: str
    ) -> None:
        super().__init__(scope, id)
        self._config: Final = config
        application = codedeploy.LambdaApplication(self, "Application", application_name=f"mfa-{config.environment}")
        role = self._role()
        shift = codedeploy.LambdaDeploymentConfig.from_lambda_deployment_config_name(
            self, "TrafficShift", _code_deploy_name(config.traffic_shift)
        )
        api_errors = self._api_errors(api_name)
        for folder, function in functions.items():
            errors = self._function_errors(folder, function.name)
            codedeploy.LambdaDeploymentGroup(
                function,
                "Release",
                application=application,
                deployment_group_name=contract.lambda_name(folder, config.environment),
                alias=function.alias,
                deployment_config=shift,
                alarms=[cast("cloudwatch.IAlarm", alarm) for alarm in (errors, api_errors)],
                auto_rollback=codedeploy.AutoRollbackConfig(
                    deployment_in_alarm=True, failed_deployment=True, stopped_deployment=True
                ),
                role=cast("iam.IRole", role),
            )

    def _role(self) -> iam.Role:
        policy = "service-role/AWSCodeDeployRoleForLambdaLimited"
        role = iam.Role(
            self,
            "Role",
            assumed_by=cast("iam.IPrincipal", iam.ServicePrincipal("codedeploy.amazonaws.com")),
            managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name(policy)],
            description=f"Moves the aliases of mfa-{self._config.environment}",
        )
        acknowledge(
            role,
            f"AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/{policy}]",
            "CodeDeploy's own policy for Lambda, for aliases and the state of alarms. A copy would miss its updates.",
        )
        return role

    def _function_errors(self, folder: str, function: str) -> cloudwatch.Alarm:
        return self._alarm(
            folder.replace("_", "-"),
            # Handlers turn every exception into a response, so a failed invocation is a crash, a timeout or a failed
            # start. One during a release is enough to roll back. The authorizer also fails while the issuer's keys
            # cannot be fetched (docs/adr/0091).
            threshold=1,
            happened=f"{function} crashed, timed out or did not start.",
            response="fix its release, which was rolled back.",
            metric=cloudwatch.Metric(
                namespace="AWS/Lambda",
                metric_name="Errors",
                dimensions_map={"FunctionName": function, "Resource": f"{function}:{LIVE}"},
                statistic="Sum",
                period=Duration.minutes(1),
            ),
        )

    def _api_errors(self, api_name: str) -> cloudwatch.Alarm:
        return self._alarm(
            "api",
            threshold=_API_ERRORS,
            happened="the API returns 5xx.",
            response="fix the release, which was rolled back.",
            metric=cloudwatch.Metric(
                namespace="AWS/ApiGateway",
                metric_name="5XXError",
                dimensions_map={"ApiName": api_name, "Stage": contract.STAGE_NAME},
                statistic="Sum",
                period=Duration.minutes(1),
            ),
        )

    def _alarm(
        self, subject: str, *, threshold: int, happened: str, response: str, metric: cloudwatch.Metric
    ) -> cloudwatch.Alarm:
        return cloudwatch.Alarm(
            self,
            "".join(part.capitalize() for part in subject.split("-")),
            alarm_name=alarm_name(self._config.environment, f"release-{subject}"),
            alarm_description=alarm_description(
                self._config.monitoring, RUNBOOK_HEADING, happened=happened, response=response
            ),
            metric=cast("cloudwatch.IMetric", metric),
            threshold=threshold,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            # No datapoint means no request, and so no failure.
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )


def _code_deploy_name(traffic_shift: str) -> str:
    """Return CodeDeploy's name of a traffic shift such as ``canary-10-percent-5-minutes``."""
    return "CodeDeployDefault.Lambda" + "".join(part.capitalize() for part in traffic_shift.split("-"))
