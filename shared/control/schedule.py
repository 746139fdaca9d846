"""Which poll is to go out now: every symbol's data types in turn, at their intervals.

Everything is due at the start, in the given order: what has no data yet fills up as fast as calls
allow. From then on each poll has its moments on a grid of its interval, and the grids of polls with
the same interval are spread over it, so that calls come evenly. A turn is moved around its moment
by chance (by `jitter` of the interval in all), the grid is not, so nothing drifts.

A turn that is served late takes those it missed with it: the next one is the first moment at least
half an interval later. Who has been due longest goes first, so nobody starves when calls are short.

Pure: monotonic seconds and a random number in [0, 1) come in.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

NEVER: Final = math.inf


@dataclass(frozen=True, slots=True)
class Poll:
    symbol: str
    kind: str
    interval_s: float


@dataclass(slots=True)
class _Turn:
    """A poll's place: `phase` is the share of its interval by which its grid is moved."""

    poll: Poll
    phase: float
    # The next one on the grid, and one out of turn: the first fetch, or a try again.
    regular_s: float
    extra_s: float
    started_s: float = -NEVER
    in_flight: bool = False

    @property
    def due_s(self) -> float:
        return min(self.regular_s, self.extra_s)


class Schedule:
    """`jitter` is the share of an interval over which a turn is spread around its moment."""

    def __init__(
        self, polls: Sequence[Poll], jitter: float, random: Callable[[], float], now_s: float
    ) -> None:
        self._jitter = jitter
        self._random = random
        self._factor = 1.0
        self._origin_s = now_s
        # In the given order, which is the order of those due since the same moment.
        self._turns = {
            (poll.symbol, poll.kind): _Turn(poll, phase, NEVER, now_s)
            for poll, phase in zip(polls, _phases(polls), strict=True)
        }

    @property
    def in_flight(self) -> int:
        return sum(turn.in_flight for turn in self._turns.values())

    def due(self, now_s: float, allowed: Callable[[Poll], bool]) -> Poll | None:
        """The most overdue poll that may go out; one that is not allowed stays due."""
        waiting = sorted(self._waiting(), key=lambda turn: turn.due_s)
        for turn in waiting:
            if turn.due_s > now_s:
                break
            if allowed(turn.poll):
                return turn.poll
        return None

    def wait_s(self, now_s: float) -> float:
        """Until the next poll that is not in flight falls due; `math.inf` when there is none."""
        return max(0.0, min((turn.due_s for turn in self._waiting()), default=NEVER) - now_s)

    def overdue_s(self, now_s: float) -> float:
        """How long the most overdue poll that is not in flight has been due, else 0.0."""
        return max(0.0, now_s - min((turn.due_s for turn in self._waiting()), default=NEVER))

    def start(self, poll: Poll, now_s: float) -> None:
        """In flight from now on."""
        turn = self._turn(poll)
        turn.in_flight = True
        turn.started_s = now_s
        self._pass_on(turn, now_s)

    def finish(self, poll: Poll) -> None:
        self._turn(poll).in_flight = False

    def skip(self, poll: Poll, now_s: float) -> None:
        """Not now: to its next turn, without being in flight."""
        self._pass_on(self._turn(poll), now_s)

    def retry(self, poll: Poll, now_s: float, wait_s: float) -> None:
        """Finished, but to be tried again after `wait_s` or at its next turn, if that is sooner."""
        turn = self._turn(poll)
        turn.in_flight = False
        turn.extra_s = now_s + wait_s
        if turn.regular_s <= now_s:
            # It passed while this was in flight and must not cut the wait short.
            turn.regular_s = self._next_s(turn, now_s)

    def slow_down(self, factor: float, now_s: float) -> None:
        """Make all intervals `factor` times their own from now on; what is due now stays due."""
        if factor == self._factor:
            return
        self._factor = factor
        self._origin_s = now_s
        for turn in self._turns.values():
            if turn.in_flight or turn.regular_s > now_s:
                half_s = self._interval_s(turn) / 2.0
                turn.regular_s = self._moment_s(turn, max(now_s, turn.started_s + half_s))

    def _turn(self, poll: Poll) -> _Turn:
        return self._turns[poll.symbol, poll.kind]

    def _waiting(self) -> Iterator[_Turn]:
        return (turn for turn in self._turns.values() if not turn.in_flight)

    def _interval_s(self, turn: _Turn) -> float:
        return turn.poll.interval_s * self._factor

    def _pass_on(self, turn: _Turn, now_s: float) -> None:
        turn.extra_s = NEVER
        turn.regular_s = self._next_s(turn, now_s)

    def _next_s(self, turn: _Turn, now_s: float) -> float:
        return self._moment_s(turn, now_s + self._interval_s(turn) / 2.0)

    def _moment_s(self, turn: _Turn, from_s: float) -> float:
        """The first moment of its grid from `from_s` on, moved by chance, not before `from_s`."""
        interval_s = self._interval_s(turn)
        first_s = self._origin_s + turn.phase * interval_s
        moment_s = first_s + math.ceil((from_s - first_s) / interval_s) * interval_s
        moved_s = (self._random() - 0.5) * self._jitter * interval_s
        return max(from_s, moment_s + moved_s)


def _phases(polls: Sequence[Poll]) -> list[float]:
    """Shares of the interval, evenly spread over the symbols that are polled at the same one."""
    symbols: dict[float, list[str]] = {}
    for poll in polls:
        sharing = symbols.setdefault(poll.interval_s, [])
        if poll.symbol not in sharing:
            sharing.append(poll.symbol)
    return [
        symbols[poll.interval_s].index(poll.symbol) / len(symbols[poll.interval_s])
        for poll in polls
    ]
