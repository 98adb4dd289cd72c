"""The templates are the committed ones. `make snapshots` commits new ones, for a review to see the change."""

import difflib

import pytest

from tests.infra.readable import readable
from tests.infra.snapshot import VARIANTS, kept_templates, present_templates


@pytest.mark.parametrize("variant", VARIANTS)
def test_templates_are_the_committed_ones(variant: str) -> None:
    kept, present = kept_templates(variant), present_templates(variant)
    changes = [
        line
        for name in sorted(kept.keys() | present.keys())
        for line in difflib.unified_diff(
            kept.get(name, "").splitlines(), present.get(name, "").splitlines(), name, name, n=2, lineterm=""
        )
    ]

    assert not changes, "\n".join(["If this is intended, run `make snapshots`:", *changes])


def test_snapshots_show_references_and_no_digests() -> None:
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
