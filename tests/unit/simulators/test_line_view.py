from __future__ import annotations

from simulators.tws.prints import UNREPORTED, RawPrint
from simulators.tws.quotes import QuoteOverride
from simulators.tws.security import Security
from simulators.tws.world import World

from .worlds import LINE, Receiver, world


def still(**options: object) -> Receiver:
    """A market that neither trades nor moves by itself."""
    return Receiver(world(trade_rate=0, quote_rate=0, history_s=0, sample_ms=0, **options))


def spy(here: World) -> Security:
    return here.floor.securities["SPY"]


def trade(client: Receiver, price_e4: int, size: float, mask: int = 0, letter: str = "P") -> None:
    security = spy(client.here)
    security.trade([RawPrint(security.clock_ms, price_e4, size, letter, "", mask)])


def ids(messages: list[list[str]]) -> list[str]:
    """Message id and, for ticks, the tick id."""
    return [f"{m[0]}:{m[3]}" for m in messages]


def test_a_line_begins_with_its_parameters_and_data_type() -> None:
    replies = still().ask(LINE.format(3, "SPY", "."))
    assert replies == [["81", "3", "0.01", "9c0001", "3"], ["58", "1", "3", "1"]]


def test_the_first_sample_has_close_quote_and_halt_state() -> None:
    client = still()
    client.ask(LINE.format(3, "SPY", "."))
    messages = client.tick()
    assert ids(messages) == ["1:9", "1:1", "1:2", "45:49"]
    quote = spy(client.here).quote
    assert messages[1][3:] == ["1", f"{quote.bid_e4 / 1e4:.2f}", str(quote.bid_size), "1"]
    assert messages[2][3:] == ["2", f"{quote.ask_e4 / 1e4:.2f}", str(quote.ask_size), "1"]
    assert messages[3][4] == "0"


def test_the_quote_is_the_top_of_the_primary_exchanges_book() -> None:
    client = still()
    client.ask(LINE.format(3, "SPY", "."))
    listing = client.here.directory.listing("SPY")
    assert listing is not None
    book = client.here.market.book(listing, "ARCA")
    quote = spy(client.here).quote
    assert (quote.bid_e4, quote.ask_e4) == (book.bids[0].price_e4, book.asks[0].price_e4)


def test_nothing_changed_is_nothing_sent() -> None:
    client = still()
    client.ask(LINE.format(3, "SPY", "233"))
    client.tick()
    assert client.tick() == []


def test_a_size_alone_comes_as_a_size_tick() -> None:
    client = still()
    client.ask(LINE.format(3, "SPY", "."))
    client.tick()
    quote = spy(client.here).quote
    spy(client.here).set_quote("ARCA", quote._replace(bid_size=quote.bid_size + 100))
    assert client.tick() == [["2", "6", "3", "0", str(quote.bid_size + 100)]]


def test_an_absent_side_is_price_minus_one_and_size_zero() -> None:
    client = still()
    client.ask(LINE.format(3, "SPY", "."))
    client.tick()
    spy(client.here).override = QuoteOverride(bid_e4=-10_000, bid_size=0)
    client.here.floor.requote(spy(client.here))
    assert client.tick() == [["1", "6", "3", "1", "-1.00", "0", "1"]]


def test_a_trade_moves_last_venue_volume_and_extremes() -> None:
    client = still()
    client.ask(LINE.format(3, "SPY", "."))
    client.tick()
    trade(client, 5_850_000, 250)
    messages = client.tick()
    assert ids(messages) == ["46:45", "1:4", "2:5", "46:84", "2:8", "1:6", "1:7"]
    assert messages[0][4] == "1700000000"
    assert messages[1][4:6] == ["585.00", "250"]
    assert (messages[3][4], messages[4][4]) == ("P", "2")


def test_last_is_sampled_and_rt_volume_has_every_print() -> None:
    client = still()
    client.ask(LINE.format(3, "SPY", "233"))
    client.tick()
    trade(client, 5_850_000, 100)
    trade(client, 5_850_100, 100)
    messages = client.tick()
    texts = [m[4] for m in messages if ids([m]) == ["46:48"]]
    assert texts == [
        "585.00;100;1700000000005;100;585.00000000;false",
        "585.01;100;1700000000005;200;585.00500000;false",
    ]
    assert [m[4] for m in messages if ids([m]) == ["1:4"]] == ["585.01"]


