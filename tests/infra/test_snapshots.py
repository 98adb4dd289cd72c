"""The templates are those that were committed: `make snapshots` commits others, for a review to see."""

import difflib
from collections.abc import Callable
from functools import cache

import pytest

from tests.infra.readable import readable
from tests.infra.snapshot import VARIANTS, kept_templates, present_templates, synthesize_variant
from tests.infra.synthesis import Synthesized
from tests.infra.test_rules import cfn_lint, nag_findings


@pytest.fixture(scope="module")
def synthesized_variant() -> Callable[[str], Synthesized]:
    return cache(synthesize_variant)


@pytest.fixture(params=VARIANTS)
def variant(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def environment(variant: str, synthesized_variant: Callable[[str], Synthesized]) -> Synthesized:
    return synthesized_variant(variant)


def test_the_templates_are_the_committed_ones(variant: str, environment: Synthesized) -> None:
    kept, present = kept_templates(variant), present_templates(variant, environment)
    changes = [
        line
        for name in sorted(kept.keys() | present.keys())
        for line in difflib.unified_diff(
            kept.get(name, "").splitlines(), present.get(name, "").splitlines(), name, name, n=2, lineterm=""
        )
    ]

    assert not changes, "\n".join(["If this is meant, run `make snapshots`:", *changes])


def test_cdk_nag_and_cfn_lint_find_nothing(environment: Synthesized) -> None:
    assert nag_findings(environment) == []
    finished = cfn_lint(*environment.templates)
    assert (finished.returncode, finished.stdout) == (0, "")


def test_a_snapshot_shows_what_refers_to_what_and_no_digest_of_code() -> None:
    version = "SetupMfaFunctionCurrentVersion53DE65CC1e440feb1196b508bfff3b6958705631"
    properties = {"Format": '{"status": "$context.status"}', "Arn": {"Fn::Join": ["", ["a:", {"Ref": "Api"}]]}}
    template = {
        "Resources": {
            version: {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Setup"}}},
            "Alias": {"Properties": {"FunctionVersion": {"Fn::GetAtt": [version, "Version"]}}},
            "Stage": {"Properties": properties},
        },
        "Rules": {"CheckBootstrapVersion": {}},
    }

    text = readable(template)

    assert '"SetupMfaFunctionCurrentVersion53DE65CC<digest>": {' in text
    assert '"FunctionVersion": "${SetupMfaFunctionCurrentVersion53DE65CC<digest>.Version}"' in text
    assert '{"Arn": "a:${Api}", "Format": {"status": "$context.status"}}' in text
    assert "Rules" not in text
