"""What the depth writer sends: decoded commands, literally as the contract names them."""

from __future__ import annotations

import pytest

from shared.store.confirmed import Position
from shared.store.depth import DepthTtls
from tests.unit.store.depth_flushes import changed, encode, on, sent, ticker, writer
from tests.unit.store.resp_commands import commands
from tests.unit.store.updates import ASKS, BIDS, EMPTY, update


def test_a_stream_entry_has_an_id_of_time_and_seq_and_exactly_five_fields() -> None:
    lines = sent(writer(), update(7))
    assert lines[0] == [
        *("XADD", "raw:ibkr:depth:stream:SPY", "MAXLEN", "~", "10000", "1007-7"),
        *("ts", "1007", "bids", BIDS.decode(), "asks", ASKS.decode()),
        *("seq", "7", "venue", "ARCA"),
    ]


def test_the_time_of_the_id_is_the_writers_own_one() -> None:
    lines = sent(writer(), changed(7, entry_ms=1_300))
    assert lines[0][5:8] == ["1300-7", "ts", "1007"]


def test_entries_come_first_in_the_order_of_the_batch() -> None:
    found = writer()
    flush, lines = encode(found, update(1), update(1, "QQQ"), update(2))
    assert [(line[0], line[1][-3:], line[5]) for line in lines[:3]] == [
        ("XADD", "SPY", "1001-1"),
        ("XADD", "QQQ", "1001-1"),
        ("XADD", "SPY", "1002-2"),
    ]
    assert "XADD" not in {line[0] for line in lines[3:]}
    assert (flush.replies, flush.name(1), flush.name(3)) == (
        len(lines),
        "XADD QQQ",
        "SET market:SPY:ARCA:book",
    )


def test_every_reply_has_the_name_of_its_command() -> None:
    found = writer()
    found.quoting({"SPY": ["ARCA"]})
    flush, lines = encode(found, update(1), update(2, "QQQ"))
    verbs = {"XADD": "XADD", "HSET": "HSET", "SETEX": "SETEX", "SET": "SET", "DEL": "DEL"}
    names = [flush.name(index).split()[0] for index in range(flush.replies)]
    assert names == [verbs.get(line[0], "ticker_quote") for line in lines]


def test_the_last_hash_holds_the_newest_update() -> None:
    lines = sent(writer(), update(7))
    assert on(lines, "raw:ibkr:depth:last:SPY") == [
        [
            *("HSET", "raw:ibkr:depth:last:SPY", "ts", "1007", "bid0", "100.0", "ask0", "100.02"),
            *("bids_json", BIDS.decode(), "asks_json", ASKS.decode(), "venue", "ARCA", "seq", "7"),
        ]
    ]


def test_the_best_price_of_an_empty_side_is_an_empty_string() -> None:
    lines = sent(writer(), changed(7, bids=EMPTY))
    assert on(lines, "raw:ibkr:depth:last:SPY")[0][4:8] == ["bid0", "", "ask0", "100.02"]


def test_the_heartbeat_is_the_receive_time_with_its_expiry() -> None:
    lines = sent(writer(), update(7))
    assert on(lines, "raw:ibkr:depth:hb:SPY") == [["SETEX", "raw:ibkr:depth:hb:SPY", "30", "1007"]]


@pytest.mark.parametrize(
    ("window_s", "hb_ttl", "book_ttl"),
    [(0.0, "30", "60"), (40.0, "40", "60"), (44.2, "45", "67"), (100.0, "100", "150")],
)
def test_expiries_follow_the_rotation_window(window_s: float, hb_ttl: str, book_ttl: str) -> None:
    found = writer()
    found.window(window_s)
    lines = sent(found, update(7))
    assert on(lines, "raw:ibkr:depth:hb:SPY")[0][2] == hb_ttl
    assert on(lines, "market:SPY:ARCA:book")[0][3:] == ["EX", book_ttl]
    assert on(lines, "market:SPY:book")[0][3:] == ["EX", "60"]


def test_configured_expiries_are_used_where_they_are_longer() -> None:
    lines = sent(writer(DepthTtls(90, 200, 70)), update(7))
    assert on(lines, "raw:ibkr:depth:hb:SPY")[0][2] == "90"
    assert on(lines, "market:SPY:ARCA:book")[0][4] == "200"
    assert on(lines, "market:SPY:book")[0][4] == "200"
    assert ticker(lines)[11] == "70"


