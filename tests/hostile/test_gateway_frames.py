"""Frames of a gateway that lies: mutated ones of a recording and of the simulator's codec."""

from __future__ import annotations

import asyncio
import json
import math
import time
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ib_async import IB

from shared.errors import BadRow
from shared.feeds.ibkr.session import Session
from shared.market.trade import TradeFeed
from shared.normalize.ibkr_bars import historical_bars
from shared.normalize.ibkr_history import historical_trades
from shared.normalize.ibkr_ticks import TickParser
from tests.hostile.fuzzing import foreign, fuzz
from tests.support.recordings import shared_data
from tests.unit.feeds import test_depth_rows as depth
from tests.unit.feeds import ticking
from tests.unit.store.depth_flushes import encode, writer
from tests.unit.store.tapes import Tape

Fields = list[bytes]
NOW_S: Final = ticking.NOW_MS // 1000

# As the simulator's codec writes them, for the requests of the two rigs.
FRAMES: Final = [
    line.split(b"|")
    for line in (
        b"12|1|7|0|0|1|585.33|18|",
        b"13|1|7|0|NSDQ|0|0|585.94|200|0|",
        ticking.BID, ticking.ASK, ticking.DELAYED, ticking.VOLUME_PRINT, ticking.PRINT, ticking.BAR,
        b"2|6|7|0|18|", b"45|6|7|49|0|", b"46|6|7|45|1381152600|", b"46|6|7|84|Q|",
        b"81|7|0.01|9c|3|",
        b"17|41|a|b|2|1381152600|10|10|10|10|100|10|1|1381152605|11|11|11|11|100|11|1|",
        b"98|41|2|1381152600|0|10|100|Q||1381152601|1|10|100|ARCA|I|1|",
    )
]  # fmt: skip
HOSTILE: Final = [
    b"", b"-1", b"0", b"-0", b"nan", b"-inf", b"1.7976931348623157E308", b"1e999", b"1e-320",
    b"9" * 19, b"9" * 5_000, b"0." + b"0" * 5_000 + b"1", b"2147483648", b"1_0", b" 1", b"+1",
    b"\xb2", b"\xd9\xa1", b"0x10", b"true", b"A:B", b"{*}", b"market:SPY:book", b"\x1b[31m",
    b"\xff", b"x" * 300, b"\\", b'"]}', b"99999999999", b"99999999995",
    b";;;;;", b"5;5;99999999999999;5;5;true",
]  # fmt: skip


@st.composite
def mutated(draw: Any) -> Fields:
    """A frame with fields replaced, dropped, doubled or added; its message id stays."""
    fields = list(draw(st.sampled_from(FRAMES)))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(1, len(fields)))
        change = draw(st.sampled_from(["replace", "drop", "insert", "cut"]))
        if change == "cut":
            del fields[at:]
        elif change == "insert":
            fields.insert(at, draw(st.sampled_from(HOSTILE)))
        elif at < len(fields):
            value = draw(st.sampled_from(HOSTILE) | st.binary(max_size=12))
            fields[at : at + 1] = [value.replace(b"\0", b"")] if change == "replace" else []
    return fields


def ladder_of(side: bytes) -> list[list[Any]]:
    found: list[list[Any]] = json.loads(side, parse_constant=pytest.fail)
    return found


@fuzz(500)
@given(st.lists(mutated() | st.sampled_from(FRAMES[:2]), max_size=6))
def test_whatever_depth_rows_say_books_are_whole_and_written_to_their_own_keys(
    frames: list[Fields],
) -> None:
    rig = depth.Rig(depth.subscription(symbol="SPY"))
    rows = [fields for fields in frames if fields[0] in rig.rows.handlers]
    for fields in rows:
        rig.rows.on_row(fields)
    counters = rig.rows.counters
    assert counters.updates + counters.stragglers + counters.bad_rows == len(rows)
    assert len(rig.updates) == counters.updates
    for update in rig.updates:
        assert [len(ladder_of(side)) for side in (update.bids, update.asks)] == [10, 10]
    for number, update in enumerate(rig.updates, 1):
        update.seq = number
    _, lines = encode(writer(), *rig.updates)
    assert foreign(keys_of(lines)) == []
    assert all(len(text) < 250 for _, text in rig.bad)


