"""The command line: ``python -m tools.bench``, which `make bench` runs."""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence

from functions.shared.contract import AUTHORIZER_FUNCTION, ENDPOINTS
from infra.config import ENVIRONMENTS
from infra.packaging import build_package
from tools.bench import document, packages, plots, tables, targets
from tools.bench.costs import bill, item_bytes
from tools.bench.endpoint import running_endpoint
from tools.bench.machine import Machine
from tools.bench.measure import Bench, Sample, measure
from tools.bench.results import Results
from tools.bench.summary import spread
from tools.bench.throughput import throughput
from tools.bench.variants import Variant, our_variants, peers

_NAMES = {endpoint.function: endpoint.path.rpartition("/")[2] for endpoint in ENDPOINTS} | {
    "mfa_status": "status",
    AUTHORIZER_FUNCTION: "authorizer",
}


def main() -> None:
    """Measure everything, write the document, print the targets. A missed one is news, no failure of the run."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=11, help="how often each variant starts afresh (%(default)s)")
    parser.add_argument("--seconds", type=float, default=5, help="for each number of connections (%(default)s)")
    parser.add_argument("--dry", action="store_true", help="print the targets and write no file")
    options = parser.parse_args()
    started = time.monotonic()
    results = _run(options.rounds, options.seconds)
    if not options.dry:
        results.save()
        plots.draw(results)
        document.write(results)
    print(tables.targets(results))
    print(f"\nMeasured in {time.monotonic() - started:.0f} s.")


def _run(rounds: int, seconds: float) -> Results:
    _say("building packages")
    variants = [*our_variants(), *peers()]
    zips = _zips(variants)
    machine = Machine.here()
    with running_endpoint() as endpoint:
        bench = Bench(endpoint, variants[0])
        samples = measure(bench, variants, rounds)
        item = item_bytes(bench.stored_item)
    _say("measuring the embedded stack")
    levels = throughput(seconds)
    memory_mib = ENVIRONMENTS["prod"].memory_mb
    return Results(
        machine=machine,
        rounds=rounds,
        samples=samples,
        targets=list(targets.targets(samples, zips["setup"][0] / 2**20)),
        zips=zips,
        bills={
            name: bill(
                samples[name][-1].calls,
                cpu_ms=_warm(samples, name),
                authorizer_cpu_ms=_warm(samples, "authorizer"),
                item=item,
                memory_mib=memory_mib,
            )
            for name in ("setup", "verify-setup", "verify", "verify, locked", "status")
        },
        memory_mib=memory_mib,
        item_bytes=item,
        levels=levels,
    )


def _warm(samples: Mapping[str, Sequence[Sample]], name: str) -> float:
    return spread(samples, name, lambda sample: sample.warm).median


def _zips(variants: list[Variant]) -> dict[str, tuple[int, int]]:
    """Return the sizes of our packages as they go to Lambda, and of the peers' as they were measured."""
    folders = {name: build_package(function, packages.LAMBDA) for function, name in _NAMES.items()}
    folders |= {each.name: each.package for each in variants if each.name.endswith(("Node", "straightforward"))}
    return {name: (packages.zipped_bytes(folder), packages.unzipped_bytes(folder)) for name, folder in folders.items()}


def _say(line: str) -> None:
    sys.stderr.write(f"bench: {line}\n")


if __name__ == "__main__":
    main()
