"""When to tell about what, so that the messages stay few and each is worth reading. Pure.

- What happens within the group time is told in one message.
- A cause is told as a problem at most once an interval. What it does meanwhile is counted, and told
  as "again N times" at the next allowed moment.
- The recovery of what was told as raised does not wait for the interval, since it ends the worry;
  there is one at most per problem told, and none for what was never told.
- What came and went within the group time is not told, unless it comes again within the interval.

Monotonic seconds come in.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

# What the gravest line of a message says: something is wrong now, was wrong, or is well again.
Kind = Literal["problem", "notice", "recovery"]

MAX_CAUSES: Final = 500
MAX_LINES: Final = 20
MAX_TEXT: Final = 200
_GRAVEST_FIRST: Final[tuple[Kind, ...]] = ("problem", "notice", "recovery")
_NEVER: Final = math.inf


@dataclass(frozen=True, slots=True)
class Message:
    title: str
    lines: tuple[str, ...]
    kind: Kind


@dataclass(slots=True)
class _Cause:
    raised_text: str = ""
    cleared_text: str = ""
    active: bool = False
    # The last that was told of it is that it is raised.
    told: bool = False
    # Not told yet: how often it was raised, and whether it stayed so beyond the group time.
    raises: int = 0
    lasting: bool = False
    since_s: float = 0.0
    # When the first of what is to be told happened; when a problem may be told again.
    changed_s: float = _NEVER
    free_s: float = -_NEVER

    def news(self) -> Kind | None:
        if self.active:
            return "problem" if self.raises else None
        if self.told:
            return "recovery"
        return "notice" if self.raises > 1 or self.lasting else None

    def free(self, now_s: float) -> bool:
        return self.news() == "recovery" or now_s >= self.free_s

    def line(self) -> str:
        if self.news() == "recovery":
            return f"over: {self.cleared_text}{_bracketed(_again(self.raises))}"
        again = _again(self.raises if self.free_s > -_NEVER else self.raises - 1)
        if self.active:
            return f"{self.raised_text}{_bracketed(again)}"
        return f"{self.raised_text}{_bracketed(again, 'over now' if self.lasting else 'brief')}"

    def tell(self, now_s: float, interval_s: float) -> None:
        if self.news() != "recovery":
            self.free_s = now_s + interval_s
        self.told = self.active
        self.raises = 0
        self.lasting = False
        self.changed_s = _NEVER


class Digest:
    """`forgotten` counts the causes that were left out because there were too many.

    The least recently raised of those that are over goes first. While all are raised the new one
    is left out: an old one in its place would be raised again, and told again, at every look.
    """

    def __init__(self, interval_s: float, group_s: float) -> None:
        self._interval_s = interval_s
        self._group_s = group_s
        self._causes: dict[str, _Cause] = {}
        # Causes that the next message has no line for.
        self._left_out: set[str] = set()
        self.forgotten = 0

    def raised(self, cause: str, text: str, now_s: float) -> None:
        """It is wrong now; of a cause that is raised already this renews the text alone."""
        name = _bounded(cause)
        entry = self._causes.pop(name, None) or _Cause()
        if not self._has_room():
            self._leave_out(name)
            return
        # To the end: the first is the one that has been raised least recently.
        self._causes[name] = entry
        entry.raised_text = _bounded(text)
        if entry.active:
            return
        if entry.news() is None:
            entry.changed_s = now_s
        entry.active = True
        entry.raises += 1
        entry.since_s = now_s

    def cleared(self, cause: str, text: str, now_s: float) -> None:
        """It is well again; a cause that is not raised is left as it is."""
        name = _bounded(cause)
        self._left_out.discard(name)
        entry = self._causes.get(name)
        if entry is None or not entry.active:
            return
        entry.cleared_text = _bounded(text)
        entry.active = False
        entry.lasting |= now_s - entry.since_s >= self._group_s
        if entry.told:
            # A recovery waits for those beside it, however long a problem has waited before.
            entry.changed_s = now_s

    def due(self, now_s: float) -> list[Message]:
        """What is to be sent now; it counts as told."""
        self._forget_done(now_s)
        if not any(self._due_s(entry) <= now_s for entry in self._causes.values()):
            return []
        taken = [entry for entry in self._causes.values() if entry.news() and entry.free(now_s)]
        message = self._message(taken)
        for entry in taken:
            entry.tell(now_s, self._interval_s)
        return [message]

    def _due_s(self, entry: _Cause) -> float:
        news = entry.news()
        if news is None:
            return _NEVER
        grouped_s = entry.changed_s + self._group_s
        return grouped_s if news == "recovery" else max(grouped_s, entry.free_s)

    def _message(self, entries: Iterable[_Cause]) -> Message:
        by_kind: dict[Kind, list[str]] = {}
        for entry in entries:
            by_kind.setdefault(entry.news() or "notice", []).append(entry.line())
        present = [kind for kind in _GRAVEST_FIRST if kind in by_kind]
        lines = [line for kind in present for line in by_kind[kind]]
        more = max(0, len(lines) - MAX_LINES) + len(self._left_out)
        self._left_out.clear()
        title = ", ".join(_counted(kind, len(by_kind[kind])) for kind in present)
        told = lines[:MAX_LINES] + ([f"and {more} more"] if more else [])
        return Message(f"tickvisor: {title}", tuple(told), present[0])

    def _has_room(self) -> bool:
        """Forgets the oldest that is over, where it must."""
        if len(self._causes) < MAX_CAUSES:
            return True
        oldest = next((name for name, entry in self._causes.items() if not entry.active), None)
        if oldest is None:
            return False
        if self._causes.pop(oldest).news() is None:
            self.forgotten += 1
        else:
            self._leave_out(oldest)
        return True

    def _leave_out(self, name: str) -> None:
        if name not in self._left_out and len(self._left_out) < MAX_CAUSES:
            self._left_out.add(name)
            self.forgotten += 1

    def _forget_done(self, now_s: float) -> None:
        """Drop what is over, told, and so long ago that it would be news again."""
        done = [
            name
            for name, entry in self._causes.items()
            if not entry.active
            and entry.news() is None
            and now_s >= max(entry.since_s + self._interval_s, entry.free_s)
        ]
        for name in done:
            del self._causes[name]


def _counted(kind: Kind, number: int) -> str:
    words = {"problem": "problem" if number == 1 else "problems", "notice": "passed"}
    return f"{number} {words.get(kind, 'recovered')}"


def _again(times: int) -> str:
    return f"again {times} time{'' if times == 1 else 's'}" if times > 0 else ""


def _bracketed(*parts: str) -> str:
    said = ", ".join(part for part in parts if part)
    return f" ({said})" if said else ""


def _bounded(text: str) -> str:
    """One line of a bounded length that any service can be sent."""
    line = " ".join(text.encode("utf-8", "replace").decode().split())
    return line if len(line) <= MAX_TEXT else f"{line[: MAX_TEXT - 3]}..."
