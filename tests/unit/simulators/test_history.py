from __future__ import annotations

from simulators.tws.prints import RawPrint
from simulators.tws.quotes import Quote
from simulators.tws.security import Security

from .worlds import HISTORY, LINE, PAST_TICKS, Receiver, world

# 22:13:20 UTC, 17:13:20 in New York; a boundary of 5 seconds.
T = 1_700_000_000
UTC_45 = "20231114 22:13:45 UTC"


def traded(**options: object) -> Receiver:
    """SPY has one print at each of 0, 5, 10 and 60 seconds; the time is 61 seconds."""
    client = Receiver(world(**{"trade_rate": 0, "quote_rate": 0, "history_s": 0, **options}))
    client.ask(LINE.format(1, "SPY", "."))
    security = spy(client)
    for after_s, price_e4 in ((0, 5_850_000), (5, 5_850_100), (10, 5_850_300), (60, 5_850_200)):
        ms = (T + after_s) * 1000
        security.trade([RawPrint(ms, price_e4, 100, "P", "", 0)])
    client.ticks(61.0, step_s=0.5)
    return client


def spy(client: Receiver) -> Security:
    return client.here.floor.securities["SPY"]


def bars(
    client: Receiver,
    end: str = "",
    size: str = "5 secs",
    duration: str = "100 S",
    what: str = "TRADES",
) -> list[list[str]]:
    asked = HISTORY.format(7, "SPY", what, 0)
    (reply,) = client.ask(asked, end=end, size=size, duration=duration)
    assert reply[0] == "17", reply
    return [reply[5 + 8 * n : 13 + 8 * n] for n in range(int(reply[4]))]


def errors(client: Receiver, **words: str) -> list[str]:
    asked = HISTORY.format(7, "SPY", words.pop("what", "TRADES"), words.pop("keep", "0"))
    fields = {"end": "", "size": "5 secs", "duration": "100 S", **words}
    (reply,) = client.ask(asked, **fields)
    return reply[3:5]


def test_five_second_bars_are_those_that_traded() -> None:
    rows = bars(traded())
    assert [int(row[0]) - T for row in rows] == [0, 5, 10, 60]
    assert rows[2][1:] == ["585.03", "585.03", "585.03", "585.03", "100", "585.030000", "1"]


def test_minute_bars_add_them_up() -> None:
    rows = bars(traded(), size="1 min")
    assert [int(row[0]) - T for row in rows] == [-20, 40]
    assert rows[0][1:] == ["585.00", "585.03", "585.00", "585.03", "300", "585.013333", "3"]


def test_an_end_cuts_off_what_came_later() -> None:
    rows = bars(traded(), end="20231114 22:13:30 UTC")
    assert [int(row[0]) - T for row in rows] == [0, 5]


def test_a_duration_reaches_back_from_the_end() -> None:
    rows = bars(traded(), end="20231114 22:13:35 UTC", duration="10 S")
    assert [int(row[0]) - T for row in rows] == [5, 10]


def test_bars_of_quotes_are_there_too() -> None:
    rows = bars(traded(), what="BID", duration="20 S")
    assert {row[5] for row in rows} == {"-1"}
    assert len(rows) >= 4


def test_dates_are_text_when_asked_for() -> None:
    asked = HISTORY.format(7, "SPY", "TRADES", 0).replace(" 2 0 .", " 1 0 .")
    (reply,) = traded().ask(asked, end=UTC_45, size="5 secs", duration="100 S")
    assert reply[2:4] == ["20231114 17:12:05 US/Eastern", "20231114 17:13:45 US/Eastern"]
    assert reply[5] == "20231114 17:13:20 US/Eastern"


def test_no_bars_is_162_with_its_text() -> None:
    code, text = errors(traded(), end="20201114 22:13:30 UTC")
    assert code == "162"
    assert text == (
        "Historical Market Data Service error message:HMDS query returned no data: SPY@SMART Trades"
    )


def test_bad_requests_name_what_is_wrong() -> None:
    client = traded(history_pacing="off")
    assert "bar size setting is invalid, was '7 secs'" in errors(client, size="7 secs")[1]
    assert "duration is invalid, was '1 X'" in errors(client, duration="1 X")[1]
    assert "End date/time is invalid, was 'soon'" in errors(client, end="soon")[1]
    assert "type is not supported, was 'YIELD'" in errors(client, what="YIELD")[1]
    assert "must be empty when updates" in errors(client, end=UTC_45, keep="1")[1]


