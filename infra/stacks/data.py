"""The data that must outlive everything else: the table, the key that encrypts its secrets, and the proof's keys."""

from typing import Final

from aws_cdk import Annotations, CfnOutput
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from infra.config import Config
from infra.constructs.secret_key import SecretKey
from infra.constructs.signing_key import SigningKey
from infra.constructs.storage import Storage, existing_table
from infra.constructs.users_table import UsersTable
from infra.outputs import Output, StackId
from infra.stacks.environment import EnvironmentStack


class DataStack(EnvironmentStack):
    """The table and the keys of an environment. An existing table or key is used instead of a new one.

    Attributes
    ----------
    table
        One item for each user.
    proof_keys
        The new keys of the proof, by their names.
    storage
        The table and the keys, as the functions use them.
    """

    def __init__(self, scope: Construct, *, config: Config) -> None:
        super().__init__(scope, StackId.DATA, "Table and key of the MFA service", config=config)
        self.table: Final[dynamodb.ITableV2] = (
            existing_table(self, config) if config.users_table_name else UsersTable(self, "Table", config=config)
        )
        self.proof_keys: Final = {
            name: SigningKey(self, f"ProofKey-{name}", config=config, name=name) for name in config.new_proof_keys
        }
        secret_key_arn = config.secret_key_arn or SecretKey(self, "SecretKey", config=config).key_arn
        self.storage: Final = Storage(
            table=self.table,
            table_key_arn=config.users_table_key_arn,
            secret_key_arn=secret_key_arn,
            proof_key_arns=self._proof_key_arns(config),
            definition=self.definition(),
        )
        if config.users_table_name is None:
            # Last, so that no other resource can fail after it: a protected table cannot be deleted, not even when
            # its creation is rolled back, and its name would block the next deployment.
            self.table.node.add_dependency(*(each for each in self.node.children if each.node.id != self.table.node.id))
        if len(config.replica_regions) > 1:
            Annotations.of(self.table).add_info(
                "replica_regions: an update adds or removes one replica. If the table is deployed already, add these "
                "regions one deployment at a time, see docs/deploy.md#second-region"
            )
        CfnOutput(self, Output.TABLE_NAME, value=self.table.table_name)
        CfnOutput(self, Output.KEY_ARN, value=self.storage.secret_key_arn)

    def _proof_key_arns(self, config: Config) -> tuple[str, ...]:
        if config.proof_audience is None:
            return ()
        return tuple(self.proof_keys[key].key_arn if key in self.proof_keys else key for key in config.proof_keys)
