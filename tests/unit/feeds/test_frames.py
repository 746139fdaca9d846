from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import ProtocolViolation
from shared.feeds.ibkr.frames import MAX_FRAME_BYTES, FrameReader

HELLO = b"178\x0020250425 15:23:54 EST\0"
DEPTH = b"12\x001\x007\x000\x000\x001\x00585.33\x0018\0"
DEPTH_L2 = b"13\x001\x007\x000\0NSDQ\x000\x001\x00585.33\x0018\x000\0"
PRICE = b"1\x006\x007\x001\x00585.33\x0018\x000\0"
SIZE = b"2\x006\x007\x000\x0018\0"
NOTICE = b"4\x002\0-1\x002104\0Market data farm connection is OK:usfarm\0\0"


def frame(payload: bytes) -> bytes:
    return len(payload).to_bytes(4, "big") + payload


@dataclass
class Client:
    """ib_async's side: ready after so many frames; keeps what it was given."""

    login_frames: int = 0
    given: list[bytes] = field(default_factory=list)
    log: list[str] = field(default_factory=list)

    def isReady(self) -> bool:  # noqa: N802
        return len(self.given) >= self.login_frames

    def _onSocketHasData(self, data: bytes) -> None:  # noqa: N802
        self.given.append(data)
        self.log.append(f"theirs {data[4:8]!r}")


class Rig:
    """Message ids that are `ours`; the end of a walk is logged where any are given."""

    def __init__(self, login_frames: int = 0, *ours: bytes) -> None:
        self.client = Client(login_frames)
        self.rows: list[list[bytes]] = []
        self.slices = 0
        handlers = dict.fromkeys(ours or (b"12", b"13"), self._row)
        on_done = self._done if ours else None
        self.reader = FrameReader(self.client, handlers, self._slice, on_done)

    def _row(self, fields: list[bytes]) -> None:
        self.rows.append(fields)
        self.client.log.append(f"ours {fields[0]!r}")

    def _slice(self) -> None:
        self.slices += 1

    def _done(self) -> None:
        self.client.log.append("done")

    def receive(self, *chunks: bytes, limit: int = 1000) -> None:
        for chunk in chunks:
            self.reader.feed(chunk)
            self.reader.walk(limit)


def test_a_row_is_handed_out_as_its_fields() -> None:
    rig = Rig()
    rig.receive(frame(DEPTH))
    assert rig.rows == [[b"12", b"1", b"7", b"0", b"0", b"1", b"585.33", b"18", b""]]
    assert rig.client.given == []


def test_a_row_with_a_maker_is_handed_out_as_its_fields() -> None:
    rig = Rig()
    rig.receive(frame(DEPTH_L2))
    assert rig.rows == [[b"13", b"1", b"7", b"0", b"NSDQ", b"0", b"1", b"585.33", b"18", b"0", b""]]


def test_every_other_frame_goes_to_ib_async_unchanged() -> None:
    rig = Rig()
    rig.receive(frame(NOTICE))
    assert (rig.client.given, rig.rows) == ([frame(NOTICE)], [])


def test_neighbouring_frames_of_ib_async_go_there_in_one_piece() -> None:
    rig = Rig()
    rig.receive(frame(NOTICE) + frame(b"49\x001\x005\0") + frame(DEPTH))
    assert rig.client.given == [frame(NOTICE) + frame(b"49\x001\x005\0")]


def test_frames_of_both_kinds_keep_their_order() -> None:
    rig = Rig()
    rig.receive(frame(DEPTH) + frame(NOTICE) + frame(DEPTH_L2) + frame(DEPTH) + frame(NOTICE))
    assert rig.client.log == [
        "ours b'12'", "theirs b'4\\x002\\x00'", "ours b'13'", "ours b'12'",
        "theirs b'4\\x002\\x00'",
    ]  # fmt: skip


def test_a_frame_cut_anywhere_is_handed_out_once_whole() -> None:
    whole = frame(DEPTH) + frame(NOTICE)
    for cut in range(len(whole) + 1):
        rig = Rig()
        rig.receive(whole[:cut], whole[cut:])
        assert (len(rig.rows), rig.client.given) == (1, [frame(NOTICE)]), cut