@fuzz(800)
@given(st.lists(mutated() | st.sampled_from(FRAMES[2:]), max_size=8))
def test_whatever_ticks_say_only_sound_values_come_of_them(frames: list[Fields]) -> None:
    rig = ticking.streaming(*TradeFeed)
    for fields in frames:
        if fields[0] in rig.rows.handlers:
            rig.rows.handlers[fields[0]](fields)
    rig.rows.on_done()
    rows = [*rig.outlet.trades, *rig.bars]
    assert all(map(is_sound, rows))
    tape = Tape()
    for trade in rig.outlet.trades:
        tape.writer.put(trade, 1.0)
    _, lines = tape.encode()
    assert foreign(keys_of(lines)) == []


@fuzz(500)
@given(mutated())
def test_whatever_history_answers_it_is_read_or_refused(fields: Fields) -> None:
    if fields[0] not in (b"17", b"98"):
        fields[0] = b"98"
    try:
        if fields[0] == b"17":
            found: list[Any] = historical_bars(fields).bars
        else:
            found = historical_trades(fields, TickParser(), "SPY", ticking.NOW_MS).trades
    except BadRow as error:
        assert len(str(error)) < 250
        return
    assert all(map(is_sound, found))


def is_sound(row: Any) -> bool:
    """Every number is finite, and no time is made up."""
    numbers = [one for one in msgspec.structs.astuple(row) if isinstance(one, float | int)]
    at_s = row.ts_ms // 1000 if hasattr(row, "ts_ms") else row.t
    return all(map(math.isfinite, numbers)) and at_s <= NOW_S + 86_400


def keys_of(lines: list[list[str]]) -> list[str]:
    """The keys of commands, those of scripts too."""
    found = []
    for line in lines:
        if line[0] == "EVALSHA":
            found += line[3 : 3 + int(line[2])]
        elif line[0].startswith(("trades_", "ticker_")):
            found += line[2 : 2 + int(line[1])]
        else:
            found.append(line[1])
    return found


def recorded() -> list[bytes]:
    path = shared_data() / "gateway/frames_sv178.jsonl"
    if not path.exists():
        return []
    return [
        b"\0".join(field.encode() for field in json.loads(line)["fields"]) + b"\0"
        for line in path.read_text(encoding="utf-8").splitlines()
    ]


def framed(payload: bytes, lie: int = 0) -> bytes:
    return max(0, len(payload) + lie).to_bytes(4, "big") + payload


WHOLE: Final = [b"\0".join(fields) for fields in FRAMES] + recorded()
streams = st.lists(
    st.builds(framed, st.sampled_from(WHOLE), st.sampled_from([0] * 9 + [-3, 1, 7, 2**31]))
    | st.builds(framed, mutated().map(b"\0".join))
    | st.binary(max_size=8),
    max_size=8,
)


@fuzz(300)
@given(streams, st.integers(1, 40))
def test_whatever_bytes_come_a_session_goes_on_or_ends_with_a_reason(
    chunks: list[bytes], size: int
) -> None:
    """Through ib_async itself, as the session routes it."""
    asyncio.run(_received(b"".join(chunks), size))


async def _received(data: bytes, size: int) -> None:
    ib = IB()
    ib.client._serverVersion = 178
    ib.client._apiReady = True
    rig = ticking.streaming(*TradeFeed)
    # The slice that the outlet of the rig expects; the wall clock is the machine's.
    rig.rows._clock = lambda: 101.5
    session = Session(ib, 1)
    try:
        session.take_frames(rig.rows, lambda: False)
        for at in range(0, len(data), size):
            session._data_received(data[at : at + size])
        while session._walking is not None:
            await asyncio.sleep(0)
        assert not session.lost.done() or session.lost.result()
    finally:
        session.close()
    latest_ms = (time.time() + 86_401) * 1000
    assert all(trade.ts_ms < latest_ms for trade in rig.outlet.trades)
