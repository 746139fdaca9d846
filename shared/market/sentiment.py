"""News about a symbol and what it says on the whole. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import fmean, median
from typing import Annotated

import msgspec

# "0 < x <= 1, with a higher score indicating higher relevance" (the feed's own definition); an
# exact zero is what a very small score is rounded to.
Relevance = Annotated[float, msgspec.Meta(ge=0, le=1)]
# The thresholds of the labels lie at 0.15 and 0.35 either side of 0; beyond 1 there is nothing.
Score = Annotated[float, msgspec.Meta(ge=-1, le=1)]


class Topic(msgspec.Struct, frozen=True, gc=False):
    topic: str
    relevance_score: Relevance | None = None


class TickerScore(msgspec.Struct, frozen=True, gc=False):
    """What an article says about one ticker, in the vendor's spelling (``BRK-B``)."""

    ticker: str
    relevance_score: Relevance | None = None
    ticker_sentiment_score: Score | None = None
    ticker_sentiment_label: str | None = None


class Story(msgspec.Struct, frozen=True, gc=False):
    """The vendor's 13 fields of an article; one it did not send is None.

    `time_published` is kept as sent: ``YYYYMMDDTHHMMSS`` in UTC.
    """

    title: str
    url: str
    time_published: str
    authors: tuple[str, ...] | None = None
    summary: str | None = None
    banner_image: str | None = None
    source: str | None = None
    category_within_source: str | None = None
    source_domain: str | None = None
    topics: tuple[Topic, ...] | None = None
    overall_sentiment_score: Score | None = None
    overall_sentiment_label: str | None = None
    ticker_sentiment: tuple[TickerScore, ...] | None = None


class Article(Story, frozen=True, gc=False, kw_only=True):
    """A story as news of one symbol.

    `ts` is its time in Unix ms. The last three are the symbol's own entry in `ticker_sentiment`,
    not the overall score; None where there is no such entry.
    """

    ts: int
    relevance_score: float | None
    sentiment_score: float | None
    sentiment_label: str | None


class Aggregates(msgspec.Struct, frozen=True):
    """Figures over the symbol's own entries; an average of nothing is None.

    `weighted_sentiment` weighs by relevance. Ages are seconds from publication to the fetch, never
    negative. `distribution` counts labels, `sources` articles.
    """

    article_count: int
    avg_sentiment: float | None
    avg_relevance: float | None
    weighted_sentiment: float | None
    distribution: dict[str, int]
    newest_age_s: float | None
    oldest_age_s: float | None
    median_age_s: float | None
    sources: dict[str, int]


class News(msgspec.Struct, frozen=True):
    """A symbol's articles in the vendor's order (newest first).

    `dropped` counts articles that were unusable or there twice, `bad_values` fields of the others
    that are None because what was sent is not what they are.
    """

    symbol: str
    fetched_ms: int
    articles: tuple[Article, ...]
    aggregates: Aggregates
    dropped: int = 0
    bad_values: int = 0


def no_news(symbol: str, now_ms: int) -> News:
    """What "No articles found" means: an answer, not an error."""
    return News(symbol, now_ms, (), aggregated((), now_ms))


def aggregated(articles: Sequence[Article], now_ms: int) -> Aggregates:
    scores = [a.sentiment_score for a in articles if a.sentiment_score is not None]
    relevances = [a.relevance_score for a in articles if a.relevance_score is not None]
    ages = [max(0, now_ms - article.ts) / 1000 for article in articles]
    return Aggregates(
        article_count=len(articles),
        avg_sentiment=fmean(scores) if scores else None,
        avg_relevance=fmean(relevances) if relevances else None,
        weighted_sentiment=_weighted(articles),
        distribution=dict(Counter(a.sentiment_label for a in articles if a.sentiment_label)),
        newest_age_s=min(ages, default=None),
        oldest_age_s=max(ages, default=None),
        median_age_s=median(ages) if ages else None,
        sources=dict(Counter(article.source for article in articles if article.source)),
    )


def _weighted(articles: Sequence[Article]) -> float | None:
    pairs = [
        (article.sentiment_score, article.relevance_score)
        for article in articles
        if article.sentiment_score is not None and article.relevance_score is not None
    ]
    weight = sum(relevance for _, relevance in pairs)
    if not weight:
        return None
    return sum(score * relevance for score, relevance in pairs) / weight
