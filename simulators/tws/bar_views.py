from __future__ import annotations

from typing import Any, Final

from . import wire_ticks
from .bars import BAR_S, Bar, bar_start_s, merged
from .hours import eastern_text, regular_hours
from .security import Security

__all__ = ["BarsView", "UpdatesView", "date_text"]

_UPDATE_S: Final = 1.0


def date_text(epoch_s: int, format_date: int) -> str:
    return str(epoch_s) if format_date == 2 else eastern_text(epoch_s)


class BarsView:
    """Real-time bars: each once, when it is finished."""

    def __init__(self, req_id: int, security: Security, what: str, regular_only: bool) -> None:
        self._req_id = req_id
        self._security = security
        self.what = what
        self._regular_only = regular_only
        # The bar in progress is the first one sent.
        self._next_s = bar_start_s(security.clock_ms // 1000)
        self._held: list[tuple[int, Bar]] = []
        self._again: list[Bar] = []
        self.sent = 0
        self._skipped = 0
        self._last_s: int | None = None

    def poll(self, now_s: float) -> list[bytes]:
        clock_ms = self._security.clock_ms
        for bar in self._finished():
            late_ms = self._security.late_bars.get(bar.start_s, 0)
            self._held.append(((bar.start_s + BAR_S) * 1000 + late_ms if late_ms else 0, bar))
        due = [bar for due_ms, bar in self._held if due_ms <= clock_ms]
        self._held = [(due_ms, bar) for due_ms, bar in self._held if due_ms > clock_ms]
        due += self._again
        self._again = []
        self.sent += len(due)
        self._last_s = max([bar.start_s for bar in due], default=self._last_s)
        return [wire_ticks.real_time_bar(self._req_id, bar) for bar in due]

    def skip(self) -> None:
        self._skipped += len(self._finished())

    def correct(self, bar: Bar) -> bool:
        """Sends a bar again, if it was sent at all."""
        if bar.start_s >= self._next_s or any(bar.start_s == b.start_s for _, b in self._held):
            return False
        self._again.append(bar)
        return True

    def record(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "bars": self.sent,
            "bars_skipped": self._skipped,
            "last_bar": self._last_s,
        }

    def _finished(self) -> list[Bar]:
        bars = self._security.bars[self.what].closed_since(self._next_s)
        if bars:
            self._next_s = bars[-1].start_s + BAR_S
        return [b for b in bars if not self._regular_only or regular_hours(b.start_s)]


class UpdatesView:
    """keepUpToDate: the newest bar of a history again (message 90) whenever it has changed."""

    def __init__(
        self, req_id: int, security: Security, what: str, size_s: int, format_date: int
    ) -> None:
        self._req_id = req_id
        self._security = security
        self._what = what
        self._size_s = size_s
        self._format_date = format_date
        # The newest bar the client has.
        self._shown: Bar | None = None
        self._next_s = 0.0
        self._regular_only = False
        self.updates = 0

    def begin(self, shown: Bar, regular_only: bool) -> None:
        self._shown = shown
        self._regular_only = regular_only

    def poll(self, now_s: float) -> list[bytes]:
        if now_s < self._next_s:
            return []
        self._next_s = now_s + _UPDATE_S
        changed = [bar for bar in self._newest() if bar != self._shown]
        if changed:
            self._shown = changed[-1]
            self.updates += len(changed)
        return [
            wire_ticks.historical_data_update(
                self._req_id, date_text(bar.start_s, self._format_date), bar
            )
            for bar in changed
        ]

    def skip(self) -> None:
        newest = self._newest()
        self._shown = newest[-1] if newest else self._shown

    def record(self) -> dict[str, Any]:
        return {"what": self._what, "updates": self.updates}

    def _newest(self) -> list[Bar]:
        begin_s = self._shown.start_s if self._shown else 0
        bars = self._security.bars[self._what].between(begin_s, float("inf"))
        kept = [b for b in bars if not self._regular_only or regular_hours(b.start_s)]
        return merged(kept, self._size_s)
