"""What a replica region needs to take over: a replica of the secret key, beside the table's replica."""

from aws_cdk import CfnOutput
from constructs import Construct

from infra.config import Config
from infra.constructs.secret_key import SecretKeyReplica
from infra.outputs import Output, StackId
from infra.stacks.environment import EnvironmentStack


class ReplicaStack(EnvironmentStack):
    """The replica of the secret key in one region. The table's replica is part of the table.

    Parameters
    ----------
    config
        The environment's settings.
    region
        The replica region.
    primary_key_arn
        The key that is replicated.
    """

    def __init__(self, scope: Construct, *, config: Config, region: str, primary_key_arn: str) -> None:
        description = "Replica of the key of the MFA service"
        super().__init__(scope, StackId.REPLICA, description, config=config, replica_region=region)
        replica = SecretKeyReplica(self, "SecretKey", config=config, primary_key_arn=primary_key_arn)
        CfnOutput(self, Output.KEY_ARN, value=replica.key_arn)
