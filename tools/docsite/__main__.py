"""Build the documentation site into build/site; a warning is an error. ``make docs`` runs it.

The site loads nothing from other hosts. Open build/site/index.html from the disk, or serve it by ``make docs-serve``:

  python -m tools.docsite              build the site
  python -m tools.docsite --diagrams   rewrite the generated diagrams, and the code from clients/, in docs/*.md

The exit status is 0 for success, 1 for an error in the documentation, 2 for wrong usage.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from local.progress import Progress
from tools.docsite import diagrams, samples
from tools.docsite.build import SITE, DocumentationError, build


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.docsite", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=SITE, metavar="FOLDER", help="output folder (build/site)")
    parser.add_argument("--diagrams", action="store_true", help="rewrite the generated parts and build nothing")
    options = parser.parse_args(arguments)
    if options.diagrams:
        print(*diagrams.write(), samples.write(), sep="\n")
        return 0
    try:
        build(options.output, Progress())
    except DocumentationError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"The documentation is in {os.path.relpath(options.output)}: open index.html, or run `make docs-serve`.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
