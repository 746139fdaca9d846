from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from ib_async import IB, Contract, StartupFetchNONE, Stock

from simulators.tws.process import SimulatorProcess as Simulator
from tests.support.until import until


class Client:
    """Unmodified ib_async, with the errors and tick-by-tick data of each symbol gathered."""

    def __init__(self) -> None:
        self.ib = IB()
        self.errors: list[tuple[int, int, str]] = []
        self.ticks: defaultdict[str, list[Any]] = defaultdict(list)
        self.ib.errorEvent += lambda *error: self.errors.append(error[:3])
        self.ib.pendingTickersEvent += self._gather

    async def connect(self, port: int, client_id: int = 787) -> None:
        await self.ib.connectAsync("127.0.0.1", port, client_id, fetchFields=StartupFetchNONE)

    async def stock(self, symbol: str) -> Contract:
        (found,) = await self.ib.qualifyContractsAsync(Stock(symbol, "SMART", "USD"))
        assert isinstance(found, Contract)
        return found

    def codes(self) -> list[int]:
        return [code for _, code, _ in self.errors if not 2000 <= code < 3000]

    def _gather(self, tickers: Any) -> None:
        for ticker in tickers:
            self.ticks[ticker.contract.symbol] += ticker.tickByTicks


Start = Callable[..., Simulator]


@contextmanager
def launching(*common: str) -> Iterator[Start]:
    """Simulators with these flags and more, stopped at the end."""
    running: list[Simulator] = []

    def launch(*flags: str) -> Simulator:
        running.append(Simulator(*common, *flags))
        return running[-1]

    try:
        yield launch
    finally:
        for simulator in running:
            simulator.stop()


@pytest.fixture
def start() -> Iterator[Start]:
    with launching("--trade-rate", "40", "--sample-ms", "20") as launch:
        yield launch


def session(simulator: Simulator, body: Callable[[Client], Awaitable[None]]) -> None:
    async def run() -> None:
        client = Client()
        await client.connect(simulator.port)
        try:
            await body(client)
        finally:
            client.ib.disconnect()

    asyncio.run(run())


def tape_of(simulator: Simulator, symbol: str) -> dict[str, Any]:
    """The newest prints as objects, the market standing still meanwhile."""
    simulator.call("pause")
    tape = simulator.call("tape", symbol=symbol, since=0)
    tape["prints"] = [dict(zip(tape["columns"], p, strict=True)) for p in tape["prints"]]
    return tape


def test_a_line_has_quote_last_and_rt_volume(start: Start) -> None:
    simulator = start()

    async def body(client: Client) -> None:
        ticker = client.ib.reqMktData(await client.stock("SPY"), "233")
        await until(lambda: ticker.rtTime and ticker.bid > 0 and ticker.last > 0)
        tape = tape_of(simulator, "SPY")
        newest = tape["prints"][-1]
        newest_at = datetime.fromtimestamp(newest["ms"] / 1000, UTC)
        await until(lambda: ticker.rtTime == newest_at)
        assert ticker.rtVolume == newest["day_volume"]
        assert ticker.volume == pytest.approx(newest["day_volume"] / 100, abs=1_000)
        quote = simulator.call("quote", symbol="SPY")
        await until(lambda: (ticker.bid, ticker.askSize) == (quote["bid"], quote["ask_size"]))
        assert (ticker.marketDataType, ticker.halted, client.codes()) == (1, 0, [])

    session(simulator, body)


def test_all_last_has_every_print_of_the_tape(start: Start) -> None:
    simulator = start("--unreported-share", "0.2")

    async def body(client: Client) -> None:
        client.ib.reqTickByTickData(await client.stock("AAPL"), "AllLast")
        await until(lambda: len(client.ticks["AAPL"]) > 100)
        prints = tape_of(simulator, "AAPL")["prints"]
        ticks = client.ticks["AAPL"]
        await until(lambda: len(ticks) == len(prints))
        for tick, print_ in zip(ticks, prints, strict=True):
            assert (tick.price, tick.size) == (print_["price"], print_["size"])
            assert (tick.exchange, tick.specialConditions) == (
                print_["exchange"],
                print_["conditions"],
            )
            assert tick.tickAttribLast.unreported == print_["unreported"]
        assert any(print_["unreported"] for print_ in prints)

    session(simulator, body)


def test_bid_ask_and_midpoint_follow_the_quote(start: Start) -> None:
    simulator = start()

    async def body(client: Client) -> None:
        client.ib.reqTickByTickData(await client.stock("SPY"), "BidAsk")
        client.ib.reqTickByTickData(await client.stock("QQQ"), "MidPoint")
        await until(lambda: client.ticks["SPY"] and client.ticks["QQQ"])
        simulator.call("quote", symbol="SPY", bid=1.5, bid_size=-1, ask=2.5, ask_size=0)
        simulator.call("quote", symbol="QQQ", bid=1.5, ask=1.51)
        await until(lambda: client.ticks["SPY"][-1].bidPrice == 1.5)
        await until(lambda: client.ticks["QQQ"][-1].midPoint == 1.505)
        tick = client.ticks["SPY"][-1]
        assert (tick.askPrice, tick.bidSize, tick.askSize) == (2.5, -1, 0)

    session(simulator, body)


