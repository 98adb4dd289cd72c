"""The zips run as on Lambda: AWS's runtime client loads them, its Runtime Interface Emulator invokes them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from functions.shared import contract
from infra.config import ENVIRONMENTS
from infra.packaging import Target, build_package
from local.ports import free_port, free_ports
from tests.images import inside
from tests.images.cases import FUNCTIONS, case, check_wrong_handler, environment
from tests.images.runtime_interface import runtime_interface

HERE = Target.of(ENVIRONMENTS["local"])
#: The interpreter outside the virtual environment, so that functions can import only their package.
PYTHON = Path(sys._base_executable)  # type: ignore[attr-defined]


@contextmanager
def emulated(function: str, handler: str, log: Path, world_port: int) -> Iterator[tuple[int, int]]:
    """Run a function's package, with AWS at a port; yield the emulator's port and the session's id."""
    package, interface = build_package(function, HERE), runtime_interface()
    port, api_port = free_ports(2)
    command = [str(interface.emulator), "--runtime-api-address", f"127.0.0.1:{api_port}"]
    command += ["--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
    command += [str(PYTHON), "-S", "-s", "-m", "awslambdaric", handler]
    variables = environment(function, world_port=world_port) | {
        "PYTHONPATH": f"{package}:{interface.client}",
        "LAMBDA_TASK_ROOT": str(package),
        "PATH": os.defpath,
    }
    with (
        log.open("w") as output,
        subprocess.Popen(
            command, cwd=package, env=variables, stdout=output, stderr=output, start_new_session=True
        ) as process,
    ):
        try:
            yield port, process.pid
        finally:
            os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_accepts_a_good_event_and_refuses_a_bad_one(function: str, tmp_path: Path) -> None:
    world_port = free_port()
    with emulated(function, contract.handler_path(function), tmp_path / "log", world_port) as (port, _):
        prepared = case(function)

        outcome = inside.run(prepared.exercise, world_port=world_port, emulator_port=port)

    prepared.check(outcome)


def test_a_missing_handler_is_reported(tmp_path: Path) -> None:
    function = contract.STATUS.function
    wrong = contract.handler_path(function).replace("lambda_handler", "handler_of_another_name")
    with emulated(function, wrong, tmp_path / "log", free_port()) as (port, _):
        check_wrong_handler(inside.invoke({}, port))
