"""The real options worker against the vendor's simulator, over HTTP with gzip: what it takes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import redis
from rich.console import Console

from benchmarks.harness import ROOT, RssSampler, redis_as_shipped, universe, wait_until
from shared.store.keys import Keys
from simulators.alphavantage.process import SimulatorProcess

SYMBOLS: Final = (
    "SPY", "QQQ", "IWM", "AAPL", "MSFT", "GOOGL", "AMZN", "META", "NVDA", "TSLA", "IBM",
)  # fmt: skip
CONTRACTS: Final = 5_000
# The worker's own default.
INTERVAL_S: Final = 10.0
_TELL_EVERY_S: Final = 10.0


@dataclass
class Running:
    url: str
    worker: subprocess.Popen[bytes]
    simulator: SimulatorProcess
    redis_pid: int


def worker(console: Console, seconds: float) -> dict[str, Any]:
    """Processor time over `seconds`, from one cycle after the first chains were readable."""
    with _running() as run, _client(run.url) as client:
        names = [Keys().chain(symbol) for symbol in SYMBOLS]
        wait_until(lambda: client.exists(*names) == len(names), 60, "the first chains")
        time.sleep(INTERVAL_S)
        sampler = RssSampler(run.worker.pid)
        figures = _measured(console, client, run, seconds)
        memory = client.info("memory")
        rss_mb = sampler.stop()
        keys = client.dbsize()
    return {
        **figures,
        "symbols": len(SYMBOLS),
        "contracts": CONTRACTS,
        "interval_s": INTERVAL_S,
        "rss_mb": max(rss_mb),
        "rss_growth_mb": rss_mb[-1] - rss_mb[len(rss_mb) // 2],
        "redis_mb": memory["used_memory"] / 1e6,
        "redis_keys": keys,
        "faults": _too_few(figures["chains"], seconds),
    }


def _client(url: str) -> Any:
    # redis-py leaves parts of its client untyped.
    return redis.Redis.from_url(url, decode_responses=True)


def processor_s(pid: int) -> float:
    """User and system time of a process so far, as its `stat` says."""
    # The name of the command, in brackets, may hold anything.
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _measured(console: Console, client: Any, run: Running, seconds: float) -> dict[str, Any]:
    """Chains are counted by their events: one for every chain that became readable."""
    with client.pubsub(ignore_subscribe_messages=True) as events:
        events.psubscribe(Keys().options_events("*"))
        start_s = time.monotonic()
        before = (processor_s(run.worker.pid), processor_s(run.redis_pid))
        chains, told_s = 0, start_s
        while (now_s := time.monotonic()) < start_s + seconds:
            chains += events.get_message(timeout=0.2) is not None
            if now_s - told_s >= _TELL_EVERY_S:
                told_s = now_s
                console.print(f"worker: {now_s - start_s:.0f} of {seconds:.0f} s, {chains} chains")
        spent_s = time.monotonic() - start_s
    return {
        "seconds": spent_s,
        "chains": chains,
        "cpu_share": (processor_s(run.worker.pid) - before[0]) / spent_s,
        "redis_cpu_share": (processor_s(run.redis_pid) - before[1]) / spent_s,
    }


def _too_few(chains: int, seconds: float) -> list[str]:
    wanted = int(0.9 * len(SYMBOLS) * seconds / INTERVAL_S)
    return [] if chains >= wanted else [f"{chains} chains were written, at least {wanted} must be"]


@contextmanager
def _running() -> Iterator[Running]:
    with tempfile.TemporaryDirectory() as name, redis_as_shipped(Path(name)) as url:
        simulator = SimulatorProcess("--plan", "600", "--contracts", str(CONTRACTS))
        process = _start(Path(name), url, simulator)
        try:
            with _client(url) as client:
                server = client.info("server")
            yield Running(url, process, simulator, int(server["process_id"]))
        finally:
            process.terminate()
            process.wait(20)
            simulator.stop()


def _start(home: Path, url: str, simulator: SimulatorProcess) -> subprocess.Popen[bytes]:
    (home / "universe.yaml").write_text(universe(SYMBOLS), encoding="utf-8")
    environment = {
        **os.environ,
        "REDIS_URL": url,
        "TICKVISOR_SOURCE": "sim",
        "TICKVISOR_HOME": str(home),
        "ALPHA_VANTAGE_API_KEY": "BENCHMARK",
        "ALPHA_VANTAGE_BASE_URL": f"{simulator.base_url}/query",
        "SYMBOL_CONFIG_PATH": str(home / "universe.yaml"),
        "IBKR_LOG_LEVEL": "WARNING",
    }
    command = [sys.executable, "-m", "workers.av_options"]
    return subprocess.Popen(command, cwd=ROOT, env=environment)
