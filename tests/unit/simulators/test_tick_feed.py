from __future__ import annotations

from simulators.tws.bars import Bar
from simulators.tws.book import Book, Row, RowOp
from simulators.tws.prints import RawPrint
from simulators.tws.replay_trades import TradeReplay

from .worlds import BARS, LINE, TICKS, Receiver, accepted, ask, replaying, world

REPLAY_MS = 1_381_152_600_000


def prices(messages: list[list[str]]) -> list[str]:
    return [m[4] for m in messages if m[0] == "99"]


def tape(client: Receiver, symbol: str = "SPY") -> int:
    return client.here.floor.securities[symbol].tape.number


def test_a_stream_gets_every_trade_of_the_tape_in_order() -> None:
    client = Receiver(world(trade_rate=500))
    client.ask(TICKS.format(1, "SPY", "AllLast"))
    messages = client.ticks(2.0, step_s=0.005)
    security = client.here.floor.securities["SPY"]
    assert 850 <= len(messages) == security.tape.number <= 1_150
    assert [m[5] for m in messages] == [str(p.size) for p in security.tape.newest(len(messages))]


def test_nothing_trades_before_anybody_asks() -> None:
    client = Receiver(world(trade_rate=500))
    client.ticks(1.0)
    assert client.here.floor.securities == {}


def test_a_symbol_goes_on_trading_when_nobody_listens() -> None:
    client = Receiver(world(trade_rate=100))
    client.ask(TICKS.format(1, "SPY", "AllLast"))
    client.session.disconnected(client.now)
    client.ticks(2.0)
    assert tape(client) > 100


def test_a_symbol_may_have_a_trade_rate_of_its_own() -> None:
    client = Receiver(world(trade_rate=0, trade_rates={"SPY": 100.0}))
    client.ask(TICKS.format(1, "SPY", "AllLast"))
    client.ask(TICKS.format(2, "QQQ", "AllLast"))
    client.ticks(2.0)
    assert (tape(client) > 100, tape(client, "QQQ")) == (True, 0)


def test_lost_connectivity_is_silent_while_the_market_trades_on() -> None:
    client = Receiver(world(trade_rate=100))
    client.ask(TICKS.format(1, "SPY", "AllLast"))
    client.ticks(1.0)
    client.here.feed.silenced_by.add("lost")
    before = tape(client)
    assert client.ticks(1.0) == []
    missed = tape(client) - before
    client.here.feed.silenced_by.clear()
    client.tick()
    (stream,) = client.here.streams
    assert missed > 50
    assert stream.record()["prints_skipped"] >= missed


def test_a_market_farm_silences_ticks_and_not_bars() -> None:
    client = Receiver(world(trade_rate=100))
    client.ask(LINE.format(1, "SPY", "233"))
    client.ask(BARS.format(2, "SPY", "TRADES"))
    client.here.feed.silenced_by.add("usfarm")
    assert {m[0] for m in client.ticks(6.0)} == {"50"}


def test_a_paused_market_neither_trades_nor_skips() -> None:
    client = Receiver(world(trade_rate=100))
    client.ask(TICKS.format(1, "SPY", "AllLast"))
    client.here.feed.silenced_by.add("paused")
    assert client.ticks(1.0) == []
    assert tape(client) == 0


def test_a_frozen_symbol_stands_still_alone() -> None:
    client = Receiver(world(trade_rate=100))
    client.ask(TICKS.format(1, "SPY", "AllLast"))
    client.ask(TICKS.format(2, "QQQ", "AllLast"))
    client.here.feed.frozen.add("SPY")
    assert {m[1] for m in client.ticks(1.0)} == {"2"}


def test_a_halted_symbol_does_not_trade() -> None:
    client = Receiver(world(trade_rate=100))
    client.ask(TICKS.format(1, "SPY", "AllLast"))
    client.here.floor.securities["SPY"].mark_halt(1)
    assert prices(client.ticks(1.0)) == ["0.00"]
    client.here.floor.securities["SPY"].mark_halt(0)
    assert len(client.ticks(1.0)) > 50


def test_a_muted_stream_gets_nothing_and_a_new_one_does() -> None:
    client = Receiver(world(trade_rate=100))
    client.ask(TICKS.format(1, "SPY", "AllLast"))
    next(iter(client.here.streams)).muted = True
    client.ask(TICKS.format(2, "SPY", "AllLast"))
    assert {m[1] for m in client.ticks(1.0)} == {"2"}


def test_a_blocked_client_gets_its_trades_when_it_reads_again() -> None:
    client = Receiver(world(trade_rate=100))
    client.ask(TICKS.format(1, "SPY", "AllLast"))
    for _ in range(10):
        assert client.tick(0.1, blocked={1}) == []
    assert len(client.tick()) == tape(client)


def test_a_clock_that_steps_back_does_not_reorder_the_tape() -> None:
    client = Receiver(world(trade_rate=100))
    client.ask(TICKS.format(1, "SPY", "AllLast"))
    client.ticks(1.0)
    here = client.here
    here.ticks.tick(client.now_s + 1, client.now.wall_ms - 60_000, 0.1, ())
    client.ticks(1.0)
    times = [p.ms for p in here.floor.securities["SPY"].tape.newest(1_000)]
    assert times == sorted(times)


