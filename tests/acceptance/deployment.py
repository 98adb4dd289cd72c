"""The deployment under test: everything that a check may use."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import Any, Final

import jwt

from functions.shared import contract
from infra.monitoring.rules.model import alarm_name
from infra.outputs import IMAGE_SUFFIX, LIVE, StackId
from tests.smoke.deployment import DeployedUser, outputs
from tests.smoke.journey import Journey, SmokeError
from tests.support.stack import Api

_POLL_SECONDS: Final = 5


@dataclass(frozen=True)
class Patience:
    """How many seconds a check waits for what arrives later."""

    messages: float = 120  # for an event, an alarm's message or a log line
    metrics: float = 20 * 60  # for a new metric in the list of metrics: AWS says up to 15 minutes
    settling: float = 60  # for a new rule or a queue's policy to take effect: SQS says up to a minute
    silence: float = 31 * 60  # for the functions' environments and the gateway's connections to become stale


@dataclass
class Deployment:
    """One environment on AWS, or on the local stack."""

    environment: str
    api: Api
    token: str = field(repr=False)  # of a disposable user
    client: Callable[[str], Any]  # returns an AWS client by the name of the service
    emulated: bool = False
    patience: Patience = Patience()
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.time
    _traffic: bool = field(default=False, init=False)

    def lambda_name(self, function: str) -> str:
        """Return the name of a function on AWS, by its folder."""
        return contract.lambda_name(function, self.environment)

    @cached_property
    def functions(self) -> dict[str, dict[str, Any]]:
        """The configuration of the live version of every deployed function, by its folder."""
        deployed = self.client("lambda")
        folders = [*(endpoint.function for endpoint in contract.ENDPOINTS), contract.AUTHORIZER_FUNCTION]
        found = {}
        for folder in (*folders, contract.SECURITY_EVENTS_FUNCTION, contract.SIGNING_KEYS_FUNCTION):
            for name in (self.lambda_name(folder), self.lambda_name(folder) + IMAGE_SUFFIX):
                with suppress(deployed.exceptions.ResourceNotFoundException):
                    found[folder] = deployed.get_function_configuration(FunctionName=name, Qualifier=LIVE)
        # A table without a stream has no security events, and without an audience there are no proofs.
        if missing := {*folders} - found.keys():
            raise ValueError(f"{self.environment} has no functions {', '.join(sorted(missing))}")
        return found

    def variables(self, function: str) -> dict[str, str]:
        """Return the environment variables of a function's live version."""
        return dict(self.functions[function]["Environment"]["Variables"])

    def outputs(self, stack: StackId) -> dict[str, str]:
        """Return the outputs of a stack; none if there is no such stack."""
        return outputs(self.environment, stack, client=self.client)

    def alarms(self) -> dict[str, dict[str, Any]]:
        """Return every alarm of the environment by its name."""
        pages = (
            self.client("cloudwatch")
            .get_paginator("describe_alarms")
            .paginate(AlarmNamePrefix=alarm_name(self.environment, ""), AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        )
        return {each["AlarmName"]: each for page in pages for each in page["MetricAlarms"] + page["CompositeAlarms"]}

    def journey(self) -> None:
        """Enrol, log in and turn MFA off as the disposable user.

        Raises
        ------
        SmokeError
            A response was wrong.
        """
        Journey(DeployedUser(self.api, self.token), show=lambda _line: None, sleep=self.sleep).run()
        self._traffic = True

    def cause_traffic(self) -> None:
        """Make the journey, unless another check did."""
        if not self._traffic:
            self.journey()

    def proof(self) -> str:
        """Return the proof that the disposable user gets for turning MFA on; turn MFA off again.

        Raises
        ------
        SmokeError
            MFA cannot be turned on.
        """
        user = DeployedUser(self.api, self.token)
        if user.setup().status != HTTPStatus.OK:
            raise SmokeError("setup: expected 200 for a user without MFA")
        answer = user.verify_setup()
        if answer.status != HTTPStatus.OK:
            raise SmokeError(f"verify-setup: expected 200, got {answer.status}")
        user.disable(backupCode=user.backup_codes[0])
        return str(answer.body.get("proof", ""))

    def claims(self) -> dict[str, Any]:
        """Return the claims of the access token."""
        found: dict[str, Any] = jwt.decode(self.token, options={"verify_signature": False})
        return found

    def settle(self) -> None:
        """Wait until a new rule or queue policy has taken effect.

        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
        """
        self.sleep(self.patience.settling)

    def until[Found](self, look: Callable[[], Found], *, seconds: float) -> Found:
        """Return what a function finds, once it is not empty, or the last empty result after some seconds."""
        waited = 0.0
        while not (found := look()) and waited < seconds:
            self.sleep(_POLL_SECONDS)
            waited += _POLL_SECONDS
        return found


def dimensions_of(described: Mapping[str, Any]) -> dict[str, str]:
    """Return the dimensions of a metric in a response of CloudWatch."""
    return {each["Name"]: each["Value"] for each in described.get("Dimensions") or ()}
