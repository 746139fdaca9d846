"""Option contracts and chains.

A contract keeps the field names of the vendor (docs of REALTIME_OPTIONS and HISTORICAL_OPTIONS):
its JSON is a row of `by_contract` as it stands in Redis.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from datetime import date
from itertools import groupby
from operator import attrgetter
from typing import Annotated, Final, Literal, NamedTuple

from msgspec import Meta, Raw, Struct

# No listed option or underlying has come near; a vendor's DBL_MAX for "none" is far beyond.
MAX_PRICE: Final = 10_000_000.0
MAX_COUNT: Final = 1_000_000_000_000
MAX_GREEK: Final = 1_000_000.0
GREEKS: Final = ("implied_volatility", "delta", "gamma", "theta", "vega", "rho")
PRICES: Final = ("last", "mark", "bid", "ask")
COUNTS: Final = ("bid_size", "ask_size", "volume", "open_interest")
# The vendor's solver ends at 0.01976 where it finds nothing; real volatilities were never so low.
JUNK_VOLATILITY: Final = 0.02
# Encoding so many takes less than a millisecond.
_PART: Final = 250

Price = Annotated[float, Meta(ge=0, le=MAX_PRICE)]
Strike = Annotated[float, Meta(gt=0, le=MAX_PRICE)]
Count = Annotated[int, Meta(ge=0, le=MAX_COUNT)]
Greek = Annotated[float, Meta(ge=-MAX_GREEK, le=MAX_GREEK)]
Right = Literal["call", "put"]

# Contracts of all chains that are kept to be compared with the next ones, some 1 KB each.
REMEMBERED_CONTRACTS: Final = 150_000


class Contract(Struct, gc=False):
    """One contract: prices in dollars, sizes, volume and open interest in contracts.

    What the vendor does not have is None; `bare_prices` makes its "0.00" None too.
    """

    contractID: str
    symbol: str
    expiration: str
    strike: Strike
    type: Right
    last: Price | None
    mark: Price | None
    bid: Price | None
    bid_size: Count | None
    ask: Price | None
    ask_size: Count | None
    volume: Count | None
    open_interest: Count | None
    date: str
    implied_volatility: Greek | None = None
    delta: Greek | None = None
    gamma: Greek | None = None
    theta: Greek | None = None
    vega: Greek | None = None
    rho: Greek | None = None


class Expiration(Struct):
    expiration: str
    dte: int
    calls: int = 0
    puts: int = 0
    volume: int = 0
    open_interest: int = 0


class ChainMetrics(Struct):
    contracts: int = 0
    calls: int = 0
    puts: int = 0
    two_sided: int = 0
    with_greeks: int = 0
    missing_greeks: int = 0
    junk_greeks: int = 0
    volume: int = 0
    open_interest: int = 0
    put_call_volume_ratio: float | None = None
    put_call_open_interest_ratio: float | None = None


class ChainPart(NamedTuple):
    """Contracts that follow each other in a chain, with the vendor's JSON object of each."""

    contracts: Sequence[Contract]
    rows: Sequence[Raw]


class ChainFaults(Struct):
    """What was left out: doubled rows, rows without identity, values that are no numbers."""

    duplicates: int = 0
    dropped: int = 0
    bad_values: int = 0


class Chain(Struct):
    """All contracts of an underlying at one moment, in the vendor's order.

    `rows` are the vendor's own JSON objects, one per contract, without white space. `doubtful` are
    contracts of which values were left out.
    """

    symbol: str
    as_of: str
    fetched_ms: int
    contracts: list[Contract]
    rows: list[Raw]
    expirations: list[Expiration]
    metrics: ChainMetrics
    faults: ChainFaults
    doubtful: Set[str] = frozenset()

    def parts(self) -> Iterator[ChainPart]:
        for at in range(0, len(self.contracts), _PART):
            yield ChainPart(self.contracts[at : at + _PART], self.rows[at : at + _PART])

    @property
    def greeks_coverage(self) -> float | None:
        """Share of contracts with greeks."""
        if not self.contracts:
            return None
        return round(self.metrics.with_greeks / len(self.contracts), 4)


