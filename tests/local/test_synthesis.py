"""A start synthesizes only when something that the synthesis reads has changed."""

import json
import platform
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
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
    """Stands in for CDK: records whether it was asked to synthesize, and writes its output and the stacks' outputs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        self._folder = StackFolder(4600, tmp_path)
        self._folder.create()
        self.status = 0
        self.synthesized: list[bool] = []
        self.inputs = "the inputs"
        self.edited: str | None = None
        monkeypatch.setattr(deployment, "_start", self._start)
        monkeypatch.setattr(deployment, "provision", lambda *_: "protected/v1")
        monkeypatch.setattr(deployment, "inputs_digest", lambda settings: f"{self.inputs} {settings}")

    def deploy(self, *, console_url: str = "http://127.0.0.1:5600") -> None:
        deployment.deploy(self._folder, Credentials("AKIA", "secret"), console_url, Progress(StringIO()))

    @contextmanager
    def _start(self, command: list[str], _environment: dict[str, str]) -> Iterator[Any]:
        assembly = self._folder.assembly
        if "--app" in command:
            assert command[command.index("--app") + 1] == str(assembly)
            assert "--context" not in command
        self.synthesized.append("--app" not in command)
        assembly.mkdir(exist_ok=True)
        self.inputs = self.edited or self.inputs
        outputs = {str(each): "https://id.execute-api.us-east-1.amazonaws.com/v1" for each in Output}
        self._folder.outputs.write_text(json.dumps({"mfa-local-data": outputs}))
        process = type("Process", (), {"stdout": StringIO("✨  Synthesis time: 1s\n"), "wait": lambda _: self.status})()
        process.returncode = self.status
        yield process


@pytest.fixture
def cdk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cdk:
    return Cdk(monkeypatch, tmp_path)


def test_a_second_start_does_not_synthesize(cdk: Cdk) -> None:
    cdk.deploy()
    cdk.deploy()

    assert cdk.synthesized == [True, False]


def test_a_start_after_a_change_synthesizes(cdk: Cdk) -> None:
    cdk.deploy()
    cdk.inputs = "changed"
    cdk.deploy()
    cdk.deploy(console_url="http://127.0.0.1:5601")

    assert cdk.synthesized == [True, True, True]


def test_a_start_after_a_failed_one_synthesizes(cdk: Cdk) -> None:
    cdk.deploy()
    cdk.inputs, cdk.status = "changed", 1
    with pytest.raises(LocalError):
        cdk.deploy()
    cdk.inputs, cdk.status = "the inputs", 0
    cdk.deploy()

    assert cdk.synthesized == [True, True, True]


def test_a_start_whose_output_was_removed_synthesizes(cdk: Cdk, tmp_path: Path) -> None:
    cdk.deploy()
    shutil.rmtree(tmp_path / "4600" / "cdk.out")
    cdk.deploy()

    assert cdk.synthesized == [True, True]


def test_a_start_after_an_edit_during_the_synthesis_that_was_undone_synthesizes(cdk: Cdk) -> None:
    cdk.edited = "edited"
    cdk.deploy()
    cdk.edited, cdk.inputs = None, "the inputs"
    cdk.deploy()

    assert cdk.synthesized == [True, True]
