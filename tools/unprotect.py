"""Let CDK repeat a first deployment that failed: ``python -m tools.unprotect ENVIRONMENT``, run by scripts/deploy.sh.

A stack whose creation was rolled back is empty, and CDK deletes it before it creates the stack again. CDK protects the
stacks of an environment like ``prod`` against termination before it creates them, so CloudFormation refuses that.
This removes the protection of such stacks, and of no others. CDK restores it with the next deployment.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

#: The states of a stack that was never created. It cannot be updated, only deleted.
_NEVER_CREATED: Final = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED")


def main(arguments: Sequence[str] | None = None) -> int:
    """Remove the protection, print the names of the stacks, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.unprotect", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("environment", metavar="ENVIRONMENT")
    prefix = f"mfa-{parser.parse_args(arguments).environment}-"
    try:
        # boto3 only reads AWS_DEFAULT_REGION; CDK reads AWS_REGION first.
        cloudformation: Any = boto3.client("cloudformation", region_name=os.environ.get("AWS_REGION"))
        for page in cloudformation.get_paginator("describe_stacks").paginate():
            for stack in page["Stacks"]:
                name = stack["StackName"]
                if name.startswith(prefix) and stack["StackStatus"] in _NEVER_CREATED:
                    cloudformation.update_termination_protection(StackName=name, EnableTerminationProtection=False)
                    sys.stdout.write(f"{name} was never created: its termination protection is off\n")
    except (BotoCoreError, ClientError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