def empty_chain(symbol: str, fetched_ms: int) -> Chain:
    """The vendor has no contracts for this symbol."""
    return Chain(symbol, "", fetched_ms, [], [], [], ChainMetrics(), ChainFaults())


def bare_prices(contracts: Sequence[Contract]) -> list[Contract]:
    """A price of zero means no bid, no offer or never traded: none, not free of charge.

    Returns those without gamma, among which are all whose greeks may be junk.
    """
    flat = []
    for one in contracts:
        if not one.last:
            one.last = None
        if not one.mark:
            one.mark = None
        if not one.bid:
            one.bid = None
        if not one.ask:
            one.ask = None
        if not one.gamma:
            flat.append(one)
    return flat


def is_junk(one: Contract) -> bool:
    """The solver's floor with a delta of exactly one: what it gives where it found nothing."""
    return (
        one.gamma == 0.0
        and one.vega == 0.0
        and one.implied_volatility is not None
        and one.implied_volatility < JUNK_VOLATILITY
        and one.delta in (1.0, -1.0)
    )


def without_greeks(one: Contract) -> None:
    one.implied_volatility = one.delta = one.gamma = one.theta = one.vega = one.rho = None


def has_greeks(one: Contract) -> bool:
    return (
        one.implied_volatility is not None
        or one.delta is not None
        or one.gamma is not None
        or one.theta is not None
        or one.vega is not None
        or one.rho is not None
    )


class Summary:
    """Expirations and metrics of a chain, counted up contract by contract."""

    def __init__(self) -> None:
        self.metrics = ChainMetrics()
        self._expirations: dict[str, Expiration] = {}
        self._put_volume = 0
        self._put_open_interest = 0

    def add(self, contracts: Sequence[Contract], junk: int) -> None:
        """Contracts whose junk greeks (so many) have been taken away already."""
        metrics = self.metrics
        # Nearly all have a volatility: the call is saved.
        known = sum([one.implied_volatility is not None or has_greeks(one) for one in contracts])
        metrics.contracts += len(contracts)
        metrics.with_greeks += known
        metrics.junk_greeks += junk
        metrics.missing_greeks += len(contracts) - known - junk
        metrics.two_sided += sum([one.bid is not None and one.ask is not None for one in contracts])
        # The vendor sorts by expiration, so that these groups are few and long.
        for expiration, group in groupby(contracts, attrgetter("expiration")):
            self._count(expiration, list(group))

    def finished(self, as_of: str) -> tuple[list[Expiration], ChainMetrics]:
        """Expirations, soonest first, with the days from `as_of`; ratios are put over call."""
        metrics, day = self.metrics, date.fromisoformat(as_of)
        found = [self._expirations[name] for name in sorted(self._expirations)]
        for one in found:
            one.dte = (date.fromisoformat(one.expiration) - day).days
        metrics.calls = sum(one.calls for one in found)
        metrics.puts = sum(one.puts for one in found)
        metrics.volume = sum(one.volume for one in found)
        metrics.open_interest = sum(one.open_interest for one in found)
        metrics.put_call_volume_ratio = _ratio(self._put_volume, metrics.volume - self._put_volume)
        metrics.put_call_open_interest_ratio = _ratio(
            self._put_open_interest, metrics.open_interest - self._put_open_interest
        )
        return found, metrics

    def _count(self, expiration: str, contracts: Sequence[Contract]) -> None:
        row = self._expirations.get(expiration)
        if row is None:
            row = self._expirations[expiration] = Expiration(expiration, 0)
        puts = [one for one in contracts if one.type == "put"]
        calls = [one for one in contracts if one.type != "put"]
        volume = sum([one.volume or 0 for one in puts])
        interest = sum([one.open_interest or 0 for one in puts])
        row.puts += len(puts)
        row.calls += len(calls)
        row.volume += volume + sum([one.volume or 0 for one in calls])
        row.open_interest += interest + sum([one.open_interest or 0 for one in calls])
        self._put_volume += volume
        self._put_open_interest += interest


def _ratio(puts: int, calls: int) -> float | None:
    return round(puts / calls, 6) if calls else None
