"""What the depth feed says to the world; the worker connects it to the store."""

from __future__ import annotations

from typing import Protocol

from shared.market.depth import DepthUpdate, GapWindow, Pair, Refusal, RotationEvent


class DepthOutlet(Protocol):
    def update(self, update: DepthUpdate) -> None:
        """One row's book, to be written as its own stream entry."""

    def congested(self) -> bool:
        """More than enough is queued and being written: let the gateway hold the rest."""

    def parked(self, pair: Pair) -> None:
        """The pair has no live request any more: its book is the last known one."""

    def quoting(self, live: dict[str, list[str]]) -> None:
        """Symbols whose quote this feed owns now, with their healthy venues."""

    def window(self, window_s: float) -> None:
        """The rotation window changed; expiries follow it."""

    def gap(self, gap: GapWindow) -> None: ...

    def rotation(self, event: RotationEvent) -> None: ...

    def fallback(self, pair: Pair, refusal: Refusal | None) -> None:
        """Depth refused for a pair, or (None) asked for again."""

    def incident(self, kind: str, symbol: str, text: str) -> None: ...
