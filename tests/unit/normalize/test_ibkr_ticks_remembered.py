"""What a parser of ticks remembers of what it has read, and what it does not."""

from __future__ import annotations

import pytest

import shared.normalize.ibkr_ticks as module
from shared.market.quote import Field, Tick
from shared.market.trade import Trade
from shared.normalize.ibkr_ticks import TickParser

RECEIVED_MS = 1_381_152_600_900
PRINT = [b"99", b"7", b"2", b"1381152600", b"167.41", b"100", b"0", b"ARCA", b" T I", b""]


def test_a_full_cache_is_dropped_and_filled_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CACHE_LIMIT", 2)
    parser = TickParser()
    prices = [b"1", b"2", b"3", b"1"]
    made = [parser.trade([*PRINT[:4], price, *PRINT[5:]], "SPY", RECEIVED_MS) for price in prices]
    assert [trade.price for trade in made if isinstance(trade, Trade)] == [1.0, 2.0, 3.0, 1.0]


def test_volumes_that_never_come_again_are_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[bytes] = []

    def whole(raw: bytes, field: str) -> float:
        made.append(raw)
        return float(raw)

    monkeypatch.setattr(module, "whole", whole)
    parser = TickParser()
    for tick, size in ((b"8", b"5000"), (b"0", b"7"), (b"74", b"5100"), (b"0", b"7")):
        parser.line([b"2", b"6", b"7", tick, size], "SPY", RECEIVED_MS)
    parser.line([b"2", b"6", b"7", b"8", b"5000"], "SPY", RECEIVED_MS)
    assert made == [b"5000", b"7", b"5100", b"5000"]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((b"1", b"1", b"5", b"18"), (b"1", b"1", b"5", b"20"), Tick(Field.BID, 5.0, 20)),
        ((b"1", b"1", b"5", b"18"), (b"1", b"2", b"5", b"18"), Tick(Field.ASK, 5.0, 18)),
        (
            (b"1", b"1", b"5", b"18"),
            (b"1", b"66", b"5", b"18"),
            Tick(Field.BID, 5.0, 18, delayed=True),
        ),
        ((b"2", b"0", b"5"), (b"2", b"3", b"5"), Tick(Field.ASK_SIZE, 5)),
        ((b"2", b"0", b"5"), (b"2", b"0", b"6"), Tick(Field.BID_SIZE, 6)),
        ((b"1", b"1", b"5", b"18"), (b"1", b"1", b"5", b"18"), Tick(Field.BID, 5.0, 18)),
    ],
)
def test_a_tick_is_not_taken_for_one_that_was_seen_before(
    first: tuple[bytes, ...], second: tuple[bytes, ...], expected: Tick
) -> None:
    parser = TickParser()
    made = [
        parser.line([message, b"6", b"7", *fields, b""], "SPY", RECEIVED_MS)
        for message, *fields in (first, second)
    ]
    assert made[1] == expected
