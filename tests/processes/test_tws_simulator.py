from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ib_async import IB, StartupFetchALL, StartupFetchNONE, Stock

from simulators.tws.process import SimulatorProcess as Simulator
from tests.support.until import until

RECORDINGS = Path(__file__).parents[3] / "shared/data/depth"


class Client:
    """Unmodified ib_async, its rows gathered by reqId with plain list semantics."""

    def __init__(self) -> None:
        self.ib = IB()
        # Untyped in ib_async.
        self.api: Any = self.ib.client
        self.errors: list[tuple[int, int, str]] = []
        self.books: dict[int, tuple[list[list[Any]], list[list[Any]]]] = {}
        self.rows: defaultdict[int, list[tuple[Any, ...]]] = defaultdict(list)
        self.ib.errorEvent += lambda *error: self.errors.append(error[:3])
        self.ib.wrapper.updateMktDepthL2 = self._row  # type: ignore[assignment,method-assign]

    async def connect(self, port: int) -> None:
        await self.ib.connectAsync("127.0.0.1", port, 777, fetchFields=StartupFetchNONE)

    def subscribe(self, symbol: str, exchange: str = "ARCA", num_rows: int = 15) -> int:
        req_id = self.ib.client.getReqId()
        self.api.reqMktDepth(req_id, Stock(symbol, exchange, "USD"), num_rows, False, None)
        return int(req_id)

    def codes(self, req_id: int = -1) -> list[int]:
        return [code for id_, code, _ in self.errors if id_ == req_id and not 2000 <= code < 3000]

    def _row(self, req_id: int, position: int, maker: str, *change: Any) -> None:
        operation, side, price, size = change[:4]
        self.rows[req_id].append((position, operation, side, price, size))
        rows = self.books.setdefault(req_id, ([], []))[side]
        if operation == 0:
            rows.insert(position, [price, size, maker])
        elif operation == 1:
            rows[position] = [price, size, maker]
        else:
            rows.pop(position)


Start = Callable[..., Simulator]


@pytest.fixture
def start() -> Iterator[Start]:
    running: list[Simulator] = []

    def launch(*flags: str) -> Simulator:
        running.append(Simulator("--rate", "500", *flags))
        return running[-1]

    yield launch
    for simulator in running:
        simulator.stop()


def session(simulator: Simulator, body: Callable[[Client], Awaitable[None]]) -> None:
    async def run() -> None:
        client = Client()
        await client.connect(simulator.port)
        try:
            await body(client)
        finally:
            client.ib.disconnect()

    asyncio.run(run())


async def book_agrees(simulator: Simulator, client: Client, req_id: int, symbol: str) -> None:
    simulator.call("pause")
    book = simulator.call("book", symbol=symbol)
    await until(lambda: len(client.rows[req_id]) == book["rows_sent"])
    asks, bids = client.books[req_id]
    assert (bids, asks) == (book["bids"][:15], book["asks"][:15])
    simulator.call("resume")


def test_start_up_without_fetch_sends_only_start_and_positions(start: Start) -> None:
    simulator = start()

    async def body(client: Client) -> None:
        assert client.ib.client.serverVersion() == 178
        assert simulator.call("stats")["requests"] == {"StartApi": 1, "Positions": 1}

    session(simulator, body)


def test_start_up_with_the_default_fetch_is_answered_in_full(start: Start) -> None:
    simulator = start()

    async def run() -> None:
        client = IB()
        where = ("127.0.0.1", simulator.port, 5)
        await client.connectAsync(*where, raiseSyncErrors=True, fetchFields=StartupFetchALL)
        client.disconnect()

    asyncio.run(run())
    assert simulator.call("stats")["unknown_requests"] == {}


def test_contracts_are_qualified(start: Start) -> None:
    async def body(client: Client) -> None:
        smart, direct = Stock("AAPL", "SMART", "USD"), Stock("SPY", "ARCA", "USD")
        found = await client.ib.qualifyContractsAsync(smart, direct, Stock("NOSUCH", "SMART"))
        assert [getattr(c, "conId", None) for c in found] == [265598, 756733, None]
        assert (direct.exchange, smart.primaryExchange) == ("ARCA", "NASDAQ")
        assert [code for _, code, _ in client.errors if code < 2000] == [200]

    session(start(), body)


@pytest.mark.parametrize("style", ["shift", "replace"])
@pytest.mark.parametrize(("symbol", "exchange"), [("SPY", "ARCA"), ("AAPL", "ISLAND")])
def test_the_rows_build_the_true_book(start: Start, style: str, symbol: str, exchange: str) -> None:
    simulator = start("--style", style)

    async def body(client: Client) -> None:
        req_id = client.subscribe(symbol, exchange)
        await until(lambda: len(client.rows[req_id]) > 400)
        await book_agrees(simulator, client, req_id, symbol)

    session(simulator, body)


@pytest.mark.parametrize("style", ["shift", "replace"])
def test_a_recording_arrives_row_by_row(start: Start, style: str) -> None:
    path = RECORDINGS / f"AAPL_20120621_{style}.jsonl"
    if not path.exists():
        pytest.skip("the recorded depth is not here")
    simulator = start("--replay", f"AAPL={path}", "--speed", "0")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    keys = ("position", "operation", "side", "price", "size")

    async def body(client: Client) -> None:
        req_id = client.subscribe("AAPL", "ISLAND")
        await until(lambda: simulator.call("replay", symbol="AAPL")["finished"])
        await until(lambda: len(client.rows[req_id]) == len(lines))
        assert client.rows[req_id] == [tuple(line[key] for key in keys) for line in lines]

    session(simulator, body)


