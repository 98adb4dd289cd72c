"""What happens to things that hold data when their stack is deleted."""

from aws_cdk import RemovalPolicy

from infra.config import Config


def removal_policy(config: Config) -> RemovalPolicy:
    """Return the policy for whatever holds data: kept in prod, deleted with its stack elsewhere."""
    return RemovalPolicy.RETAIN if config.retain_data else RemovalPolicy.DESTROY
