from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import redis

from shared.store.connection import Store
from shared.store.control_inbox import Command, ControlInbox, refusal
from shared.store.keys import Keys
from tests.store.feeding import until
from tests.support.redis_server import RedisServer

KEY = "coord:control:ibkr_depth"
NOW_MS = 1_800_000_000_000
KNOWN = ("resubscribe", "reconnect")


class Desk:
    """An inbox that runs, with two commands, and what became of what was sent to it."""

    def __init__(self, url: str) -> None:
        self.store = Store(url, 1.0)
        self.obeyed: list[tuple[str, str]] = []
        self.told: list[tuple[str, str, str]] = []
        handlers = {name: self._handler(name) for name in KNOWN}
        self.inbox = ControlInbox(self.store, Keys(), "ibkr_depth", handlers, self._tell)

    def _tell(self, kind: str, symbol: str, text: str) -> None:
        self.told.append((kind, symbol, text))

    def _handler(self, name: str) -> Callable[[str], Any]:
        async def obey(symbol: str) -> str:
            self.obeyed.append((name, symbol))
            if symbol == "BOOM":
                raise ZeroDivisionError("odd")
            return "symbol was XYZ, must be one of SPY" if symbol == "XYZ" else ""

        return obey

    def texts(self) -> list[str]:
        return [text for _, _, text in self.told]


def played(url: str, scenario: Callable[[Desk], Any]) -> Desk:
    async def run() -> Desk:
        desk = Desk(url)
        obeying = asyncio.ensure_future(desk.inbox.run())
        try:
            await scenario(desk)
        finally:
            obeying.cancel()
            with suppress(asyncio.CancelledError):
                await obeying
            await desk.store.close()
        return desk

    return asyncio.run(run())


def sent(url: str, client: redis.Redis, *raw: str | bytes) -> Desk:
    """What comes of these, once each is acknowledged."""
    client.rpush(KEY, *raw)

    async def scenario(desk: Desk) -> None:
        await until(lambda: len(desk.told) == len(raw), 10)

    return played(url, scenario)


def test_a_command_is_obeyed_taken_off_and_acknowledged_with_who_asked(
    redis_url: str, client: redis.Redis
) -> None:
    command = {"command": "resubscribe", "symbol": "SPY", "by": "watchdog", "id": 7}
    desk = sent(redis_url, client, json.dumps(command))
    assert desk.obeyed == [("resubscribe", "SPY")]
    assert desk.told == [("control", "SPY", "resubscribe SPY, asked by watchdog, id 7: done")]
    assert client.exists(KEY) == 0


def test_commands_are_obeyed_in_the_order_they_were_sent(
    redis_url: str, client: redis.Redis
) -> None:
    desk = sent(
        redis_url,
        client,
        '{"command": "reconnect"}',
        '{"command": "resubscribe", "symbol": "XYZ"}',
        '{"command": "reconnect"}',
    )
    assert [name for name, _ in desk.obeyed] == ["reconnect", "resubscribe", "reconnect"]
    assert desk.texts()[:2] == [
        "reconnect: done",
        "resubscribe XYZ: refused: symbol was XYZ, must be one of SPY",
    ]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"resubscribe SPY", "refused: not json, was resubscribe SPY"),
        (b"\xff\xfe{", "refused: not json, was \ufffd\ufffd{"),
        (b"", "refused: not json, was "),
        (b"[" * 100_000, "refused: expected `object`, got `array`, was " + "[" * 40),
        (b'{"command": ' + b"[" * 100_000, "refused: expected `str`, got `array`"),
        (b'{"x": ' + b"[" * 100_000, "refused: not json"),
        (b"[1]", "refused: expected `object`, got `array`, was [1]"),
        (b"{}", "refused: object missing required field `command`, was {}"),
        (
            b'{"command": "resubscribe", "symbol": 7}',
            "refused: expected `str`, got `int` - at `$.symbol`,"
            ' was {"command": "resubscribe", "symbol": 7}',
        ),
        (
            b'{"command": "format\\ndisk"}',
            "format?disk: refused: command was format?disk, must be one of resubscribe, reconnect",
        ),
        (b'{"command": "reconnect", "ts": 1}', "must be at most 60 s"),
        (b'{"command": "reconnect", "ts": 99999999999999}', "ahead, must be at most 60 s"),
        (b'{"command": "reconnect", "symbol": "BOOM"}', "failed: ZeroDivisionError"),
    ],
)
def test_a_bad_command_is_told_and_the_next_one_is_obeyed(
    redis_url: str, client: redis.Redis, raw: bytes, text: str
) -> None:
    desk = sent(redis_url, client, raw, '{"command": "resubscribe", "symbol": "SPY"}')
    assert text in desk.texts()[0]
    assert desk.texts()[1] == "resubscribe SPY: done"


@pytest.mark.parametrize(
    ("ts", "expected"),
    [
        (None, ""),
        (NOW_MS, ""),
        (NOW_MS - 60_000, ""),
        (NOW_MS - 61_000, "discarded: was 61 s old, must be at most 60 s"),
        (NOW_MS + 61_000, "discarded: ts was 61 s ahead, must be at most 60 s"),
    ],
)
def test_a_command_that_says_when_it_was_meant_is_not_obeyed_much_later(
    ts: int | None, expected: str
) -> None:
    command = Command("reconnect", ts=ts)
    assert refusal(command, dict.fromkeys(KNOWN), NOW_MS) == expected


def test_a_list_that_grew_too_long_is_cut_to_its_newest(
    redis_url: str, client: redis.Redis
) -> None:
    raw = [json.dumps({"command": "resubscribe", "symbol": f"S{n}"}) for n in range(250)]
    client.rpush(KEY, *raw)

    async def scenario(desk: Desk) -> None:
        await until(lambda: len(desk.told) == 101, 15)

    desk = played(redis_url, scenario)
    assert desk.texts()[0] == "150 oldest commands discarded, 250 waited, limit 100"
    assert desk.obeyed == [("resubscribe", f"S{n}") for n in range(150, 250)]


def test_a_key_of_another_type_and_an_outage_end_nothing(redis_server: RedisServer) -> None:
    async def scenario(desk: Desk) -> None:
        with redis_server.client() as client:
            client.set(KEY, "not a list")
            await asyncio.sleep(0.7)
            client.delete(KEY)
        await asyncio.to_thread(redis_server.stop)
        await asyncio.sleep(0.7)
        await asyncio.to_thread(redis_server.start)
        with redis_server.client() as client:
            client.rpush(KEY, '{"command": "reconnect"}')
        await until(lambda: desk.told, 10)

    began_s = time.monotonic()
    desk = played(redis_server.url, scenario)
    assert desk.texts() == ["reconnect: done"]
    assert time.monotonic() - began_s < 15
