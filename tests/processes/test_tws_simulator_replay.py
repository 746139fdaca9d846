from __future__ import annotations

import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.until import until

from .test_tws_simulator_data import Client, Start, launching, session

RECORDINGS = Path(__file__).parents[3] / "shared/data/bars"
# Midnight in New York, 2013-10-07.
DAY_S = 1_381_118_400


@pytest.fixture
def start() -> Iterator[Start]:
    with launching("--speed", "0") as launch:
        yield launch


def recording(kind: str) -> Path:
    path = RECORDINGS / f"SPY_20131007_{kind}_trade.zip"
    if not path.exists():
        pytest.skip("the recorded bars are not here")
    return path


def rows_of(kind: str) -> list[list[str]]:
    with zipfile.ZipFile(recording(kind)) as archive:
        lines = archive.read(archive.namelist()[0]).decode().split()
    return [line.split(",") for line in lines]


def test_recorded_seconds_arrive_as_bars_that_make_the_recorded_minutes(start: Start) -> None:
    simulator = start("--replay-trades", str(recording("second")))

    async def body(client: Client) -> None:
        bars = client.ib.reqRealTimeBars(await client.stock("SPY"), 5, "TRADES", False)
        await until(lambda: simulator.call("replay", symbol="SPY")["finished"])
        total = simulator.call("replay", symbol="SPY")["total"]
        await until(lambda: len(bars) == total)
        minutes: defaultdict[int, list[Any]] = defaultdict(list)
        for bar in bars:
            minutes[(int(bar.time.timestamp()) - DAY_S) // 60 * 60_000].append(bar)
        made = [
            (ms, of[0].open_, max(b.high for b in of), min(b.low for b in of), of[-1].close)
            for ms, of in minutes.items()
        ]
        assert made == [
            (int(row[0]), *(int(price) / 10_000 for price in row[1:5])) for row in rows_of("minute")
        ]
        volume = sum(int(row[5]) for row in rows_of("second"))
        assert sum(bar.volume for bar in bars) == volume

    session(simulator, body)


def test_recorded_ticks_arrive_in_full_and_in_order(start: Start) -> None:
    window = ("--replay-window", "09:30-09:45")
    simulator = start("--replay-trades", str(recording("tick")), *window)

    async def body(client: Client) -> None:
        client.ib.reqTickByTickData(await client.stock("SPY"), "AllLast")
        ticks = client.ticks["SPY"]
        await until(lambda: len(ticks) == 21_429)
        rows = [row for row in rows_of("tick") if 34_200_000 <= int(row[0]) < 35_100_000]
        assert [(t.price, t.size, t.specialConditions) for t in ticks] == [
            (int(price) / 10_000, int(size), condition) for _, price, size, _, condition, _ in rows
        ]
        letters = {row[3]: t.exchange for row, t in zip(rows, ticks, strict=True)}
        assert (letters["P"], letters["Q"], letters["D"]) == ("ARCA", "ISLAND", "FINRA")
        status = simulator.call("replay", symbol="SPY")
        assert (status["sent"], status["finished"], status["kind"]) == (21_429, True, "prints")
        (stream,) = status["streams"]
        assert (stream["first_number"], stream["last_number"]) == (1, 21_429)

    session(simulator, body)


def test_a_recording_may_be_held_and_started(start: Start) -> None:
    flags = ("--replay-trades", str(recording("tick")), "--replay-start", "command")
    simulator = start(*flags, "--speed", "10", "--replay-window", "09:30-09:31")

    async def body(client: Client) -> None:
        ticker = client.ib.reqMktData(await client.stock("SPY"), "233")
        await until(lambda: ticker.marketDataType == 1)
        assert simulator.call("replay", symbol="SPY")["sent"] == 0
        simulator.call("replay", symbol="SPY", action="start")
        await until(lambda: ticker.rtTime)
        assert ticker.rtTime
        assert int(ticker.rtTime.timestamp() - DAY_S) // 60 == 9 * 60 + 30
        held = simulator.call("replay", symbol="SPY", action="hold")["sent"]
        assert simulator.call("replay", symbol="SPY")["sent"] == held > 0

    session(simulator, body)
