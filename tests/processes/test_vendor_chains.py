"""Chains that lose contracts or stand still, and the events that announce what can be read."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any, Final

import pytest
import redis

from tests.support.redis_server import RedisServer
from tests.support.vendor_keys import VendorKeys
from tests.support.vendor_rig import (
    INDICATORS,
    KEY,
    OPTIONS,
    Table,
    VendorRig,
    vendor_scenario,
    vendors_side_by_side,
)

SCENARIOS: Final[Table] = {}
HIT: Final = "TSLA"


class Listener:
    """Reads the keys of every event at once, as a subscriber does."""

    def __init__(self, url: str) -> None:
        self.events: list[tuple[str, dict[str, Any], dict[str, Any]]] = []
        self._keys = VendorKeys(url)
        client = redis.Redis.from_url(url, decode_responses=True)
        self._pubsub: Any = client.pubsub()  # type: ignore[no-untyped-call]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Listener:
        self._pubsub.psubscribe("events:*")
        assert self._pubsub.get_message(timeout=5) is not None, "subscribed"
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(5)
        self._pubsub.close()
        self._keys.redis.close()

    def of(self, about: str) -> list[dict[str, Any]]:
        return [event for channel, event, _ in self.events if channel == f"events:{about}"]

    def _run(self) -> None:
        while not self._stop.is_set():
            message = self._pubsub.get_message(timeout=0.1)
            if message is not None:
                event = json.loads(message["data"])
                document = self._keys.json(event["key"]) or {}
                self.events.append((message["channel"], event, document))


def names_of(rig: VendorRig) -> set[str]:
    return set(rig.keys.chain(HIT)["by_contract"])


def keys_agree(rig: VendorRig) -> bool:
    wanted = {
        n for n, one in rig.keys.chain(HIT)["by_contract"].items() if one["delta"] is not None
    }
    return rig.keys.greeks(HIT).keys() == wanted


@vendor_scenario(SCENARIOS)
def contracts_that_vanish_lose_their_greeks(rig: VendorRig, server: RedisServer) -> None:
    rig.begin()
    whole = names_of(rig)
    with Listener(rig.redis_url) as heard:
        rig.vendor.fault("vanish", function=OPTIONS, symbol=HIT, share=0.2)
        rig.wait_until(lambda: names_of(rig) < whole, 4, "fewer contracts")
        rig.wait_until(lambda: heard.of(f"options:{HIT}"), 1, "an event")
        assert sum(one["greeks_removed"] for one in heard.of(f"options:{HIT}")) > 20
    rig.wait_until(lambda: keys_agree(rig), 1, "greeks of what is left")
    rig.vendor.clear()
    rig.wait_until(lambda: names_of(rig) == whole and keys_agree(rig), 3, "all back")
    # While it was down, or died, others vanished.
    for end in (rig.options.terminate, rig.options.kill):
        end()
        if rig.options.exit_code is None:
            rig.options.wait(5)
        rig.vendor.fault("vanish", function=OPTIONS, symbol=HIT, share=0.3)
        assert rig.keys.greeks(HIT)
        rig.options.start()
        rig.wait_until(lambda: names_of(rig) < whole, 10, "fewer contracts")
        rig.wait_until(lambda: keys_agree(rig), 1, "greeks of what is left")
        rig.vendor.clear()
        rig.wait_until(lambda: names_of(rig) == whole and keys_agree(rig), 4, "all back")


@vendor_scenario(SCENARIOS)
def unchanged_chains_are_renewed_and_not_rewritten(rig: VendorRig, server: RedisServer) -> None:
    rig.begin()
    rig.vendor.call("freeze")

    def unchanged() -> int:
        return min(int(rig.keys.monitor(s)["unchanged_fetches"]) for s in rig.symbols)

    rig.wait_until(lambda: unchanged() >= 2, 8, "two unchanged fetches")
    chains = {s: rig.keys.text(f"options:{s}:chain") for s in rig.symbols}
    greeks = {s: rig.keys.greeks(s) for s in rig.symbols}
    fetched = {s: int(rig.keys.monitor(s)["fetched_ts"]) for s in rig.symbols}
    for symbol in rig.symbols:
        for name in ("chain", "calls", "puts"):
            rig.keys.redis.expire(f"options:{symbol}:{name}", 20)
    with Listener(rig.redis_url) as heard:
        count = unchanged()
        rig.wait_until(lambda: unchanged() >= count + 3, 8, "three more")
        assert [one for s in rig.symbols for one in heard.of(f"options:{s}")] == []
    assert {s: rig.keys.text(f"options:{s}:chain") for s in rig.symbols} == chains
    assert {s: rig.keys.greeks(s) for s in rig.symbols} == greeks
    for symbol in rig.symbols:
        assert int(rig.keys.monitor(symbol)["fetched_ts"]) > fetched[symbol]
        for name in ("chain", "calls", "puts", f"{next(iter(greeks[symbol]))}:greeks"):
            assert int(str(rig.keys.redis.ttl(f"options:{symbol}:{name}"))) > 170
    rig.vendor.call("thaw")
    rig.wait_chains(3)
    assert max(int(rig.keys.monitor(s)["unchanged_fetches"]) for s in rig.symbols) == 0
    # Of a moving chain only what moved is new.
    stamps = [one["ts"] for one in rig.keys.greeks("SPY").values()]
    assert min(stamps) < max(stamps)


@vendor_scenario(SCENARIOS)
def events_come_when_the_keys_can_be_read(rig: VendorRig, server: RedisServer) -> None:
    rig.begin()
    with Listener(rig.redis_url) as heard:
        rig.wait_until(lambda: len(heard.of("sentiment:AAPL")) >= 3, 12, "three events of news")
        rig.vendor.fault("empty_chain", symbol=HIT)
        rig.wait_until(
            lambda: [e for e in heard.of(f"options:{HIT}") if e["status"] == "empty"], 3, "empty"
        )
        rig.vendor.clear()
        rig.wait_chains(3, [HIT])
    channels = {channel for channel, *_ in heard.events}
    assert channels == {
        *(f"events:options:{s}" for s in rig.symbols),
        *(f"events:sentiment:{s}" for s in rig.symbols if s != "SPY"),
        *(f"events:technicals:{s}:{n}" for s in rig.symbols for n in INDICATORS),
    }
    for channel, event, document in heard.events:
        told_ms = event.get("fetched_ts", event["ts"])
        if event.get("status") == "empty":
            assert document == {} and event["contracts"] == 0
        else:
            assert document["fetched_ts"] == told_ms, channel
    for symbol in rig.symbols:
        assert len(heard.of(f"options:{symbol}")) >= 6
    assert KEY not in str(heard.events)


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[None]]]:
    names = {item.name.partition("[")[2].rstrip("]") for item in request.session.items}
    with vendors_side_by_side(tmp_path_factory.mktemp("chains"), SCENARIOS, names) as running:
        yield running


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", SCENARIOS)
def test_chains_and_events(outcomes: dict[str, Future[None]], name: str) -> None:
    assert outcomes[name].result() is None
