"""What another region needs to be able to take over: a replica of the key, beside the table's."""

from typing import Any, Final

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from infra.config import Config
from infra.constructs.secret_key import SecretKeyReplica
from infra.outputs import Output


class ReplicaStack(Stack):
    """The replica of the secret key in one region. The table's replica belongs to the table.

    Attributes
    ----------
    key_arn
        ARN of the replica, for the functions of this region.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: Config,
        primary_key_arn: str,
        **stack: Any,  # noqa: ANN401 (passed on to Stack)
    ) -> None:
        super().__init__(scope, id, **stack)
        replica = SecretKeyReplica(self, "SecretKey", config=config, primary_key_arn=primary_key_arn)
        self.key_arn: Final = replica.key_arn
        CfnOutput(self, Output.KEY_ARN, value=self.key_arn)
