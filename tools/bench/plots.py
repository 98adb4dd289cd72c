"""The pictures of ``docs/performance.md``."""

from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import matplotlib.pyplot as plt

from infra.paths import REPOSITORY
from tools.bench.costs import duration_ms, lambda_cost
from tools.bench.results import Results
from tools.bench.summary import spread

FOLDER: Final = REPOSITORY / "docs" / "images" / "performance"

_OURS, _INK, _GRID = "#0b6e4f", "#222831", "#e3e6ea"
_PARTS: Final = {"start of the interpreter": "#b8c4cc", "init": "#4a7fa5", "first request": "#e07a3f"}
_SETUPS: Final = {
    "setup": "this service",
    "setup, floor": "floor: two AWS calls",
    "setup, Node": "Node + esbuild",
    "setup, straightforward": "straightforward Python",
}
_ROUTES: Final = (
    *("authorizer", "status", "verify, locked", "disable"),
    *("backup-codes", "verify-setup", "verify, backup code", "verify", "setup"),
)
_STYLE: Final[Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": "#9aa3ab",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "xtick.color": _INK,
    "ytick.color": _INK,
    "svg.hashsalt": "mfa",
}


def draw(results: Results, folder: Path = FOLDER) -> None:
    """Draw every picture."""
    folder.mkdir(parents=True, exist_ok=True)
    mpl.use("agg")
    with mpl.rc_context(_STYLE):
        for name, figure in {
            "setup.png": _setup(results),
            "functions.png": _functions(results),
            "memory.png": _memory(results),
            "throughput.png": _throughput(results),
        }.items():
            figure.savefig(folder / name, dpi=160, bbox_inches="tight", metadata={"Software": None})
            plt.close(figure)


def _setup(results: Results) -> Any:  # noqa: ANN401 - matplotlib's figures
    figure, (cold, warm) = plt.subplots(1, 2, figsize=(11, 3.1), sharey=True, gridspec_kw={"wspace": 0.12})
    names = list(_SETUPS)[::-1]
    places = range(len(names))
    left = [0.0] * len(names)
    for part, attribute in zip(_PARTS, ("start", "init", "first"), strict=True):
        values = [spread(results.samples, name, lambda sample: float(getattr(sample, attribute))) for name in names]  # noqa: B023
        widths = [value.median for value in values]
        cold.barh(places, widths, left=left, color=_PARTS[part], label=part, height=0.62)
        left = [before + width for before, width in zip(left, widths, strict=True)]
    for place, total in zip(places, left, strict=True):
        cold.text(total + max(left) * 0.012, place, f"{total:.0f} ms", va="center")
    cold.set_yticks(places, [_SETUPS[name] for name in names])
    cold.set(title="A cold start and its first answer", xlabel="CPU time, ms", xlim=(0, max(left) * 1.14))
    cold.legend(frameon=False, loc="upper right", fontsize=9)
    spreads = [spread(results.samples, name, lambda sample: sample.warm) for name in names]
    colours = [_OURS if name == "setup" else "#9fb0bd" for name in names]
    warm.barh(places, [each.median for each in spreads], color=colours, height=0.62)
    for place, each in zip(places, spreads, strict=True):
        warm.text(each.median * 1.08, place, f"{each.median:.1f} ms", va="center")
    warm.set_xscale("log")
    warm.xaxis.set_major_formatter("{x:.0f}")
    warm.minorticks_off()
    warm.set(
        title="A warm request (logarithmic)", xlabel="CPU time, ms", xlim=(1, max(s.median for s in spreads) * 2.6)
    )
    _finish(cold, warm)
    return figure


def _functions(results: Results) -> Any:  # noqa: ANN401
    figure, (cold, warm) = plt.subplots(1, 2, figsize=(11, 3.6), sharey=True, gridspec_kw={"wspace": 0.08})
    places = range(len(_ROUTES))
    for axis, attribute, digits in ((cold, "cold", 0), (warm, "warm", 2)):
        spreads = [spread(results.samples, name, lambda sample: float(getattr(sample, attribute))) for name in _ROUTES]  # noqa: B023
        errors = [[s.median - s.low for s in spreads], [s.high - s.median for s in spreads]]
        axis.barh(places, [s.median for s in spreads], color=_OURS, height=0.62)
        axis.errorbar(
            [s.median for s in spreads], places, xerr=errors, fmt="none", ecolor=_INK, elinewidth=1, capsize=2
        )
        longest = max(s.high for s in spreads)
        for place, each in zip(places, spreads, strict=True):
            axis.text(each.high + longest * 0.02, place, f"{each.median:.{digits}f}", va="center")
        axis.set(xlabel="CPU time, ms", xlim=(0, longest * 1.15))
    cold.set_yticks(places, _ROUTES)
    cold.set_title("Cold start with first answer")
    warm.set_title("Warm request")
    _finish(cold, warm)
    return figure


def _memory(results: Results) -> Any:  # noqa: ANN401
    figure, (time, cost) = plt.subplots(1, 2, figsize=(11, 3.4))
    sizes = list(range(128, 3009, 32))
    for name, colour in {"setup": _OURS, "verify": "#e07a3f"}.items():
        cpu = spread(results.samples, name, lambda sample: sample.warm).median
        durations = [duration_ms(cpu, len(results.samples[name][-1].calls), size) for size in sizes]
        time.plot(sizes, durations, color=colour, label=name)
        cost.plot(sizes, [lambda_cost(each, size) for each, size in zip(durations, sizes, strict=True)], color=colour)
    for axis in (time, cost):
        axis.axvline(results.memory_mib, color="#9aa3ab", linestyle=":", linewidth=1.2)
        axis.set_xlabel("memory, MiB")
        axis.set_ylim(bottom=0)
    time.text(results.memory_mib + 30, time.get_ylim()[1] * 0.93, f"configured: {results.memory_mib}", color="#6b747c")
    time.set(title="Duration of a warm request", ylabel="ms, waiting for AWS included")
    cost.set(title="Lambda's price of a million", ylabel="US dollars")
    time.legend(frameon=False, loc="upper right", bbox_to_anchor=(1, 0.85))
    _finish(time, cost, axis="y")
    return figure


def _throughput(results: Results) -> Any:  # noqa: ANN401
    figure, (rate, latency) = plt.subplots(1, 2, figsize=(11, 3.2))
    routes = list(dict.fromkeys(level.route for level in results.levels))
    for route, colour in zip(routes, (_OURS, "#e07a3f"), strict=True):
        levels = [level for level in results.levels if level.route == route]
        connections = [level.connections for level in levels]
        rate.plot(connections, [level.requests_per_second for level in levels], "o-", color=colour, label=route)
        latency.plot(connections, [level.latency.median for level in levels], "o-", color=colour)
        lows, highs = [level.latency.low for level in levels], [level.latency.high for level in levels]
        latency.fill_between(connections, lows, highs, color=colour, alpha=0.16, linewidth=0)
        for axis in (rate, latency):
            axis.set_xticks(connections)
    rate.set(title="Requests a second", xlabel="connections")
    latency.set(title="Latency with quartiles, ms", xlabel="connections")
    for axis in (rate, latency):
        axis.set_ylim(0, axis.get_ylim()[1] * 1.05)
    rate.legend(frameon=False, loc="lower right")
    _finish(rate, latency, axis="y")
    return figure


def _finish(*axes: Any, axis: str = "x") -> None:  # noqa: ANN401
    for each in axes:
        each.set_axisbelow(True)
        each.grid(axis=axis, color=_GRID, linewidth=0.8)
        each.tick_params(length=0)
