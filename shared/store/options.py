"""Option chains → Redis: calls, puts and chain in one transaction, greeks in small slices.

Documents of megabytes are grown beside and only get their names in the transaction.

What does not change is not written again: an unchanged chain only has its expiries renewed, and of
a changed one only those greeks go out that are new. Everything is packed and sent in pieces, so
that neither this process's event loop nor Redis is ever held up for more than a moment.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from loguru import logger

from shared.market.option import Chain, Contract
from shared.store.growing import checked, grow
from shared.store.keys import Keys
from shared.store.option_documents import (
    GreeksCommands,
    chain_pieces,
    event_of,
    greeks_text,
    rows_pieces,
)
from shared.store.resp import RespConnection, pack

# Some 0.4 ms of Redis's time.
SLICE: Final = 250
_DOCUMENTS: Final = ("calls", "puts", "chain")

OnChain = Callable[[Chain], None]


@dataclass(slots=True)
class Written:
    """What a write did; counts of greeks keys."""

    changed: int = 0
    renewed: int = 0
    removed: int = 0
    store_ms: float = 0.0


@dataclass(slots=True)
class _Known:
    """What Redis has of a symbol, as far as this process knows."""

    # None: in doubt, to be written as a whole.
    digest: int | None = None
    # The chain has contracts, so that its three documents are there.
    documents: bool = False
    # A hash of each contract's greeks: that two differ and share it, one in 10^19, is accepted.
    greeks: dict[str, int | None] = field(default_factory=dict)


class _OldChain(msgspec.Struct):
    by_contract: dict[str, msgspec.Raw]


class OptionsStore:
    """The writer of `options:*`; writes of different symbols take turns."""

    def __init__(
        self, connection: RespConnection, keys: Keys, source: str, ttls_s: tuple[int, int]
    ) -> None:
        """`ttls_s` are those of the chain's documents and of the greeks."""
        self._connection = connection
        self._keys = keys
        self._source = source
        self._ttl, self._greeks_ttl = (b"%d" % ttl_s for ttl_s in ttls_s)
        self._known: dict[str, _Known] = {}
        self._turn = asyncio.Lock()
        self._callbacks: list[OnChain] = []

    def on_chain(self, callback: OnChain) -> None:
        """Call `callback(chain)` after each chain that became readable."""
        self._callbacks.append(callback)

    def same(self, symbol: str, digest: int) -> bool:
        """Whether Redis has the chain that came with this digest."""
        known = self._known.get(symbol)
        return known is not None and known.digest == digest

    async def renew(self, symbol: str) -> Written | None:
        """Renew the expiries of an unchanged chain; None when Redis lost part of it.

        Raises:
            StoreUnavailable, StoreRefused: as `write`.
        """
        started_s = time.perf_counter()
        async with self._turn:
            with self._forgetting(symbol):
                known = self._known[symbol]
                greeks = self._greeks(symbol)
                names = [greeks.renew(name) for name in known.greeks]
                commands = [pack(b"EXPIRE", key, self._ttl) for key in self._documents(symbol)]
                await self._connect()
                for part in _parts([*commands, *names] if known.documents else []):
                    if 0 in await self._send(part):
                        self._doubt(symbol)
                        return None
        return Written(renewed=len(names), store_ms=_since_ms(started_s))

    async def write(self, chain: Chain, digest: int) -> Written:
        """Replace what Redis has of the symbol; an empty chain removes it.

        The event goes out once every key is readable. `digest` names the body for `same`.

        Raises:
            StoreUnavailable: Redis is away or has no room now; what it has of the symbol is
                uncertain until the next write, which then writes all of it.
            StoreRefused: Redis answered with an error that a repeat will not help.
        """
        started_s = time.perf_counter()
        async with self._turn:
            with self._forgetting(chain.symbol):
                await self._connect()
                done = await self._replace(chain, digest)
        done.store_ms = _since_ms(started_s)
        for callback in self._callbacks:
            try:
                callback(chain)
            except Exception as error:
                logger.opt(exception=error).error("callback for {} failed", chain.symbol)
        return done

    def close(self) -> None:
        self._connection.close()

    async def _replace(self, chain: Chain, digest: int) -> Written:
        symbol, done = chain.symbol, Written()
        old = self._known.setdefault(symbol, _Known())
        if old.digest is None:
            old.greeks.update(await self._found(symbol))
        await self._send_documents(chain)
        new = _Known(digest, bool(chain.contracts))
        if not await self._send_greeks(chain, old, new, done):
            # Redis has lost keys since: nothing counts as known.
            done = Written()
            await self._send_greeks(chain, _Known(), new, done)
        greeks = self._greeks(symbol)
        gone = [greeks.key(name) for name in old.greeks.keys() - new.greeks.keys()]
        for part in _parts(gone):
            await self._send([pack(b"UNLINK", *part)])
        done.removed = len(gone)
        self._known[symbol] = new
        counts = {"greeks_changed": done.changed, "greeks_removed": done.removed}
        event = event_of(chain, self._keys.chain(symbol), counts)
        await self._send([pack(b"PUBLISH", self._keys.options_events(symbol).encode(), event)])
        return done

    async def _send_documents(self, chain: Chain) -> None:
        """All three in one transaction: whoever reads them together sees one chain."""
        keys = self._documents(chain.symbol)
        growing = [self._keys.growing(chain.symbol, name).encode() for name in _DOCUMENTS]
        # A write that ended early may have left some.
        await self._send([pack(b"UNLINK", *growing)])
        if not chain.contracts:
            await self._send([pack(b"UNLINK", *keys)])
            return
        documents = (
            rows_pieces(chain, "call"), rows_pieces(chain, "put"), chain_pieces(chain, self._source)
        )  # fmt: skip
        for key, document in zip(growing, documents, strict=True):
            await grow(self._connection, key, self._ttl, document)
        names = [pack(b"RENAME", *pair) for pair in zip(growing, keys, strict=True)]
        await self._send([pack(b"MULTI"), *names, pack(b"EXEC")])

    async def _send_greeks(self, chain: Chain, old: _Known, new: _Known, done: Written) -> bool:
        """One slice is packed while Redis works on the one before; False when it lost a key."""
        greeks = self._greeks(chain.symbol, chain.fetched_ms)
        sent: asyncio.Future[list[Any]] | None = None
        for start in range(0, len(chain.contracts), SLICE):
            part = chain.contracts[start : start + SLICE]
            commands = _pack_greeks(greeks, part, (old, new), done)
            await asyncio.sleep(0)
            if sent is not None and 0 in checked(await sent):
                return False
            sent = self._connection.send(b"".join(commands), len(commands)) if commands else None
        return sent is None or 0 not in checked(await sent)

    async def _found(self, symbol: str) -> dict[str, None]:
        """The contracts an earlier process left: those that vanished since must lose their keys."""
        (text,) = await self._connection.send(pack(b"GET", self._keys.chain(symbol).encode()), 1)
        if text is None:
            return {}
        try:
            old = msgspec.json.decode(text, type=_OldChain)
        except (TypeError, ValueError) as error:
            # An error instead of a text is one: the key is no string. It is written over.
            logger.warning("{} is not what it must be: {}", self._keys.chain(symbol), error)
            return {}
        return dict.fromkeys(old.by_contract)

    async def _connect(self) -> None:
        if not self._connection.connected:
            await self._connection.connect()

    async def _send(self, commands: Sequence[bytes]) -> list[Any]:
        return checked(await self._connection.send(b"".join(commands), len(commands)))

    @contextmanager
    def _forgetting(self, symbol: str) -> Iterator[None]:
        """Whatever ends a write early leaves replies behind, and in doubt what Redis took."""
        try:
            yield
        except BaseException:
            self._doubt(symbol)
            self._connection.close()
            raise

    def _doubt(self, symbol: str) -> None:
        """Of what Redis has only the names are known, so that none of them is left behind."""
        known = self._known.get(symbol, _Known())
        self._known[symbol] = _Known(greeks=dict.fromkeys(known.greeks))

    def _documents(self, symbol: str) -> list[bytes]:
        keys = self._keys
        return [key.encode() for key in (keys.calls(symbol), keys.puts(symbol), keys.chain(symbol))]

    def _greeks(self, symbol: str, since_ms: int = 0) -> GreeksCommands:
        pattern = self._keys.greeks(symbol, "\0").encode()
        return GreeksCommands(pattern, self._greeks_ttl, since_ms)


def _pack_greeks(
    greeks: GreeksCommands, part: Sequence[Contract], states: tuple[_Known, _Known], done: Written
) -> list[bytes]:
    old, new = states[0].greeks, states[1].greeks
    store, renew = greeks.store, greeks.renew
    commands, renewed = [], 0
    for one in part:
        text = greeks_text(one)
        if not text:
            continue
        name = one.contractID
        new[name] = digest = hash(text)
        if old.get(name) == digest:
            renewed += 1
            commands.append(renew(name))
        else:
            commands.append(store(name, text))
    done.renewed += renewed
    done.changed += len(commands) - renewed
    return commands


def _parts(commands: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(commands), SLICE):
        yield commands[start : start + SLICE]


def _since_ms(started_s: float) -> float:
    return round((time.perf_counter() - started_s) * 1000, 3)
