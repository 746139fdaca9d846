from __future__ import annotations

from simulators.tws.bar_views import BarsView
from simulators.tws.prints import RawPrint
from simulators.tws.security import Security
from simulators.tws.world import World

from .worlds import BARS, Receiver, world

# A boundary of 5 seconds: the wall clock of a receiver at its start.
T = 1_700_000_000


def still(**options: object) -> Receiver:
    return Receiver(world(trade_rate=0, quote_rate=0, history_s=0, **options))


def spy(here: World) -> Security:
    return here.floor.securities["SPY"]


def trade(client: Receiver, price_e4: int, size: float = 100) -> None:
    security = spy(client.here)
    security.trade([RawPrint(security.clock_ms, price_e4, size, "P")])


def starts(messages: list[list[str]]) -> list[int]:
    return [int(m[3]) - T for m in messages if m[0] == "50"]


def view_of(client: Receiver) -> BarsView:
    (stream,) = client.here.streams
    assert isinstance(stream.view, BarsView)
    return stream.view


def test_a_bar_is_sent_once_shortly_after_its_end_with_its_start() -> None:
    client = still(bar_delay_ms=100)
    client.ask(BARS.format(9, "SPY", "TRADES"))
    trade(client, 5_850_000)
    trade(client, 5_850_200, 300)
    assert client.ticks(5.0) == []
    assert client.tick(0.1) == [
        ["50", "3", "9", str(T), "585.00", "585.02", "585.00", "585.02", "400", "585.015000", "2"]
    ]
    assert client.ticks(4.0) == []


def test_five_seconds_without_a_trade_have_no_bar() -> None:
    client = still()
    client.ask(BARS.format(9, "SPY", "TRADES"))
    trade(client, 5_850_000)
    client.ticks(12.0)
    trade(client, 5_850_000)
    messages = client.ticks(10.0)
    assert starts(messages) == [10]


def test_bars_of_quotes_come_without_trades_and_without_change() -> None:
    client = still()
    client.ask(BARS.format(9, "SPY", "MIDPOINT"))
    messages = client.ticks(15.2)
    assert starts(messages) == [0, 5, 10]
    assert {tuple(m[8:]) for m in messages} == {("-1", "-1", "-1")}


def test_bid_and_ask_have_bars_of_their_own() -> None:
    client = still()
    client.ask(BARS.format(8, "SPY", "BID"))
    client.ask(BARS.format(9, "SPY", "ASK"))
    messages = client.ticks(5.2)
    closes = {m[2]: float(m[7]) for m in messages}
    quote = spy(client.here).quote
    assert closes == {"8": quote.bid_e4 / 10_000, "9": quote.ask_e4 / 10_000}


def test_an_unknown_kind_of_bar_is_refused() -> None:
    assert still().codes(BARS.format(9, "SPY", "OPTION_VOLUME")) == [321]


def test_a_bar_that_ended_before_the_request_is_not_sent() -> None:
    client = still(bar_delay_ms=1_000)
    client.ask(BARS.format(8, "SPY", "TRADES"))
    trade(client, 5_850_000)
    client.ticks(5.5)
    client.ask("51 1 8")
    client.ask(BARS.format(9, "SPY", "TRADES"))
    assert client.ticks(4.0) == []


def test_the_bar_in_progress_is_sent_in_full() -> None:
    client = still()
    client.ask(BARS.format(8, "SPY", "TRADES"))
    trade(client, 5_850_000)
    client.ticks(2.0)
    client.ask(BARS.format(9, "SPY", "TRADES"))
    trade(client, 5_850_000)
    messages = client.ticks(4.0)
    assert [(m[2], m[8]) for m in messages] == [("8", "200"), ("9", "200")]


def test_a_late_bar_comes_after_the_next_one() -> None:
    client = still(bar_delay_ms=0)
    client.ask(BARS.format(9, "SPY", "TRADES"))
    trade(client, 5_850_000)
    spy(client.here).late_bars[T] = 7_000
    client.ticks(5.5)
    trade(client, 5_850_000)
    assert starts(client.ticks(5.5)) == [5]
    assert starts(client.ticks(1.5)) == [0]


def test_a_corrected_bar_is_sent_again() -> None:
    client = still(bar_delay_ms=0)
    client.ask(BARS.format(9, "SPY", "TRADES"))
    trade(client, 5_850_000)
    client.ticks(5.2)
    (bar,) = spy(client.here).bars["TRADES"].newest(1)
    assert view_of(client).correct(bar._replace(high_e4=5_851_000))
    (again,) = client.tick()
    assert (int(again[3]) - T, again[5]) == (0, "585.10")
    assert client.tick() == []


def test_a_bar_not_yet_sent_is_not_sent_twice_for_a_correction() -> None:
    client = still(bar_delay_ms=0)
    client.ask(BARS.format(9, "SPY", "TRADES"))
    trade(client, 5_850_000)
    (bar,) = spy(client.here).bars["TRADES"].between(0, T + 100)
    assert not view_of(client).correct(bar)


def test_regular_hours_alone_leave_out_the_evening() -> None:
    # 22:13 UTC in November is 17:13 in New York.
    client = still()
    client.ask(BARS.format(9, "SPY", "TRADES").replace("TRADES 0", "TRADES 1"))
    trade(client, 5_850_000)
    assert client.ticks(6.0) == []


def test_a_blocked_client_gets_its_bars_later() -> None:
    client = still(bar_delay_ms=0)
    client.ask(BARS.format(9, "SPY", "TRADES"))
    trade(client, 5_850_000)
    for _ in range(20):
        assert client.tick(0.3, blocked={1}) == []
    assert starts(client.tick()) == [0]


def test_history_farms_silence_bars_for_good() -> None:
    client = still(bar_delay_ms=0)
    client.ask(BARS.format(9, "SPY", "TRADES"))
    trade(client, 5_850_000)
    client.here.ticks.history_silenced_by.add("ushmds")
    client.ticks(6.0)
    client.here.ticks.history_silenced_by.clear()
    trade(client, 5_850_000)
    assert starts(client.ticks(5.0)) == [5]
    assert spy(client.here).bars["TRADES"].closed_since(T)[0].start_s == T
