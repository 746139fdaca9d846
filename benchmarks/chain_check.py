"""What Redis holds of a chain, key by key, against documents made in the plain way."""

from __future__ import annotations

import json
import time
from typing import Any, Final

import redis

from benchmarks.chain_documents import SYMBOL
from benchmarks.chain_plain import TTL_S, Document, Documents
from shared.store.keys import Keys

_SLACK_S: Final = 60
_EVENT_S: Final = 2.0


class Checker:
    """Counts what is wrong in Redis after a load; `faults` says what it was."""

    def __init__(self, url: str) -> None:
        # redis-py leaves parts of its client untyped.
        client: Any = redis.Redis.from_url(url, decode_responses=True)
        self._client = client
        self._events = self._client.pubsub(ignore_subscribe_messages=True)
        self._events.subscribe(Keys().options_events(SYMBOL))
        self._events.get_message(timeout=_EVENT_S)
        self.faults: list[str] = []

    def flush(self) -> None:
        self._client.flushall()

    def check(self, wanted: Documents, before: Documents | None = None, monitors: int = 0) -> None:
        """`before`: greeks that are as they were there keep their time.

        `monitors`: keys beside those of the chain.
        """
        keys = Keys()
        greeks = _greeks(wanted, before)
        changed = sum(one["ts"] == wanted.chain["fetched_ts"] for one in greeks.values())
        names = {keys.greeks(SYMBOL, name): one for name, one in greeks.items()}
        whole = {
            keys.calls(SYMBOL): wanted.calls,
            keys.puts(SYMBOL): wanted.puts,
            keys.chain(SYMBOL): wanted.chain,
        }
        self._compare({**whole, **names})
        self._expiries([*whole, *names])
        found = self._client.dbsize()
        self._note(found != len(whole) + len(names) + monitors, f"{found} keys in all")
        self._event({**wanted.event, "greeks_changed": changed})

    def counted(self, name: str, wanted: int) -> None:
        """What the monitor of the symbol says of bad values and the like."""
        found = self._client.hget(Keys().options_monitor(SYMBOL), name)
        self._note(found != str(wanted), f"{name} was {found}, expected {wanted}")

    def close(self) -> None:
        self._events.close()
        self._client.close()

    def _compare(self, wanted: dict[str, Any]) -> None:
        found = self._client.mget(list(wanted))
        for (key, document), text in zip(wanted.items(), found, strict=True):
            self._note(text is None or json.loads(text) != document, f"{key}: is not as it must be")

    def _expiries(self, keys: list[str]) -> None:
        with self._client.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.ttl(key)
            found = pipe.execute()
        for key, ttl_s in zip(keys, found, strict=True):
            self._note(not TTL_S - _SLACK_S < ttl_s <= TTL_S, f"{key}: expires in {ttl_s} s")

    def _event(self, wanted: Document) -> None:
        """Exactly one since the last check."""
        events: list[Document] = []
        deadline = time.monotonic() + _EVENT_S
        while not events and time.monotonic() < deadline:
            events += self._received()
        events += self._received()
        self._note(events != [wanted], f"events were {events}, expected {wanted}")

    def _received(self) -> list[Document]:
        message = self._events.get_message(timeout=0.1)
        return [json.loads(message["data"])] if message else []

    def _note(self, wrong: bool, text: str) -> None:
        if wrong:
            self.faults.append(text)


def _greeks(wanted: Documents, before: Documents | None) -> dict[str, Document]:
    if before is None:
        return wanted.greeks
    return {
        name: old if (old := before.greeks.get(name)) and _same(old, one) else one
        for name, one in wanted.greeks.items()
    }


def _same(old: Document, new: Document) -> bool:
    return {**old, "ts": 0} == {**new, "ts": 0}
