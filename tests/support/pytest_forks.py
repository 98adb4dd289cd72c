"""Runs pytest again and again, each time in a fork that has the slow imports behind it: ``python -m`` this.

Reads a line of JSON a run: the file for its output, and its arguments. Answers each with its exit status.
"""

import importlib
import json
import os
import sys
import traceback
from typing import Final

import pytest

#: What most tests of functions import of others, without a thread or a process that a fork would lack.
_SLOW: Final = (
    "aws_encryption_sdk",
    "aws_lambda_powertools.logging",
    "aws_lambda_powertools.metrics",
    "boto3",
    "hypothesis",
    "jwt",
    "moto",
    "moto.dynamodb.models",
    "moto.kms.models",
    "pydantic",
    "pyotp",
    "qrcode",
    "urllib3",
)
_OPTIONS: Final = (
    "--quiet",
    *("-p", "no:cacheprovider"),
    *("-p", "no:schemathesis"),
    *("-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning"),
)


def main() -> None:
    """Answer one line after the other until there is none."""
    for name in _SLOW:
        importlib.import_module(name)
    for line in sys.stdin:
        output, arguments = json.loads(line)
        process = os.fork()
        if process == 0:
            _run(output, arguments)
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)


def _run(output: str, arguments: list[str]) -> None:
    log = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    status = 70  # an internal software error, should pytest itself raise
    try:
        status = pytest.main([*_OPTIONS, *arguments])
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        sys.stdout.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
