"""What a replica region needs to take over: replicas of the keys, beside the table's replica."""

from collections.abc import Mapping

from aws_cdk import CfnOutput
from constructs import Construct

from infra.config import Config
from infra.constructs.key_administration import KeyReplica
from infra.constructs.secret_key import secret_key_definition
from infra.constructs.signing_key import signing_key_definition
from infra.outputs import Output, StackId
from infra.stacks.environment import EnvironmentStack


class ReplicaStack(EnvironmentStack):
    """The replicas of the keys in one region. The table's replica is part of the table.

    Parameters
    ----------
    config
        The environment's settings.
    region
        The replica region.
    primary_key_arn
        The secret key that is replicated.
    proof_key_arns
        The keys of the proof that are replicated, by their names.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        config: Config,
        region: str,
        primary_key_arn: str,
        proof_key_arns: Mapping[str, str],
    ) -> None:
        description = "Replica of the key of the MFA service"
        super().__init__(scope, StackId.REPLICA, description, config=config, replica_region=region)
        definition = secret_key_definition(self, config)
        replica = KeyReplica(self, "SecretKey", config=config, primary_key_arn=primary_key_arn, definition=definition)
        CfnOutput(self, Output.KEY_ARN, value=replica.key_arn)
        for name, arn in proof_key_arns.items():
            definition = signing_key_definition(self, config, name)
            KeyReplica(self, f"ProofKey-{name}", config=config, primary_key_arn=arn, definition=definition)
