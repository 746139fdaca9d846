"""Damage done to one key of a whole Redis: that key is named, and its field, and nothing else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
import redis

from tests.store.filling import CALL, fill, now_ms
from tests.store.test_verify import verified

Damage = Callable[[redis.Redis], Any]

BOOK: Final = "market:SPY:ARCA:book"
STREAM: Final = "raw:ibkr:depth:stream:SPY"
TICKER: Final = "market:SPY:ticker"
TRADES: Final = "market:SPY:trades"
BARS: Final = "market:SPY:bars:5s"
CHAIN: Final = "options:AAPL:chain"
GREEKS: Final = f"options:AAPL:{CALL}:greeks"
BEAT: Final = "heartbeat:ibkr_depth"
NEWS: Final = "sentiment:AAPL"
MACD: Final = "technicals:AAPL:MACD"
# Long after the last of the tests, which are collected before the first.
DAYS_MS: Final = 864_000_000
LEASE: Final = '{"token":"4c51560a2e5eae40","host":"vm","pid":1,"pid_start":1}'
DBL_MAX: Final = 1.7976931348623157e308


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing mends itself here."""
    monkeypatch.setattr("shared.store.verify._AGAIN_AFTER_S", (0.01, 0.01))


@contextmanager
def document(client: Any, key: str) -> Iterator[Any]:
    """The JSON of a key, to be changed in place; its expiry stays."""
    found = json.loads(client.get(key))
    yield found
    client.set(key, json.dumps(found), keepttl=True)


def put(key: str, *path: Any) -> Damage:
    """The last of the path is the new value of what the others lead to; ... removes it."""

    def damage(client: Any) -> None:
        with document(client, key) as found:
            holder = found
            for step in path[:-2]:
                holder = holder[step]
            if path[-1] is ...:
                del holder[path[-2]]
            else:
                holder[path[-2]] = path[-1]

    return damage


def put_member(key: str, **changes: Any) -> Damage:
    """In the newest member of a list."""

    def damage(client: Any) -> None:
        client.lset(key, 0, json.dumps(json.loads(client.lindex(key, 0)) | changes))

    return damage


def put_bar(score: int | None, **changes: Any) -> Damage:
    """In the newest bar; with another score where one is given."""

    def damage(client: Any) -> None:
        ((member, at),) = client.zrange(BARS, -1, -1, withscores=True)
        client.zrem(BARS, member)
        changed = json.dumps(json.loads(member) | changes)
        client.zadd(BARS, {changed: at if score is None else at + score})

    return damage


def append_entry(number: int, **changes: Any) -> Damage:
    """So much after the newest entry of the stream."""

    def damage(client: Any) -> None:
        ((_, fields),) = client.xrevrange(STREAM, count=1)
        seq = int(fields["seq"]) + number
        changed = {**fields, "seq": str(seq), **changes}
        client.xadd(STREAM, changed, id=f"{now_ms()}-{seq}")

    return damage


def put_field(key: str, field: str, value: str) -> Damage:
    return lambda client: client.hset(key, field, value)


def retyped(client: redis.Redis) -> None:
    client.delete(BOOK)
    client.hset(BOOK, "symbol", "SPY")


def unsorted(client: redis.Redis) -> None:
    with document(client, BOOK) as book:
        book["bids"][0], book["bids"][1] = book["bids"][1], book["bids"][0]


def nine_rows(client: redis.Redis) -> None:
    with document(client, BOOK) as book:
        del book["asks"][9]


def gap_in_the_middle(client: redis.Redis) -> None:
    with document(client, BOOK) as book:
        book["bids"] = [book["bids"][0], [None, 0, None], *book["bids"][1:9]]


def too_many(client: redis.Redis) -> None:
    newest: Any = json.loads(str(client.lindex(TRADES, 0)))
    more = [json.dumps({**newest, "seq": newest["seq"] + n}) for n in range(1, 1000)]
    client.lpush(TRADES, *more)


def foreign_contract(client: redis.Redis) -> None:
    with document(client, CHAIN) as chain:
        chain["by_contract"][CALL]["symbol"] = "MSFT"


def lost_contract(client: redis.Redis) -> None:
    """The chain no longer has the call, as all its sums say; the greeks stay."""
    client.set("options:AAPL:calls", "[]", keepttl=True)
    with document(client, CHAIN) as chain:
        del chain["by_contract"][CALL]
        chain["expirations"][0] |= {"calls": 0, "volume": 5, "open_interest": 50}
        chain["metrics"] |= {
            "contracts": 1, "calls": 0, "two_sided": 0, "with_greeks": 1, "volume": 5,
            "open_interest": 50, "put_call_volume_ratio": None,
            "put_call_open_interest_ratio": None,
        }  # fmt: skip


