"""The image that functions are built on: the one of AWS, or a stand-in for it where that cannot be pulled."""

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from infra.packaging.workspace import digest
from tests.images.engine import Engine, EngineError, say
from tests.images.runtime_interface import runtime_interface

AWS_BASE: Final = "public.ecr.aws/lambda/python:3.13"

_STAND_IN: Final = Path(__file__).parent / "stand_in"
_NAME: Final = "localhost/mfa/lambda-python-stand-in"
_DEBIAN: Final = "localhost/mfa/stand-in-debian"
#: The Debian release whose Python is 3.13.
_SUITE: Final = "trixie"
#: The runtime's client needs libstdc++.
_PACKAGES: Final = "python3,python3-pip,ca-certificates,libstdc++6"
#: What this machine trusts: a registry may be reached by way of a mirror with a certificate of its own.
_TRUSTED: Final = Path("/etc/ssl/certs/ca-certificates.crt")


def base_image(engine: Engine) -> str:
    """Return the name of the base image; with podman that is the stand-in, made if it is not there yet.

    Raises
    ------
    EngineError
        The stand-in cannot be made; the message says what is missing.
    """
    if engine.is_docker:
        return AWS_BASE
    interface = runtime_interface()
    parts = [path.read_bytes() for path in sorted(_STAND_IN.iterdir())]
    tag = f"{_NAME}:{digest([_PACKAGES.encode(), interface.client.parent.name.encode(), *parts])}"
    if not engine.has_image(tag):
        debian = _debian(engine)
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(_STAND_IN, folder, dirs_exist_ok=True)
            shutil.copytree(interface.client.parent, folder, dirs_exist_ok=True)
            engine.build(Path(folder), tag, dockerfile=Path(folder, "Dockerfile"), arguments={"DEBIAN_IMAGE": debian})
    return tag


def _debian(engine: Engine) -> str:
    tag = f"{_DEBIAN}:{_SUITE}-{digest([_PACKAGES.encode()])}"
    if engine.has_image(tag):
        return tag
    if shutil.which("mmdebstrap") is None:
        raise EngineError(
            f"The stand-in for {AWS_BASE} is made by mmdebstrap, which is not installed.\n"
            "On Debian and Ubuntu scripts/install_image_tools.sh installs it. Or name a base that can be pulled: "
            "python -m tests.images --base-image NAME"
        )
    say(f"  making the stand-in's Debian {_SUITE} (once)")
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder, "root.tar")
        command = ["mmdebstrap", "--quiet", "--variant=essential", f"--include={_PACKAGES}", *_trust(), _SUITE]
        finished = subprocess.run([*command, str(archive)], capture_output=True, text=True, check=False)
        if finished.returncode:
            raise EngineError(f"mmdebstrap failed:\n{finished.stderr[-3000:]}")
        engine.run("import", str(archive), tag)
    return tag


def _trust() -> list[str]:
    return [f"--customize-hook=copy-in {_TRUSTED} {_TRUSTED.parent}"] if _TRUSTED.exists() else []
