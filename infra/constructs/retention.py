"""The removal policy of resources that hold data."""

from aws_cdk import RemovalPolicy

from infra.config import Config


def removal_policy(config: Config) -> RemovalPolicy:
    """Return the policy for resources that hold data: kept in prod, deleted with the stack elsewhere."""
    return RemovalPolicy.RETAIN if config.retain_data else RemovalPolicy.DESTROY
