"""cdk-nag and cfn-lint, run on synthesized environments."""

import subprocess
import sys
from pathlib import Path

from cdk_nag import AwsSolutionsChecks

from tests.infra.synthesis import Synthesized


def nag_findings(environment: Synthesized) -> list[str]:
    report = AwsSolutionsChecks().validate_scope(environment.app)
    return [
        f"{violation.rule_name} on {resource.resource_logical_id}"
        for violation in report.violations
        for resource in violation.violating_resources
    ]


def cfn_lint(*templates: Path) -> subprocess.CompletedProcess[str]:
    program = str(Path(sys.executable).with_name("cfn-lint"))
    # W3005: CDK makes a function depend on its role's policy and on the role. The role is redundant, and harmless.
    command = [program, "--ignore-checks", "W3005", "--", *map(str, templates)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def assert_no_findings(environment: Synthesized) -> None:
    assert nag_findings(environment) == []
    finished = cfn_lint(*environment.templates)
    assert (finished.returncode, finished.stdout) == (0, "")
