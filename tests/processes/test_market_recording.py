"""A recorded day of SPY (2013-10-07) through simulator, worker and Redis.

The recording's clock is its own: at speed 0 it jumps from item to item, at 10 it runs ten times
as fast as ours.
"""

from __future__ import annotations

import csv
import io
import threading
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.market_keys import MarketKeys
from tests.support.market_rig import MarketPlan, MarketRig, running_market
from tests.support.recordings import shared_data
from tests.support.redis_server import RedisServer

RECORDINGS: Final = shared_data() / "bars"
# Midnight in New York.
DAY_S: Final = 1_381_118_400
OPENING: Final = (34_200_000, 35_100_000)
OPENING_PRINTS: Final = 21_429
ALL_PRINTS: Final = 250_601
MINUTES: Final = 828
NAMES: Final = {
    "A": "AMEX", "B": "BEX", "C": "NYSENAT", "D": "FINRA", "I": "ISE", "J": "EDGEA", "K": "EDGX",
    "M": "CHX", "N": "NYSE", "P": "ARCA", "Q": "NASDAQ", "T": "NASDAQ", "V": "IEX", "W": "CBOE",
    "X": "PSX", "Y": "BYX", "Z": "BATS",
}  # fmt: skip

pytestmark = [
    pytest.mark.skipif(not RECORDINGS.exists(), reason="no recorded bars beside the repository"),
    pytest.mark.timeout(240),
]


def recorded(kind: str) -> list[list[str]]:
    with zipfile.ZipFile(path_of(kind)) as archive:
        text = archive.read(archive.namelist()[0]).decode("ascii")
    return list(csv.reader(io.StringIO(text)))


def path_of(kind: str) -> Path:
    return RECORDINGS / f"SPY_20131007_{kind}_trade.zip"


