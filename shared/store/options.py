"""Option chains → Redis: calls, puts and chain in one transaction, greeks in small slices.

Documents of megabytes grow beside, while the chain is still being read, and only get their names in
the transaction.

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

from shared.market.option import REMEMBERED_CONTRACTS, Chain, ChainPart
from shared.store.growing import Growing, checked
from shared.store.keys import Keys
from shared.store.option_documents import ChainDocuments, GreeksCommands, event_of
from shared.store.option_draft import Abandoned, Draft, Steps, Whole, Written, since_ms
from shared.store.option_greeks import GreeksWriter, KnownGreeks, slices
from shared.store.renewal import Renewal
from shared.store.resp import RespConnection, pack

_DOCUMENTS: Final = ("calls", "puts", "chain")

OnChain = Callable[[Chain], None]


@dataclass(slots=True)
class _Known:
    """What Redis has of a symbol, as far as this process knows."""

    # None: in doubt, to be written as a whole.
    digest: int | None = None
    # The chain has contracts, so that its three documents are there.
    documents: bool = False
    greeks: KnownGreeks = field(default_factory=KnownGreeks)
    # None: nothing to renew is known.
    renewal: Renewal | None = None


class _OldChain(msgspec.Struct):
    by_contract: dict[str, msgspec.Raw]


class OptionsStore:
    """The writer of `options:*`; writes of different symbols take turns."""

    def __init__(
        self,
        connection: RespConnection,
        keys: Keys,
        source: str,
        ttls_s: tuple[int, int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`ttls_s` are those of the chain's documents and of the greeks."""
        self._connection = connection
        self._keys = keys
        self._source = source
        self._ttl, self._greeks_ttl_s = b"%d" % ttls_s[0], ttls_s[1]
        self._clock = clock
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
                await self._connect()
                greeks = self._writer(symbol, known)
                if known.documents:
                    keys = [pack(b"EXPIRE", key, self._ttl) for key in self._documents(symbol)]
                    if 0 in await self._send(keys) or not await greeks.renew():
                        self._doubt(symbol)
                        return None
        greeks.done.store_ms = since_ms(started_s)
        return greeks.done

    def begin(self, symbol: str, fetched_ms: int) -> Draft:
        """A chain that is still being read; its parts are written as they come."""
        return Draft(Steps(symbol, fetched_ms), self._write)

    async def write(self, chain: Chain, digest: int) -> Written:
        """Replace what Redis has of the symbol; an empty chain removes it.

        The event goes out once every key is readable. `digest` names the body for `same`.

        Raises:
            StoreUnavailable: Redis is away or has no room now; what it has of the symbol is
                uncertain until the next write, which then writes all of it.
            StoreRefused: Redis answered with an error that a repeat will not help.
        """
        draft = self.begin(chain.symbol, chain.fetched_ms)
        for part in chain.parts():
            draft.add(part)
        return await draft.finish(chain, digest)

    def close(self) -> None:
        self._connection.close()

    async def _write(self, steps: Steps) -> Written:
        async with self._turn:
            with self._forgetting(steps.symbol):
                await self._connect()
                growing = self._growing(steps.symbol)
                documents = Growing(self._connection, growing, self._ttl)
                step = await self._grow(documents, steps)
                if isinstance(step, Abandoned):
                    await self._send([pack(b"UNLINK", *growing)])
                    return Written()
                done = await self._replace(*step)
        for callback in self._callbacks:
            try:
                callback(step.chain)
            except Exception as error:
                logger.opt(exception=error).error("callback for {} failed", steps.symbol)
        return done

    async def _grow(self, documents: Growing, steps: Steps) -> Whole | Abandoned:
        """Until the last step: then everything that came before it is in Redis."""
        pieces = ChainDocuments(steps.symbol, steps.fetched_ms, self._source)
        while isinstance(step := await steps.next(), ChainPart):
            await documents.add(pieces.part(step))
        if isinstance(step, Whole):
            await documents.add(pieces.end(step.chain))
        await documents.settle()
        return step

    async def _replace(self, chain: Chain, digest: int) -> Written:
        symbol = chain.symbol
        old = self._known.setdefault(symbol, _Known())
        if old.digest is None:
            old.greeks.digests.update(await self._found(symbol))
        await self._name(chain)
        greeks = self._writer(symbol, old, chain.fetched_ms)
        if not await greeks.write(chain):
            # Redis has lost keys since: nothing counts as known.
            self._doubt(symbol)
            greeks = self._writer(symbol, _Known(), chain.fetched_ms)
            await greeks.write(chain)
        commands = self._commands(symbol)
        names = old.greeks.digests.keys() - greeks.new.digests.keys()
        for part in slices([commands.key(name) for name in names]):
            await self._send([pack(b"UNLINK", *part)])
        done = greeks.done
        done.removed = len(names)
        renewal = old.renewal or Renewal(self._greeks_ttl_s, self._clock())
        # To the end: the first is the one written longest ago.
        self._known.pop(symbol, None)
        self._known[symbol] = _Known(digest, bool(chain.contracts), greeks.new, renewal)
        self._forget_contracts(symbol)
        counts = {"greeks_changed": done.changed, "greeks_removed": done.removed}
        event = event_of(chain, self._keys.chain(symbol), counts)
        await self._send([pack(b"PUBLISH", self._keys.options_events(symbol).encode(), event)])
        return done

    def _forget_contracts(self, kept: str) -> None:
        """Without them greeks are still compared, by their documents instead of by their rows."""
        known = [(symbol, one.greeks) for symbol, one in self._known.items()]
        number = sum(len(greeks.contracts) for _, greeks in known)
        for symbol, greeks in known:
            if number <= REMEMBERED_CONTRACTS:
                return
            if symbol != kept:
                number -= len(greeks.contracts)
                greeks.contracts = {}

    async def _name(self, chain: Chain) -> None:
        """All three in one transaction: whoever reads them together sees one chain."""
        keys, growing = self._documents(chain.symbol), self._growing(chain.symbol)
        if chain.contracts:
            names = [pack(b"RENAME", *pair) for pair in zip(growing, keys, strict=True)]
            await self._send([pack(b"MULTI"), *names, pack(b"EXEC")])
        else:
            await self._send([pack(b"UNLINK", *growing, *keys)])

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
        self._known[symbol] = _Known(greeks=KnownGreeks(dict.fromkeys(known.greeks.digests)))

    def _documents(self, symbol: str) -> list[bytes]:
        keys = self._keys
        return [key.encode() for key in (keys.calls(symbol), keys.puts(symbol), keys.chain(symbol))]

    def _growing(self, symbol: str) -> list[bytes]:
        return [self._keys.growing(symbol, name).encode() for name in _DOCUMENTS]

    def _writer(self, symbol: str, known: _Known, since_ms: int = 0) -> GreeksWriter:
        due = known.renewal.due(self._clock()) if known.renewal else []
        commands = self._commands(symbol, since_ms)
        return GreeksWriter(self._connection, commands, known.greeks, due)

    def _commands(self, symbol: str, since_ms: int = 0) -> GreeksCommands:
        pattern = self._keys.greeks(symbol, "\0").encode()
        return GreeksCommands(pattern, b"%d" % self._greeks_ttl_s, since_ms)
