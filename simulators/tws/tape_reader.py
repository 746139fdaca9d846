from __future__ import annotations

from typing import Any

from .prints import Print, Tape

__all__ = ["TapeReader"]


class TapeReader:
    """How far one stream has read a tape; each entry is taken or skipped once."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._position = tape.position
        self._first: int | None = None
        self._last: int | None = None
        self._taken = 0
        self._skipped = 0
        # Fell out of the tape before a slow client could take them.
        self._missed = 0

    def take(self) -> list[Print]:
        if self._position == self._tape.position:
            return []
        self._missed += self._tape.missed(self._position)
        prints = self._tape.since(self._position)
        self._position = self._tape.position
        self._taken += len(prints)
        numbers = [print_.number for print_ in prints if print_.number]
        if numbers:
            self._first = numbers[0] if self._first is None else self._first
            self._last = numbers[-1]
        return prints

    def skip(self) -> None:
        self._skipped += self._tape.position - self._position
        self._position = self._tape.position

    def record(self) -> dict[str, Any]:
        return {
            "first_number": self._first,
            "last_number": self._last,
            "prints": self._taken,
            "prints_skipped": self._skipped,
            "prints_missed": self._missed,
        }
