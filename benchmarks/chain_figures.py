"""The headline figures of the option chains.

Ratios come from interleaved runs, so that a machine that changes its speed changes all sides.
"""

from __future__ import annotations

from typing import Any, Final

from rich.console import Console

from benchmarks.chain_beside import RATE, beside
from benchmarks.chain_measure import CONTRACTS, stalls, throughput, tolerance
from benchmarks.chain_worker import worker
from benchmarks.harness import CORES
from benchmarks.report import Goal, missed, save, table, verdicts

ROUNDS: Final = 7
STALL_ROUNDS: Final = 5
PAIRS: Final = 7
WORKER_S: Final = 60.0
GOALS: Final = {
    "times the plain way, new chain": Goal(25.0, 32.0, True),
    "time over that of the floor, new chain": Goal(2.0, 1.5, False),
    "longest stall of the event loop, ms": Goal(30.0, 15.0, False),
    "depth p99 with chains / without": Goal(1.5, 1.1, False),
    "CPU of the worker, share of a core": Goal(0.3, 0.2, False),
    "keys, values, counts wrong in Redis": Goal(0.0, 0.0, False),
}


def chains(console: Console, cores: int) -> bool:
    """Measure, tell and save; True when no floor was missed."""
    console.print(f"chains: {cores} cores, {ROUNDS} interleaved rounds")
    result: dict[str, Any] = {
        "cores": cores,
        "throughput": throughput(console, ROUNDS),
        "tolerance": tolerance(console, ROUNDS),
        "stalls": [stalls(console, contracts, STALL_ROUNDS) for contracts in (10_000, 12_000)],
        "beside": beside(console, PAIRS),
        "worker": worker(console, WORKER_S),
    }
    for fault in _faults(result)[:5]:
        console.print(f"wrong: {fault}"[:400])
    rows = verdicts(GOALS, judged(result))
    title = f"chains: {CONTRACTS:,} contracts, body to readable in Redis, {CORES} cores, AOF on"
    console.print(table(title, facts(result), rows))
    save("chains", result)
    return not missed(rows)


def judged(result: dict[str, Any]) -> dict[str, float]:
    new = result["throughput"]["new"]
    values = (
        new["times the plain way"],
        new["times the floor"],
        max(row["longest_ms"] for row in result["stalls"]),
        result["beside"]["ratio"],
        result["worker"]["cpu_share"],
        len(_faults(result)),
    )
    return dict(zip(GOALS, values, strict=True))


def facts(result: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        *_throughput_facts(result["throughput"]),
        *_tolerance_facts(result["tolerance"]["ms"]),
        *_stall_facts(result["stalls"]),
        *_beside_facts(result["beside"]),
        *_worker_facts(result["worker"]),
    ]


def _faults(result: dict[str, Any]) -> list[str]:
    parts = [result[name] for name in ("throughput", "tolerance", "beside", "worker")]
    return [fault for part in (*parts, *result["stalls"]) for fault in part["faults"]]


def _throughput_facts(part: dict[str, Any]) -> list[tuple[str, str]]:
    rows = []
    for name, label in (("new", "new chain"), ("moved", "5 % of it changed")):
        ms, cpu = part[name]["ms"], part[name]["cpu_ms"]
        rows += [
            (
                f"ms ours / floor / plain way, {label}",
                f"{ms['ours']:.0f} / {ms['floor']:.0f} / {ms['plain']:,.0f}",
            ),
            ("  of which CPU", f"{cpu['ours']:.0f} / {cpu['floor']:.0f} / {cpu['plain']:,.0f}"),
            (
                "  reading alone, ours / floor",
                f"{part[name]['read_ms']:.0f} / {part[name]['decode_ms']:.0f}",
            ),
        ]
    moved = part["moved"]
    value = f"{moved['times the plain way']:.3g} / {moved['times the floor']:.3g}"
    return [*rows, ("5 % changed: times the plain way / time over the floor's", value)]


def _tolerance_facts(ms: dict[str, dict[str, float]]) -> list[tuple[str, str]]:
    fast = ms["none"]
    return [
        (
            f"bad values in {name}: read ms, all ms, all over fast",
            f"{row['read_s']:.0f}, {row['s']:.0f}, {row['s'] / fast['s']:.2f}",
        )
        for name, row in ms.items()
    ]


def _stall_facts(rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    found = []
    for row in rows:
        usual = row["median_ms"]
        found += [
            (
                f"usual longest gap, {row['contracts']:,} contracts: new / moved / by HTTP, ms",
                f"{usual['new']:.1f} / {usual['moved']:.1f} / {usual['fetched']:.1f}",
            ),
            ("  longest of all / of its own work, ms",
             f"{row['longest_ms']:.1f} / {row['longest_cpu_ms']:.1f}"),
        ]  # fmt: skip
    return found


def _beside_facts(part: dict[str, Any]) -> list[tuple[str, str]]:
    with_, without = part["with"], part["without"]
    return [
        (
            f"depth p50 / p99 ms at {RATE:,}/s, with a chain a second",
            f"{with_['p50_ms']:.2f} / {with_['p99_ms']:.2f}",
        ),
        ("  without", f"{without['p50_ms']:.2f} / {without['p99_ms']:.2f}"),
        ("  ms of a chain then", f"{part['chain_ms']:.0f}"),
    ]


def _worker_facts(part: dict[str, Any]) -> list[tuple[str, str]]:
    title = f"{part['symbols']} x {part['contracts']:,} every {part['interval_s']:g} s"
    return [
        (f"{title}: chains in {part['seconds']:.0f} s", f"{part['chains']}"),
        (
            "  CPU of worker / Redis",
            f"{part['cpu_share']:.1%} / {part['redis_cpu_share']:.1%}",
        ),
        ("  RSS MB / growth", f"{part['rss_mb']:.0f} / {part['rss_growth_mb']:+.1f}"),
        ("  Redis MB, keys", f"{part['redis_mb']:.0f}, {part['redis_keys']:,}"),
    ]
