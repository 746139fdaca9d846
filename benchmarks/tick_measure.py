"""One run of the ticks benchmark: ticks sent, prints and quotes seen, and what Redis holds."""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
import redis

from benchmarks.harness import RssSampler, Run, Setting, running, wait_until
from benchmarks.tick_subject import STREAMS, Log, Quotes
from shared.store.keys import Keys
from workers.ibkr_trades import NAME

SYMBOLS: Final = 10
_QUOTE: Final = ("bid", "bid_size", "ask", "ask_size", "volume")

Told = Mapping[str, Mapping[str, Any]]


@dataclass
class TickFigures:
    """`sent` holds (ticks so far, when), `prints` the place of each print among the ticks.

    `goals` says which value of `seen` each print of a symbol stands for, in their order.
    """

    sent: list[tuple[int, float]]
    prints: dict[str, list[int]]
    goals: dict[str, list[float]]
    seen: Log
    quotes: Quotes
    cpu_s: float = 0.0
    rss_samples: list[float] = field(default_factory=list)
    # Prints or quotes that Redis does not show as they were sent, and trades gaps.
    faults: int = 0

    @property
    def ticks(self) -> int:
        return self.sent[-1][0]

    @property
    def cpu_us_per_tick(self) -> float:
        return self.cpu_s / self.ticks * 1e6

    def per_second(self) -> float:
        """All ticks over the time from the first send until the last of them was visible."""
        last = [max(times) for times in self.visible_times().values()]
        return self.ticks / (max(*last, *self.quotes.values()) - self.sent[0][1])

    def visible_times(self) -> dict[str, list[float]]:
        """When each print of a symbol was visible, in their order."""
        times: dict[str, list[float]] = {}
        for symbol, goals in self.goals.items():
            seen = [(far, at) for name, far, at in self.seen if name == symbol]
            reached = [far for far, _ in seen]
            if not reached or reached[-1] < goals[-1]:
                raise SystemExit(f"{symbol}: {reached[-1:]} of {goals[-1]} became visible")
            times[symbol] = [seen[bisect_left(reached, goal)][1] for goal in goals]
        return times

    def latencies_ms(self) -> list[float]:
        """One per print, in order of size."""
        totals = [total for total, _ in self.sent]
        found: list[float] = []
        for symbol, times in self.visible_times().items():
            for place, seen in zip(self.prints[symbol], times, strict=True):
                found.append((seen - self.sent[bisect_right(totals, place)][1]) * 1000.0)
        return sorted(found)


def measure(
    way: str, command: dict[str, Any], symbols: int = SYMBOLS, log: bool = True
) -> TickFigures:
    """Run one program under test against one command of the gateway."""
    names = [f"S{number:02d}" for number in range(symbols)]
    gateway = ("benchmarks.tick_gateway", "--symbols", str(symbols), "--streams", str(STREAMS))
    setting = Setting(gateway, ("benchmarks.tick_subject", way), names, log)
    with running(setting) as run:
        _open(run, way)
        sampler, cpu_s = RssSampler(run.subject.pid), run.cpu_s()
        told = run.order(command)
        faults = 0
        if way == "ours":
            faults = _settle(run.url, told["symbols"])
        else:
            run.wait_until_idle()
        cpu_s = run.cpu_s() - cpu_s
        memory = sampler.stop()
        document = run.stop()
        faults += _gaps(run.url)
    goals = _goals(way, told)
    seen, quotes = document["log"], document["quotes"]
    return TickFigures(told["log"], told["prints"], goals, seen, quotes, cpu_s, memory, faults)


def _open(run: Run, way: str) -> None:
    """Until the first prints are visible, and both feeds of a streamed symbol are compared."""
    told = run.order({"run": "open"})["symbols"]
    if way == "ours":
        _wait_for_prints(run.url, told)
    time.sleep(0.5)


def _goals(way: str, told: Mapping[str, Any]) -> dict[str, list[float]]:
    """The number of each print; ib_async alone is asked for the last one by the day's volume."""
    goals: dict[str, list[float]] = {}
    for symbol, state in told["symbols"].items():
        total, new = state["prints"], len(told["prints"][symbol])
        if way == "ours":
            goals[symbol] = list(range(total - new + 1, total + 1))
        else:
            goals[symbol] = [state["volume"]]
    return goals


def _wait_for_prints(url: str, told: Told) -> dict[str, int]:
    """The newest number of each symbol, once it is the one that is awaited."""
    fields = [f"trades:{symbol}" for symbol in told]
    wanted = [state["prints"] for state in told.values()]
    with redis.Redis.from_url(url, decode_responses=True) as client:

        def numbers() -> list[int]:
            found: Any = client.hmget(Keys().numbers(NAME), fields)
            return [int(number or 0) for number in found]

        wait_until(
            lambda: all(a >= b for a, b in zip(numbers(), wanted, strict=True)),
            120,
            "the prints in redis",
        )
        return dict(zip(told, numbers(), strict=True))


def _settle(url: str, told: Told) -> int:
    """Wait until Redis shows the last print and quote of every symbol; count what is wrong."""
    numbers = _wait_for_prints(url, told)
    faults: int = sum(abs(numbers[symbol] - state["prints"]) for symbol, state in told.items())
    with redis.Redis.from_url(url, decode_responses=True) as client:
        deadline = time.monotonic() + 10.0
        while (wrong := _wrong_tickers(client, told)) and time.monotonic() < deadline:
            time.sleep(0.05)
        return faults + wrong + _wrong_prints(client, told)


def _gaps(url: str) -> int:
    """Entries about prints in the gap ledger, which is complete once the worker has ended."""
    with redis.Redis.from_url(url, decode_responses=True) as client:
        entries: Any = client.xrange(Keys().gaps())
    return sum(1 for _, entry in entries if entry["feed"] == "trades")


def _wrong_tickers(client: Any, told: Told) -> int:
    """Values of the tickers that are not the newest ones sent."""
    wrong = 0
    for symbol, state in told.items():
        shown = client.hmget(Keys().ticker(symbol), _QUOTE)
        wrong += sum(
            1
            for name, text in zip(_QUOTE, shown, strict=True)
            if text is None or float(text) != state[name]
        )
    return wrong


def _wrong_prints(client: Any, told: Told) -> int:
    """Prints of the lists that differ from those sent, one by one, newest first."""
    wrong = 0
    for symbol, state in told.items():
        stored = [orjson.loads(entry) for entry in client.lrange(Keys().trades(symbol), 0, -1)]
        shown = [(print_["price"], print_["size"]) for print_ in reversed(stored)]
        sent = [(price, size) for price, size in state["newest"]]
        wrong += abs(len(sent) - len(shown)) + sum(
            a != b for a, b in zip(shown, sent, strict=False)
        )
    return wrong