def test_a_contract_over_the_cap_gets_309_until_a_slot_is_free(start: Start) -> None:
    simulator = start("--depth-cap", "1", "--cancel-lag-ms", "100")

    async def body(client: Client) -> None:
        first = client.subscribe("SPY")
        second = client.subscribe("IWM")
        await until(lambda: client.codes(second) == [309])
        client.api.cancelMktDepth(first, False)
        await until(lambda: simulator.call("stats")["cancelled"] == 1)
        await asyncio.sleep(0.15)
        third = client.subscribe("IWM")
        await until(lambda: client.rows[third])
        assert simulator.call("stats")["distinct_contracts_max"] == 1

    session(simulator, body)


def test_a_second_client_with_the_same_id_gets_326_and_is_dropped(start: Start) -> None:
    simulator = start()

    async def body(client: Client) -> None:
        twin = Client()
        with pytest.raises(TimeoutError):
            await twin.ib.connectAsync("127.0.0.1", simulator.port, 777, timeout=0.5)
        assert twin.codes() == [326]
        assert client.ib.isConnected()

    session(simulator, body)


def test_refusals_name_the_request(start: Start) -> None:
    simulator = start("--nasdaq-name", "NASDAQ")
    simulator.call("entitle", symbol="MSFT", code=354)

    async def body(client: Client) -> None:
        asked = ("SPY", "SMART"), ("AAPL", "ISLAND"), ("MSFT", "NASDAQ"), ("NOSUCH", "ARCA")
        ids = [client.subscribe(*pair) for pair in asked]
        await until(lambda: client.codes(ids[-1]))
        assert [client.codes(id_) for id_ in ids] == [[10092], [10092], [354], [200]]
        client.api.cancelMktDepth(ids[0], False)
        await until(lambda: client.codes(ids[0]) == [10092, 310])

    session(simulator, body)


def test_a_reset_is_followed_by_the_whole_book(start: Start) -> None:
    simulator = start()

    async def body(client: Client) -> None:
        req_id = client.subscribe("SPY")
        client.ib.errorEvent += lambda id_, code, *_: code == 317 and client.books.pop(id_)
        await until(lambda: len(client.rows[req_id]) > 30)
        simulator.call("reset", symbol="SPY")
        await until(lambda: client.codes(req_id) == [317] and req_id in client.books)
        await book_agrees(simulator, client, req_id, "SPY")

    session(simulator, body)


def test_rows_flow_for_a_while_after_a_cancel(start: Start) -> None:
    simulator = start("--late-rows-ms", "300")

    async def body(client: Client) -> None:
        req_id = client.subscribe("SPY")
        await until(lambda: len(client.rows[req_id]) > 30)
        client.api.cancelMktDepth(req_id, False)
        await until(lambda: simulator.call("stats")["subscriptions"][0]["state"] == "ended")
        record = simulator.call("stats")["subscriptions"][0]
        await until(lambda: len(client.rows[req_id]) == record["rows"])
        assert record["late_rows"] > 20

    session(simulator, body)


def test_lost_connectivity_is_silent_and_1101_drops_the_subscription(start: Start) -> None:
    simulator = start()

    async def body(client: Client) -> None:
        req_id = client.subscribe("SPY")
        await until(lambda: len(client.rows[req_id]) > 30)
        simulator.call("connectivity", state="lost")
        simulator.call("connectivity", state="restored_lost")
        await until(lambda: client.codes() == [1100, 1101])
        again = client.subscribe("SPY")
        rows = len(client.rows[req_id])
        await until(lambda: len(client.rows[again]) > 30)
        assert len(client.rows[req_id]) == rows

    session(simulator, body)


@pytest.mark.parametrize("command", ["cut_frame", "rst", "kick", "port_reset", "restart_for_s"])
def test_a_dropped_client_connects_again(start: Start, command: str) -> None:
    simulator = start()

    async def body(client: Client) -> None:
        simulator.call(command, **({"for_s": 0.2} if "for_s" in command else {}))
        await until(lambda: not client.ib.isConnected())
        await until(lambda: simulator.call("clients")["clients"] == [])
        await asyncio.sleep(0.3)
        again = Client()
        await again.connect(simulator.port)
        assert again.ib.isConnected()
        again.ib.disconnect()

    session(simulator, body)


@pytest.mark.parametrize("chunk_bytes", [1, 1_000_000])
def test_chunks_of_another_size_change_nothing_else(start: Start, chunk_bytes: int) -> None:
    simulator = start()

    async def body(client: Client) -> None:
        simulator.call("chunk", bytes=chunk_bytes)
        req_id = client.subscribe("SPY")
        await until(lambda: len(client.rows[req_id]) > 200)
        simulator.call("chunk", bytes=0)
        await book_agrees(simulator, client, req_id, "SPY")

    session(simulator, body)


def test_a_half_open_client_hears_nothing_and_stays_connected(start: Start) -> None:
    simulator = start()

    async def body(client: Client) -> None:
        simulator.call("half_open")
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(client.ib.reqCurrentTimeAsync(), 0.3)
        assert client.ib.isConnected()

    session(simulator, body)


def test_a_stopped_simulator_prints_its_counters_and_exits_0() -> None:
    status, last = Simulator().stop()
    assert (status, last["event"], last["connections"]) == (0, "stopped", 0)
