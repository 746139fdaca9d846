"""The checker's own account of every key: its type, the most it may have left, its shape.

Written from docs/keys.md by hand, so that a mistake in the schema does not hide here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import orjson

__all__ = ["ANY", "RULES", "Problem", "Rule", "rule_of"]

_DAY_S: Final = 86_400
# Of books and heartbeats, which outlast a turn of the rotation.
_TURNS_S: Final = 300
_SIDE_ROWS: Final = 10
ANY: Final = -1


class Problem(Exception):
    """A value that nobody should be able to read."""


Check = Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class Rule:
    pattern: re.Pattern[str]
    kind: str
    # None: it does not expire. ANY: as whoever wrote it liked.
    ttl_s: int | None
    check: Check


def rule_of(key: str) -> Rule | None:
    return next((rule for rule in RULES if rule.pattern.fullmatch(key)), None)


def load(data: bytes) -> Any:
    """Strict JSON: half a document, NaN or infinity is none."""
    try:
        return orjson.loads(data)
    except ValueError as error:
        raise Problem(f"no JSON, {error}: {data[:60]!r}...{data[-30:]!r}") from error


def side(rows: Any, sign: int) -> None:
    """Ten rows, best first; sign -1 for bids."""
    if not isinstance(rows, list) or len(rows) != _SIDE_ROWS:
        raise Problem(f"side must have {_SIDE_ROWS} rows, was {rows!r:.80}")
    prices = [sign * row[0] for row in rows if row[0] is not None]
    missing = [row for row in rows if row[0] is None]
    if prices != sorted(prices) or rows[len(prices) :] != missing:
        raise Problem(f"side must be sorted, was {[row[0] for row in rows]}")
    if any(row != [None, 0, None] for row in missing):
        raise Problem(f"missing level must be empty, was {missing[0]}")
    for row in rows[: len(prices)]:
        if len(row) != 3 or row[0] <= 0 or row[1] < 0 or not isinstance(row[2], str):
            raise Problem(f"row must be price, size, maker, was {row}")


def _fields(document: Any, *names: str) -> None:
    if not isinstance(document, dict) or not set(names) <= document.keys():
        raise Problem(f"must have {', '.join(names)}, was {document!r:.120}")


def _book(data: bytes) -> None:
    book = load(data)
    _fields(book, "symbol", "ts", "received_ts", "bids", "asks")
    side(book["bids"], -1)
    side(book["asks"], 1)
    if "state" in book and book["state"] not in ("live", "reset", "parked"):
        raise Problem(f"state was {book['state']!r}")


def _depth_last(fields: dict[bytes, bytes]) -> None:
    names = {b"ts", b"bid0", b"ask0", b"bids_json", b"asks_json", b"venue", b"seq"}
    if fields.keys() != names:
        raise Problem(f"fields were {sorted(fields)}")
    side(load(fields[b"bids_json"]), -1)
    side(load(fields[b"asks_json"]), 1)


def _depth_entries(entries: list[tuple[bytes, dict[bytes, bytes]]]) -> None:
    for _, fields in entries:
        if fields.keys() != {b"ts", b"bids", b"asks", b"seq", b"venue"}:
            raise Problem(f"fields were {sorted(fields)}")
        side(load(fields[b"bids"]), -1)
        side(load(fields[b"asks"]), 1)


def _ticker(fields: dict[bytes, bytes]) -> None:
    numbers = {
        name: float(text)
        for name, text in fields.items()
        if name in (b"bid", b"ask", b"mid", b"last", b"volume", b"spread", b"spread_bps")
    }
    if not all(math.isfinite(number) for number in numbers.values()):
        raise Problem(f"numbers must be finite, were {numbers}")
    for name in (b"bid", b"ask", b"last"):
        if numbers.get(name, 1.0) <= 0:
            raise Problem(f"{name!r} was {numbers[name]}")
    if (b"mid" in fields) != (b"bid" in fields and b"ask" in fields):
        raise Problem(f"mid needs both sides and they it, was {sorted(fields)}")


def _last(data: bytes) -> None:
    document = load(data)
    _fields(document, "price", "size", "venue", "ts", "received_ts")
    if document["price"] <= 0:
        raise Problem(f"price was {document['price']}")


def _trades(members: list[bytes]) -> None:
    numbers = []
    for member in members:
        trade = load(member)
        _fields(trade, "ts", "received_ts", "price", "size", "venue", "feed", "seq")
        numbers.append(trade["seq"])
    if any(after >= before for before, after in zip(numbers, numbers[1:], strict=False)):
        raise Problem("seq must fall from newest to oldest")


def _bars(members: list[tuple[bytes, float]]) -> None:
    for member, score in members:
        bar = load(member)
        _fields(bar, "t", "open", "high", "low", "close", "volume", "wap", "count")
        if bar["t"] != score or not bar["low"] <= min(bar["open"], bar["close"]):
            raise Problem(f"bar was {bar} at {score}")
    starts = [score for _, score in members]
    if len(set(starts)) < len(starts):
        raise Problem("a start stands there twice")


def _rows(data: bytes) -> None:
    rows = load(data)
    if not isinstance(rows, list) or not all("contractID" in row for row in rows):
        raise Problem(f"must be the vendor's rows, was {data[:80]!r}")


def _document(*names: str) -> Check:
    def check(data: bytes) -> None:
        _fields(load(data), *names)

    return check


def _json_fields(fields: dict[bytes, bytes]) -> None:
    for value in fields.values():
        load(value)


def _any(value: Any) -> None:
    """Plain text, or a stream that is checked elsewhere."""


def _rule(pattern: str, kind: str, ttl_s: int | None, check: Check = _any) -> Rule:
    return Rule(re.compile(pattern), kind, ttl_s, check)


_WORKER: Final = "(ibkr_depth|ibkr_trades|av_options|av_sentiment|watchdog)"
_NAME: Final = "[A-Z0-9.-]+"
_BEAT: Final = _document("worker", "ts", "pid", "host", "started_ts", "state", "connected")
_CHAIN: Final = _document(
    "symbol", "as_of", "fetched_ts", "source", "by_contract", "expirations", "metrics"
)
_GREEKS: Final = _document(
    "implied_volatility", "delta", "gamma", "theta", "vega", "rho", "mark", "ts"
)
RULES: Final = (
    _rule(f"raw:ibkr:depth:stream:{_NAME}", "stream", None, _depth_entries),
    _rule(f"raw:ibkr:depth:last:{_NAME}", "hash", None, _depth_last),
    _rule(f"raw:ibkr:depth:hb:{_NAME}", "string", _TURNS_S, load),
    _rule(f"market:{_NAME}:{_NAME}:book", "string", _TURNS_S, _book),
    _rule(f"market:{_NAME}:book", "string", 60, _book),
    _rule(f"market:{_NAME}:ticker", "hash", 60, _ticker),
    _rule(f"market:{_NAME}:last", "string", 60, _last),
    _rule(f"market:{_NAME}:trades", "list", _DAY_S, _trades),
    _rule(f"market:{_NAME}:bars:5s", "zset", _DAY_S, _bars),
    _rule(f"market:{_NAME}:bars:1min", "zset", 5 * _DAY_S, _bars),
    _rule("market:session", "hash", 120),
    _rule(f"options:{_NAME}:(calls|puts)", "string", 180, _rows),
    _rule(f"options:{_NAME}:chain", "string", 180, _CHAIN),
    _rule(f"options:{_NAME}:{_NAME}:greeks", "string", 180, _GREEKS),
    _rule(f"sentiment:{_NAME}", "string", 3_600, _document("symbol", "articles", "aggregates")),
    _rule(f"technicals:{_NAME}:{_NAME}", "string", 900, _document("symbol", "values", "history")),
    _rule(f"monitoring:(options|sentiment):{_NAME}", "hash", 120),
    _rule(f"heartbeat:{_WORKER}", "string", _DAY_S, _BEAT),
    _rule("heartbeat:(ibkr_ingestion|alpha_vantage)", "hash", 30, _json_fields),
    _rule("ibkr:connected", "string", 30, load),
    _rule("monitoring:(ibkr|alpha_vantage|watchdog):metrics", "hash", 120, _json_fields),
    _rule("monitoring:data:stale", "hash", 120, _json_fields),
    _rule("monitoring:depth:coverage", "hash", 120, _json_fields),
    _rule("monitoring:(gaps|depth:rotation|incidents)", "stream", None),
    _rule("coord:source", "string", None),
    _rule(f"coord:lease:{_WORKER}", "string", 10, _document("token", "host", "pid")),
    _rule("coord:ratelimit:alpha_vantage:[0-9a-f]+", "hash", 3_700),
    _rule(f"coord:breaker:{_WORKER}", "hash", None, _json_fields),
    _rule(f"coord:growing:{_NAME}:(calls|puts|chain)", "string", 180),
    _rule(f"coord:depth:live:{_NAME}", "string", 5, load),
    _rule("coord:depth:fallback", "hash", None, _json_fields),
    _rule(f"coord:(seq|covered):{_WORKER}", "hash", None),
    _rule("coord:quote:ts", "hash", None),
    _rule(f"coord:control:{_WORKER}", "list", ANY),
)
