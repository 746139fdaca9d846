"""What fuzzing and reading of the gateway's side found, in literal values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.control.backfill import Hole
from shared.errors import BadRow, ProtocolViolation
from shared.feeds.ibkr.frames import MAX_FRAME_BYTES, FrameReader
from shared.feeds.ibkr.tick_history import History, Told
from shared.market.trade import TradeFeed
from shared.normalize.ibkr_depth import DepthRowParser
from shared.normalize.ibkr_history import historical_trades
from shared.normalize.ibkr_ticks import TickParser
from tests.hostile.fuzzing import fuzz
from tests.hostile.test_gateway_frames import FRAMES, NOW_S, WHOLE, Fields, framed
from tests.unit.feeds import ticking


def test_a_number_of_thousands_of_digits_ends_no_session() -> None:
    print_ = [b"98", b"41", b"1", b"9" * 5_000, b"0", b"5", b"5", b"Q", b"", b"1", b""]
    assert historical_trades(print_, TickParser(), "SPY", 0) == ([], 1, 1, 0)
    history = History(_unused(), _unused(), lambda _hole, _fields: Told(0, 0, 0, False))
    history.answer(b"9" * 5_000, print_)
    assert history._asked == {}


def _unused() -> Any:
    return Hole("SPY", 0, 1, "")


@pytest.mark.parametrize("raw", [b"5." + b"0" * 100, b"0" * 100 + b"5"])
def test_a_number_of_hundreds_of_characters_is_not_remembered(raw: bytes) -> None:
    parser = DepthRowParser()
    for price, size in ((raw, b"1"), (b"1", raw)):
        with pytest.raises(BadRow, match="must be a number"):
            parser.parse([b"12", b"1", b"7", b"0", b"0", b"1", price, size], b'"ARCA"')
        with pytest.raises(BadRow, match="must be a number"):
            TickParser().line([b"1", b"6", b"7", b"1", price, size, b"0"], "SPY", 0)
    assert not {*parser._prices, *parser._sizes} & {raw}


@pytest.mark.parametrize(
    ("frame", "place"),
    [
        (ticking.PRINT, b"1381152600"),
        (b"46|6|7|48|585.34;100;1381152600000;12345;585.2;true|", b"1381152600"),
        (ticking.BAR, b"1381152600"),
    ],
)
def test_a_time_of_the_day_after_tomorrow_is_a_lost_item(frame: bytes, place: bytes) -> None:
    rig = ticking.streaming(TradeFeed.RT_VOLUME if b"|48|" in frame else TradeFeed.TICK_BY_TICK)
    rig.slice(frame.replace(place, b"%d" % (NOW_S // 5 * 5 + 86_400)))
    assert (len(rig.outlet.trades) + len(rig.bars), rig.counters.bad_ticks) == (1, 0)
    rig.slice(frame.replace(place, b"%d" % (NOW_S // 5 * 5 + 86_405)))
    assert (len(rig.outlet.trades) + len(rig.bars), rig.counters.bad_ticks) == (1, 1)
    assert list(rig.feed.unreadable) == ["bars" if frame == ticking.BAR else "trades"]


class Copied(bytes):
    """Counts how many bytes joins of it copy."""

    total = 0

    def __radd__(self, other: bytes) -> bytes:
        Copied.total += len(other) + len(self)
        return bytes(other) + bytes(self)


def test_a_large_frame_in_small_chunks_is_not_copied_at_each() -> None:
    reader, rows = _reader()
    payload = b"12\0" + b"1" * 200_000
    data = framed(payload)
    Copied.total = 0
    for at in range(0, len(data), 100):
        reader.feed(Copied(data[at : at + 100]))
        reader.walk(200)
    assert rows == [payload.split(b"\0")]
    assert Copied.total < 2 * len(data)


@fuzz(100)
@given(st.lists(st.sampled_from(WHOLE[:8]), max_size=6), st.lists(st.integers(1, 30), max_size=60))
def test_frames_are_the_same_however_they_are_cut(payloads: list[bytes], sizes: list[int]) -> None:
    data, whole = b"".join(map(framed, payloads)), _reader()
    whole[0].feed(data)
    whole[0].walk(100)
    reader, rows = _reader()
    for size in [*sizes, len(data) or 1]:
        chunk, data = data[:size], data[size:]
        reader.feed(chunk)
        reader.walk(2)
    while reader.walk(2):
        pass
    assert rows == whole[1]


def _reader() -> tuple[FrameReader, list[Fields]]:
    rows: list[Fields] = []
    ids = {fields[0] for fields in FRAMES}
    handlers: dict[bytes, Callable[[Fields], None]] = dict.fromkeys(ids, rows.append)

    class Ready:
        def isReady(self) -> bool:  # noqa: N802
            return True

        def _onSocketHasData(self, data: bytes) -> None:  # noqa: N802
            rows.append([data])

    return FrameReader(Ready(), handlers, lambda: None), rows


@pytest.mark.parametrize("length", [MAX_FRAME_BYTES + 1, 2**31, 2**32 - 1])
def test_a_length_that_cannot_be_one_is_not_waited_for(length: int) -> None:
    reader, _ = _reader()
    reader.feed(length.to_bytes(4, "big"))
    with pytest.raises(ProtocolViolation, match="frame length was"):
        reader.walk(1)
