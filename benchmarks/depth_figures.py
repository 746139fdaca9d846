"""The headline figures of the depth feed.

Ratios come from interleaved runs, so that a machine that changes its speed changes both sides.
"""

from __future__ import annotations

import statistics
from typing import Any, Final

from rich.console import Console

from benchmarks.depth_measure import Figures, measure
from benchmarks.harness import CORES, quantile
from benchmarks.report import Goal, missed, save, table, verdicts

ROUNDS: Final = 5
BURST: Final = {"run": "burst", "rows": 200_000}
SEED_BURST: Final = {"run": "burst", "rows": 3_000}
GOALS: Final = {
    "times the seed's way": Goal(40.0, 100.0, True),
    "share of ib_async decoding alone": Goal(0.4, 0.8, True),
    "p99 at 1,000/s, ms": Goal(5.0, 2.0, False),
    "p99 at 10,000/s, ms": Goal(15.0, 6.0, False),
    "entries per update in bursts": Goal(1.0, 1.0, True),
    "RSS, MB": Goal(120.0, 100.0, False),
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


def facts(result: dict[str, Any]) -> list[tuple[str, str]]:
    rates = result["throughput"]["updates_per_s"]
    rows = [
        ("updates/s, this worker", f"{rates['ours']:,.0f}"),
        ("updates/s, ib_async decoding alone", f"{rates['decode']:,.0f}"),
        ("updates/s, the seed's way (3 awaited commands)", f"{rates['seed']:,.0f}"),
    ]
    for row in result["latency"]:
        label = f"p50 / p99 / p99.9 ms at {row['rate_per_s']:,.0f}/s, steps {row['step_s']:g} s"
        rows.append((label, f"{row['p50_ms']:.2f} / {row['p99_ms']:.2f} / {row['p999_ms']:.2f}"))
    return rows


def judged(result: dict[str, Any]) -> dict[str, float]:
    rates = result["throughput"]
    at_1k, at_10k, bursts = result["latency"]
    return {
        "times the seed's way": rates["times the seed's way"],
        "share of ib_async decoding alone": rates["share of ib_async decoding alone"],
        "p99 at 1,000/s, ms": at_1k["p99_ms"],
        "p99 at 10,000/s, ms": at_10k["p99_ms"],
        "entries per update in bursts": min(
            bursts["entries_per_update"], 1.0 if rates["complete"] else 0.0
        ),
        "RSS, MB": result["memory"]["rss_mb"],
    }


def depth(console: Console, cores: int) -> bool:
    """Measure, tell and save; True when no floor was missed."""
    console.print(f"depth: {cores} cores, {ROUNDS} interleaved rounds")
    result: dict[str, Any] = {"cores": cores, "throughput": throughput(console)}
    result["latency"] = [
        latency(console, 1_000, 10, 0.001),
        latency(console, 10_000, 10, 0.001),
        latency(console, 5_000, 10, 0.1),
    ]
    result["memory"] = memory(console, 30)
    rows = verdicts(GOALS, judged(result))
    title = f"depth: gateway socket to readable in Redis, {CORES} cores, AOF on"
    console.print(table(title, facts(result), rows))
    save("depth", result)
    return not missed(rows)
