"""The product's own way from a chain's body to Redis, and the floor under any such way.

A way is given a body, may prepare what is not its job, and is timed from there on until it has the
last of Redis's replies.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import msgspec
from msgspec import Struct

from benchmarks.chain_documents import ENDPOINT, SYMBOL
from benchmarks.chain_plain import SOURCE, TTL_S
from shared.control.schedule import Poll
from shared.feeds.alphavantage.client import Answer
from shared.feeds.alphavantage.options import KIND, OptionsHandler
from shared.market.option import Chain, Contract
from shared.normalize.av_options import ChainRequest, read_chain
from shared.settings import AlphaVantageSettings
from shared.store.connection import Store
from shared.store.keys import Keys
from shared.store.option_documents import (
    event_of,
    greeks_document,
    greeks_texts,
    whole_documents,
)
from shared.store.options import OptionsStore
from shared.store.resp import RespConnection, pack
from shared.store.status_board import StatusBoard
from shared.store.vendor_outlets import OptionsStoreOutlet
from shared.universe import parse_universe

SLICE: Final = 250
POLL: Final = Poll(SYMBOL, KIND, 10.0)
_CONNECT_S: Final = 2.0
# The board renews its hashes every third of it: not while another way is measured and checked.
_MONITOR_TTL_S: Final = 86_400


class Way(Protocol):
    async def connect(self) -> None:
        """Open the connections, which no side is timed for."""

    def forget(self) -> None:
        """Start anew: nothing is known of what Redis holds."""

    async def prepare(self, body: bytes, fetched_ms: int) -> Any:
        """What `load` is to be given; not timed."""

    async def load(self, given: Any) -> dict[str, Any]:
        """From the body to the last reply; what there is to tell of it."""

    async def close(self) -> None:
        """Leave."""


class Ours:
    """The worker's own parts: its handler, its store and its status board, from answer to Redis.

    `load` does what the poller does with an answer: `read` (hash of the body, comparison, chain in
    steps on the running loop) and `write` (documents, greeks, event, monitor).
    """

    def __init__(self, url: str, ttl_s: int = TTL_S) -> None:
        self._ttl_s = ttl_s
        self._connection = RespConnection(url, _CONNECT_S, "benchmark")
        self._store = Store(url, _CONNECT_S)
        self._board = StatusBoard(self._store, _MONITOR_TTL_S)
        self._writing: asyncio.Task[None] | None = None
        self.forget()

    async def connect(self) -> None:
        await self._connection.connect()
        self._writing = asyncio.ensure_future(self._board.run())

    def forget(self) -> None:
        keys = Keys()
        options = OptionsStore(self._connection, keys, SOURCE, (self._ttl_s, self._ttl_s))
        outlet = OptionsStoreOutlet(options, self._board, keys)
        universe = parse_universe({"symbols": {SYMBOL: None}}, [])
        self.handler = OptionsHandler(AlphaVantageSettings(), universe, outlet)

    async def prepare(self, body: bytes, fetched_ms: int) -> Answer:
        return Answer("data", body, received_ms=fetched_ms)

    async def load(self, given: Answer) -> dict[str, Any]:
        started_s = time.perf_counter()
        document = await self.handler.read(POLL, given)
        read_s = time.perf_counter() - started_s
        await self.handler.write(POLL, document)
        return {"read_s": read_s}

    async def settle(self) -> None:
        """Until the monitor is written too."""
        await self._board.flush(1.0)

    async def close(self) -> None:
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)
        self._connection.close()
        await self._store.close()


class _Body(Struct):
    endpoint: str
    message: str
    data: list[Contract]


@dataclass(frozen=True)
class _Ready:
    """A body, and the commands that carry all it leads to, packed in advance."""

    body: bytes
    documents: Sequence[bytes]
    greeks: Sequence[tuple[bytes, int]]
    event: bytes


class Floor:
    """As little as can be done: one typed decode of the body, and ready bytes for every key.

    Neither checks nor encodes anything: commands and documents are packed in advance, byte for
    byte what the product sends of a chain that is new. Greeks go in slices with a wait between,
    since one piece of 10,000 commands would hold up everyone else on this Redis.
    """

    def __init__(self, url: str) -> None:
        self._connection = RespConnection(url, _CONNECT_S, "benchmark")
        self._decode = msgspec.json.Decoder(_Body, strict=False).decode

    async def connect(self) -> None:
        await self._connection.connect()

    def forget(self) -> None:
        """It remembers nothing."""

    async def prepare(self, body: bytes, fetched_ms: int) -> _Ready:
        chain = read_at_once(body, fetched_ms)
        return _Ready(body, _documents(chain), _greeks(chain), _event(chain))

    async def load(self, given: _Ready) -> dict[str, Any]:
        started_s = time.perf_counter()
        found = self._decode(given.body)
        read_s = time.perf_counter() - started_s
        for command in given.documents:
            await self._connection.send(command, 1)
        for commands, count in given.greeks:
            await self._connection.send(commands, count)
        await self._connection.send(given.event, 1)
        return {"read_s": read_s, "decoded": len(found.data)}

    async def close(self) -> None:
        self._connection.close()


def read_at_once(body: bytes, fetched_ms: int) -> Chain:
    work = read_chain(body, ChainRequest(SYMBOL, SYMBOL, ENDPOINT), fetched_ms)
    while True:
        try:
            next(work)
        except StopIteration as end:
            chain: Chain = end.value
            return chain


def _documents(chain: Chain) -> list[bytes]:
    keys = Keys()
    names = (keys.calls(SYMBOL), keys.puts(SYMBOL), keys.chain(SYMBOL))
    texts = whole_documents(chain, SOURCE)
    commands = [_set(key.encode(), text) for key, text in zip(names, texts, strict=True)]
    return [pack(b"MULTI"), *commands, pack(b"EXEC")]


def _greeks(chain: Chain) -> list[tuple[bytes, int]]:
    keys = Keys()
    documents = {
        keys.greeks(SYMBOL, one.contractID): greeks_document(text, chain.fetched_ms)
        for one, text in greeks_texts(chain.contracts)
    }
    commands = [_set(key.encode(), document) for key, document in documents.items()]
    parts = [commands[at : at + SLICE] for at in range(0, len(commands), SLICE)]
    return [(b"".join(part), len(part)) for part in parts]


def _event(chain: Chain) -> bytes:
    keys = Keys()
    counts = {"greeks_changed": chain.metrics.with_greeks, "greeks_removed": 0}
    event = event_of(chain, keys.chain(SYMBOL), counts)
    return pack(b"PUBLISH", keys.options_events(SYMBOL).encode(), event)


def _set(key: bytes, value: bytes) -> bytes:
    return pack(b"SET", key, value, b"EX", b"%d" % TTL_S)
