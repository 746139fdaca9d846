"""Reads what the depth worker publishes, by the names of the contract; shares no code with it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import redis


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a symbol's depth stream."""

    ts: int
    seq: int
    venue: str
    bids: list[list[Any]]
    asks: list[list[Any]]

    @property
    def empty(self) -> bool:
        return not any(row[0] is not None for row in (*self.bids, *self.asks))


@dataclass(frozen=True, slots=True)
class Gap:
    symbol: str
    venue: str
    from_seq: int | None
    to_seq: int | None
    from_ts: int
    to_ts: int
    reason: str
    count: int | None

    def numbers(self) -> set[int]:
        if self.from_seq is None or self.to_seq is None:
            return set()
        return set(range(self.from_seq, self.to_seq + 1))


class DepthKeys:
    def __init__(self, url: str) -> None:
        self.redis = redis.Redis.from_url(url, decode_responses=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.redis.close()

    def entries(self, symbol: str) -> list[Entry]:
        return [
            Entry(
                int(fields["ts"]),
                int(fields["seq"]),
                fields["venue"],
                json.loads(fields["bids"]),
                json.loads(fields["asks"]),
            )
            for _, fields in self.stream(f"raw:ibkr:depth:stream:{symbol}")
        ]

    def seqs(self, symbol: str) -> list[int]:
        return [int(f["seq"]) for _, f in self.stream(f"raw:ibkr:depth:stream:{symbol}")]

    def last_seq(self, symbol: str) -> int:
        newest: Any = self.redis.xrevrange(f"raw:ibkr:depth:stream:{symbol}", count=1)
        return int(newest[0][1]["seq"]) if newest else 0

    def received_ms(self, symbol: str) -> int:
        """When the newest row came, 0 for never."""
        return int(self.text(f"raw:ibkr:depth:hb:{symbol}") or 0)

    def fresh(self, symbols: Iterable[str], since_ms: int) -> bool:
        return all(self.received_ms(symbol) > since_ms for symbol in symbols)

    def gaps(self, symbol: str | None = None) -> list[Gap]:
        found = [_gap(fields) for _, fields in self.stream("monitoring:gaps")]
        return [gap for gap in found if symbol in (None, gap.symbol)]

    def incidents(self, kind: str, symbol: str | None = None) -> list[dict[str, str]]:
        found = [fields for _, fields in self.stream("monitoring:incidents")]
        return [f for f in found if f["kind"] == kind and symbol in (None, f["symbol"])]

    def rotation(self, event: str) -> list[dict[str, str]]:
        found = [fields for _, fields in self.stream("monitoring:depth:rotation")]
        return [fields for fields in found if fields["event"] == event]

    def heartbeat(self) -> dict[str, Any]:
        return self.json("heartbeat:ibkr_depth") or {}

    def metrics(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(
            self.hash("monitoring:ibkr:metrics").get("ibkr_depth", "{}")
        )
        return found

    def coverage(self) -> dict[str, dict[str, Any]]:
        return {k: json.loads(v) for k, v in self.hash("monitoring:depth:coverage").items()}

    def connected(self) -> str | None:
        return self.text("ibkr:connected")

    def fallback(self) -> dict[str, dict[str, Any]]:
        return {k: json.loads(v) for k, v in self.hash("coord:depth:fallback").items()}

    def live_venues(self, symbol: str) -> list[str] | None:
        found: list[str] | None = self.json(f"coord:depth:live:{symbol}")
        return found

    def venue_book(self, symbol: str, venue: str) -> dict[str, Any]:
        return self.json(f"market:{symbol}:{venue}:book") or {}

    def text(self, key: str) -> str | None:
        found: Any = self.redis.get(key)
        return None if found is None else str(found)

    def json(self, key: str) -> Any:
        found = self.text(key)
        return None if found is None else json.loads(found, parse_constant=_refuse_constant)

    def hash(self, key: str) -> dict[str, str]:
        found: Any = self.redis.hgetall(key)
        return dict(found)

    def stream(self, key: str) -> list[tuple[str, dict[str, str]]]:
        found: Any = self.redis.xrange(key)
        return list(found)


def holes(seqs: list[int]) -> set[int]:
    """Numbers from 1 to the newest that are not in a stream which was never trimmed."""
    return set(range(1, max(seqs, default=0) + 1)) - set(seqs)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def _gap(fields: dict[str, str]) -> Gap:
    return Gap(
        fields["symbol"],
        fields["venue"],
        _number(fields["from_seq"]),
        _number(fields["to_seq"]),
        int(fields["from_ts"]),
        int(fields["to_ts"]),
        fields["reason"],
        _number(fields["count"]),
    )


def _number(text: str) -> int | None:
    return int(text) if text else None


def _refuse_constant(name: str) -> None:
    raise AssertionError(f"JSON must hold finite numbers, was {name}")
