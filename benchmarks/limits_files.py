"""What grows on disk: a log that is flooded, and the append-only file of Redis at full rate."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from configparser import RawConfigParser
from pathlib import Path
from typing import Any, Final

import redis
from rich.console import Console

from benchmarks.depth_subject import SYMBOLS
from benchmarks.harness import ROOT, Setting, running, wait_until
from shared.store.keys import Keys

FLOOD_MB: Final = 400
# Beyond a gigabyte the append-only file is rewritten.
BURST_ROWS: Final = 2_000_000
_CONFIGURATION: Final = """
[supervisord]
nodaemon=true
pidfile={home}/pid
logfile={home}/supervisord.log
[program:flood]
command="{python}" -c "for _ in range({lines}): print('x' * 999)"
autorestart=false
startsecs=0
redirect_stderr=true
stdout_logfile={home}/flood.log
stdout_logfile_maxbytes={maxbytes}
stdout_logfile_backups={backups}
"""


def cases(console: Console) -> Iterator[list[str]]:
    console.print(f"files: {FLOOD_MB} MB into a log")
    yield _flooded_log()
    console.print(f"files: {BURST_ROWS:,} rows as fast as they are taken")
    yield from _append_only_file()


def _flooded_log() -> list[str]:
    shipped = RawConfigParser()
    shipped.read(ROOT / "supervisord.conf")
    worker = shipped["program:ibkr_depth"]
    with tempfile.TemporaryDirectory() as name:
        text = _CONFIGURATION.format(
            home=name,
            python=sys.executable,
            lines=FLOOD_MB * 1_000,
            maxbytes=worker["stdout_logfile_maxbytes"],
            backups=worker["stdout_logfile_backups"],
        )
        (Path(name) / "conf").write_text(text, encoding="utf-8")
        began_s = time.monotonic()
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", f"{name}/conf"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            log = Path(name) / "supervisord.log"
            wait_until(
                lambda: log.exists() and "exited: flood" in log.read_text(), 120, "the flood"
            )
            took_s = time.monotonic() - began_s
            files = sorted(Path(name).glob("flood.log*"))
            kept_mb = sum(one.stat().st_size for one in files) / 1e6
        finally:
            process.terminate()
            process.wait(20)
    return [
        f"{FLOOD_MB} MB written to a worker's log",
        "",
        f"{kept_mb:.0f} MB kept in {len(files)} files, the oldest went",
        "",
        f"took {took_s:.0f} s, the writer waited",
    ]


def _append_only_file() -> list[list[str]]:
    gateway = ("benchmarks.depth_gateway", "--symbols", str(len(SYMBOLS)))
    setting = Setting(gateway, ("benchmarks.depth_subject", "ours"), SYMBOLS, log=False)
    with running(setting) as run, redis.Redis.from_url(run.url, decode_responses=True) as client:
        time.sleep(0.5)
        files = _Largest(run.directory / "var/redis")
        began_s = time.monotonic()
        run.order({"run": "burst", "rows": BURST_ROWS})
        newest = Keys().depth_last
        wanted = BURST_ROWS // len(SYMBOLS)
        wait_until(
            lambda: all(int(client.hget(newest(one), "seq") or 0) >= wanted for one in SYMBOLS),
            180,
            "the rows in redis",
        )
        took_s = time.monotonic() - began_s
        time.sleep(5.0)
        most_mb = files.stop()
        found: Any = client.info()
        left_mb = found["aof_current_size"] / 1e6
        stream: Any = client.memory_usage(Keys().depth_stream(SYMBOLS[0]), samples=0)
        length = client.xlen(Keys().depth_stream(SYMBOLS[0]))
        run.stop()
    return [
        [
            f"{BURST_ROWS:,} depth rows in {took_s:.0f} s",
            f"redis {found['used_memory_peak'] / 1e6:.0f} MB at most",
            f"append-only file {most_mb:.0f} MB at most, {left_mb:.0f} after",
            "rewritten from 1 GB on",
            "",
        ],
        [
            f"a depth stream of {length:,} entries",
            f"{stream / 1e6:.1f} MB of redis",
            "the oldest entries go (MAXLEN)",
            "",
            "",
        ],
    ]


class _Largest:
    """The most that a directory held, looked at four times a second."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._most = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        self._stop.set()
        self._thread.join()
        return self._most / 1e6

    def _run(self) -> None:
        while not self._stop.wait(0.25):
            try:
                sizes = [one.stat().st_size for one in self._directory.rglob("*") if one.is_file()]
            except FileNotFoundError:
                # A rewrite has just removed one.
                continue
            self._most = max(self._most, sum(sizes))
