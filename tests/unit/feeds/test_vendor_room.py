"""How much the answers that are under way together may hold."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable

import httpx
import pytest

from shared.feeds.alphavantage.client import Answer, Request, VendorClient
from shared.settings_sections import AlphaVantageSettings, Secret

DOCUMENT = b'{"data": "%b"}' % (b"x" * 900_000)
REFUSAL = b'{"Note": "%b per minute"}' % (b"x" * 60_000)
REQUEST = Request({"function": "REALTIME_OPTIONS"}, "data")


@pytest.fixture(autouse=True)
def two_megabytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Room for two bodies of the largest size, a megabyte."""
    monkeypatch.setattr("shared.feeds.alphavantage.client.LARGEST_TOGETHER", 2)


async def leave() -> None:
    """No call has to wait."""


def client_of(content: Callable[[], bytes]) -> VendorClient:
    settings = AlphaVantageSettings(
        api_key=Secret("K1"), base_url="http://127.0.0.1/query", max_body_mb=1, max_attempts=1
    )
    client = VendorClient(settings, "test", leave)
    answering = httpx.MockTransport(
        lambda _: httpx.Response(200, stream=httpx.ByteStream(content()))
    )
    client._line.http = httpx.AsyncClient(transport=answering)
    return client


def test_an_answer_for_which_there_is_no_room_is_a_transport_fault_until_another_is_done() -> None:
    async def scenario() -> None:
        client = client_of(lambda: DOCUMENT)
        held: list[Answer] = [await client.get(REQUEST), await client.get(REQUEST)]
        assert [one.kind for one in held] == ["data", "data"]
        refused = await client.get(REQUEST)
        assert (refused.kind, refused.body) == ("transport", b"")
        assert refused.text == "bodies under way are too large, limit 2097152 bytes"
        del held[0]
        assert (await client.get(REQUEST)).kind == "data"
        await client.close()

    asyncio.run(scenario())


def test_what_is_no_data_and_what_is_cut_off_holds_no_room() -> None:
    async def scenario() -> None:
        contents = iter([REFUSAL, b"x" * 1_100_000, b"no json"])
        client = client_of(lambda: next(contents))
        kinds = [(await client.get(REQUEST)).kind for _ in range(3)]
        assert kinds == ["minute", "transport", "transport"]
        assert client._room.taken == 0
        await client.close()

    asyncio.run(scenario())


def test_a_request_that_ends_behind_its_whole_body_holds_no_room() -> None:
    """The connection was given up meanwhile, and fails while it is closed."""

    class Closing(httpx.MockTransport):
        async def aclose(self) -> None:
            raise httpx.CloseError("reset")

    async def scenario() -> None:
        client = client_of(lambda: DOCUMENT)

        async def given_up(_: httpx.Request) -> httpx.Response:
            await client.reconnect()
            return httpx.Response(200, stream=httpx.ByteStream(DOCUMENT))

        for _ in range(4):
            client._line.http = httpx.AsyncClient(transport=Closing(given_up))
            answer = await client.get(REQUEST)
            assert (answer.kind, answer.text) == ("transport", "CloseError: reset")
        gc.collect()
        assert client._room.taken == 0
        await client.close()

    asyncio.run(scenario())