def recorded_prints(from_ms: int = 0, to_ms: int = 86_400_000) -> list[tuple[Any, ...]]:
    """(second, price, size, venue, conditions) in the order of the tape."""
    return [
        (DAY_S + int(ms) // 1000, int(price) / 10_000, int(size), NAMES[letter], condition)
        for ms, price, size, letter, condition, _ in recorded("tick")
        if from_ms <= int(ms) < to_ms
    ]


def shown(trade: dict[str, Any]) -> tuple[Any, ...]:
    kept = ("price", "size", "venue", "conditions")
    return (trade["ts"] // 1000, *(trade[name] for name in kept))


@contextmanager
def replaying(home: Path, kind: str, *flags: str) -> Iterator[MarketRig]:
    """A worker of SPY alone, with a Redis of its own."""
    server = RedisServer(home / "redis").start()
    plan = MarketPlan(
        venues={"SPY": ("ARCA",)},
        # A recording may be quiet for long.
        ibkr={"line_stale_s": 600.0},
        gateway=("--replay-trades", f"SPY={path_of(kind)}", *flags),
    )
    try:
        with running_market(home, server.url, plan) as rig:
            yield rig
    finally:
        server.stop()


class Reader(threading.Thread):
    """Reads the trades all the time, as a program of a user would."""

    def __init__(self, rig: MarketRig) -> None:
        super().__init__(daemon=True)
        self.rig = rig
        self.seen: dict[int, tuple[Any, ...]] = {}
        self.faults: list[str] = []
        self.stop = threading.Event()

    def run(self) -> None:
        with MarketKeys(self.rig.redis_url) as keys:
            while not self.stop.wait(0.05):
                self.look(keys.trades("SPY"))

    def look(self, trades: list[dict[str, Any]]) -> None:
        """Numbers follow each other, and each is for ever the same print."""
        seqs = [trade["seq"] for trade in trades]
        if seqs != list(range(seqs[0], seqs[0] + len(seqs)) if seqs else []):
            self.faults.append(f"numbers were {seqs}")
        for trade in trades:
            if self.seen.setdefault(trade["seq"], shown(trade)) != shown(trade):
                self.faults.append(f"{trade} was {self.seen[trade['seq']]}")


@pytest.fixture(scope="module", autouse=True)
def opening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """The first quarter of an hour at ten times its speed, read while the other tests run."""
    flags = ("--speed", "10", "--replay-window", "09:30-09:45", "--replay-start", "command")
    with replaying(tmp_path_factory.mktemp("opening"), "tick", *flags) as rig:
        rig.wait_streams(10, 1)
        rig.gateway.call("replay", symbol="SPY", of="trades", action="start")
        reader = Reader(rig)
        reader.start()
        yield reader
        reader.stop.set()
        reader.join()


def finished(rig: MarketRig) -> bool:
    return bool(rig.gateway.call("replay", symbol="SPY", of="trades")["finished"])


def test_recorded_seconds_as_bars_give_the_vendors_own_minutes(tmp_path: Path) -> None:
    with replaying(tmp_path, "second", "--speed", "0") as rig:
        rig.wait_until(lambda: len(rig.keys.candles("SPY")) == MINUTES, 60, "all candles")
        rig.wait_until(lambda: finished(rig), 10, "the end of the recording")
        sent = rig.gateway.call("replay", symbol="SPY", of="trades")["sent"]
        rig.wait_until(lambda: len(rig.keys.bars("SPY")) == sent, 10, f"{sent} bars")
        rig.wait_until(lambda: settled(rig), 10, "the last candle as its bars say")
        bars, candles = rig.keys.bars("SPY"), rig.keys.candles("SPY")
    assert [(c["t"], c["open"], c["high"], c["low"], c["close"]) for c in candles] == [
        (DAY_S + int(ms) // 1000, *(int(price) / 10_000 for price in prices))
        for ms, *prices, _ in recorded("minute")
    ]
    volumes: defaultdict[int, int] = defaultdict(int)
    for ms, *_, volume in recorded("second"):
        volumes[DAY_S + int(ms) // 60_000 * 60] += int(volume)
    assert {c["t"]: c["volume"] for c in candles} == volumes
    assert sum(bar["volume"] for bar in bars) == sum(volumes.values())
    assert all(c["complete"] and not c["backfilled"] for c in candles)


def settled(rig: MarketRig) -> bool:
    """Every candle holds all bars of its minute."""
    count: defaultdict[int, int] = defaultdict(int)
    for bar in rig.keys.bars("SPY"):
        count[bar["t"] // 60 * 60] += 1
    return {c["t"]: c["bars"] for c in rig.keys.candles("SPY")} == count


def test_the_whole_tape_as_fast_as_the_worker_reads(tmp_path: Path) -> None:
    with replaying(tmp_path, "tick", "--speed", "0") as rig:
        rig.wait_until(lambda: rig.keys.traded("SPY") >= ALL_PRINTS, 120, "the whole tape")
        rig.wait_until(
            lambda: rig.keys.trades_metrics().get("writes", 0) >= ALL_PRINTS, 10, "the counters"
        )
        newest = rig.keys.trades("SPY")
        metrics = rig.keys.trades_metrics()
        numbers = rig.keys.hash("coord:seq:ibkr_trades")
        gaps = rig.keys.feed_gaps("trades")
    assert [trade["seq"] for trade in newest] == list(range(ALL_PRINTS - 999, ALL_PRINTS + 1))
    assert [shown(trade) for trade in newest] == recorded_prints()[-1000:]
    assert numbers["trades:SPY"] == str(ALL_PRINTS)
    assert (metrics["trades"], metrics["writes"]) == (ALL_PRINTS, ALL_PRINTS)
    assert (metrics["dropped"], metrics["stragglers"], metrics["bad_ticks"]) == (0, 0, 0)
    assert (metrics["trades_left_out"], metrics["unknown_venues"], gaps) == (0, {}, [])


def test_every_print_of_the_opening_at_ten_times_its_speed(opening: Reader) -> None:
    rig = opening.rig
    rig.wait_until(lambda: finished(rig) and OPENING_PRINTS in opening.seen, 150, "all prints")
    expected = recorded_prints(*OPENING)
    assert len(expected) == OPENING_PRINTS
    assert sorted(opening.seen) == list(range(1, OPENING_PRINTS + 1))
    told = [opening.seen[seq] for seq in range(1, OPENING_PRINTS + 1)]
    # A stream shows the second in which it begins in part: the line, which knows no venue,
    # counts until both are past it.
    by_line = [print_[3] for print_ in told].count(None)
    assert 0 < by_line < sum(second < expected[0][0] + 5 for second, *_ in expected)
    assert [print_[:3] for print_ in told[:by_line]] == [e[:3] for e in expected[:by_line]]
    assert told[by_line:] == expected[by_line:]
    assert opening.faults == []
    assert rig.keys.traded("SPY") == OPENING_PRINTS
    assert rig.keys.feed_gaps("trades") == []
    assert rig.keys.trades_metrics()["trades_left_out"] == 0