def test_no_expiry_of_a_turn_is_shorter_than_30_seconds() -> None:
    lines = sent(writer(DepthTtls(5, 10, 60)), update(7))
    assert on(lines, "raw:ibkr:depth:hb:SPY")[0][2] == "30"
    assert on(lines, "market:SPY:ARCA:book")[0][4] == "30"


def test_a_venue_book_has_the_fields_of_the_contract() -> None:
    lines = sent(writer(), update(7))
    assert on(lines, "market:SPY:ARCA:book")[0][:3] == [
        "SET",
        "market:SPY:ARCA:book",
        '{"symbol":"SPY","venue":"ARCA","ts":1007,"received_ts":1007,"seq":7,'
        f'"bids":{BIDS.decode()},"asks":{ASKS.decode()},"state":"live"}}',
    ]


def test_the_quote_is_written_by_one_script_as_its_owner() -> None:
    found = ticker(sent(writer(), update(7)))
    assert len(found[1]) == 40
    assert found[2:13] == [
        *("3", "market:SPY:ticker", "coord:depth:live:SPY", "coord:quote:ts"),
        *("depth", "SPY", "1007", "1007", "5000", "60", "2000"),
    ]
    assert dict(zip(found[13::2], found[14::2], strict=True)) == {
        **{"bid": "100.0", "bid_size": "300", "bid_venue": "ARCA"},
        **{"ask": "100.02", "ask_size": "100", "ask_venue": "ARCA"},
        **{"mid": "100.01", "spread": "0.02", "spread_bps": "1.9998"},
    }


def test_a_one_sided_quote_has_no_mid_and_no_spread() -> None:
    found = ticker(sent(writer(), changed(7, asks=EMPTY)))
    fields = dict(zip(found[13::2], found[14::2], strict=True))
    absent = ("ask", "ask_size", "ask_venue", "mid", "spread", "spread_bps")
    assert (fields["bid"], [fields[name] for name in absent]) == ("100.0", [""] * 6)


def test_in_one_flush_every_entry_is_written_but_last_values_once_per_symbol() -> None:
    batch = [update(seq, symbol) for seq in range(1, 51) for symbol in ("SPY", "QQQ")]
    lines = sent(writer(), *batch)
    counted = {key: len(on(lines, key)) for key in {line[1] for line in lines}}
    scripts = [line for line in lines if line[0] == "EVALSHA"]
    assert len(scripts) == 2
    assert counted == {
        scripts[0][1]: 2,
        **{f"raw:ibkr:depth:stream:{symbol}": 50 for symbol in ("SPY", "QQQ")},
        **{f"raw:ibkr:depth:last:{symbol}": 1 for symbol in ("SPY", "QQQ")},
        **{f"raw:ibkr:depth:hb:{symbol}": 1 for symbol in ("SPY", "QQQ")},
        **{f"market:{symbol}:ARCA:book": 1 for symbol in ("SPY", "QQQ")},
        **{f"market:{symbol}:book": 1 for symbol in ("SPY", "QQQ")},
    }
    assert on(lines, "raw:ibkr:depth:last:QQQ")[0][-1] == "50"


def test_the_prefix_stands_before_every_key() -> None:
    found = writer(prefix="t:")
    found.quoting({"SPY": ["ARCA"]})
    lines = sent(found, update(7))
    keys = [key for line in lines for key in (line[3:5] if line[0] == "EVALSHA" else [line[1]])]
    assert [key for key in keys if not key.startswith("t:")] == []


# Numbering


def test_a_position_is_read_from_the_newest_entry_and_the_last_hash() -> None:
    found = writer()
    entry = [b"1700-42", [b"ts", b"1700", b"seq", b"42", b"venue", b"ARCA"]]
    assert found.position([[entry], b"42"]) == Position(42, 1700, 42)
    assert found.position([[], b"42"]) == Position(0, 0, 42)
    assert found.position([[], None]) == Position(0, 0, 0)


def test_a_position_is_asked_for_by_two_commands() -> None:
    assert commands(writer().position_commands("SPY")) == [
        ["XREVRANGE", "raw:ibkr:depth:stream:SPY", "+", "-", "COUNT", "1"],
        ["HGET", "raw:ibkr:depth:last:SPY", "seq"],
    ]
