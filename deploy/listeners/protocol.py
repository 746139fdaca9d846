"""supervisord's event listener protocol: READY, then an event, then RESULT, on stdin and stdout.

http://supervisord.org/events.html#event-listener-notification-protocol
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final

_READY: Final = b"READY\n"
_DONE: Final = b"RESULT 2\nOK"


@dataclass(frozen=True, slots=True)
class Event:
    name: str
    fields: Mapping[str, str]

    @property
    def crash(self) -> tuple[str, int] | None:
        """Program and pid, where a process ended that had run and should not have ended."""
        if self.name != "PROCESS_STATE_EXITED" or self.fields.get("expected") != "0":
            return None
        pid = self.fields.get("pid", "")
        return (self.fields.get("processname", ""), int(pid)) if pid.isdigit() else None


def serve(events: BinaryIO, answers: BinaryIO, hear: Callable[[Event], None]) -> None:
    """Answer at once whatever comes, until supervisord closes the pipe.

    `hear` must not wait: while an event is not answered, others pile up in supervisord.
    """
    while True:
        answers.write(_READY)
        answers.flush()
        header = events.readline()
        if not header:
            return
        words = _words(header.decode("utf-8", "replace"))
        length = words.get("len", "")
        payload = events.read(int(length)) if length.isdigit() else b""
        hear(Event(words.get("eventname", ""), _words(payload.decode("utf-8", "replace"))))
        answers.write(_DONE)
        answers.flush()


def _words(text: str) -> dict[str, str]:
    """`name:value` words; what is none is left out."""
    pairs = (word.partition(":") for word in text.split())
    return {name: value for name, colon, value in pairs if colon}
