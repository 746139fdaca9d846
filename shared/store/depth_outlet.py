"""Where everything the depth feed says ends up: the writer's queue or the ledgers."""

from __future__ import annotations

import orjson

from shared.market.depth import GapWindow, Pair, Refusal, RotationEvent
from shared.store.depth import DepthWriter
from shared.store.keys import Keys
from shared.store.losses import GapEntry
from shared.store.monitoring import Ledger


class DepthStoreOutlet:
    def __init__(self, writer: DepthWriter, ledger: Ledger, keys: Keys) -> None:
        self._writer = writer
        self._ledger = ledger
        self._keys = keys
        # The hot path: no wrapper between the feed and the queue.
        self.update = writer.put

    def congested(self) -> bool:
        return self._writer.sink is not None and self._writer.sink.congested()

    def parked(self, pair: Pair) -> None:
        self._writer.park(pair)

    def quoting(self, live: dict[str, list[str]]) -> None:
        self._writer.quoting(live)

    def window(self, window_s: float) -> None:
        self._writer.window(window_s)

    def gap(self, gap: GapWindow) -> None:
        pair = gap.pair
        self._ledger.gap(
            GapEntry(
                "depth",
                pair.symbol,
                pair.venue,
                None,
                None,
                gap.from_ts,
                gap.to_ts,
                gap.reason,
                None,
            )
        )

    def rotation(self, event: RotationEvent) -> None:
        self._ledger.rotation(
            {
                "slot": str(event.slot),
                "symbol": event.pair.symbol,
                "venue": event.pair.venue,
                "event": event.event,
                "req_id": str(event.req_id),
                "detail": event.detail,
            }
        )

    def fallback(self, pair: Pair, refusal: Refusal | None) -> None:
        value = ""
        if refusal is not None:
            value = orjson.dumps(
                {
                    "code": refusal.code,
                    "text": refusal.text,
                    "ts": refusal.ts,
                    "retry_ts": refusal.retry_ts,
                }
            ).decode()
        self._ledger.set_field(self._keys.depth_fallback(), f"{pair.symbol}:{pair.venue}", value)

    def incident(self, kind: str, symbol: str, text: str) -> None:
        self._ledger.incident(kind, symbol, text)
