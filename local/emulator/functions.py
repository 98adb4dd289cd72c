"""Lambda: how functions run on this machine."""

import functools
import hashlib
import os
import queue
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, Final
from zipfile import BadZipFile, LargeZipFile, ZipFile

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

#: Concurrent execution environments of one function; more requests wait.
MAX_ENVIRONMENTS: Final = max(4, 4 * (os.cpu_count() or 1))

_END_OF_LOG: Final = "\x1eend of the invocation's log"
_LOG_SECONDS: Final = 1.0


def whole_log_without_waiting() -> None:
    """Collect an invocation's complete log without a delay.

    MiniStack reads a function's log until nothing arrives for a few milliseconds. This costs 50 ms if nothing was
    logged, and on a busy machine the last lines, such as a metric, go to the next invocation. Here the function's
    process marks the end of each invocation's log.
    """
    flush = "        _real_stdout.flush()\n\nrun()\n"
    marked = f"        print({_END_OF_LOG!r}, file=sys.stderr, flush=True)\n{flush}"
    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    if script.count(flush) != 1:
        raise RuntimeError("the worker script has changed; this gap no longer applies")
    lambda_runtime._PYTHON_WORKER_SCRIPT = script.replace(flush, marked)

    def drain(worker: Any) -> str:
        lines: list[str] = []
        deadline = time.monotonic() + _LOG_SECONDS
        while True:
            try:
                line = worker._stderr_queue.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:  # the process died
                break
            if line == _END_OF_LOG:
                break
            lines.append(line)
        return "\n".join(lines)

    lambda_runtime.Worker._drain_stderr_bounded = drain


def only_packaged_dependencies() -> None:
    """Hide this project's packages from functions, so that they see only those in their zip.

    MiniStack runs functions with its own interpreter in its virtual environment. A dependency that is missing from the
    package would go unnoticed until the deployment on AWS.
    """
    detect = lambda_runtime._detect_runtime_binary
    interpreter = getattr(sys, "_base_executable", sys.executable)

    def detect_without_environment(runtime: str) -> tuple[str, str]:
        binary, script = detect(runtime)
        return interpreter if binary == sys.executable else binary, script

    lambda_runtime._detect_runtime_binary = detect_without_environment


def bounded_concurrency() -> None:
    """Limit the execution environments of a function; more requests wait.

    On AWS and in MiniStack, each concurrent request gets its own environment. Fifty concurrent requests start fifty
    processes, which takes too long on a small machine.
    """
    execute = lambda_svc._execute_function_warm
    slots: dict[str, threading.BoundedSemaphore] = defaultdict(lambda: threading.BoundedSemaphore(MAX_ENVIRONMENTS))

    @functools.wraps(execute)
    def execute_in_turn(function: dict[str, Any], *arguments: Any) -> Any:
        config = function.get("config") or function
        with slots[config.get("FunctionArn", "")]:
            return execute(function, *arguments)

    lambda_svc._execute_function_warm = execute_in_turn


def code_extracted_once() -> None:
    """Extract a function's code once for all its execution environments, which must not change it.

    MiniStack extracts the package for each of them, which takes seconds and gigabytes.
    """
    lambda_runtime.zipfile = SimpleNamespace(ZipFile=_SharedZip, BadZipFile=BadZipFile, LargeFileError=LargeZipFile)


class _SharedZip(ZipFile):
    """A zip file that is extracted once; later extractions are links."""

    shared: ClassVar[dict[str, Path]] = {}
    sharing: ClassVar = threading.Lock()

    def extractall(self, path: Any = None, members: Any = None, pwd: Any = None) -> None:
        package = Path(str(self.filename))
        with package.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        with self.sharing:
            if digest not in self.shared:
                directory = Path(tempfile.mkdtemp(prefix="code-"))
                super().extractall(directory, members, pwd)
                self.shared[digest] = directory
        Path(path).rmdir()
        Path(path).symlink_to(self.shared[digest])
        package.unlink()


GAPS: Final = (whole_log_without_waiting, only_packaged_dependencies, bounded_concurrency, code_extracted_once)
