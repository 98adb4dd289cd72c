import dataclasses
import json
import stat
from pathlib import Path

import pytest

from local.stack import DEFAULT_PORT, Stack, StackFolder, default_port, publish
from tests.local.example import STACK


def test_a_saved_stack_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "stack.json"
    STACK.save(path)
    assert Stack.load(path) == STACK
    assert list(json.loads(path.read_text())) == [field.name for field in dataclasses.fields(Stack)]


def test_only_its_owner_can_read_the_state_file_which_is_replaced_atomically(tmp_path: Path) -> None:
    path = tmp_path / "stack.json"
    path.write_text("old")
    path.chmod(0o644)
    with path.open() as reader:
        STACK.save(path)
        assert reader.read() == "old"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def _save(root: Path, port: int) -> Path:
    folder = StackFolder(port, root)
    folder.create()
    STACK.save(folder.state)
    return folder.state


@pytest.mark.parametrize(
    ("running", "meant"), [([4600], 4600), ([4700, 4600], 4600), ([4100, DEFAULT_PORT, 4600], DEFAULT_PORT)]
)
def test_the_shared_link_points_to_the_default_port_or_else_the_lowest(
    tmp_path: Path, running: list[int], meant: int
) -> None:
    states = {port: _save(tmp_path, port) for port in running}
    publish(tmp_path)
    assert (tmp_path / "stack.json").resolve() == states[meant].resolve()
    assert default_port(tmp_path) == meant


def test_the_shared_link_moves_to_the_next_stack_and_goes_with_the_last(tmp_path: Path) -> None:
    first, second = _save(tmp_path, DEFAULT_PORT), _save(tmp_path, 4600)
    publish(tmp_path)
    first.unlink()
    publish(tmp_path)
    assert (tmp_path / "stack.json").resolve() == second.resolve()
    second.unlink()
    publish(tmp_path)
    assert not (tmp_path / "stack.json").is_symlink()
    assert default_port(tmp_path) == DEFAULT_PORT


def test_other_users_cannot_read_the_folder_of_a_stack(tmp_path: Path) -> None:
    folder = StackFolder(4600, tmp_path / "new")
    folder.directory.mkdir(parents=True, mode=0o755)  # by an older version, for example
    folder.create()
    assert stat.S_IMODE(folder.directory.stat().st_mode) == 0o700
