"""Connected but mute: judged by the age of the data, never by the socket.

A live subscription without a row for `stale_s` is asked about (a probe of the gateway); where the
gateway answers, the subscription itself is renewed. A market that is closed is mute too, so
fruitless renewals come ever more seldom. A new request is answered with what is known, by day and
by night: that alone is no fruit.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

MAX_WAIT_S: Final = 900.0
FIRST_WAIT_S: Final = 60.0
# So long what comes may be the answer to the request itself: the last quote, the whole book.
ANSWER_S: Final = 5.0


class Verdict(Enum):
    FINE = "fine"
    PROBE = "probe"
    RENEW = "renew"


class Silence:
    """One pair's silence, over all its subscriptions; monotonic seconds."""

    def __init__(self, stale_s: float) -> None:
        self._stale_s = stale_s
        self._heard_s = 0.0
        self._subscribed_s = 0.0
        self._deadline_s: float | None = None
        self._probed_s: float | None = None
        self._renewed_s: float | None = None
        self._wait_s = 0.0
        self.fruitless = 0

    def subscribed(self, now_s: float) -> None:
        self._heard_s = self._subscribed_s = now_s
        self._probed_s = None
        self._deadline_s = None

    def heard(self, row_s: float) -> None:
        """The newest row came at `row_s`; one that is known already changes nothing."""
        if row_s <= self._heard_s:
            return
        self._heard_s = row_s
        self._deadline_s = None
        if row_s - self._subscribed_s > ANSWER_S:
            self._wait_s = 0.0
            self.fruitless = 0

    def expect_by(self, deadline_s: float) -> None:
        """Data was promised (1102): silence counts from `deadline_s`, not after `stale_s`."""
        self._deadline_s = deadline_s

    def probed(self, now_s: float) -> None:
        """The gateway answered a probe: the line is alive, whatever the data does."""
        self._probed_s = now_s

    def healthy(self, now_s: float) -> bool:
        """Fresh by a row, or quiet on a line that was probed since it went quiet."""
        return now_s - self._heard_s <= self._stale_s or (
            self._probed_s is not None and now_s - self._probed_s <= self._stale_s
        )

    def judge(self, now_s: float) -> Verdict:
        limit_s = self._heard_s + self._stale_s
        if self._deadline_s is not None:
            limit_s = min(limit_s, self._deadline_s)
        if now_s <= limit_s:
            return Verdict.FINE
        if self._probed_s is None or now_s - self._probed_s > self._stale_s / 2:
            return Verdict.PROBE
        if self._renewed_s is not None and now_s - self._renewed_s < self._wait_s:
            return Verdict.FINE
        return Verdict.RENEW

    def renewed(self, now_s: float) -> None:
        self._renewed_s = now_s
        self._deadline_s = None
        self.fruitless += 1
        self._wait_s = min(MAX_WAIT_S, max(FIRST_WAIT_S, self._wait_s * 2))
