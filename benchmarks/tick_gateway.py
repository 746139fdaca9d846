"""A lean gateway of ticks: it prepares every frame before a run, see `tick_mix`."""

from __future__ import annotations

import argparse
import gc
import socket
import time
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.tick_mix import KEPT_PRINTS, Prepared, Requests, Tape, prepare
from benchmarks.wire import Client, frame, rounds, serve

# New requests for real-time bars within ten minutes that TWS takes, so a worker asks for no more.
MOST_BARS: Final = 60
CHUNK_FRAMES: Final = 500
OPENING_PRINTS: Final = 2
# Stamps of a burst advance as if it came at this rate, and so lie in the past.
BURST_PER_S: Final = 10_000.0
# So many frames are prepared in a second, about twice as many on an idle machine.
_PREPARED_PER_S: Final = 100_000.0


@dataclass(frozen=True)
class Chunk:
    """Frames that go out together, when, and how many there are with those before."""

    due_s: float
    frames: int
    data: bytes


class TickClient(Client):
    def __init__(self, connection: socket.socket, symbols: int, streams: int) -> None:
        super().__init__(connection)
        self._symbols, self._streams = symbols, min(streams, symbols)
        self._bars = min(MOST_BARS, symbols)
        self._requests: dict[str, Requests] = {}
        self._tapes: list[Tape] = []

    def complete(self) -> bool:
        asked = self._requests.values()
        wanted = (self._symbols, self._streams, self._bars)
        return wanted == (
            sum(bool(requests.line) for requests in asked),
            sum(bool(requests.stream) for requests in asked),
            sum(bool(requests.bars) for requests in asked),
        )

    def request(self, fields: list[str]) -> None:
        kind = fields[0]
        if kind == "1":
            self._open_line(fields[4], fields[2])
        elif kind == "97":
            self._open_stream(fields[3], fields[1])
        elif kind == "50":
            self._of(fields[4]).bars = fields[2]
        elif kind == "20":
            self.connection.sendall(frame(17, fields[1], "", "", 0))

    def run(self, command: dict[str, Any]) -> dict[str, Any]:
        if command["run"] == "open":
            return self._open()
        made, chunks = self._by_rate(command) if command["run"] == "rate" else self._burst(command)
        gc.collect()
        gc.disable()
        self.poll()
        log = self._play(chunks)
        gc.enable()
        return {"log": log, "prints": made.prints, **self._told()}

    def _open_line(self, symbol: str, req_id: str) -> None:
        requests = self._of(symbol)
        requests.line = req_id
        tape = Tape(symbol, requests, len(self._tapes) + 1)
        self._tapes.append(tape)
        self.connection.sendall(b"".join(tape.opening()))

    def _open_stream(self, symbol: str, req_id: str) -> None:
        if sum(bool(requests.stream) for requests in self._requests.values()) < self._streams:
            self._of(symbol).stream = req_id
            return
        text = "Max number of tick-by-tick requests has been reached."
        self.connection.sendall(frame(4, 2, req_id, 10190, text, ""))

    def _of(self, symbol: str) -> Requests:
        return self._requests.setdefault(symbol, Requests())

    def _open(self) -> dict[str, Any]:
        """A print of every symbol in two seconds: from the second on, both feeds are compared."""
        base_s = int(time.time()) - 120
        for tape in self._tapes:
            for n in range(OPENING_PRINTS):
                ticks = tape.trade((base_s + n) * 1000) + tape.late()
                self.connection.sendall(b"".join(ticks))
        return self._told()

    def _by_rate(self, command: dict[str, Any]) -> tuple[Prepared, list[Chunk]]:
        rate, seconds = float(command["rate"]), float(command["seconds"])
        # Stamps and sending begin at the full second when the frames are ready.
        base_s = int(time.time() + rate * seconds / _PREPARED_PER_S) + 1
        made = prepare(self._tapes, int(rate * seconds), rate, base_s)
        chunks, sent = [], 0
        for due_s, frames in rounds(rate, len(made.frames) / rate, 0.001):
            sent += frames
            chunks.append(Chunk(due_s, sent, b"".join(made.frames[sent - frames : sent])))
        time.sleep(max(0.0, base_s - time.time()))
        return made, chunks

    def _burst(self, command: dict[str, Any]) -> tuple[Prepared, list[Chunk]]:
        total = int(command["ticks"])
        base_s = int(time.time() - total / BURST_PER_S)
        made = prepare(self._tapes, total, BURST_PER_S, base_s)
        starts = range(0, len(made.frames), CHUNK_FRAMES)
        parts = [made.frames[start : start + CHUNK_FRAMES] for start in starts]
        ends = [start + len(part) for start, part in zip(starts, parts, strict=True)]
        return made, [
            Chunk(0.0, end, b"".join(part)) for end, part in zip(ends, parts, strict=True)
        ]

    def _play(self, chunks: list[Chunk]) -> list[tuple[int, float]]:
        """Send each chunk when it is due; logs (frames so far, time) per send."""
        log: list[tuple[int, float]] = []
        start = time.monotonic()
        for chunk in chunks:
            if chunk.due_s:
                wait = start + chunk.due_s - time.monotonic()
                if wait > 0:
                    time.sleep(wait)
                self.poll()
            log.append((chunk.frames, time.monotonic()))
            self.connection.sendall(chunk.data)
        return log

    def _told(self) -> dict[str, Any]:
        """What Redis is to show of each symbol."""
        return {"symbols": {tape.symbol: _told(tape) for tape in self._tapes}}


def _told(tape: Tape) -> dict[str, Any]:
    bid, ask = tape.sizes
    return {
        "prints": len(tape.prints),
        "newest": [(price / 100, size) for price, size in tape.prints[-KEPT_PRINTS:]],
        "volume": tape.volume,
        "bid": tape.price(bid) / 100,
        "bid_size": tape.sizes[bid],
        "ask": tape.price(ask) / 100,
        "ask_size": tape.sizes[ask],
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--symbols", type=int, default=10)
    parser.add_argument("--streams", type=int, default=5, help="tick-by-tick streams granted")
    arguments = parser.parse_args()
    serve(lambda connection: TickClient(connection, arguments.symbols, arguments.streams))


if __name__ == "__main__":
    main()
