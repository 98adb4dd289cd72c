"""Builds the packages of an environment: ``python -m infra.packaging prod``."""

import argparse
import sys

from infra.config import ENVIRONMENTS, ConfigError, load_config
from infra.packaging import DEPLOYED_FUNCTIONS, PackagingError, Target, build_archive
from infra.packaging.workspace import report
from infra.paths import REPOSITORY


def main() -> int:
    """Build every function of the environment on the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m infra.packaging", description=__doc__)
    parser.add_argument("environment", choices=ENVIRONMENTS)
    try:
        target = Target.of(load_config({"environment": parser.parse_args().environment}))
        for function in DEPLOYED_FUNCTIONS:
            report(f"{function}: {build_archive(function, target).relative_to(REPOSITORY)}")
    except (ConfigError, PackagingError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
