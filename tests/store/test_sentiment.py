from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import pytest
import redis

from shared.errors import StoreRefused, StoreUnavailable
from shared.market.sentiment import Article, News, TickerScore, Topic, aggregated, no_news
from shared.store.connection import Store
from shared.store.keys import Keys
from shared.store.sentiment import SentimentStore, sentiment_status
from tests.support.redis_server import RedisServer

NOW_MS = 1_779_100_000_000
KEY, CHANNEL = "sentiment:AAPL", "events:sentiment:AAPL"


def article(number: int = 1) -> Article:
    return Article(
        title=f'Title {number} \u2013 \U0001f680 \x00 \x7f "quoted"',
        url=f"https://example.com/{number}",
        time_published="20260517T110100",
        authors=("Ann",),
        topics=(Topic("earnings", 0.5), Topic("technology")),
        overall_sentiment_score=-0.000001,
        ticker_sentiment=(TickerScore("AAPL", 1.0, 0.25, "Somewhat-Bullish"), TickerScore("IBM")),
        source="MSN",
        ts=1_779_015_660_000,
        relevance_score=1.0,
        sentiment_score=0.25,
        sentiment_label="Somewhat-Bullish",
    )


def news(count: int = 2) -> News:
    articles = tuple(article(number) for number in range(count))
    return News("AAPL", NOW_MS, articles, aggregated(articles, NOW_MS))


def on(url: str, work: Callable[[SentimentStore], Awaitable[None]], prefix: str = "") -> None:
    async def scenario() -> None:
        store = Store(url, 1.0)
        try:
            await work(SentimentStore(store, Keys(prefix), "sim", 3600))
        finally:
            await store.close()

    asyncio.run(scenario())


def write(url: str, found: News, prefix: str = "") -> None:
    on(url, lambda store: store.write(found), prefix)


def stored(client: redis.Redis, key: str = KEY) -> Any:
    raw: Any = client.get(key)
    return json.loads(raw, parse_constant=pytest.fail)


@contextmanager
def heard(client: Any, channel: str) -> Iterator[Callable[[], Any]]:
    """Gives what is published on the channel within the block, as JSON, one a call."""
    with client.pubsub(ignore_subscribe_messages=True) as events:
        events.subscribe(channel)
        # The confirmation of the subscription: what is published from here on is heard.
        assert events.get_message(timeout=5) is None
        yield lambda: json.loads(events.get_message(timeout=5)["data"])


def commands_of(client: Any, work: Callable[[], None]) -> list[str]:
    """The names of the commands that Redis was sent meanwhile, up to the first EXEC."""
    seen: list[str] = []
    with client.monitor() as monitor:
        work()
        for command in monitor.listen():
            seen.append(command["command"].split()[0])
            if seen[-1] == "EXEC":
                break
    return seen


def test_the_document_has_the_fields_of_the_contract(redis_url: str, client: redis.Redis) -> None:
    write(redis_url, news())
    document = stored(client)
    assert list(document) == ["symbol", "fetched_ts", "source", "articles", "aggregates"]
    assert (document["symbol"], document["fetched_ts"]) == ("AAPL", NOW_MS)
    assert document["source"] == "sim"
    assert document["aggregates"] == {
        "article_count": 2,
        "avg_sentiment": 0.25,
        "avg_relevance": 1.0,
        "weighted_sentiment": 0.25,
        "distribution": {"Somewhat-Bullish": 2},
        "newest_age_s": 84_340.0,
        "oldest_age_s": 84_340.0,
        "median_age_s": 84_340.0,
        "sources": {"MSN": 2},
    }


def test_an_article_has_every_field_and_null_where_there_is_none(
    redis_url: str, client: redis.Redis
) -> None:
    write(redis_url, news(1))
    assert stored(client)["articles"] == [
        {
            "title": 'Title 0 \u2013 \U0001f680 \x00 \x7f "quoted"',
            "url": "https://example.com/0",
            "time_published": "20260517T110100",
            "authors": ["Ann"],
            "summary": None,
            "banner_image": None,
            "source": "MSN",
            "category_within_source": None,
            "source_domain": None,
            "topics": [
                {"topic": "earnings", "relevance_score": 0.5},
                {"topic": "technology", "relevance_score": None},
            ],
            "overall_sentiment_score": -1e-6,
            "overall_sentiment_label": None,
            "ticker_sentiment": [
                {
                    "ticker": "AAPL",
                    "relevance_score": 1.0,
                    "ticker_sentiment_score": 0.25,
                    "ticker_sentiment_label": "Somewhat-Bullish",
                },
                {
                    "ticker": "IBM",
                    "relevance_score": None,
                    "ticker_sentiment_score": None,
                    "ticker_sentiment_label": None,
                },
            ],
            "ts": 1_779_015_660_000,
            "relevance_score": 1.0,
            "sentiment_score": 0.25,
            "sentiment_label": "Somewhat-Bullish",
        }
    ]


