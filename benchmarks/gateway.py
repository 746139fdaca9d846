"""A lean gateway for measurements: real handshake, then prepared depth rows at a rate.

It prepares every frame before the run, so that beside the program under test it costs little more
than the `send` calls. Mix of rows (no recording of a real mix is public, so this is an assumption):
92 % size updates, the rest delete + insert pairs that keep the book sorted.
"""

from __future__ import annotations

import argparse
import json
import random
import select
import socket
import struct
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

_DETAILS = (
    "10|{req}|{symbol}|STK||0||{exchange}|USD|{symbol}|NMS|NMS|{con_id}|0.01||LMT,MKT|"
    "SMART,ARCA,NASDAQ,BATS|1|0|{symbol}|ARCA||||||US/Eastern|||||0|1||| 26||COMMON|1|1|100|"
)
LEVELS = 12
CYCLE_ROWS = 40_000


def frame(*fields: object) -> bytes:
    payload = "".join(f"{field}\0" for field in fields).encode()
    return struct.pack(">I", len(payload)) + payload


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


class Client:
    """One accepted connection: answers requests until `streams` subscriptions are open."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.streams: list[Stream] = []
        self._buffer = b""

    def serve_until(self, subscriptions: int) -> None:
        hello = self._receive(4)
        if hello != b"API\0":
            raise SystemExit(f"not a TWS client, it sent {hello!r}")
        self._next()
        self.connection.sendall(frame(178, "20261121 09:30:00 EST"))
        while len(self.streams) < subscriptions:
            self._answer(self._next())

    def poll(self) -> None:
        """Answer what came in during a run (probes, cancels) without waiting."""
        while select.select([self.connection], [], [], 0)[0]:
            self._answer(self._next())

    def _answer(self, fields: list[str]) -> None:
        send = self.connection.sendall
        kind = fields[0]
        if kind == "71":
            send(frame(15, 1, "DU1") + frame(9, 1, 1))
        elif kind == "61":
            send(frame(62, 1))
        elif kind == "49":
            send(frame(49, 1, int(time.time())))
        elif kind == "9":
            details = _DETAILS.format(
                req=fields[2],
                symbol=fields[4],
                exchange=fields[10],
                con_id=1000 + sum(fields[4].encode()),
            )
            send(frame(*details.split("|")[:-1]) + frame(52, 1, fields[2]))
        elif kind == "10":
            stream = Stream(fields[4], fields[2], len(self.streams) + 1)
            stream.prepare(CYCLE_ROWS)
            self.streams.append(stream)
            send(b"".join(stream.opening))

    def _next(self) -> list[str]:
        length = struct.unpack(">I", self._receive(4))[0]
        return self._receive(length).decode().split("\0")[:-1]

    def _receive(self, count: int) -> bytes:
        while len(self._buffer) < count:
            data = self.connection.recv(65536)
            if not data:
                raise SystemExit("the client closed the connection")
            self._buffer += data
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken


def rounds(rate: float, seconds: float, step_s: float) -> Iterator[tuple[float, int]]:
    """(due time from the start, rows of all streams together) for a rate, in steps."""
    step_s = max(step_s, 1.0 / rate)
    total, sent, n = int(rate * seconds), 0, 0
    while sent < total:
        n += 1
        due = min(total, int(rate * step_s * n + 1e-9))
        if due > sent:
            yield n * step_s, due - sent
            sent = due


def run_rate(
    client: Client, rate: float, seconds: float, step_s: float
) -> list[tuple[str, int, float]]:
    """Send at a rate, some rows every `step_s`; logs (symbol, rows so far, time) per send."""
    log: list[tuple[str, int, float]] = []
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


def run_burst(client: Client, rows: int) -> list[tuple[str, int, float]]:
    """Send `rows` as fast as the client takes them."""
    log: list[tuple[str, int, float]] = []
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
    listener = socket.create_server(("127.0.0.1", 0))
    print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
    connection, _ = listener.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client = Client(connection)
    client.serve_until(arguments.symbols)
    print(json.dumps({"subscribed": [stream.symbol for stream in client.streams]}), flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        if command["run"] == "rate":
            step_s = command.get("step_s", 0.001)
            log = run_rate(client, command["rate"], command["seconds"], step_s)
        else:
            log = run_burst(client, command["rows"])
        print(json.dumps({"log": log}), flush=True)
        # Keep answering probes until the next command or the end.
        while not select.select([sys.stdin], [], [], 0.05)[0]:
            try:
                client.poll()
            except SystemExit:
                break


if __name__ == "__main__":
    main()
