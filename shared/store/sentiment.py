"""News to Redis: the document of a symbol, its event, and what the monitor says of it."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import msgspec
import orjson

from shared.market.sentiment import Article, News
from shared.store.connection import Store
from shared.store.keys import Keys

# About a tenth of a megabyte: 1,000 articles must not hold up what else the loop has to do.
_SLICE: Final = 50

_encode = msgspec.json.encode


class SentimentStore:
    """Writes `sentiment:SYMBOL`. `source` is ``live``, ``sim`` or ``replay``."""

    def __init__(self, store: Store, keys: Keys, source: str, ttl_s: int) -> None:
        self._store = store
        self._keys = keys
        self._source = source
        self._ttl_s = ttl_s

    async def write(self, news: News) -> None:
        """Replace the symbol's document, then announce it: whoever hears of it can read it.

        Raises:
            StoreUnavailable: whether it was written is not known; the same call may be repeated.
            StoreRefused: Redis answered with an error.
        """
        key = self._keys.sentiment(news.symbol)
        document = await self._document(news)
        async with self._store.client.pipeline(transaction=True) as pipe:
            pipe.set(key, document, ex=self._ttl_s)
            pipe.publish(self._keys.events(key), _event(key, news))
            await self._store.call(pipe.execute())

    async def _document(self, news: News) -> bytes:
        head = _encode(
            {"symbol": news.symbol, "fetched_ts": news.fetched_ms, "source": self._source}
        )
        return b"".join(
            (
                head[:-1],
                b',"articles":[',
                await _articles(news.articles),
                b'],"aggregates":',
                _encode(news.aggregates),
                b"}",
            )
        )


def sentiment_status(news: News) -> dict[str, Any]:
    """The fields of `monitoring:sentiment:SYMBOL` besides status and error."""
    return {
        "article_count": news.aggregates.article_count,
        "avg_sentiment": news.aggregates.avg_sentiment,
        "sources": orjson.dumps(news.aggregates.sources).decode(),
        "fetched_ts": news.fetched_ms,
    }


async def _articles(articles: tuple[Article, ...]) -> bytes:
    slices = []
    for start in range(0, len(articles), _SLICE):
        slices.append(_encode(articles[start : start + _SLICE])[1:-1])
        await asyncio.sleep(0)
    return b",".join(slices)


def _event(key: str, news: News) -> bytes:
    return _encode(
        {
            "key": key,
            "ts": news.fetched_ms,
            "symbol": news.symbol,
            "article_count": news.aggregates.article_count,
            "avg_sentiment": news.aggregates.avg_sentiment,
            "weighted_sentiment": news.aggregates.weighted_sentiment,
        }
    )
