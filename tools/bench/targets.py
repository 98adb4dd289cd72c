"""What was to be reached, and whether it was."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tools.bench.measure import Sample
from tools.bench.summary import Spread, ratio, spread

MAX_ZIP_MIB = 10.0


@dataclass(frozen=True)
class Target:
    """A figure with the most that it may be.

    Attributes
    ----------
    measured : Spread
        Over the rounds.
    at_most : float
        The target, in the same unit.
    unit : str
        Empty for ratios.
    """

    name: str
    measured: Spread
    at_most: float
    unit: str = ""
    digits: int = 2

    @property
    def met(self) -> bool:
        """Whether the median is within the target."""
        return self.measured.median <= self.at_most

    def row(self) -> tuple[str, str, str, str]:
        """Return name, target, measured value and verdict, for a table."""
        unit = f" {self.unit}" if self.unit else ""
        wanted = f"≤ {self.at_most:g}{unit}"
        return self.name, wanted, self.measured.text(self.digits) + unit, "met" if self.met else "**missed**"


@dataclass(frozen=True)
class Calls:
    """AWS calls that a request makes, which must be exactly so many."""

    name: str
    measured: int
    exactly: int

    @property
    def met(self) -> bool:
        """Whether they are as many as they should be."""
        return self.measured == self.exactly

    def row(self) -> tuple[str, str, str, str]:
        """Return name, target, measured value and verdict, for a table."""
        return self.name, str(self.exactly), str(self.measured), "met" if self.met else "**missed**"


def targets(samples: Mapping[str, Sequence[Sample]], zip_mib: float) -> Iterator[Target | Calls]:
    """Yield every target with what was measured."""

    def cold(sample: Sample) -> float:
        return sample.cold

    def warm(sample: Sample) -> float:
        return sample.warm

    def against(name: str, ours: str, theirs: str, at_most: float) -> Target:
        figure = cold if " cold:" in name else warm
        return Target(name, ratio(samples, ours, theirs, figure), at_most)

    yield against("setup, cold: ours / straightforward", "setup", "setup, straightforward", 0.40)
    yield against("setup, cold: ours / Node", "setup", "setup, Node", 1.0)
    yield against("setup, warm: ours / straightforward", "setup", "setup, straightforward", 0.05)
    yield against("setup, warm: ours / Node", "setup", "setup, Node", 0.7)
    yield against("setup, warm: ours / floor", "setup", "setup, floor", 3.0)
    yield against("verify, warm: ours / floor of its three calls", "verify", "verify, floor", 1.3)
    yield Target("authorizer, cold", spread(samples, "authorizer", cold), 150, "ms", digits=0)
    yield Target("authorizer, warm", spread(samples, "authorizer", warm), 1, "ms")
    yield Target("zip of setup_mfa, with bytecode", Spread.of([zip_mib]), MAX_ZIP_MIB, "MiB", digits=1)
    for name, exactly in {"setup": 2, "verify": 3, "verify, locked": 1, "status": 1}.items():
        yield Calls(f"AWS calls: {name}", len(samples[name][-1].calls), exactly)
