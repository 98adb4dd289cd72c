"""The targets of the service's performance, and whether a run met them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from functions.shared.contract import AUTHORIZER_FUNCTION
from infra.config import DEV, ENVIRONMENTS, PROD
from tools.bench import monthly
from tools.bench.costs import bill, log_bytes
from tools.bench.measure import Sample
from tools.bench.results import Results, Spread, ratio


class PeerTarget(NamedTuple):
    """The most that the ratio of one variant to another may be, cold or warm."""

    ours: str
    theirs: str
    figure: Callable[[Sample], float]
    at_most: float


def _cold(sample: Sample) -> float:
    return sample.cold


def _warm(sample: Sample) -> float:
    return sample.warm


def bill_of(results: Results, name: str) -> dict[str, float]:
    """Return the cost of a million requests of one kind, by service."""
    config = ENVIRONMENTS[PROD]
    cost, authorizer = results.requests[name], results.requests["authorizer"]
    return bill(
        cost.calls,
        cpu_ms=cost.warm.median,
        authorizer_cpu_ms=authorizer.warm.median,
        item=results.item_bytes,
        memory_mib=results.memory_mib,
        authorizer_memory_mib=config.memory_of(AUTHORIZER_FUNCTION),
        logged=log_bytes(cost.log_bytes, authorizer.log_bytes),
    )


PEER_TARGETS: Final[Mapping[str, PeerTarget]] = {
    "setup, cold: ours / straightforward": PeerTarget("setup", "setup, straightforward", _cold, 0.40),
    "setup, cold: ours / Node": PeerTarget("setup", "setup, Node", _cold, 1.0),
    "setup, warm: ours / straightforward": PeerTarget("setup", "setup, straightforward", _warm, 0.05),
    "setup, warm: ours / Node": PeerTarget("setup", "setup, Node", _warm, 0.7),
    "setup, warm: ours / floor": PeerTarget("setup", "setup, floor", _warm, 3.0),
    "verify, warm: ours / floor of its three calls": PeerTarget("verify", "verify, floor", _warm, 1.2),
}
MAX_ZIP_MIB: Final = 10.0
MAX_LOG_BYTES: Final = 1400  # function and authorizer, Lambda's own lines included
MAX_MILLION_VERIFICATIONS: Final = 9.3  # dollars
MAX_MONTH: Final = 55  # dollars, prod, of ten thousand users
MAX_MONTH_AT_REST: Final = 5  # dollars, dev as deployed by default
_CALLS: Final = {"setup": 2, "verify": 3, "verify, locked": 1, "status": 1}


@dataclass(frozen=True)
class Outcome:
    """A target beside the measured value, both as text."""

    name: str
    target: str
    measured: str
    met: bool


def ratios(samples: Mapping[str, Sequence[Sample]]) -> dict[str, Spread]:
    """Return the measured ratio for each target that compares with a peer."""
    return {
        name: ratio(samples[target.ours], samples[target.theirs], target.figure)
        for name, target in PEER_TARGETS.items()
    }


def outcomes(results: Results) -> Iterator[Outcome]:
    """Yield every target with what was measured. A target is met if the median is."""

    def at_most(name: str, measured: Spread, limit: float, unit: str = "", digits: int = 2) -> Outcome:
        return Outcome(name, f"≤ {limit:g}{unit}", measured.text(digits) + unit, measured.median <= limit)

    for name, target in PEER_TARGETS.items():
        yield at_most(name, results.ratios[name], target.at_most)
    authorizer = results.requests["authorizer"]
    yield at_most("authorizer, cold", authorizer.cold, 150, " ms", digits=0)
    yield at_most("authorizer, warm", authorizer.warm, 1, " ms")
    zip_mib = Spread.of([results.packages["setup"][0] / 2**20])
    yield at_most("zip of setup_mfa, with bytecode", zip_mib, MAX_ZIP_MIB, " MiB", digits=1)
    verify = results.requests["verify"]
    logged = log_bytes(verify.log_bytes, authorizer.log_bytes)
    rest = ENVIRONMENTS[DEV].monitoring
    figures = (
        ("log bytes of a verification, authorizer included", logged, MAX_LOG_BYTES, "", 0),
        ("a million verifications", sum(bill_of(results, "verify").values()), MAX_MILLION_VERIFICATIONS, " $", 2),
        ("a month of prod at ten thousand users", monthly.total(results, 10_000), MAX_MONTH, " $", 2),
        ("a month of dev at rest", sum(each.dollars for each in monthly.at_rest(rest)), MAX_MONTH_AT_REST, " $", 2),
    )
    for name, value, limit, unit, digits in figures:
        yield Outcome(name, f"≤ {limit:g}{unit}", f"{value:.{digits}f}{unit}", value <= limit)
    for name, exactly in _CALLS.items():
        made = len(results.requests[name].calls)
        yield Outcome(f"AWS calls: {name}", str(exactly), str(made), made == exactly)
