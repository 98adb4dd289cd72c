"""The CDK app. ``cdk synth -c environment=prod`` synthesizes one environment and checks it with cdk-nag."""

import sys

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks

from infra.config import ConfigError, load_config
from infra.packaging import PackagingError
from infra.packaging.code import code_source
from infra.stage import MfaStage


def main() -> int:
    """Synthesize the environment that the context selects, and return the exit status."""
    app = App()
    try:
        config = load_config(app.node.get_all_context())
        MfaStage(app, config=config, code=code_source(config))
    except (ConfigError, PackagingError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()
    return 0


if __name__ == "__main__":
    sys.exit(main())
