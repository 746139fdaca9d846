"""Which changes of what is stale are told to people. Pure.

While a worker is away what it owes may come from elsewhere for a while: depth quotes a symbol
during its turn, and so every symbol would be stale and fresh again and again. Of a worker without
a heartbeat nothing is called fresh before it is back, so that its absence is told once.
"""

from __future__ import annotations

from collections.abc import Mapping

from shared.control.freshness import HEARTBEAT, OWNERS, Stale


class Telling:
    def __init__(self) -> None:
        # What was told to be stale, and not yet that this is over.
        self._told: dict[str, Stale] = {}

    def changes(self, stale: Mapping[str, Stale]) -> tuple[list[Stale], list[Stale]]:
        """What is to be told as begun and as over, of what is stale now by `surface:symbol`."""
        begun = [one for field, one in stale.items() if field not in self._told]
        ended = [
            one
            for field, one in self._told.items()
            if field not in stale and f"{HEARTBEAT}:{OWNERS.get(one.surface)}" not in stale
        ]
        for one in ended:
            del self._told[one.field]
        self._told.update(stale)
        return begun, ended
