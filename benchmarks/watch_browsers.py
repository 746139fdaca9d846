"""Who looks at the dashboard, as far as the server can tell: open streams that are read."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Sequence
from typing import Final

# Three times as often as deploy/prometheus asks, so that each run has some.
_SCRAPE_EVERY_S: Final = 5.0
_VIEW: Final = b'{"topic":"'
_PULSE: Final = b'{"topic":"pulse"'
_PIECE: Final = 65_536
_TIMEOUT_S: Final = 10.0


class Browsers:
    """One thread for each stream of events, and one that scrapes the exporter."""

    def __init__(self, dashboard: int, looked_at: Sequence[str], exporter: int) -> None:
        self._bytes = [0] * len(looked_at)
        self._events = [0] * len(looked_at)
        self._cut_off: set[int] = set()
        self.scrapes = 0
        self._stop = threading.Event()
        self._began_s = time.monotonic()
        self._threads = [
            threading.Thread(target=self._look, args=(number, dashboard, topics), daemon=True)
            for number, topics in enumerate(looked_at)
        ]
        self._threads.append(threading.Thread(target=self._scrape, args=(exporter,), daemon=True))
        for thread in self._threads:
            thread.start()

    def silent(self) -> int:
        """Browsers that got no event of a view, or whose stream has ended."""
        return sum(
            not count or number in self._cut_off for number, count in enumerate(self._events)
        )

    def cut_off(self) -> int:
        return len(self._cut_off)

    def kb_per_s(self) -> float:
        lasted_s = time.monotonic() - self._began_s
        return sum(self._bytes) / len(self._bytes) / lasted_s / 1000

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(_TIMEOUT_S)

    def _look(self, number: int, port: int, topics: str) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
        try:
            connection.request("GET", f"/events?topics={topics}")
            answer = connection.getresponse()
            while not self._stop.is_set() and (piece := answer.read1(_PIECE)):
                self._bytes[number] += len(piece)
                # The pulse comes also where nothing is read.
                self._events[number] += piece.count(_VIEW) - piece.count(_PULSE)
        except (OSError, http.client.HTTPException):
            # Counted below, as a stream that ended too soon.
            pass
        finally:
            connection.close()
        if not self._stop.is_set():
            self._cut_off.add(number)

    def _scrape(self, port: int) -> None:
        while not self._stop.wait(_SCRAPE_EVERY_S):
            self.scrapes += answers(port, "/metrics")


def answers(port: int, path: str = "/healthz") -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return answer.status == 200
