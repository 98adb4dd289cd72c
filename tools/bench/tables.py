"""The tables of ``docs/performance.md``, in Markdown, from the figures of a run."""

from collections.abc import Callable, Iterable, Sequence

from tools.bench.costs import duration_ms, lambda_cost
from tools.bench.measure import Sample
from tools.bench.results import Results
from tools.bench.summary import spread

MEMORY_SIZES = (256, 512, 1024, 1769, 3008)
_LEAVES_OUT = ("floor", "Node", "straightforward")


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def machine(results: Results) -> str:
    """Say where and when the figures were measured."""
    here = results.machine
    return (
        f"Measured {here.measured_at} at commit `{here.commit}`: {here.processor}, {here.cores} cores, {here.system}, "
        f"Python {here.python}, load average {here.load_before} before the run. {results.rounds} rounds; each cell is "
        "the median of the rounds with its quartiles."
    )


def targets(results: Results) -> str:
    """Return the targets beside what was measured."""
    return table(("Figure", "Target", "Measured", "Verdict"), (target.row() for target in results.targets))


def setup(results: Results) -> str:
    """Return setup beside its peers."""
    names = {
        "setup": "**this service**",
        "setup, floor": "floor: its two AWS calls alone, on our trimmed SDK",
        "setup, Node": "Node, bundled by esbuild",
        "setup, straightforward": "straightforward Python",
    }
    return table(
        ("Setup in", "cold, ms", "of it init", "first request", "warm, ms", "peak MiB", "AWS calls", "zip, MB"),
        (
            (
                label,
                _cell(results, name, lambda sample: sample.cold, 0),
                _median(results, name, lambda sample: sample.init, 0),
                _median(results, name, lambda sample: sample.first, 1),
                _cell(results, name, lambda sample: sample.warm, 2),
                _median(results, name, lambda sample: sample.peak_mib, 0),
                str(len(results.samples[name][-1].calls)),
                f"{results.zips[name][0] / 1e6:.1f}" if name in results.zips else "",
            )
            for name, label in names.items()
        ),
    )


def functions(results: Results) -> str:
    """Return every function, and what one request asks of AWS."""
    return table(
        (
            "Request",
            "cold, ms",
            "first, ms",
            "warm, ms",
            "warm by the clock, ms",
            "peak MiB",
            "AWS calls",
            "bytes to / from AWS",
            "zip / unzipped, MB",
        ),
        (
            (
                name,
                _cell(results, name, lambda sample: sample.cold, 0),
                _cell(results, name, lambda sample: sample.first, 1),
                _cell(results, name, lambda sample: sample.warm, 2),
                _median(results, name, lambda sample: sample.warm_wall, 2),
                _median(results, name, lambda sample: sample.peak_mib, 0),
                ", ".join(call.partition(":")[2] for call in samples[-1].calls) or "none",
                f"{samples[-1].bytes_sent:.0f} / {samples[-1].bytes_received:.0f}",
                " / ".join(f"{size / 1e6:.1f}" for size in results.zips[name]) if name in results.zips else "as above",
            )
            for name, samples in results.samples.items()
            if not name.endswith(_LEAVES_OUT)
        ),
    )


def endpoint(results: Results) -> str:
    """Say what the stand-in for AWS cost."""
    cost = spread(results.samples, "verify", lambda sample: sample.endpoint)
    return (
        f"The stand-in for AWS runs in a process of its own and used {cost.text(2)} ms of CPU for the three calls of a "
        "verification; this is in none of the CPU figures, and in all figures by the clock."
    )


def bills(results: Results) -> str:
    """Return the cost of a million requests of each kind."""
    parts = list(next(iter(results.bills.values())).parts)
    return table(
        ("A million", *parts, "total"),
        (
            (name, *(f"${each.parts[part]:.2f}" for part in parts), f"**${each.total:.2f}**")
            for name, each in results.bills.items()
        ),
    )


def memory(results: Results) -> str:
    """Return time and cost of setup and verify by memory size."""

    def duration(name: str, figure: Callable[[Sample], float], size: int) -> int:
        cpu = spread(results.samples, name, figure).median
        return duration_ms(cpu, len(results.samples[name][-1].calls), size)

    def row(size: int) -> tuple[str, ...]:
        times = [duration(name, lambda sample: sample.warm, size) for name in ("setup", "verify")]
        costs = [lambda_cost(time, size) for time in times]
        cold = duration("setup", lambda sample: sample.cold, size)
        marked = f"**{size}**" if size == results.memory_mib else str(size)
        return (marked, *(f"{time} ms" for time in (*times, cold)), *(f"${cost:.2f}" for cost in costs))

    return table(
        ("MiB", "setup", "verify", "setup, cold without SnapStart", "a million setups", "a million verifications"),
        map(row, MEMORY_SIZES),
    )


def throughput(results: Results) -> str:
    """Return the embedded stack's throughput."""
    return table(
        ("Request", "connections", "requests a second", "latency, ms", "emulator's load of one core"),
        (
            (
                level.route,
                str(level.connections),
                f"{level.requests_per_second:.0f}",
                level.latency.text(),
                f"{level.emulator_load:.0%}",
            )
            for level in results.levels
        ),
    )


def _cell(results: Results, name: str, figure: Callable[[Sample], float], digits: int) -> str:
    return spread(results.samples, name, figure).text(digits)


def _median(results: Results, name: str, figure: Callable[[Sample], float], digits: int) -> str:
    return f"{spread(results.samples, name, figure).median:.{digits}f}"


BLOCKS: dict[str, Callable[[Results], str]] = {
    each.__name__: each for each in (machine, targets, setup, functions, endpoint, bills, memory, throughput)
}
