"""Depth updates on the same Redis and the same cores, with and without chains written beside.

The depth side is the depth benchmark's: its gateway, the real worker, its measure of latency.
The chains are written by the product's own path in a process of its own, at the priority that the
worker has.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from benchmarks.chain_documents import ChainSource
from benchmarks.chain_measure import CONTRACTS, Program, program
from benchmarks.depth_measure import Figures
from benchmarks.depth_subject import SYMBOLS
from benchmarks.harness import Setting, line, quantile, running, tell

RATE: Final = 5_000
SECONDS: Final = 8.0
EVERY_S: Final = 1.0
# A chain comes ten times as often as in the shipped settings, and keys live a tenth as long: the
# share of keys whose expiry is renewed with a chain is the same.
TTL_S: Final = 18
# Until renewals have spread as they do in the long run.
WARM_S: Final = 7.0
# As both vendor workers set it for themselves.
NICE: Final = 5
_GATEWAY: Final = ("benchmarks.depth_gateway", "--symbols", str(len(SYMBOLS)))
_SUBJECT: Final = ("benchmarks.depth_subject", "ours")


def beside(console: Console, pairs: int) -> dict[str, Any]:
    """Interleaved pairs, now this first and now that; the median of their ratios of p99."""
    rows = []
    with _bodies() as bodies:
        for number in range(pairs):
            found: dict[str, dict[str, Any]] = {}
            for name in ("with", "without")[:: 1 if number % 2 else -1]:
                found[name] = _depth(bodies if name == "with" else [])
            rows.append({**found, "ratio": found["with"]["p99_ms"] / found["without"]["p99_ms"]})
            console.print(
                f"pair {number + 1}/{pairs}: p99 {found['with']['p99_ms']:.2f} ms with chains,"
                f" {found['without']['p99_ms']:.2f} ms without"
            )
    return {
        "ratio": statistics.median(row["ratio"] for row in rows),
        "with": _medians([row["with"] for row in rows]),
        "without": _medians([row["without"] for row in rows]),
        "chain_ms": statistics.median(ms for row in rows for ms in row["with"]["chains_ms"]),
        "faults": [fault for row in rows for fault in _missing(row["with"]["chains_ms"])],
        "pairs": rows,
    }


@contextmanager
def _bodies() -> Iterator[list[str]]:
    """Two bodies that differ in 5 % of their quotes: in turn, each is news after the other."""
    with tempfile.TemporaryDirectory() as name:
        source = ChainSource(CONTRACTS)
        bodies = {Path(name) / "one.json": source.body(), Path(name) / "other.json": source.moved()}
        for path, body in bodies.items():
            path.write_bytes(body)
        yield [str(path) for path in bodies]


def _depth(bodies: list[str]) -> dict[str, Any]:
    """One run of the depth worker; with bodies, a chain a second is written beside it."""
    with running(Setting(_GATEWAY, _SUBJECT, SYMBOLS)) as run:
        command = {"run": "rate", "rate": RATE, "seconds": SECONDS}
        if bodies:
            with program("ours", run.url, str(TTL_S)) as chains:
                chains.order(**_beat(bodies, WARM_S))
                sent, took_ms = _both(chains, bodies, lambda: run.order(command)["log"])
        else:
            time.sleep(WARM_S)
            sent, took_ms = run.order(command)["log"], []
        time.sleep(0.5)
        report = run.stop()
    figures = Figures(sent, report["log"])
    ordered = figures.latencies_ms()
    return {
        "p50_ms": quantile(ordered, 0.5),
        "p99_ms": quantile(ordered, 0.99),
        "chains_ms": took_ms,
    }


def _both(chains: Program, bodies: list[str], depth: Any) -> tuple[Any, list[float]]:
    tell(chains.process, _beat(bodies[::-1], SECONDS))
    sent = depth()
    return sent, line(chains.process)["took_ms"]


def _beat(bodies: list[str], seconds: float) -> dict[str, Any]:
    return {
        "run": "beat", "bodies": bodies, "every_s": EVERY_S, "seconds": seconds, "nice": NICE
    }  # fmt: skip


def _medians(rows: list[dict[str, Any]]) -> dict[str, float]:
    return {name: statistics.median(row[name] for row in rows) for name in ("p50_ms", "p99_ms")}


def _missing(took_ms: list[float]) -> list[str]:
    wanted = int(SECONDS / EVERY_S)
    return [] if len(took_ms) == wanted else [f"{len(took_ms)} of {wanted} chains were written"]
