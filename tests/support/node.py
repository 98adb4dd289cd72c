"""Programs in Node: what browsers do, and the functions of the client library, ``clients/mfa.js``."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from infra.paths import REPOSITORY

NODE: Final = Path(sys.executable).with_name("node")


def in_node(function: str, value: Any) -> Any:
    """Return what a JavaScript function, which may be asynchronous, returns for a value of JSON."""
    program = f"""
    const value = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
    Promise.resolve(({function})(value)).then((returned) => console.log(JSON.stringify(returned)));
    """
    ran = subprocess.run(
        [NODE, "--input-type=commonjs", "-e", program],
        cwd=REPOSITORY,
        input=json.dumps(value),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(ran.stdout)


def called_in_client_library(function: str, inputs: list[Any]) -> list[Any]:
    """Return what an exported function of the client library returns for each input."""
    library = (REPOSITORY / "clients" / "mfa.js").as_uri()
    made: list[Any] = in_node(
        f"async (inputs) => {{ const library = await import('{library}'); "
        f"return inputs.map((input) => library.{function}(input)); }}",
        inputs,
    )
    return made