def test_single_bytes_add_up_to_frames() -> None:
    rig = Rig()
    rig.receive(*(bytes([one]) for one in frame(DEPTH) + frame(NOTICE) + frame(DEPTH_L2)))
    assert [fields[0] for fields in rig.rows] == [b"12", b"13"]
    assert rig.client.given == [frame(NOTICE)]


def test_a_frame_that_never_ends_is_not_handed_out() -> None:
    rig = Rig()
    rig.receive(frame(DEPTH)[:-1])
    assert (rig.rows, rig.client.given) == ([], [])


def test_many_frames_in_one_chunk_are_all_handed_out() -> None:
    rig = Rig()
    rig.receive(frame(DEPTH) * 5000, limit=5000)
    assert (len(rig.rows), rig.reader.frames_received) == (5000, 5000)


def test_a_slice_handles_its_limit_and_says_that_more_wait() -> None:
    rig = Rig()
    rig.reader.feed(frame(DEPTH) * 5)
    assert [rig.reader.walk(2), rig.reader.walk(2), rig.reader.walk(2)] == [True, True, False]
    assert (len(rig.rows), rig.slices) == (5, 3)


def test_a_slice_that_ends_with_the_last_whole_frame_says_that_none_waits() -> None:
    rig = Rig()
    rig.reader.feed(frame(DEPTH) * 2 + frame(DEPTH)[:-3])
    assert (rig.reader.walk(2), len(rig.rows)) == (False, 2)


def test_bytes_that_come_between_slices_keep_the_order() -> None:
    rig = Rig()
    rig.reader.feed(frame(DEPTH) + frame(NOTICE) + frame(DEPTH)[:5])
    rig.reader.walk(1)
    rig.reader.feed(frame(DEPTH)[5:] + frame(DEPTH_L2))
    rig.reader.walk(10)
    assert rig.client.log == [
        "ours b'12'", "theirs b'4\\x002\\x00'", "ours b'12'", "ours b'13'",
    ]  # fmt: skip


def test_the_login_goes_to_ib_async_frame_by_frame() -> None:
    rig = Rig(login_frames=2)
    rig.receive(frame(HELLO) + frame(b"15\x001\0DU1\0"))
    assert rig.client.given == [frame(HELLO), frame(b"15\x001\0DU1\0")]


def test_a_login_in_single_bytes_reaches_ib_async_in_whole_frames() -> None:
    rig = Rig(login_frames=2)
    rig.receive(*(bytes([one]) for one in frame(HELLO) + frame(b"15\x001\0DU1\0")))
    assert rig.client.given == [frame(HELLO), frame(b"15\x001\0DU1\0")]


def test_rows_in_the_chunk_that_ends_the_login_are_ours() -> None:
    rig = Rig(login_frames=1)
    rig.receive(frame(HELLO) + frame(DEPTH) + frame(NOTICE))
    assert (len(rig.rows), rig.client.given) == (1, [frame(HELLO), frame(NOTICE)])


def test_nothing_is_walked_before_the_login_is_over() -> None:
    rig = Rig(login_frames=2)
    rig.reader.feed(frame(HELLO))
    assert (rig.reader.walk(10), rig.slices) == (False, 0)


@pytest.mark.parametrize("payload", [b"", b"1\x006\0", b"120\x001\0", b"2\0", b"112\x001\0"])
def test_a_message_id_that_only_resembles_ours_is_ib_asyncs(payload: bytes) -> None:
    rig = Rig()
    rig.receive(frame(payload))
    assert (rig.client.given, rig.rows) == ([frame(payload)], [])


def test_bytes_and_frames_are_counted() -> None:
    rig = Rig(login_frames=1)
    rig.receive(frame(HELLO), frame(DEPTH) + frame(NOTICE) + b"\0\0")
    total = len(frame(HELLO) + frame(DEPTH) + frame(NOTICE)) + 2
    assert (rig.reader.bytes_received, rig.reader.frames_received) == (total, 2)


def test_a_length_that_cannot_be_one_ends_the_stream() -> None:
    rig = Rig()
    with pytest.raises(ProtocolViolation) as caught:
        rig.receive((MAX_FRAME_BYTES + 1).to_bytes(4, "big"))
    assert str(caught.value) == "frame length was 4194305, must be at most 4194304"


def test_a_length_that_cannot_be_one_ends_the_login() -> None:
    rig = Rig(login_frames=1)
    with pytest.raises(ProtocolViolation):
        rig.reader.feed(b"HTTP/1.1 400 Bad Request\r\n")


