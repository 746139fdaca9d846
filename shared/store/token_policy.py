"""The arithmetic of a shared call budget, and what its bucket in Redis says."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.settings_sections import AlphaVantageSettings
from shared.store.kept import number

MINUTE_MS: Final = 60_000.0
# Calls a second by plan (calls a minute, up to), as far as the vendor's refusals tell.
_PER_S_BY_PLAN: Final = ((5, 1), (150, 5), (300, 10), (600, 20))
_PER_S_ABOVE: Final = 30
# Calls bunch up on the way to the vendor: with six tenths of what a second may hold, up to two
# thirds of a second of bunching passes.
_SHARE_OF_A_SECOND: Final = 0.6
# Where the settings leave no slack, a caller must still be able to make use of its slot.
_LEAST_LATE_MS: Final = 50.0


@dataclass(frozen=True, slots=True)
class BucketPolicy:
    """Slots are `interval_ms` apart in the long run and never closer than `spacing_ms`.

    Any span of T ms holds at most T / `interval_ms` + `burst` slots. A call leaves at most
    `late_ms` after its slot, so no 60 s of calls exceed `calls_per_min` and no second exceeds
    `calls_per_s`, with as much again to spare for the way to the vendor. A `safety_buffer` of 0 or
    1 leaves the minute hardly anything to spare.
    """

    calls_per_min: int
    safety_buffer: int
    calls_per_s: int
    horizon_s: float = 60.0

    def __post_init__(self) -> None:
        if not 0 <= self.safety_buffer < self.calls_per_min:
            raise ValueError(
                f"safety buffer must be from 0 to under calls per minute {self.calls_per_min},"
                f" was {self.safety_buffer}"
            )
        if self.calls_per_s < 1:
            raise ValueError(f"calls per second must be at least 1, was {self.calls_per_s}")

    @classmethod
    def from_settings(cls, settings: AlphaVantageSettings) -> BucketPolicy:
        per_s = settings.calls_per_s or _calls_per_s(settings.calls_per_min)
        return cls(settings.calls_per_min, settings.safety_buffer, per_s)

    @property
    def budget_per_min(self) -> int:
        return self.calls_per_min - self.safety_buffer

    @property
    def interval_ms(self) -> float:
        return MINUTE_MS / self.budget_per_min

    @property
    def spacing_ms(self) -> float:
        return 1_000.0 / (_SHARE_OF_A_SECOND * self.calls_per_s)

    @property
    def burst(self) -> int:
        """Calls that may come at once (`spacing_ms` apart) after a quiet time.

        Half of the buffer: what a lost bucket or bunched calls may add has the other half.
        """
        return max(1, self.safety_buffer // 2)

    @property
    def late_ms(self) -> float:
        """How long after its slot a call may leave: half of what the plan would forgive."""
        second = self.calls_per_s * self.spacing_ms - 1_000.0
        minute = (self.calls_per_min - self.burst + 1) * self.interval_ms - MINUTE_MS
        return max(_LEAST_LATE_MS, min(second, minute) / 2)


def _calls_per_s(calls_per_min: int) -> int:
    return next((per_s for most, per_s in _PER_S_BY_PLAN if calls_per_min <= most), _PER_S_ABOVE)


@dataclass(frozen=True, slots=True)
class BucketState:
    """What the bucket held at one moment of the server's clock; times in Unix us."""

    now_us: int
    empty_us: int | None = None
    cooldown_us: int = 0
    cooldown_reason: str = ""
    window_us: int | None = None
    granted: int = 0
    waited: int = 0
    waited_us: int = 0
    refused: int = 0

    @classmethod
    def parse(cls, now_us: int, held: Mapping[bytes, bytes]) -> BucketState:
        cooldown_us = min(
            _number(held, b"cooldown_us") or 0, now_us + (_number(held, b"cooldown_len_us") or 0)
        )
        reason = held.get(b"cooldown_reason", b"").decode("utf-8", "replace")
        return cls(
            now_us,
            _number(held, b"empty_us"),
            cooldown_us,
            reason if cooldown_us > now_us else "",
            _number(held, b"window_us"),
            _number(held, b"granted") or 0,
            _number(held, b"waited") or 0,
            _number(held, b"waited_us") or 0,
            _number(held, b"refused") or 0,
        )

    @property
    def cooldown_left_s(self) -> float:
        return max(0.0, (self.cooldown_us - self.now_us) / 1e6)

    @property
    def window_left_s(self) -> float:
        """A window nobody began counts whole; one that has passed as good as over."""
        if self.window_us is None:
            return 60.0
        return min(60.0, max(1.0, 60.0 - (self.now_us - self.window_us) / 1e6))

    def tokens(self, policy: BucketPolicy) -> int:
        """Calls that could be made now, were it not for a cooldown."""
        if self.empty_us is None:
            return 0
        since_ms = (self.now_us - self.empty_us) / 1e3
        return max(0, min(policy.burst, math.floor(since_ms / policy.interval_ms)))

    def stats(self, policy: BucketPolicy) -> dict[str, Any]:
        return {
            "tokens": self.tokens(policy),
            "granted": self.granted,
            "waited": self.waited,
            "waited_ms": self.waited_us // 1_000,
            "refused": self.refused,
            "cooldown_left_s": round(self.cooldown_left_s, 3),
            "cooldown_reason": self.cooldown_reason,
            "calls_per_min": policy.calls_per_min,
            "budget_per_min": policy.budget_per_min,
            "calls_per_s": policy.calls_per_s,
        }


def _number(held: Mapping[bytes, bytes], name: bytes) -> int | None:
    return number(held.get(name)) or None
