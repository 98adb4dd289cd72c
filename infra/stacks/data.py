"""What must outlive everything else: the table and the key that its secrets are sealed with."""

from typing import Any, Final

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from infra.config import Config
from infra.constructs.secret_key import SecretKey
from infra.constructs.storage import Storage, existing_table
from infra.constructs.users_table import UsersTable
from infra.outputs import Output


class DataStack(Stack):
    """The table and the secret key of an environment, but for what of the two exists already.

    Attributes
    ----------
    table
        One item a user.
    storage
        The table and the keys, as the functions need to know them.
    """

    def __init__(self, scope: Construct, id: str, *, config: Config, **stack: Any) -> None:  # noqa: ANN401 (passed on to Stack)
        super().__init__(scope, id, **stack)
        self.table: Final[dynamodb.ITableV2] = (
            existing_table(self, config) if config.users_table_name else UsersTable(self, "Table", config=config)
        )
        self.storage: Final = Storage(
            table=self.table,
            table_key_arn=config.users_table_key_arn,
            secret_key_arn=config.secret_key_arn or SecretKey(self, "SecretKey", config=config).key_arn,
        )
        CfnOutput(self, Output.TABLE_NAME, value=self.table.table_name)
        CfnOutput(self, Output.KEY_ARN, value=self.storage.secret_key_arn)
