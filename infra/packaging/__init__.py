"""Builds the functions' packages without Docker. The same inputs give the same bytes on any machine.

``python -m infra.packaging prod`` builds the functions of an environment; synthesis builds those that are missing.
"""

from infra.packaging.package import DEPLOYED_FUNCTIONS, build_archive, build_package
from infra.packaging.target import Target
from infra.packaging.workspace import PackagingError

__all__ = ["DEPLOYED_FUNCTIONS", "PackagingError", "Target", "build_archive", "build_package"]
