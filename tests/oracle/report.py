"""What a run showed, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.table import Table

from tests.oracle.campaign import Outcome

__all__ = ["percentile", "table_of"]

# Of several runs the largest counts, not the sum.
_PEAKS: Final = ("most ", "vendor peak")


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that this share of all does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * 100) * len(ordered) // 100) - 1))]


def table_of(outcomes: Sequence[Outcome]) -> Table:
    table = Table("", "count", title=f"oracle, seeds {', '.join(str(o.seed) for o in outcomes)}")
    table.columns[1].justify = "right"
    table.add_row("faults injected", str(sum(sum(o.faults.values()) for o in outcomes)))
    table.add_row("kinds of faults", str(len({name for o in outcomes for name in o.faults})))
    names = sorted({name for o in outcomes for name in o.findings.counts})
    for name in names:
        found = [o.findings.counts.get(name, 0) for o in outcomes]
        joined = max(found) if name.startswith(_PEAKS) else sum(found)
        table.add_row(name, f"{joined:,}")
    for target in sorted({name for o in outcomes for name in o.recoveries}):
        times_s = [t for o in outcomes for t in o.recoveries.get(target, [])]
        figures = f"{percentile(times_s, 0.5):.2f} s / {percentile(times_s, 0.99):.2f} s"
        table.add_row(f"recovery p50 / p99, {target} ({len(times_s)})", figures)
    for name, slope in sorted((n, s) for o in outcomes for n, s in o.slopes.items()):
        table.add_row(f"MB per hour, {name}", f"{slope.mb_per_h:+.2f} ± {slope.plus_minus:.2f}")
    violations = sum(sum(o.findings.by_invariant.values()) for o in outcomes)
    table.add_row("violations", str(violations))
    return table
