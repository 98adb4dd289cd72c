"""Builds every function's image and runs it as Lambda does: ``python -m tests.images``.

Each container is read-only, without network and without privileges. AWS's Runtime Interface Emulator sends it an event
that succeeds and one that is refused; a second container is started with a handler that does not exist. A build with a
changed hash must fail. Docker builds on AWS's base image, podman on a stand-in made of Debian, as the output says.
"""

import argparse
import json
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Final

from functions.shared import contract
from infra.paths import REPOSITORY
from tests.images import inside
from tests.images.base import AWS_BASE, base_image
from tests.images.cases import FUNCTIONS, WORLD_PORT, case, check_wrong_handler, environment
from tests.images.engine import Engine, EngineError, find_engine
from tests.images.inside import Exercise, Outcome

_EMULATOR_PORT: Final = 8080
_MOUNTED: Final = Path(inside.__file__)
#: Prints what the image's own user sees in it.
_LOOK: Final = """
import json, os, pathlib
task = pathlib.Path("/var/task")
modules = [path for path in task.rglob("*.py")]
compiled = lambda path: (path.parent / "__pycache__" / f"{path.stem}.cpython-313.pyc").is_file()
print(json.dumps({
    "user": os.getuid(),
    "code": sorted(path.name for path in (task / "functions").iterdir() if path.name != "__pycache__"),
    "uncompiled": [str(path) for path in modules if not compiled(path)],
}))
"""
#: The user ``nobody``, by number because an image needs no list of users.
_NOBODY: Final = 65534


def main() -> int:
    """Test all images, or those on the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.images", description=__doc__)
    parser.add_argument("functions", nargs="*", metavar="FUNCTION", help="functions to test; default: all")
    parser.add_argument("--base-image", help=f"build on this image instead of {AWS_BASE} or its stand-in")
    options = parser.parse_args()
    functions = options.functions or FUNCTIONS
    if unknown := set(functions) - set(FUNCTIONS):
        parser.error(f"no such function: {', '.join(sorted(unknown))}")
    started = time.monotonic()
    try:
        engine = find_engine()
        base = options.base_image or base_image(engine)
    except EngineError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    print(f"  {engine.name}, on {base}{'' if base in (AWS_BASE, options.base_image) else f' (NOT {AWS_BASE})'}")
    failures = _test_all(engine, base, functions)
    print(f"{len(failures)} failures in {len(functions)} images, {time.monotonic() - started:.0f} s")
    return 1 if failures else 0


def _test_all(engine: Engine, base: str, functions: Sequence[str]) -> list[str]:
    failures: list[str] = []

    def attempt(what: str, test: Callable[[], None]) -> None:
        started = time.monotonic()
        try:
            test()
        except (AssertionError, EngineError, KeyError, ValueError) as error:
            failures.append(what)
            print("\n".join([f"  {what}: FAILED", str(error), *getattr(error, "__notes__", ())]), flush=True)
        else:
            print(f"  {what}: ok ({time.monotonic() - started:.1f} s)", flush=True)

    # Built one after the other, because functions with the same requirements share a layer.
    for function in functions:
        attempt(f"build {function}", partial(_build, engine, base, function))
    attempt(f"refuse a changed hash in {functions[0]}", partial(_refuse_changed_hash, engine, base, functions[0]))
    with ThreadPoolExecutor(2) as pool:
        for function in functions:
            if f"build {function}" not in failures:
                pool.submit(attempt, f"run {function}", partial(_run, engine, function))
    return failures


def _image(function: str) -> str:
    return f"localhost/mfa/{function.replace('_', '-')}:test"


def _build(engine: Engine, base: str, function: str, context: Path = REPOSITORY) -> None:
    dockerfile = f"functions/{function}/Dockerfile"
    engine.build(context, _image(function), dockerfile=dockerfile, arguments={"BASE_IMAGE": base})


def _refuse_changed_hash(engine: Engine, base: str, function: str) -> None:
    # Of a package that no function names: its hash is in the constraints only.
    package = re.compile(r"^typing-extensions==.*\n(?:    --hash=.*\n)+", re.MULTILINE)
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder)
        shutil.copytree(REPOSITORY / "functions", context / "functions")
        pinned = (REPOSITORY / "requirements.txt").read_text()
        changed = package.sub(lambda match: re.sub("[0-9a-f]{64}", "0" * 64, match[0]), pinned)
        assert changed != pinned
        (context / "requirements.txt").write_text(changed)
        refusal = ""
        try:
            _build(engine, base, function, context)
        except EngineError as error:
            refusal = str(error)
        assert "typing-extensions" in refusal, refusal or "the build accepted it"


def _run(engine: Engine, function: str) -> None:
    variables = environment(function)
    with engine.container(_image(function), [], environment=variables, mounted=_MOUNTED) as container:
        look = json.loads(engine.run("exec", container, "python", "-I", "-c", _LOOK))
        assert look == {"user": _NOBODY, "code": sorted(["__init__.py", "shared", function]), "uncompiled": []}, look
        prepared = case(function)
        prepared.check(_exercise(engine, container, prepared.exercise))
    wrong = contract.handler_path(function).replace("lambda_handler", "handler_of_another_name")
    with engine.container(_image(function), [wrong], environment=variables, mounted=_MOUNTED) as container:
        (response,) = _exercise(engine, container, Exercise(events=[{}])).answers
        check_wrong_handler(response)


def _exercise(engine: Engine, container: str, exercise: Exercise) -> Outcome:
    plan: dict[str, Any] = {"exercise": asdict(exercise), "world_port": WORLD_PORT, "emulator_port": _EMULATOR_PORT}
    output = engine.run("exec", "--interactive", container, "python", "-I", "/mounted", stdin=json.dumps(plan))
    return Outcome(**json.loads(output))


if __name__ == "__main__":
    sys.exit(main())
