"""The functions' code at synthesis: a zip that is built here, or an image that the deployment builds."""

from typing import Final

from aws_cdk import IgnoreMode
from aws_cdk import aws_ecr_assets as assets
from aws_cdk import aws_lambda as lambda_

from infra.config import IMAGE, Config
from infra.constructs.function import CodeSource
from infra.packaging.package import build_archive
from infra.packaging.target import Target
from infra.paths import REPOSITORY

_PLATFORMS: Final = {"arm64": assets.Platform.LINUX_ARM64, "x86_64": assets.Platform.LINUX_AMD64}


def code_source(config: Config) -> CodeSource:
    """Return the source of the functions' code in an environment.

    Zips are built at synthesis. Images are built by the CDK CLI when it deploys, from a copy of the sources in the
    cloud assembly, so synthesis needs no Docker.

    Raises
    ------
    PackagingError
        Raised by the returned function if a zip cannot be built.
    """

    def zipped(function: str) -> lambda_.Code:
        archive = build_archive(function, Target.of(config))
        # The hash of the contents, so that the template does not depend on the machine that compressed the zip.
        return lambda_.Code.from_asset(str(archive), asset_hash=archive.stem)

    def image(function: str) -> lambda_.Code:
        return lambda_.Code.from_asset_image(
            str(REPOSITORY),
            file=f"functions/{function}/Dockerfile",
            # The default would be the platform of the machine that runs the CDK CLI.
            platform=_PLATFORMS[config.architecture],
            ignore_mode=IgnoreMode.DOCKER,
            exclude=_all_but(function),
        )

    return image if config.packaging == IMAGE else zipped


def _all_but(function: str) -> list[str]:
    """Limit what ``.dockerignore`` admits to one function: a change in another one then leaves its image unchanged."""
    own = [f"!functions/{name}" for name in ("__init__.py", "shared", function)]
    return ["functions/*", *own, "**/__pycache__"]
