"""What it costs the feeds to be watched: the dashboard with ten browsers and the exporter, or none.

The depth side is the depth benchmark's: its gateway, the real worker, its measure of latency. The
ratio comes from interleaved pairs, so that a machine that changes its speed changes both sides.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from benchmarks.chain_worker import processor_s
from benchmarks.depth_measure import Figures
from benchmarks.depth_subject import SYMBOLS
from benchmarks.harness import (
    CORES,
    ROOT,
    RssSampler,
    Run,
    Setting,
    free_port,
    quantile,
    running,
    wait_until,
)  # fmt: skip
from benchmarks.report import Goal, missed, save, table, verdicts
from benchmarks.watch_browsers import Browsers, answers

PAIRS: Final = 7
RATE: Final = 5_000
SECONDS: Final = 8.0
# Until browsers have what they begin with.
WARM_S: Final = 4.0
# As people look: most at the wall, some at a symbol.
LOOKED_AT: Final = (
    *(["top,wall"] * 4), *(f"top,ladder:{symbol}" for symbol in SYMBOLS), f"top,heat:{SYMBOLS[0]}",
    "top,rotation", "top,processes,incidents,gaps",
)  # fmt: skip
GOALS: Final = {
    "depth p99 watched / alone": Goal(1.2, 1.05, False),
    "RSS of the dashboard, MB": Goal(150.0, 80.0, False),
    "browsers that were sent nothing, or cut off": Goal(0.0, 0.0, False),
    "scrapes in the run with the fewest": Goal(1.0, 2.0, True),
}
_READERS: Final = ("dashboard", "exporter")
_SETTING: Final = Setting(
    ("benchmarks.depth_gateway", "--symbols", str(len(SYMBOLS))),
    ("benchmarks.depth_subject", "ours"),
    SYMBOLS,
)


def watch(console: Console, cores: int) -> bool:
    """Measure, tell and save; True when no floor was missed."""
    console.print(f"watched: {cores} cores, {PAIRS} interleaved pairs")
    pairs = []
    for number in range(PAIRS):
        found: dict[str, dict[str, Any]] = {}
        for name in ("watched", "alone")[:: 1 if number % 2 else -1]:
            found[name] = _depth(name == "watched")
        pairs.append(found)
        p99 = {name: found[name]["p99_ms"] for name in found}
        console.print(
            f"pair {number + 1}/{PAIRS}: p99 {p99['watched']:.2f} / {p99['alone']:.2f} ms"
        )
    result = {"cores": cores, "pairs": pairs}
    rows = verdicts(GOALS, judged(pairs))
    title = (
        f"depth at {RATE:,}/s with {len(LOOKED_AT)} browsers and a scrape every 5 s, {CORES} cores"
    )
    console.print(table(title, facts(pairs), rows))
    save("watch", result)
    return not missed(rows)


def judged(pairs: Sequence[dict[str, dict[str, Any]]]) -> dict[str, float]:
    watched = [pair["watched"] for pair in pairs]
    values = (
        statistics.median(pair["watched"]["p99_ms"] / pair["alone"]["p99_ms"] for pair in pairs),
        max(one["dashboard_mb"] for one in watched),
        float(sum(one["silent"] for one in watched)),
        float(min(one["scrapes"] for one in watched)),
    )
    return dict(zip(GOALS, values, strict=True))


def facts(pairs: Sequence[dict[str, dict[str, Any]]]) -> list[tuple[str, str]]:
    def median(name: str, figure: str) -> float:
        return float(statistics.median(pair[name][figure] for pair in pairs))

    both = {
        figure: " / ".join(f"{median(name, figure):.2f}" for name in ("watched", "alone"))
        for figure in ("p50_ms", "p99_ms")
    }
    return [
        ("p50 ms, watched / alone", both["p50_ms"]),
        ("p99 ms, watched / alone", both["p99_ms"]),
        ("CPU of the dashboard, share of a core", f"{median('watched', 'dashboard_share'):.1%}"),
        ("CPU of the exporter", f"{median('watched', 'exporter_share'):.1%}"),
        ("kB a second to a browser", f"{median('watched', 'kb_per_s'):.1f}"),
    ]


def _depth(watched: bool) -> dict[str, Any]:
    """One run of the depth worker."""
    with ExitStack() as stack:
        run = stack.enter_context(running(_SETTING))
        told = stack.enter_context(_watching(run)) if watched else {}
        time.sleep(WARM_S)
        before = _processor_s(told)
        sent = run.order({"run": "rate", "rate": RATE, "seconds": SECONDS})["log"]
        shares = {
            f"{name}_share": (now - before[name]) / SECONDS
            for name, now in _processor_s(told).items()
        }
        time.sleep(0.5)
        report = run.stop()
        more = _told(told) if watched else {}
    ordered = Figures(sent, report["log"]).latencies_ms()
    return {
        "p50_ms": quantile(ordered, 0.5), "p99_ms": quantile(ordered, 0.99), **shares, **more
    }  # fmt: skip


@contextmanager
def _watching(run: Run) -> Iterator[dict[str, Any]]:
    """Both processes, and who looks at them."""
    ports = {name: free_port() for name in _READERS}
    processes = {name: _reader(run, name, port) for name, port in ports.items()}
    try:
        for port in ports.values():
            wait_until(partial(answers, port), 20, "an answer of a reader")
        browsers = Browsers(ports["dashboard"], LOOKED_AT, ports["exporter"])
        sampler = RssSampler(processes["dashboard"].pid)
        yield {"processes": processes, "browsers": browsers, "sampler": sampler}
        browsers.stop()
    finally:
        for process in processes.values():
            process.kill()
            process.wait()


def _reader(run: Run, name: str, port: int) -> subprocess.Popen[bytes]:
    place: Path = run.directory / "var/run"
    place.mkdir(parents=True, exist_ok=True)
    address = json.dumps({"host": "127.0.0.1", "port": port})
    (place / f"{name}.json").write_text(address, encoding="utf-8")
    env = {
        **os.environ,
        "REDIS_URL": run.url,
        "TICKVISOR_SOURCE": "sim",
        "TICKVISOR_HOME": str(run.directory),
        "IBKR_LOG_LEVEL": "WARNING",
        "SYMBOL_CONFIG_PATH": str(run.directory / "universe.yaml"),
    }
    return subprocess.Popen([sys.executable, "-m", f"workers.{name}"], cwd=ROOT, env=env)


def _processor_s(told: dict[str, Any]) -> dict[str, float]:
    return {name: processor_s(one.pid) for name, one in told.get("processes", {}).items()}


def _told(told: dict[str, Any]) -> dict[str, Any]:
    browsers: Browsers = told["browsers"]
    return {
        "dashboard_mb": max(told["sampler"].stop(), default=0.0),
        "silent": browsers.silent(),
        "scrapes": browsers.scrapes,
        "kb_per_s": browsers.kb_per_s(),
    }
