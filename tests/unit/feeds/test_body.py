from __future__ import annotations

import gzip

import pytest

from shared.errors import VendorUnavailable
from shared.feeds.alphavantage.body import Body, Room, Share

TEXT = b'{"endpoint": "Realtime Options"}' * 100


def body_of(encoding: str, limit_bytes: int) -> Body:
    return Body(encoding, limit_bytes, Share(Room(1_000_000_000)))


def read(body: Body, *pieces: bytes) -> bytes:
    for piece in pieces:
        list(body.feed(piece))
    return body.whole()


def test_a_plain_body_is_its_pieces() -> None:
    assert read(body_of("", 10_000), TEXT[:7], TEXT[7:]) == TEXT
    assert read(body_of("identity", 10_000), TEXT) == TEXT


@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
def test_gzip_is_unpacked_however_it_arrives(size: int) -> None:
    packed = gzip.compress(TEXT)
    pieces = [packed[at : at + size] for at in range(0, len(packed), size)]
    assert read(body_of("gzip", 10_000), *pieces) == TEXT


def test_a_body_of_exactly_the_limit_passes_and_one_more_byte_does_not() -> None:
    assert len(read(body_of("", 3200), TEXT)) == 3200
    with pytest.raises(VendorUnavailable, match="body is too large, limit 3199 bytes"):
        read(body_of("", 3199), TEXT)


def test_a_gzip_bomb_is_noticed_before_it_has_grown() -> None:
    packed = gzip.compress(bytes(300_000_000), compresslevel=1)
    body, steps = body_of("gzip", 8_000_000), 0
    with pytest.raises(VendorUnavailable, match="too large"):
        for _ in body.feed(packed):
            steps += 1
    # A megabyte a step: eight are within the limit.
    assert steps <= 8


def test_unpacking_goes_in_steps_of_a_megabyte() -> None:
    packed = gzip.compress(bytes(5_000_000))
    assert len(list(body_of("gzip", 10_000_000).feed(packed))) >= 5


@pytest.mark.parametrize("cut", [1, 8, 20])
def test_a_gzip_body_that_ends_early_is_refused(cut: int) -> None:
    packed = gzip.compress(TEXT)
    with pytest.raises(VendorUnavailable, match="ends early"):
        read(body_of("gzip", 10_000), packed[:-cut])


def test_what_is_no_gzip_is_refused() -> None:
    with pytest.raises(VendorUnavailable, match="body is not gzip"):
        read(body_of("gzip", 10_000), b"<html>")


def test_a_damaged_gzip_body_is_refused() -> None:
    packed = bytearray(gzip.compress(TEXT))
    packed[-6] ^= 0xFF
    with pytest.raises(VendorUnavailable, match="not gzip"):
        read(body_of("gzip", 10_000), bytes(packed))


def test_another_encoding_than_asked_for_is_refused() -> None:
    with pytest.raises(VendorUnavailable, match="content-encoding: was 'br', must be gzip"):
        body_of("br", 10_000)


def test_an_empty_gzip_answer_is_an_empty_body() -> None:
    assert body_of("gzip", 10_000).whole() == b""


def test_what_follows_a_gzip_body_is_not_kept_and_counts_towards_the_limit() -> None:
    packed = gzip.compress(TEXT)
    body = body_of("gzip", 10_000)
    assert read(body, packed + b"padding", b"padding") == TEXT
    with pytest.raises(VendorUnavailable, match="body is too large, limit 10000 bytes"):
        read(body_of("gzip", 10_000), packed, *[bytes(1_000)] * 7)


def test_bodies_together_have_as_much_room_as_there_is_and_give_it_back() -> None:
    room = Room(5_000)
    first, second = Body("", 10_000, Share(room)), Body("gzip", 10_000, Share(room))
    read(first, TEXT)
    with pytest.raises(VendorUnavailable, match="bodies under way are too large, limit 5000"):
        read(second, gzip.compress(TEXT))
    del second
    assert room.taken == 3_200
    del first
    assert room.taken == 0
