from __future__ import annotations

import pytest

from simulators.tws.book import Book, Row, RowOp
from simulators.tws.replay import parse_replay
from simulators.tws.requests import DepthCancel
from simulators.tws.wire import FrameBuffer, fields_of
from simulators.tws.world import World

from .worlds import accepted, ask, world

TICK_S = 0.005


class Client:
    """Books by reqId, built from the bytes alone with plain list semantics."""

    def __init__(self) -> None:
        self.books: dict[int, Book] = {}
        self.rows: dict[int, int] = {}
        self.message_ids: set[str] = set()
        self._frames = FrameBuffer()

    def read(self, data: list[bytes]) -> None:
        for payload in self._frames.feed(b"".join(data)):
            message_id, _, req_id, position, *rest = fields_of(payload)
            self.message_ids.add(message_id)
            maker = rest.pop(0) if message_id == "13" else ""
            price_e4 = round(float(rest[2]) * 10_000)
            row = Row(price_e4, int(rest[3]), maker)
            op = RowOp(int(rest[0]), int(rest[1]), int(position), row)
            self.books.setdefault(int(req_id), Book()).apply(op)
            self.rows[int(req_id)] = self.rows.get(int(req_id), 0) + 1


def run(here: World, client: Client, ticks: int, blocked: frozenset[int] = frozenset()) -> None:
    for _ in range(ticks):
        client.read(here.feed.tick(TICK_S, blocked).get(1, []))


def truth(here: World, symbol: str, venue: str, num_rows: int) -> tuple[list[Row], list[Row]]:
    listing = here.directory.listing(symbol)
    assert listing is not None
    return here.market.book(listing, venue).top(num_rows)


@pytest.mark.parametrize("style", ["shift", "replace"])
@pytest.mark.parametrize("transit", ["orderly", "crossed"])
@pytest.mark.parametrize(
    ("exchange", "venue"), [("ARCA", "ARCA"), ("ISLAND", "NASDAQ"), ("IEX", "IEX")]
)
def test_applying_the_rows_gives_the_true_book(
    style: str, transit: str, exchange: str, venue: str
) -> None:
    here, client = world(style=style, transit=transit, rate=20_000), Client()
    accepted(here, ask(1, "SPY", exchange, num_rows=15))
    for _ in range(50):
        run(here, client, 1)
        assert client.books[1].top(99) == truth(here, "SPY", venue, 15)


def test_a_change_of_style_on_the_way_keeps_the_book_right() -> None:
    here, client = world(rate=5_000), Client()
    accepted(here, ask(1, "SPY"))
    run(here, client, 20)
    here.options.update("style", "replace")
    run(here, client, 20)
    assert client.books[1].top(99) == truth(here, "SPY", "ARCA", 10)


def test_two_subscriptions_of_one_book_agree() -> None:
    here, client = world(rate=5_000), Client()
    accepted(here, ask(1, "SPY", num_rows=5))
    run(here, client, 10)
    accepted(here, ask(2, "SPY", num_rows=20))
    run(here, client, 10)
    assert client.books[1].top(99) == truth(here, "SPY", "ARCA", 5)
    assert client.books[2].top(99) == truth(here, "SPY", "ARCA", 20)


def test_the_first_rows_are_inserts_of_both_sides() -> None:
    here, client = world(rate=0), Client()
    subscription = accepted(here, ask(1, "SPY", num_rows=10))
    run(here, client, 3)
    assert subscription.rows == client.rows[1] == 20


def test_the_rate_is_rows_per_second() -> None:
    here, client = world(rate=1_000), Client()
    accepted(here, ask(1, "SPY", num_rows=10))
    run(here, client, 400)
    assert 1_950 <= client.rows[1] - 20 <= 2_050


def test_a_symbol_may_have_a_rate_of_its_own() -> None:
    here, client = world(rate=0, rates={"SPY": 1_000.0}), Client()
    accepted(here, ask(1, "SPY"))
    accepted(here, ask(2, "IWM"))
    run(here, client, 100)
    assert client.rows[1] > 400
    assert client.rows[2] == 20


def test_market_makers_come_as_message_13_and_plain_rows_as_12() -> None:
    here, client = world(), Client()
    accepted(here, ask(1, "SPY", "ARCA"))
    run(here, client, 1)
    assert client.message_ids == {"12"}
    accepted(here, ask(2, "AAPL", "ISLAND"))
    run(here, client, 1)
    assert client.message_ids == {"12", "13"}


