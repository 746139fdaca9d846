from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from shared.dashboard.hub import BROWSERS, PULSE, Browser, Hub, TooManyBrowsers


def taken(browser: Browser) -> list[tuple[str, str, Any]]:
    """What waits now, without the line that says how long to wait before connecting again."""

    async def take() -> bytes:
        async with asyncio.timeout(0.05):
            return await browser.take()

    try:
        found = asyncio.run(take())
    except TimeoutError:
        return []
    events = [one for one in found.split(b"\n\n") if one.startswith(b"data: ")]
    bodies = [orjson.loads(one.removeprefix(b"data: ")) for one in events]
    return [(one["topic"], one["part"], one["value"]) for one in bodies]


def test_a_browser_gets_the_parts_of_its_topics_alone() -> None:
    hub = Hub()
    with hub.browser(["wall"]) as browser:
        hub.publish("wall", {"row": 1})
        hub.publish("budget", {"calls": 2})
        assert taken(browser) == [("wall", "row", 1)]


def test_a_part_that_did_not_change_is_not_sent_again() -> None:
    hub = Hub()
    with hub.browser(["wall"]) as browser:
        hub.publish("wall", {"a": 1, "b": 1})
        taken(browser)
        hub.publish("wall", {"a": 1, "b": 2})
        assert taken(browser) == [("wall", "b", 2)]


def test_a_part_that_is_gone_is_sent_as_null_once() -> None:
    hub = Hub()
    with hub.browser(["wall"]) as browser:
        hub.publish("wall", {"a": 1})
        taken(browser)
        hub.publish("wall", {})
        assert taken(browser) == [("wall", "a", None)]
        hub.publish("wall", {})
        assert taken(browser) == []


def test_who_reads_slowly_finds_the_newest_and_no_more_than_one_message_a_part() -> None:
    hub = Hub()
    with hub.browser(["wall"]) as browser:
        for number in range(10_000):
            hub.publish("wall", {"a": number})
        assert taken(browser) == [("wall", "a", 9_999)]


def test_who_comes_later_is_sent_what_is_known() -> None:
    hub = Hub()
    hub.publish(PULSE, {"at": 5})
    hub.publish("wall", {"a": 1})
    with hub.browser(["wall"]) as browser:
        assert taken(browser) == [(PULSE, "at", 5), ("wall", "a", 1)]


def test_what_was_forgotten_is_not_shown_to_who_comes_later() -> None:
    hub = Hub()
    hub.publish("wall", {"a": 1})
    hub.forget(hub.held())
    with hub.browser(["wall"]) as browser:
        assert taken(browser) == []
        hub.publish("wall", {"a": 1})
        assert taken(browser) == [("wall", "a", 1)]


def test_all_browsers_are_sent_the_same_bytes() -> None:
    hub = Hub()
    offered: list[bytes] = []

    class Kept(Browser):
        def offer(self, part: tuple[str, str], message: bytes) -> None:
            offered.append(message)

    hub._browsers |= {Kept(frozenset(["wall"])), Kept(frozenset(["wall"]))}
    hub.publish("wall", {"a": 1})
    assert len(offered) == 2
    assert offered[0] is offered[1]


def test_what_is_looked_at_is_that_of_the_browsers_that_are_there() -> None:
    hub = Hub()
    with hub.browser(["wall", "top"]):
        with hub.browser(["budget", "top"]):
            assert hub.looked_at() == {"wall", "budget", "top"}
        assert hub.looked_at() == {"wall", "top"}
    assert hub.looked_at() == frozenset()


def test_browsers_are_bounded() -> None:
    hub = Hub()
    kept = [hub.browser(["top"]) for _ in range(BROWSERS)]
    for one in kept:
        one.__enter__()
    assert hub.full()
    with pytest.raises(TooManyBrowsers), hub.browser(["top"]):
        pass
    kept[0].__exit__(None, None, None)
    assert not hub.full()
