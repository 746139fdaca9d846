"""Watches over the workers from under supervisord: python -m deploy.listeners.guardian.

One thread answers supervisord's events at once, the other looks around once a second and at every
event. Nothing that goes wrong here ends it: what cannot be done now is tried again.
"""

from __future__ import annotations

import os
import queue
import signal
import socket
import sys
import threading
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Final

from deploy import processes
from deploy.layout import Layout
from deploy.listeners.incidents import Incidents
from deploy.listeners.judgement import Judgement
from deploy.listeners.log import log
from deploy.listeners.protocol import Event, serve
from deploy.listeners.pulse import NAME, Pulse
from deploy.listeners.seen import Action, Incident, Kill, Seen, Start
from deploy.supervisor_client import Program, SupervisorClient
from shared.errors import SettingsError
from shared.settings import READERS, SupervisionSettings, load_settings, repository_root
from shared.settings_redis import as_user
from shared.store.keys import Keys

_EVERY_S: Final = 1.0
# Between two looks lies a second and what the looks took; more means that nothing ran here.
_PAUSE_S: Final = 6.0
_SUPERVISORD_S: Final = 5.0
_SETTINGS_EVERY_S: Final = 5.0


class Guardian:
    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._incidents = Incidents()
        self._judgement = Judgement(SupervisionSettings().heartbeat_late_s)
        self._keys = Keys()
        self._pulse: Pulse | None = None
        self._settings_due_s = 0.0
        self._looked_s = time.monotonic()
        self._unanswered = 0

    def hear(self, event: Event) -> None:
        self._events.put(event)

    def run(self) -> None:
        """Look around for ever."""
        while True:
            crashes = [event.crash for event in self._heard()]
            try:
                self._look([crash for crash in crashes if crash], time.monotonic())
            except Exception:
                # The one place that must never end; what is broken stands in the log.
                log("ERROR", "a look around failed", traceback=traceback.format_exc())

    def _heard(self) -> list[Event]:
        """The events since the last look; waits for the first one, but not for long."""
        events: list[Event] = []
        with suppress(queue.Empty):
            events.append(self._events.get(timeout=_EVERY_S))
            while True:
                events.append(self._events.get_nowait())
        return events

    def _look(self, crashes: list[tuple[str, int]], now_s: float) -> None:
        pulse = self._connected(now_s)
        if pulse is not None and now_s - self._looked_s > _PAUSE_S:
            pulse.forget(now_s)
        self._looked_s = now_s
        actions = [one for name, pid in crashes for one in self._judgement.exited(name, pid, now_s)]
        programs = self._programs()
        if programs is not None:
            seen = self._seen(programs, now_s)
            since_s = None if pulse is None else pulse.since_s
            actions += self._judgement.decide(seen, since_s, now_s)
        for action in actions:
            self._act(action)
        if pulse is not None and pulse.since_s is not None:
            self._incidents.write(pulse.client, self._keys)

    def _connected(self, now_s: float) -> Pulse | None:
        """Settings that cannot be used now may be put right; until then nobody is judged hung."""
        if self._pulse is not None or now_s < self._settings_due_s:
            return self._pulse
        try:
            settings = load_settings(os.environ, self._layout.root)
            if not settings.redis.url:
                raise SettingsError(["redis.url: REDIS_URL is not set and no embedded redis runs"])
            settings = as_user(settings, NAME)
        except SettingsError as error:
            if not self._settings_due_s:
                log("ERROR", f"unusable settings, no heartbeat is watched: {error}")
            self._settings_due_s = now_s + _SETTINGS_EVERY_S
            return None
        self._keys = Keys(settings.redis.key_prefix)
        self._judgement = Judgement(settings.supervision.heartbeat_late_s)
        self._pulse = Pulse(settings.redis.url, self._keys)
        log("INFO", "watching", late_s=settings.supervision.heartbeat_late_s)
        return self._pulse

    def _programs(self) -> list[Program] | None:
        """None where supervisord does not answer, or is shutting down and wants no help."""
        try:
            with SupervisorClient(self._layout.socket) as client:
                found = client.programs()
        except OSError as error:
            self._unanswered += 1
            if self._unanswered == 1:
                log("INFO", f"nothing is decided: {error}")
            return None
        self._unanswered = 0
        return [one for one in found if one.name != NAME]

    def _seen(self, programs: list[Program], now_s: float) -> list[Seen]:
        workers = {one.name: one.pid for one in programs if one.pid and is_worker(one)}
        beats = {} if self._pulse is None else self._pulse.read(workers, now_s)
        return [
            Seen(
                one.name,
                one.state,
                one.pid,
                one.name in workers,
                one.name in workers and processes.is_stopped(one.pid),
                beats.get(one.name, 0),
            )
            for one in programs
        ]

    def _act(self, action: Action) -> None:
        match action:
            case Incident():
                self._incidents.add(action)
            case Kill():
                _kill(action)
            case Start():
                self._start(action.name)

    def _start(self, name: str) -> None:
        log("INFO", f"starting {name}")
        try:
            with SupervisorClient(self._layout.socket) as client:
                client.start(name)
        except OSError as error:
            # Started meanwhile, by somebody else or supervisord; or tried again at its time.
            log("INFO", f"{name} was not started: {error}")


def is_worker(program: Program) -> bool:
    """Whether a heartbeat is to be expected: those that only read have none."""
    if program.name in READERS:
        return False
    try:
        words = Path(f"/proc/{program.pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return f"workers.{program.name}".encode() in words


def _kill(kill: Kill) -> None:
    # A pid that was reaped may be anybody's by now.
    if processes.parent(kill.pid) != os.getppid():
        log("INFO", f"{kill.name}: pid {kill.pid} is gone already")
        return
    # Its stacks in its log: afterwards nobody can ask what it was stuck in.
    numbers = (signal.SIGKILL,) if kill.force else (signal.SIGUSR1, signal.SIGTERM)
    log("WARNING", f"{kill.name}: {', '.join(one.name for one in numbers)} to pid {kill.pid}")
    for number in numbers:
        with suppress(ProcessLookupError):
            os.kill(kill.pid, number)


def main() -> int:
    # Whatever prints must not speak to supervisord.
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)
        # supervisord's RPC has no time-out of its own.
        socket.setdefaulttimeout(_SUPERVISORD_S)
        guardian = Guardian(Layout(repository_root()))
        threading.Thread(target=guardian.run, name="guardian", daemon=True).start()
        with suppress(BrokenPipeError):
            serve(sys.stdin.buffer, answers, guardian.hear)
        return 0


if __name__ == "__main__":
    sys.exit(main())
