"""The table, with one item for each user."""

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from functions.shared.contract import Attribute
from infra.config import Config
from infra.constructs.retention import removal_policy


class UsersTable(dynamodb.TableV2):
    """The table of an environment, protected against loss and deletion."""

    def __init__(self, scope: Construct, id: str, *, config: Config) -> None:
        super().__init__(
            scope,
            id,
            # An explicit name: a change that would replace the table fails, because the name is taken.
            table_name=f"mfa-{config.environment}-users",
            partition_key=dynamodb.Attribute(name=Attribute.PK, type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name=Attribute.SK, type=dynamodb.AttributeType.STRING),
            billing=dynamodb.Billing.on_demand(),
            time_to_live_attribute=Attribute.EXPIRES_AT,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            dynamo_stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
            # Each secret is encrypted with the secret key, and the hashes of the backup codes are keyed by the secret.
            # A second customer key for the table would protect only user ids and times. It would cost KMS requests
            # and a permission for every function (the status route needs no KMS), and losing it would lose all data.
            encryption=dynamodb.TableEncryptionV2.dynamo_owned_key(),
            replicas=[dynamodb.ReplicaTableProps(region=region) for region in config.replica_regions] or None,
            deletion_protection=config.retain_data,
            removal_policy=removal_policy(config),
        )
