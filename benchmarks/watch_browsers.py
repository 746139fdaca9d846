"""Who looks at the dashboard, as far as the server can tell: open streams that are read."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Sequence
from typing import Final

_SCRAPE_EVERY_S: Final = 5.0
_PIECE: Final = 65_536
_TIMEOUT_S: Final = 10.0


class Browsers:
    """One thread for each stream of events, and one that scrapes the exporter."""

    def __init__(self, dashboard: int, looked_at: Sequence[str], exporter: int) -> None:
        self._bytes = [0] * len(looked_at)
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
        return sum(not count for count in self._bytes)

    def kb_per_s(self) -> float:
        lasted_s = time.monotonic() - self._began_s
        return sum(self._bytes) / len(self._bytes) / lasted_s / 1000

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(_TIMEOUT_S)

    def _look(self, number: int, port: int, topics: str) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
        connection.request("GET", f"/events?topics={topics}")
        answer = connection.getresponse()
        while not self._stop.is_set() and (piece := answer.read1(_PIECE)):
            # What is not a stream of events counts for nothing.
            self._bytes[number] += len(piece) if answer.status == 200 else 0
        connection.close()

    def _scrape(self, port: int) -> None:
        while not self._stop.wait(_SCRAPE_EVERY_S):
            answers(port, "/metrics")


def answers(port: int, path: str = "/healthz") -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", path)
        connection.getresponse().read()
    except OSError:
        return False
    finally:
        connection.close()
    return True
