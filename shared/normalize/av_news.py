"""The body of a NEWS_SENTIMENT answer → `News`.

Layout: ``{"items": "50", ..., "feed": [article, ...]}`` with 13 fields an article. Scores are
mixed, floats (overall) and texts (topics, tickers). Recordings of one request half a year apart
differ in spelling, so an article that does not fit the layout is read field by field.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import msgspec

from shared.errors import BadDocument
from shared.market.sentiment import (
    Article,
    News,
    Relevance,
    Score,
    Story,
    TickerScore,
    Topic,
    aggregated,
)

Row = TypeVar("Row")

# Seconds are left out in the requests' time format; accept that in answers too.
_TIME: Final = re.compile(r"[0-9]{8}T[0-9]{4}([0-9]{2})?")
# What Python's json writes and reads though JSON knows no such number or text.
_NEARLY_JSON: Final = re.compile(rb"\b(NaN|Infinity)\b|\\u[dD][89a-fA-F]")
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_SCORE: Final = Score | None
_RELEVANCE: Final = Relevance | None
_NO_ENTRY: Final = TickerScore("")


class _Feed(msgspec.Struct):
    feed: list[msgspec.Raw]


_feed_of = msgspec.json.Decoder(_Feed).decode
_story_of = msgspec.json.Decoder(Story, strict=False).decode


def parse_news(body: bytes, symbol: str, vendor_symbol: str, now_ms: int) -> News:
    """The news of `symbol`, which the vendor spells `vendor_symbol`; case does not matter.

    Raises:
        BadDocument: no list of articles, no usable one among them, or none is about the symbol.
    """
    intake = _Intake({symbol.upper(), vendor_symbol.upper()})
    items = _items(body, symbol)
    for item in items:
        intake.take(item)
    if items and not intake.articles:
        raise BadDocument(f"articles of {symbol} usable were 0 of {len(items)}, must be at least 1")
    if items and not intake.own:
        raise BadDocument(
            f"articles about {symbol} were 0 of {len(intake.articles)}, must be at least 1"
        )
    articles = tuple(intake.articles)
    return News(
        symbol,
        now_ms,
        articles,
        aggregated(articles, now_ms),
        intake.dropped,
        intake.bad_values,
    )


def _items(body: bytes, symbol: str) -> list[Any]:
    """The feed, undecoded where the body is JSON and decoded where it is only nearly so."""
    try:
        return list(_feed_of(body).feed)
    except (msgspec.DecodeError, RecursionError) as error:
        if isinstance(error, msgspec.ValidationError) or not _NEARLY_JSON.search(body):
            raise BadDocument(f"news of {symbol} must be an object with a feed: {error}") from None
    document = _lenient(body)
    feed = document.get("feed") if isinstance(document, dict) else None
    if not isinstance(feed, list):
        raise BadDocument(f"feed of {symbol} was {type(feed).__name__}, must be a list")
    return feed


def _lenient(text: bytes) -> Any:
    """Decode with NaN, broken UTF-8 and halves of characters; None when it still is not JSON."""
    try:
        found = json.loads(text.decode("utf-8", "replace"))
        if _SURROGATE.search(text):
            # Whole pairs are joined by now; a half could not be written again.
            whole = json.dumps(found, ensure_ascii=False).encode("utf-8", "replace")
            found = json.loads(whole)
    except (ValueError, RecursionError):
        return None
    return found


def _loose(item: msgspec.Raw) -> Any:
    try:
        return msgspec.json.decode(item)
    # Broken UTF-8 is a ValueError as every error of the decoder is.
    except (ValueError, RecursionError):
        return _lenient(bytes(item))


class _Intake:
    """Articles of one feed as they are taken in."""

    def __init__(self, tickers: set[str]) -> None:
        self._tickers = tickers
        self._urls: set[str] = set()
        self.articles: list[Article] = []
        # How many articles have an entry for the symbol.
        self.own = 0
        self.dropped = 0
        self.bad_values = 0

    def take(self, item: Any) -> None:
        story = self._story(item)
        ts = None if story is None else _published_ms(story.time_published)
        if story is None or ts is None or not story.title or not story.url:
            self.dropped += 1
            return
        if story.url in self._urls:
            self.dropped += 1
            return
        self._urls.add(story.url)
        self.articles.append(self._article(story, ts))

    def _story(self, item: Any) -> Story | None:
        if isinstance(item, msgspec.Raw):
            try:
                return _story_of(item)
            except (ValueError, RecursionError):
                item = _loose(item)
        if not isinstance(item, dict):
            return None
        salvage = _Salvage(item)
        story = salvage.story()
        if story is not None:
            self.bad_values += salvage.bad
        return story

    def _article(self, story: Story, ts: int) -> Article:
        entries = story.ticker_sentiment or ()
        own = next((entry for entry in entries if entry.ticker.upper() in self._tickers), _NO_ENTRY)
        self.own += own is not _NO_ENTRY
        return Article(
            *msgspec.structs.astuple(story),
            ts=ts,
            relevance_score=own.relevance_score,
            sentiment_score=own.ticker_sentiment_score,
            sentiment_label=own.ticker_sentiment_label,
        )


class _Salvage:
    """One article field by field; `bad` counts those that are not what they must be."""

    def __init__(self, item: dict[str, Any]) -> None:
        self._item = item
        self.bad = 0

    def story(self) -> Story | None:
        """None when it lacks what makes it an article."""
        title, url, published = map(self._text, ("title", "url", "time_published"))
        if title is None or url is None or published is None:
            return None
        return Story(
            title=title,
            url=url,
            time_published=published,
            authors=self._authors(),
            summary=self._text("summary"),
            banner_image=self._text("banner_image"),
            source=self._text("source"),
            category_within_source=self._text("category_within_source"),
            source_domain=self._text("source_domain"),
            topics=self._topics(),
            overall_sentiment_score=self._number(self._item, "overall_sentiment_score", _SCORE),
            overall_sentiment_label=self._text("overall_sentiment_label"),
            ticker_sentiment=self._tickers(),
        )

    def _authors(self) -> tuple[str, ...] | None:
        return self._rows("authors", tuple[str, ...], _clean)

    def _topics(self) -> tuple[Topic, ...] | None:
        return self._rows("topics", tuple[Topic, ...], self._topic)

    def _topic(self, row: Any) -> Topic | None:
        name = _clean(row.get("topic")) if isinstance(row, dict) else None
        if name is None:
            return None
        return Topic(name, self._number(row, "relevance_score", _RELEVANCE))

    def _tickers(self) -> tuple[TickerScore, ...] | None:
        return self._rows("ticker_sentiment", tuple[TickerScore, ...], self._ticker)

    def _ticker(self, row: Any) -> TickerScore | None:
        ticker = _clean(row.get("ticker")) if isinstance(row, dict) else None
        if ticker is None:
            return None
        return TickerScore(
            ticker,
            self._number(row, "relevance_score", _RELEVANCE),
            self._number(row, "ticker_sentiment_score", _SCORE),
            self._text("ticker_sentiment_label", row),
        )

    def _rows(
        self, name: str, kind: type[tuple[Row, ...]], read: Callable[[Any], Row | None]
    ) -> tuple[Row, ...] | None:
        """The usable rows of a list; the others are counted."""
        value = self._item.get(name)
        if value is None:
            return None
        with suppress(msgspec.ValidationError, OverflowError):
            return msgspec.convert(value, kind, strict=False)
        if not isinstance(value, list):
            self.bad += 1
            return None
        rows = tuple(row for row in map(read, value) if row is not None)
        self.bad += len(value) - len(rows)
        return rows

    def _text(self, name: str, row: dict[str, Any] | None = None) -> str | None:
        value = (self._item if row is None else row).get(name)
        text = _clean(value)
        self.bad += value is not None and text is None
        return text

    def _number(self, row: dict[str, Any], name: str, kind: Any) -> float | None:
        try:
            # The same reading of texts and the same bounds as where everything fits.
            number: float | None = msgspec.convert(row.get(name), kind, strict=False)
        except (msgspec.ValidationError, OverflowError):
            self.bad += 1
            return None
        return number


def _clean(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _published_ms(text: str) -> int | None:
    """Unix ms of ``YYYYMMDDTHHMM`` or ``YYYYMMDDTHHMMSS`` in UTC."""
    if not _TIME.fullmatch(text):
        return None
    try:
        moment = datetime(
            int(text[:4]),
            int(text[4:6]),
            int(text[6:8]),
            int(text[9:11]),
            int(text[11:13]),
            int(text[13:] or 0),
            tzinfo=UTC,
        )
    except ValueError:
        return None
    return int(moment.timestamp()) * 1000
