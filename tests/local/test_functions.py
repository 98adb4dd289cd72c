import io
import json
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from local.emulator.functions import MAX_ENVIRONMENTS
from tests.support.emulator import Deploy, Emulator, function

_WORKS = "def handler(event, context):\n    "


def _invoke(emulator: Emulator, name: str, event: object = None) -> object:
    response = emulator.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
    return json.loads(response["Payload"].read())


def _logged(emulator: Emulator, name: str) -> list[str]:
    events = emulator.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    return [event["message"] for event in events]


def test_the_log_of_a_burst_of_lines_is_complete(emulator: Emulator, deploy: Deploy) -> None:
    # The pause is longer than the emulator would wait for more lines.
    code = "import time\n" + _WORKS + "print('first')\n    time.sleep(0.4)\n    [print(n) for n in range(500)]"
    with_log = deploy({"F": function(code)})
    name = with_log.physical_id("F")
    _invoke(emulator, name)
    assert [line for line in _logged(emulator, name) if line.isdigit()] == [str(n) for n in range(500)]


def test_a_log_line_written_at_the_very_end_belongs_to_its_invocation(emulator: Emulator, deploy: Deploy) -> None:
    # A log that is slow to arrive: the lines of one invocation must not appear in the next.
    code = _WORKS + "print('invocation', event, 'x' * 100_000)"
    deployed = deploy({"F": function(code)})
    name = deployed.physical_id("F")
    for number in range(20):
        _invoke(emulator, name, number)
        assert [line.split()[1] for line in _logged(emulator, name) if "invocation" in line][-1] == str(number)


def test_an_invocation_that_logs_nothing_takes_no_longer_than_one_that_logs(emulator: Emulator, deploy: Deploy) -> None:
    deployed = deploy({"F": function(_WORKS + "event and print(event)")})
    name = deployed.physical_id("F")

    def seconds(event: object) -> float:
        began = time.monotonic()
        _invoke(emulator, name, event)
        return time.monotonic() - began

    # In turns, so that other load on the machine affects both.
    silent, logging = zip(*((seconds(None), seconds("a line")) for _ in range(12)), strict=True)
    assert min(silent) < min(logging) + 0.03  # without the gap filled it waits 50 ms for a line


@pytest.mark.parametrize("package", ["boto3", "ministack", "pytest"])
def test_a_function_does_not_see_the_packages_of_this_project(emulator: Emulator, deploy: Deploy, package: str) -> None:
    code = "import importlib.util\n" + _WORKS + "return importlib.util.find_spec(event) is not None"
    deployed = deploy({"F": function(code)})
    assert _invoke(emulator, deployed.physical_id("F"), package) is False


def test_a_function_has_its_roles_credentials_and_the_emulators_address(emulator: Emulator, deploy: Deploy) -> None:
    code = "import os\n" + _WORKS + "return {k: os.environ.get(k) for k in event}"
    deployed = deploy({"F": function(code)})
    names = ["AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN", "AWS_REGION", "LOG_LEVEL"]
    seen = _invoke(emulator, deployed.physical_id("F"), names)
    assert isinstance(seen, dict)
    assert (seen["AWS_ENDPOINT_URL"], seen["AWS_REGION"]) == (emulator.url, "us-east-1")
    assert seen["AWS_ACCESS_KEY_ID"].startswith("ASIA")
    assert seen["AWS_SESSION_TOKEN"]
    assert seen["LOG_LEVEL"] is None


def test_a_burst_of_requests_shares_a_few_processes(emulator: Emulator, deploy: Deploy) -> None:
    code = "import os, time\n" + _WORKS + "time.sleep(0.05)\n    return os.getpid()"
    deployed = deploy({"F": function(code, Timeout=30)})
    name = deployed.physical_id("F")
    with ThreadPoolExecutor(MAX_ENVIRONMENTS * 3) as pool:
        processes = list(pool.map(lambda _: _invoke(emulator, name), range(MAX_ENVIRONMENTS * 3)))
    assert all(isinstance(process, int) for process in processes)
    assert 1 < len(set(processes)) <= MAX_ENVIRONMENTS


def test_processes_of_a_function_share_its_extracted_code(emulator: Emulator, deploy: Deploy) -> None:
    # Large enough for the processes to start while it is being extracted.
    code = "import os, time\n" + _WORKS + "time.sleep(0.5)\n    return [os.getpid(), os.path.realpath(__file__)]\n"
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("index.py", code)
        for number in range(2000):
            archive.writestr(f"module_{number}.py", "")
    deployed = deploy({"F": function(code), "Other": function(code)})
    name = deployed.physical_id("F")
    emulator.client("lambda").update_function_code(FunctionName=name, ZipFile=package.getvalue())
    with ThreadPoolExecutor(4) as pool:
        seen: list[Any] = list(pool.map(lambda _: _invoke(emulator, name), range(4)))
    assert len({process for process, _ in seen}) > 1
    assert len({file for _, file in seen}) == 1
    other: Any = _invoke(emulator, deployed.physical_id("Other"))
    assert other[1] != seen[0][1]
