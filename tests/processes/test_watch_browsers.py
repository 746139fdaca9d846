"""Who looks at the dashboard in the benchmark: what counts as being looked at."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from benchmarks.harness import wait_until
from benchmarks.watch_browsers import Browsers, answers

PULSE = b'data: {"topic":"pulse","part":"at","value":1}\n\n'
WALL = b'data: {"topic":"wall","part":"row:SPY","value":{}}\n\n'
STREAMS = {"well": WALL + PULSE, "pulse": PULSE, "ends": WALL, "refused": b""}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        name = self.path.rpartition("=")[2]
        known = name in STREAMS and name != "refused"
        self.send_response(200 if known or self.path == "/metrics" else 503)
        self.end_headers()
        self.wfile.write(STREAMS.get(name, b"text"))
        self.wfile.flush()
        if name in ("well", "pulse"):
            self.server.over.wait(30)  # type: ignore[attr-defined]

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


@contextmanager
def serving() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.over = threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.over.set()  # type: ignore[attr-defined]
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize(
    ("looked_at", "silent"),
    [(("well", "well"), 0), (("well", "pulse"), 1), (("refused", "well"), 1)],
)
def test_a_browser_without_events_of_a_view_is_silent(
    looked_at: tuple[str, ...], silent: int
) -> None:
    with serving() as port:
        browsers = Browsers(port, looked_at, port)
        # Each that is served is silent no more; there is no way back while the server serves.
        wait_until(lambda: browsers.silent() == silent, 10, "the browsers")
        assert browsers.silent() == silent
    browsers.stop()


def test_a_browser_whose_stream_ended_is_silent_whatever_it_was_sent() -> None:
    with serving() as port:
        browsers = Browsers(port, ("ends", "well"), port)
        wait_until(lambda: browsers.cut_off() == 1, 10, "the end of a stream")
        wait_until(lambda: browsers.silent() == 1, 10, "the events of the other")
        assert browsers.kb_per_s() > 0
    browsers.stop()


def test_a_refusal_is_no_answer() -> None:
    with serving() as port:
        assert (answers(port, "/metrics"), answers(port, "/events?topics=refused")) == (True, False)
    assert not answers(port)
