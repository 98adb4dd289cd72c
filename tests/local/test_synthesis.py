"""A start synthesizes only when something that the synthesis reads has changed."""

import json
import platform
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from infra.outputs import Output
from infra.paths import REPOSITORY
from local import deploy as deployment
from local.errors import LocalError
from local.progress import Progress
from local.stack import Credentials, StackFolder
from local.synthesis import inputs_digest


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of what the synthesis reads, and of some that it does not read, in an otherwise empty home."""
    monkeypatch.setenv("HOME", str(tmp_path))
    root = tmp_path / "checkout"
    for folder in ("infra", "functions", "local"):
        shutil.copytree(REPOSITORY / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for path in REPOSITORY.iterdir():
        if path.is_file():
            shutil.copy(path, root)
    return root


def append(name: str) -> Callable[[Path], object]:
    def change(root: Path) -> None:
        with (root / name).open("a") as file:
            file.write("\n")

    return change


@pytest.mark.parametrize(
    "change",
    [
        append("functions/setup_mfa/service.py"),
        append("functions/setup_mfa/requirements.txt"),
        append("infra/config/environments.py"),
        append("infra/stacks/service.py"),
        append("app.py"),
        append("cdk.json"),
        append("requirements.txt"),
        append("package-lock.json"),
        append("pyproject.toml"),
        append(".python-version"),
        lambda root: (root / "local.toml").write_text(""),
        lambda root: (root / "functions" / "shared" / "new.py").write_text(""),
        lambda root: (root / "infra" / "project.py").unlink(),
        lambda root: (root / "infra" / "project.py").rename(root / "infra" / "projects.py"),
        lambda root: (root.parent / ".cdk.json").write_text("{}"),
    ],
)
def test_a_change_of_an_input_changes_the_digest(checkout: Path, change: Callable[[Path], object]) -> None:
    before = inputs_digest([], checkout)
    change(checkout)

    assert inputs_digest([], checkout) != before


def test_other_files_do_not_change_the_digest(checkout: Path) -> None:
    before = inputs_digest([], checkout)
    append("local/deploy.py")(checkout)
    (checkout / "infra" / "__pycache__").mkdir()
    (checkout / "infra" / "__pycache__" / "stage.cpython-313.pyc").write_text("")

    assert inputs_digest([], checkout) == before


def test_the_settings_and_the_python_version_change_the_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    digests = {inputs_digest([]), inputs_digest(["--context", "cors_allowed_origins=http://localhost:3000"])}
    monkeypatch.setattr(platform, "python_version", lambda: "3.13.99")
    digests.add(inputs_digest([]))

    assert len(digests) == 3


class Cdk:
    """Stands in for CDK, and for the digest of what it reads."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        self.folder = StackFolder(4600, tmp_path)
        self.folder.create()
        self.inputs = "the inputs"
        monkeypatch.setattr(deployment, "provision", lambda *_: "protected/v1")
        monkeypatch.setattr(deployment, "inputs_digest", lambda settings: f"{self.inputs} {settings}")
        self._monkeypatch = monkeypatch

    def synthesizes(self, *, page: str = "http://127.0.0.1:5600", status: int = 0, edited: str | None = None) -> bool:
        """Deploy, and return whether CDK was asked to synthesize; its inputs may be edited meanwhile."""
        commands: list[list[str]] = []

        @contextmanager
        def start(command: list[str], _: dict[str, str]) -> Iterator[Any]:
            commands.append(command)
            self.folder.assembly.mkdir(exist_ok=True)
            self.inputs = edited or self.inputs
            outputs = {str(each): "https://id.execute-api.us-east-1.amazonaws.com/v1" for each in Output}
            self.folder.outputs.write_text(json.dumps({"mfa-local-data": outputs}))
            yield SimpleNamespace(stdout=["✨  Synthesis time: 1s\n"], wait=lambda: status, returncode=status)

        self._monkeypatch.setattr(deployment, "_start", start)
        deployment.deploy(self.folder, Credentials("AKIA", "secret"), page, Progress(StringIO()))
        (command,) = commands
        if "--app" in command:
            assert command[command.index("--app") + 1] == str(self.folder.assembly)
            assert "--context" not in command
        return "--app" not in command


@pytest.fixture
def cdk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cdk:
    return Cdk(monkeypatch, tmp_path)


def test_a_start_synthesizes_after_a_change_only(cdk: Cdk) -> None:
    other = "http://127.0.0.1:5601"
    assert [cdk.synthesizes(), cdk.synthesizes()] == [True, False]
    cdk.inputs = "changed"
    assert [cdk.synthesizes(), cdk.synthesizes(page=other), cdk.synthesizes(page=other)] == [True, True, False]


def test_a_start_after_a_failed_one_synthesizes(cdk: Cdk) -> None:
    cdk.synthesizes()
    cdk.inputs = "changed"
    with pytest.raises(LocalError):
        cdk.synthesizes(status=1)
    cdk.inputs = "the inputs"
    assert cdk.synthesizes()


def test_a_start_whose_output_was_removed_synthesizes(cdk: Cdk) -> None:
    cdk.synthesizes()
    shutil.rmtree(cdk.folder.assembly)
    assert cdk.synthesizes()


def test_a_start_after_an_edit_during_the_synthesis_that_was_undone_synthesizes(cdk: Cdk) -> None:
    cdk.synthesizes(edited="edited")
    cdk.inputs = "the inputs"
    assert cdk.synthesizes()
