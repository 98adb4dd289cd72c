"""The removal policy of resources that hold data."""

from aws_cdk import RemovalPolicy

from infra.config import Config


def removal_policy(config: Config) -> RemovalPolicy:
    """Return the policy for resources that hold data: kept in prod, deleted with the stack elsewhere.

    A kept resource is deleted if its creation is rolled back (CloudFormation's ``RetainExceptOnCreate``). With
    ``Retain`` it would stay without a stack, and as its name is fixed, each later deployment would fail.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
    """
    return RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if config.retain_data else RemovalPolicy.DESTROY
