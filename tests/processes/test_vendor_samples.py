"""The recorded answers of the vendor through simulator and workers, to what can be read in Redis.

Every expected figure is computed here from the recorded JSON.
"""

from __future__ import annotations

import calendar
import json
import math
import statistics
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final

import orjson
import pytest

from tests.support.sample_feeds import Ground, sample_ground
from tests.support.vendor_keys import Row, VendorKeys
from tests.support.vendor_process import RECORDINGS, needs_vendor_recordings

pytestmark = [needs_vendor_recordings, pytest.mark.timeout(240)]

DAY: Final = "2017-11-15"
# New York was four hours behind UTC on the day of the recorded indicators.
EDT_S: Final = 4 * 3600
INDICATORS: Final = ("RSI", "MACD", "BBANDS", "ATR")
GREEKS: Final = ("implied_volatility", "delta", "gamma", "theta", "vega", "rho")
PRICES: Final = ("last", "mark", "bid", "ask")


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with sample_ground(tmp_path_factory.mktemp("samples")) as found:
        yield found


# Documents


@pytest.fixture(scope="module")
def recorded(ground: Ground) -> Iterator[VendorKeys]:
    """All that the recordings have is published, and was asked for again since."""
    with ground.feed(("IBM", "AAPL", "DUOL"), settings={"options_date": DAY}) as feed:
        keys = feed.keys
        feed.wait(lambda: keys.monitor("IBM").get("unchanged_fetches", "0") > "1", "the chain")
        feed.wait(lambda: keys.news_monitor("AAPL").get("status") == "ok", "the news")
        feed.wait(lambda: all(keys.technicals("DUOL", n) for n in INDICATORS), "the indicators")
        feed.wait(lambda: keys.monitor("AAPL").get("status") == "empty", "no data")
        yield keys


def document(name: str) -> Row:
    return dict(json.loads((RECORDINGS / name).read_bytes()))


def rows() -> list[Row]:
    return list(document("HISTORICAL_OPTIONS_IBM_20171115.json")["data"])


def is_junk(row: Row) -> bool:
    floor = float(row["implied_volatility"]) < 0.02 and abs(float(row["delta"])) == 1
    return floor and float(row["gamma"]) == float(row["vega"]) == 0


def typed(row: Row) -> Row:
    """Numbers as numbers; a price of zero and greeks that are junk are none."""
    texts = ("contractID", "symbol", "expiration", "type", "date")
    found = {name: text if name in texts else float(text) for name, text in row.items()}
    found |= {name: found[name] or None for name in PRICES}
    return found | dict.fromkeys(GREEKS) if is_junk(row) else found


def total(some: Iterable[Row], name: str) -> int:
    return sum(int(row[name]) for row in some)


def test_calls_and_puts_are_the_recorded_rows_byte_for_byte(recorded: VendorKeys) -> None:
    for name, right in (("calls", "call"), ("puts", "put")):
        expected = [row for row in rows() if row["type"] == right]
        text = recorded.text(f"options:IBM:{name}") or ""
        assert json.loads(text) == expected
        assert text.encode() == orjson.dumps(expected)


def test_the_chain_has_every_number_and_figure_of_the_recording(recorded: VendorKeys) -> None:
    chain, sent = recorded.chain("IBM"), rows()
    calls, puts = ([row for row in sent if row["type"] == right] for right in ("call", "put"))
    junk = sum(map(is_junk, sent))
    assert (len(sent), chain["as_of"], chain["source"], chain["symbol"]) == (998, DAY, "sim", "IBM")
    assert chain["by_contract"] == {row["contractID"]: typed(row) for row in sent}
    assert chain["metrics"] == {
        "contracts": 998,
        "calls": len(calls),
        "puts": len(puts),
        "two_sided": sum(float(row["bid"]) > 0 and float(row["ask"]) > 0 for row in sent),
        "with_greeks": 998 - junk,
        "missing_greeks": 0,
        "junk_greeks": junk,
        "volume": total(sent, "volume"),
        "open_interest": total(sent, "open_interest"),
        "put_call_volume_ratio": round(total(puts, "volume") / total(calls, "volume"), 6),
        "put_call_open_interest_ratio": round(
            total(puts, "open_interest") / total(calls, "open_interest"), 6
        ),
    }
    assert chain["expirations"] == [
        {
            "expiration": expiration,
            "dte": (date.fromisoformat(expiration) - date(2017, 11, 15)).days,
            "calls": sum(row["type"] == "call" for row in own),
            "puts": sum(row["type"] == "put" for row in own),
            "volume": total(own, "volume"),
            "open_interest": total(own, "open_interest"),
        }
        for expiration in sorted({row["expiration"] for row in sent})
        for own in [[row for row in sent if row["expiration"] == expiration]]
    ]


