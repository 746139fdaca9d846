from __future__ import annotations

import orjson

from shared.control.integrity import Integrity
from shared.control.silence import Silence
from shared.errors import BadRow
from shared.feeds.ibkr.depth_rows import DepthRows, Subscription
from shared.market.book import EMPTY_SIDE, Book
from shared.market.depth import BookState, DepthUpdate, Pair

INSERT, UPDATE, DELETE = b"0", b"1", b"2"
ASK, BID = b"0", b"1"


def subscription(req_id: int = 7, symbol: str = "AAPL") -> Subscription:
    pair = Pair(symbol, "NASDAQ")
    return Subscription(pair, req_id, 0, Book(15), Integrity(), Silence(30.0), 100.0)


class Rig:
    """Rows of the requests in `open`; the clock stands at 105 s."""

    def __init__(self, *open_requests: Subscription) -> None:
        self.updates: list[DepthUpdate] = []
        self.first: list[int] = []
        self.bad: list[tuple[int, str]] = []
        self.rows = DepthRows(self.updates.append, self._first, self._bad, _clock=lambda: 105.0)
        for one in open_requests:
            self.rows.add(one)
        self.rows.now_s, self.rows.now_ms = 101.5, 1_700_000_000_123

    def _first(self, subscription: Subscription) -> None:
        subscription.awaiting_row = False
        self.first.append(subscription.req_id)

    def _bad(self, subscription: Subscription, error: BadRow) -> None:
        self.bad.append((subscription.req_id, str(error)))

    def send(self, operation: bytes, side: bytes, position: int, price: bytes, size: bytes) -> None:
        self.row(b"7", operation, side, b"%d" % position, price, size)

    def row(self, req_id: bytes, *fields: bytes) -> None:
        operation, side, position, price, size = fields
        self.rows.on_row([b"12", b"1", req_id, position, operation, side, price, size, b""])


def prices(side: bytes) -> list[float]:
    return [row[0] for row in orjson.loads(side) if row[0] is not None]


def test_a_row_changes_the_book_and_publishes_both_sides() -> None:
    rig = Rig(subscription())
    rig.send(INSERT, BID, 0, b"585.33", b"18")
    update = rig.updates[0]
    assert (update.symbol, update.venue, update.state) == ("AAPL", "NASDAQ", BookState.LIVE)
    assert (update.ts_ms, update.received_s) == (1_700_000_000_123, 101.5)
    assert update.bids.startswith(b'[[585.33,18,"NASDAQ"],[null,0,null]')
    assert update.asks == EMPTY_SIDE


def test_every_row_is_an_update_of_its_own_even_when_it_changes_nothing() -> None:
    rig = Rig(subscription())
    rig.send(INSERT, BID, 0, b"585.33", b"18")
    rig.send(UPDATE, BID, 0, b"585.33", b"18")
    rig.send(DELETE, BID, 9, b"0", b"0")
    assert [update.bids for update in rig.updates] == [rig.updates[0].bids] * 3
    assert rig.rows.counters.updates == 3


def test_messages_12_and_13_are_taken() -> None:
    handlers = Rig().rows.handlers
    assert sorted(handlers) == [b"12", b"13"]


def test_a_maker_row_carries_the_maker() -> None:
    rig = Rig(subscription())
    fields = b"13|1|7|0|NSDQ|0|0|585.94|200|0|".split(b"|")
    rig.rows.handlers[b"13"](fields)
    assert rig.updates[0].asks.startswith(b'[[585.94,200,"NSDQ"],')


def test_rows_go_to_the_request_they_name() -> None:
    apple, tesla = subscription(7, "AAPL"), subscription(8, "TSLA")
    rig = Rig(apple, tesla)
    rig.row(b"8", INSERT, BID, b"0", b"250.1", b"5")
    assert (rig.updates[0].symbol, apple.rows, tesla.rows) == ("TSLA", 0, 1)


def test_rows_of_a_cancelled_request_are_stragglers() -> None:
    cancelled = subscription()
    rig = Rig(cancelled, subscription(8))
    rig.rows.remove(cancelled)
    rig.send(INSERT, BID, 0, b"585.33", b"18")
    assert (rig.updates, rig.rows.counters.stragglers, rig.rows.counters.updates) == ([], 1, 0)
    assert cancelled.book.bids.json == EMPTY_SIDE


def test_a_row_too_short_to_name_a_request_is_a_straggler() -> None:
    rig = Rig(subscription())
    rig.rows.on_row([b"12", b"1"])
    assert (rig.rows.counters.stragglers, rig.bad) == (1, [])


