"""A lean gateway for measurements: real handshake, then prepared depth rows at a rate.

It prepares every frame before the run, so that beside the program under test it costs little more
than the `send` calls. Mix of rows (no recording of a real mix is public, so this is an assumption):
92 % size updates, the rest delete + insert pairs that keep the book sorted.
"""

from __future__ import annotations

import argparse
import random
import socket
import time
from dataclasses import dataclass, field
from typing import Any

from benchmarks.wire import Client, frame, rounds, serve

LEVELS = 12
CYCLE_ROWS = 40_000
# (symbol, its rows so far, time on the monotonic clock) per send.
Log = list[tuple[str, int, float]]


@dataclass
class Stream:
    """Prepared rows of one subscription as whole frames; a cycle leaves the book as it was."""

    symbol: str
    req_id: str
    seed: int
    opening: list[bytes] = field(default_factory=list)
    cycle: list[bytes] = field(default_factory=list)
    sent: int = 0

    def prepare(self, rows: int) -> None:
        rng = random.Random(self.seed)
        base = 100.0 + self.seed
        prices = {
            0: [round(base + 0.01 * (i + 1), 2) for i in range(LEVELS)],
            1: [round(base - 0.01 * i, 2) for i in range(LEVELS)],
        }
        for side, levels in prices.items():
            for position, price in enumerate(levels):
                self.opening.append(self._row(position, 0, side, price, 100))
        while len(self.cycle) < rows:
            side, position = rng.randrange(2), min(int(rng.expovariate(0.4)), LEVELS - 1)
            price, size = prices[side][position], rng.randrange(1, 90) * 100
            if rng.random() < 0.92:
                self.cycle.append(self._row(position, 1, side, price, size))
            else:
                self.cycle.append(self._row(position, 2, side, 0.0, 0))
                self.cycle.append(self._row(position, 0, side, price, size))

    def take(self, count: int) -> bytes:
        start = self.sent
        self.sent += count
        size = len(self.cycle)
        return b"".join(self.cycle[i % size] for i in range(start, start + count))

    def _row(self, position: int, operation: int, side: int, price: float, size: int) -> bytes:
        return frame(13, 1, self.req_id, position, "ARCA", operation, side, price, size, 0)


class DepthClient(Client):
    def __init__(self, connection: socket.socket, subscriptions: int) -> None:
        super().__init__(connection)
        self.streams: list[Stream] = []
        self._subscriptions = subscriptions

    def complete(self) -> bool:
        return len(self.streams) >= self._subscriptions

    def request(self, fields: list[str]) -> None:
        if fields[0] == "10":
            stream = Stream(fields[4], fields[2], len(self.streams) + 1)
            stream.prepare(CYCLE_ROWS)
            self.streams.append(stream)
            self.connection.sendall(b"".join(stream.opening))

    def run(self, command: dict[str, Any]) -> dict[str, Any]:
        if command["run"] == "rate":
            step_s = command.get("step_s", 0.001)
            return {"log": run_rate(self, command["rate"], command["seconds"], step_s)}
        return {"log": run_burst(self, command["rows"])}


def run_rate(client: DepthClient, rate: float, seconds: float, step_s: float) -> Log:
    """Send at a rate, some rows every `step_s`."""
    log: Log = []
    start, turn = time.monotonic(), 0
    for due_s, rows in rounds(rate, seconds, step_s):
        wait = start + due_s - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        share, rest = divmod(rows, len(client.streams))
        for index in range(len(client.streams)):
            stream = client.streams[turn % len(client.streams)]
            turn += 1
            count = share + (1 if index < rest else 0)
            if not count:
                continue
            data = stream.take(count)
            log.append((stream.symbol, len(stream.opening) + stream.sent, time.monotonic()))
            client.connection.sendall(data)
        client.poll()
    return log


def run_burst(client: DepthClient, rows: int) -> Log:
    """Send `rows` as fast as the client takes them."""
    log: Log = []
    chunk = 500
    per_stream = rows // len(client.streams)
    prepared: list[tuple[Stream, int, bytes]] = []
    while min(stream.sent for stream in client.streams) < per_stream:
        for stream in client.streams:
            data = stream.take(min(chunk, per_stream - stream.sent))
            prepared.append((stream, len(stream.opening) + stream.sent, data))
    for stream, total, data in prepared:
        log.append((stream.symbol, total, time.monotonic()))
        client.connection.sendall(data)
    return log


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--symbols", type=int, default=3)
    arguments = parser.parse_args()
    serve(lambda connection: DepthClient(connection, arguments.symbols))


if __name__ == "__main__":
    main()
