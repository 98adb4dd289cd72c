"""The committed templates. ``make snapshots`` writes them again, and a review shows what a change does to them.

``stateful.json`` lists what must never be replaced. ``make snapshots`` only adds to it; to drop a resource on purpose,
edit that file.
"""

import json
import shutil
import sys
from pathlib import Path
from typing import Final

from tests.infra.deployments import EVERYTHING, deployment
from tests.infra.readable import readable
from tests.infra.stateful import Resources, losses, stateful_resources

FOLDER: Final = Path(__file__).with_name("snapshots")
_STATEFUL: Final = FOLDER / "stateful.json"

#: The deployments whose templates are kept. Only one has its monitoring kept: that of the others differs in thresholds
#: and subscribers.
VARIANTS: Final = ("dev", "prod", EVERYTHING)
#: The deployments in ``stateful.json``. The templates of ``local`` are those of ``dev`` with other settings.
STATEFUL_VARIANTS: Final = (*VARIANTS, "local")


def present_templates(variant: str) -> dict[str, str]:
    """Return the text of each template of a variant by its stack's name."""
    return {
        name: readable(stack.template)
        for name, stack in deployment(variant).stacks_by_name.items()
        if variant == EVERYTHING or not name.endswith("-monitoring")
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
    for variant in STATEFUL_VARIANTS:
        after[variant] = stateful_resources(deployment(variant))
        if lost := list(losses(before.get(variant, {}), after[variant])):
            sys.stderr.write("\n".join((*lost, f"To drop a resource on purpose, edit {_STATEFUL}.", "")))
            return 1
        if variant in VARIANTS:
            shutil.rmtree(FOLDER / variant, ignore_errors=True)
            (FOLDER / variant).mkdir(parents=True)
            for name, text in present_templates(variant).items():
                (FOLDER / variant / f"{name}.json").write_text(text)
    _STATEFUL.write_text(json.dumps(after, indent=1, sort_keys=True) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
