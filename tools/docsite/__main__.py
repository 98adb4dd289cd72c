"""Build the documentation site into build/site; a warning is an error. ``make docs`` runs it.

The site loads nothing from other hosts. Open build/site/index.html from the disk; only the search needs a server.

  python -m tools.docsite              build
  python -m tools.docsite --serve      build, then serve it on http://127.0.0.1:8000 until Ctrl-C
  python -m tools.docsite --diagrams   rewrite the generated diagrams in docs/*.md

The exit status is 0 for success, 1 for an error in the documentation, 2 for wrong usage.
"""

import argparse
import http.server
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from local.ports import LOOPBACK
from local.progress import Progress
from tools.docsite import diagrams
from tools.docsite.build import SITE, DocumentationError, build

_PORT: Final = 8000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.docsite", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=SITE, metavar="FOLDER", help="output folder (build/site)")
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--serve", action="store_true", help="serve the site on this machine")
    action.add_argument("--diagrams", action="store_true", help="rewrite the generated diagrams, and build nothing")
    parser.add_argument("--port", type=int, default=_PORT, help="with --serve (%(default)s)")
    options = parser.parse_args(arguments)
    try:
        if options.diagrams:
            print(*diagrams.write(), sep="\n")
            return 0
        build(options.output, Progress())
        return _serve(options.output, options.port) if options.serve else _report(options.output)
    except DocumentationError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _report(site: Path) -> int:
    print(f"The documentation is in {os.path.relpath(site)}: open index.html there, or run `make docs-serve`.")
    return 0


def _serve(site: Path, port: int) -> int:
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(site))
    try:
        server = http.server.ThreadingHTTPServer((LOOPBACK, port), handler)
    except OSError as error:
        raise DocumentationError(f"Cannot use port {port} ({error.strerror}); choose another with --port.") from None
    with server:
        print(f"The documentation is at http://{LOOPBACK}:{port}. Stop with Ctrl-C.", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print(file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
