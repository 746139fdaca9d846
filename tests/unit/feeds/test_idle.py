from __future__ import annotations

import pytest

from shared.feeds.ibkr.frames import FrameReader
from shared.feeds.ibkr.idle import IdleWatch


class Client:
    def isReady(self) -> bool:  # noqa: N802
        return True

    def _onSocketHasData(self, data: bytes) -> None:  # noqa: N802
        """What the socket brings is of no interest here."""


def reader() -> FrameReader:
    return FrameReader(Client(), {}, lambda: None)


def watched(now_s: float) -> tuple[IdleWatch, FrameReader]:
    watch, socket = IdleWatch(5.0), reader()
    watch.watch(socket, now_s)
    return watch, socket


@pytest.mark.parametrize(("now_s", "idle"), [(100.0, False), (105.0, False), (105.1, True)])
def test_a_socket_is_idle_after_its_time_without_a_byte(now_s: float, idle: bool) -> None:
    watch, _ = watched(100.0)
    assert watch.idle(now_s) is idle


def test_a_single_byte_gives_it_the_time_again() -> None:
    watch, socket = watched(100.0)
    socket.feed(b"\0")
    assert [watch.idle(now_s) for now_s in (104.0, 109.0, 109.1)] == [False, False, True]


def test_bytes_count_from_the_look_that_found_them() -> None:
    watch, socket = watched(100.0)
    socket.feed(b"\0")
    assert [watch.idle(now_s) for now_s in (200.0, 205.0, 205.1)] == [False, False, True]


def test_an_idle_socket_stays_idle_until_a_byte_comes() -> None:
    watch, socket = watched(100.0)
    assert [watch.idle(110.0), watch.idle(120.0)] == [True, True]
    socket.feed(b"\0")
    assert watch.idle(121.0) is False


def test_a_new_socket_has_its_own_time() -> None:
    watch, old = watched(100.0)
    old.feed(b"\0" * 7)
    watch.idle(101.0)
    watch.watch(reader(), 300.0)
    assert [watch.idle(305.0), watch.idle(305.1)] == [False, True]


def test_bytes_of_the_old_socket_count_no_more() -> None:
    watch, old = watched(100.0)
    watch.watch(reader(), 300.0)
    old.feed(b"\0" * 7)
    assert watch.idle(305.1) is True


def test_bytes_that_came_before_the_watch_began_do_not_count() -> None:
    watch, socket = IdleWatch(5.0), reader()
    socket.feed(b"\0" * 7)
    watch.watch(socket, 100.0)
    assert watch.idle(105.1) is True