def test_the_sixth_tick_by_tick_stream_is_refused(start: Start) -> None:
    simulator = start()

    async def body(client: Client) -> None:
        for symbol in ("SPY", "QQQ", "IWM", "AAPL", "MSFT", "NVDA"):
            client.ib.reqTickByTickData(await client.stock(symbol), "AllLast")
        await until(lambda: client.codes() == [10190])
        assert simulator.call("stats")["streams"]["ticks_max"] == 5

    session(simulator, body)


def test_lines_over_the_cap_are_101_over_all_clients(start: Start) -> None:
    simulator = start("--line-cap", "2")

    async def body(client: Client) -> None:
        other = Client()
        await other.connect(simulator.port, 788)
        other.ib.reqMktData(await other.stock("SPY"))
        client.ib.reqMktData(await client.stock("QQQ"))
        await until(lambda: simulator.call("stats")["streams"]["lines_used"] == 2)
        refused = client.ib.reqMktData(await client.stock("IWM"))
        await until(lambda: client.codes() == [101])
        other.ib.disconnect()
        await until(lambda: simulator.call("stats")["streams"]["lines_used"] == 1)
        client.ib.reqMktData(await client.stock("TSLA"))
        await until(lambda: simulator.call("stats")["streams"]["lines_used"] == 2)
        assert refused.bid != refused.bid

    session(simulator, body)


def test_a_halt_is_tick_49_and_a_marker_in_tick_by_tick(start: Start) -> None:
    simulator = start()

    async def body(client: Client) -> None:
        contract = await client.stock("SPY")
        ticker = client.ib.reqMktData(contract)
        client.ib.reqTickByTickData(contract, "AllLast")
        await until(lambda: client.ticks["SPY"] and ticker.halted == 0)
        simulator.call("halt_trading", symbol="SPY", value=2)
        await until(lambda: ticker.halted == 2)
        await until(lambda: client.ticks["SPY"][-1].price == 0)
        marker = client.ticks["SPY"][-1]
        assert (marker.size, marker.tickAttribLast.pastLimit) == (0, True)
        simulator.call("resume_trading", symbol="SPY")
        await until(lambda: ticker.halted == 0 and client.ticks["SPY"][-1].price > 0)

    session(simulator, body)


def test_an_injected_trade_arrives_as_given(start: Start) -> None:
    simulator = start("--trade-rate", "0")

    async def body(client: Client) -> None:
        client.ib.reqTickByTickData(await client.stock("SPY"), "AllLast")
        await until(lambda: simulator.call("stats")["streams"]["open"] == {"ticks": 1})
        fields = {"price": 123.4567, "size": 0.5, "venue": "IEX", "conditions": "T I"}
        simulator.call("trade", symbol="SPY", unreported=True, past_limit=True, **fields)
        await until(lambda: client.ticks["SPY"])
        (tick,) = client.ticks["SPY"]
        assert (tick.price, tick.size, tick.exchange) == (123.4567, 0.5, "IEX")
        assert tick.specialConditions == "T I"
        assert (tick.tickAttribLast.unreported, tick.tickAttribLast.pastLimit) == (True, True)

    session(simulator, body)


def test_rates_of_trades_are_set_by_symbol(start: Start) -> None:
    simulator = start("--trade-rate", "0")

    async def body(client: Client) -> None:
        client.ib.reqTickByTickData(await client.stock("SPY"), "AllLast")
        client.ib.reqTickByTickData(await client.stock("QQQ"), "AllLast")
        simulator.call("set", symbol="SPY", trade_rate=500)
        await until(lambda: len(client.ticks["SPY"]) > 100)
        simulator.call("set", trade_rates={"QQQ": 500})
        await until(lambda: len(client.ticks["QQQ"]) > 100)
        options = simulator.call("set")["options"]
        assert options["trade_rates"] == {"SPY": 500.0, "QQQ": 500.0}
        assert options["rates"] == {}

    session(simulator, body)


def test_muted_trades_leave_the_quote_alone(start: Start) -> None:
    simulator = start()

    async def body(client: Client) -> None:
        contract = await client.stock("SPY")
        ticker = client.ib.reqMktData(contract, "233")
        await until(lambda: ticker.bid > 0 and ticker.rtTime)
        simulator.call("mute_trades", symbol="SPY")
        simulator.call("quote", symbol="SPY", bid=1.5)
        await until(lambda: ticker.bid == 1.5)
        shown_at, number = ticker.rtTime, simulator.call("tape", symbol="SPY")["trades"]
        await until(lambda: simulator.call("tape", symbol="SPY")["trades"] > number + 10)
        assert ticker.rtTime == shown_at
        simulator.call("mute_trades", symbol="SPY", on=False)
        await until(lambda: ticker.rtTime != shown_at)

    session(simulator, body)
