"""How often a vendor lets us ask: so many requests within so long. Pure, monotonic seconds.

TWS counts new real-time bar requests (60 in 10 minutes) and historical requests of small bars (60
in 10 minutes) over all clients of an account, and answers more of them with 420 or 162.
"""

from __future__ import annotations

from collections import deque


class Pacing:
    def __init__(self, requests: int, within_s: float) -> None:
        """At most `requests` (at least 1) in any `within_s` seconds."""
        self._requests = requests
        self._within_s = within_s
        self._sent: deque[float] = deque()
        self._not_before_s = 0.0

    def free(self, now_s: float) -> int:
        """How many requests may go out now."""
        while self._sent and self._sent[0] <= now_s - self._within_s:
            self._sent.popleft()
        waiting = now_s < self._not_before_s
        return 0 if waiting else max(0, self._requests - len(self._sent))

    def sent(self, now_s: float) -> None:
        self._sent.append(now_s)

    def refused(self, now_s: float, wait_s: float) -> None:
        """The vendor counts more than we do (other clients): nothing for `wait_s`."""
        self._not_before_s = max(self._not_before_s, now_s + wait_s)
