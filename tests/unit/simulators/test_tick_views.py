from __future__ import annotations

from simulators.tws.prints import PAST_LIMIT, UNREPORTED, RawPrint
from simulators.tws.quotes import QuoteOverride
from simulators.tws.security import Security
from simulators.tws.world import World

from .worlds import TICKS, Receiver, world


def still(**options: object) -> Receiver:
    return Receiver(world(trade_rate=0, quote_rate=0, history_s=0, **options))


def spy(here: World) -> Security:
    return here.floor.securities["SPY"]


def trade(client: Receiver, *prints: tuple[int, float, int]) -> None:
    security = spy(client.here)
    security.trade(
        RawPrint(security.clock_ms, price_e4, size, "Q", "F", mask)
        for price_e4, size, mask in prints
    )


def test_all_last_has_every_print() -> None:
    client = still()
    client.ask(TICKS.format(5, "SPY", "AllLast"))
    trade(client, (5_850_000, 100, 0), (5_900_000, 500, UNREPORTED), (5_850_100, 7, PAST_LIMIT))
    assert client.tick() == [
        ["99", "5", "2", "1700000000", "585.00", "100", "0", "ISLAND", "F"],
        ["99", "5", "2", "1700000000", "590.00", "500", "2", "ISLAND", "F"],
        ["99", "5", "2", "1700000000", "585.01", "7", "1", "ISLAND", "F"],
    ]


def test_last_has_no_unreported_prints() -> None:
    client = still()
    client.ask(TICKS.format(5, "SPY", "Last"))
    trade(client, (5_850_000, 100, 0), (5_900_000, 500, UNREPORTED))
    assert [m[2:6] for m in client.tick()] == [["1", "1700000000", "585.00", "100"]]


def test_prints_before_the_request_are_not_sent() -> None:
    client = still()
    client.ask(TICKS.format(5, "SPY", "Last"))
    trade(client, (5_850_000, 100, 0))
    client.tick()
    client.ask(TICKS.format(6, "SPY", "Last"))
    assert client.tick() == []


def test_a_number_of_past_ticks_may_be_asked_for() -> None:
    client = still()
    client.ask(TICKS.format(5, "SPY", "Last"))
    trade(client, (5_850_000, 100, 0))
    replies = client.ask(TICKS.format(6, "SPY", "AllLast").removesuffix("0 0") + "10 0")
    assert [reply[:3] for reply in replies] == [["98", "6", "1"]]


def test_a_halt_is_zero_price_and_size_with_past_limit() -> None:
    client = still()
    client.ask(TICKS.format(5, "SPY", "AllLast"))
    spy(client.here).mark_halt(1)
    spy(client.here).mark_halt(0)
    assert [m[4:7] for m in client.tick()] == [["0.00", "0", "1"], ["0.00", "0", "0"]]


def test_an_absent_price_is_passed_on() -> None:
    client = still()
    client.ask(TICKS.format(5, "SPY", "AllLast"))
    trade(client, (-10_000, 0, 0), (5_850_000, -1, 0))
    assert [m[4:6] for m in client.tick()] == [["-1.00", "0"], ["585.00", "-1"]]


def test_muted_trades_are_lost_to_the_stream() -> None:
    client = still()
    client.ask(TICKS.format(5, "SPY", "AllLast"))
    spy(client.here).trades_muted = True
    trade(client, (5_850_000, 100, 0))
    assert client.tick() == []
    spy(client.here).trades_muted = False
    trade(client, (5_850_100, 100, 0))
    assert [m[4] for m in client.tick()] == ["585.01"]


def test_bid_ask_begins_with_the_quote_and_follows_its_changes() -> None:
    client = still()
    client.ask(TICKS.format(5, "SPY", "BidAsk"))
    quote = spy(client.here).quote
    (first,) = client.tick()
    assert first[:4] == ["99", "5", "3", "1700000000"]
    assert first[6:] == [str(quote.bid_size), str(quote.ask_size), "0"]
    assert client.tick() == []
    spy(client.here).set_quote("ARCA", quote._replace(ask_size=4_200))
    assert [m[7] for m in client.tick()] == ["4200"]


def test_bid_ask_without_sizes_follows_prices_alone() -> None:
    client = still()
    client.ask(TICKS.format(5, "SPY", "BidAsk").removesuffix("0") + "1")
    client.tick()
    quote = spy(client.here).quote
    spy(client.here).set_quote("ARCA", quote._replace(ask_size=4_200))
    assert client.tick() == []
    spy(client.here).set_quote("ARCA", quote._replace(ask_e4=quote.ask_e4 + 100))
    assert len(client.tick()) == 1


def test_a_quote_may_have_sizes_of_minus_one_and_zero() -> None:
    client = still()
    client.ask(TICKS.format(5, "SPY", "BidAsk"))
    client.tick()
    spy(client.here).override = QuoteOverride(bid_size=-1, ask_size=0)
    client.here.floor.requote(spy(client.here))
    assert [m[6:8] for m in client.tick()] == [["-1", "0"]]


def test_the_midpoint_is_sent_when_it_moves() -> None:
    client = still()
    client.ask(TICKS.format(5, "SPY", "MidPoint"))
    assert len(client.tick()) == 1
    quote = spy(client.here).quote
    spy(client.here).set_quote("ARCA", quote._replace(ask_size=4_200))
    assert client.tick() == []
    quote = quote._replace(bid_e4=5_850_000, ask_e4=5_850_300)
    spy(client.here).set_quote("ARCA", quote)
    assert client.tick() == [["99", "5", "4", "1700000000", "585.0150"]]


def test_there_is_no_midpoint_without_both_sides() -> None:
    client = still()
    client.ask(TICKS.format(5, "SPY", "MidPoint"))
    client.tick()
    spy(client.here).override = QuoteOverride(bid_e4=-10_000)
    client.here.floor.requote(spy(client.here))
    assert client.tick() == []
