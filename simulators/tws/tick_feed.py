from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Final

from .feed import Feed
from .floor import Floor
from .streams import Stream, StreamDesk

__all__ = ["TickFeed"]

_MARKET_KINDS: Final = ("lines", "ticks")
# Silences everything; other names are market data farms.
_LOST: Final = "lost"


class TickFeed:
    """Moves the floor on and says what each stream is sent. No I/O, no clock."""

    def __init__(self, desk: StreamDesk, floor: Floor, feed: Feed) -> None:
        self._desk = desk
        self._floor = floor
        self._feed = feed
        # History farms that are broken.
        self.history_silenced_by: set[str] = set()
        self.messages_sent: Counter[str] = Counter()

    def tick(
        self, now_s: float, now_ms: int, elapsed_s: float, blocked: Collection[int]
    ) -> dict[int, list[bytes]]:
        self._desk.expire(now_s)
        if not self._floor.securities:
            return {}
        self._floor.tick(now_ms, elapsed_s, blocked, self._waiting(blocked))
        output: dict[int, list[bytes]] = {}
        if "paused" in self._feed.silenced_by:
            return output
        for stream in self._desk:
            connection = stream.client.connection
            if stream.muted or self.silent(stream.kind):
                stream.view.skip()
            elif connection not in blocked:
                messages = stream.view.poll(now_s)
                if messages:
                    self._count(stream, len(messages))
                    output.setdefault(connection, []).extend(messages)
        return output

    def silent(self, kind: str) -> bool:
        silenced = self._feed.silenced_by
        if kind in _MARKET_KINDS:
            return bool(silenced)
        return bool(self.history_silenced_by) or _LOST in silenced

    def _count(self, stream: Stream, messages: int) -> None:
        stream.messages += messages
        self.messages_sent[stream.kind] += messages

    def _waiting(self, blocked: Collection[int]) -> set[str]:
        """A recording waits until somebody reads it, and for everybody who does."""
        waiting: set[str] = set()
        for symbol, replay in self._floor.replays.items():
            kinds = ("bars",) if replay.kind == "bars" else (*_MARKET_KINDS, "bars")
            readers = [s for s in self._desk.of(symbol) if s.kind in kinds and not s.muted]
            held = [s for s in readers if s.client.connection in blocked or self.silent(s.kind)]
            if not replay.started or not readers or held:
                waiting.add(symbol)
        return waiting