def test_unreported_prints_come_in_tick_48_and_not_in_77() -> None:
    client = still()
    client.ask(LINE.format(3, "SPY", "233,375"))
    client.tick()
    trade(client, 5_850_000, 100)
    trade(client, 5_900_000, 500, UNREPORTED)
    messages = client.tick()
    assert ids(messages)[:3] == ["46:48", "46:77", "46:48"]
    assert messages[2][4] == "590.00;500;1700000000005;100;585.00000000;false"


def test_without_the_generic_tick_there_is_no_rt_volume() -> None:
    client = still()
    client.ask(LINE.format(3, "SPY", "."))
    client.tick()
    trade(client, 5_850_000, 100)
    assert "46:48" not in ids(client.tick())


def test_an_unknown_generic_tick_is_refused() -> None:
    assert still().codes(LINE.format(3, "SPY", "233,999")) == [321]


def test_quotes_and_last_come_no_faster_than_sampled() -> None:
    client = Receiver(world(trade_rate=500, quote_rate=500, sample_ms=250, history_s=0))
    client.ask(LINE.format(3, "SPY", "."))
    samples = [bool(client.tick(0.05)) for _ in range(20)]
    assert sum(samples) == 4


def test_a_halt_is_tick_49_and_no_trades() -> None:
    client = still()
    client.ask(LINE.format(3, "SPY", "233"))
    client.tick()
    spy(client.here).mark_halt(2)
    assert client.tick() == [["45", "6", "3", "49", "2"]]
    spy(client.here).mark_halt(0)
    assert client.tick() == [["45", "6", "3", "49", "0"]]


def test_no_permission_and_delayed_asked_for_is_10167_with_delayed_ticks() -> None:
    client = still()
    client.here.streams.entitlements["lines", "SPY"] = 354
    client.ask("59 1 3")
    replies = client.ask(LINE.format(3, "SPY", "233"))
    assert [replies[0][3], replies[2]] == ["10167", ["58", "1", "3", "3"]]
    client.tick()
    trade(client, 5_850_000, 250)
    assert ids(client.tick()) == ["46:88", "1:68", "2:71", "2:74", "1:72", "1:73"]


def test_delayed_ticks_have_ids_of_their_own_and_no_rt_volume() -> None:
    client = still()
    client.here.streams.entitlements["lines", "SPY"] = 10167
    client.ask(LINE.format(3, "SPY", "233"))
    messages = client.tick()
    assert ids(messages) == ["1:75", "1:66", "1:67", "45:90"]


def test_delayed_data_asked_for_with_permission_is_live() -> None:
    client = still()
    client.ask("59 1 3")
    assert client.ask(LINE.format(3, "SPY", "."))[1] == ["58", "1", "3", "1"]


def test_partly_subscribed_is_a_notice_and_trades_without_quotes() -> None:
    client = still()
    client.here.streams.entitlements["lines", "SPY"] = 10090
    replies = client.ask(LINE.format(3, "SPY", "."))
    assert [reply[0] for reply in replies] == ["4", "81", "58"]
    assert ids(client.tick()) == ["1:9", "45:49"]


def test_a_snapshot_ends_with_57_and_leaves_no_stream() -> None:
    client = still()
    snapshot = "1 11 3 0 SPY STK . 0.0 . . SMART . USD . . 0 . 1 0 ."
    replies = client.ask(snapshot)
    assert [m[0] for m in replies] == ["81", "58", "1", "1", "1", "45", "57"]
    assert len(client.here.streams) == 0


def test_a_line_of_one_venue_has_that_venues_quote() -> None:
    client = still()
    client.ask(LINE.format(3, "SPY", ".").replace("SMART", "BATS"))
    client.tick()
    listing = client.here.directory.listing("SPY")
    assert listing is not None
    top = client.here.market.book(listing, "BATS").bids[0]
    assert spy(client.here).quote_at("BATS").bid_e4 == top.price_e4


def test_an_index_has_a_last_and_no_quote() -> None:
    client = still()
    client.ask(LINE.format(3, "SPX", ".").replace("STK", "IND").replace("SMART", "CBOE"))
    client.tick()
    security = client.here.floor.securities["SPX"]
    security.trade([RawPrint(security.clock_ms, 58_500_000, 0, "W")])
    messages = client.tick()
    assert ["1", "6", "3", "4", "5850.00", "0", "0"] in messages
    assert not {"1:1", "1:2"} & set(ids(messages))
