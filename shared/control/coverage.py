"""How much of the session each symbol's book was live: rotation shows every symbol in turns."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class SymbolCoverage:
    live_s: float = 0.0
    subscriptions: int = 0
    last_live_ts: int = 0
    open_since_s: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Coverage:
    """Accounts live time per symbol from monotonic seconds; any venue counts once."""

    started_s: float
    symbols: dict[str, SymbolCoverage] = field(default_factory=dict)

    def subscribed(self, symbol: str) -> None:
        self._of(symbol).subscriptions += 1

    def live(self, symbol: str, venue: str, now_s: float) -> None:
        """The first row of a subscription came."""
        self._of(symbol).open_since_s.setdefault(venue, now_s)

    def ended(self, symbol: str, venue: str, now_s: float, ts_ms: int) -> None:
        entry = self._of(symbol)
        since_s = entry.open_since_s.pop(venue, None)
        if since_s is None:
            return
        entry.last_live_ts = ts_ms
        others = entry.open_since_s.values()
        # Time that another venue of the symbol covers as well is counted when that one ends.
        entry.live_s += max(0.0, min([now_s, *others]) - since_s)

    def report(self, now_s: float, ts_ms: int) -> dict[str, dict[str, float | int]]:
        """Per symbol: live_s, session_s, share, last_live_ts, subscriptions."""
        session_s = max(now_s - self.started_s, 1e-9)
        return {
            symbol: self._row(entry, now_s, session_s, ts_ms)
            for symbol, entry in self.symbols.items()
        }

    def _row(
        self, entry: SymbolCoverage, now_s: float, session_s: float, ts_ms: int
    ) -> dict[str, float | int]:
        since = entry.open_since_s.values()
        live_s = entry.live_s + (now_s - min(since) if since else 0.0)
        return {
            "live_s": round(live_s, 3),
            "session_s": round(session_s, 3),
            "share": round(min(1.0, live_s / session_s), 4),
            "last_live_ts": ts_ms if since else entry.last_live_ts,
            "subscriptions": entry.subscriptions,
        }

    def _of(self, symbol: str) -> SymbolCoverage:
        return self.symbols.setdefault(symbol, SymbolCoverage())
