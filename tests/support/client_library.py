"""Calls functions of the client library, ``clients/mfa.js``, in Node."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from infra.paths import REPOSITORY

NODE: Final = Path(sys.executable).with_name("node")
CLIENT_LIBRARY: Final = REPOSITORY / "clients" / "mfa.js"
_PROGRAM: Final = """
const [library, name] = process.argv.slice(1);
const { [name]: called } = await import("file://" + library);
const inputs = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(inputs.map((input) => called(input))));
"""


def called_in_node(function: str, inputs: list[Any]) -> list[Any]:
    """Return what an exported function returns for each input; all of them are values of JSON."""
    shown = subprocess.run(
        [NODE, "--input-type=commonjs", "-e", f"(async () => {{{_PROGRAM}}})()", CLIENT_LIBRARY, function],
        input=json.dumps(inputs),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    returned: list[Any] = json.loads(shown.stdout)
    return returned
