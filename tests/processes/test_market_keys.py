"""Every key of the trades worker, read from outside, against the contract and the simulator."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.support.market_rig import MarketPlan, MarketRig, running_market
from tests.support.market_truth import candle_is_right, pause_and_settle, wait_whole

STREAMED: Final = ("SPY", "QQQ")
BY_LINE: Final = "TSLA"
KNOWN_KEYS: Final = re.compile(
    r"market:\w+:(ticker|last|trades|bars:5s|bars:1min)"
    r"|heartbeat:(ibkr_trades|ibkr_ingestion)|ibkr:connected"
    r"|monitoring:(ibkr:metrics|gaps|incidents)"
    r"|coord:(source|lease:ibkr_trades|quote:ts|seq:ibkr_trades|covered:ibkr_trades)"
)
TTLS: Final = {
    "trades": 86_400, "last": 60, "ticker": 60, "bars:5s": 86_400, "bars:1min": 432_000,
}  # fmt: skip


@pytest.fixture(scope="module")
def rig(module_redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MarketRig]:
    """Two streams for three symbols; at least one minute has ended since the start."""
    plan = MarketPlan(
        gateway=("--trade-rate", "20", "--sample-ms", "50", "--tick-cap", "2",
                 "--unreported-share", "0.2", "--past-limit-share", "0.1"),
    )  # fmt: skip
    with running_market(tmp_path_factory.mktemp("keys"), module_redis_url, plan) as found:
        found.wait_trades(10, 30)
        found.wait_until(
            lambda: all(found.keys.candles(symbol) for symbol in found.symbols), 90, "candles"
        )
        yield found


@pytest.fixture
def still(rig: MarketRig) -> Iterator[MarketRig]:
    """The market stands still and all of it has arrived."""
    for symbol in rig.symbols:
        pause_and_settle(rig, symbol)
    yield rig
    rig.gateway.call("resume")


def test_no_key_outside_the_contract_exists(rig: MarketRig) -> None:
    names: Any = rig.keys.redis.keys("*")
    assert [name for name in names if not KNOWN_KEYS.fullmatch(name)] == []


@pytest.mark.parametrize("surface", TTLS)
def test_every_volatile_key_has_the_expiry_of_the_contract(rig: MarketRig, surface: str) -> None:
    rig.wait_trades(5)
    left: Any = rig.keys.redis.ttl(f"market:SPY:{surface}")
    assert TTLS[surface] - 60 <= left <= TTLS[surface]


def test_nothing_in_redis_is_nan_or_infinite(rig: MarketRig) -> None:
    texts = [str(rig.keys.ticker(symbol)) for symbol in rig.symbols]
    texts += [str(rig.keys.trades(symbol)) for symbol in rig.symbols]
    texts += [str(rig.keys.bars("SPY")), str(rig.keys.candles("SPY")), str(rig.keys.last("SPY"))]
    assert [text for text in texts if re.search(r"\b(nan|inf(inity)?)\b", text.lower())] == []


@pytest.mark.parametrize("symbol", STREAMED)
def test_a_streamed_print_has_all_that_the_tape_has(still: MarketRig, symbol: str) -> None:
    trades = still.keys.trades(symbol)
    streamed = [trade for trade in trades if trade["feed"] == "tbt"]
    tape = still.tape(symbol)[-len(streamed) :]
    assert len(streamed) > 20
    for trade, print_ in zip(streamed, tape, strict=True):
        assert trade | {"received_ts": 0, "seq": 0} == {
            "ts": print_["ms"] // 1000 * 1000,
            "received_ts": 0,
            "price": print_["price"],
            "size": print_["size"],
            "venue": "NASDAQ" if print_["exchange"] == "ISLAND" else print_["exchange"],
            "feed": "tbt",
            "conditions": print_["conditions"],
            "past_limit": print_["past_limit"],
            "unreported": print_["unreported"],
            "seq": 0,
        }
        assert 0 <= trade["received_ts"] - print_["ms"] < 2000
    assert any(trade["unreported"] for trade in streamed)
    assert any(trade["past_limit"] for trade in streamed)


def test_a_print_of_the_line_alone_says_null_for_what_it_cannot_know(still: MarketRig) -> None:
    trades, tape = still.keys.trades(BY_LINE), still.tape(BY_LINE)
    assert len(trades) > 20
    for trade, print_ in zip(trades, tape[-len(trades) :], strict=True):
        assert (trade["ts"], trade["price"], trade["size"]) == (
            print_["ms"],
            print_["price"],
            print_["size"],
        )
        unknown = ("venue", "conditions", "past_limit", "unreported")
        assert (trade["feed"], [trade[name] for name in unknown]) == ("rtvolume", [None] * 4)


def test_each_print_is_there_once_and_the_numbers_have_no_hole(still: MarketRig) -> None:
    for symbol in still.symbols:
        trades, tape = still.keys.trades(symbol), still.tape(symbol)
        first = trades[0]["seq"]
        assert [t["seq"] for t in trades] == list(range(first, first + len(trades)))
        assert still.keys.hash("coord:seq:ibkr_trades")[f"trades:{symbol}"] == str(
            trades[-1]["seq"]
        )
        told = [(t["price"], t["size"]) for t in trades]
        assert told == [(p["price"], p["size"]) for p in tape][-len(told) :]


def test_the_last_price_is_the_newest_reported_print(still: MarketRig) -> None:
    newest = [t for t in still.keys.trades("SPY") if not t["unreported"]][-1]
    kept = ("price", "size", "venue", "ts", "received_ts")
    assert still.keys.last("SPY") == {name: newest[name] for name in kept}
    ticker = still.keys.ticker("SPY")
    assert [float(ticker[name]) for name in ("last", "last_size")] == [
        newest["price"],
        newest["size"],
    ]
    assert (ticker["last_venue"], ticker["last_ts"]) == (newest["venue"], str(newest["ts"]))


def test_the_volume_is_the_days_total(still: MarketRig) -> None:
    totals = {symbol: still.tape(symbol)[-1]["day_volume"] for symbol in still.symbols}
    still.wait_until(
        lambda: totals == {s: float(still.keys.ticker(s).get("volume", 0)) for s in totals},
        5, f"volumes {totals}",
    )  # fmt: skip


def test_the_quote_is_that_of_the_line(still: MarketRig) -> None:
    for symbol in still.symbols:
        true, ticker = still.gateway.call("quote", symbol=symbol), still.keys.ticker(symbol)
        names = ("bid", "bid_size", "ask", "ask_size")
        assert [float(ticker[name]) for name in names] == [true[name] for name in names]
        mid = (true["bid"] + true["ask"]) / 2
        spread = true["ask"] - true["bid"]
        assert [float(ticker[name]) for name in ("mid", "spread", "spread_bps")] == pytest.approx(
            [mid, spread, spread / mid * 10_000], abs=1e-4
        )
        assert (ticker["quote_source"], ticker["bid_venue"]) == ("tob", "SMART")
        assert ticker["quote_ts"] == ticker["quote_received_ts"]
        assert int(ticker["ts"]) >= int(ticker["quote_ts"])


def test_an_absent_side_of_the_quote_is_absent_in_the_ticker(rig: MarketRig) -> None:
    rig.gateway.call("quote", symbol="QQQ", bid=-1, bid_size=0, ask=500.0, ask_size=300)
    rig.wait_until(lambda: rig.keys.ticker("QQQ").get("ask") == "500.0", 5, "the ask alone")
    gone = {"bid", "bid_size", "bid_venue", "mid", "spread", "spread_bps"}
    assert gone & rig.keys.ticker("QQQ").keys() == set()
    rig.gateway.call("quote", symbol="QQQ")
    rig.wait_until(lambda: "bid" in rig.keys.ticker("QQQ"), 5, "the bid again")


def test_bars_and_candles_are_those_of_the_vendor(rig: MarketRig) -> None:
    first = rig.keys.candles("SPY")[0]["t"]
    wait_whole(rig, first)
    rig.wait_until(
        lambda: all(candle_is_right(rig, symbol, first) for symbol in rig.symbols),
        10, "complete candles of the first minute",
    )  # fmt: skip
    bar, candle = rig.keys.bars("SPY")[-1], rig.keys.candles("SPY")[0]
    assert list(bar) == [
        "t", "open", "high", "low", "close", "volume", "wap", "count", "backfilled",
    ]  # fmt: skip
    assert list(candle) == [*list(bar)[:-1], "bars", "complete", "backfilled"]
    true = rig.true_bars("SPY")[bar["t"]]
    assert bar["wap"] == pytest.approx(true["wap"], abs=1e-4)
    assert time.time() - bar["t"] < 20


def test_a_halt_is_no_trade(rig: MarketRig) -> None:
    rig.gateway.call("halt_trading", symbol="QQQ", for_s=0.5)
    rig.wait_until(lambda: rig.keys.incidents("unhalt", "QQQ"), 5, "the end of the halt")
    assert rig.keys.incidents("halt", "QQQ")
    assert all(t["price"] > 0 and t["size"] > 0 for t in rig.keys.trades("QQQ"))


def test_no_request_was_a_mistake(rig: MarketRig) -> None:
    streams = rig.streams()
    mistakes = ("cancel_unknown", "cancel_refused", "double_cancel", "reused_live_id")
    assert [streams[name] for name in mistakes] == [0] * 4
    assert streams["ticks_max"] == 2
    assert max(rig.gateway.stats()["messages_per_s_peak"].values()) <= 21


def test_the_heartbeat_and_the_figures_are_there(rig: MarketRig) -> None:
    beat, metrics = rig.keys.trades_heartbeat(), rig.keys.trades_metrics()
    assert (beat["worker"], beat["state"], beat["connected"]) == ("ibkr_trades", "running", True)
    assert rig.keys.connected() == "1"
    assert (metrics["lines"], metrics["streams"], metrics["stream_limit"]) == (3, 2, 2)
    assert metrics["trades"] == metrics["writes"] + metrics["queue_depth"]
    assert metrics["bad_ticks"] == metrics["dropped"] == 0
    assert len(metrics["latency_counts"]) == len(metrics["latency_bounds_ms"]) + 1
