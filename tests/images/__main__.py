"""Builds every function's image and runs it as on Lambda: ``python -m tests.images``.

Each container is read-only, without network and without privileges. AWS's Runtime Interface Emulator sends it a good
event, one that it refuses, and, started with a handler that is not there, one that nobody can answer. With Docker the
base is that of AWS; with podman it is a stand-in for it, made of Debian, which is said in the output.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
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
from tests.images.engine import Engine, EngineError, find_engine, say
from tests.images.inside import Exercise, Outcome

_EMULATOR_PORT: Final = 8080
_MOUNTED: Final = Path(inside.__file__)
#: What an image is like inside, as its own user sees it.
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
#: `nobody`, by number: an image needs no list of users.
_NOBODY: Final = 65534


def main() -> int:
    """Test all images, or those that are named; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.images", description=__doc__)
    parser.add_argument("functions", nargs="*", metavar="FUNCTION", help="functions to test; all by default")
    parser.add_argument("--base-image", help=f"build on this image instead of {AWS_BASE} or its stand-in")
    options = parser.parse_args()
    if unknown := set(options.functions) - set(FUNCTIONS):
        parser.error(f"no such function: {', '.join(sorted(unknown))}")
    started = time.monotonic()
    try:
        engine = find_engine()
        base = options.base_image or base_image(engine)
    except EngineError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    say(f"  {engine.name}, on {base}{'' if base == AWS_BASE or options.base_image else f' (NOT {AWS_BASE})'}")
    failures = _test_all(engine, base, options.functions or FUNCTIONS)
    count = len(options.functions or FUNCTIONS)
    say(f"{count - len(failures)} passed, {len(failures)} failed")
    say(f"  in {time.monotonic() - started:.0f} s")
    return 1 if failures else 0


def _test_all(engine: Engine, base: str, functions: list[str] | tuple[str, ...]) -> list[str]:
    failures: list[str] = []

    def attempt(what: str, test: Callable[[], None]) -> None:
        started = time.monotonic()
        try:
            test()
        except (AssertionError, EngineError, KeyError, ValueError) as error:
            failures.append(what)
            say("\n".join([f"  {what}: FAILED", str(error), *getattr(error, "__notes__", ())]))
        else:
            say(f"  {what}: ok ({time.monotonic() - started:.1f} s)")

    # One build after the other: functions with the same requirements share the layer that holds them.
    tested: list[tuple[str, str]] = []
    for function in functions:
        image = f"localhost/mfa/{function.replace('_', '-')}:test"
        attempt(f"build {function}", partial(_build, engine, base, function, image))
        tested.append((function, image))
    with ThreadPoolExecutor(2) as pool:
        for function, image in tested:
            if f"build {function}" not in failures:
                pool.submit(attempt, f"run {function}", partial(_run, engine, function, image))
    return sorted({failure.split()[1] for failure in failures})


def _build(engine: Engine, base: str, function: str, image: str) -> None:
    dockerfile = REPOSITORY / "functions" / function / "Dockerfile"
    engine.build(REPOSITORY, image, dockerfile=dockerfile, arguments={"BASE_IMAGE": base})


def _run(engine: Engine, function: str, image: str) -> None:
    variables = environment(function)
    with engine.container(image, [], environment=variables, mounted=_MOUNTED) as container:
        look = json.loads(engine.run("exec", container, "python", "-I", "-c", _LOOK))
        assert look == {"user": _NOBODY, "code": sorted(["__init__.py", "shared", function]), "uncompiled": []}, look
        prepared = case(function)
        prepared.check(_exercise(engine, container, prepared.exercise))
    wrong = contract.handler_path(function).replace("lambda_handler", "handler_of_another_name")
    with engine.container(image, [wrong], environment=variables, mounted=_MOUNTED) as container:
        (answer,) = _exercise(engine, container, Exercise(events=[{}])).answers
        check_wrong_handler(answer)


def _exercise(engine: Engine, container: str, exercise: Exercise) -> Outcome:
    given: dict[str, Any] = {"exercise": asdict(exercise), "world_port": WORLD_PORT, "emulator_port": _EMULATOR_PORT}
    said = engine.run("exec", "--interactive", container, "python", "-I", "/mounted", given=json.dumps(given))
    return Outcome(**json.loads(said))


if __name__ == "__main__":
    sys.exit(main())
