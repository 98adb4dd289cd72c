"""How a new version of a function takes over: step by step, and back at the first sign that it is worse."""

from collections.abc import Mapping
from typing import Final, cast

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_iam as iam
from constructs import Construct

from functions.shared import contract
from infra.config import ALL_AT_ONCE, Config
from infra.constructs.acknowledge import acknowledge
from infra.constructs.function import LIVE, MfaFunction

#: Answers 5xx in a minute, of all routes together, that end a release. A function answers a failing KMS or DynamoDB
#: with 503 whatever its version: a few of those are no reason to go back.
_API_ERRORS: Final = 5


def release_alarm_name(environment: str, subject: str) -> str:
    """Return the name of an alarm that ends a release: ``mfa-prod-release-setup-mfa``."""
    return f"mfa-{environment}-release-{subject}"


class GradualRelease(Construct):
    """Moves the aliases of functions by CodeDeploy.

    The alarms are this stack's own, not those of monitoring: that stack is deployed after this one and may be
    changed, or fail, without any release depending on it. They report to CodeDeploy alone; whoever is on call hears
    of the same failures from monitoring.

    Parameters
    ----------
    scope, id
        As of every construct.
    config
        The environment's settings.
    functions
        The functions, by their folder under ``functions``.
    api_name
        The API that they answer for.

    Attributes
    ----------
    alarms
        Every alarm that ends a release.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 (the name that every construct has)
        *,
        config: Config,
        functions: Mapping[str, MfaFunction],
        api_name: str,
    ) -> None:
        super().__init__(scope, id)
        self._environment: Final = config.environment
        application = codedeploy.LambdaApplication(self, "Application", application_name=f"mfa-{config.environment}")
        role = self._role()
        shift = codedeploy.LambdaDeploymentConfig.from_lambda_deployment_config_name(
            self, "TrafficShift", _code_deploy_name(config.traffic_shift)
        )
        api_errors = self._api_errors(api_name)
        self.alarms: Final[list[cloudwatch.Alarm]] = [api_errors]
        for folder, function in functions.items():
            errors = self._function_errors(folder)
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
            self.alarms.append(errors)

    def _role(self) -> iam.Role:
        policy = "service-role/AWSCodeDeployRoleForLambdaLimited"
        role = iam.Role(
            self,
            "Role",
            assumed_by=cast("iam.IPrincipal", iam.ServicePrincipal("codedeploy.amazonaws.com")),
            managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name(policy)],
            description=f"Moves the aliases of mfa-{self._environment}",
        )
        acknowledge(
            role,
            f"AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/{policy}]",
            "CodeDeploy's own policy for Lambda: aliases, and the state of alarms. A copy would miss its changes.",
        )
        return role

    def _function_errors(self, folder: str) -> cloudwatch.Alarm:
        function = contract.lambda_name(folder, self._environment)
        return self._alarm(
            folder.replace("_", "-"),
            # Handlers answer whatever goes wrong: an error of the invocation is a crash, a time-out or a failed
            # start, and a single one during a release is one too many.
            threshold=1,
            description=f"{function} crashed, timed out or did not start: its release is taken back.",
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
            description="The API answers 5xx: every release under way is taken back.",
            metric=cloudwatch.Metric(
                namespace="AWS/ApiGateway",
                metric_name="5XXError",
                dimensions_map={"ApiName": api_name, "Stage": contract.STAGE_NAME},
                statistic="Sum",
                period=Duration.minutes(1),
            ),
        )

    def _alarm(self, subject: str, *, threshold: int, description: str, metric: cloudwatch.Metric) -> cloudwatch.Alarm:
        return cloudwatch.Alarm(
            self,
            "".join(part.capitalize() for part in subject.split("-")),
            alarm_name=release_alarm_name(self._environment, subject),
            alarm_description=f"{description} See docs/deploy.md#automatic-rollback",
            metric=cast("cloudwatch.IMetric", metric),
            threshold=threshold,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            # No requests, no data points: nothing speaks against the release then.
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )


def _code_deploy_name(traffic_shift: str) -> str:
    """Return CodeDeploy's name of ``canary-10-percent-5-minutes``."""
    if traffic_shift == ALL_AT_ONCE:
        raise ValueError("nothing is shifted step by step")
    return "CodeDeployDefault.Lambda" + "".join(part.capitalize() for part in traffic_shift.split("-"))
