"""The headline figures of the ticks feed.

A tick is one message of the wire. Ratios come from interleaved runs, so that a machine that
changes its speed changes both sides.
"""

from __future__ import annotations

import statistics
from typing import Any, Final

from rich.console import Console

from benchmarks.harness import CORES, quantile
from benchmarks.report import Goal, missed, save, table, verdicts
from benchmarks.tick_measure import measure

ROUNDS: Final = 5
BURST: Final = {"run": "burst", "ticks": 120_000}
TICKS_PER_SYMBOL: Final = 40
# (symbols, seconds); the second one is long enough to see whether memory stays flat.
SIZES: Final = ((10, 8), (50, 30), (100, 8))
# Memory is compared between the sizes after the shortest of these times.
COMPARED_S: Final = 8
GOALS: Final = {
    "share of ib_async decoding alone": Goal(0.5, 1.0, True),
    "p99 of prints at 2,000/s, ms": Goal(8.0, 8.0, False),
    "CPU of 100 symbols / of 10": Goal(10.0, 10.0, False),
    "RSS of 100 symbols / of 10": Goal(10.0, 10.0, False),
    "RSS growth in the last 15 s at 2,000/s, MB": Goal(2.0, 1.0, False),
    "prints, quotes lost or wrong in Redis": Goal(0.0, 0.0, False),
}


def throughput(console: Console) -> dict[str, Any]:
    """Interleaved rounds of ours and ib_async alone, as fast as each goes."""
    found: dict[str, list[float]] = {"ours": [], "decode": []}
    cpu: dict[str, list[float]] = {"ours": [], "decode": []}
    faults = 0
    for number in range(1, ROUNDS + 1):
        for way, rates in found.items():
            figures = measure(way, BURST)
            rates.append(figures.per_second())
            cpu[way].append(figures.cpu_us_per_tick)
            faults += figures.faults
            console.print(f"round {number}/{ROUNDS} {way}: {rates[-1]:,.0f} ticks/s")
    shares = [a / b for a, b in zip(found["ours"], found["decode"], strict=True)]
    return {
        "ticks_per_s": {way: statistics.median(rates) for way, rates in found.items()},
        "cpu_us_per_tick": {way: statistics.median(costs) for way, costs in cpu.items()},
        "share of ib_async decoding alone": statistics.median(shares),
        "faults": faults,
        "rounds": found,
    }


def latency(console: Console, rate: float, seconds: float) -> dict[str, Any]:
    figures = measure("ours", {"run": "rate", "rate": rate, "seconds": seconds})
    ordered = figures.latencies_ms()
    row = {
        "rate_per_s": rate,
        "prints": len(ordered),
        "p50_ms": quantile(ordered, 0.5),
        "p99_ms": quantile(ordered, 0.99),
        "p999_ms": quantile(ordered, 0.999),
        "cpu_share": figures.cpu_s / seconds,
        "rss_mb": max(figures.rss_samples),
        "faults": figures.faults,
    }
    console.print(f"{rate:,.0f}/s: p99 of {row['prints']:,} prints {row['p99_ms']:.2f} ms")
    return row


def size(console: Console, symbols: int, seconds: float) -> dict[str, Any]:
    """What the worker takes, bare, at the same rate for every symbol."""
    rate = symbols * TICKS_PER_SYMBOL
    command = {"run": "rate", "rate": rate, "seconds": seconds}
    figures = measure("ours", command, symbols=symbols, log=False)
    samples = figures.rss_samples
    settled = samples[len(samples) // 2 :]
    row = {
        "symbols": symbols,
        "rate_per_s": rate,
        "seconds": seconds,
        "cpu_share": figures.cpu_s / seconds,
        "cpu_us_per_tick": figures.cpu_us_per_tick,
        "rss_mb": max(samples[:COMPARED_S]),
        "growth_mb": settled[-1] - settled[0],
        "samples": samples,
        "faults": figures.faults,
    }
    console.print(
        f"{symbols} symbols, {rate:,}/s: {row['cpu_us_per_tick']:.0f} us/tick,"
        f" RSS {row['rss_mb']:.1f} MB, {row['growth_mb']:+.2f} MB in the last half"
    )
    return row


def facts(result: dict[str, Any]) -> list[tuple[str, str]]:
    rates, cpu = result["throughput"]["ticks_per_s"], result["throughput"]["cpu_us_per_tick"]
    rows = [
        ("ticks/s, this worker", f"{rates['ours']:,.0f}"),
        ("ticks/s, ib_async decoding alone", f"{rates['decode']:,.0f}"),
        ("CPU us/tick of both at that speed", f"{cpu['ours']:.1f} / {cpu['decode']:.1f}"),
    ]
    for row in result["latency"]:
        label = f"p50 / p99 / p99.9 ms of prints at {row['rate_per_s']:,.0f} ticks/s"
        rows.append((label, f"{row['p50_ms']:.2f} / {row['p99_ms']:.2f} / {row['p999_ms']:.2f}"))
        rows.append(("  CPU, RSS MB then", f"{row['cpu_share']:.1%}, {row['rss_mb']:.1f}"))
    for row in result["sizes"]:
        label = f"CPU, us/tick, RSS MB of {row['symbols']} symbols at {row['rate_per_s']:,} ticks/s"
        value = f"{row['cpu_share']:.1%}, {row['cpu_us_per_tick']:.0f}, {row['rss_mb']:.1f}"
        rows.append((label, value))
    few, _, many = result["sizes"]
    each = (many["rss_mb"] - few["rss_mb"]) / (many["symbols"] - few["symbols"])
    rows.append(("RSS MB of one symbol more", f"{each:.3f}"))
    return rows


def judged(result: dict[str, Any]) -> dict[str, float]:
    few, middle, many = result["sizes"]
    parts = [result["throughput"], *result["latency"], *result["sizes"]]
    values = (
        result["throughput"]["share of ib_async decoding alone"],
        result["latency"][0]["p99_ms"],
        many["cpu_share"] / few["cpu_share"],
        many["rss_mb"] / few["rss_mb"],
        middle["growth_mb"],
        sum(part["faults"] for part in parts),
    )
    return dict(zip(GOALS, values, strict=True))


def ticks(console: Console, cores: int) -> bool:
    """Measure, tell and save; True when no floor was missed."""
    console.print(f"ticks: {cores} cores, {ROUNDS} interleaved rounds")
    result: dict[str, Any] = {"cores": cores, "throughput": throughput(console)}
    result["latency"] = [latency(console, 2_000, 8), latency(console, 10_000, 6)]
    result["sizes"] = [size(console, symbols, seconds) for symbols, seconds in SIZES]
    rows = verdicts(GOALS, judged(result))
    title = f"ticks: gateway socket to readable in Redis, {CORES} cores, AOF on"
    console.print(table(title, facts(result), rows))
    save("ticks", result)
    return not missed(rows)
