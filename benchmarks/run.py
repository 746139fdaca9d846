"""The headline figures of the depth feed: python -m benchmarks.run (`make bench`).

Everything on the same two cores, with deploy/redis.conf as shipped (append-only file on). Ratios
come from interleaved runs, so that a machine that changes its speed changes both sides.
"""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from benchmarks.harness import CORES, Figures, measure, pin, quantile

ROUNDS: Final = 5
RESULTS: Final = Path(__file__).resolve().parent / "results"
BURST: Final = {"run": "burst", "rows": 200_000}
SEED_BURST: Final = {"run": "burst", "rows": 3_000}
GOALS: Final = {
    # name: (floor, goal, larger is better)
    "times the seed's way": (40.0, 100.0, True),
    "share of ib_async decoding alone": (0.4, 0.8, True),
    "p99 at 1,000/s, ms": (5.0, 2.0, False),
    "p99 at 10,000/s, ms": (15.0, 6.0, False),
    "entries per update in bursts": (1.0, 1.0, True),
    "RSS, MB": (120.0, 100.0, False),
}


def throughput(console: Console) -> dict[str, Any]:
    """Interleaved rounds of ours, ib_async alone and the seed's way, as fast as each goes."""
    found: dict[str, list[float]] = {"ours": [], "decode": [], "seed": []}
    complete = True
    for number in range(1, ROUNDS + 1):
        for way, rates in found.items():
            figures = measure(way, SEED_BURST if way == "seed" else BURST)
            rates.append(figures.per_second())
            if way == "ours":
                complete &= figures.extra["entries"] == figures.extra["updates"]
            console.print(f"round {number}/{ROUNDS} {way}: {rates[-1]:,.0f} updates/s")
    against_seed = [a / b for a, b in zip(found["ours"], found["seed"], strict=True)]
    against_decode = [a / b for a, b in zip(found["ours"], found["decode"], strict=True)]
    return {
        "updates_per_s": {way: statistics.median(rates) for way, rates in found.items()},
        "times the seed's way": statistics.median(against_seed),
        "share of ib_async decoding alone": statistics.median(against_decode),
        "complete": complete,
        "rounds": found,
    }


def latency(console: Console, rate: float, seconds: float, step_s: float) -> dict[str, Any]:
    figures = measure("ours", {"run": "rate", "rate": rate, "seconds": seconds, "step_s": step_s})
    ordered = figures.latencies_ms()
    row = {
        "rate_per_s": rate,
        "step_s": step_s,
        "p50_ms": quantile(ordered, 0.5),
        "p99_ms": quantile(ordered, 0.99),
        "p999_ms": quantile(ordered, 0.999),
        "entries_per_update": figures.extra["entries"] / figures.extra["updates"],
        "cpu_share": figures.cpu_s / seconds,
    }
    console.print(f"{rate:,.0f}/s in steps of {step_s * 1000:g} ms: p99 {row['p99_ms']:.2f} ms")
    return row


def memory(console: Console, seconds: float) -> dict[str, Any]:
    """Resident memory at 5,000 updates/s: the worker bare, without the benchmark's log."""
    command = {"run": "rate", "rate": 5_000, "seconds": seconds}
    figures: Figures = measure("ours", command, log=False)
    samples = figures.extra["rss_samples"]
    settled = samples[len(samples) // 2 :]
    row = {
        "rss_mb": max(samples),
        "growth_mb": settled[-1] - settled[0],
        "over_s": len(settled),
        "samples": samples,
    }
    console.print(f"RSS {row['rss_mb']:.1f} MB, {row['growth_mb']:+.2f} MB in the last half")
    return row


def verdicts(figures: dict[str, float]) -> list[tuple[str, float, float, float, str]]:
    rows = []
    for name, (floor, goal, larger) in GOALS.items():
        value = figures[name]
        sign = 1.0 if larger else -1.0
        beyond_goal, beyond_floor = sign * value >= sign * goal, sign * value >= sign * floor
        word = "goal" if beyond_goal else "floor" if beyond_floor else "MISSED"
        rows.append((name, value, floor, goal, word))
    return rows


def show(console: Console, result: dict[str, Any], rows: list[Any]) -> None:
    rates = result["throughput"]["updates_per_s"]
    table = Table(title=f"depth: gateway socket to readable in Redis, {CORES} cores, AOF on")
    for heading in ("figure", "value", "floor", "goal", "met"):
        table.add_column(heading, justify="left" if heading == "figure" else "right")
    for way, label in (
        ("ours", "updates/s, this worker"),
        ("decode", "updates/s, ib_async decoding alone"),
        ("seed", "updates/s, the seed's way (3 awaited commands)"),
    ):
        table.add_row(label, f"{rates[way]:,.0f}", "", "", "")
    for row in result["latency"]:
        label = f"p50 / p99 / p99.9 ms at {row['rate_per_s']:,.0f}/s, steps {row['step_s']:g} s"
        value = f"{row['p50_ms']:.2f} / {row['p99_ms']:.2f} / {row['p999_ms']:.2f}"
        table.add_row(label, value, "", "", "")
    for name, value, floor, goal, word in rows:
        table.add_row(name, f"{value:,.3g}", f"{floor:g}", f"{goal:g}", word)
    console.print(table)


def main() -> int:
    console = Console(width=110)
    cores = pin()
    console.print(f"{cores} cores, {ROUNDS} interleaved rounds")
    result: dict[str, Any] = {"cores": cores, "throughput": throughput(console)}
    result["latency"] = [
        latency(console, 1_000, 10, 0.001),
        latency(console, 10_000, 10, 0.001),
        latency(console, 5_000, 10, 0.1),
    ]
    result["memory"] = memory(console, 30)
    at_1k, at_10k, bursts = result["latency"]
    figures = {
        "times the seed's way": result["throughput"]["times the seed's way"],
        "share of ib_async decoding alone": result["throughput"][
            "share of ib_async decoding alone"
        ],
        "p99 at 1,000/s, ms": at_1k["p99_ms"],
        "p99 at 10,000/s, ms": at_10k["p99_ms"],
        "entries per update in bursts": min(
            bursts["entries_per_update"], 1.0 if result["throughput"]["complete"] else 0.0
        ),
        "RSS, MB": result["memory"]["rss_mb"],
    }
    rows = verdicts(figures)
    show(console, result, rows)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "depth.json").write_text(json.dumps(result, indent=1), encoding="utf-8")
    return 1 if any(word == "MISSED" for *_, word in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
