"""The committed templates. ``make snapshots`` writes them again, and a review shows what a change does to them.

``stateful.json`` lists what must never be replaced. ``make snapshots`` only adds to it; to drop a resource on purpose,
edit that file.
"""

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.infra.readable import readable
from tests.infra.stateful import Resources, losses, stateful_resources
from tests.infra.synthesis import Synthesized, synthesize

FOLDER: Final = Path(__file__).with_name("snapshots")
_STATEFUL: Final = FOLDER / "stateful.json"

#: The variant whose monitoring is kept. The others differ from it in thresholds and subscribers.
MONITORED: Final = "prod-with-everything"

#: The environments whose templates are kept, by the name of their folder.
VARIANTS: Final[Mapping[str, Mapping[str, str]]] = {
    "dev": {"environment": "dev"},
    "prod": {"environment": "prod"},
    MONITORED: {
        "environment": "prod",
        "domain_name": "api.ailifestyle.app",
        "certificate_arn": "arn:aws:acm:us-east-1:123456789012:certificate/1234abcd-12ab-34cd-56ef-1234567890ab",
        "hosted_zone_id": "Z0123456789ABCDEFGHIJ",
        "hosted_zone_name": "ailifestyle.app",
        "replica_regions": "us-west-2",
        "proof_audience": "payments",
        "monitoring.alert_emails": "team@ailifestyle.app",
        "monitoring.page_urls": "https://pager.example.com/hook",
    },
}
#: The environments in ``stateful.json``. The templates of ``local`` are those of ``dev`` with other settings.
STATEFUL_VARIANTS: Final = {**VARIANTS, "local": {"environment": "local"}}


def present_templates(variant: str, environment: Synthesized) -> dict[str, str]:
    """Return the text of each template of a variant by its stack's name."""
    return {
        name: readable(stack.template)
        for name, stack in environment.stacks_by_name.items()
        if variant == MONITORED or not name.endswith("-monitoring")
    }


def kept_templates(variant: str) -> dict[str, str]:
    """Return the committed text of each template of a variant by its stack's name."""
    return {path.stem: path.read_text() for path in sorted((FOLDER / variant).glob("*.json"))}


def kept_stateful() -> dict[str, dict[str, Resources]]:
    """Return the committed list of what must not be lost, by variant and stack."""
    found: dict[str, dict[str, Resources]] = json.loads(_STATEFUL.read_text()) if _STATEFUL.exists() else {}
    return found


def main() -> int:
    """Write the snapshots; refuse if data would be lost."""
    before, after = kept_stateful(), {}
    for variant, settings in STATEFUL_VARIANTS.items():
        environment = synthesize(**settings)
        after[variant] = stateful_resources(environment)
        if lost := list(losses(before.get(variant, {}), after[variant])):
            sys.stderr.write("\n".join((*lost, f"To drop a resource on purpose, edit {_STATEFUL}.", "")))
            return 1
        if variant in VARIANTS:
            shutil.rmtree(FOLDER / variant, ignore_errors=True)
            (FOLDER / variant).mkdir(parents=True)
            for name, text in present_templates(variant, environment).items():
                (FOLDER / variant / f"{name}.json").write_text(text)
    _STATEFUL.write_text(json.dumps(after, indent=1, sort_keys=True) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
