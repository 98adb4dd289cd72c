"""How Lambda runs the functions."""

import re
from typing import Any, Final

from functions.shared.contract import AUTHORIZER_FUNCTION, STATUS, VERIFY, Env
from infra.config.monitoring import Thresholds
from infra.outputs import LIVE, VERSION_TAG, Output, StackId
from infra.project import VERSION
from tests.acceptance.checks.alarms import deployed_alarm
from tests.acceptance.deployment import Deployment
from tests.acceptance.model import NotAnswerableError, expect, require

_RELEASED: Final = frozenset({"Created", "Queued", "InProgress", "Succeeded"})
_DURATION: Final = re.compile(r"^REPORT .*?\tDuration: ([\d.]+) ms.*?(?:Restore Duration: ([\d.]+) ms|$)", re.DOTALL)


def this_version(deployment: Deployment) -> str:
    """Compare the output of the service stack and the tag of a function with this checkout."""
    expect(deployment.outputs(StackId.SERVICE).get(Output.VERSION), VERSION, "version of the stack")
    return VERSION


def tags(deployment: Deployment) -> str:
    """Read the tags of a function, which its stack has and its template has not."""
    # Tags belong to the function, not to its alias.
    arn = deployment.functions[STATUS.function]["FunctionArn"].removesuffix(f":{LIVE}")
    found = deployment.client("lambda").list_tags(Resource=arn)["Tags"]
    expect(found.get(VERSION_TAG), deployment.outputs(StackId.SERVICE).get(Output.VERSION), f"tag {VERSION_TAG}")
    return f"{VERSION_TAG}: {found[VERSION_TAG]}"


def present_resources(deployment: Deployment) -> str:
    """Compare the variables of the live versions with the outputs of the stacks that own table, key and pool."""
    data, identity = deployment.outputs(StackId.DATA), deployment.outputs(StackId.IDENTITY)
    owned = [
        (VERIFY.function, Env.USERS_TABLE_NAME, data.get(Output.TABLE_NAME)),
        (VERIFY.function, Env.MFA_ENCRYPTION_KEY, data.get(Output.KEY_ARN)),
        (AUTHORIZER_FUNCTION, Env.JWT_ISSUER, identity.get(Output.ISSUER)),
        (AUTHORIZER_FUNCTION, Env.JWT_AUDIENCE, identity.get(Output.CLIENT_ID)),
    ]
    owned = [each for each in owned if each[2]]
    if not owned:
        raise NotAnswerableError("table, key and issuer exist outside the deployment")
    for function, variable, output in owned:
        expect(deployment.variables(function).get(variable), output, f"{variable} of {function}")
    return ", ".join(variable for _, variable, _ in owned)


def snapshots(deployment: Deployment) -> str:
    """Read the state of SnapStart on the version behind each alias."""
    found = {folder: each.get("SnapStart", {}) for folder, each in deployment.functions.items()}
    states = {folder: state for folder, state in found.items() if state.get("ApplyOn") == "PublishedVersions"}
    if not states:
        raise NotAnswerableError("snap_start is off")
    off = [folder for folder, state in states.items() if state.get("OptimizationStatus") != "On"]
    require(not off, f"SnapStart is not on for {', '.join(off)}")
    return f"on for {len(states)} functions"


def first_requests(deployment: Deployment) -> str:
    """Read the durations of the first and second request of the live version in its log."""
    version = deployment.functions[STATUS.function]["Version"]
    reports = [match for event in _reports(deployment, version) if (match := _DURATION.match(event))]
    first = next((match for match in reports if match[2]), None)
    if first is None:
        raise NotAnswerableError(f"no environment of version {version} has been restored from a snapshot yet")
    restored, duration = float(first[2]), float(first[1])
    later = [float(match[1]) for match in reports if not match[2]]
    limit = Thresholds().api_latency_p99_ms
    require(
        restored + duration < limit, f"the first request took {restored + duration:.0f} ms, the alarm is at {limit}"
    )
    second = f"{later[0]:.0f} ms" if later else "not yet"
    return f"restore {restored:.0f} ms, first request {duration:.0f} ms, a later one {second}"


def _reports(deployment: Deployment, version: str) -> list[str]:
    logs, group = deployment.client("logs"), f"/aws/lambda/{deployment.lambda_name(STATUS.function)}"
    streams = logs.describe_log_streams(logGroupName=group, orderBy="LastEventTime", descending=True)["logStreams"]
    found: list[str] = []
    for stream in streams:
        if f"[{version}]" in stream["logStreamName"]:
            events: list[dict[str, Any]] = logs.get_log_events(
                logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True
            )["events"]
            found += [event["message"] for event in events if event["message"].startswith("REPORT ")]
    return found


def releases(deployment: Deployment) -> str:
    """Read how the last gradual release of each function ended."""
    codedeploy, application = deployment.client("codedeploy"), f"mfa-{deployment.environment}"
    if application not in codedeploy.list_applications()["applications"]:
        raise NotAnswerableError("traffic_shift is all-at-once")
    groups = {
        folder: codedeploy.get_deployment_group(
            applicationName=application, deploymentGroupName=deployment.lambda_name(folder)
        )["deploymentGroupInfo"]
        for folder in deployment.functions
    }
    ends = {
        folder: each["lastAttemptedDeployment"] for folder, each in groups.items() if "lastAttemptedDeployment" in each
    }
    if not ends:
        raise NotAnswerableError("this is the first deployment, so no release has shifted traffic yet")
    failed = [f"{folder}: {each['status']}" for folder, each in ends.items() if each["status"] not in _RELEASED]
    require(not failed, f"the last release did not end well: {', '.join(failed)}")
    return f"{len(ends)} functions released step by step"


def replicas(deployment: Deployment) -> str:
    """Read the state of the table's replicas."""
    table = deployment.client("dynamodb").describe_table(
        TableName=deployment.variables(VERIFY.function)[Env.USERS_TABLE_NAME]
    )
    states = {each["RegionName"]: each["ReplicaStatus"] for each in table["Table"].get("Replicas", ())}
    if not states:
        raise NotAnswerableError("the table is in one region")
    waiting = [f"{region}: {state}" for region, state in states.items() if state != "ACTIVE"]
    require(not waiting, f"replicas are not active: {', '.join(waiting)}")
    return ", ".join(sorted(states))


def concurrency(deployment: Deployment) -> str:
    """Compare the account's quota of concurrent executions with the threshold of its alarm."""
    limit = deployment.client("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    alarm = deployed_alarm(deployment, "account-concurrency")
    require(limit > alarm["Threshold"], f"the quota is {limit}, the alarm waits for {alarm['Threshold']:.0f}")
    return f"quota {limit}, alarm at {alarm['Threshold']:.0f}"


def after_a_silence(deployment: Deployment) -> str:
    """Send a right and a wrong token, wait half an hour, and send both again."""
    before = _statuses(deployment)
    expiry = deployment.claims().get("exp", 0)
    if expiry and expiry < deployment.clock() + deployment.patience.silence:
        raise NotAnswerableError("the token expires before the end of the silence")
    deployment.sleep(deployment.patience.silence)
    expect(_statuses(deployment), before, "statuses after the silence")
    return f"{before} before and after"


def _statuses(deployment: Deployment) -> tuple[int, int]:
    right, wrong = (
        deployment.api.request(STATUS.method, STATUS.path, token=token).status
        for token in (deployment.token, "not-a-token")
    )
    expect((right, wrong), (200, 401), "statuses of a right and a wrong token")
    return right, wrong
