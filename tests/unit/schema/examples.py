"""A key of every row as it ought to be, in plain values, to be spoilt one value at a time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from shared.schema.check import check
from shared.schema.row import Fault, Limits, Reading, Row, Shape
from shared.schema.table import rows

NOW_MS: Final = 1_790_000_100_000
ROWS: Final = {row.name: row for row in rows() if row.shape is not Shape.CHANNEL}
LIMITS: Final = Limits(source="sim", vendor_names={"SPY": "SPY", "BRK.B": "BRK-B"})
NAMES: Final = {
    "symbol": "SPY", "venue": "ARCA", "worker": "ibkr_depth", "indicator": "MACD",
    "contract": "SPY260918C00600000", "account": "3f9a1c2b",
}  # fmt: skip
GONE: Final = object()

NONE: Final = [None, 0, None]
BIDS: Final = [[500.1, 300, "ARCA"], [500.1, 100, "NSDQ"], [500.0, 200.5, "ARCA"], *[NONE] * 7]
ASKS: Final = [[500.2, 100, "ARCA"], [500.3, 100, "ARCA"], *[NONE] * 8]
TS: Final = 1_790_000_099_500
BEAT: Final = {
    "worker": "ibkr_depth", "ts": TS, "pid": 7, "host": "vm", "started_ts": 1_790_000_000_000,
    "version": "0.1.0", "source": "sim", "state": "running", "connected": True, "detail": "",
}  # fmt: skip
TRADE: Final = {
    "ts": 1_790_000_099_000, "received_ts": TS, "price": 500.15, "size": 100, "venue": "ARCA",
    "feed": "tbt", "conditions": "", "past_limit": False, "unreported": False, "seq": 12,
}  # fmt: skip
RT_TRADE: Final = {
    **TRADE, "feed": "rtvolume", "venue": None, "conditions": None, "past_limit": None,
    "unreported": None,
}  # fmt: skip
BAR: Final = {
    "t": 1_790_000_040, "open": 500.1, "high": 500.4, "low": 500.0, "close": 500.2,
    "volume": 1200, "wap": 500.18, "count": 9, "backfilled": False,
}  # fmt: skip
CANDLE: Final = {**BAR, "bars": 12, "complete": True}
CALL: Final = {
    "contractID": "SPY260918C00600000", "symbol": "SPY", "expiration": "2026-09-18",
    "strike": 600.0, "type": "call", "last": 1.5, "mark": 1.55, "bid": 1.5, "bid_size": 10,
    "ask": 1.6, "ask_size": 12, "volume": 40, "open_interest": 100, "date": "2026-09-10",
    "implied_volatility": 0.2, "delta": 0.5, "gamma": 0.01, "theta": -0.02, "vega": 0.1,
    "rho": 0.03,
}  # fmt: skip
GREEK_NAMES: Final = ("implied_volatility", "delta", "gamma", "theta", "vega", "rho")
PUT: Final = {
    **CALL, "contractID": "SPY260918P00600000", "type": "put", "bid": None, "volume": 10,
    "open_interest": 50, **dict.fromkeys(GREEK_NAMES),
}  # fmt: skip
VENDOR_CALL: Final = {
    "contractID": "SPY260918C00600000", "symbol": "SPY", "expiration": "2026-09-18",
    "strike": "600.00", "type": "call", "bid": "1.50",
}  # fmt: skip
CHAIN: Final = {
    "symbol": "SPY", "as_of": "2026-09-10", "fetched_ts": TS, "source": "sim",
    "by_contract": {"SPY260918C00600000": CALL, "SPY260918P00600000": PUT},
    "expirations": [
        {
            "expiration": "2026-09-18", "dte": 8, "calls": 1, "puts": 1, "volume": 50,
            "open_interest": 150,
        }
    ],
    "metrics": {
        "contracts": 2, "calls": 1, "puts": 1, "two_sided": 1, "with_greeks": 1,
        "missing_greeks": 1, "junk_greeks": 0, "volume": 50, "open_interest": 150,
        "put_call_volume_ratio": 0.25, "put_call_open_interest_ratio": 0.5,
    },
}  # fmt: skip
ARTICLE: Final = {
    "title": "A title", "url": "https://news.example/1", "time_published": "20260921T141400",
    "authors": ["Ann"], "summary": "", "banner_image": None, "source": "MSN",
    "category_within_source": None, "source_domain": "msn.com",
    "topics": [{"topic": "earnings", "relevance_score": 0.5}],
    "overall_sentiment_score": 0.1, "overall_sentiment_label": "Neutral",
    "ticker_sentiment": [
        {
            "ticker": "SPY", "relevance_score": 0.5, "ticker_sentiment_score": 0.25,
            "ticker_sentiment_label": "Somewhat-Bullish",
        }
    ],
    "ts": 1_790_000_000_000, "relevance_score": 0.5, "sentiment_score": 0.25,
    "sentiment_label": "Somewhat-Bullish",
}  # fmt: skip
NEWS: Final = {
    "symbol": "SPY", "fetched_ts": TS, "source": "sim", "articles": [ARTICLE],
    "aggregates": {
        "article_count": 1, "avg_sentiment": 0.25, "avg_relevance": 0.5,
        "weighted_sentiment": 0.25, "distribution": {"Somewhat-Bullish": 1},
        "newest_age_s": 99.5, "oldest_age_s": 99.5, "median_age_s": 99.5, "sources": {"MSN": 1},
    },
}  # fmt: skip
MACD: Final = {"MACD": 0.7655, "MACD_Signal": 1.2124, "MACD_Hist": -0.447}
TECHNICALS: Final = {
    "symbol": "SPY", "indicator": "MACD", "interval": "5min",
    "params": {"fastperiod": 12, "series_type": "close"}, "ts": 1_789_999_800_000,
    "time_zone": "America/New_York", "fetched_ts": TS, "source": "sim", "values": MACD,
    "history": [[1_789_999_800_000, MACD], [1_789_999_500_000, {"MACD": 1.0}]], "delayed": False,
}  # fmt: skip
TICKER: Final = {
    "ts": str(TS), "bid": "500.1", "bid_size": "300", "bid_venue": "ARCA", "ask": "500.2",
    "ask_size": "100", "ask_venue": "ARCA", "mid": "500.15", "spread": "0.1",
    "spread_bps": "1.9994", "quote_ts": str(TS), "quote_received_ts": str(TS),
    "quote_source": "depth", "last": "500.15", "last_size": "100", "last_venue": "ARCA",
    "last_ts": "1790000099000", "last_received_ts": str(TS), "volume": "1072942",
}  # fmt: skip
BOOK: Final = {"symbol": "SPY", "ts": TS, "received_ts": TS, "bids": BIDS, "asks": ASKS}
ENTRY: Final = {"ts": str(TS), "bids": BIDS, "asks": ASKS, "seq": "7", "venue": "ARCA"}
LAST: Final = {
    "ts": str(TS), "bid0": "500.1", "ask0": "500.2", "bids_json": BIDS, "asks_json": ASKS,
    "venue": "ARCA", "seq": "7",
}  # fmt: skip
GAP: Final = {
    "feed": "depth", "symbol": "SPY", "venue": "", "from_seq": "3", "to_seq": "5",
    "from_ts": str(TS), "to_ts": str(TS), "reason": "queue full", "count": "3",
}  # fmt: skip
ROTATION: Final = {
    "ts": str(TS), "slot": "0", "symbol": "SPY", "venue": "ARCA", "event": "live", "req_id": "4",
    "detail": "",
}  # fmt: skip
INCIDENT: Final = {
    "ts": str(TS), "worker": "ibkr_depth", "kind": "connected", "symbol": "", "text": "client 777",
}  # fmt: skip
CIRCUIT: Final = {
    "state": "open", "failures": 3, "trips": 1, "until_ts": 1_790_000_900_000, "opened_ts": TS,
    "reason": "refused",
}  # fmt: skip
BUCKET: Final = {
    "epoch": "74aad40045af97da", "run": "c30a", "empty_us": "1790000099862851",
    "last_us": "1790000099862851", "cooldown_us": "0", "window_us": "1790000041139021",
    "granted": "158", "waited": "66", "waited_us": "8016138",
}  # fmt: skip
STALE: Final = {"age_s": 20.5, "budget_s": 15.0, "since_ts": TS, "reason": "no rows"}
SESSION: Final = {
    "calendar": "XNYS", "date": "2026-09-21", "state": "regular", "opens_ts": "1789997400000",
    "closes_ts": "1790020800000", "next_open_ts": "1790083800000", "early_close": "0",
}  # fmt: skip

# Plain value and what PTTL says.
EXAMPLES: Final[Mapping[str, tuple[Any, int]]] = {
    "depth_stream": (
        [(f"{TS}-7", ENTRY), (f"{TS}-6", {**ENTRY, "seq": "6", "ts": str(TS - 1), "venue": "IEX"})],
        -1,
    ),
    "depth_last": (LAST, -1),
    "depth_heartbeat": (str(TS), 60_000),
    "venue_book": ({**BOOK, "venue": "ARCA", "seq": 7, "state": "live"}, 90_000),
    "book": ({**BOOK, "venues": ["ARCA", "IEX"], "crossed": False}, 60_000),
    "ticker": (TICKER, 60_000),
    "last": ({"price": 500.15, "size": 100, "venue": None, "ts": TS, "received_ts": TS}, 60_000),
    "trades": ([TRADE, {**RT_TRADE, "seq": 11}], 86_400_000),
    "bars_5s": ([(BAR, 1_790_000_040), ({**BAR, "t": 1_790_000_045}, 1_790_000_045)], 86_400_000),
    "bars_1min": ([({**CANDLE, "t": 1_790_000_040}, 1_790_000_040)], 432_000_000),
    "calls": ([VENDOR_CALL], 180_000),
    "puts": ([{**VENDOR_CALL, "contractID": "SPY260918P00600000", "type": "put"}], 180_000),
    "chain": (CHAIN, 180_000),
    "greeks": ({**{name: CALL[name] for name in (*GREEK_NAMES, "mark")}, "ts": TS}, 180_000),
    "options_monitor": (
        {"status": "ok", "error": "", "contracts": "2", "calls": "1", "puts": "1",
         "greeks_coverage": "0.5", "fetched_ts": str(TS), "fetch_ms": "12.5"},
        120_000,
    ),
    "sentiment": (NEWS, 3_600_000),
    "sentiment_monitor": ({"status": "ok", "article_count": "1", "sources": {"MSN": 1}}, 120_000),
    "technicals": (TECHNICALS, 900_000),
    "ibkr_ingestion_heartbeats": ({"ibkr_depth": BEAT}, 30_000),
    "alpha_vantage_heartbeats": ({"av_options": {**BEAT, "worker": "av_options"}}, 30_000),
    "heartbeat": (BEAT, 30_000),
    "ibkr_connected": ("1", 30_000),
    "ibkr_metrics": ({"ibkr_trades": {"ts": TS, "trades": 7, "made": {"up": [1.5]}}}, 120_000),
    "alpha_vantage_metrics": ({"token_bucket": {"ts": TS, "tokens": 5}}, 120_000),
    "watchdog_metrics": ({"watchdog": {"ts": TS, "ticks": 5}}, 120_000),
    "gaps": ([(f"{TS}-0", GAP), ("1-0", {**GAP, "from_seq": "", "to_seq": "", "count": ""})], -1),
    "coverage": (
        {"SPY": {"live_s": 30.0, "session_s": 60.0, "share": 0.5, "last_live_ts": 0,
                 "subscriptions": 2}},
        120_000,
    ),
    "rotation": ([(f"{TS}-0", ROTATION)], -1),
    "incidents": ([(f"{TS}-0", INCIDENT)], -1),
    "stale": ({"_checked_ts": TS, "depth:SPY": STALE}, 120_000),
    "market_session": (SESSION, 120_000),
    "source": ("sim", -1),
    "lease": ({"token": "4c51560a2e5eae40", "host": "vm", "pid": 7, "pid_start": 9}, 10_000),
    "rate_limit": (BUCKET, 3_600_000),
    "breakers": ({"SPY:options": CIRCUIT, "*:options": {**CIRCUIT, "state": "half_open"}}, -1),
    "depth_live": (["ARCA"], 5_000),
    "depth_fallback": ({"SPY:IEX": {"code": 354, "text": "no", "ts": TS, "retry_ts": TS}}, -1),
    "numbers": ({"trades:SPY": "12", "bars:SPY": "3"}, -1),
    "quote_times": ({"SPY": str(TS)}, -1),
    "growing": ('[{"contractID":"SPY', 180_000),
    "covered": ({"SPY": str(TS)}, -1),
    "control": ([{"command": "resubscribe", "symbol": "SPY", "by": "me", "ts": TS}], 60_000),
}  # fmt: skip


def spoilt(name: str, path: tuple[Any, ...], value: Any) -> Any:
    """The example's plain value with another value in one place, or without it."""
    plain = _unshared(EXAMPLES[name][0])
    if not path:
        return value
    holder = plain
    for step in path[:-1]:
        holder = holder[step]
    if value is GONE:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return plain


