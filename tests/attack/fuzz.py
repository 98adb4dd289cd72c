"""``python -m tests.attack.fuzz TARGET SECONDS FOLDER``: fuzz one target with atheris.

Exits with 0 after SECONDS without a finding. Otherwise prints the traceback, and writes the input to FOLDER.
"""

import importlib
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import atheris

#: An input that takes longer is a finding.
_SECONDS_FOR_ONE = 10
_MAX_BYTES = 6000


def main(name: str, seconds: int, folder: Path) -> None:
    """Fuzz a target, with seeds, corpus and findings in a folder."""
    instrumented = ["functions", "aws_encryption_sdk", "jwt", "tests.attack.fuzz_targets"]
    with atheris.instrument_imports(include=instrumented):
        targets = importlib.import_module("tests.attack.fuzz_targets")
    target = targets.TARGETS[name]
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(target.seeds()):
        target.run(seed)
        (corpus / f"seed-{number}").write_bytes(seed)
    # The functions write logs to standard output; the fuzzer writes to standard error.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    options = {
        "max_total_time": seconds,
        "timeout": _SECONDS_FOR_ONE,
        "max_len": _MAX_BYTES,
        "artifact_prefix": f"{folder}/",
        "print_final_stats": 1,
    }
    arguments = [f"-{option}={value}" for option, value in options.items()]
    atheris.Setup([sys.argv[0], *arguments, str(corpus)], _printing(target.run))
    atheris.Fuzz()


def _printing(run: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """Return a target that prints the traceback of a finding to standard error, where atheris does not."""

    def run_and_print(data: bytes) -> None:
        try:
            run(data)
        except BaseException:
            traceback.print_exc(file=sys.stderr)
            raise

    return run_and_print


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
