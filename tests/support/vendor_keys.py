"""Reads what the Alpha Vantage workers publish, by the names of the contract, and watches it.

Shares no code with the product; what a chain must be is asked of the simulator that sent it.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import orjson
import redis

from simulators.control import ControlClient
from simulators.errors import SimulatorError
from tests.support.depth_keys import DepthKeys

Row = dict[str, Any]

_TEXTS: Final = frozenset({"contractID", "symbol", "expiration", "type", "date"})
# A chain that any of these has touched must never be seen.
_NEVER: Final = frozenset({"wrong_symbol", "wrong_endpoint", "artificial"})
# Requests that got a chain.
_BEARING: Final = ("ok", "fault:missing_greeks", "fault:junk_values", "fault:vanish")
_VOLATILE: Final = (
    "options:*", "sentiment:*", "technicals:*", "monitoring:options:*", "monitoring:sentiment:*",
    "monitoring:alpha_vantage:*", "heartbeat:*", "coord:lease:*", "coord:ratelimit:*",
)  # fmt: skip
_LOOK_EVERY_S: Final = 0.12
# From the sending of a chain to its being read at the other end, at most.
_ON_ITS_WAY_S: Final = 8.0
_CHAINS_KEPT: Final = 80


class VendorKeys(DepthKeys):
    def chain(self, symbol: str) -> Row:
        return dict(self.json(f"options:{symbol}:chain") or {})

    def fetched(self, symbol: str) -> int:
        """When the chain that can be read came, 0 for none."""
        return int(self.chain(symbol).get("fetched_ts", 0))

    def greeks(self, symbol: str) -> dict[str, Row]:
        """By contract id."""
        keys = sorted(self.redis.scan_iter(f"options:{symbol}:*:greeks", count=1000))
        values: Any = self.redis.mget(keys) if keys else []
        pairs = zip(keys, values, strict=True)
        return {key.split(":")[2]: json.loads(text) for key, text in pairs if text is not None}

    def monitor(self, symbol: str) -> dict[str, str]:
        return self.hash(f"monitoring:options:{symbol}")

    def news(self, symbol: str) -> Row:
        return dict(self.json(f"sentiment:{symbol}") or {})

    def news_monitor(self, symbol: str) -> dict[str, str]:
        return self.hash(f"monitoring:sentiment:{symbol}")

    def technicals(self, symbol: str, name: str) -> Row:
        return dict(self.json(f"technicals:{symbol}:{name}") or {})

    def circuits(self, worker: str) -> dict[str, Row]:
        found = self.hash(f"coord:breaker:{worker}")
        return {field: json.loads(text) for field, text in found.items()}

    def figures(self, field: str) -> Row:
        """A worker's metrics, or those of the `token_bucket`."""
        return dict(json.loads(self.hash("monitoring:alpha_vantage:metrics").get(field, "{}")))

    def beat(self, worker: str) -> Row:
        return dict(self.json(f"heartbeat:{worker}") or {})

    def holding(self, secret: str) -> list[str]:
        """Keys in whose name or value the text stands."""
        return [
            key
            for key in self.redis.scan_iter(count=1000)
            if secret in key or any(secret in text for text in self._texts(key))
        ]

    def _texts(self, key: str) -> Iterator[str]:
        kind: Any = self.redis.type(key)
        match kind:
            case "string":
                yield self.text(key) or ""
            case "hash":
                yield str(self.hash(key))
            case "stream":
                yield str(self.stream(key))
            case "list":
                yield str(self.redis.lrange(key, 0, -1))
            case "zset":
                yield str(self.redis.zrange(key, 0, -1))
            case "none":
                # Renamed or expired since it was listed.
                return
            case other:
                raise AssertionError(f"{key} must be of a type of the contract, was {other}")


