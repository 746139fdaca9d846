"""What is stale, by how much, and why.

An age counts from the newest of: the data's receipt, its worker's start, the open of the session,
and the moment from which this watch could see at all (`resumed`). Whatever explains silence is
asked first, so that only what nobody expects is reported: outside market hours, a worker that was
stopped, a parked or refused depth subscription, a symbol that is quiet by its own measure.

Pure: the observation brings the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shared.control.rhythm import Owed, Rhythm
from shared.market.observation import Beat, DepthSeen, Observation, PollSeen

OWNERS: Final[Mapping[str, str]] = {
    "depth": "ibkr_depth",
    "quotes": "ibkr_trades",
    "trades": "ibkr_trades",
    "bars": "ibkr_trades",
    "options": "av_options",
    "sentiment": "av_sentiment",
    "technicals": "av_sentiment",
}
HEARTBEAT: Final = "heartbeat"
POLLED: Final = ("options", "sentiment", "technicals")
# A bar with volume says that something traded: so long after it the trade is overdue.
EVIDENCE_S: Final = 30.0
BAR_MS: Final = 5_000
_EXPLAINED: Final = ("suspended", "not_entitled", "error")


@dataclass(frozen=True, slots=True)
class FreshnessPolicy:
    """Seconds after which each surface is stale; `slowdown` is that of polls outside hours."""

    depth_s: float
    quotes_s: float
    trades_s: float
    bars_s: float
    options_s: float
    sentiment_s: float
    technicals_s: float
    heartbeat_s: float
    after_hours: bool = False
    slowdown: float = 1.0
    rhythm_factor: float = 4.0

    def polled_s(self, surface: str) -> float:
        return {
            "options": self.options_s,
            "sentiment": self.sentiment_s,
            "technicals": self.technicals_s,
        }[surface]


@dataclass(frozen=True, slots=True)
class Stale:
    """`reason` in words; `mute` when nothing explains it: connected, and nothing comes."""

    surface: str
    symbol: str
    age_s: float
    budget_s: float
    since_ms: int
    reason: str
    mute: bool

    @property
    def field(self) -> str:
        return f"{self.surface}:{self.symbol}"


@dataclass(frozen=True, slots=True)
class _Age:
    """From when on an age counts, how old it may become, and why it may be older."""

    from_ms: int
    budget_s: float
    explained: str = ""


class Freshness:
    """`workers` are those that ought to run; times are Unix ms."""

    def __init__(self, policy: FreshnessPolicy, workers: Sequence[str], now_ms: int) -> None:
        self._policy = policy
        self._workers = tuple(workers)
        self._from_ms = now_ms
        # Keys expire; what they said last is remembered.
        self._beats: dict[str, Beat] = {}
        self._last: dict[tuple[str, str], int] = {}
        # When a worker was last seen to be away: silence of then is none of a symbol's own.
        self._away_ms: dict[str, int] = {}
        # What each worker said of its trouble last, and when.
        self._troubles: dict[str, tuple[int, str]] = {}
        # Books that were late in a slot: the row of then, and the age that was too old.
        self._silent: dict[tuple[str, str], tuple[int, _Age]] = {}
        self._owed: Owed[tuple[str, str]] = Owed()
        self._trades: Rhythm[str] = Rhythm(policy.rhythm_factor)
        self._rows: Rhythm[tuple[str, str]] = Rhythm(policy.rhythm_factor)

    def resumed(self, now_ms: int) -> None:
        """Nothing could be seen until now, or the clock was set: no age reaches back further."""
        self._from_ms = now_ms
        # A clock that was set back would else leave times that nothing is newer than.
        self._last = {name: min(at_ms, now_ms) for name, at_ms in self._last.items()}

    def judge(self, seen: Observation) -> dict[str, Stale]:
        """What is stale now, by `surface:symbol`."""
        self._beats.update(seen.beats)
        self._away_ms.update({w: seen.now_ms for w in self._workers if self._is_away(seen, w)})
        judged = self._policy.after_hours or seen.session.state == "regular"
        if judged:
            self._learn(seen)
        found = list(self._late_workers(seen))
        if judged:
            found += self._late_data(seen)
        return {one.field: one for one in found}

    def _learn(self, seen: Observation) -> None:
        from_ms = self._owned_from(seen, "ibkr_trades")
        for symbol, at_ms in seen.trades.items():
            self._trades.seen(symbol, at_ms, from_ms)
        from_ms = self._owned_from(seen, "ibkr_depth")
        for pair, depth in seen.depth.items():
            if depth.row_ms is not None and depth.slot_since_ms is not None:
                self._rows.seen(pair, depth.row_ms, max(from_ms, depth.slot_since_ms))

    def _owned_from(self, seen: Observation, worker: str) -> int:
        """A pause that began before is an outage's, not the symbol's."""
        return max(self._earliest(seen, worker), self._away_ms.get(worker, 0))

    # Workers

    def _is_away(self, seen: Observation, worker: str) -> bool:
        beat = self._beats.get(worker)
        if beat is None or not beat.connected:
            return True
        return seen.now_ms - beat.ts_ms > self._policy.heartbeat_s * 1000

    def _late_workers(self, seen: Observation) -> Iterator[Stale]:
        budget_s = self._policy.heartbeat_s
        for worker in self._workers:
            beat = self._beats.get(worker)
            if beat is not None and beat.state == "stopped":
                continue
            from_ms = max(self._from_ms, beat.ts_ms if beat else 0)
            if (stale := _stale(seen, (HEARTBEAT, worker), _Age(from_ms, budget_s))) is not None:
                yield stale

    def _is_judged(self, worker: str) -> bool:
        """Of a worker that is off, or was stopped on purpose, nothing is expected."""
        beat = self._beats.get(worker)
        return worker in self._workers and beat is not None and beat.state != "stopped"

    def _explanation(self, seen: Observation, worker: str) -> str:
        """What the worker itself says of its trouble; empty when it says that all is well."""
        beat = self._beats[worker]
        late_s = (seen.now_ms - beat.ts_ms) / 1000
        if late_s > self._policy.heartbeat_s:
            return f"{worker} has had no heartbeat for {late_s:.0f} s"
        if not beat.connected:
            return f"{worker} is not connected: {beat.detail or beat.state}"
        return f"{worker}: {beat.detail}" if beat.state == "degraded" and beat.detail else ""

    def _aftermath(self, seen: Observation, worker: str, budget_s: float) -> str:
        """When its trouble is over, data has as long as ever to come."""
        at_ms, why = self._troubles.get(worker, (0, ""))
        return f"after: {why}" if why and seen.now_ms - at_ms <= budget_s * 1000 else ""

    def _earliest(self, seen: Observation, worker: str) -> int:
        beat = self._beats.get(worker)
        opens_ms = seen.session.opens_ms if seen.session.state == "regular" else None
        return max(self._from_ms, beat.started_ms if beat else 0, opens_ms or 0)

    # Data

    def _late_data(self, seen: Observation) -> Iterator[Stale]:
        judges: Mapping[str, Callable[[Observation], Iterator[tuple[str, _Age]]]] = {
            "depth": self._depth,
            "quotes": self._quotes,
            "trades": self._trade_ages,
            "bars": self._bars,
            **{name: self._polled(name) for name in POLLED},
        }
        for surface, ages in judges.items():
            worker = OWNERS[surface]
            if not self._is_judged(worker):
                continue
            earliest_ms, why = self._earliest(seen, worker), self._explanation(seen, worker)
            if why:
                self._troubles[worker] = (seen.now_ms, why)
            for symbol, age in ages(seen):
                said = age.explained or why or self._aftermath(seen, worker, age.budget_s)
                age = _Age(max(age.from_ms, earliest_ms), age.budget_s, said)
                if (stale := _stale(seen, (surface, symbol), age)) is not None:
                    yield stale

    def _depth(self, seen: Observation) -> Iterator[tuple[str, _Age]]:
        """The worst of a symbol's venues; one that is refused depth is not asked."""
        worst: dict[str, tuple[float, _Age]] = {}
        for (symbol, venue), depth in seen.depth.items():
            if depth.refused:
                continue
            for age in self._pair(seen, (symbol, venue), depth):
                late_s = (seen.now_ms - age.from_ms) / 1000 - age.budget_s
                if symbol not in worst or late_s > worst[symbol][0]:
                    worst[symbol] = (late_s, age)
        yield from ((symbol, age) for symbol, (_, age) in worst.items())

    def _pair(self, seen: Observation, pair: tuple[str, str], depth: DepthSeen) -> Iterator[_Age]:
        least_s, row_ms = self._policy.depth_s, depth.row_ms or 0
        # Its turn comes within a window; then it has as long as any other.
        yield _Age(row_ms, seen.rotation_window_s + least_s)
        budget_s = self._rows.budget_s(pair, least_s)
        silent = self._silent.get(pair)
        if silent is not None and silent[0] == row_ms:
            # Asked for anew it is as silent as before, until a row comes.
            yield silent[1]
        elif depth.slot_since_ms is not None and budget_s is not None:
            age = _Age(max(row_ms, depth.slot_since_ms), budget_s)
            from_ms = max(age.from_ms, self._earliest(seen, "ibkr_depth"))
            if seen.now_ms - from_ms > budget_s * 1000:
                self._silent[pair] = (row_ms, age)
            yield age

    def _quotes(self, seen: Observation) -> Iterator[tuple[str, _Age]]:
        for symbol in seen.quotes:
            at_ms = self._newest("quotes", symbol, seen.quotes[symbol])
            yield symbol, _Age(at_ms, self._policy.quotes_s)

    def _trade_ages(self, seen: Observation) -> Iterator[tuple[str, _Age]]:
        for symbol in seen.trades:
            at_ms = self._newest("trades", symbol, seen.trades[symbol])
            bar_ms = self._newest("bars", symbol, seen.bars.get(symbol, 0))
            owed_ms = self._owed.since_ms(("trades", symbol), bar_ms, at_ms + BAR_MS)
            budget_s = self._trades.budget_s(symbol, self._policy.trades_s)
            ages = [_Age(owed_ms, EVIDENCE_S)] if owed_ms is not None else []
            if budget_s is not None:
                ages.append(_Age(at_ms, budget_s))
            if ages:
                # A bar that comes late in a silence must not excuse it for as long again.
                yield symbol, min(ages, key=lambda age: age.from_ms + age.budget_s * 1000)

    def _bars(self, seen: Observation) -> Iterator[tuple[str, _Age]]:
        """A bar is owed only for what traded: from the newest reported trade on."""
        for symbol in seen.reported:
            at_ms = self._newest("reported", symbol, seen.reported[symbol])
            bar_ms = self._newest("bars", symbol, seen.bars.get(symbol, 0))
            owed_ms = self._owed.since_ms(("bars", symbol), at_ms, bar_ms)
            if owed_ms is not None:
                yield symbol, _Age(owed_ms, self._policy.bars_s)

    def _newest(self, surface: str, symbol: str, at_ms: int) -> int:
        newest = max(at_ms, self._last.get((surface, symbol), 0))
        self._last[surface, symbol] = newest
        return newest

    def _polled(self, surface: str) -> Callable[[Observation], Iterator[tuple[str, _Age]]]:
        def ages(seen: Observation) -> Iterator[tuple[str, _Age]]:
            slower = 1.0 if seen.session.state == "regular" else self._policy.slowdown
            budget_s = self._policy.polled_s(surface) * slower
            for symbol, poll in seen.polls.get(surface, {}).items():
                at_ms = self._newest(surface, symbol, poll.fetched_ms or 0)
                yield symbol, _Age(at_ms, budget_s, _said(poll))

        return ages


def _said(poll: PollSeen) -> str:
    if poll.status not in _EXPLAINED:
        return ""
    return f"{poll.status}: {poll.text}" if poll.text else poll.status


def _stale(seen: Observation, name: tuple[str, str], age: _Age) -> Stale | None:
    age_s = (seen.now_ms - age.from_ms) / 1000
    if age_s <= age.budget_s:
        return None
    since_ms = age.from_ms + round(age.budget_s * 1000)
    surface, symbol = name
    mute = not age.explained and surface != HEARTBEAT
    reason = age.explained or ("mute: connected, and nothing comes" if mute else "no heartbeat")
    return Stale(surface, symbol, round(age_s, 3), round(age.budget_s, 3), since_ms, reason, mute)
