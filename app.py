"""The CDK app: ``cdk synth -c environment=prod`` synthesizes one environment, and checks it with cdk-nag."""

import sys

from aws_cdk import App, Validations
from aws_cdk import aws_lambda as lambda_
from cdk_nag import AwsSolutionsChecks

from infra.config import ConfigError, load_config
from infra.packaging import PackagingError, Target, build_package
from infra.stage import MfaStage


def main() -> int:
    """Synthesize the environment that the context asks for; return the exit status."""
    app = App()
    try:
        config = load_config(app.node.get_all_context())
        target = Target.of(config)
        MfaStage(
            app, config=config, code=lambda function: lambda_.Code.from_asset(str(build_package(function, target)))
        )
    except (ConfigError, PackagingError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()
    return 0


if __name__ == "__main__":
    sys.exit(main())
