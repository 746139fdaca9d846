from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from loguru import logger

from shared.dashboard.hub import Hub
from shared.dashboard.sampler import REFUSED, Sampler
from shared.dashboard.topics import Topic
from shared.errors import StoreRefused, StoreUnavailable
from tests.support.until import until

Read = Callable[[], Awaitable[dict[str, Any]]]


class Background:
    began_ms = 1_000

    def __init__(self) -> None:
        self.looks = 0
        self.away = False

    def now_ms(self) -> int:
        return 1_000_000 + self.looks * 1_000

    async def look(self) -> None:
        if self.away:
            raise StoreUnavailable("gone")
        self.looks += 1


class Topics:
    def __init__(self, **reads: Read) -> None:
        self._reads = reads
        self.made: list[str] = []

    def make(self, name: str) -> Topic:
        self.made.append(name)
        return Topic(0.0, self._reads[name])


class Rig:
    def __init__(self, **reads: Read) -> None:
        self.hub = Hub()
        self.topics = Topics(**reads)
        self.background = Background()
        stand_ins: Any = (self.topics, self.background)
        self.sampler = Sampler(self.hub, *stand_ins)
        self.sent: list[tuple[str, str, Any]] = []

    async def while_looking(self, *names: str, enough: Callable[[], bool]) -> None:
        publish = self.hub.publish

        def kept(topic: str, parts: Any) -> None:
            self.sent.extend((topic, part, value) for part, value in parts.items())
            publish(topic, parts)

        self.hub.publish = kept  # type: ignore[method-assign]
        running = asyncio.ensure_future(self.sampler.run())
        try:
            with self.hub.browser(names):
                self.sampler.look_now()
                await until(enough)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    def of(self, topic: str) -> list[tuple[str, Any]]:
        return [(part, value) for name, part, value in self.sent if name == topic]


async def one() -> dict[str, Any]:
    return {"a": 1}


async def refused() -> dict[str, Any]:
    raise StoreRefused("no permission")


def test_what_nobody_looks_at_is_not_read() -> None:
    rig = Rig(wall=one, budget=one)
    asyncio.run(rig.while_looking("wall", enough=lambda: bool(rig.of("wall"))))
    assert rig.topics.made == ["wall"]
    assert rig.of("budget") == []


def test_what_must_be_remembered_is_read_though_nobody_looks() -> None:
    rig = Rig()
    asyncio.run(rig.while_looking(enough=lambda: rig.background.looks > 0))
    assert rig.topics.made == []


def test_a_topic_that_redis_refuses_says_so_and_the_others_go_on() -> None:
    rig = Rig(budget=refused, wall=one)
    asyncio.run(rig.while_looking("budget", "wall", enough=lambda: len(rig.of("wall")) > 1))
    assert rig.of("budget")[0] == (REFUSED, "Redis refuses to tell: no permission")
    assert rig.sampler.fault == ""


async def broken() -> dict[str, Any]:
    raise KeyError("what nobody expects")


def test_a_topic_that_cannot_be_made_of_what_redis_holds_says_so_once_in_the_log() -> None:
    rig = Rig(budget=broken, wall=one)
    lines: list[str] = []
    number = logger.add(lambda line: lines.append(str(line)), level="WARNING")
    asyncio.run(rig.while_looking("budget", "wall", enough=lambda: len(rig.of("wall")) > 1))
    logger.remove(number)
    assert rig.of("budget")[0][0] == REFUSED
    assert len(rig.of("budget")) > 1
    assert [line.count("budget cannot be shown") for line in lines] == [1]


def test_the_pulse_goes_on_while_redis_is_away_and_says_so() -> None:
    rig = Rig(wall=one)
    rig.background.away = True

    def told() -> bool:
        return any(value[2] == "Redis does not answer" for _, value in rig.of("pulse"))

    asyncio.run(rig.while_looking("wall", enough=told))
    assert rig.of("wall") == []


def test_a_redis_that_is_back_is_read_again() -> None:
    rig = Rig(wall=one)
    rig.background.away = True

    def back() -> bool:
        rig.background.away = not rig.of("pulse")
        return bool(rig.of("wall"))

    asyncio.run(rig.while_looking("wall", enough=back))
    assert rig.sampler.fault == ""
