"""News and technical indicators."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import fmean, median
from typing import Annotated, Final, Literal

from msgspec import UNSET, UnsetType

from shared.schema import ttls
from shared.schema.option_payloads import Status
from shared.schema.options import SECTION
from shared.schema.row import Context, Flaw, Item, Row, Shape
from shared.schema.values import (
    Ms,
    MsOrZero,
    Name,
    Number,
    Payload,
    Score,
    Seconds,
    Share,
    Source,
    Whole,
    about,
)

NEWS: Final = ("av_sentiment",)
KEPT_HISTORY: Final = 100
Indicator = Literal["RSI", "MACD", "BBANDS", "ATR"]


class Topic(Payload, frozen=True):
    topic: Annotated[str, about("name of the topic")]
    relevance_score: Annotated[Share | None, about("0 to 1")]


class TickerScore(Payload, frozen=True):
    ticker: Annotated[str, about("in the vendor's spelling (`BRK-B`)")]
    relevance_score: Annotated[Share | None, about("0 to 1")]
    ticker_sentiment_score: Annotated[Score | None, about("-1 to 1")]
    ticker_sentiment_label: Annotated[str | None, about("`Bearish` to `Bullish`")]


class Article(Payload, frozen=True):
    title: Annotated[str, about("title")]
    url: Annotated[str, about("address")]
    time_published: Annotated[str, about("as sent: YYYYMMDDTHHMMSS, UTC")]
    authors: Annotated[list[str] | None, about("authors")]
    summary: Annotated[str | None, about("summary")]
    banner_image: Annotated[str | None, about("address of a picture")]
    source: Annotated[str | None, about("who published it")]
    category_within_source: Annotated[str | None, about("category")]
    source_domain: Annotated[str | None, about("domain of the publisher")]
    topics: Annotated[list[Topic] | None, about("topics")]
    overall_sentiment_score: Annotated[Score | None, about("of the whole article, -1 to 1")]
    overall_sentiment_label: Annotated[str | None, about("of the whole article")]
    ticker_sentiment: Annotated[list[TickerScore] | None, about("what it says of each ticker")]
    ts: Annotated[MsOrZero, about("time_published")]
    relevance_score: Annotated[Share | None, about("this symbol's own entry, not the overall one")]
    sentiment_score: Annotated[Score | None, about("this symbol's own entry")]
    sentiment_label: Annotated[str | None, about("this symbol's own entry")]


class Aggregates(Payload, frozen=True):
    article_count: Annotated[Whole, about("number of articles")]
    avg_sentiment: Annotated[Score | None, about("mean of the symbol's own scores")]
    avg_relevance: Annotated[Share | None, about("mean of the symbol's own relevances")]
    weighted_sentiment: Annotated[Score | None, about("mean score, weighed by relevance")]
    distribution: Annotated[dict[str, Whole], about("articles by the symbol's own label")]
    newest_age_s: Annotated[Seconds | None, about("age of the newest article at the fetch")]
    oldest_age_s: Annotated[Seconds | None, about("age of the oldest")]
    median_age_s: Annotated[Seconds | None, about("median of the ages")]
    sources: Annotated[dict[str, Whole], about("articles by publisher")]


class Sentiment(Payload, frozen=True):
    symbol: Annotated[Name, about("symbol, as in the key")]
    fetched_ts: Annotated[Ms, about("when the answer came")]
    source: Annotated[Source, about("`live`, `sim` or `replay`")]
    articles: Annotated[list[Article], about("articles in the vendor's order, newest first")]
    aggregates: Annotated[Aggregates, about("figures over the symbol's own entries")]


class SentimentMonitor(Payload, frozen=True):
    """Fields that are not known yet are missing."""

    status: Status
    error: Annotated[str, about("why it is not ok, else empty")] = ""
    article_count: Annotated[Whole, about("articles of the newest answer")] | UnsetType = UNSET
    avg_sentiment: Annotated[Score, about("as in the document")] | UnsetType = UNSET
    sources: Annotated[dict[str, Whole], about("JSON: articles by publisher")] | UnsetType = UNSET
    fetched_ts: Annotated[Ms, about("when the newest answer came")] | UnsetType = UNSET


Values = dict[str, Number]


class Technicals(Payload, frozen=True):
    symbol: Annotated[Name, about("symbol, as in the key")]
    indicator: Annotated[Indicator, about("indicator, as in the key")]
    interval: Annotated[str, about("interval of its bars (`5min`)")]
    params: Annotated[dict[str, int | str], about("the vendor's parameters")]
    ts: Annotated[Ms, about("time of its newest bar")]
    time_zone: Annotated[str, about("zone of the vendor's bar times (`America/New_York`)")]
    fetched_ts: Annotated[Ms, about("when the answer came")]
    source: Annotated[Source, about("`live`, `sim` or `replay`")]
    values: Annotated[Values, about("the newest values by the vendor's names")]
    history: Annotated[
        list[tuple[Ms, Values]],
        about(f"[bar time, values], newest first, at most {KEPT_HISTORY}, with the newest"),
    ]
    delayed: Annotated[bool, about("the vendor says that its data is")]


class SentimentEvent(Payload, frozen=True):
    key: Annotated[str, about("the key of the document")]
    ts: Annotated[Ms, about("when the answer came")]
    symbol: Annotated[Name, about("symbol")]
    article_count: Annotated[Whole, about("number of articles")]
    avg_sentiment: Annotated[Score | None, about("as in the document")]
    weighted_sentiment: Annotated[Score | None, about("as in the document")]


class TechnicalsEvent(Payload, frozen=True):
    key: Annotated[str, about("the key of the document")]
    ts: Annotated[Ms, about("time of its newest bar")]
    fetched_ts: Annotated[Ms, about("when the answer came")]
    symbol: Annotated[Name, about("symbol")]
    indicator: Annotated[Indicator, about("indicator")]
    values: Annotated[Values, about("the newest values")]


def sentiment_flaws(item: Item, _: Context) -> Iterator[Flaw]:
    news: Sentiment = item.doc
    for name, wanted in _aggregates(news.articles, news.fetched_ts).items():
        found = getattr(news.aggregates, name)
        if not _same(found, wanted):
            yield Flaw(f"aggregates.{name}", found, f"be {wanted}, as the articles say")
    for index, article in enumerate(news.articles):
        own = (article.relevance_score, article.sentiment_score, article.sentiment_label)
        entries = [
            (one.relevance_score, one.ticker_sentiment_score, one.ticker_sentiment_label)
            for one in article.ticker_sentiment or ()
        ]
        if any(part is not None for part in own) and own not in entries:
            must = "be of an entry in ticker_sentiment"
            yield Flaw(f"articles[{index}].sentiment_score", article.sentiment_score, must)


def _aggregates(articles: Sequence[Article], now_ms: int) -> dict[str, object]:
    scores = [one.sentiment_score for one in articles if one.sentiment_score is not None]
    relevances = [one.relevance_score for one in articles if one.relevance_score is not None]
    ages = [max(0, now_ms - one.ts) / 1000 for one in articles]
    return {
        "article_count": len(articles),
        "avg_sentiment": fmean(scores) if scores else None,
        "avg_relevance": fmean(relevances) if relevances else None,
        "weighted_sentiment": _weighted(articles),
        "distribution": dict(
            Counter(one.sentiment_label for one in articles if one.sentiment_label)
        ),
        "newest_age_s": min(ages, default=None),
        "oldest_age_s": max(ages, default=None),
        "median_age_s": median(ages) if ages else None,
        "sources": dict(Counter(one.source for one in articles if one.source)),
    }


def _weighted(articles: Sequence[Article]) -> float | None:
    pairs = [
        (one.sentiment_score, one.relevance_score)
        for one in articles
        if one.sentiment_score is not None and one.relevance_score is not None
    ]
    weight = sum(relevance for _, relevance in pairs)
    return sum(score * relevance for score, relevance in pairs) / weight if weight else None


def _same(found: object, wanted: object) -> bool:
    if isinstance(found, float | int) and isinstance(wanted, float | int):
        return abs(found - wanted) <= 1e-9
    return found == wanted


def technicals_flaws(item: Item, _: Context) -> Iterator[Flaw]:
    reading: Technicals = item.doc
    history = reading.history
    if not 1 <= len(history) <= KEPT_HISTORY:
        yield Flaw("history", f"{len(history)} entries", f"have 1 to {KEPT_HISTORY}")
        return
    if reading.ts != history[0][0]:
        yield Flaw("ts", reading.ts, f"be {history[0][0]}, as in the newest of history")
    if reading.values != history[0][1]:
        yield Flaw("values", reading.values, f"be {history[0][1]}, as in the newest of history")
    for index, (before, entry) in enumerate(zip(history, history[1:], strict=False), 1):
        if entry[0] >= before[0]:
            yield Flaw(f"history[{index}][0]", entry[0], f"be before {before[0]}")


ROWS: Final = (
    Row(
        "sentiment", SECTION, lambda keys: keys.sentiment("{symbol}"), Shape.JSON,
        Sentiment, ttls.SENTIMENT, NEWS,
        "News about a symbol and what it says on the whole; without articles where the vendor has"
        " none.",
        "for symbols not in `alpha_vantage.sentiment_skip`",
        (sentiment_flaws,),
    ),
    Row(
        "sentiment_monitor", SECTION, lambda keys: keys.sentiment_monitor("{symbol}"), Shape.FIELDS,
        SentimentMonitor, ttls.MONITORING, NEWS,
        "What became of the polls of a symbol's news.",
        "while the worker runs, from its first poll or suspension on",
        json_fields=("sources",),
    ),
    Row(
        "technicals", SECTION, lambda keys: keys.technicals("{symbol}", "{indicator}"), Shape.JSON,
        Technicals, ttls.TECHNICALS, NEWS,
        "An indicator's newest values and those before.",
        "for the indicators of `alpha_vantage.indicators`, where the vendor has enough history",
        (technicals_flaws,),
    ),
    Row(
        "sentiment_events", SECTION, lambda keys: keys.events(keys.sentiment("{symbol}")),
        Shape.CHANNEL, SentimentEvent, ttls.NO_KEY, NEWS,
        "Says that news were written, once they can be read.",
        "at every write",
    ),
    Row(
        "technicals_events", SECTION,
        lambda keys: keys.events(keys.technicals("{symbol}", "{indicator}")),
        Shape.CHANNEL, TechnicalsEvent, ttls.NO_KEY, NEWS,
        "Says that an indicator was written, once it can be read.",
        "at every write",
    ),
)  # fmt: skip
