from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ib_async import Stock

from tests.support.until import until

from .test_tws_simulator_data import Client, Start, launching, session


@pytest.fixture
def start() -> Iterator[Start]:
    with launching("--trade-rate", "40", "--sample-ms", "20") as launch:
        yield launch


def test_a_line_without_permission_is_refused_or_delayed(start: Start) -> None:
    simulator = start()

    async def body(client: Client) -> None:
        simulator.call("data_entitle", symbol="SPY", code=354)
        contract = await client.stock("SPY")
        client.ib.reqMktData(contract, "233")
        await until(lambda: client.codes() == [354])
        client.ib.reqMarketDataType(3)
        delayed = client.ib.reqMktData(contract, "233")
        await until(lambda: client.codes() == [354, 10167] and delayed.bid > 0)
        assert delayed.marketDataType == 3
        await until(lambda: delayed.delayedLastTimestamp)
        traded_at = delayed.delayedLastTimestamp
        assert traded_at and traded_at < datetime.now(UTC) - timedelta(seconds=890)

    session(simulator, body)


def test_a_live_line_may_turn_delayed_and_back(start: Start) -> None:
    simulator = start()

    async def body(client: Client) -> None:
        ticker = client.ib.reqMktData(await client.stock("SPY"))
        await until(lambda: ticker.marketDataType == 1 and ticker.bid > 0)
        simulator.call("data_entitle", code=10167)
        await until(lambda: ticker.marketDataType == 3)
        simulator.call("data_entitle", code=None)
        await until(lambda: ticker.marketDataType == 1)
        assert client.codes() == [10167]

    session(simulator, body)


def test_a_competing_session_ends_requests_and_refuses_new_ones(start: Start) -> None:
    simulator = start()

    async def body(client: Client) -> None:
        contract = await client.stock("SPY")
        client.ib.reqMktData(contract, "233")
        client.ib.reqTickByTickData(contract, "AllLast")
        client.ib.reqRealTimeBars(contract, 5, "TRADES", False)
        await until(lambda: client.ticks["SPY"])
        simulator.call("compete")
        await until(lambda: client.codes() == [10197] * 3)
        other = await client.stock("QQQ")
        client.ib.reqTickByTickData(other, "AllLast")
        await until(lambda: client.codes() == [10197] * 4)
        simulator.call("compete", on=False)
        client.ib.reqTickByTickData(await client.stock("IWM"), "AllLast")
        await until(lambda: client.ticks["IWM"])

    session(simulator, body)


def test_a_competing_session_may_leave_requests_open(start: Start) -> None:
    simulator = start()

    async def body(client: Client) -> None:
        client.ib.reqTickByTickData(await client.stock("SPY"), "AllLast")
        await until(lambda: client.ticks["SPY"])
        simulator.call("compete", symbol="SPY", end=False)
        await until(lambda: client.codes() == [10197])
        seen = len(client.ticks["SPY"])
        simulator.call("compete", on=False)
        await until(lambda: len(client.ticks["SPY"]) > seen)

    session(simulator, body)


def test_1101_drops_streams_of_every_kind(start: Start) -> None:
    simulator = start()

    async def body(client: Client) -> None:
        contract = await client.stock("SPY")
        client.ib.reqMktData(contract, "233")
        client.ib.reqTickByTickData(contract, "AllLast")
        client.ib.reqRealTimeBars(contract, 5, "TRADES", False)
        await until(lambda: client.ticks["SPY"])
        simulator.call("connectivity", state="lost")
        simulator.call("connectivity", state="restored_lost")
        await until(lambda: client.codes() == [1100, 1101])
        assert simulator.call("stats")["streams"]["open"] == {}
        seen = len(client.ticks["SPY"])
        client.ib.reqTickByTickData(contract, "AllLast")
        await until(lambda: len(client.ticks["SPY"]) > seen + 10)

    session(simulator, body)


@pytest.mark.parametrize(("farm", "kind"), [("usfarm", "lines"), ("ushmds", "bars")])
def test_a_farm_may_come_back_without_the_data(start: Start, farm: str, kind: str) -> None:
    simulator = start()

    async def body(client: Client) -> None:
        contract = await client.stock("SPY")
        client.ib.reqMktData(contract, "233")
        client.ib.reqRealTimeBars(contract, 5, "MIDPOINT", False)
        await until(lambda: len(simulator.call("stats")["streams"]["records"]) == 2)
        simulator.call("farm", state="broken", farm=farm)
        simulator.call("farm", state="ok", farm=farm, resume=False)
        records = simulator.call("stats")["streams"]["records"]
        assert {record["kind"] for record in records if record["muted"]} == {kind}

    session(simulator, body)


def test_a_competing_session_takes_depth_too(start: Start) -> None:
    simulator = start()

    async def body(client: Client) -> None:
        api: Any = client.ib.client
        api.reqMktDepth(1001, Stock("SPY", "ARCA", "USD"), 10, False, None)
        await until(lambda: simulator.call("stats")["distinct_contracts_open"] == 1)
        simulator.call("compete", symbol="SPY")
        await until(lambda: [error[:2] for error in client.errors][-1] == (1001, 10197))
        api.reqMktDepth(1002, Stock("SPY", "ARCA", "USD"), 10, False, None)
        await until(lambda: client.codes() == [10197, 10197])
        simulator.call("compete", on=False)
        api.reqMktDepth(1003, Stock("SPY", "ARCA", "USD"), 10, False, None)
        await until(lambda: simulator.call("stats")["distinct_contracts_open"] == 1)

    session(simulator, body)
