"""Why something is stale, as one of few words: its text names times and codes without end. Pure."""

from __future__ import annotations

from typing import Final

OTHER: Final = "other"
_BEGINNINGS: Final = {
    "mute:": "mute",
    "no heartbeat": "no_heartbeat",
    "suspended": "suspended",
    "not_entitled": "not_entitled",
    "error": "error",
    "after:": "recovering",
}
# Of a text that begins with the name of a worker.
_WITHIN: Final = {
    " has had no heartbeat": "no_heartbeat",
    " is not connected": "not_connected",
}
REASONS: Final = tuple(dict.fromkeys((*_BEGINNINGS.values(), *_WITHIN.values(), "degraded", OTHER)))


def reason_of(text: str) -> str:
    """One of `REASONS`; what a worker says of its own trouble is `degraded`."""
    for beginning, reason in _BEGINNINGS.items():
        if text.startswith(beginning):
            return reason
    for part, reason in _WITHIN.items():
        if part in text:
            return reason
    worker, colon, _ = text.partition(": ")
    return "degraded" if colon and worker.replace("_", "").isalnum() else OTHER
