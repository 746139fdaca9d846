"""Keys that the real writers wrote are without fault, also while they go on writing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import redis

from shared.normalize.av_options import ChainRequest
from shared.schema.row import Shape
from shared.schema.table import rows
from shared.store.connection import Store
from shared.store.keys import Keys
from shared.store.options import OptionsStore
from shared.store.resp import RespConnection
from shared.store.verify import VerifyReport, limits_of, verify
from tests.store.feeding import feeding
from tests.store.filling import KEYS, fill, now_ms, settings
from tests.support.option_bodies import REALTIME, option_body, option_row
from tests.unit.normalize.test_av_options import read


def verified(
    url: str, *meanwhile: Callable[[], Awaitable[None]], keys: Keys = KEYS
) -> VerifyReport:
    """Verifies while whatever is given goes on."""

    async def scenario() -> VerifyReport:
        store = Store(url, 2.0)
        others = [asyncio.ensure_future(work()) for work in meanwhile]
        try:
            return await verify(store, keys, settings())
        finally:
            await asyncio.gather(*others)
            await store.close()

    return asyncio.run(scenario())


def test_what_the_writers_write_is_without_fault(redis_url: str) -> None:
    asyncio.run(fill(redis_url))
    report = verified(redis_url)
    assert [str(fault) for fault in report.faults] == []
    there = {row.name for row in rows() if row.shape is not Shape.CHANNEL}
    assert set(report.checked) == there
    # Signs of seconds may have gone by now.
    gone = {name for name, count in report.checked.items() if not count}
    assert gone <= {"depth_live", "growing", "lease"}
    assert report.checked["depth_stream"] == 2
    assert report.checked["heartbeat"] == 4
    assert report.checked["greeks"] == 2


def test_an_empty_redis_is_without_fault(redis_url: str) -> None:
    report = verified(redis_url)
    assert report.faults == []
    assert sum(report.checked.values()) == 0


def test_a_running_system_is_without_fault(redis_url: str) -> None:
    asyncio.run(fill(redis_url))

    async def depth() -> None:
        async with feeding(redis_url) as feed:
            feed.claim()
            await feed.put_for(1.5)
            await feed.settle(20)

    async def chains() -> None:
        options = OptionsStore(RespConnection(redis_url, 2.0, "test"), KEYS, "sim", (180, 180))
        request = ChainRequest("AAPL", "AAPL", REALTIME)
        for turn in range(60):
            strikes = range(100 + turn % 7, 400 + turn % 5, 3)
            body = option_body([option_row(float(strike), symbol="AAPL") for strike in strikes])
            await options.write(read(body, request, now_ms()), turn)
            await asyncio.sleep(0.02)
        options.close()

    report = verified(redis_url, depth, chains)
    assert [str(fault) for fault in report.faults] == []


def test_what_is_mended_meanwhile_is_no_fault(redis_url: str, client: redis.Redis) -> None:
    asyncio.run(fill(redis_url))
    client.set("market:SPY:unknown", "1")
    client.set("options:AAPL:AAPL171215C00999000:greeks", "{", ex=100)
    book = client.get("market:SPY:book")
    client.set("market:SPY:book", "{", ex=60)

    async def mend() -> None:
        await asyncio.sleep(0.25)
        client.set("market:SPY:book", str(book), ex=60)
        client.delete("market:SPY:unknown", "options:AAPL:AAPL171215C00999000:greeks")

    assert verified(redis_url, mend).faults == []


def test_another_products_keys_are_nobodys_business(redis_url: str, client: redis.Redis) -> None:
    asyncio.run(fill(redis_url))
    client.set("desk:market:SPY:book", "{")
    client.set("session:4711", "x")
    assert verified(redis_url).faults == []


def test_keys_under_a_prefix_are_checked_alone(redis_url: str, client: redis.Redis) -> None:
    asyncio.run(fill(redis_url))
    for key in map(str, list(client.scan_iter(count=1000))):
        client.rename(key, f"desk.1:{key}")
    client.set("market:SPY:book", "{")
    client.set("desk.1:market:SPY:last", "{", ex=10)
    client.set("deskX1:market:SPY:last", "{")
    found = verified(redis_url, keys=Keys("desk.1:")).faults
    assert [(fault.key, fault.field) for fault in found] == [("desk.1:market:SPY:last", "value")]


def test_windows_are_those_of_an_account_with_one_slot_left() -> None:
    limits = limits_of(settings())
    assert limits.depth_heartbeat_s == 160
    assert limits.venue_book_s == 240
    assert limits.bucket_s == 3601
    assert limits.vendor_names["SPY"] == "SPY"
