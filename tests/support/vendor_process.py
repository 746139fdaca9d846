from __future__ import annotations

import asyncio
import http.client
import urllib.parse
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from simulators.alphavantage.process import SimulatorProcess
from tests.support.recordings import shared_data
from tests.support.until import until

RECORDINGS: Final[Path] = shared_data() / "alphavantage"
needs_vendor_recordings: Final = pytest.mark.skipif(
    not (RECORDINGS / "errors").is_dir(), reason="no recorded vendor answers beside the repository"
)

Row = dict[str, Any]


class VendorProcess(SimulatorProcess):
    """The Alpha Vantage simulator as the tests see it: what was asked, and what it sent."""

    def stats(self) -> dict[str, Any]:
        return self.call("stats")

    def requests(
        self, function: str | None = None, symbol: str | None = None, since: int = 0
    ) -> list[Row]:
        """Every request that arrived, oldest first, refused ones too."""
        reply = self.call("requests", since=since, function=function, symbol=symbol)
        return [dict(zip(reply["columns"], row, strict=True)) for row in reply["rows"]]

    def busiest(self, window_s: float) -> int:
        """The largest number of requests in any window of this length, of all keys together."""
        return busiest([row["mono_s"] for row in self.requests()], window_s)

    def chain(self, symbol: str, **fields: Any) -> dict[str, Any]:
        return self.call("chain", symbol=symbol, **fields)

    def fault(self, kind: str, **fields: Any) -> int:
        return int(self.call("fault", kind=kind, **fields)["id"])

    def clear(self) -> None:
        self.call("clear")


def busiest(times_s: list[float], window_s: float) -> int:
    """Counted anew from the times themselves; a window does not hold its own start."""
    most = first = 0
    for last, time_s in enumerate(times_s):
        while times_s[first] <= time_s - window_s:
            first += 1
        most = max(most, last - first + 1)
    return most


def connect(vendor: VendorProcess) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", vendor.port, timeout=10)


def fetch(
    client: http.client.HTTPConnection, headers: Any = None, **query: Any
) -> tuple[http.client.HTTPResponse, bytes]:
    """One answer and its content as it came, packed or not."""
    asked = {"function": "REALTIME_OPTIONS", "symbol": "IBM", "apikey": "secret", **query}
    target = f"/query?{urllib.parse.urlencode(asked)}"
    client.request("GET", target, headers={"X-Client": "w1", **(headers or {})})
    response = client.getresponse()
    return response, response.read()


def wait_until(condition: Callable[[], Any]) -> None:
    """For tests that have no loop of their own."""
    asyncio.run(until(condition))
