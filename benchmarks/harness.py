"""Starts the embedded Redis as shipped, the lean gateway and a program under test."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import redis

from benchmarks.subject import SYMBOLS
from deploy.redis_binary import find_redis_server
from shared.store.keys import Keys

ROOT: Final = Path(__file__).resolve().parent.parent
CORES: Final = 2
_UNIVERSE: Final = "symbols:\n" + "".join(
    f"  {symbol}: {{venues: [ARCA], primary: ARCA}}\n" for symbol in SYMBOLS
)


def pin() -> int:
    """Everything of the measurement shares the same two cores; returns how many it got."""
    available = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, set(available[:CORES]))
    return len(os.sched_getaffinity(0))


@dataclass
class Figures:
    """One run: when rows were sent and when they were visible, both on the monotonic clock."""

    sent: list[tuple[str, int, float]]
    seen: list[tuple[str, int, float]]
    cpu_s: float = 0.0
    rss_mb: float = 0.0
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Rows of the run, without the opening books."""
        return sum({symbol: total for symbol, total, _ in self.sent}.values()) - sum(
            self.opening.values()
        )

    @property
    def opening(self) -> dict[str, int]:
        return {symbol: 24 for symbol in SYMBOLS}

    def per_second(self) -> float:
        """Rows over the time from the first send until the last row was visible."""
        first = self.sent[0][2]
        last = max(self.visible_times().values())
        return self.rows / (last - first)

    def visible_times(self) -> dict[str, float]:
        """When each symbol's last row of the run was visible."""
        totals = {symbol: total for symbol, total, _ in self.sent}
        times: dict[str, float] = {}
        for symbol, total in totals.items():
            reached = [at for name, seen, at in self.seen if name == symbol and seen >= total]
            if not reached:
                last = max((seen for name, seen, _ in self.seen if name == symbol), default=0)
                raise SystemExit(f"{symbol}: {last} of {total} rows became visible")
            times[symbol] = min(reached)
        return times

    def latencies_ms(self) -> list[float]:
        """One per row, in order of size."""
        found: list[float] = []
        for symbol in {name for name, _, _ in self.sent}:
            seen = [(total, at) for name, total, at in self.seen if name == symbol]
            totals = [total for total, _ in seen]
            before = self.opening[symbol]
            for name, total, sent_at in self.sent:
                if name != symbol:
                    continue
                for row in range(before + 1, total + 1):
                    found.append((seen[bisect_left(totals, row)][1] - sent_at) * 1000.0)
                before = total
        return sorted(found)


def quantile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@contextmanager
def redis_as_shipped(directory: Path) -> Iterator[str]:
    """The embedded Redis with deploy/redis.conf, append-only file on, in an empty directory."""
    (directory / "var/redis").mkdir(parents=True)
    port = free_port()
    command = [
        str(find_redis_server()),
        str(ROOT / "deploy/redis.conf"),
        "--port",
        str(port),
        "--maxmemory",
        "1024mb",
    ]
    process = subprocess.Popen(
        command, cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url = f"redis://127.0.0.1:{port}/0"
    try:
        wait_until(lambda: _answers(url), 10, "redis")
        yield url
    finally:
        process.kill()
        process.wait()


class RssSampler:
    """Resident memory of a process, once a second, in MB."""

    def __init__(self, pid: int) -> None:
        self.samples: list[float] = []
        self._statm = Path(f"/proc/{pid}/statm")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> list[float]:
        self._stop.set()
        self._thread.join()
        return self.samples

    def _run(self) -> None:
        page_mb = os.sysconf("SC_PAGE_SIZE") / 1e6
        while not self._stop.wait(1.0):
            try:
                pages = int(self._statm.read_text("ascii").split()[1])
            except (OSError, IndexError):
                return
            self.samples.append(pages * page_mb)


def measure(way: str, command: dict[str, Any], log: bool = True) -> Figures:
    """Run one program under test against one command of the gateway, all of it fresh.

    Without `log` the worker runs bare: no times, but its memory is its own.
    """
    with tempfile.TemporaryDirectory() as name, redis_as_shipped(Path(name)) as url:
        directory = Path(name)
        (directory / "universe.yaml").write_text(_UNIVERSE, encoding="utf-8")
        gateway = _start("benchmarks.gateway", "--symbols", str(len(SYMBOLS)), env=dict(os.environ))
        port = _line(gateway)["port"]
        env = {
            **os.environ,
            "REDIS_URL": url,
            "IBKR_HOST": "127.0.0.1",
            "IBKR_PORT": str(port),
            "TICKVISOR_SOURCE": "sim",
            "TICKVISOR_HOME": name,
            "IBKR_LOG_LEVEL": "WARNING",
            "SYMBOL_CONFIG_PATH": str(directory / "universe.yaml"),
            "BENCH_OUT": str(directory / "out.json"),
            "BENCH_LOG": "1" if log else "0",
        }
        subject = _start("benchmarks.subject", way, env=env)
        try:
            _line(gateway)
            time.sleep(0.5)
            sampler = RssSampler(subject.pid)
            sent = _order(gateway, command)
            if way == "decode":
                time.sleep(1.0)
            memory = sampler.stop()
            extra = _settle(way, url, sent) if way != "decode" else {}
            subject.send_signal(signal.SIGTERM)
            subject.wait(20)
            document = json.loads((directory / "out.json").read_text(encoding="utf-8"))
        finally:
            for process in (gateway, subject):
                if process.poll() is None:
                    process.kill()
                process.wait()
        extra["rss_samples"] = memory
        return Figures(sent, document["log"], document["cpu_s"], document["rss_mb"], extra)


def _settle(way: str, url: str, sent: list[tuple[str, int, float]]) -> dict[str, Any]:
    """Wait until Redis itself shows the last row of every symbol; count what it holds."""
    keys = Keys()
    stream = keys.depth_stream if way == "ours" else "bench:stream:{}".format
    totals = {symbol: total for symbol, total, _ in sent}
    with redis.Redis.from_url(url, decode_responses=True) as client:

        def newest(symbol: str) -> int:
            found: Any = client.xrevrange(stream(symbol), count=1)
            return int(found[0][1]["seq"]) if found else 0

        def added(symbol: str) -> int:
            info: Any = client.xinfo_stream(stream(symbol))
            return int(info["entries-added"])

        wait_until(
            lambda: all(newest(symbol) >= total for symbol, total in totals.items()),
            120,
            f"the rows of {way} in redis",
        )
        return {
            "entries": sum(added(symbol) for symbol in totals),
            "updates": sum(totals.values()),
            "gaps": client.xlen(keys.gaps()),
        }


def _start(module: str, *arguments: str, env: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env=env,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def _line(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise SystemExit("the gateway of the benchmark ended")
    document: dict[str, Any] = json.loads(line)
    return document


def _order(gateway: subprocess.Popen[str], command: dict[str, Any]) -> list[tuple[str, int, float]]:
    assert gateway.stdin is not None
    gateway.stdin.write(json.dumps(command) + "\n")
    gateway.stdin.flush()
    log: list[tuple[str, int, float]] = _line(gateway)["log"]
    return log


def _answers(url: str) -> bool:
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=0.2) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def wait_until(condition: Any, timeout_s: float, what: str) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"{what}: not there after {timeout_s:g} s")
        time.sleep(0.05)


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
