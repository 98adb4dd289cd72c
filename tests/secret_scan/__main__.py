"""Looks for secrets in everything that git tracks or would: ``python -m tests.secret_scan``, or in the FILEs named.

The exit status is 1 if there is one, or if `tests.secret_scan.allowed` explains what is nowhere any more.
"""

import argparse
import sys
from collections.abc import Sequence

from infra.paths import REPOSITORY
from tests.secret_scan.allowed import ALLOWED, THIS_LIST, Allowed
from tests.secret_scan.scan import Finding, files_of, findings


def main(arguments: Sequence[str] | None = None) -> int:
    """Look, and tell; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.secret_scan", description=__doc__)
    parser.add_argument("files", nargs="*", metavar="FILE", help="from the root of the repository; all by default")
    named = parser.parse_args(arguments).files
    files = named or files_of(REPOSITORY)
    found = findings(REPOSITORY, files)
    secrets, stale = unexplained(found), [] if named else unused(found)
    for each in secrets:
        # What was found is not repeated: the output of a pipeline is read by more people than its code.
        sys.stderr.write(f"{each.file}:{each.line}: looks like a secret ({each.kind})\n")
    for allowed in stale:
        sys.stderr.write(f"{THIS_LIST}: nothing is like {allowed.text!r} any more\n")
    if secrets:
        sys.stderr.write(f"Take it out and revoke it; or, if it is none, say so in {THIS_LIST}.\n")
    print(f"{len(files)} files, {len(secrets)} secrets")
    return 1 if secrets or stale else 0


def unexplained(found: Sequence[Finding]) -> list[Finding]:
    """Return the findings that nothing in the list explains."""
    return [each for each in found if not any(allowed.covers(each.file, each.kind, each.text) for allowed in ALLOWED)]


def unused(found: Sequence[Finding]) -> list[Allowed]:
    """Return what the list explains although it is nowhere."""
    elsewhere = [each for each in found if each.file != THIS_LIST]
    return [
        allowed for allowed in ALLOWED if not any(allowed.covers(each.file, each.kind, each.text) for each in elsewhere)
    ]


if __name__ == "__main__":
    sys.exit(main())
