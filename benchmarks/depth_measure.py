"""One run of the depth benchmark: rows sent, rows seen, and what Redis holds in the end."""

from __future__ import annotations

import time
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Any

import redis

from benchmarks.depth_subject import SYMBOLS
from benchmarks.harness import RssSampler, Setting, running, wait_until
from shared.store.keys import Keys

Log = list[tuple[str, int, float]]


@dataclass
class Figures:
    """One run: when rows were sent and when they were visible, both on the monotonic clock."""

    sent: Log
    seen: Log
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


def measure(way: str, command: dict[str, Any], log: bool = True) -> Figures:
    """Run one program under test against one command of the gateway."""
    gateway = ("benchmarks.depth_gateway", "--symbols", str(len(SYMBOLS)))
    with running(Setting(gateway, ("benchmarks.depth_subject", way), SYMBOLS, log)) as run:
        time.sleep(0.5)
        sampler = RssSampler(run.subject.pid)
        sent: Log = run.order(command)["log"]
        if way == "decode":
            run.wait_until_idle()
        memory = sampler.stop()
        extra = _settle(way, run.url, sent) if way != "decode" else {}
        document = run.stop()
    extra["rss_samples"] = memory
    return Figures(sent, document["log"], document["cpu_s"], document["rss_mb"], extra)


def _settle(way: str, url: str, sent: Log) -> dict[str, Any]:
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