def metrics_with(text: str) -> Damage:
    value = f'{{"ts":{now_ms()},"writes":{text}}}'
    return lambda client: client.hset("monitoring:ibkr:metrics", "ibkr_depth", value)


DAMAGES: list[tuple[Damage, str, str]] = [
    (retyped, BOOK, "type"),
    (lambda client: client.persist(BOOK), BOOK, "ttl"),
    (lambda client: client.expire(BOOK, 100_000), BOOK, "ttl"),
    (lambda client: client.expire(GREEKS, 181), GREEKS, "ttl"),
    (lambda client: client.expire(STREAM, 100), STREAM, "ttl"),
    (put(BOOK, "state", ...), BOOK, "state"),
    (put(BOOK, "depth", 10), BOOK, "depth"),
    (put(BOOK, "bids", 0, 0, float("nan")), BOOK, "bids[0][0]"),
    (put(BOOK, "bids", 0, 0, float("inf")), BOOK, "bids[0][0]"),
    (put(BOOK, "bids", 0, 0, -1), BOOK, "bids[0][0]"),
    (put(BOOK, "asks", 0, 0, DBL_MAX), BOOK, "asks[0][0]"),
    (put(BOOK, "asks", 0, 2, "ISLAND"), BOOK, "asks[0][2]"),
    (put(BOOK, "ts", now_ms() + DAYS_MS), BOOK, "ts"),
    (put(BOOK, "symbol", "QQQ"), BOOK, "symbol"),
    (unsorted, BOOK, "bids"),
    (nine_rows, BOOK, "asks"),
    (gap_in_the_middle, BOOK, "bids"),
    (lambda client: client.set(BOOK, '{"symbol":', keepttl=True), BOOK, "value"),
    (put("market:SPY:book", "crossed", True), "market:SPY:book", "crossed"),
    (append_entry(3), STREAM, "seq"),
    (append_entry(1, venue="island"), STREAM, "venue"),
    (append_entry(1, seq="1"), STREAM, "seq"),
    (append_entry(1, price="1"), STREAM, "price"),
    (put_field("raw:ibkr:depth:last:SPY", "bid0", "1"), "raw:ibkr:depth:last:SPY", "bid0"),
    (lambda client: client.hdel(TICKER, "ask_size"), TICKER, "ask_size"),
    (lambda client: client.hdel(TICKER, "ask", "ask_size", "ask_venue", "spread", "spread_bps"),
     TICKER, "mid"),
    (put_field(TICKER, "mid", "1"), TICKER, "mid"),
    (put_field(TICKER, "bid", "nan"), TICKER, "bid"),
    (put_field(TICKER, "colour", "red"), TICKER, "colour"),
    (put_field(TICKER, "quote_ts", str(now_ms() + DAYS_MS)), TICKER, "quote_ts"),
    (put("market:SPY:last", "price", 0), "market:SPY:last", "price"),
    (put_member(TRADES, seq=99), TRADES, "[0].seq"),
    (put_member(TRADES, feed="rtvolume"), TRADES, "[0].venue"),
    (too_many, TRADES, "length"),
    (put_bar(1), BARS, "[11].score"),
    (put_bar(None, high=9.8), BARS, "[11].high"),
    (put_bar(None, close=99), BARS, "[11].close"),
    (put_bar(None, wap=float("nan")), BARS, "[11].wap"),
    (foreign_contract, CHAIN, f"by_contract.{CALL}.symbol"),
    (put(CHAIN, "metrics", "two_sided", 2), CHAIN, "metrics.two_sided"),
    (put(CHAIN, "expirations", 0, "volume", 1), CHAIN, "expirations[0].volume"),
    (put(CHAIN, "expirations", 0, "dte", 1), CHAIN, "expirations[0].dte"),
    (put(CHAIN, "source", "live"), CHAIN, "source"),
    (lambda client: client.set(CHAIN, "{", keepttl=True), CHAIN, "value"),
    (lost_contract, GREEKS, "key"),
    (lambda client: client.set("options:AAPL:calls", "[]", ex=9), "options:AAPL:calls", "rows"),
    (lambda client: client.delete("options:AAPL:puts"), "options:AAPL:puts", "key"),
    (put("options:AAPL:puts", 0, "type", "call"), "options:AAPL:puts", "[0].type"),
    (lambda client: client.set("options:MSFT:MSFT171215C00150000:greeks",
                               str(client.get(GREEKS)), ex=100),
     "options:MSFT:MSFT171215C00150000:greeks", "key"),
    (put(GREEKS, "delta", "0.5"), GREEKS, "delta"),
    (put_field("monitoring:options:AAPL", "contracts", "3"), "monitoring:options:AAPL",
     "contracts"),
    (put(NEWS, "aggregates", "article_count", 2), NEWS, "aggregates.article_count"),
    (put(NEWS, "aggregates", "avg_sentiment", 0.3), NEWS, "aggregates.avg_sentiment"),
    (put(MACD, "values", "MACD", 0.6), MACD, "values"),
    (put(MACD, "history", 1, 0, now_ms()), MACD, "history[1][0]"),
    (put(BEAT, "ts", now_ms() - 120_000), BEAT, "ts"),
    (put(BEAT, "source", "live"), BEAT, "source"),
    (lambda client: client.hset("heartbeat:alpha_vantage", "av_options", "{"),
     "heartbeat:alpha_vantage", "av_options"),
    (metrics_with("NaN"), "monitoring:ibkr:metrics", "ibkr_depth.writes"),
    (metrics_with("1e999"), "monitoring:ibkr:metrics", "ibkr_depth.writes"),
    (lambda client: client.hdel("monitoring:data:stale", "_checked_ts"), "monitoring:data:stale",
     "_checked_ts"),
    (lambda client: client.set("ibkr:connected", "true", ex=10), "ibkr:connected", "value"),
    (lambda client: client.set("market:SPY:quote", "1"), "market:SPY:quote", "key"),
    (lambda client: client.set("coord:lease:av_options", LEASE), "coord:lease:av_options", "ttl"),
    (lambda client: client.delete("coord:source") and client.hset("coord:source", "a", "b"),
     "coord:source", "type"),
    (lambda client: client.delete("monitoring:gaps") and client.set("monitoring:gaps", "none"),
     "monitoring:gaps", "type"),
    (lambda client: client.delete("coord:source"), "coord:source", "key"),
    (lambda client: client.hset("coord:seq:ibkr_trades", "trades:SPY", "-1"),
     "coord:seq:ibkr_trades", "trades:SPY"),
]  # fmt: skip


