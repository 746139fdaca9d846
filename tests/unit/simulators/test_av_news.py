from __future__ import annotations

import datetime
import json
from typing import Any

import pytest

from simulators.alphavantage.news import NewsQuery, NewsRoom, feed_document, label, parse_time
from tests.support.vendor_process import RECORDINGS, needs_vendor_recordings

NOON = datetime.datetime(2026, 5, 4, 12, 0)


def articles(now: datetime.datetime = NOON, **fields: Any) -> list[dict[str, Any]]:
    query = NewsQuery(**{"tickers": ("SPY",), **fields})
    return NewsRoom(seed=7, every_s=1800).articles(query, now)


@needs_vendor_recordings
def test_an_article_has_the_keys_and_types_of_a_recorded_one() -> None:
    recorded = json.loads((RECORDINGS / "NEWS_SENTIMENT_AAPL.json").read_bytes())
    made = feed_document(articles())
    assert list(made) == list(recorded)
    for name in ("items", "sentiment_score_definition", "relevance_score_definition"):
        assert made[name] == recorded[name]
    for name in recorded["feed"][0]:
        kinds = {type(article[name]) for article in recorded["feed"]}
        assert {type(article[name]) for article in made["feed"]} <= kinds | {type(None)}
    assert {tuple(a) for a in made["feed"]} == {tuple(a) for a in recorded["feed"]}
    for name in ("topics", "ticker_sentiment"):
        shapes = {tuple(entry) for article in recorded["feed"] for entry in article[name]}
        assert {tuple(entry) for article in made["feed"] for entry in article[name]} == shapes


@pytest.mark.parametrize(("limit", "items"), [(10, 50), (50, 50), (200, 200), (5000, 1000)])
def test_a_limit_below_fifty_is_not_honoured(limit: int, items: int) -> None:
    assert len(articles(limit=limit)) == items


def test_the_newest_comes_first_and_none_is_of_the_future() -> None:
    times = [article["time_published"] for article in articles()]
    assert times == sorted(times, reverse=True)
    assert "20260504T100000" < times[0] <= "20260504T120000"


def test_the_other_orders() -> None:
    times = [article["time_published"] for article in articles(sort="EARLIEST")]
    assert times == sorted(times)
    found = articles(sort="RELEVANCE")
    scores = [article["ticker_sentiment"][0]["relevance_score"] for article in found]
    assert scores == sorted(scores, reverse=True)


def test_the_tickers_asked_for_are_in_every_article() -> None:
    for article in articles(tickers=("SPY", "AAPL")):
        assert {"SPY", "AAPL"} <= {entry["ticker"] for entry in article["ticker_sentiment"]}


def test_articles_arrive_with_time_and_stay_as_they_were() -> None:
    before, later = articles(), articles(NOON + datetime.timedelta(hours=2))
    assert later[4] == before[0]
    assert len({article["url"] for article in later + before}) == 54


def test_the_time_range_is_honoured() -> None:
    start, end = parse_time("20260503T0000"), parse_time("20260503T1200")
    found = articles(time_from=start, time_to=end, limit=1000)
    assert len(found) == 24
    assert all("20260503T000000" <= a["time_published"] <= "20260503T120000" for a in found)


@pytest.mark.parametrize(
    ("score", "name"),
    [(-0.35, "Bearish"), (-0.15, "Somewhat-Bearish"), (0.149999, "Neutral"),
     (0.15, "Somewhat-Bullish"), (0.35, "Bullish")],
)  # fmt: skip
def test_labels_follow_the_vendors_definition(score: float, name: str) -> None:
    assert label(score) == name
