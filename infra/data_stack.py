"""What must outlive everything else: the table and the key that its secrets are sealed with."""

from typing import Any, Final

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from functions.shared.contract import Attribute
from infra.config import Config
from infra.constructs.retention import removal_policy
from infra.constructs.secret_key import SecretKey
from infra.outputs import Output


class DataStack(Stack):
    """The table and the secret key of an environment.

    Attributes
    ----------
    table
        One item a user.
    secret_key
        The key that seals the TOTP secrets.
    """

    def __init__(self, scope: Construct, id: str, *, config: Config, **stack: Any) -> None:  # noqa: A002, ANN401
        super().__init__(scope, id, **stack)
        self.table: Final = dynamodb.TableV2(
            self,
            "Table",
            # A name of its own: a change that would replace the table fails, as the name is taken.
            table_name=f"mfa-{config.environment}-users",
            partition_key=dynamodb.Attribute(name=Attribute.PK, type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name=Attribute.SK, type=dynamodb.AttributeType.STRING),
            billing=dynamodb.Billing.on_demand(),
            time_to_live_attribute=Attribute.EXPIRES_AT,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            dynamo_stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
            # The secrets are sealed item by item with the key below, and the backup codes' hashes are keyed by
            # them. A second customer key around it all would protect user ids and times, at the price of KMS
            # requests by every caller, of a grant on it in every role (the status route needs no KMS at all),
            # and of one more thing whose loss takes everything with it.
            encryption=dynamodb.TableEncryptionV2.dynamo_owned_key(),
            deletion_protection=config.retain_data,
            removal_policy=removal_policy(config),
        )
        self.secret_key: Final = SecretKey(self, "SecretKey", config=config)
        CfnOutput(self, Output.TABLE_NAME, value=self.table.table_name)
        CfnOutput(self, Output.KEY_ARN, value=self.secret_key.key_arn)
