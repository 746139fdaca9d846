"""Starts the embedded Redis as shipped, a lean gateway and a program under test, all fresh."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import redis

from deploy.redis_binary import find_redis_server

ROOT: Final = Path(__file__).resolve().parent.parent
CORES: Final = 2
# An idle subject takes no more than this of the processor in so long.
_IDLE_CPU_S: Final = 0.01
_IDLE_EVERY_S: Final = 0.3


def pin() -> int:
    """Everything of the measurement shares the same two cores; returns how many it got."""
    available = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, set(available[:CORES]))
    return len(os.sched_getaffinity(0))


def quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@contextmanager
def redis_as_shipped(directory: Path) -> Iterator[str]:
    """The embedded Redis with deploy/redis.conf, append-only file on, in an empty directory."""
    for part in ("var/redis", "var/run"):
        (directory / part).mkdir(parents=True)
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


@dataclass(frozen=True)
class Setting:
    """Modules and arguments of a gateway and of a subject, and the symbols between them.

    Without `log` the worker runs bare: no times, but its memory and its time are its own.
    """

    gateway: Sequence[str]
    subject: Sequence[str]
    symbols: Sequence[str]
    log: bool = True


@dataclass
class Run:
    """A gateway and a program under test that has asked it for everything."""

    url: str
    directory: Path
    gateway: subprocess.Popen[str]
    subject: subprocess.Popen[str]

    def order(self, command: dict[str, Any]) -> dict[str, Any]:
        """Have the gateway carry out a command; what it tells about it."""
        tell(self.gateway, command)
        return line(self.gateway)

    def cpu_s(self) -> float:
        """Processor time of the subject so far."""
        # The id of another process's CPU clock, as clock_getcpuclockid(3) makes it.
        return time.clock_gettime((~self.subject.pid << 3) | 2)

    def wait_until_idle(self) -> None:
        """Until the subject has handled what still was in the sockets, where Redis cannot tell."""
        before = -1.0
        while (now := self.cpu_s()) - before > _IDLE_CPU_S:
            before = now
            time.sleep(_IDLE_EVERY_S)

    def stop(self) -> dict[str, Any]:
        """End the subject in good order; its report."""
        self.subject.send_signal(signal.SIGTERM)
        self.subject.wait(20)
        report = (self.directory / "out.json").read_text(encoding="utf-8")
        document: dict[str, Any] = json.loads(report)
        return document


@contextmanager
def running(setting: Setting) -> Iterator[Run]:
    with tempfile.TemporaryDirectory() as name, redis_as_shipped(Path(name)) as url:
        directory = Path(name)
        (directory / "universe.yaml").write_text(universe(setting.symbols), encoding="utf-8")
        gateway = start(setting.gateway, dict(os.environ))
        port = line(gateway)["port"]
        subject = start(setting.subject, _environment(setting, directory, url, port))
        try:
            line(gateway)
            yield Run(url, directory, gateway, subject)
        finally:
            for process in (gateway, subject):
                if process.poll() is None:
                    process.kill()
                process.wait()


def _environment(setting: Setting, directory: Path, url: str, port: int) -> dict[str, str]:
    return {
        **os.environ,
        "REDIS_URL": url,
        "IBKR_HOST": "127.0.0.1",
        "IBKR_PORT": str(port),
        "TICKVISOR_SOURCE": "sim",
        "TICKVISOR_HOME": str(directory),
        "IBKR_LOG_LEVEL": "WARNING",
        "SYMBOL_CONFIG_PATH": str(directory / "universe.yaml"),
        "BENCH_OUT": str(directory / "out.json"),
        "BENCH_LOG": "1" if setting.log else "0",
        "BENCH_SYMBOLS": ",".join(setting.symbols),
    }


def universe(symbols: Sequence[str]) -> str:
    """The universe file with these symbols."""
    lines = [f"  {symbol}: {{venues: [ARCA], primary: ARCA}}\n" for symbol in symbols]
    return "symbols:\n" + "".join(lines)


def start(module: Sequence[str], env: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", *module],
        cwd=ROOT,
        env=env,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def tell(process: subprocess.Popen[str], command: dict[str, Any]) -> None:
    """An order for a program of the benchmark, which answers with a line once it is done."""
    assert process.stdin is not None
    process.stdin.write(json.dumps(command) + "\n")
    process.stdin.flush()


def line(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    text = process.stdout.readline()
    if not text:
        raise SystemExit(f"a program of the benchmark ended: {process.args!r}")
    document: dict[str, Any] = json.loads(text)
    return document


def _answers(url: str) -> bool:
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=0.2) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def wait_until(condition: Callable[[], bool], timeout_s: float, what: str) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"{what}: not there after {timeout_s:g} s")
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
