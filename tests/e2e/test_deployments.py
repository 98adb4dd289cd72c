"""Records survive successful, failed and rolled-back deployments with the CDK command line."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.shared.contract import STATUS
from infra.paths import REPOSITORY
from local import users
from local.deploy import cdk_environment, context, describe
from local.stack import Stack
from tests.support.http_user import HttpUser
from tests.support.stack import Api, Aws, own_stack

DOMAIN = "api.ailifestyle.app"
CERTIFICATE = "arn:aws:acm:us-east-1:000000000000:certificate/1234abcd-12ab-34cd-56ef-1234567890ab"
TIMEOUT_SECONDS = 600
OPTIONS = ("--no-color", "--ci", "--no-notices", "--no-version-reporting")

# Adds a header with the release to the responses.
RELEASE_2 = """

_answer = lambda_handler


def lambda_handler(event, context):
    answer = _answer(event, context)
    return answer | {"headers": answer["headers"] | {"X-Release": "2"}}
"""

# A resource that fails to deploy, after the functions were updated.
BROKEN = """
        from aws_cdk import CfnResource

        broken = CfnResource(
            self,
            "Broken",
            type="AWS::KMS::Alias",
            properties={"AliasName": "alias/aws/reserved", "TargetKeyId": self._storage.secret_key_arn},
        )
        for function in self.functions.values():
            broken.node.add_dependency(function)
"""


class Checkout:
    """A copy of the deployed sources, to be changed."""

    def __init__(self, root: Path) -> None:
        root.mkdir()
        self.root = root
        for name in ("functions", "infra"):
            shutil.copytree(REPOSITORY / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("app.py", "cdk.json", "pyproject.toml", "requirements.txt"):
            shutil.copy(REPOSITORY / name, root / name)
        # Packages are cached by the digest of their sources.
        for name in (".venv", "build"):
            (root / name).symlink_to(REPOSITORY / name)

    def append(self, file: str, text: str) -> None:
        """Add text to the end of a file."""
        with (self.root / file).open("a") as content:
            content.write(text)

    def insert(self, file: str, before: str, text: str) -> None:
        """Insert text before other text, which must occur once."""
        self.replace(file, before, f"{text}\n{before}")

    def replace(self, file: str, old: str, new: str) -> None:
        """Replace text, which must occur once."""
        content = (self.root / file).read_text()
        assert content.count(old) == 1, old
        (self.root / file).write_text(content.replace(old, new))


@dataclass(frozen=True)
class Deployment:
    """A deployed environment."""

    stack: Stack
    work: Path

    @property
    def _assembly(self) -> Path:
        return self.work / "cdk.out"

    def cdk(
        self, command: str, stacks: str, *arguments: str, checkout: Path = REPOSITORY
    ) -> "subprocess.CompletedProcess[str]":
        """Run CDK on stacks of a checkout."""
        assembly = ("--output", str(self._assembly))
        settings = context(endpoint_url=self.stack.endpoint_url, console_url=self.stack.console_url)
        return self.run("cdk", command, stacks, *OPTIONS, *assembly, *settings, *arguments, checkout=checkout)

    def cdk_again(self, command: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run CDK on all stacks, as the last run synthesized them."""
        return self.run("cdk", command, "**", *OPTIONS, "--app", str(self._assembly), *arguments)

    def run(self, *command: str, checkout: Path = REPOSITORY) -> "subprocess.CompletedProcess[str]":
        """Run a command in a checkout, with the credentials of the stack's administrator."""
        return subprocess.run(
            command,
            cwd=checkout,
            env=cdk_environment(self.stack.administrator, self.stack.endpoint_url),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )

    def deploy(self, *settings: str, checkout: Path = REPOSITORY) -> "subprocess.CompletedProcess[str]":
        """Deploy the service of a checkout with some settings."""
        context = [part for setting in settings for part in ("--context", setting)]
        options = ("--exclusively", "--require-approval", "never")
        return self.cdk("deploy", "mfa-local/service", *options, *context, checkout=checkout)


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    with own_stack(tmp_path / "stack") as (stack, _):
        yield Deployment(stack, tmp_path)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "checkout")


def succeeded(finished: "subprocess.CompletedProcess[str]") -> None:
    assert finished.returncode == 0, finished.stdout + finished.stderr


def live_versions(aws: Aws, stack: Stack) -> dict[str, str]:
    """Return the version that each function's alias points at, by the function's folder."""
    client = aws.client("lambda")
    return {
        folder: client.get_alias(FunctionName=name, Name="live")["FunctionVersion"]
        for folder, name in stack.functions.items()
    }


def release(user: HttpUser) -> str | None:
    """Return the release that answers the status route."""
    answer = user.call(STATUS)
    assert answer.status == 200
    assert answer.body["state"] == "ENABLED"
    return answer.headers.get("X-Release")


