"""One live instance per worker, by a lease in Redis."""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path
from typing import Final

import msgspec

from shared.errors import LeaseHeld, LeaseLost
from shared.settings_words import named
from shared.store.connection import Store
from shared.store.keys import Keys

LEASE_TTL_S: Final = 10
RENEW_EVERY_S: Final = 2.0


class Holder(msgspec.Struct, frozen=True):
    """Who holds a lease. `pid_start` tells a process from a later one with the same pid."""

    token: str
    host: str
    pid: int
    pid_start: int


def process_start(pid: int) -> int | None:
    """Start time of a process in clock ticks since boot (proc(5), field 22); None if gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in ("Z", "X") else int(fields[19])


def is_dead(holder: Holder, host: str) -> bool:
    """True only where we can know it: a process of this host that is gone."""
    return holder.host == host and process_start(holder.pid) != holder.pid_start


class Lease:
    def __init__(self, store: Store, keys: Keys, worker: str) -> None:
        self._store = store
        self._key = keys.lease(worker)
        self._worker = worker
        pid = os.getpid()
        self.holder = Holder(
            secrets.token_hex(8), socket.gethostname(), pid, process_start(pid) or 0
        )
        self._ours = msgspec.json.encode(self.holder)

    async def acquire(self) -> None:
        """Take the lease, from a dead process of this host at once.

        Raises:
            LeaseHeld: another instance lives; the text names it.
        """
        dead = b""
        while True:
            held = await self._store.run(
                "lease_acquire", [self._key], [self._ours, LEASE_TTL_S * 1000, dead]
            )
            if held == self._ours:
                return
            try:
                holder = msgspec.json.decode(held, type=Holder)
            except (ValueError, RecursionError):
                raise LeaseHeld(f"{self._worker}: unreadable lease {held[:80]!r}") from None
            if held == dead or not is_dead(holder, self.holder.host):
                raise LeaseHeld(
                    f"{self._worker} already runs as pid {holder.pid} on {named(holder.host)}"
                )
            dead = held

    async def renew(self) -> None:
        """Keep the lease.

        Raises:
            LeaseLost: another instance took over; nothing may be written any more.
        """
        kept = await self._store.run("lease_renew", [self._key], [self._ours, LEASE_TTL_S * 1000])
        if not kept:
            raise LeaseLost(f"{self._worker}: another instance took the lease")

    async def release(self) -> None:
        await self._store.run("lease_release", [self._key], [self._ours])
