"""One Lambda function with its own role, log group, published version and alias."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, cast

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from functions.shared import contract
from functions.shared.contract import Env
from infra.config import IMAGE, Config
from infra.constructs.acknowledge import acknowledge
from infra.constructs.log_protection import log_protection_policy
from infra.constructs.logs import log_group
from infra.outputs import IMAGE_SUFFIX, LIVE
from infra.project import VERSION

type CodeSource = Callable[[str], lambda_.Code]
"""Returns the code of a function, by its folder under ``functions``: the packager at synth, a stub in tests."""


class MfaFunction(Construct):
    """A function of the service, invoked only through :attr:`alias`.

    Parameters
    ----------
    function
        The function's folder under ``functions``.
    description
        What it does, for the console.
    config
        The environment's settings.
    code
        The source of its code.
    environment
        The environment variables that it reads, besides the environment's name, the log level and the version.
    statements
        What it may do, besides writing to its own log group.
    definitions
        Digests of what it refers to in other stacks. If one changes, a new version is published, with the values that
        the references then have.

    Attributes
    ----------
    name
        Its name on AWS. The package type of a function cannot change, and a replacement needs another name: so a
        function from an image has another name, and a change of ``packaging`` can be deployed in both directions. The
        log group is the same for both.
        https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        function: str,
        description: str,
        config: Config,
        code: CodeSource,
        environment: Mapping[Env, str],
        statements: Sequence[iam.PolicyStatement],
        definitions: Sequence[str] = (),
    ) -> None:
        super().__init__(scope, id)
        image = config.packaging == IMAGE
        name = contract.lambda_name(function, config.environment)
        self.name: Final = f"{name}{IMAGE_SUFFIX}" if image else name
        group = log_group(self, "Logs", name=f"/aws/lambda/{name}", config=config, protection=log_protection_policy())
        self.role: Final = iam.Role(
            self,
            "Role",
            assumed_by=cast("iam.IPrincipal", iam.ServicePrincipal("lambda.amazonaws.com")),
            description=f"What {name} may do",
        )
        group.grant_write(self.role)
        for statement in statements:
            self.role.add_to_policy(statement)
        snap_start = config.snap_start_of(function)
        common = {
            Env.ENVIRONMENT: config.environment,
            Env.LOG_LEVEL: config.log_level,
            Env.SERVICE_VERSION: VERSION,
        }
        self.function: Final = lambda_.Function(
            self,
            "Function",
            function_name=self.name,
            description=description,
            runtime=lambda_.Runtime.FROM_IMAGE if image else lambda_.Runtime.PYTHON_3_13,
            architecture={"arm64": lambda_.Architecture.ARM_64, "x86_64": lambda_.Architecture.X86_64}[
                config.architecture
            ],
            code=code(function),
            handler=lambda_.Handler.FROM_IMAGE if image else contract.handler_path(function),
            memory_size=config.memory_of(function),
            timeout=Duration.seconds(config.timeout_seconds),
            environment={str(key): value for key, value in (common | dict(environment)).items()},
            role=self.role,
            log_group=group,
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if snap_start else None,
            # The alias no longer uses an old version, and a kept snapshot is charged for by the hour.
            current_version_options=lambda_.VersionOptions(removal_policy=RemovalPolicy.DESTROY),
        )
        for definition in filter(None, definitions):
            self.function.invalidate_version_based_on(definition)
        self.alias: Final = lambda_.Alias(self, "Live", alias_name=LIVE, version=self.function.current_version)
        acknowledge(
            self.function,
            "AwsSolutions-L1",
            "Lambda supports Python 3.13 until 2029; code, bytecode and tests move to a newer version together.",
        )
        if snap_start:
            acknowledge(
                self.function,
                "@aws-cdk/aws-lambda:snapStartRequirePublish",
                "The alias below points at a published version.",
            )
