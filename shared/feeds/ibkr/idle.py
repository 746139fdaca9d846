"""A socket that stays open and says nothing: when the gateway has to be asked whether it lives."""

from __future__ import annotations

from shared.feeds.ibkr.frames import FrameReader


class IdleWatch:
    """No byte at all for longer than `probe_interval_s`; monotonic seconds."""

    def __init__(self, probe_interval_s: float) -> None:
        self._probe_interval_s = probe_interval_s
        self._reader: FrameReader | None = None
        self._seen_bytes = 0
        self._seen_s = 0.0

    @property
    def heard_s(self) -> float:
        """When the newest byte was seen."""
        return self._seen_s

    def watch(self, reader: FrameReader, now_s: float) -> None:
        """A new generation's socket."""
        self._reader = reader
        self._seen_bytes, self._seen_s = reader.bytes_received, now_s

    def idle(self, now_s: float) -> bool:
        received = self._reader.bytes_received if self._reader is not None else 0
        if received != self._seen_bytes:
            self._seen_bytes, self._seen_s = received, now_s
        return now_s - self._seen_s > self._probe_interval_s
