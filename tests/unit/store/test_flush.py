from __future__ import annotations

import pytest

from shared.market.depth import DepthUpdate
from shared.store.flush import Commands, Flush
from tests.unit.store.resp_commands import commands
from tests.unit.store.updates import update

ONE, TWO, THREE = update(1), update(2), update(1, "QQQ")
NAMES = ["SET last SPY", "DEL owner SPY"]


def flush(shares: list[int] | None = None, names: list[str] = NAMES) -> Flush[DepthUpdate]:
    return Flush(b"", [ONE, TWO, THREE], names, None, shares)


@pytest.mark.parametrize(
    ("shares", "item_replies", "replies"), [(None, 3, 5), ([2, 1], 2, 4), ([3], 1, 3)]
)
def test_replies_about_items_come_first_and_those_about_names_behind(
    shares: list[int] | None, item_replies: int, replies: int
) -> None:
    found = flush(shares)
    assert (found.item_replies, found.replies) == (item_replies, replies)


def test_without_shares_each_item_has_a_reply_of_its_own() -> None:
    assert [flush().items(index) for index in range(3)] == [[ONE], [TWO], [THREE]]


@pytest.mark.parametrize(
    ("shares", "items"),
    [
        ([2, 1], [[ONE, TWO], [THREE]]),
        ([1, 2], [[ONE], [TWO, THREE]]),
        ([3], [[ONE, TWO, THREE]]),
    ],
)
def test_with_shares_a_reply_answers_for_so_many_items(
    shares: list[int], items: list[list[DepthUpdate]]
) -> None:
    assert [flush(shares).items(index) for index in range(len(shares))] == items


def test_without_shares_a_reply_is_named_after_its_stream_entry() -> None:
    found = [flush().name(index) for index in range(5)]
    assert found == ["XADD SPY", "XADD SPY", "XADD QQQ", "SET last SPY", "DEL owner SPY"]


def test_with_shares_a_reply_is_named_after_the_symbol_it_answers_for() -> None:
    found = [flush([2, 1]).name(index) for index in range(4)]
    assert found == ["append SPY", "append QQQ", "SET last SPY", "DEL owner SPY"]


def test_a_flush_without_items_has_the_replies_of_its_names_alone() -> None:
    found: Flush[DepthUpdate] = Flush(b"", [], NAMES, None, [])
    assert (found.item_replies, found.replies, found.name(0)) == (0, 2, "SET last SPY")


def test_an_empty_flush_waits_for_no_reply() -> None:
    found: Flush[DepthUpdate] = Flush(b"", [], [], None)
    assert found.replies == 0


def test_commands_are_packed_in_their_order_with_their_names() -> None:
    found = Commands()
    found.add("SET a", b"SET", b"a", b"1")
    found.add("DEL b", b"DEL", b"b")
    assert found.names == ["SET a", "DEL b"]
    assert commands(b"".join(found.parts)) == [["SET", "a", "1"], ["DEL", "b"]]
