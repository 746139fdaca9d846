"""Option chains: what to ask for, and from an answer to a chain that is readable."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from shared.control.schedule import Poll
from shared.feeds.alphavantage.client import Answer, Request
from shared.feeds.alphavantage.refusals import check_says_empty
from shared.market.option import Chain, empty_chain
from shared.normalize.av_options import ChainRequest, read_chain
from shared.settings import AlphaVantageSettings
from shared.universe import Universe

KIND: Final = "options"
ENDPOINTS: Final = {
    "REALTIME_OPTIONS": "Realtime Options",
    "HISTORICAL_OPTIONS": "Historical Options",
}

ValueT = TypeVar("ValueT")


class Stored(Protocol):
    """What a write did; counts are of greeks keys."""

    changed: int
    renewed: int
    removed: int
    store_ms: float


class OptionsOutlet(Protocol):
    def same(self, symbol: str, digest: int) -> bool:
        """Whether the chain that came with this digest is what can be read now."""

    async def renew(self, symbol: str) -> Stored | None:
        """Keep an unchanged chain readable; None when it no longer is."""

    async def write(self, chain: Chain, digest: int) -> Stored:
        """Make the chain readable."""

    def status(self, symbol: str, fields: Mapping[str, str | int | float | None]) -> None:
        """Fields of the symbol's monitor."""


@dataclass(slots=True)
class FetchedChain:
    """`chain` is None when the body is the one before."""

    answer: Answer
    digest: int
    chain: Chain | None


class OptionsHandler:
    def __init__(
        self, settings: AlphaVantageSettings, universe: Universe, outlet: OptionsOutlet
    ) -> None:
        self._settings = settings
        self._universe = universe
        self._outlet = outlet
        self._unchanged: Counter[str] = Counter()
        self._statuses: dict[str, str] = {}
        self._counts: Counter[str] = Counter()

    def request(self, poll: Poll) -> Request:
        function = self._settings.options_function
        params = {"function": function, "symbol": self._vendor_symbol(poll.symbol)}
        if function == "REALTIME_OPTIONS":
            params["require_greeks"] = "true"
        elif self._settings.options_date:
            params["date"] = self._settings.options_date
        return Request(params, "data")

    async def read(self, poll: Poll, answer: Answer) -> FetchedChain:
        """Raises BadDocument."""
        if answer.kind == "empty":
            check_says_empty(answer.text)
            return FetchedChain(answer, 0, empty_chain(poll.symbol, answer.received_ms))
        digest = hash(answer.body)
        if self._outlet.same(poll.symbol, digest):
            return FetchedChain(answer, digest, None)
        return FetchedChain(answer, digest, await self._chain(poll.symbol, answer))

    async def write(self, poll: Poll, document: FetchedChain) -> None:
        """Raises StoreUnavailable, StoreRefused."""
        symbol, chain = poll.symbol, document.chain
        if chain is None:
            done = await self._outlet.renew(symbol)
            if done is not None:
                self._unchanged[symbol] += 1
                self._counts["unchanged_chains"] += 1
                self._tell_fetch(symbol, document.answer, done)
                return
            # Redis has lost it: what was left out is written after all.
            chain = document.chain = await self._chain(symbol, document.answer)
        done = await self._outlet.write(chain, document.digest)
        self._unchanged[symbol] = 0
        self._count(chain, done)
        self._tell_chain(chain)
        self._tell_fetch(symbol, document.answer, done)

    def tell(self, poll: Poll, status: str, text: str) -> None:
        self._outlet.status(poll.symbol, {"status": status, "error": text})

    def metrics(self) -> dict[str, Any]:
        """Counters since the start."""
        return dict(self._counts)

    async def _chain(self, symbol: str, answer: Answer) -> Chain:
        settings = self._settings
        endpoint = ENDPOINTS[settings.options_function]
        day = settings.options_date if settings.options_function == "HISTORICAL_OPTIONS" else ""
        request = ChainRequest(symbol, self._vendor_symbol(symbol), endpoint, day)
        return await in_steps(read_chain(answer.body, request, answer.received_ms))

    def _vendor_symbol(self, symbol: str) -> str:
        return self._universe.by_symbol(symbol).alpha_vantage_name

    def _count(self, chain: Chain, done: Stored) -> None:
        counts, faults = self._counts, chain.faults
        counts["chains"] += 1
        counts["empty_chains"] += not chain.contracts
        counts["contracts"] += len(chain.contracts)
        counts["greeks_changed"] += done.changed
        counts["greeks_renewed"] += done.renewed
        counts["greeks_removed"] += done.removed
        counts["junk_greeks"] += chain.metrics.junk_greeks
        counts["duplicates"] += faults.duplicates
        counts["dropped_rows"] += faults.dropped
        counts["bad_values"] += faults.bad_values

    def _tell_chain(self, chain: Chain) -> None:
        metrics, faults = chain.metrics, chain.faults
        self._statuses[chain.symbol] = "ok" if chain.contracts else "empty"
        self._outlet.status(
            chain.symbol,
            {
                "as_of": chain.as_of or None,
                "contracts": metrics.contracts,
                "calls": metrics.calls,
                "puts": metrics.puts,
                "missing_greeks": metrics.missing_greeks,
                "junk_greeks": metrics.junk_greeks,
                "greeks_coverage": chain.greeks_coverage,
                "duplicates": faults.duplicates,
                "dropped": faults.dropped,
                "bad_values": faults.bad_values,
            },
        )

    def _tell_fetch(self, symbol: str, answer: Answer, done: Stored) -> None:
        fields: dict[str, str | int | float | None] = {
            "fetched_ts": answer.received_ms,
            "fetch_ms": answer.fetch_ms,
            "store_ms": done.store_ms,
            "bytes": len(answer.body),
            "unchanged_fetches": self._unchanged[symbol],
            "status": self._statuses[symbol],
            "error": answer.text if answer.kind == "empty" else "",
        }
        self._outlet.status(symbol, fields)


async def in_steps(work: Generator[None, None, ValueT]) -> ValueT:
    """Run a generator to its end; between its steps the event loop goes round."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            found: ValueT = end.value
            return found
        await asyncio.sleep(0)
