from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Any, Final

__all__ = ["NewsQuery", "NewsRoom", "feed_document", "label", "parse_time"]

_SENTIMENT: Final = (
    "x <= -0.35: Bearish; -0.35 < x <= -0.15: Somewhat-Bearish; -0.15 < x < 0.15: Neutral;"
    " 0.15 <= x < 0.35: Somewhat_Bullish; x >= 0.35: Bullish"
)
_RELEVANCE: Final = "0 < x <= 1, with a higher score indicating higher relevance."
_SOURCES: Final = ("Benzinga", "MarketBeat", "Motley Fool", "Reuters", "Simply Wall Street")
_TOPICS: Final = ("technology", "earnings", "financial_markets", "finance", "manufacturing")
_OTHERS: Final = ("AAPL", "MSFT", "NVDA", "GOOGL", "INTC", "BRK-B", "FOREX:USD", "CRYPTO:BTC")
_PHRASES: Final = ("gains on volume", "faces new rules", "beats estimates", "cuts its outlook")
# A smaller limit is not honoured, a larger one neither.
_LIMIT_LEAST: Final = 50
_LIMIT_MOST: Final = 1000

Article = dict[str, Any]


def label(score: float) -> str:
    if score <= -0.35:
        return "Bearish"
    if score <= -0.15:
        return "Somewhat-Bearish"
    if score < 0.15:
        return "Neutral"
    return "Somewhat-Bullish" if score < 0.35 else "Bullish"


def parse_time(text: str) -> datetime.datetime:
    """YYYYMMDDTHHMM, in UTC; a ValueError for anything else."""
    return datetime.datetime.strptime(text, "%Y%m%dT%H%M")


@dataclass(frozen=True, slots=True)
class NewsQuery:
    tickers: tuple[str, ...]
    limit: int = 50
    sort: str = "LATEST"
    time_from: datetime.datetime | None = None
    time_to: datetime.datetime | None = None

    @property
    def items(self) -> int:
        return min(max(self.limit, _LIMIT_LEAST), _LIMIT_MOST)


class NewsRoom:
    """One article of every symbol per slot of time, at a moment within it that the seed tells.

    So what is out at a time depends on nothing but the time, and old articles stay the same.
    """

    def __init__(self, seed: int, every_s: int) -> None:
        self._seed = seed
        self._every_s = every_s

    def articles(self, query: NewsQuery, now: datetime.datetime) -> list[Article]:
        found = []
        for article in self._newest_first(query, now):
            found.append(article)
            if len(found) == query.items:
                break
        if query.sort == "EARLIEST":
            found.reverse()
        if query.sort == "RELEVANCE":
            found.sort(key=lambda a: a["ticker_sentiment"][0]["relevance_score"], reverse=True)
        return found

    def _newest_first(self, query: NewsQuery, now: datetime.datetime) -> Iterator[Article]:
        until = min(now, query.time_to or now)
        slot = int(until.replace(tzinfo=datetime.UTC).timestamp()) // self._every_s
        oldest = query.time_from or until - datetime.timedelta(days=3650)
        while slot > 0:
            published = _published(self._seed, query.tickers[0], slot, self._every_s)
            if published < oldest:
                return
            if published <= until:
                yield _article(self._seed, query.tickers, slot, published)
            slot -= 1


def feed_document(articles: list[Article]) -> dict[str, Any]:
    return {
        "items": str(len(articles)),
        "sentiment_score_definition": _SENTIMENT,
        "relevance_score_definition": _RELEVANCE,
        "feed": articles,
    }


@lru_cache(maxsize=20_000)
def _published(seed: int, ticker: str, slot: int, every_s: int) -> datetime.datetime:
    offset_s = Random(f"{seed}:{ticker}:{slot}").randrange(every_s)
    at = datetime.datetime.fromtimestamp(slot * every_s + offset_s, datetime.UTC)
    return at.replace(tzinfo=None)


@lru_cache(maxsize=20_000)
def _article(
    seed: int, tickers: tuple[str, ...], slot: int, published: datetime.datetime
) -> Article:
    random = Random(f"{seed}:{','.join(tickers)}:{slot}:article")
    source = random.choice(_SOURCES)
    title = f"{tickers[0]} {random.choice(_PHRASES)}, note {slot}"
    score = round(random.uniform(-0.6, 0.7), 6)
    return {
        "title": title,
        "url": f"https://news.example/{tickers[0].lower()}/{published:%Y/%m/%d}/{slot}",
        "time_published": f"{published:%Y%m%dT%H%M%S}",
        "authors": [] if random.random() < 0.1 else [f"{source} Staff"],
        "summary": f"{title}. What it says is made up and as long as a short summary would be.",
        "banner_image": _banner(random, slot),
        "source": source,
        "category_within_source": "General",
        "source_domain": source,
        "topics": _topics(random),
        "overall_sentiment_score": score,
        "overall_sentiment_label": label(score),
        "ticker_sentiment": _tickers(random, tickers),
    }


def _banner(random: Random, slot: int) -> str | None:
    kind = random.random()
    if kind < 0.06:
        return None
    return "" if kind < 0.1 else f"https://news.example/images/{slot}.png"


def _topics(random: Random) -> list[dict[str, str]]:
    return [
        {"topic": topic, "relevance_score": f"{random.uniform(0.3, 1):.6f}"}
        for topic in random.sample(_TOPICS, random.randint(1, 3))
    ]


def _tickers(random: Random, asked: tuple[str, ...]) -> list[dict[str, str]]:
    others = [ticker for ticker in _OTHERS if ticker not in asked]
    found = []
    for ticker in (*asked, *random.sample(others, random.randint(0, 4))):
        score = round(random.uniform(-0.6, 0.7), 6)
        found.append(
            {
                "ticker": ticker,
                "relevance_score": f"{random.uniform(0.5, 1):.6f}",
                "ticker_sentiment_score": f"{score:.6f}",
                "ticker_sentiment_label": label(score),
            }
        )
    return found
