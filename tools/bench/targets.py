"""The targets of the service's performance, and whether a run met them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal, NamedTuple

from infra.config import DEV, ENVIRONMENTS
from tools.bench import monthly
from tools.bench.costs import bill, log_bytes
from tools.bench.measure import Sample
from tools.bench.results import Results, Spread


class PeerTarget(NamedTuple):
    """The most that the ratio of one variant to another may be, cold or warm (`Sample.cold`, `Sample.warm`)."""

    ours: str
    theirs: str
    figure: Literal["cold", "warm"]
    at_most: float


PEER_TARGETS: Final[Mapping[str, PeerTarget]] = {
    "setup, cold: ours / straightforward": PeerTarget("setup", "setup, straightforward", "cold", 0.40),
    "setup, cold: ours / Node": PeerTarget("setup", "setup, Node", "cold", 1.0),
    "setup, warm: ours / straightforward": PeerTarget("setup", "setup, straightforward", "warm", 0.05),
    "setup, warm: ours / Node": PeerTarget("setup", "setup, Node", "warm", 0.7),
    "setup, warm: ours / floor": PeerTarget("setup", "setup, floor", "warm", 3.0),
    "verify, warm: ours / floor of its three calls": PeerTarget("verify", "verify, floor", "warm", 1.2),
}
_CALLS: Final = {"setup": 2, "verify": 3, "verify, locked": 1, "status": 1}


class Outcome(NamedTuple):
    """A target beside the measured value, both as text."""

    name: str
    target: str
    measured: str
    met: bool


def ratios(samples: Mapping[str, Sequence[Sample]]) -> dict[str, Spread]:
    """Return the measured ratio for each target that compares with a peer; each is taken within one round."""
    return {
        name: Spread.of(
            [
                getattr(ours, target.figure) / getattr(theirs, target.figure)
                for ours, theirs in zip(samples[target.ours], samples[target.theirs], strict=True)
            ]
        )
        for name, target in PEER_TARGETS.items()
    }


def outcomes(results: Results) -> Iterator[Outcome]:
    """Yield every target with what was measured. A target is met if the median is."""

    def at_most(name: str, measured: Spread | float, limit: float, unit: str = "", digits: int = 2) -> Outcome:
        if isinstance(measured, Spread):
            text, value = measured.text(digits), measured.median
        else:
            text, value = f"{measured:.{digits}f}", measured
        return Outcome(name, f"≤ {limit:g}{unit}", text + unit, value <= limit)

    for name, target in PEER_TARGETS.items():
        yield at_most(name, results.ratios[name], target.at_most)
    authorizer, verify = results.requests["authorizer"], results.requests["verify"]
    yield at_most("authorizer, cold", authorizer.cold, 150, " ms", digits=0)
    yield at_most("authorizer, warm", authorizer.warm, 1, " ms")
    zip_mib = Spread.of([results.packages["setup"][0] / 2**20])
    yield at_most("zip of setup_mfa, with bytecode", zip_mib, 10, " MiB", digits=1)
    logged = log_bytes(verify.log_bytes, authorizer.log_bytes)
    yield at_most("log bytes of a verification, authorizer included", logged, 1400, digits=0)
    yield at_most("a million verifications", sum(bill(results, "verify").values()), 9.3, " $")
    yield at_most("a month of prod at ten thousand users", monthly.total(results, 10_000), 55, " $")
    idle = sum(each.dollars for each in monthly.at_rest(ENVIRONMENTS[DEV].monitoring))
    yield at_most("a month of dev at rest", idle, 5, " $")
    for name, exactly in _CALLS.items():
        made = len(results.requests[name].calls)
        yield Outcome(f"AWS calls: {name}", str(exactly), str(made), made == exactly)
