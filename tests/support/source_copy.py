"""A copy of the project's sources, to be broken where the project itself must not be."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from infra.paths import REPOSITORY

#: What tests need of the project, but for those of its pipelines.
_FILES: Final = ("app.py", "cdk.json", "package.json", "pyproject.toml")
_FOLDERS: Final = ("docs", "functions", "infra", "local", "tests", "tools")
_LINKED: Final = (".venv", "node_modules")


@dataclass(frozen=True)
class Finished:
    """A run of pytest that is over: its exit status, and what it printed."""

    status: int
    output: str


class SourceCopy:
    """The project's sources in a folder of their own, and pytest there.

    Parameters
    ----------
    root : Path
        The folder; it must be empty.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._time = int(time.time())
        leftovers = shutil.ignore_patterns("__pycache__", "*.png", ".*")
        for name in _FILES:
            shutil.copy(REPOSITORY / name, root / name)
        for name in _FOLDERS:
            shutil.copytree(REPOSITORY / name, root / name, ignore=leftovers)
        for name in _LINKED:
            (root / name).symlink_to(REPOSITORY / name)

    def __enter__(self) -> Self:
        temporary = self.root / "tmp"  # a fork ends without tidying up
        temporary.mkdir()
        environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        self._forks = subprocess.Popen(
            [sys.executable, "-m", "tests.support.pytest_forks"],
            cwd=self.root,
            env=environ | {"TMPDIR": str(temporary)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        with self._forks:
            self._forks.terminate()

    @contextmanager
    def changed(self, file: str, text: str, instead: str) -> Iterator[None]:
        """Put something else in a text's place, for the length of a block.

        Parameters
        ----------
        file : str
            A path from the root of the project.
        text, instead : str
            A part of the file that is in it once, and what is to be there.
        """
        path = self.root / file
        whole = path.read_text()
        assert whole.count(text) == 1, f"{file} has {whole.count(text)} times {text!r}"
        self._write(path, whole.replace(text, instead))
        try:
            yield
        finally:
            self._write(path, whole)

    def _write(self, path: Path, text: str) -> None:
        path.write_text(text)
        # Python tells by size and second whether compiled code is fresh: two changes in a second could pass for one.
        self._time += 1
        os.utime(path, (self._time, self._time))

    def pytest(self, *arguments: str) -> Finished:
        """Run pytest in the copy."""
        output = self.root / "output"
        assert self._forks.stdin is not None
        assert self._forks.stdout is not None
        self._forks.stdin.write(json.dumps([str(output), arguments]) + "\n")
        self._forks.stdin.flush()
        return Finished(int(self._forks.stdout.readline()), output.read_text())
