"""What the simulators say they sent: their journals, read while they grow."""

from __future__ import annotations

import threading
from typing import Any, Final

from simulators.control import ControlClient
from tests.oracle.evidence import Change, Print, Turn

__all__ = ["SentLog"]

_PAUSE_S: Final = 0.5
_AT_ONCE: Final = 2_000


class SentLog:
    """Depth turns with their rows, and the tape of every symbol."""

    def __init__(self, control_port: int, symbols: tuple[str, ...]) -> None:
        self._control = ControlClient(control_port, timeout_s=30)
        self._symbols = symbols
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sent log", daemon=True)
        self._last = 0
        self._turns: list[Turn] = []
        self._open: dict[tuple[int, int], Turn] = {}
        self._tapes: dict[str, list[Print]] = {symbol: [] for symbol in symbols}
        self._lock = threading.Lock()
        self.error = ""
        self._control.call("journal", on=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ending.set()
        self._thread.join(30)
        self._control.close()

    def turns(self, symbol: str) -> list[Turn]:
        return [turn for turn in self._turns if turn.symbol == symbol]

    def shown_since(self, since_ms: int) -> set[tuple[str, str]]:
        """Pairs that were sent rows on a request made since then."""
        turns = list(self._turns)
        return {(t.symbol, t.venue) for t in turns if t.opened_ms >= since_ms and t.changes}

    def tape(self, symbol: str) -> list[Print]:
        return self._tapes[symbol]

    def read_once(self) -> None:
        with self._lock:
            while self._read_depth() == _AT_ONCE:
                continue
            for symbol in self._symbols:
                self._read_tape(symbol)

    def _run(self) -> None:
        while not self._ending.wait(_PAUSE_S):
            try:
                self.read_once()
            except Exception as error:
                self.error = repr(error)
                raise

    def _read_depth(self) -> int:
        reply = self._control.call("journal", since=self._last, limit=_AT_ONCE)
        entries: list[list[Any]] = reply["entries"]
        for number, ms, kind, connection, _, req_id, symbol, venue, detail in entries:
            assert number == self._last + 1, f"journal has a hole before {number}"
            self._last = number
            if kind == "open":
                turn = Turn(symbol, venue, connection, req_id, detail, ms)
                self._open[connection, req_id] = turn
                self._turns.append(turn)
            else:
                self._note((connection, req_id), ms, kind, detail)
        return len(entries)

    def _note(self, key: tuple[int, int], ms: int, kind: str, detail: Any) -> None:
        # Rows that a request still gets after its cancel belong to no turn any more.
        turn = self._open.get(key)
        if turn is None:
            return
        if kind == "rows":
            turn.changes += [Change(ms, tuple(row)) for row in detail]
        elif kind == "reset":
            turn.changes.append(Change(ms, None))
        elif kind == "halt":
            turn.halted = True
        elif kind == "end":
            turn.ended_ms, turn.end = ms, detail
            del self._open[key]

    def _read_tape(self, symbol: str) -> None:
        tape = self._tapes[symbol]
        since = tape[-1].number if tape else 0
        reply = self._control.call("tape", symbol=symbol, since=since)
        at = {name: place for place, name in enumerate(reply["columns"])}
        for row in reply["prints"]:
            number = row[at["number"]]
            if number > since:
                price_e4 = round(row[at["price"]] * 10_000)
                tape.append(Print(number, row[at["ms"]], price_e4, float(row[at["size"]])))