class Watcher:
    """Looks at Redis all the time; `faults` is what no reader should ever have seen."""

    def __init__(
        self, redis_url: str, control_port: int, symbols: Iterable[str], function: str
    ) -> None:
        """`function` is that of the chains."""
        self._function = function
        self.faults: list[str] = []
        # Chains held against the simulator's, those that were too quickly followed by another one
        # to be, and looks that Redis did not answer.
        self.judged = 0
        self.missed = 0
        self.outages = 0
        self._redis = redis.Redis.from_url(
            redis_url, decode_responses=True, socket_timeout=0.3, socket_connect_timeout=0.3
        )
        self._vendor = ControlClient(control_port)
        self._symbols = list(symbols)
        # By the time they were sent at.
        self._sent: dict[str, dict[float, tuple[dict[str, Row], frozenset[str]]]] = {
            symbol: {} for symbol in self._symbols
        }
        self._seen: dict[str, list[str]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(10)
        self._redis.close()
        self._vendor.close()

    def check(self) -> None:
        assert not self.faults, "\n".join(self.faults[:10])

    def _run(self) -> None:
        turn = 0
        while not self._stop.wait(_LOOK_EVERY_S):
            turn += 1
            try:
                for symbol in self._symbols:
                    self._look(symbol)
                if turn % 8 == 0:
                    self._look_around()
            except (redis.ConnectionError, redis.TimeoutError):
                self.outages += 1
            except Exception as error:
                self._fault(f"watcher: {error!r}")

    def _fault(self, text: str) -> None:
        self.faults.append(f"{time.strftime('%H:%M:%S')} {text}")

    def _look(self, symbol: str) -> None:
        try:
            names = [f"options:{symbol}:{name}" for name in ("calls", "puts", "chain")]
            texts: Any = self._redis.mget(names)
        finally:
            self._record(symbol)
        if texts == [None] * 3 or texts == self._seen.get(symbol):
            return
        if None in texts:
            self._fault(f"{symbol}: of calls, puts and chain some are missing")
            return
        self._seen[symbol] = texts
        calls, puts, chain = map(orjson.loads, texts)
        for problem in _disagreements(symbol, calls, puts, chain):
            self._fault(f"{symbol}: {problem}")
        self._compare(symbol, [*calls, *puts], chain["fetched_ts"])

    def _record(self, symbol: str) -> None:
        """The chain that was sent last."""
        kept = self._sent[symbol]
        try:
            if self._sent_last(symbol, rows=False)["wall_s"] in kept:
                return
        except SimulatorError:
            # None was sent so far.
            return
        sent = self._sent_last(symbol, rows=True)
        rows = {row.pop("contract_id"): row for row in sent["rows"]}
        kept[sent["wall_s"]] = (rows, frozenset(sent["faults"]))
        if len(kept) > _CHAINS_KEPT:
            del kept[min(kept)]

    def _sent_last(self, symbol: str, rows: bool) -> Row:
        return self._vendor.call("chain", symbol=symbol, function=self._function, rows=rows)

    def _compare(self, symbol: str, rows: list[Row], fetched_ms: int) -> None:
        found = {row["contractID"]: _typed(row) for row in rows}
        for sent, faults in reversed(self._sent[symbol].values()):
            if sent == found and not faults & _NEVER:
                self.judged += 1
                return
        if self._was_missed(symbol, fetched_ms / 1000):
            self.missed += 1
        else:
            self._fault(f"{symbol}: the chain of {fetched_ms} is none that was sent")

    def _was_missed(self, symbol: str, fetched_s: float) -> bool:
        """Whether a chain was sent that came and went between two looks at the simulator."""
        reply = self._vendor.call("requests", symbol=symbol, function=self._function)
        rows = [dict(zip(reply["columns"], row, strict=True)) for row in reply["rows"]]
        times_s = {row["wall_s"] for row in rows if row["outcome"] in _BEARING}
        times_s -= self._sent[symbol].keys()
        return any(fetched_s - _ON_ITS_WAY_S < one < fetched_s for one in times_s)

    def _look_around(self) -> None:
        found = {k for pattern in _VOLATILE for k in self._redis.scan_iter(pattern, count=2000)}
        keys = sorted(found)
        with self._redis.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.ttl(key)
            for key, ttl_s in zip(keys, pipe.execute(), strict=True):
                if ttl_s == -1:
                    self._fault(f"{key} never expires")
        texts = [k for k in keys if k.startswith(("options:", "sentiment:", "technicals:"))]
        for start in range(0, len(texts), 500):
            part = texts[start : start + 500]
            values: Any = self._redis.mget(part)
            for key, text in zip(part, values, strict=True):
                if text is not None:
                    self._check_document(key, text)

    def _check_document(self, key: str, text: str) -> None:
        document = orjson.loads(text)
        family, symbol, *rest = key.split(":")
        if family == "options":
            fine = rest[-1] != "greeks" or all(_is_number(one) for one in document.values())
        elif family == "technicals":
            fine = (document["symbol"], document["indicator"]) == (symbol, rest[0]) and all(
                _is_number(one) and one is not None for one in document["values"].values()
            )
        else:
            fine = document["symbol"] == symbol and _is_own_news(symbol, document)
        if not fine:
            self._fault(f"{key}: {text[:200]}")


def _disagreements(symbol: str, calls: list[Row], puts: list[Row], chain: Row) -> Iterator[str]:
    by_contract, metrics = chain["by_contract"], chain["metrics"]
    if {row["symbol"] for row in (*calls, *puts)} - {symbol} or chain["symbol"] != symbol:
        yield "holds a row of another symbol"
    if {row["type"] for row in calls} - {"call"} or {row["type"] for row in puts} - {"put"}:
        yield "calls and puts are mixed"
    rows = {row["contractID"]: row for row in (*calls, *puts)}
    if len(rows) != len(calls) + len(puts) or rows.keys() != by_contract.keys():
        yield "calls and puts are not the contracts of the chain"
        return
    if (metrics["calls"], metrics["puts"]) != (len(calls), len(puts)):
        yield f"metrics count {metrics['calls']} calls and {metrics['puts']} puts"
    for name, row in rows.items():
        typed, one = _typed(row), by_contract[name]
        if any(one[f] not in (None, typed[f]) for f in ("bid", "ask", "volume", "open_interest")):
            yield f"{name} differs between its row and the chain"
            return


def _is_own_news(symbol: str, document: Mapping[str, Any]) -> bool:
    articles = document["articles"]
    if document["aggregates"]["article_count"] != len(articles):
        return False
    for one in articles:
        own = [e for e in one["ticker_sentiment"] or () if e["ticker"] == symbol]
        score = own[0]["ticker_sentiment_score"] if own else None
        if one["sentiment_score"] != score:
            return False
    return len({one["url"] for one in articles}) == len(articles)


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and math.isfinite(value))


def _typed(row: Row) -> Row:
    """As the simulator tells its rows: numbers, and None for what is none."""
    return {n: v if n in _TEXTS else _number(v) for n, v in row.items() if n != "contractID"}


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
