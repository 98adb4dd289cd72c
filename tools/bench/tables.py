"""The tables of ``docs/performance.md`` and ``docs/deploy.md``, in Markdown, from the results of a run."""

from collections.abc import Iterable, Sequence
from copy import replace
from pathlib import Path
from typing import Final

from infra.config import ALL, DEV, ENVIRONMENTS
from infra.paths import REPOSITORY
from tools.bench import monthly, prices
from tools.bench.costs import bill, duration_ms, lambda_cost
from tools.bench.results import Results
from tools.bench.targets import outcomes
from tools.marked_blocks import with_blocks

_PERFORMANCE: Final = REPOSITORY / "docs" / "performance.md"
_DEPLOY: Final = REPOSITORY / "docs" / "deploy.md"
_SETUPS: Final = {
    "setup": "**this service**",
    "setup, floor": "floor: its two AWS calls only, on our trimmed SDK",
    "setup, Node": "Node, bundled by esbuild",
    "setup, straightforward": "straightforward Python",
}
_BILLED: Final = ("setup", "verify-setup", "verify", "verify, locked", "status")
_MEMORY_SIZES: Final = (256, 512, 1024, 1769, 3008)


def write(results: Results) -> None:
    """Write the results into the pages."""
    for page, text in pages(results).items():
        page.write_text(text)


def pages(results: Results) -> dict[Path, str]:
    """Return the pages with the results, and with the bills of a month, in their marked blocks."""
    measured = {each.__name__: each(results) for each in (machine, targets, setup, functions, stand_in, bills, memory)}
    computed = {"costs": costs(results), "rest": at_rest()}
    return {
        _PERFORMANCE: with_blocks(_PERFORMANCE.read_text(), "measured", measured),
        _DEPLOY: with_blocks(_DEPLOY.read_text(), "computed", computed),
    }


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def machine(results: Results) -> str:
    """Return where and when the figures were measured."""
    here = results.machine
    return (
        f"Measured {here.measured_at} at commit `{here.commit}`: {here.processor}, {here.cores} cores, {here.system}, "
        f"Python {here.python}, load average {here.load_before} before the run. {results.rounds} rounds; each cell is "
        "the median of the rounds with its quartiles."
    )


def targets(results: Results) -> str:
    """Return the targets beside the measured values."""
    rows = ((*each[:-1], "met" if each.met else "**missed**") for each in outcomes(results))
    return table(("Figure", "Target", "Measured", "Verdict"), rows)


def setup(results: Results) -> str:
    """Return setup beside its peers."""
    rows = []
    for name, label in _SETUPS.items():
        cost = results.requests[name]
        rows.append(
            (
                label,
                cost.cold.text(0),
                f"{cost.init.median:.0f}",
                f"{cost.first.median:.1f}",
                cost.warm.text(2),
                f"{cost.peak_mib:.0f}",
                str(len(cost.calls)),
                f"{results.packages[name][0] / 1e6:.1f}" if name in results.packages else "",
            )
        )
    header = ("Setup in", "cold, ms", "of it init", "first request", "warm, ms", "peak MiB", "AWS calls", "zip, MB")
    return table(header, rows)


def functions(results: Results) -> str:
    """Return every kind of request to this service."""
    header = (
        *("Request", "cold, ms", "first, ms", "warm, ms", "warm, elapsed ms", "peak MiB"),
        *("AWS calls", "bytes to / from AWS", "zip / unzipped, MB"),
    )
    rows = []
    for name, cost in results.requests.items():
        if name in _SETUPS and name != "setup":
            continue
        sizes = results.packages.get(name)
        rows.append(
            (
                name,
                cost.cold.text(0),
                cost.first.text(1),
                cost.warm.text(2),
                f"{cost.warm_by_the_clock:.2f}",
                f"{cost.peak_mib:.0f}",
                ", ".join(call.partition(":")[2] for call in cost.calls) or "none",
                f"{cost.bytes_sent} / {cost.bytes_received}",
                " / ".join(f"{size / 1e6:.1f}" for size in sizes) if sizes else "as above",
            )
        )
    return table(header, rows)


def stand_in(results: Results) -> str:
    """Return what the stand-in for AWS used."""
    return (
        f"The stand-in used {results.stand_in_ms.text(2)} ms of CPU for the three calls of a verification. The CPU "
        "figures do not include it, because it runs outside the function's process; the elapsed times do."
    )


def bills(results: Results) -> str:
    """Return the cost of a million requests of each kind."""
    costs = {name: bill(results, name) for name in _BILLED}
    return table(
        ("A million", *costs[_BILLED[0]], "total"),
        (
            (name, *(f"${dollars:.2f}" for dollars in parts.values()), f"**${sum(parts.values()):.2f}**")
            for name, parts in costs.items()
        ),
    )


def costs(results: Results) -> str:
    """Return the bill of a month of ``prod`` for few and for many users."""
    few, many = monthly.RESTORES
    both = list(zip(monthly.items(results, few), monthly.items(results, many), strict=True))
    rows = [
        (one.name, one.price, one.used, f"{one.dollars:,.2f}", two.used, f"{two.dollars:,.2f}") for one, two in both
    ]
    sums = [monthly.total(results, users) for users in (few, many)]
    rows.append(("**Total**", "", "", f"**{sums[0]:,.2f}**", "", f"**{sums[1]:,.2f}**"))
    each = [1000 * dollars / users for dollars, users in zip(sums, (few, many), strict=True)]
    rows.append(("per thousand users", "", "", f"{each[0]:.2f}", "", f"{each[1]:.2f}"))
    header = ("Item", "Price", f"{few:,} users", "$", f"{many:,} users", "$")
    return f"Prices of {prices.AS_OF}.\n\n{table(header, rows)}"


def at_rest() -> str:
    """Return the bill of a month of an idle ``dev``, as it is by default and with every alarm."""
    default = ENVIRONMENTS[DEV].monitoring
    both = [[*monthly.at_rest(each)] for each in (default, replace(default, coverage=ALL))]
    rows = [
        (one.name, one.price, one.used, f"{one.dollars:.2f}", two.used, f"{two.dollars:.2f}")
        for one, two in zip(*both, strict=True)
    ]
    sums = [sum(each.dollars for each in items) for items in both]
    rows.append(("**Total**", "", "", f"**{sums[0]:.2f}**", "", f"**{sums[1]:.2f}**"))
    return table(("Item", "Price", f"`coverage` `{default.coverage}`", "$", f"`{ALL}`", "$"), rows)


def memory(results: Results) -> str:
    """Return duration and cost of setup and verify by memory size."""
    setup, verify = results.requests["setup"], results.requests["verify"]
    rows = []
    for size in _MEMORY_SIZES:
        times = [duration_ms(each.warm.median, len(each.calls), size) for each in (setup, verify)]
        cold = duration_ms(setup.cold.median, len(setup.calls), size)
        label = f"**{size}**" if size == results.memory_mib else str(size)
        costs = [f"${lambda_cost(time, size):.2f}" for time in times]
        rows.append((label, *(f"{time} ms" for time in (*times, cold)), *costs))
    header = ("MiB", "setup", "verify", "setup, cold without SnapStart", "a million setups", "a million verifications")
    return table(header, rows)
