"""Builds the measured packages as they would be deployed, and returns their sizes."""

import io
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

from uv import find_uv_bin

from infra.config import ENVIRONMENTS
from infra.packaging import Target, build_package, bytecode
from infra.packaging.workspace import BUILD, digest, make_once

HERE: Final = Target.of(ENVIRONMENTS["local"])
LAMBDA: Final = Target.of(ENVIRONMENTS["prod"])
PEERS: Final = Path(__file__).with_name("peers")

_BUILD: Final = BUILD / "bench"


def ours(function: str) -> Path:
    """Return a function's package for this machine, as the local stack deploys it."""
    return build_package(function, HERE)


def straightforward() -> Path:
    """Return the straightforward peer's package: its requirements, untrimmed, with bytecode."""
    source = PEERS / "straightforward"
    requirements = source / "requirements.txt"
    handler = source / "handler.py"

    def make(folder: Path) -> None:
        command = [find_uv_bin(), "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
        command += ["--python-version", "3.13", "--only-binary", ":all:", "--target", str(folder)]
        _run([*command, "-r", str(requirements)])
        shutil.rmtree(folder / "bin", ignore_errors=True)
        shutil.copy(handler, folder / "handler.py")
        bytecode.compile_tree(folder)

    return make_once(_BUILD / "straightforward" / digest([requirements.read_bytes(), handler.read_bytes()]), make)


def node() -> Path:
    """Return the Node peer's package: one file, bundled and minified by esbuild."""
    source = PEERS / "node"
    inputs = [source / name for name in ("package.json", "package-lock.json", "src/handler.mjs")]

    def make(folder: Path) -> None:
        modules = folder / "build"
        modules.mkdir()
        for name in ("package.json", "package-lock.json"):
            shutil.copy(source / name, modules / name)
        shutil.copytree(source / "src", modules / "src")
        _run([tool("npm"), "ci", "--silent", "--no-audit", "--no-fund"], modules)
        _run([tool("npm"), "run", "--silent", "bundle"], modules)
        shutil.copy(modules / "dist" / "handler.mjs", folder / "handler.mjs")
        shutil.rmtree(modules)

    return make_once(_BUILD / "node" / digest([path.read_bytes() for path in inputs]), make)


def zipped_bytes(folder: Path) -> int:
    """Return the size of a folder as a zip."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                file.write(path, path.relative_to(folder))
    return len(archive.getvalue())


def unzipped_bytes(folder: Path) -> int:
    """Return the total size of the files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def tool(name: str) -> str:
    """Return the path of a program that the Python environment contains, such as ``node``."""
    return str(Path(sys.executable).with_name(name))


def _run(command: list[str], folder: Path | None = None) -> None:
    finished = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
    if finished.returncode:
        raise RuntimeError(f"{' '.join(command)}:\n{finished.stdout}{finished.stderr}")