def test_a_record_survives_deployments_failures_and_rollbacks(deployment: Deployment, checkout: Checkout) -> None:
    stack = deployment.stack
    aws = Aws(stack)
    user = HttpUser(Api(stack.api_url), aws, stack.table_name, users.token(stack, "deployments@example.com"))
    user.enrol()
    record, versions = user.item(), live_versions(aws, stack)
    assert release(user) is None

    # -- one function changes, and the API gets a domain, a firewall and a traffic shift, as in prod
    checkout.append("functions/mfa_status/handler.py", RELEASE_2)
    edge = (f"domain_name={DOMAIN}", f"certificate_arn={CERTIFICATE}", "waf=true")
    shift = "traffic_shift=canary-10-percent-5-minutes"
    succeeded(deployment.deploy(*edge, shift, checkout=checkout.root))

    assert release(user) == "2"
    changed = live_versions(aws, stack)
    # The API's domain is the issuer of the proofs.
    with_issuer = {"verify_mfa", "verify_mfa_setup", "signing_keys"}
    assert {folder for folder in versions if changed[folder] != versions[folder]} == {"mfa_status", *with_issuer}
    assert user.item() == record
    under_domain = Api(f"{stack.endpoint_url}/v1").request(
        STATUS.method, STATUS.path, token=user.token, headers={"Host": DOMAIN}
    )
    assert (under_domain.status, under_domain.headers["X-Release"]) == (200, "2")

    # -- a failed deployment changes nothing
    checkout.append("functions/mfa_status/handler.py", RELEASE_2.replace('"2"', '"3"'))
    checkout.insert("infra/stacks/service.py", "        CfnOutput(self, Output.API_URL", BROKEN)
    failed = deployment.deploy(checkout=checkout.root)

    assert failed.returncode != 0
    assert "alias/aws/" in failed.stdout + failed.stderr
    assert release(user) == "2"
    assert live_versions(aws, stack) == changed
    assert user.item() == record

    # -- roll back by deploying the earlier release
    succeeded(deployment.deploy())

    assert release(user) is None
    assert user.item() == record
    assert user.verify_backup(user.backup_codes[0]).status == 200

    # -- destroy
    succeeded(deployment.cdk_again("destroy", "--force"))

    assert _gone(aws, stack)

    # -- a first deployment that fails half-way is repeated, in an environment that keeps its data
    unattended = ("--require-approval", "never")
    kept = ("--context", "retain_data=true", *unattended)
    failed = deployment.cdk("deploy", "**", *kept, checkout=checkout.root)

    assert "alias/aws/" in failed.stdout + failed.stderr
    assert status_of(aws, "mfa-local-service") == ("ROLLBACK_COMPLETE", True)

    refused = deployment.cdk("deploy", "**", *kept)

    assert "TerminationProtection" in refused.stdout + refused.stderr

    succeeded(deployment.run(sys.executable, "-m", "tools.unprotect", stack.environment))
    succeeded(deployment.cdk_again("deploy", *unattended))

    assert status_of(aws, "mfa-local-service") == ("CREATE_COMPLETE", True)
    assert status_of(aws, "mfa-local-data") == ("CREATE_COMPLETE", True)
    before = deployed(aws, stack)
    old_token = users.token(before, "before@example.com")
    assert status(before, old_token) == 200

    # -- the user pool is replaced: the functions follow, although their own code and settings are the same
    checkout = Checkout(deployment.work / "other")
    checkout.replace("infra/stacks/identity.py", '            "UserPool",', '            "OtherUserPool",')
    succeeded(deployment.cdk("deploy", "**", *kept, checkout=checkout.root))

    after = deployed(aws, stack)
    assert after.user_pool_id != before.user_pool_id
    assert status(after, users.token(after, "after@example.com")) == 200
    assert status(after, old_token) == 401


def deployed(aws: Aws, stack: Stack) -> Stack:
    """Return the stack as the outputs of its stacks describe it now."""
    outputs = {
        each["StackName"]: {output["OutputKey"]: output["OutputValue"] for output in each.get("Outputs", ())}
        for each in aws.client("cloudformation").describe_stacks()["Stacks"]
        if each["StackStatus"] != "DELETE_COMPLETE"
    }
    return describe(outputs, stack.administrator, endpoint_url=stack.endpoint_url, console_url=stack.console_url)


def status(stack: Stack, token: str) -> int:
    """Return the HTTP status of the status route for a token."""
    return Api(stack.api_url).request(STATUS.method, STATUS.path, token=token).status


def status_of(aws: Aws, name: str) -> tuple[str, bool]:
    """Return a stack's status, and whether it is protected against termination."""
    (found,) = aws.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    return found["StackStatus"], found["EnableTerminationProtection"]


def _gone(aws: Aws, stack: Stack) -> bool:
    functions: dict[str, Any] = aws.client("lambda").list_functions()
    names = {each["FunctionName"] for each in functions["Functions"]}
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        aws.client("dynamodb").describe_table(TableName=stack.table_name)
    stacks = aws.client("cloudformation").describe_stacks()["Stacks"]
    left = {each["StackName"] for each in stacks if each["StackStatus"] != "DELETE_COMPLETE"}
    return not names & set(stack.functions.values()) and not left
