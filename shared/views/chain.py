"""An option chain as an operator reads it: its expirations, or the strikes of one. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.store.ops_market import ChainSeen
from shared.views.words import age_of, milliseconds, number, plain


@dataclass(frozen=True, slots=True)
class Leg:
    bid: float | None
    ask: float | None
    iv: float | None
    delta: float | None
    open_interest: float | None
    volume: float | None


@dataclass(frozen=True, slots=True)
class Strike:
    strike: float
    call: Leg | None
    put: Leg | None
    at_the_money: bool


@dataclass(frozen=True, slots=True)
class Expiry:
    """`iv` is that at the money, None where no price of the underlying is known."""

    expiration: str
    dte: int | None
    calls: int
    puts: int
    volume: float | None
    open_interest: float | None
    iv: float | None


@dataclass(frozen=True, slots=True)
class ChainView:
    """`strikes` are those of `expiration`, empty where none was asked for."""

    symbol: str
    as_of: str
    source: str
    fetched_age_s: float | None
    status: str
    underlying: float | None
    metrics: Mapping[str, Any]
    expirations: tuple[Expiry, ...]
    expiration: str = ""
    strikes: tuple[Strike, ...] = ()
    left_out: int = 0


Contracts = Sequence[Mapping[str, Any]]


def view(seen: ChainSeen, symbol: str, expiration: str = "", near: int = 0) -> ChainView | None:
    """None where there is no chain. `near`: so many strikes around the money, 0 for all."""
    chain = seen.chain
    if chain is None:
        return None
    contracts = [one for one in (chain.get("by_contract") or {}).values() if isinstance(one, dict)]
    price = underlying(seen.ticker)
    strikes = _strikes(contracts, expiration, price) if expiration else []
    shown = _near(strikes, near, price)
    fetched_ms = milliseconds(seen.monitor.get("fetched_ts") or chain.get("fetched_ts"))
    return ChainView(
        symbol,
        plain(chain.get("as_of", "")),
        plain(chain.get("source", "")),
        age_of(fetched_ms, seen.now_ms),
        plain(seen.monitor.get("status", "")),
        price,
        chain.get("metrics") or {},
        tuple(_expiry(row, contracts, price) for row in chain.get("expirations") or ()),
        expiration,
        tuple(shown),
        len(strikes) - len(shown),
    )


def underlying(ticker: Mapping[str, str]) -> float | None:
    """The middle of the quote, else the last trade."""
    return number(ticker.get("mid")) or number(ticker.get("last"))


def no_chain(seen: ChainSeen, symbol: str) -> str:
    """Why there is none, as far as it is known."""
    status, error = seen.monitor.get("status", ""), plain(seen.monitor.get("error", ""))
    if not status:
        return f"no chain of {symbol}, and nobody says why: does av_options run?"
    return f"no chain of {symbol}: {plain(status)}" + (f", {error}" if error else "")


def _expiry(row: Mapping[str, Any], contracts: Contracts, price: float | None) -> Expiry:
    name = plain(row.get("expiration", ""))
    dte = number(row.get("dte"))
    return Expiry(
        name,
        None if dte is None else int(dte),
        int(number(row.get("calls")) or 0),
        int(number(row.get("puts")) or 0),
        number(row.get("volume")),
        number(row.get("open_interest")),
        _iv_at_the_money(contracts, name, price),
    )


def _iv_at_the_money(contracts: Contracts, expiration: str, price: float | None) -> float | None:
    for one in _strikes(contracts, expiration, price) if price is not None else ():
        if one.at_the_money:
            known = [leg.iv for leg in (one.call, one.put) if leg and leg.iv is not None]
            return sum(known) / len(known) if known else None
    return None


def _strikes(contracts: Contracts, expiration: str, price: float | None) -> list[Strike]:
    legs: dict[float, dict[str, Leg]] = {}
    for one in contracts:
        strike = number(one.get("strike"))
        if one.get("expiration") == expiration and strike is not None:
            legs.setdefault(strike, {})[str(one.get("type"))] = _leg(one)
    nearest = _nearest(legs, price)
    return [
        Strike(strike, legs[strike].get("call"), legs[strike].get("put"), strike == nearest)
        for strike in sorted(legs)
    ]


def _nearest(strikes: Iterable[float], price: float | None) -> float | None:
    if price is None:
        return None
    return min(strikes, key=lambda strike: abs(strike - price), default=None)


def _leg(contract: Mapping[str, Any]) -> Leg:
    names = ("bid", "ask", "implied_volatility", "delta", "open_interest", "volume")
    return Leg(*(number(contract.get(name)) for name in names))


def _near(strikes: Sequence[Strike], near: int, price: float | None) -> Sequence[Strike]:
    """A window of so many strikes; without a price of the underlying by the calls' deltas."""
    if not near or near >= len(strikes):
        return strikes
    ranked = sorted(range(len(strikes)), key=lambda place: _distance(strikes[place], price))
    middle = ranked[0]
    first = min(max(0, middle - near // 2), len(strikes) - near)
    return strikes[first : first + near]


def _distance(one: Strike, price: float | None) -> float:
    if price is not None:
        return abs(one.strike - price)
    delta = one.call.delta if one.call else None
    return abs((1.0 if delta is None else delta) - 0.5)


def document(found: ChainView) -> dict[str, Any]:
    shown = {
        "symbol": found.symbol,
        "as_of": found.as_of,
        "source": found.source,
        "fetched_age_s": found.fetched_age_s,
        "status": found.status or None,
        "underlying": found.underlying,
        "metrics": found.metrics,
    }
    if not found.expiration:
        return {**shown, "expirations": found.expirations}
    of_it = next((one for one in found.expirations if one.expiration == found.expiration), None)
    return {**shown, "expiration": of_it, "strikes": found.strikes, "left_out": found.left_out}