def test_the_largest_length_is_waited_for() -> None:
    rig = Rig()
    rig.receive(MAX_FRAME_BYTES.to_bytes(4, "big") + b"12\0")
    assert (rig.rows, rig.client.given) == ([], [])


def test_message_ids_of_one_and_of_two_digits_are_told_apart() -> None:
    rig = Rig(0, b"1", b"12")
    rig.receive(frame(DEPTH) + frame(PRICE) + frame(DEPTH_L2) + frame(SIZE))
    assert rig.rows == [DEPTH.split(b"\0"), PRICE.split(b"\0")]
    assert rig.client.given == [frame(DEPTH_L2) + frame(SIZE)]


def test_message_ids_of_one_digit_alone_are_taken() -> None:
    rig = Rig(0, b"1", b"2")
    rig.receive(frame(SIZE) + frame(NOTICE) + frame(PRICE))
    assert rig.client.log == ["ours b'2'", "theirs b'4\\x002\\x00'", "ours b'1'", "done"]


@pytest.mark.parametrize("payload", [b"", b"1", b"11\x006\0", b"17\x001\0", b"101\x001\0"])
def test_an_id_that_only_begins_like_a_short_one_is_ib_asyncs(payload: bytes) -> None:
    rig = Rig(0, b"1", b"12")
    rig.receive(frame(payload))
    assert (rig.client.given, rig.rows) == ([frame(payload)], [])


def test_rows_of_a_short_id_are_handed_out_once_whole() -> None:
    whole = frame(PRICE) + frame(SIZE)
    for cut in range(len(whole) + 1):
        rig = Rig(0, b"1", b"99")
        rig.receive(whole[:cut], whole[cut:])
        assert (rig.rows, rig.client.given) == ([PRICE.split(b"\0")], [frame(SIZE)]), cut


@pytest.mark.parametrize("message_id", [b"", b"100", b"1000"])
def test_a_message_id_of_another_length_is_refused(message_id: bytes) -> None:
    with pytest.raises(ValueError, match="message ids must have one or two digits, were"):
        Rig(0, b"1", b"12", message_id)


def test_the_end_of_a_walk_is_told_once_behind_all_of_its_frames() -> None:
    rig = Rig(0, b"1", b"2")
    rig.reader.feed(frame(PRICE) + frame(SIZE) + frame(PRICE) + frame(NOTICE))
    rig.reader.walk(2)
    rig.reader.walk(10)
    assert rig.client.log == [
        "ours b'1'", "ours b'2'", "done", "ours b'1'", "theirs b'4\\x002\\x00'", "done",
    ]  # fmt: skip


def test_a_walk_without_a_whole_frame_ends_too() -> None:
    rig = Rig(0, b"1")
    rig.receive(frame(PRICE)[:-1])
    assert rig.client.log == ["done"]


def test_no_walk_ends_before_the_login_is_over() -> None:
    rig = Rig(2, b"1")
    rig.receive(frame(HELLO))
    assert "done" not in rig.client.log


@settings(max_examples=150, deadline=None, database=None, derandomize=True)
@given(
    st.lists(st.sampled_from([DEPTH, DEPTH_L2, NOTICE, b"", b"49\x001\x005\0"]), max_size=30),
    st.lists(st.integers(1, 120), min_size=1, max_size=40),
    st.integers(1, 4),
)
def test_however_a_stream_is_cut_every_frame_comes_once_and_in_order(
    payloads: list[bytes], sizes: list[int], limit: int
) -> None:
    rig = Rig(login_frames=1)
    stream = frame(HELLO) + b"".join(frame(payload) for payload in payloads)
    while stream:
        for size in sizes:
            rig.reader.feed(stream[:size])
            rig.reader.walk(limit)
            stream = stream[size:]
    while rig.reader.walk(limit):
        pass
    theirs = [payload for payload in payloads if payload not in (DEPTH, DEPTH_L2)]
    ours = [payload for payload in payloads if payload in (DEPTH, DEPTH_L2)]
    assert b"".join(rig.client.given) == frame(HELLO) + b"".join(map(frame, theirs))
    assert [b"\0".join(fields) for fields in rig.rows] == ours
    assert rig.reader.frames_received == len(payloads)