def test_quotes_move_the_book_that_depth_shows() -> None:
    client = Receiver(world(trade_rate=0, quote_rate=500, sample_ms=0))
    client.ask(LINE.format(1, "SPY", "."))
    listing = client.here.directory.listing("SPY")
    assert listing is not None
    before = client.here.market.book(listing, "ARCA").top(20)
    client.ticks(1.0)
    assert client.here.market.book(listing, "ARCA").top(20) != before


def test_quotes_do_not_move_a_book_that_depth_moves() -> None:
    client = Receiver(world(rate=0, trade_rate=0, quote_rate=500))
    accepted(client.here, ask(1, "SPY"))
    client.tick()
    client.ask(LINE.format(2, "SPY", "."))
    client.ticks(1.0)
    assert client.here.feed.rows_sent["SPY", "ARCA"] == 20


def test_a_blocked_depth_client_catches_up_with_what_quotes_have_moved() -> None:
    client = Receiver(world(rate=0, trade_rate=0, quote_rate=500))
    accepted(client.here, ask(1, "SPY", num_rows=10))
    book = Book()
    rows = client.tick()
    other = Receiver(client.here, connection=2)
    other.ask(LINE.format(2, "SPY", "."))
    for _ in range(10):
        assert client.tick(0.1, blocked={1}) == []
    for _, _, _, position, operation, side, price, size in rows + client.tick():
        row = Row(round(float(price) * 10_000), int(size), "")
        book.apply(RowOp(int(operation), int(side), int(position), row))
    listing = client.here.directory.listing("SPY")
    assert listing is not None
    assert book.top(99) == client.here.market.book(listing, "ARCA").top(10)


def test_recorded_trades_come_with_the_times_of_the_recording() -> None:
    prints = [
        RawPrint(REPLAY_MS + 100, 1_680_000, 100, "P", "20", 0),
        RawPrint(REPLAY_MS + 1_200, 1_680_100, 200, "Q", "1", 0),
    ]
    client = Receiver(replaying(TradeReplay(prints, []), nasdaq_name="NASDAQ"))
    client.ask(TICKS.format(1, "SPY", "AllLast"))
    client.ask(LINE.format(2, "SPY", "233"))
    messages = client.ticks(1.0)
    assert [m for m in messages if m[0] == "99"] == [
        ["99", "1", "2", "1381152600", "168.00", "100", "0", "ARCA", "20"]
    ]
    volume = [m[4] for m in messages if m[:1] + m[3:4] == ["46", "48"]]
    assert volume == ["168.00;100;1381152600100;100;168.00000000;false"]
    assert [m[7] for m in client.ticks(1.0) if m[0] == "99"] == ["NASDAQ"]


def test_a_recording_of_trades_has_bars_and_a_quote_beside_the_last_price() -> None:
    prints = [
        RawPrint(REPLAY_MS + 100, 1_680_000, 100, "P"),
        RawPrint(REPLAY_MS + 7_000, 1, 1, "P"),
    ]
    client = Receiver(replaying(TradeReplay(prints, []), sample_ms=0))
    client.ask(BARS.format(1, "SPY", "TRADES"))
    client.ask(LINE.format(2, "SPY", "."))
    messages = client.ticks(6.0)
    assert [m[3:5] for m in messages if m[0] == "50"] == [["1381152600", "168.00"]]
    quotes = [m[3:5] for m in messages if m[0] == "1" and m[3] in ("1", "2")]
    assert quotes == [["1", "167.99"], ["2", "168.01"]]


def test_recorded_bars_come_at_the_speed_they_are_told() -> None:
    bars = [Bar(1_381_152_600 + 5 * n, 1, 1, 1, 1, 100, 100, 1) for n in range(20)]
    client = Receiver(replaying(TradeReplay([], bars), speed=10.0))
    client.ask(BARS.format(1, "SPY", "TRADES"))
    assert len(client.ticks(5.05, step_s=0.05)) == 10


def test_recorded_bars_at_speed_zero_come_at_once() -> None:
    bars = [Bar(1_381_152_600 + 5 * n, 1, 1, 1, 1, 100, 100, 1) for n in range(20)]
    client = Receiver(replaying(TradeReplay([], bars), speed=0.0))
    client.ask(BARS.format(1, "SPY", "TRADES"))
    assert [int(m[3]) for m in client.tick()] == [bar.start_s for bar in bars]


def test_a_recording_waits_for_somebody_who_reads() -> None:
    replay = TradeReplay([RawPrint(REPLAY_MS, 1_680_000, 100, "P")], [])
    client = Receiver(replaying(replay, speed=0.0))
    client.ticks(1.0)
    client.ask(TICKS.format(1, "SPY", "AllLast"))
    for _ in range(5):
        client.tick(0.1, blocked={1})
    assert replay.sent == 0
    assert len(client.tick()) == 1


def test_a_recording_may_wait_for_a_command() -> None:
    replay = TradeReplay([RawPrint(REPLAY_MS, 1_680_000, 100, "P")], [])
    replay.started = False
    client = Receiver(replaying(replay, speed=0.0))
    client.ask(TICKS.format(1, "SPY", "AllLast"))
    assert client.ticks(1.0) == []
    replay.started = True
    assert len(client.tick()) == 1


def test_recorded_bars_do_not_start_for_a_line() -> None:
    replay = TradeReplay([], [Bar(1_381_152_600, 1, 1, 1, 1, 100, 100, 1)])
    client = Receiver(replaying(replay, speed=0.0))
    client.ask(LINE.format(1, "SPY", "."))
    client.ticks(1.0)
    assert replay.sent == 0
