"""What to do about what is stale: ask a worker to renew one symbol, or its whole feed.

Only silence that nothing explains is acted upon. Each action has a cool-down and a limit per hour:
what does not help is not repeated for ever.

Pure: Unix ms come in.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from shared.control.freshness import OWNERS, Stale

_HOUR_MS: Final = 3_600_000
# So many symbols of a surface mute at once, and at least half of them: the feed is.
_FEED_SYMBOLS: Final = 3


@dataclass(frozen=True, slots=True)
class HealingPolicy:
    resubscribe_cooldown_s: float
    reconnect_cooldown_s: float
    actions_per_hour: int


@dataclass(frozen=True, slots=True)
class Action:
    """`symbol` is empty for a reconnect; `why` names the surfaces."""

    worker: str
    command: Literal["resubscribe", "reconnect"]
    symbol: str
    why: str


class Healing:
    """`watched`: how many symbols each surface has."""

    def __init__(self, policy: HealingPolicy, watched: Mapping[str, int]) -> None:
        self._policy = policy
        self._watched = watched
        self._done: dict[tuple[str, str], deque[int]] = {}

    def act(self, stale: Iterable[Stale], now_ms: int) -> list[Action]:
        mute = [one for one in stale if one.mute]
        actions: list[Action] = []
        renewed: set[str] = set()
        for surface in OWNERS:
            symbols = [one.symbol for one in mute if one.surface == surface]
            if len(symbols) >= _FEED_SYMBOLS and 2 * len(symbols) >= self._watched.get(surface, 0):
                worker = OWNERS[surface]
                renewed.add(worker)
                why = f"{surface} of {len(symbols)} symbols"
                actions += self._allowed(Action(worker, "reconnect", "", why), now_ms)
        for (worker, symbol), surfaces in _by_symbol(mute).items():
            if worker not in renewed:
                why = ", ".join(surfaces)
                actions += self._allowed(Action(worker, "resubscribe", symbol, why), now_ms)
        return actions

    def _allowed(self, action: Action, now_ms: int) -> list[Action]:
        policy = self._policy
        done = self._done.setdefault((action.worker, action.symbol), deque())
        while done and not 0 <= now_ms - done[0] < _HOUR_MS:
            done.popleft()
        cooldown_s = policy.resubscribe_cooldown_s if action.symbol else policy.reconnect_cooldown_s
        resting = bool(done) and now_ms - done[-1] < cooldown_s * 1000
        if resting or len(done) >= policy.actions_per_hour:
            return []
        done.append(now_ms)
        return [action]


def _by_symbol(mute: Iterable[Stale]) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for one in mute:
        found.setdefault((OWNERS[one.surface], one.symbol), []).append(one.surface)
    return found
