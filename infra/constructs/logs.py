"""Log groups, created before a service writes to them and creates one without a retention period."""

from typing import cast

from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.config import Config
from infra.constructs.retention import removal_policy


def log_group(
    scope: Construct,
    id: str,
    *,
    name: str,
    config: Config,
    protection: logs.DataProtectionPolicy | None = None,
) -> logs.LogGroup:
    """Return a log group whose lines are deleted after ``config.log_retention_days``.

    Parameters
    ----------
    name
        Its name on AWS.
    config
        The environment's settings.
    protection
        The policy that masks secrets in its lines; None masks nothing.
    """
    group = logs.LogGroup(
        scope, id, log_group_name=name, removal_policy=removal_policy(config), data_protection_policy=protection
    )
    # The construct expects an enumeration; CloudFormation and the configuration use a number of days.
    cast("logs.CfnLogGroup", group.node.default_child).retention_in_days = config.log_retention_days
    return group
