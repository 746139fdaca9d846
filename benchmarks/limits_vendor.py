"""The options worker with answers that are too large, and with many contracts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import redis
from rich.console import Console

from benchmarks.chain_worker import SYMBOLS
from benchmarks.harness import ROOT, RssSampler, redis_as_shipped, universe, wait_until
from shared.store.keys import Keys
from simulators.alphavantage.process import SimulatorProcess

WORKER: Final = "av_options"
# Twelve chains are below what is remembered (150,000 contracts), sixteen beyond it.
CONTRACTS: Final = 12_000
FEW: Final = 12
MANY: Final = 16
BODIES_S: Final = 45.0
CHAINS_S: Final = 60.0
_SETTLED_S: Final = 15.0


@dataclass
class Running:
    client: Any
    pid: int
    simulator: SimulatorProcess

    def metrics(self) -> dict[str, Any]:
        found = self.client.hget(Keys().metrics("alpha_vantage"), WORKER)
        document: dict[str, Any] = json.loads(found or "{}")
        return document


def cases(console: Console) -> Iterator[list[str]]:
    for megabytes in (40, 31):
        console.print(f"vendor: bodies of {megabytes} MB for {BODIES_S:.0f} s")
        yield _bodies(megabytes)
    for number in (FEW, MANY):
        console.print(f"vendor: {number} chains of {CONTRACTS:,} contracts")
        yield _chains(number)


def _bodies(megabytes: int) -> list[str]:
    with _running(SYMBOLS, 600) as run:
        _wait_for_chains(run, SYMBOLS)
        time.sleep(_SETTLED_S)
        sampler = RssSampler(run.pid)
        time.sleep(_SETTLED_S)
        before_mb = max(sampler.samples)
        run.simulator.call("fault", kind="huge_body", mb=megabytes, seconds=BODIES_S)
        time.sleep(BODIES_S + _SETTLED_S)
        most_mb = max(sampler.stop())
        told = run.metrics()
    return [
        f"{len(SYMBOLS)} symbols, every answer {megabytes} MB for {BODIES_S:.0f} s",
        f"{before_mb:.0f} → {most_mb:.0f} MB",
        f"{told['answers'].get('transport', 0)} answers refused as transport faults, "
        f"{told['bad_documents']} as no chain",
        f"{told['failures']} failures",
        f"suspended now: {len(told['suspended'])}",
    ]


def _chains(number: int) -> list[str]:
    symbols = [f"S{chr(65 + at)}" for at in range(number)]
    with _running(symbols, CONTRACTS) as run:
        sampler = RssSampler(run.pid)
        _wait_for_chains(run, symbols)
        time.sleep(CHAINS_S)
        samples = sampler.stop()
        told, memory = run.metrics(), run.client.info("memory")
    half = samples[len(samples) // 2 :]
    return [
        f"{number} chains of {CONTRACTS:,} contracts ({number * CONTRACTS:,})",
        f"{max(samples):.0f} MB, at the end {half[-1]:.0f}",
        f"{told['chains']} chains written of {told['contracts']:,} contracts",
        f"redis {memory['used_memory'] / 1e6:.0f} MB",
        f"most overdue {told['overdue_s']:.1f} s",
    ]


def _wait_for_chains(run: Running, symbols: Sequence[str]) -> None:
    names = [Keys().chain(symbol) for symbol in symbols]
    wait_until(lambda: run.client.exists(*names) == len(names), 180, "the first chains")


@contextmanager
def _running(symbols: Sequence[str], contracts: int) -> Iterator[Running]:
    with tempfile.TemporaryDirectory() as name, redis_as_shipped(Path(name)) as url:
        simulator = SimulatorProcess("--plan", "600", "--contracts", str(contracts))
        (Path(name) / "universe.yaml").write_text(universe(symbols), encoding="utf-8")
        process = _start(Path(name), url, simulator)
        try:
            with redis.Redis.from_url(url, decode_responses=True) as client:
                yield Running(client, process.pid, simulator)
        finally:
            process.terminate()
            process.wait(20)
            simulator.stop()


def _start(home: Path, url: str, simulator: SimulatorProcess) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "REDIS_URL": url,
        "TICKVISOR_SOURCE": "sim",
        "TICKVISOR_HOME": str(home),
        "ALPHA_VANTAGE_API_KEY": "BENCHMARK",
        "ALPHA_VANTAGE_BASE_URL": f"{simulator.base_url}/query",
        "SYMBOL_CONFIG_PATH": str(home / "universe.yaml"),
        "IBKR_LOG_LEVEL": "ERROR",
    }
    command = [sys.executable, "-m", f"workers.{WORKER}"]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
