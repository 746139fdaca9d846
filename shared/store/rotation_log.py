"""What the rotation ledger and the fallback hash tell a worker that starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from shared.market.depth import Pair, Refusal
from shared.store.connection import Store
from shared.store.keys import Keys

_LOOK_BACK: Final = 300
# A cancel for these reasons ended a live book without the rotation having parked it.
_OUTAGES: Final = ("stop", "disconnect")


class _FallbackRow(msgspec.Struct, frozen=True):
    code: int
    text: str
    ts: int
    retry_ts: int


def live_at_end(entries: Iterable[Mapping[str, str]]) -> list[Pair]:
    """Pairs that were live when the ledger (oldest first) ends: killed, stopped or cut off."""
    live: dict[Pair, None] = {}
    for entry in entries:
        pair = Pair(entry.get("symbol", ""), entry.get("venue", ""))
        event, detail = entry.get("event"), entry.get("detail", "")
        if event == "live":
            live[pair] = None
        elif event == "cancel" and not detail.startswith(_OUTAGES) or event == "refused":
            live.pop(pair, None)
    return list(live)


async def read_interrupted(store: Store, keys: Keys) -> list[tuple[Pair, int]]:
    """(pair, time in ms of its symbol's last stream entry) for each pair live at the end."""
    raw: Any = await store.call(store.client.xrevrange(keys.rotation(), "+", "-", count=_LOOK_BACK))
    entries = [
        {name.decode(): value.decode() for name, value in fields.items()}
        for _, fields in reversed(raw)
    ]
    interrupted: list[tuple[Pair, int]] = []
    for pair in live_at_end(entries):
        stream = keys.depth_stream(pair.symbol)
        newest: Any = await store.call(store.client.xrevrange(stream, "+", "-", count=1))
        if newest:
            interrupted.append((pair, int(newest[0][1][b"ts"])))
    return interrupted


async def read_fallback(store: Store, keys: Keys) -> list[Refusal]:
    """Refused pairs; a row that cannot be read is left out and will be asked for again."""
    raw: Any = await store.call(store.client.hgetall(keys.depth_fallback()))
    refusals: list[Refusal] = []
    for name, value in raw.items():
        symbol, _, venue = name.decode("utf-8", "replace").rpartition(":")
        try:
            row = msgspec.json.decode(value, type=_FallbackRow)
        except msgspec.DecodeError:
            continue
        refusals.append(Refusal(Pair(symbol, venue), row.code, row.text, row.ts, row.retry_ts))
    return refusals


__all__ = ["live_at_end", "read_fallback", "read_interrupted"]
