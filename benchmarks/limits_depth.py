"""The depth worker where Redis takes nothing, is full, or takes less than comes."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final

import redis
from rich.console import Console

from benchmarks.depth_subject import SYMBOLS
from benchmarks.harness import RssSampler, Run, Setting, running, wait_until
from shared.store.keys import Keys

# More than a gateway's three subscriptions send, so that every bound is reached within a minute.
RATE: Final = 5_000.0
# More than a Redis that runs for a thirtieth of the time takes.
SLOW_RATE: Final = 10_000.0
BEFORE_S: Final = 5.0
TROUBLE_S: Final = 60.0
_SLOW_PERIOD_S: Final = 0.1
_SLOW_SHARE: Final = 0.97

Trouble = Callable[[Any], AbstractContextManager[None]]


def cases(console: Console) -> Iterator[list[str]]:
    for name, trouble, rate in (
        ("away", _stopped, RATE),
        ("full", _full, RATE),
        ("slow", _slow, SLOW_RATE),
    ):
        what = f"redis {name}, {TROUBLE_S:.0f} s of {rate:,.0f} rows/s"
        console.print(f"depth: {what}")
        yield _row(what, _measured(trouble, rate))


def _row(what: str, found: dict[str, Any]) -> list[str]:
    return [
        what,
        f"{found['before_mb']:.0f} → {found['most_mb']:.0f} MB",
        f"{found['sent']:,} rows sent in {found['sending_s']:.0f} s, {found['written']:,} written,"
        f" {found['dropped']:,} dropped",
        f"{found['gaps']} gap entries of {found['in_gaps']:,} rows ({found['reasons']})",
        f"{found['caught_up_s']:.1f} s until all was written",
    ]


def _measured(trouble: Trouble, rate: float) -> dict[str, Any]:
    gateway = ("benchmarks.depth_gateway", "--symbols", str(len(SYMBOLS)))
    setting = Setting(gateway, ("benchmarks.depth_subject", "ours"), SYMBOLS, log=False)
    with running(setting) as run, redis.Redis.from_url(run.url, decode_responses=True) as client:
        time.sleep(0.5)
        sampler = RssSampler(run.subject.pid)
        _send(run, BEFORE_S, RATE)
        quiet_mb = max(sampler.samples)
        began_s = time.monotonic()
        with trouble(client):
            sent = _send(run, TROUBLE_S, rate)
        over_s = time.monotonic()
        wait_until(lambda: _accounted(client) >= sent, 120, "every row written or in a gap")
        caught_up_s = time.monotonic() - over_s
        most_mb = max(sampler.stop())
        found = _ledger(client)
        run.stop()
    return {
        **found,
        "before_mb": quiet_mb,
        "most_mb": most_mb,
        "sent": sent,
        "sending_s": over_s - began_s,
        "caught_up_s": caught_up_s,
    }


def _send(run: Run, seconds: float, rate: float) -> int:
    """Rows of all symbols so far."""
    log = run.order({"run": "rate", "rate": rate, "seconds": seconds, "step_s": 0.01})["log"]
    return sum({symbol: total for symbol, total, _ in log}.values())


def _accounted(client: Any) -> int:
    found = _ledger(client)
    return int(found["written"]) + int(found["in_gaps"])


def _ledger(client: Any) -> dict[str, Any]:
    keys = Keys()
    gaps = [fields for _, fields in client.xrange(keys.gaps())]
    written = sum(client.xinfo_stream(keys.depth_stream(one))["entries-added"] for one in SYMBOLS)
    metrics = json.loads(client.hget(keys.metrics("ibkr"), "ibkr_depth") or "{}")
    return {
        "written": written,
        "dropped": metrics.get("dropped", 0),
        "gaps": len(gaps),
        "in_gaps": sum(int(gap["count"] or 0) for gap in gaps),
        "reasons": ", ".join(sorted({gap["reason"] for gap in gaps})) or "none",
    }


@contextmanager
def _stopped(client: Any) -> Iterator[None]:
    """The port still accepts, nothing answers."""
    pid = client.info("server")["process_id"]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextmanager
def _full(client: Any) -> Iterator[None]:
    """Every write is refused for want of memory."""
    client.config_set("maxmemory", 1)
    try:
        yield
    finally:
        client.config_set("maxmemory", "1024mb")


@contextmanager
def _slow(client: Any) -> Iterator[None]:
    """Redis runs for a small part of the time only."""
    pid = client.info("server")["process_id"]
    over = threading.Event()

    def hold() -> None:
        while not over.is_set():
            os.kill(pid, signal.SIGSTOP)
            over.wait(_SLOW_PERIOD_S * _SLOW_SHARE)
            os.kill(pid, signal.SIGCONT)
            time.sleep(_SLOW_PERIOD_S * (1 - _SLOW_SHARE))

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
