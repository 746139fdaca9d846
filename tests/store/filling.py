"""A key of every row of the contract, by the real writers."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any, Final

import msgspec

from shared.control.circuit import Change, Circuit
from shared.market.bar import Bar, candle
from shared.market.depth import BookState, DepthUpdate, Pair
from shared.market.indicator import IndicatorReading
from shared.market.sentiment import Article, News, TickerScore, aggregated
from shared.market.session import Session
from shared.normalize.av_options import ChainRequest
from shared.settings import Settings, load_settings, repository_root
from shared.store import source
from shared.store.breaker_state import BreakerLog
from shared.store.connection import Store
from shared.store.heartbeat import HeartbeatWriter, alpha_vantage_family, ibkr_family
from shared.store.indicators import IndicatorStore
from shared.store.keys import Keys
from shared.store.lease import Lease
from shared.store.losses import GapEntry
from shared.store.market_session import write_session
from shared.store.monitoring import Ledger, Metrics
from shared.store.options import OptionsStore
from shared.store.resp import RespConnection
from shared.store.sentiment import SentimentStore, sentiment_status
from shared.store.stale_board import send_order, write_stale
from shared.store.status_board import StatusBoard
from shared.store.token_bucket import BucketPolicy, TokenBucket
from tests.store.feeding import Feeding, feeding
from tests.store.tape_feeding import BarsFeeding, TapeFeeding, running, settle
from tests.support.option_bodies import REALTIME, option_body, option_row
from tests.unit.normalize.test_av_options import read
from tests.unit.store.updates import ASKS

KEYS: Final = Keys()
CALL: Final = "AAPL171215C00150000"
QUOTE: Final[dict[str, float | str | None]] = {
    "bid": 10.0, "bid_size": 1.0, "bid_venue": "SMART", "ask": 10.01, "ask_size": 2.0,
    "ask_venue": "SMART", "mid": 10.005, "spread": 0.01, "spread_bps": 9.995,
}  # fmt: skip


def settings() -> Settings:
    root = repository_root()
    places = {
        "TICKVISOR_CONFIG": str(root / "config/ingestion.yaml"),
        "SYMBOL_CONFIG_PATH": str(root / "config/ibkr_symbols.yaml"),
        "TICKVISOR_HOME": "/nonexistent",
    }
    return load_settings(places, Path("/nonexistent"))


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def fill(url: str) -> None:
    """A key of every row, by those who write it."""
    store = Store(url, 2.0)
    try:
        await source.claim(store, KEYS, "sim")
        await market(url)
        await documents(url, store)
        await monitors(store)
        await coordination(store)
    finally:
        await store.close()


async def market(url: str) -> None:
    async with feeding(url) as depth:
        depth.put(5)
        depth.claim()
        await depth.settle()
        put_empty(depth)
        depth.writer.park(Pair("QQQ", "IEX"))
        await depth.settle()
        await tape(url)


def put_empty(depth: Feeding) -> None:
    """A second venue of QQQ, which has asks alone."""
    depth.given += 1
    loop_s = asyncio.get_running_loop().time()
    none = b"[" + b",".join([b"[null,0,null]"] * 10) + b"]"
    depth.writer.put(DepthUpdate("QQQ", "IEX", now_ms(), loop_s, none, ASKS, BookState.LIVE))


async def tape(url: str) -> None:
    async with running(TapeFeeding(url)) as trades, running(BarsFeeding(url)) as bars:
        trades.put(5)
        trades.fetched("SPY")
        trades.writer.volume("TSLA", 1e6, now_ms())
        trades.writer.quotes.set("TSLA", QUOTE, now_ms())
        start = int(time.time()) // 60 * 60 - 120
        made = [Bar(start + 5 * n, 10.0, 10.2, 9.9, 10.1, 7.0, 10.05, 3) for n in range(12)]
        for bar in made:
            bars.given += 1
            bars.writer.bar("SPY", bar, asyncio.get_running_loop().time())
        bars.given += 1
        bars.writer.candle("SPY", candle(made), asyncio.get_running_loop().time())
        bars.writer.cover({"SPY": now_ms()})
        await settle(trades)
        await settle(bars)


async def documents(url: str, store: Store) -> None:
    options = OptionsStore(RespConnection(url, 2.0, "test"), KEYS, "sim", (180, 180))
    vendor = [option_row(symbol="AAPL"), option_row(symbol="AAPL", right="put", bid="0.00")]
    request = ChainRequest("AAPL", "AAPL", REALTIME)
    await options.write(read(option_body(vendor), request, now_ms()), 1)
    options.close()
    score = TickerScore("AAPL", 0.5, 0.25, "Somewhat-Bullish")
    article = Article(
        title="A", url="u", time_published="20260517T110100", source="MSN",
        ticker_sentiment=(score,), ts=1_779_015_660_000, relevance_score=0.5,
        sentiment_score=0.25, sentiment_label="Somewhat-Bullish",
    )  # fmt: skip
    news = News("AAPL", now_ms(), (article,), aggregated((article,), now_ms()))
    news = News("AAPL", news.fetched_ms, (article,), aggregated((article,), news.fetched_ms))
    await SentimentStore(store, KEYS, "sim", 3600).write(news)
    at_ms, values = 1_779_000_000_000, {"MACD": 0.5, "MACD_Signal": 0.25, "MACD_Hist": 0.25}
    history = [(at_ms, values), (at_ms - 300_000, {"MACD": 1.0})]
    reading = IndicatorReading(
        "AAPL", "MACD", "5min", {"fastperiod": 12}, at_ms, "America/New_York", now_ms(), values,
        history, False, 0,
    )  # fmt: skip
    await IndicatorStore(store, KEYS, "sim", 900).write(reading)
    board = StatusBoard(store, 120)
    board.set(KEYS.sentiment_monitor("AAPL"), {"status": "ok", "error": ""})
    board.set(KEYS.sentiment_monitor("AAPL"), sentiment_status(news))
    counts: dict[str, Any] = {
        "status": "ok",
        "contracts": 2,
        "calls": 1,
        "puts": 1,
        "fetch_ms": 1.5,
        "error": "",
    }
    board.set(KEYS.options_monitor("AAPL"), counts)
    board.set(KEYS.options_monitor("QQQ"), {"status": "not_entitled", "error": "plan"})
    assert await board.flush(2.0)


def beat(worker: str, state: str) -> dict[str, Any]:
    return {
        "worker": worker, "ts": now_ms(), "pid": 1, "host": "vm", "started_ts": now_ms(),
        "version": "0.1.0", "source": "sim", "state": state, "connected": True, "detail": "",
    }  # fmt: skip


async def monitors(store: Store) -> None:
    families = (
        ("ibkr_depth", ibkr_family), ("ibkr_trades", ibkr_family),
        ("av_options", alpha_vantage_family), ("av_sentiment", alpha_vantage_family),
    )  # fmt: skip
    for worker, family_of in families:
        writer = HeartbeatWriter(store, KEYS, family_of(settings()), 30)
        state = "stopped" if worker == "av_sentiment" else "running"
        await writer.write(worker, beat(worker, state))
        family = "ibkr" if worker.startswith("ibkr") else "alpha_vantage"
        await Metrics(store, KEYS, worker, 120).write(family, {"writes": 7, "lag": [0.5, None]})
    await Metrics(store, KEYS, "watchdog", 120).write("watchdog", {"ticks": 1})
    coverage = {
        "live_s": 1.0,
        "session_s": 2.0,
        "share": 0.5,
        "last_live_ts": 0,
        "subscriptions": 1,
    }
    await Metrics(store, KEYS, "ibkr_depth", 120).coverage({"SPY": coverage})
    stale = {"age_s": 20.0, "budget_s": 15.0, "since_ts": now_ms(), "reason": "no rows"}
    await write_stale(store, KEYS, {"depth:SPY": stale}, now_ms(), 120)
    session = Session("XNYS", "2026-09-21", "closed", None, None, now_ms() + 9**9, False, True)
    await write_session(store, KEYS, session, 120)


async def coordination(store: Store) -> None:
    ledger = Ledger(store, KEYS, "ibkr_depth")
    ledger.gap(GapEntry("depth", "SPY", "ARCA", None, None, now_ms(), now_ms(), "restart", None))
    ledger.incident("connected", "", "client 777")
    row = {"slot": "0", "symbol": "SPY", "venue": "ARCA", "event": "live", "req_id": "4"}
    ledger.rotation({**row, "detail": ""})
    later_ms = now_ms() + 900_000
    refusal = {"code": 354, "text": "no", "ts": now_ms(), "retry_ts": later_ms}
    ledger.set_field(KEYS.depth_fallback(), "SPY:IEX", json.dumps(refusal))
    circuit = Circuit("open", 3, 1, later_ms, now_ms(), "refused")
    kept = Change("SPY:options", json.dumps(msgspec.structs.asdict(circuit)), "")
    BreakerLog(ledger, KEYS, "av_options").keep([kept])
    assert await ledger.flush(2.0)
    for worker in ("ibkr_depth", "av_options"):
        await Lease(store, KEYS, worker).acquire()
    bucket = TokenBucket(store, KEYS, "3f9a1c2b", BucketPolicy(600, 10, 20))
    await bucket.acquire()
    await bucket.cool_down(1.0, "minute limit")
    await send_order(store, KEYS, "ibkr_depth", {"command": "reconnect", "by": "x", "ts": now_ms()})
