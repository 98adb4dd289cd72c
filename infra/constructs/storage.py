"""Where the users' items are and what seals their secrets: made by the data stack, or there before."""

from dataclasses import dataclass
from typing import Self

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from infra.config import Config


@dataclass(frozen=True, kw_only=True)
class Storage:
    """The table and the keys, as the functions need to know them.

    Attributes
    ----------
    table
        One item a user.
    table_key_arn
        The customer managed key that the table is encrypted with; None where DynamoDB encrypts it with its own.
    secret_key_arn
        The key that seals the TOTP secrets.
    """

    table: dynamodb.ITableV2
    table_key_arn: str | None
    secret_key_arn: str

    @classmethod
    def existing(cls, scope: Construct, config: Config) -> Self:
        """Return the storage of an environment that brings all of it.

        Raises
        ------
        ValueError
            Something has to be made: that is the data stack's to do.
        """
        if not config.secret_key_arn:
            raise ValueError("there is no secret_key_arn")
        return cls(
            table=existing_table(scope, config),
            table_key_arn=config.users_table_key_arn,
            secret_key_arn=config.secret_key_arn,
        )


def existing_table(scope: Construct, config: Config) -> dynamodb.ITableV2:
    """Return the table that the configuration names, for others to refer to; nothing of it is deployed.

    Raises
    ------
    ValueError
        The configuration names none.
    """
    if not config.users_table_name:
        raise ValueError("there is no users_table_name")
    return dynamodb.TableV2.from_table_attributes(
        scope,
        "ExistingTable",
        table_name=config.users_table_name,
        table_stream_arn=config.users_table_stream_arn,
    )
