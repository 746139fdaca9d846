"""Texts of a ticker's fields, and the commands that write, release and renew its halves."""

from __future__ import annotations

import time

import pytest

from shared.market.nbbo import FieldValue
from shared.store.flush import Commands
from shared.store.keys import Keys
from shared.store.scripts import script
from shared.store.ticker import (
    QuoteStamp,
    TickerKeys,
    clock_ms,
    holds_from,
    pairs_of,
    release_quote,
    text_of,
    write_last,
    write_quote,
)
from tests.unit.store.resp_commands import commands

SPY = TickerKeys("SPY", Keys("p:"))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, b""),
        ("ARCA", b"ARCA"),
        ("", b""),
        (585.94, b"585.94"),
        (585.0, b"585.0"),
        (300, b"300"),
        (0.0001, b"0.0001"),
        (0.1 + 0.2, b"0.30000000000000004"),
        (1234567890.25, b"1234567890.25"),
        ("Börse", "Börse".encode()),
    ],
)
def test_a_value_is_the_text_that_json_has_for_it(value: FieldValue, text: bytes) -> None:
    assert text_of(value) == text


def test_pairs_are_names_and_texts_in_turn() -> None:
    values: dict[str, FieldValue] = {"bid": 585.94, "bid_size": 300, "bid_venue": "ARCA"}
    assert pairs_of(values | {"ask": None}) == [
        *(b"bid", b"585.94", b"bid_size", b"300"),
        *(b"bid_venue", b"ARCA", b"ask", b""),
    ]


def test_no_values_are_no_pairs() -> None:
    assert pairs_of({}) == []


def test_a_quote_names_its_three_keys_its_source_and_its_times() -> None:
    found = Commands()
    stamp = QuoteStamp(b"tob", 4000, 1005, 5000)
    write_quote(found, SPY, stamp, {"bid": 1.5, "ask": None}, b"60")
    assert found.names == ["ticker_quote SPY"]
    assert commands(b"".join(found.parts)) == [
        [
            *("EVALSHA", script("ticker_quote").sha, "3"),
            *("p:market:SPY:ticker", "p:coord:depth:live:SPY", "p:coord:quote:ts"),
            *("tob", "SPY", "4000", "1005", "5000", "60", "2000"),
            *("bid", "1.5", "ask", ""),
        ]
    ]


def test_a_release_names_its_source_and_every_quote_field() -> None:
    found = Commands()
    release_quote(found, SPY, b"tob")
    assert found.names == ["ticker_release SPY"]
    assert commands(b"".join(found.parts)) == [
        [
            *("EVALSHA", script("ticker_release").sha, "1", "p:market:SPY:ticker", "tob"),
            *("bid", "bid_size", "bid_venue", "ask", "ask_size", "ask_venue"),
            *("mid", "spread", "spread_bps", "quote_ts", "quote_received_ts", "quote_source"),
        ]
    ]


def test_a_last_price_names_its_key_its_times_and_its_expiry() -> None:
    found = Commands()
    write_last(found, SPY, {"last": 585.94, "last_venue": None}, (1005, 5000), b"60")
    assert found.names == ["ticker_last SPY"]
    assert commands(b"".join(found.parts)) == [
        [
            *("EVALSHA", script("ticker_last").sha, "1", "p:market:SPY:ticker"),
            *("1005", "5000", "60", "2000", "last", "585.94", "last_venue", ""),
        ]
    ]


def test_the_clock_tells_unix_milliseconds() -> None:
    before = time.time_ns() // 1_000_000
    assert before <= clock_ms() <= time.time_ns() // 1_000_000


@pytest.mark.parametrize(
    ("now_ms", "ts_ms", "from_ms"),
    [
        (5000, 0, 5000),
        (5000, 4999, 5000),
        (5000, 5001, 5001),
        (5000, 7000, 7000),
    ],
)
def test_a_quote_holds_from_now_on_and_never_from_before_it_was_received(
    now_ms: int, ts_ms: int, from_ms: int
) -> None:
    assert holds_from(now_ms, ts_ms) == from_ms


@pytest.mark.parametrize("ts_ms", [7001, 3_605_000])
def test_a_quote_from_more_than_two_seconds_ahead_holds_from_now_on(ts_ms: int) -> None:
    assert holds_from(5000, ts_ms) == 5000
