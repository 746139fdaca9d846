"""Lines of the ledgers that wait for Redis: bounded, and what goes where they are too many. Pure.

First the oldest of those that only tell what happened (incidents, turns of the rotation), counted
in `dropped`. Then two gaps of one feed become one that covers both, so that no loss is forgotten.
Fields of a hash are a state: only the newest value of each waits, and they go last.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Final

MOST_LINES: Final = 5_000
# No line of ours is that long; a gateway's or a vendor's text may be.
MOST_TEXT: Final = 500
# Marks a line that is a field of a hash, not a stream entry.
FIELD: Final = "\0field"
_SEVERAL: Final = "several: "

Line = tuple[str, dict[str, str]]


class LedgerLines:
    def __init__(self, gaps: str) -> None:
        """`gaps` is the key of the gap ledger."""
        self._gaps = gaps
        self._lines: deque[Line] = deque()
        # Redis may have the first line already: it is neither dropped nor joined meanwhile.
        self.first_sent = False
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, stream: str, fields: Mapping[str, str]) -> None:
        self._append((stream, {name: bounded(text) for name, text in fields.items()}))

    def set_field(self, key: str, field: str, value: str) -> None:
        for at in range(self._begin, len(self._lines)):
            waiting, fields = self._lines[at]
            if waiting == key and fields.get(FIELD) == field:
                del self._lines[at]
                break
        self._append((key, {FIELD: field, "value": value}))

    def first(self) -> Line:
        return self._lines[0]

    def done(self, line: Line) -> None:
        """This line was the first when it was sent; it needs to be sent no more."""
        if self._lines and self._lines[0] is line:
            self._lines.popleft()
        self.first_sent = False

    @property
    def _begin(self) -> int:
        return 1 if self.first_sent else 0

    def _append(self, line: Line) -> None:
        if len(self._lines) >= MOST_LINES:
            self._make_room()
        self._lines.append(line)

    def _make_room(self) -> None:
        waiting = [(at, *self._lines[at]) for at in range(self._begin, len(self._lines))]
        others = [(at, FIELD in fields) for at, stream, fields in waiting if stream != self._gaps]
        told = [at for at, is_field in others if not is_field]
        if told:
            self._drop(told[0])
            return
        oldest: dict[str, int] = {}
        for at, stream, fields in waiting:
            if stream == self._gaps and oldest.setdefault(fields["feed"], at) != at:
                self._join(oldest[fields["feed"]], at)
                return
        if others:
            self._drop(others[0][0])

    def _drop(self, at: int) -> None:
        del self._lines[at]
        self.dropped += 1

    def _join(self, at: int, later: int) -> None:
        self._lines[at] = (self._gaps, _joined(self._lines[at][1], self._lines[later][1]))
        del self._lines[later]


def bounded(text: str) -> str:
    """Of a bounded length, and fit to be sent whoever wrote it."""
    cut = text if len(text) <= MOST_TEXT else f"{text[: MOST_TEXT - 3]}..."
    return cut.encode("utf-8", "replace").decode()


def _joined(first: Mapping[str, str], second: Mapping[str, str]) -> dict[str, str]:
    counts = (first["count"], second["count"])
    return {
        **second,
        "from_ts": first["from_ts"],
        "from_seq": "",
        "to_seq": "",
        "symbol": first["symbol"] if first["symbol"] == second["symbol"] else "",
        "venue": "",
        "reason": _SEVERAL + first["reason"].removeprefix(_SEVERAL),
        "count": str(sum(map(int, counts))) if all(counts) else "",
    }
