from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.until import until

from .test_tws_simulator_data import Client, Start, launching, session, tape_of


@pytest.fixture
def start() -> Iterator[Start]:
    with launching("--trade-rate", "40", "--bar-delay-ms", "10") as launch:
        yield launch


def test_real_time_bars_equal_the_simulators_own_and_its_history(start: Start) -> None:
    simulator = start()

    async def body(client: Client) -> None:
        contract = await client.stock("SPY")
        bars = client.ib.reqRealTimeBars(contract, 5, "TRADES", False)
        middles = client.ib.reqRealTimeBars(contract, 5, "MIDPOINT", False)
        await until(lambda: len(bars) == 2 and len(middles) == 2)
        live = [
            (int(b.time.timestamp()), b.open_, b.high, b.low, b.close, b.volume, b.wap, b.count)
            for b in bars
        ]
        own = simulator.call("bars", symbol="SPY", last=2)["bars"]
        assert live == [tuple(bar.values()) for bar in own]
        assert {bar[0] % 5 for bar in live} == {0}
        assert {bar.volume for bar in middles} == {-1}
        past = await client.ib.reqHistoricalDataAsync(
            contract, bars[-1].time + timedelta(seconds=5), "10 S", "5 secs", "TRADES", False, 2
        )
        again = [
            (
                bar.date,
                bar.open,
                bar.high,
                bar.low,
                bar.close,
                bar.volume,
                bar.average,
                bar.barCount,
            )
            for bar in past
        ]
        assert again == [(bars[n].time, *live[n][1:]) for n in range(2)]

    session(simulator, body)


def test_history_is_paced(start: Start) -> None:
    simulator = start()

    async def body(client: Client) -> None:
        ask, contract = client.ib.reqHistoricalDataAsync, await client.stock("SPY")
        minutes = await ask(contract, "", "300 S", "1 min", "TRADES", False, 1)
        assert len(minutes) in (5, 6)
        again = await ask(contract, "", "300 S", "1 min", "TRADES", False, 1)
        assert (list(again), client.codes()) == ([], [162])
        assert "pacing violation" in client.errors[-1][2]

    session(simulator, body)


def test_a_bust_deactivates_bars_until_they_are_asked_for_again(start: Start) -> None:
    simulator = start()

    async def body(client: Client) -> None:
        bars = client.ib.reqRealTimeBars(await client.stock("SPY"), 5, "TRADES", False)
        await until(lambda: len(bars) == 1)
        assert simulator.call("data_error", kind="bars", code=10225)["sent"] == 1
        # ib_async cancels and asks again with the same reqId by itself.
        await until(lambda: simulator.call("stats")["streams"]["opened"]["bars"] == 2)
        await until(lambda: len(bars) == 2)
        assert client.codes() == [10225]

    session(simulator, body)


def test_10182_ends_bars_for_good(start: Start) -> None:
    simulator = start()

    async def body(client: Client) -> None:
        client.ib.reqRealTimeBars(await client.stock("SPY"), 5, "TRADES", False)
        await until(lambda: simulator.call("stats")["streams"]["open"] == {"bars": 1})
        simulator.call("data_error", kind="bars", code=10182)
        await until(lambda: client.codes() == [10182])
        assert simulator.call("stats")["streams"]["open"] == {}

    session(simulator, body)


def test_a_bar_may_be_corrected_and_may_be_late(start: Start) -> None:
    simulator = start()

    async def body(client: Client) -> None:
        bars = client.ib.reqRealTimeBars(await client.stock("SPY"), 5, "TRADES", False)
        await until(lambda: len(bars) == 1)
        late_s = simulator.call("late_bar", symbol="SPY", delay_s=6)["t"]
        corrected = simulator.call("correct_bar", symbol="SPY", high=999.0, volume=5)
        assert corrected["sent"] == 1
        await until(lambda: len(bars) == 2)
        assert (bars[1].time, bars[1].high, bars[1].volume) == (bars[0].time, 999.0, 5)
        await until(lambda: len(bars) == 4)
        assert [int(bar.time.timestamp()) - late_s for bar in bars[2:]] == [5, 0]

    session(simulator, body)


def test_bars_without_permission_and_over_the_pace_are_420(start: Start) -> None:
    simulator = start()

    async def body(client: Client) -> None:
        simulator.call("data_entitle", symbol="SPY", kind="bars", code=420)
        client.ib.reqRealTimeBars(await client.stock("SPY"), 5, "TRADES", False)
        await until(lambda: client.codes() == [420])
        assert "No market data permissions for ARCA STK" in client.errors[-1][2]
        simulator.call("set", rate_limit=0, line_cap=1000)
        client.ib.client.MaxRequests = 0
        contract = await client.stock("QQQ")
        for _ in range(61):
            client.ib.reqRealTimeBars(contract, 5, "TRADES", False)
        await until(lambda: client.codes() == [420, 420])
        assert "pacing violation" in client.errors[-1][2]

    session(simulator, body)


def test_updates_of_history_go_on_until_the_cancel(start: Start) -> None:
    simulator = start()

    async def body(client: Client) -> None:
        bars = await client.ib.reqHistoricalDataAsync(
            await client.stock("SPY"), "", "60 S", "5 secs", "TRADES", False, 2, True
        )
        count = len(bars)
        await until(lambda: len(bars) >= count + 2)
        client.ib.cancelHistoricalData(bars)
        await until(lambda: simulator.call("stats")["streams"]["cancelled"]["history"] == 1)

    session(simulator, body)


def test_past_ticks_equal_the_tape(start: Start) -> None:
    simulator = start()

    async def body(client: Client) -> None:
        contract = await client.stock("SPY")
        client.ib.reqTickByTickData(contract, "AllLast")
        await until(lambda: len(client.ticks["SPY"]) > 100)
        prints = tape_of(simulator, "SPY")["prints"]
        end = datetime.fromtimestamp(prints[-1]["ms"] // 1000 + 1, UTC)
        ask = client.ib.reqHistoricalTicksAsync
        past = await ask(contract, "", end, 50, "TRADES", False)
        newest = prints[-len(past) :]
        assert len(past) >= 50
        assert [(t.price, t.size, t.exchange) for t in past] == [
            (p["price"], p["size"], p["exchange"]) for p in newest
        ]
        quotes = await ask(contract, "", end, 5, "BID_ASK", False)
        assert quotes[-1].priceBid == simulator.call("quote", symbol="SPY")["bid"]
        assert len(await ask(contract, "", end, 5, "MIDPOINT", False)) >= 5

    session(simulator, body)
