"""Builds what Lambda runs, without Docker: the same inputs give the same bytes, on any machine.

``python -m infra.packaging prod`` builds the functions of an environment; synth builds what is missing.
"""

from infra.packaging.errors import PackagingError
from infra.packaging.package import DEPLOYED_FUNCTIONS, build_package
from infra.packaging.target import Target

__all__ = ["DEPLOYED_FUNCTIONS", "PackagingError", "Target", "build_package"]
