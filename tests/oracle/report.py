"""What runs showed, as rows of a table; of many runs by what each left as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from rich.table import Table

from tests.oracle.campaign import Outcome
from tests.oracle.recovery import bound_of, percentile, too_slow

__all__ = ["Figures", "failed", "figures_of", "joined_recoveries", "rows_of", "table_of"]

# Of several runs the largest counts, not the sum.
_PEAKS: Final = ("most ", "vendor peak")
# One run, as `--json` writes it.
Figures = dict[str, Any]


def figures_of(outcome: Outcome) -> Figures:
    return {
        "seed": outcome.seed,
        "minutes": outcome.minutes,
        "seconds": round(outcome.seconds, 1),
        "faults": outcome.faults,
        "recoveries": outcome.recoveries,
        "growth": outcome.growth,
        "lengths": outcome.lengths,
        "counts": outcome.findings.counts,
        "violations": outcome.findings.by_invariant,
        "texts": outcome.findings.violations,
    }


def failed(runs: Sequence[Figures]) -> list[str]:
    """Why these runs are no proof, in words; empty when they are."""
    found = [
        f"seed {run['seed']}: {invariant}, {number} times"
        for run in runs
        for invariant, number in run["violations"].items()
    ]
    return found + [f"recovery: {text}" for text in too_slow(joined_recoveries(runs))]


def joined_recoveries(runs: Sequence[Figures]) -> dict[str, list[float]]:
    joined: dict[str, list[float]] = {}
    for run in runs:
        for name, times_s in run["recoveries"].items():
            joined.setdefault(name, []).extend(times_s)
    return joined


def rows_of(runs: Sequence[Figures]) -> Iterator[tuple[str, str]]:
    """(what, figure), the same for one run and for many."""
    yield "faults injected", f"{sum(sum(run['faults'].values()) for run in runs):,}"
    yield "kinds of faults", str(len({name for run in runs for name in run["faults"]}))
    names = {name for run in runs for name in run["counts"]}
    for name in sorted(names):
        found = [run["counts"].get(name, 0) for run in runs]
        yield name, f"{max(found) if name.startswith(_PEAKS) else sum(found):,}"
    for name, times_s in sorted(joined_recoveries(runs).items()):
        figures = f"{percentile(times_s, 0.5):.2f} s / {percentile(times_s, 0.99):.2f} s"
        bound = bound_of(name)
        allowed = f" (allowed {bound.p50:g} s / {bound.p99:g} s)" if bound else ""
        yield f"recovery p50 / p99, {name} ({len(times_s)})", figures + allowed
    if len(runs) == 1 and not runs[0]["faults"]:
        yield from _soak_rows(runs[0])
    yield "violations", str(sum(sum(run["violations"].values()) for run in runs))


def _soak_rows(run: Figures) -> Iterator[tuple[str, str]]:
    for name, row in sorted(run["growth"].items()):
        (first, last), (per_h, low, high) = row["rss_mb"], row["mb_per_h"]
        interval = f"{per_h:+.2f} MB/h ({low:+.2f} to {high:+.2f})"
        yield f"RSS, {name}", f"{first} to {last} MB in {row['minutes']} min, {interval}"
        yield f"RSS, {name}, verdict", row["verdict"]
        files, threads = (" to ".join(map(str, row[what])) for what in ("files", "threads"))
        yield f"files; threads, {name}", f"{files}; {threads}"
    for what, row in sorted(run["lengths"].items()):
        figures = f"{row['warm']:,} to {row['end']:,}, most {row['most']:,}"
        yield f"length, {what}", figures


def table_of(runs: Sequence[Figures]) -> Table:
    table = Table(
        "", "figure", title=f"oracle, seeds {', '.join(str(run['seed']) for run in runs)}"
    )
    table.columns[1].justify = "right"
    for what, figure in rows_of(runs):
        table.add_row(what, figure)
    return table