def test_a_frozen_symbol_is_silent_and_right_after_the_thaw() -> None:
    here, client = world(rate=5_000), Client()
    accepted(here, ask(1, "SPY"))
    run(here, client, 5)
    here.feed.frozen.add("SPY")
    rows = client.rows[1]
    run(here, client, 5)
    assert client.rows[1] == rows
    here.feed.frozen.clear()
    run(here, client, 5)
    assert client.rows[1] > rows
    assert client.books[1].top(99) == truth(here, "SPY", "ARCA", 10)


def test_a_blocked_client_catches_up_with_what_it_missed() -> None:
    here, client, other = world(rate=5_000), Client(), Client()
    accepted(here, ask(1, "SPY"), connection=1)
    accepted(here, ask(1, "SPY"), connection=2)
    run(here, client, 5)
    for _ in range(20):
        output = here.feed.tick(TICK_S, {1})
        assert 1 not in output
        other.read(output[2])
    run(here, client, 1)
    assert client.books[1].top(99) == truth(here, "SPY", "ARCA", 10)


def test_a_muted_subscription_gets_nothing_and_a_new_one_does() -> None:
    here, client = world(rate=5_000), Client()
    accepted(here, ask(1, "SPY")).muted = True
    accepted(here, ask(2, "SPY"))
    run(here, client, 5)
    assert set(client.rows) == {2}


def test_silence_stops_every_symbol() -> None:
    here, client = world(rate=5_000), Client()
    accepted(here, ask(1, "SPY"))
    here.feed.silenced_by.add("lost")
    run(here, client, 5)
    assert client.rows == {}


def test_rows_go_on_after_a_cancel_until_they_are_late_enough() -> None:
    here, client = world(rate=5_000, late_rows_ms=500), Client()
    subscription = accepted(here, ask(1, "SPY"))
    run(here, client, 5)
    here.desk.cancel(1, DepthCancel(1, False), 1.0)
    rows = client.rows[1]
    run(here, client, 5)
    assert client.rows[1] - rows == subscription.late_rows > 0
    here.desk.expire(1.5)
    rows = client.rows[1]
    run(here, client, 5)
    assert client.rows[1] == rows


def test_a_crossed_book_is_sent_and_healed() -> None:
    here, client = world(rate=0), Client()
    accepted(here, ask(1, "SPY"))
    run(here, client, 1)
    client.read(here.feed.distort("SPY", "cross", set())[1])
    book = client.books[1]
    assert book.bids[0].price_e4 > book.asks[0].price_e4
    client.read(here.feed.distort("SPY", "heal", set())[1])
    assert book.bids[0].price_e4 < book.asks[0].price_e4
    assert book.top(99) == truth(here, "SPY", "ARCA", 10)


def test_a_burst_sends_at_least_the_rows_asked_for() -> None:
    here, client = world(rate=0), Client()
    accepted(here, ask(1, "SPY"))
    run(here, client, 1)
    client.read(here.feed.burst("SPY", 1_000, set())[1])
    assert client.rows[1] >= 1_020
    assert client.books[1].top(99) == truth(here, "SPY", "ARCA", 10)


def test_a_replay_sends_each_operation_as_one_row_and_goes_quiet() -> None:
    lines = [
        '{"t": 5, "position": 0, "operation": 0, "side": 1, "price": 99.5, "size": 10, "ev": 0}',
        '{"t": 5, "position": 0, "operation": 0, "side": 1, "price": 99.6, "size": 20, "ev": 0}',
        '{"t": 6, "position": 0, "operation": 1, "side": 1, "price": 99.6, "size": 30, "ev": 1}',
    ]
    here, client = world(rate=5_000), Client()
    here.market.replays["AAPL"] = parse_replay(lines, "x")
    accepted(here, ask(1, "AAPL", "ISLAND"))
    run(here, client, 100)
    assert client.rows[1] == 2
    run(here, client, 300)
    assert client.rows[1] == 3
    bids = [Row(996_000, 30, "NSDQ"), Row(995_000, 10, "NSDQ")]
    assert client.books[1].bids == bids


def test_a_replay_waits_for_a_client_that_does_not_read() -> None:
    line = '{"t": 5, "position": 0, "operation": 0, "side": 1, "price": 99.5, "size": 1, "ev": 0}'
    here, client = world(speed=0), Client()
    here.market.replays["AAPL"] = parse_replay([line], "x")
    accepted(here, ask(1, "AAPL", "ISLAND"))
    run(here, client, 5, blocked=frozenset({1}))
    assert client.rows == {}
    run(here, client, 1)
    assert client.rows[1] == 1
