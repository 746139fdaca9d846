"""The plain way from a chain's body to Redis: json.loads, a loop, one awaited command per key.

It makes the same documents under the same keys as the product, with none of the product's code but
the names of the keys. Hence it also says what Redis is to hold: see `chain_check`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from redis.asyncio import Redis

from benchmarks.chain_documents import SYMBOL
from shared.store.keys import Keys

TTL_S: Final = 180
SOURCE: Final = "sim"
_TEXTS: Final = ("contractID", "symbol", "expiration", "type", "date")
_GREEKS: Final = ("implied_volatility", "delta", "gamma", "theta", "vega", "rho")
_PRICES: Final = ("last", "mark", "bid", "ask")
_COUNTS: Final = ("bid_size", "ask_size", "volume", "open_interest")
# Below it, with a delta of one and nothing else, the vendor's solver found nothing.
_JUNK: Final = 0.02

Document = dict[str, Any]


@dataclass
class Documents:
    calls: list[Document]
    puts: list[Document]
    chain: Document
    greeks: dict[str, Document]
    event: Document


def documents(body: bytes, fetched_ms: int) -> Documents:
    rows = json.loads(body)["data"]
    contracts, greeks, junk = {}, {}, 0
    for row in rows:
        one = _contract(row)
        if _is_junk(one):
            junk += 1
            one.update(dict.fromkeys(_GREEKS))
        contracts[one["contractID"]] = one
        known = {name: one[name] for name in _GREEKS}
        if any(value is not None for value in known.values()):
            greeks[one["contractID"]] = {**known, "mark": one["mark"], "ts": fetched_ms}
    as_of = max(one["date"] for one in contracts.values())
    expirations = _expirations(contracts.values(), as_of)
    metrics = _metrics(contracts.values(), expirations, len(greeks), junk)
    chain = {
        "symbol": SYMBOL, "as_of": as_of, "fetched_ts": fetched_ms, "source": SOURCE,
        "by_contract": contracts, "expirations": expirations, "metrics": metrics,
    }  # fmt: skip
    calls = [row for row in rows if row["type"] == "call"]
    puts = [row for row in rows if row["type"] == "put"]
    return Documents(calls, puts, chain, greeks, _event(chain, len(greeks)))


class PlainWay:
    """redis-py's asyncio client, every key set by an awaited command of its own."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(url)
        self._keys = Keys()

    async def connect(self) -> None:
        await self._redis.ping()

    def forget(self) -> None:
        """It remembers nothing."""

    async def prepare(self, body: bytes, fetched_ms: int) -> tuple[bytes, int]:
        return body, fetched_ms

    async def load(self, given: tuple[bytes, int]) -> Document:
        made, keys, redis = documents(*given), self._keys, self._redis
        await redis.set(keys.calls(SYMBOL), json.dumps(made.calls), ex=TTL_S)
        await redis.set(keys.puts(SYMBOL), json.dumps(made.puts), ex=TTL_S)
        await redis.set(keys.chain(SYMBOL), json.dumps(made.chain), ex=TTL_S)
        for name, greeks in made.greeks.items():
            await redis.set(keys.greeks(SYMBOL, name), json.dumps(greeks), ex=TTL_S)
        await redis.publish(keys.options_events(SYMBOL), json.dumps(made.event))
        return {}

    async def close(self) -> None:
        await self._redis.aclose()


def _contract(row: Mapping[str, str]) -> Document:
    """The row with numbers for texts; what is none, and a price of zero, is None."""
    one: Document = {name: row[name] for name in _TEXTS}
    one["strike"] = _safe_float(row["strike"])
    for name in _PRICES:
        one[name] = _safe_float(row.get(name)) or None
    for name in _COUNTS:
        one[name] = _safe_int(row.get(name))
    for name in _GREEKS:
        one[name] = _safe_float(row.get(name))
    return one


def _safe_float(value: str | None) -> float | None:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _safe_int(value: str | None) -> int | None:
    number = _safe_float(value)
    return None if number is None else int(number)


def _is_junk(one: Document) -> bool:
    volatility = one["implied_volatility"]
    if volatility is None or volatility >= _JUNK or one["delta"] not in (1.0, -1.0):
        return False
    return bool(one["gamma"] == 0.0 and one["vega"] == 0.0)


def _expirations(contracts: Iterable[Document], as_of: str) -> list[Document]:
    day, found = date.fromisoformat(as_of), {}
    for one in contracts:
        name = one["expiration"]
        if name not in found:
            dte = (date.fromisoformat(name) - day).days
            found[name] = {
                "expiration": name, "dte": dte, "calls": 0, "puts": 0, "volume": 0,
                "open_interest": 0,
            }  # fmt: skip
        row = found[name]
        row["calls" if one["type"] == "call" else "puts"] += 1
        row["volume"] += one["volume"] or 0
        row["open_interest"] += one["open_interest"] or 0
    return [found[name] for name in sorted(found)]


def _metrics(
    contracts: Iterable[Document], expirations: list[Document], known: int, junk: int
) -> Document:
    total = dict.fromkeys(("calls", "puts", "volume", "open_interest"), 0)
    for row in expirations:
        for name in total:
            total[name] += row[name]
    put_volume = put_interest = two_sided = 0
    for one in contracts:
        two_sided += one["bid"] is not None and one["ask"] is not None
        if one["type"] == "put":
            put_volume += one["volume"] or 0
            put_interest += one["open_interest"] or 0
    count = total["calls"] + total["puts"]
    return {
        "contracts": count, "calls": total["calls"], "puts": total["puts"],
        "two_sided": two_sided, "with_greeks": known, "missing_greeks": count - known - junk,
        "junk_greeks": junk, "volume": total["volume"], "open_interest": total["open_interest"],
        "put_call_volume_ratio": _ratio(put_volume, total["volume"]),
        "put_call_open_interest_ratio": _ratio(put_interest, total["open_interest"]),
    }  # fmt: skip


def _ratio(puts: int, both: int) -> float | None:
    return round(puts / (both - puts), 6) if both > puts else None


def _event(chain: Document, changed: int) -> Document:
    metrics = chain["metrics"]
    return {
        "key": Keys().chain(SYMBOL), "ts": chain["fetched_ts"], "status": "ok",
        "as_of": chain["as_of"], "contracts": metrics["contracts"], "calls": metrics["calls"],
        "puts": metrics["puts"], "greeks_changed": changed, "greeks_removed": 0,
    }  # fmt: skip
