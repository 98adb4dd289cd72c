"""Prepares a new account for CDK: an administrator, and the resources of `cdk bootstrap`."""

import json
from typing import Final

import boto3

from local.server import REGION
from local.stack import Credentials

ACCOUNT: Final = "000000000000"
_QUALIFIER: Final = "hnb659fds"  # CDK's default
_BOOTSTRAP_VERSION: Final = "30"
_ADMINISTRATOR: Final = "administrator"
_ADMINISTRATOR_POLICY: Final = "arn:aws:iam::aws:policy/AdministratorAccess"


def session(credentials: Credentials, region: str) -> boto3.Session:
    """Return a boto3 session that ignores this machine's profiles and shared files."""
    return boto3.Session(
        aws_access_key_id=credentials.access_key_id,
        aws_secret_access_key=credentials.secret_access_key,
        aws_session_token=credentials.session_token,
        region_name=region,
    )


def create_administrator(root: Credentials, endpoint_url: str) -> Credentials:
    """Create a user with full access, and return its access key."""
    iam = session(root, REGION).client("iam", endpoint_url=endpoint_url)
    iam.create_user(UserName=_ADMINISTRATOR)
    iam.attach_user_policy(UserName=_ADMINISTRATOR, PolicyArn=_ADMINISTRATOR_POLICY)
    key = iam.create_access_key(UserName=_ADMINISTRATOR)["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


def bootstrap(administrator: Credentials, endpoint_url: str) -> None:
    """Create CDK's bucket, roles and version parameter.

    The same as `cdk bootstrap`, in half a second instead of ten. It omits the bucket's TLS-only policy, which would
    refuse uploads to an endpoint without TLS, and the image repository.
    """
    aws = session(administrator, REGION)
    s3, iam, ssm = (aws.client(service, endpoint_url=endpoint_url) for service in ("s3", "iam", "ssm"))
    s3.create_bucket(Bucket=f"cdk-{_QUALIFIER}-assets-{ACCOUNT}-{REGION}")
    account = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    for role, principal in {
        "deploy-role": account,
        "file-publishing-role": account,
        "lookup-role": account,
        "cfn-exec-role": {"Service": "cloudformation.amazonaws.com"},
    }.items():
        name = f"cdk-{_QUALIFIER}-{role}-{ACCOUNT}-{REGION}"
        trust = {"Effect": "Allow", "Principal": principal, "Action": ["sts:AssumeRole", "sts:TagSession"]}
        document = {"Version": "2012-10-17", "Statement": [trust]}
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))
        iam.attach_role_policy(RoleName=name, PolicyArn=_ADMINISTRATOR_POLICY)
    ssm.put_parameter(
        Name=f"/cdk-bootstrap/{_QUALIFIER}/version", Value=_BOOTSTRAP_VERSION, Type="String", Overwrite=True
    )
