"""The base image of the functions: AWS's, or a stand-in for machines that cannot pull it."""

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from infra.packaging.workspace import digest
from tests.images.engine import Engine, EngineError
from tests.images.runtime_interface import runtime_interface

AWS_BASE: Final = "public.ecr.aws/lambda/python:3.13"

_STAND_IN: Final = Path(__file__).parent / "stand_in"
_NAME: Final = "localhost/mfa/lambda-python-stand-in"
_DEBIAN: Final = "localhost/mfa/stand-in-debian"
#: The Debian release with Python 3.13.
_SUITE: Final = "trixie"
#: The runtime's client needs libstdc++.
_PACKAGES: Final = "python3,python3-pip,ca-certificates,libstdc++6"
#: The certificates that this machine trusts, in case the package index is reached through a mirror.
_TRUSTED: Final = Path("/etc/ssl/certs/ca-certificates.crt")


def base_image(engine: Engine) -> str:
    """Return the name of the base image: AWS's for Docker, the stand-in for podman, which is built if it is missing.

    Raises
    ------
    EngineError
        The stand-in cannot be built; the message says what is missing.
    """
    if engine.name == "docker":
        return AWS_BASE
    interface = runtime_interface()
    parts = [path.read_bytes() for path in sorted(_STAND_IN.iterdir())]
    tag = f"{_NAME}:{digest([_PACKAGES.encode(), interface.client.parent.name.encode(), *parts])}"
    if not engine.has_image(tag):
        debian = _debian(engine)
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(_STAND_IN, folder, dirs_exist_ok=True)
            shutil.copytree(interface.client.parent, folder, dirs_exist_ok=True)
            engine.build(Path(folder), tag, dockerfile="Dockerfile", arguments={"DEBIAN_IMAGE": debian})
    return tag


def _debian(engine: Engine) -> str:
    tag = f"{_DEBIAN}:{_SUITE}-{digest([_PACKAGES.encode()])}"
    if engine.has_image(tag):
        return tag
    if shutil.which("mmdebstrap") is None:
        raise EngineError(
            f"mmdebstrap, which builds the stand-in for {AWS_BASE}, is not installed.\n"
            "On Debian and Ubuntu, scripts/install_image_tools.sh installs it. Or name a base image that can be "
            "pulled: python -m tests.images --base-image NAME"
        )
    print(f"  building the stand-in's Debian {_SUITE} (once)", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        archive = str(Path(folder, "root.tar"))
        trust = [f"--customize-hook=copy-in {_TRUSTED} {_TRUSTED.parent}"] if _TRUSTED.exists() else []
        command = ["mmdebstrap", "--quiet", "--variant=essential", f"--include={_PACKAGES}", *trust, _SUITE, archive]
        finished = subprocess.run(command, capture_output=True, text=True, check=False)
        if finished.returncode:
            raise EngineError(f"mmdebstrap failed:\n{finished.stderr[-3000:]}")
        engine.run("import", archive, tag)
    return tag