def test_removing_a_request_twice_is_harmless() -> None:
    one = subscription()
    rig = Rig(one)
    rig.rows.remove(one)
    rig.rows.remove(one)
    assert (rig.rows.by_id(7), rig.rows.by_key) == (None, {})


def test_an_open_request_is_found_by_its_number() -> None:
    one = subscription()
    assert (Rig(one).rows.by_id(7), Rig(one).rows.by_id(-1)) == (one, None)


def test_a_bad_row_is_counted_and_told_and_changes_nothing() -> None:
    one = subscription()
    rig = Rig(one)
    rig.send(INSERT, BID, 0, b"1_0", b"18")
    assert rig.bad == [(7, "price was b'1_0', must be a number")]
    assert (rig.rows.counters.bad_rows, rig.rows.counters.updates, one.rows) == (1, 0, 0)
    assert rig.updates == []


def test_only_a_row_that_was_waited_for_is_announced() -> None:
    one = subscription()
    rig = Rig(one)
    for _ in range(2):
        rig.send(UPDATE, BID, 0, b"585.33", b"18")
    one.awaiting_row = True
    rig.send(UPDATE, BID, 0, b"585.33", b"18")
    assert rig.first == [7, 7]


def test_the_first_row_is_announced_before_it_is_counted() -> None:
    seen: list[int] = []
    rows = DepthRows(
        lambda _: None, lambda one: seen.append(one.rows), lambda _, __: None, _clock=float
    )
    rows.add(subscription())
    rows.on_row([b"12", b"1", b"7", b"0", b"0", b"1", b"585.33", b"18", b""])
    assert seen == [0]


def test_a_row_keeps_its_time_on_the_subscription() -> None:
    one = subscription()
    rig = Rig(one)
    rig.send(INSERT, BID, 0, b"585.33", b"18")
    assert (one.rows, one.last_row_s, one.last_row_ts) == (1, 101.5, 1_700_000_000_123)


def test_a_reset_empties_the_book_and_says_so_in_one_update() -> None:
    rig = Rig(subscription())
    rig.send(INSERT, BID, 0, b"585.33", b"18")
    one = rig.rows.by_id(7)
    assert one is not None
    rig.rows.reset(one)
    last = rig.updates[-1]
    assert (last.bids, last.asks, last.state) == (EMPTY_SIDE, EMPTY_SIDE, BookState.RESET)
    assert (len(rig.updates), rig.rows.counters.resets, last.received_s) == (2, 1, 105.0)


def test_a_reset_book_is_live_again_once_both_sides_are_back() -> None:
    one = subscription()
    rig = Rig(one)
    rig.rows.reset(one)
    rig.send(INSERT, BID, 0, b"585.33", b"18")
    rig.send(INSERT, BID, 1, b"585.3", b"150")
    rig.send(INSERT, ASK, 0, b"585.94", b"200")
    assert [update.state.value for update in rig.updates] == ["reset", "reset", "reset", "live"]


def test_a_fault_is_followed_from_the_row_that_brought_it() -> None:
    one = subscription()
    rig = Rig(one)
    rig.send(INSERT, BID, 0, b"586", b"1")
    rig.send(INSERT, ASK, 0, b"585", b"1")
    assert (one.integrity.fault, one.integrity.lasting(102.5)) == ("crossed", "")
    assert one.integrity.lasting(102.6) == "crossed"


def test_the_row_that_heals_a_book_ends_its_fault() -> None:
    one = subscription()
    rig = Rig(one)
    rig.send(INSERT, BID, 0, b"586", b"1")
    rig.send(INSERT, ASK, 0, b"585", b"1")
    rig.send(UPDATE, ASK, 0, b"586.5", b"1")
    assert (one.integrity.fault, one.integrity.lasting(110.0)) == ("", "")


def test_a_reset_ends_a_fault() -> None:
    one = subscription()
    rig = Rig(one)
    rig.send(UPDATE, BID, 3, b"586", b"1")
    rig.rows.reset(one)
    assert (one.integrity.fault, one.integrity.lasting(200.0)) == ("", "")


def test_rows_that_share_a_slice_share_its_time() -> None:
    rig = Rig(subscription())
    rig.rows.on_slice()
    for price in (b"585.33", b"585.34"):
        rig.send(UPDATE, BID, 0, price, b"1")
    assert [update.received_s for update in rig.updates] == [105.0, 105.0]
    assert prices(rig.updates[-1].bids) == [585.34]
