"""How long what Redis keeps is, over the run, and how many tasks the workers say they have."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import orjson
import redis

from tests.oracle.evidence import Findings
from tests.oracle.plan import SYMBOLS

__all__ = ["LengthLog", "check_tasks"]

_METRICS: Final = ("monitoring:ibkr:metrics", "monitoring:alpha_vantage:metrics",
                   "monitoring:watchdog:metrics")  # fmt: skip
_TASKS: Final = "tasks, "
# What a fault may leave waiting; a leak of one a message or a poll is more within a minute.
_TASKS_MORE: Final = 30
_EVERY_S: Final = 10.0
_LENGTHS: Final = {
    "xlen": ("raw:ibkr:depth:stream:{}", "monitoring:gaps", "monitoring:depth:rotation",
             "monitoring:incidents"),
    "llen": ("market:{}:trades",),
    "zcard": ("market:{}:bars:5s", "market:{}:bars:1min"),
}  # fmt: skip


class LengthLog:
    """Of keys with a symbol in their name the longest one is told."""

    def __init__(self, url_of: Callable[[], str]) -> None:
        self._url_of = url_of
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lengths", daemon=True)
        # what -> its length, every ten seconds
        self.found: dict[str, list[int]] = {}

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ending.set()
        self._thread.join(10)

    def rows(self) -> dict[str, dict[str, int]]:
        """A quarter into the run, at its end, and the most there was."""
        return {
            what: {"warm": lengths[len(lengths) // 4], "end": lengths[-1], "most": max(lengths)}
            for what, lengths in self.found.items()
        }

    def _run(self) -> None:
        while not self._ending.wait(_EVERY_S):
            try:
                with redis.Redis.from_url(self._url_of(), socket_timeout=5) as client:
                    self._note(client)
            except (redis.RedisError, OSError):
                # Away by a fault.
                continue

    def _note(self, client: redis.Redis) -> None:
        for command, keys in _LENGTHS.items():
            for key in keys:
                names = [key.format(symbol) for symbol in SYMBOLS] if "{}" in key else [key]
                ask: Any = getattr(client, command)
                longest = max(int(ask(name)) for name in names)
                self.found.setdefault(key.format("*"), []).append(longest)
        for key in _METRICS:
            rows: Any = client.hgetall(key)
            for worker, row in rows.items():
                if "tasks" in (figures := orjson.loads(row)):
                    self.found.setdefault(_TASKS + worker.decode(), []).append(figures["tasks"])
        memory: Any = client.info("memory")
        self.found.setdefault("keys", []).append(int(client.dbsize()))
        self.found.setdefault("Redis, KB", []).append(int(memory["used_memory"]) // 1_024)


def check_tasks(found: Mapping[str, Sequence[int]]) -> Findings:
    """The most of the last third of a run against the most of the first one."""
    findings = Findings()
    for what, numbers in found.items():
        third = len(numbers) // 3
        if not what.startswith(_TASKS) or third == 0:
            continue
        before, after = max(numbers[:third]), max(numbers[-third:])
        if after > before + _TASKS_MORE:
            findings.violation("tasks flat", f"{what}: {before}, then {after}")
    return findings
