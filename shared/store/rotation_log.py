"""What the rotation ledger and the fallback hash tell a worker that starts."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import Annotated, Final

import msgspec

from shared.market.depth import Pair, Refusal
from shared.store.connection import Store
from shared.store.kept import number, read, text
from shared.store.keys import Keys

_LOOK_BACK: Final = 300
# The cancel that parks a pair; every other one, and a refusal, cut off what was live.
_PARKED: Final = "rotation"
# How far back the last entry of one venue is looked for, where a symbol has several.
_VENUE_LOOK_BACK: Final = 1_000


UnixMs = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class _FallbackRow(msgspec.Struct, frozen=True):
    code: int
    text: str
    ts: UnixMs
    retry_ts: UnixMs


def live_at_end(entries: Iterable[Mapping[str, str]]) -> list[Pair]:
    """Pairs that were live when the ledger (oldest first) ends: killed, stopped or cut off."""
    live: dict[Pair, None] = {}
    for entry in entries:
        pair = Pair(entry.get("symbol", ""), entry.get("venue", ""))
        event, detail = entry.get("event"), entry.get("detail", "")
        if event == "live":
            live[pair] = None
        elif event == "cancel" and detail == _PARKED:
            live.pop(pair, None)
    return list(live)


async def read_interrupted(
    store: Store, keys: Keys, symbols: Container[str]
) -> list[tuple[Pair, int]]:
    """Of `symbols`, (pair, time in ms of its last stream entry) for each pair live at the end."""
    key = keys.rotation()
    raw = await read(store, key, store.client.xrevrange(key, "+", "-", count=_LOOK_BACK), [])
    entries = [
        {text(name): text(value) for name, value in fields.items()} for _, fields in reversed(raw)
    ]
    interrupted: list[tuple[Pair, int]] = []
    for pair in live_at_end(entries):
        if pair.symbol not in symbols:
            continue
        last_ts = await _last_ts(store, keys.depth_stream(pair.symbol), pair.venue)
        if last_ts:
            interrupted.append((pair, last_ts))
    return interrupted


async def _last_ts(store: Store, stream: str, venue: str) -> int:
    """When its last entry was received; where none of the newest is its own, that of the oldest."""
    ts = 0
    for count in (1, _VENUE_LOOK_BACK):
        newest = await read(
            store, stream, store.client.xrevrange(stream, "+", "-", count=count), []
        )
        for _, fields in newest:
            ts = number(fields.get(b"ts"))
            if fields.get(b"venue") == venue.encode():
                return ts
    return ts


async def read_fallback(store: Store, keys: Keys, symbols: Container[str]) -> list[Refusal]:
    """Refused pairs of `symbols`; a row that cannot be read is left out, its pair asked for."""
    key = keys.depth_fallback()
    raw = await read(store, key, store.client.hgetall(key), {})
    refusals: list[Refusal] = []
    for name, value in raw.items():
        symbol, _, venue = text(name).rpartition(":")
        try:
            row = msgspec.json.decode(value, type=_FallbackRow)
        except (ValueError, RecursionError):
            continue
        if symbol not in symbols:
            continue
        refusals.append(Refusal(Pair(symbol, venue), row.code, row.text, row.ts, row.retry_ts))
    return refusals


__all__ = ["live_at_end", "read_fallback", "read_interrupted"]