@pytest.mark.parametrize("count", [0, 1, 49, 50, 51, 100, 1000])
def test_documents_of_any_length_are_whole_and_as_orjson_writes_them(
    redis_url: str, client: redis.Redis, count: int
) -> None:
    write(redis_url, news(count))
    document = stored(client)
    assert [a["url"] for a in document["articles"]] == [
        f"https://example.com/{number}" for number in range(count)
    ]
    raw: Any = client.get(KEY)
    assert raw.encode() == orjson.dumps(document)


def test_no_news_are_written_as_such(redis_url: str, client: redis.Redis) -> None:
    write(redis_url, no_news("AAPL", NOW_MS))
    document = stored(client)
    assert document["articles"] == []
    assert document["aggregates"]["article_count"] == 0
    assert document["aggregates"]["avg_sentiment"] is None


def test_the_document_expires(redis_url: str, client: redis.Redis) -> None:
    write(redis_url, news())
    assert 3595 <= int(str(client.ttl(KEY))) <= 3600
    assert client.type(KEY) == "string"


def test_a_later_document_replaces_the_earlier_whatever_it_was(
    redis_url: str, client: redis.Redis
) -> None:
    client.rpush(KEY, "not ours")
    write(redis_url, news(2))
    write(redis_url, news(1))
    assert len(stored(client)["articles"]) == 1


def test_the_event_comes_when_the_document_can_be_read(redis_url: str, client: redis.Redis) -> None:
    with heard(client, CHANNEL) as event:
        write(redis_url, news(1000))
        found = event()
        assert len(stored(client)["articles"]) == 1000
        assert found == {
            "key": KEY,
            "ts": NOW_MS,
            "symbol": "AAPL",
            "article_count": 1000,
            "avg_sentiment": 0.25,
            "weighted_sentiment": 0.25,
        }


def test_document_and_event_are_one_transaction(redis_url: str, client: redis.Redis) -> None:
    seen = commands_of(client, lambda: write(redis_url, news(1)))
    assert seen[-4:] == ["MULTI", "SET", "PUBLISH", "EXEC"]


def test_key_and_channel_stand_under_the_prefix(redis_url: str, client: redis.Redis) -> None:
    with heard(client, f"desk:{CHANNEL}") as event:
        write(redis_url, news(), prefix="desk:")
        found = event()
    assert found["key"] == f"desk:{KEY}"
    assert client.keys() == [f"desk:{KEY}"]


def test_the_loop_goes_on_while_a_thousand_articles_are_written(redis_url: str) -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def work(store: SentimentStore) -> None:
        counting = asyncio.ensure_future(count())
        await store.write(news(1000))
        counting.cancel()

    on(redis_url, work)
    assert turns >= 20


def test_a_redis_that_is_away_is_told(redis_server: RedisServer) -> None:
    redis_server.stop()
    with pytest.raises(StoreUnavailable):
        write(redis_server.url, news())
    redis_server.start()


def test_a_redis_that_refuses_is_told(redis_server: RedisServer) -> None:
    with redis_server.client() as client:
        client.acl_setuser("default", enabled=True, keys=["other:*"], reset_keys=True)
    with pytest.raises(StoreRefused):
        write(redis_server.url, news())


def test_the_monitor_has_the_fields_of_the_contract() -> None:
    assert sentiment_status(news(3)) == {
        "article_count": 3,
        "avg_sentiment": 0.25,
        "sources": '{"MSN":3}',
        "fetched_ts": NOW_MS,
    }
    assert sentiment_status(no_news("AAPL", NOW_MS))["avg_sentiment"] is None
    assert math.isfinite(sentiment_status(news())["avg_sentiment"])
