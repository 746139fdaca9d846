"""A thread that ends the process when its event loop has stopped running.

A loop that is stuck in one call neither beats nor stops: nothing inside it can help. The thread
pings the loop once a second; where no ping is answered for `stall_s`, the stacks of all threads go
to the log, for nobody can ask the process later, and the process ends with a code of its own.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import orjson

EXIT_STALLED: Final = 4
_STDERR: Final = 2
_EVERY_S: Final = 1.0
_LATE_S: Final = 2.0
# A log that nobody reads any more blocks who writes it; the process ends all the same.
_LAST_WORDS_S: Final = 2.0


@dataclass(slots=True)
class Stall:
    """How long the loop has answered no ping; monotonic seconds.

    Where far more than the usual time lies between two looks, the thread that looks did not run
    either (a stopped process, a suspended machine): that time counts against nobody.
    """

    looked_s: float
    silent_s: float = 0.0

    def look(self, answered: bool, now_s: float) -> float:
        """The seconds that count against the loop, after one more look."""
        passed_s = now_s - self.looked_s
        self.looked_s = now_s
        ran = passed_s <= _LATE_S
        self.silent_s = 0.0 if answered else self.silent_s + (passed_s if ran else 0.0)
        return self.silent_s


class StallGuard:
    def __init__(self, name: str, stall_s: float, loop: asyncio.AbstractEventLoop) -> None:
        self._name = name
        self._stall_s = stall_s
        self._loop = loop
        self._answered = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="stall guard", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()

    def _watch(self) -> None:
        stall, answered = Stall(time.monotonic()), True
        # One ping at a time: a loop that is stuck is not to find a heap of them.
        while (not answered or self._ping()) and not self._stopped.wait(_EVERY_S):
            answered = self._answered.is_set()
            silent_s = stall.look(answered, time.monotonic())
            # The loop may have ended the moment before.
            if silent_s >= self._stall_s and not self._stopped.is_set():
                self._end(silent_s)

    def _ping(self) -> bool:
        """False when the loop is closed."""
        self._answered.clear()
        try:
            self._loop.call_soon_threadsafe(self._answered.set)
        except RuntimeError:
            return False
        return True

    def _end(self, silent_s: float) -> None:
        timer = threading.Timer(_LAST_WORDS_S, os._exit, (EXIT_STALLED,))
        timer.daemon = True
        timer.start()
        # Past loguru: the thread that is stuck may hold its lock.
        os.write(_STDERR, _line(self._name, silent_s, self._stall_s))
        faulthandler.dump_traceback(_STDERR, all_threads=True)
        os._exit(EXIT_STALLED)


@contextmanager
def guarded(name: str, stall_s: float) -> Iterator[None]:
    """Watch over the running loop."""
    guard = StallGuard(name, stall_s, asyncio.get_running_loop())
    guard.start()
    try:
        yield
    finally:
        guard.stop()


def dump_stacks_when_asked() -> None:
    """SIGUSR1 writes the stacks of all threads to the log, whatever the threads are stuck in."""
    faulthandler.register(signal.SIGUSR1, _STDERR, all_threads=True)


def _line(name: str, silent_s: float, stall_s: float) -> bytes:
    return b"%s\n" % orjson.dumps(
        {
            "ts": datetime.now().astimezone().isoformat(timespec="milliseconds"),
            "level": "CRITICAL",
            "worker": name,
            "event": f"event loop stalled, was silent for {silent_s:.1f} s, limit {stall_s:g} s;"
            f" exit {EXIT_STALLED}, stacks follow",
        }
    )