def _unshared(plain: Any) -> Any:
    """A copy in which what stands twice is not the same object."""
    if isinstance(plain, dict):
        return {name: _unshared(value) for name, value in plain.items()}
    if isinstance(plain, list | tuple):
        return [_unshared(value) for value in plain]
    return plain


def as_read(row: Row, plain: Any) -> Any:
    """As a client of Redis gives it."""
    match row.shape:
        case Shape.TEXT:
            return str(plain).encode()
        case Shape.FIELDS:
            return _hash(row, plain)
        case Shape.JSON_MAP:
            return {name.encode(): _json(value) for name, value in plain.items()}
        case Shape.TEXT_MAP:
            return {name.encode(): str(value).encode() for name, value in plain.items()}
        case Shape.LIST:
            return [_json(member) for member in plain]
        case Shape.ZSET:
            return [(_json(member), float(score)) for member, score in plain]
        case Shape.STREAM:
            return [(number.encode(), _hash(row, fields)) for number, fields in plain]
        case _:
            return _json(plain)


def _hash(row: Row, plain: Mapping[str, Any]) -> dict[bytes, bytes]:
    return {
        name.encode(): _json(value) if name in row.json_fields else str(value).encode()
        for name, value in plain.items()
    }


def _json(value: Any) -> bytes:
    """Also of what is no JSON: bytes as they are, and NaN as many a writer spells it."""
    return value if isinstance(value, bytes) else json.dumps(value).encode()


def faults(
    name: str, plain: Any, ttl_ms: int | None = None, limits: Limits = LIMITS, size: int = 0
) -> list[Fault]:
    row = ROWS[name]
    used = {part: NAMES[part] for part in NAMES if f"{{{part}}}" in row.key(_Spelled())}
    reading = Reading("the:key", row.kind, as_read(row, plain), used, size)
    return check(row, reading, EXAMPLES[name][1] if ttl_ms is None else ttl_ms, NOW_MS, limits)


class _Spelled:
    """Stands for the keys: tells what a row's key is made of."""

    def __getattr__(self, _: str) -> Any:
        return lambda *parts: " ".join(parts)
