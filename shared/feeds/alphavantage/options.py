"""Option chains: what to ask for, and from an answer to a chain that is readable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from shared.control.schedule import Poll
from shared.feeds.alphavantage.client import Answer, Request
from shared.feeds.alphavantage.refusals import check_says_empty
from shared.give_way import give_way
from shared.market.option import REMEMBERED_CONTRACTS, Chain, ChainPart, empty_chain
from shared.normalize.av_options import ChainRequest, read_chain
from shared.settings import AlphaVantageSettings
from shared.universe import Universe

KIND: Final = "options"
ENDPOINTS: Final = {
    "REALTIME_OPTIONS": "Realtime Options",
    "HISTORICAL_OPTIONS": "Historical Options",
}

StepT = TypeVar("StepT")
ValueT = TypeVar("ValueT")


class Stored(Protocol):
    """What a write did; counts are of greeks keys."""

    changed: int
    renewed: int
    removed: int
    store_ms: float


class Draft(Protocol):
    """A chain that is written while it is read; nobody can read it before it is finished."""

    def add(self, part: ChainPart) -> None:
        """The next part."""

    async def finish(self, chain: Chain, digest: int) -> Stored:
        """Make the chain readable, of which all parts were added."""

    def abandon(self) -> None:
        """It is no chain after all."""


class OptionsOutlet(Protocol):
    def same(self, symbol: str, digest: int) -> bool:
        """Whether the chain that came with this digest is what can be read now."""

    async def renew(self, symbol: str) -> Stored | None:
        """Keep an unchanged chain readable; None when it no longer is."""

    def begin(self, symbol: str, fetched_ms: int) -> Draft:
        """A chain that is still being read."""

    async def write(self, chain: Chain, digest: int) -> Stored:
        """Make the chain readable."""

    def status(self, symbol: str, fields: Mapping[str, str | int | float | None]) -> None:
        """Fields of the symbol's monitor."""


@dataclass(slots=True)
class FetchedChain:
    """`chain` is None when the body is the one before; `draft` is used up by the first write."""

    answer: Answer
    digest: int
    chain: Chain | None
    draft: Draft | None = None


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
        self._memory = ChainMemory()

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
        return FetchedChain(answer, digest, *await self._chain(poll.symbol, answer))

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
            chain, document.draft = await self._chain(symbol, document.answer)
            document.chain = chain
        draft, document.draft = document.draft, None
        write = draft.finish if draft else self._outlet.write
        done = await write(chain, document.digest)
        self._unchanged[symbol] = 0
        self._count(chain, done)
        self._tell_chain(chain)
        self._tell_fetch(symbol, document.answer, done)

    def tell(self, poll: Poll, status: str, text: str) -> None:
        self._outlet.status(poll.symbol, {"status": status, "error": text})

    def metrics(self) -> dict[str, Any]:
        """Counters since the start."""
        return dict(self._counts)

    async def _chain(self, symbol: str, answer: Answer) -> tuple[Chain, Draft]:
        settings = self._settings
        endpoint = ENDPOINTS[settings.options_function]
        day = settings.options_date if settings.options_function == "HISTORICAL_OPTIONS" else ""
        request = ChainRequest(symbol, self._vendor_symbol(symbol), endpoint, day)
        before = self._memory.get(symbol)
        work = read_chain(answer.body, request, answer.received_ms, before)
        draft = self._outlet.begin(symbol, answer.received_ms)
        try:
            chain = await in_steps(work, lambda part: draft.add(part) if part.contracts else None)
        except BaseException:
            draft.abandon()
            raise
        self._memory.keep(chain)
        return chain, draft

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


class ChainMemory:
    """The last chain of each symbol, of so many contracts in all; the one read last stays.

    A chain that is not remembered is read as if it were the first.
    """

    def __init__(self, limit: int = REMEMBERED_CONTRACTS) -> None:
        self._limit = limit
        self._chains: dict[str, Chain] = {}

    def get(self, symbol: str) -> Chain | None:
        return self._chains.get(symbol)

    def keep(self, chain: Chain) -> None:
        self._chains.pop(chain.symbol, None)
        self._chains[chain.symbol] = chain
        while len(self._chains) > 1 and self._size() > self._limit:
            del self._chains[next(iter(self._chains))]

    def _size(self) -> int:
        return sum(len(one.contracts) for one in self._chains.values())


async def in_steps(work: Generator[StepT, None, ValueT], each: Callable[[StepT], None]) -> ValueT:
    """Run a generator to its end, `each` takes what it yields; between, the loop goes round."""
    while True:
        try:
            each(next(work))
        except StopIteration as end:
            found: ValueT = end.value
            return found
        await give_way()
