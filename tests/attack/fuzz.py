"""``python -m tests.attack.fuzz TARGET SECONDS FOLDER``: fuzz one target with atheris, in a process of its own.

Exits with 0 after so many seconds without a finding, else with the finding's traceback; what caused it is in FOLDER.
"""

import importlib
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import atheris

#: An input that takes longer is a finding: no request may hold a function up.
_SECONDS_FOR_ONE = 10
_MAX_BYTES = 6000


def main(name: str, seconds: int, folder: Path) -> None:
    """Fuzz a target, with seeds, corpus and findings in a folder."""
    instrumented = ["functions", "aws_encryption_sdk", "jwt", "tests.attack.fuzz_targets"]
    with atheris.instrument_imports(include=instrumented):
        targets = importlib.import_module("tests.attack.fuzz_targets")
    target = targets.PLANTED if name == "planted" else targets.TARGETS[name]
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(target.seeds()):
        target.run(seed)
        (corpus / f"seed-{number}").write_bytes(seed)
    # The functions log and count on standard output; the fuzzer speaks on standard error.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    options = {
        "max_total_time": seconds,
        "timeout": _SECONDS_FOR_ONE,
        "max_len": _MAX_BYTES,
        "artifact_prefix": f"{folder}/",
        "print_final_stats": 1,
    }
    arguments = [f"-{option}={value}" for option, value in options.items()]
    atheris.Setup([sys.argv[0], *arguments, str(corpus)], _telling(target.run))
    atheris.Fuzz()


def _telling(run: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """Print a finding's traceback where the fuzzer speaks: it prints it itself where nobody listens."""

    def run_and_tell(data: bytes) -> None:
        try:
            run(data)
        except BaseException:
            traceback.print_exc(file=sys.stderr)
            raise

    return run_and_tell


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
