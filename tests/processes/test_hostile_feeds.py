"""Real workers on peers that lie for a while: none ends, true data goes on, keys stay our own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest
import redis

from tests.hostile.bodies import mutated
from tests.hostile.fuzzing import foreign
from tests.hostile.test_gateway_frames import FRAMES, HOSTILE
from tests.hostile.test_vendor_bodies import MADE
from tests.support.market_rig import MarketPlan, MarketRig, running_market
from tests.support.sample_feeds import KEY, Feed
from tests.support.vendor_process import VendorProcess

WAIT_S = 30.0
EACH = 3
# As the simulator finds them, in the order of MADE.
TRUE = ("HISTORICAL_OPTIONS_IBM_20171115.json", "NEWS_SENTIMENT_IBM.json", "RSI_IBM.json")
KINDS = ("options", "news", "RSI")
QUICK = {"indicators": ["RSI"], "failure_backoff_s": 0.5, "failure_backoff_max_s": 1.0}
pytestmark = pytest.mark.timeout(180)


def hostile_frame(random: Random) -> bytes:
    """A mutated frame, for any request that may be open."""
    fields = list(random.choice(FRAMES))
    at = 1 if fields[0] in (b"99", b"98", b"17") else 2
    fields[at] = b"%d" % random.randint(1, 60)
    for _ in range(random.randint(1, 2)):
        fields[random.randrange(1, len(fields))] = random.choice(HOSTILE)
    payload = b"\0".join(fields)
    return len(payload).to_bytes(4, "big") + payload


def shower(rig: MarketRig, random: Random) -> None:
    frames = b"".join(hostile_frame(random) for _ in range(60))
    rig.gateway.call("send_raw", hex=frames.hex())


def counted(rig: MarketRig) -> bool:
    ticks, rows = rig.keys.trades_metrics(), rig.keys.metrics()
    return bool(ticks.get("bad_ticks") and rows.get("bad_rows"))


def connections(rig: MarketRig) -> list[int]:
    return [one["connection"] for one in rig.gateway.call("clients")["clients"]]


def keys_in(url: str) -> list[str]:
    with redis.Redis.from_url(url) as client:
        return [key.decode("utf-8", "replace") for key in client.scan_iter()]


def test_workers_of_a_gateway_that_lies_go_on(tmp_path: Path, redis_url: str) -> None:
    random = Random(7)
    with running_market(tmp_path, redis_url, MarketPlan(depth=True)) as rig:
        assert rig.depth is not None
        workers = [rig.worker, rig.depth]
        pids = [worker.pid for worker in workers]
        rig.wait_trades(WAIT_S)
        rig.wait_until(lambda: rig.keys.last_seq("SPY") > 0, WAIT_S, "a depth row of SPY")

        for _ in range(20):
            shower(rig, random)

        def heard() -> bool:
            shower(rig, random)
            return counted(rig)

        rig.wait_until(heard, WAIT_S, "unreadable ticks and rows to be counted")
        # Lengths that are none end a connection, and nothing else.
        last = max(connections(rig))
        rig.gateway.call("send_raw", hex="ffffffff00")
        rig.wait_until(
            lambda: len(found := connections(rig)) == 2 and min(found) > last,
            WAIT_S, "both to connect again",
        )  # fmt: skip
        rows = rig.keys.last_seq("SPY")
        rig.wait_trades(WAIT_S)
        rig.wait_until(lambda: rig.keys.last_seq("SPY") > rows, WAIT_S, "more depth rows of SPY")
        assert [worker.pid for worker in workers] == pids
        assert [worker.exit_code for worker in workers] == [None, None]
        assert foreign(keys_in(redis_url)) == []


def write_answers(directory: Path) -> list[str]:
    """What the simulator answers, and mutations of it, by the names of their files."""
    random, names = Random(7), []
    for name, (_, body) in zip(TRUE, MADE, strict=True):
        (directory / name).write_bytes(body)
        for number in range(EACH):
            names.append(f"lie{number}_{name}")
            (directory / names[-1]).write_bytes(mutated(body, random))
    return names


def test_workers_of_a_vendor_that_lies_go_on(tmp_path: Path, redis_url: str) -> None:
    answers = tmp_path / "answers"
    answers.mkdir()
    lies = write_answers(answers)
    vendor = VendorProcess("--no-limits", "--samples", str(answers))
    feed = Feed(tmp_path / "feed", redis_url, vendor, ("IBM",), QUICK)
    try:
        feed.start()
        feed.wait(lambda: all(map(fetched(feed), KINDS)), "all kinds of documents")
        pids = [worker.pid for worker in feed.workers]
        for name in lies:
            for function in ("HISTORICAL_OPTIONS", "NEWS_SENTIMENT", "RSI"):
                vendor.fault("body", function=function, file=name, count=1)
        feed.wait(lambda: all(map(spoilt(feed), feed.names)), "both to count what was of no use")
        vendor.clear()
        before = {kind: fetched(feed)(kind) for kind in KINDS}
        feed.wait(
            lambda: all(fetched(feed)(kind) > before[kind] for kind in KINDS), "true answers again"
        )
        assert [worker.pid for worker in feed.workers] == pids
        assert [worker.exit_code for worker in feed.workers] == [None, None]
        assert foreign(keys_in(redis_url)) == []
        assert feed.keys.holding(KEY) == []
        assert all(KEY not in worker.log_text() for worker in feed.workers)
    finally:
        feed.close()
        vendor.stop()


def fetched(feed: Feed) -> Callable[[str], int]:
    """When a document was fetched last, Unix ms."""
    documents: dict[str, Callable[[], Mapping[str, Any]]] = {
        "options": lambda: feed.keys.monitor("IBM"),
        "news": lambda: feed.keys.news("IBM"),
        "RSI": lambda: feed.keys.technicals("IBM", "RSI"),
    }
    return lambda kind: int(documents[kind]().get("fetched_ts", 0))


def spoilt(feed: Feed) -> Callable[[str], int]:
    """How many answers a worker could not use."""

    def count(name: str) -> int:
        figures = feed.keys.figures(name)
        return sum(int(figures.get(one, 0)) for one in ("failures", "bad_documents"))

    return count