@pytest.mark.parametrize(("damage", "key", "field"), DAMAGES)
def test_the_damaged_key_and_field_are_named(
    redis_url: str, client: redis.Redis, damage: Damage, key: str, field: str
) -> None:
    asyncio.run(fill(redis_url))
    damage(client)
    found = verified(redis_url).faults
    assert {fault.key for fault in found} == {key}
    # An entry of a stream is named by its id, which a test does not know.
    fields = [fault.field.rpartition(".")[2] if key == STREAM else fault.field for fault in found]
    assert field in fields
    related = {"conditions", "past_limit", "unreported"} if field == "[0].venue" else set()
    assert {name for name in fields if name.rpartition(".")[2] not in related} == {field}


def test_another_source_is_told_wherever_it_stands(redis_url: str, client: redis.Redis) -> None:
    asyncio.run(fill(redis_url))
    client.set("coord:source", "live")
    found = {(fault.key, fault.field) for fault in verified(redis_url).faults}
    assert {(CHAIN, "source"), (NEWS, "source"), (MACD, "source"), (BEAT, "source")} <= found
    assert {field.rpartition(".")[2] for _, field in found} == {"source"}


def test_a_hole_that_the_ledger_explains_is_no_fault(redis_url: str, client: redis.Redis) -> None:
    asyncio.run(fill(redis_url))
    entries: Any = client.xrevrange(STREAM, count=1)
    newest = int(entries[0][1]["seq"])
    append_entry(3)(client)
    lost: dict[Any, Any] = {
        "feed": "depth", "symbol": "SPY", "venue": "ARCA", "from_seq": newest + 1,
        "to_seq": newest + 2, "from_ts": now_ms(), "to_ts": now_ms(), "reason": "queue full",
        "count": 2,
    }  # fmt: skip
    client.xadd("monitoring:gaps", lost)
    # The ledger is read whole, however long it is since.
    with client.pipeline() as pipe:
        for _ in range(1_100):
            pipe.xadd("monitoring:gaps", {**lost, "symbol": "QQQ"})
        pipe.execute()
    assert verified(redis_url).faults == []


def test_many_faults_are_all_told_in_the_order_of_the_contract(
    redis_url: str, client: redis.Redis
) -> None:
    asyncio.run(fill(redis_url))
    for number in range(600):
        contract = f"AAPL171215C{number:08d}"
        client.set(f"options:AAPL:{contract}:greeks", str(client.get(GREEKS)), ex=100)
    client.persist(TICKER)
    found = verified(redis_url).faults
    assert {fault.field for fault in found} == {"ttl", "key"}
    assert len(found) == 601
    assert str(found[0]) == f"{TICKER} ttl: was none, must be at most 60000 ms"
