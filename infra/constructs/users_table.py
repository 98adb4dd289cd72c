"""The table: one item a user."""

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from functions.shared.contract import Attribute
from infra.config import Config
from infra.constructs.retention import removal_policy


class UsersTable(dynamodb.TableV2):
    """The table of an environment, with everything that protects it."""

    def __init__(self, scope: Construct, id: str, *, config: Config) -> None:
        super().__init__(
            scope,
            id,
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
            # The secrets are sealed item by item with a key of their own, and the backup codes' hashes are keyed by
            # them. A second customer key around it all would protect user ids and times, at the price of KMS
            # requests by every caller, of a grant on it in every role (the status route needs no KMS at all),
            # and of one more thing whose loss takes everything with it.
            encryption=dynamodb.TableEncryptionV2.dynamo_owned_key(),
            replicas=[dynamodb.ReplicaTableProps(region=region) for region in config.replica_regions] or None,
            deletion_protection=config.retain_data,
            removal_policy=removal_policy(config),
        )