def test_the_greeks_of_every_contract_are_those_recorded(recorded: VendorKeys) -> None:
    since = recorded.chain("IBM")["fetched_ts"]
    assert recorded.greeks("IBM") == {
        row["contractID"]: {name: float(row[name]) for name in (*GREEKS, "mark")} | {"ts": since}
        for row in rows()
        if not is_junk(row)
    }
    monitor = recorded.monitor("IBM")
    coverage = sum(not is_junk(row) for row in rows()) / 998
    assert (monitor["status"], monitor["contracts"]) == ("ok", "998")
    assert (float(monitor["greeks_coverage"]), monitor["bytes"]) == (round(coverage, 4), "666174")


def test_the_news_have_every_article_and_the_symbols_own_figures(recorded: VendorKeys) -> None:
    news, feed = recorded.news("AAPL"), document("NEWS_SENTIMENT_AAPL.json")["feed"]
    own = [next(e for e in item["ticker_sentiment"] if e["ticker"] == "AAPL") for item in feed]
    scores = [float(entry["ticker_sentiment_score"]) for entry in own]
    weights = [float(entry["relevance_score"]) for entry in own]
    published = [calendar.timegm(time.strptime(i["time_published"], "%Y%m%dT%H%M%S")) for i in feed]
    ages = [max(0.0, news["fetched_ts"] / 1000 - at) for at in published]
    kept = ("title", "url", "summary", "authors", "banner_image", "source", "time_published")
    assert [[one[n] for n in kept] for one in news["articles"]] == [
        [i[n] for n in kept] for i in feed
    ]
    assert [one["sentiment_score"] for one in news["articles"]] == scores
    assert [one["ts"] for one in news["articles"]] == [at * 1000 for at in published]
    found = news["aggregates"]
    weighted = math.fsum(map(math.prod, zip(scores, weights, strict=True))) / math.fsum(weights)
    assert found["article_count"] == len(feed) == 50
    assert found["avg_sentiment"] == pytest.approx(statistics.fmean(scores), abs=1e-12)
    assert found["avg_relevance"] == pytest.approx(statistics.fmean(weights), abs=1e-12)
    assert found["weighted_sentiment"] == pytest.approx(weighted, abs=1e-12)
    assert found["distribution"] == Counter(entry["ticker_sentiment_label"] for entry in own)
    assert found["sources"] == Counter(item["source"] for item in feed)
    assert [found[f"{n}_age_s"] for n in ("newest", "oldest", "median")] == pytest.approx(
        [min(ages), max(ages), statistics.median(ages)]
    )


@pytest.mark.parametrize("name", INDICATORS)
def test_an_indicator_has_every_recorded_bar(recorded: VendorKeys, name: str) -> None:
    found = recorded.technicals("DUOL", name)
    bars = document(f"{name}_5min.json")[f"Technical Analysis: {name}"]
    expected = [
        [
            (calendar.timegm(time.strptime(text, "%Y-%m-%d %H:%M")) + EDT_S) * 1000,
            {value: float(number) for value, number in bars[text].items()},
        ]
        for text in sorted(bars, reverse=True)
    ]
    assert (found["history"], [found["ts"], found["values"]]) == (expected, expected[0])
    assert (found["symbol"], found["interval"], found["delayed"]) == ("DUOL", "5min", True)
    assert found["time_zone"] == "America/New_York"


def test_the_artificial_chain_is_never_stored(ground: Ground) -> None:
    settings = {"options_function": "REALTIME_OPTIONS"}
    with ground.feed(("IBM", "AAPL"), settings=settings, names=("av_options",)) as feed:
        feed.wait(lambda: feed.keys.monitor("AAPL").get("status") == "not_entitled", "a refusal")
        feed.wait(lambda: feed.figures().get("answers"), "the figures")
        assert feed.keys.monitor("IBM")["status"] == "not_entitled"
        assert feed.keys.monitor("IBM")["error"].startswith("This is a premium endpoint.")
        assert feed.keys.circuits("av_options")["*:options"]["state"] == "open"
        assert set(feed.figures()["answers"]) == {"entitlement"}
        assert list(feed.keys.redis.scan_iter("options:*")) == []
        assert feed.keys.holding("XXYYZZ") == []
