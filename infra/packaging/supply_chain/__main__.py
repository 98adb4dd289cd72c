"""The command line: ``python -m infra.packaging.supply_chain sbom|licences|audit``."""

import argparse
import sys
from typing import Final

from infra.config import ENVIRONMENTS, PROD
from infra.packaging import DEPLOYED_FUNCTIONS, PackagingError, Target, build_package
from infra.packaging.supply_chain.audit import NotAuditedError, npm_vulnerabilities, python_vulnerabilities
from infra.packaging.supply_chain.licences import Licensed, licences, table, unwelcome
from infra.packaging.supply_chain.sbom import bill_of_materials, write
from infra.packaging.workspace import BUILD
from infra.paths import REPOSITORY

#: Nothing was found because nobody could be asked; 1 is for what was found.
NOT_AUDITED: Final = 3


def main() -> int:
    """Run one command and return its exit status."""
    commands = {"sbom": _sbom, "licences": _licences, "audit": _audit}
    parser = argparse.ArgumentParser(prog="python -m infra.packaging.supply_chain", description=__doc__)
    parser.add_argument("command", choices=commands)
    try:
        return commands[parser.parse_args().command]()
    except PackagingError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1


def _sbom() -> int:
    for function in DEPLOYED_FUNCTIONS:
        bill = bill_of_materials(function, _licensed(function))
        path = BUILD / "sbom" / f"{function}.cdx.json"
        write(bill, path)
        print(f"{path.relative_to(REPOSITORY)}: {len(bill['components'])} packages")
    return 0


def _licences() -> int:
    everything = {each for function in DEPLOYED_FUNCTIONS for each in _licensed(function)}
    print("\n".join(table(everything)))
    refused = unwelcome(sorted(everything))
    for each in refused:
        sys.stderr.write(f"error: {each.name}: {each.licence} is not among the licences that are welcome\n")
    return 1 if refused else 0


def _audit() -> int:
    status = 0
    for what, look in {"Python": python_vulnerabilities, "npm": npm_vulnerabilities}.items():
        try:
            found = list(look())
        except NotAuditedError as error:
            sys.stderr.write(f"{what}: NOT AUDITED, no answer from the vulnerability service: {error}\n")
            status = status or NOT_AUDITED
            continue
        print(f"{what}: {len(found)} known vulnerabilities")
        print("".join(f"  {line}\n" for line in found), end="")
        status = 1 if found else status
    return status


def _licensed(function: str) -> list[Licensed]:
    return licences(build_package(function, Target.of(ENVIRONMENTS[PROD])))


if __name__ == "__main__":
    sys.exit(main())
