"""Measure every function beside its peers and rewrite ``docs/performance.md``. ``make bench`` runs it."""

import argparse
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

from functions.shared.clock import iso_timestamp
from functions.shared.contract import AUTHORIZER_FUNCTION, ENDPOINTS
from infra.config import ENVIRONMENTS
from infra.packaging import build_archive, build_package
from infra.paths import REPOSITORY
from tools.bench import packages, tables, targets
from tools.bench.costs import item_bytes
from tools.bench.fake_aws import running_stand_in
from tools.bench.measure import Bench, measure
from tools.bench.results import Machine, RequestCost, Results, Spread
from tools.bench.variants import our_variants, peers

_NAMES = {endpoint.function: endpoint.path.rpartition("/")[2] for endpoint in ENDPOINTS} | {
    "mfa_status": "status",
    AUTHORIZER_FUNCTION: "authorizer",
}


def main() -> None:
    """Measure, write the results and the page, and print the targets. A missed target is not an error."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=11, help="fresh starts of each variant (%(default)s)")
    parser.add_argument("--dry", action="store_true", help="print the targets and write no file")
    options = parser.parse_args()
    started = time.monotonic()
    results = _run(options.rounds)
    if not options.dry:
        results.save()
        tables.write(results)
    print(tables.targets(results))
    print(f"\nMeasured in {time.monotonic() - started:.0f} s.")


def _run(rounds: int) -> Results:
    sys.stderr.write("bench: building packages\n")
    # By name, so that what is compared runs one after the other.
    variants = sorted([*our_variants(), *peers()], key=lambda each: each.name)
    sizes, machine = _sizes(), _machine()
    with running_stand_in() as stand_in:
        bench = Bench(stand_in, next(each for each in variants if each.name == "setup"))
        samples = measure(bench, variants, rounds)
    return Results(
        machine=machine,
        rounds=rounds,
        requests={name: RequestCost.of(each) for name, each in samples.items() if name != "verify, floor"},
        ratios=targets.ratios(samples),
        packages=sizes,
        stand_in_ms=Spread.of([sample.stand_in for sample in samples["verify"]]),
        memory_mib=ENVIRONMENTS["prod"].memory_of("verify_mfa"),
        item_bytes=item_bytes(bench.stored_item),
    )


def _sizes() -> dict[str, tuple[int, int]]:
    """Return the zipped and unzipped bytes of our packages for Lambda, and of the peers' as measured."""
    ours = {
        name: (
            build_archive(function, packages.LAMBDA).stat().st_size,
            packages.unzipped_bytes(build_package(function, packages.LAMBDA)),
        )
        for function, name in _NAMES.items()
    }
    peers = {"setup, straightforward": packages.straightforward(), "setup, Node": packages.node()}
    return ours | {
        name: (packages.zipped_bytes(folder), packages.unzipped_bytes(folder)) for name, folder in peers.items()
    }


def _machine() -> Machine:
    git = subprocess.run(  # noqa: S603 - our own command
        ["git", "-C", str(REPOSITORY), "rev-parse", "--short", "HEAD"],  # noqa: S607 - the Git of the user
        capture_output=True,
        text=True,
        check=False,
    )
    return Machine(
        processor=_processor(),
        cores=os.cpu_count() or 1,
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        load_before=round(os.getloadavg()[0], 2),
        measured_at=iso_timestamp(time.time()),
        commit=git.stdout.strip() or "unknown",
    )


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


if __name__ == "__main__":
    main()
