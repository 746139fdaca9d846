"""An option chain as curves: implied volatility and open interest by strike. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from shared.store.dashboard_reader import Chain, Contract
from shared.views.chain import underlying
from shared.views.words import milliseconds, number, plain

_COUNTS: Final = (
    "contracts", "calls", "puts", "missing_greeks", "junk_greeks", "duplicates", "dropped",
    "bad_values", "unchanged_fetches", "bytes", "fetch_ms", "store_ms", "greeks_coverage",
)  # fmt: skip


def curves(chain: Chain) -> dict[str, dict[str, Any]]:
    """By expiration: strikes, and beside each what its call and its put have, null for none."""
    legs: dict[str, dict[float, dict[str, Contract]]] = {}
    for one in chain.by_contract.values():
        legs.setdefault(one.expiration, {}).setdefault(one.strike, {})[one.type] = one
    rows = {str(row.get("expiration")): row for row in chain.expirations}
    return {name: _curve(rows.get(name, {}), legs[name]) for name in sorted(legs)}


def _curve(row: Mapping[str, Any], legs: Mapping[float, Mapping[str, Contract]]) -> dict[str, Any]:
    strikes = sorted(legs)
    calls = [legs[strike].get("call") for strike in strikes]
    puts = [legs[strike].get("put") for strike in strikes]
    return {
        "dte": number(row.get("dte")),
        "strikes": strikes,
        "call_iv": _volatilities(calls),
        "put_iv": _volatilities(puts),
        "call_oi": [one.open_interest if one else None for one in calls],
        "put_oi": [one.open_interest if one else None for one in puts],
    }


def _volatilities(legs: Iterable[Contract | None]) -> list[float | None]:
    found = (one.implied_volatility if one else None for one in legs)
    return [None if one is None else round(one, 5) for one in found]


def summary(
    chain: Chain | None, monitor: Mapping[str, str], ticker: Mapping[str, str]
) -> dict[str, Any]:
    """How whole the chain is, and what became of the polls."""
    told: dict[str, Any] = {name: number(monitor.get(name)) for name in _COUNTS}
    return {
        "there": chain is not None,
        "as_of": plain(chain.as_of) if chain else "",
        "fetched_ms": milliseconds(monitor.get("fetched_ts")) or (chain and chain.fetched_ts),
        "status": plain(monitor.get("status", "")),
        "error": plain(monitor.get("error", "")),
        "underlying": underlying(ticker),
        "metrics": chain.metrics if chain else {},
        "told": told,
    }
