"""The command line with a deployment of only a user pool: ``python -m tests.local.quick_stack run --port 4600``."""

import sys
from dataclasses import replace
from typing import Any
from unittest import mock

from local import lifecycle
from local.__main__ import main
from local.bootstrap import session
from local.server import REGION
from local.stack import Credentials, Stack, StackFolder
from tests.local.example import STACK


def _deploy(folder: StackFolder, administrator: Credentials, console_url: str, _: Any) -> Stack:
    endpoint_url = folder.endpoint_url
    cognito = session(administrator, REGION).client("cognito-idp", endpoint_url=endpoint_url)
    existing = cognito.list_user_pools(MaxResults=1)["UserPools"]
    if existing:
        pool = existing[0]["Id"]
    else:
        # As in the identity stack: an e-mail address is an alias, and refused as a user name.
        pool = cognito.create_user_pool(PoolName="quick", AliasAttributes=["email"])["UserPool"]["Id"]
    client = cognito.create_user_pool_client(UserPoolId=pool, ClientName="quick")["UserPoolClient"]["ClientId"]
    return replace(
        STACK,
        api_url=f"{endpoint_url}/_aws/execute-api/none/v1",
        endpoint_url=endpoint_url,
        console_url=console_url,
        region=REGION,
        user_pool_id=pool,
        client_id=client,
        access_key_id=administrator.access_key_id,
        secret_access_key=administrator.secret_access_key,
    )


if __name__ == "__main__":
    with mock.patch.object(lifecycle, "deploy", _deploy):
        sys.exit(main())
