"""Where the users' items are stored, and the key that encrypts their secrets."""

from dataclasses import dataclass

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from infra.config import Config


@dataclass(frozen=True, kw_only=True)
class Storage:
    """The table and the keys, as the functions use them.

    Attributes
    ----------
    table
        One item for each user.
    table_key_arn
        The customer managed key that encrypts the table; None if DynamoDB uses its own.
    secret_key_arn
        The key that encrypts the TOTP secrets.
    proof_key_arns
        The keys of the proof, the one that signs first; empty if proofs are off.
    definition
        A digest that changes if a deployment may replace the table or a key; empty if all of them exist already.
    """

    table: dynamodb.ITableV2
    table_key_arn: str | None
    secret_key_arn: str
    proof_key_arns: tuple[str, ...] = ()
    definition: str = ""


def existing_table(scope: Construct, config: Config) -> dynamodb.ITableV2:
    """Return a reference to the configured table, which is not deployed."""
    return dynamodb.TableV2.from_table_attributes(
        scope,
        "ExistingTable",
        table_name=config.users_table_name,
        table_stream_arn=config.users_table_stream_arn,
    )