def test_the_same_request_again_is_a_pacing_violation() -> None:
    client = traded()
    bars(client)
    code, text = errors(client)
    assert (code, text.partition(":")[2]) == ("162", "Historical data request pacing violation")


def test_pacing_may_be_switched_off() -> None:
    client = traded(history_pacing="off")
    assert bars(client) == bars(client)


def test_a_broken_history_farm_leaves_requests_unanswered() -> None:
    client = traded()
    client.here.ticks.history_silenced_by.add("ushmds")
    asked = HISTORY.format(7, "SPY", "TRADES", 0)
    assert client.ask(asked, end="", size="5 secs", duration="100 S") == []


def test_updates_send_the_newest_bar_when_it_changes() -> None:
    client = traded()
    asked = HISTORY.format(7, "SPY", "TRADES", 1)
    client.ask(asked, end="", size="5 secs", duration="100 S")
    assert [m for m in client.ticks(1.5) if m[0] == "90"] == []
    spy(client).trade([RawPrint((T + 62) * 1000, 5_850_500, 50, "P")])
    messages = [m for m in client.ticks(1.5) if m[0] == "90"]
    assert [m[2:] for m in messages] == [
        ["2", str(T + 60), "585.02", "585.05", "585.05", "585.02", "585.030000", "150"]
    ]


def test_updates_go_on_with_new_bars_until_the_cancel() -> None:
    client = traded()
    asked = HISTORY.format(7, "SPY", "TRADES", 1)
    client.ask(asked, end="", size="1 min", duration="100 S")
    client.ticks(60.0, step_s=1.0)
    spy(client).trade([RawPrint((T + 121) * 1000, 5_850_500, 50, "P")])
    messages = [m for m in client.ticks(1.5) if m[0] == "90"]
    assert [int(m[3]) - T for m in messages] == [100]
    assert client.codes("25 1 7") == []
    assert client.codes("25 1 7") == [366]


def ticks(client: Receiver, what: str, count: int, **words: str) -> list[str]:
    asked = PAST_TICKS.format(7, "SPY", count, what)
    (reply,) = client.ask(asked, **{"start": "", "end": "", **words})
    return reply


def test_past_trades_from_a_start_are_the_first_so_many() -> None:
    reply = ticks(traded(), "TRADES", 2, start="20231114 22:13:25 UTC")
    assert reply[:3] == ["98", "7", "2"]
    assert reply[3:9] == [str(T + 5), "0", "585.01", "100", "ARCA", ""]
    assert reply[-1] == "1"


def test_past_trades_before_an_end_are_the_last_so_many() -> None:
    reply = ticks(traded(), "TRADES", 2, end="20231114 22:13:35 UTC")
    assert [int(reply[3 + 6 * n]) - T for n in range(2)] == [5, 10]


def test_a_second_of_past_trades_is_never_torn_apart() -> None:
    client = traded()
    for _ in range(5):
        spy(client).trade([RawPrint((T + 61) * 1000, 5_850_000, 100, "P")])
    reply = ticks(client, "TRADES", 2, start="20231114 22:14:21 UTC")
    assert reply[2] == "5"


def test_past_quotes_and_midpoints_are_there() -> None:
    client = traded()
    spy(client).quote_log.clear()
    spy(client).quote_log.append(((T + 3) * 1000, Quote(5_850_000, 100, 5_850_100, 200)))
    reply = ticks(client, "BID_ASK", 10, end=UTC_45)
    assert reply[:3] == ["97", "7", "1"]
    assert reply[3:] == [str(T + 3), "0", "585.00", "585.01", "100", "200", "1"]
    reply = ticks(client, "MIDPOINT", 10, end=UTC_45)
    assert reply == ["96", "7", "1", str(T + 3), "0", "585.0050", "0", "1"]


def test_past_ticks_need_a_number_a_kind_and_a_time() -> None:
    client = traded()
    assert ticks(client, "TRADES", 1001, end=UTC_45)[3] == "321"
    assert ticks(client, "YIELD", 10, end=UTC_45)[3] == "321"
    assert ticks(client, "TRADES", 10)[3] == "321"
    assert ticks(client, "TRADES", 10, end="soon")[3] == "321"


def test_no_past_ticks_is_an_empty_answer() -> None:
    assert ticks(traded(), "TRADES", 10, end="20201114 22:13:30 UTC") == ["98", "7", "0", "1"]


def test_a_symbol_has_traded_before_it_was_asked_for() -> None:
    client = Receiver(world(trade_rate=5, history_s=600))
    rows = bars(client, duration="600 S")
    assert 110 <= len(rows) <= 121
    assert int(rows[0][0]) < T - 580
