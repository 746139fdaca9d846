"""The life of a worker process: settings → connect → lease → run → drain → close.

Exit codes: 0 clean stop, 3 start-up failure or lost lease, 4 stalled event loop, 78 unusable
settings (sysexits.h EX_CONFIG).
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final

from loguru import logger

from shared import logs, stall
from shared.errors import (
    LeaseLost,
    SettingsError,
    SourceMismatch,
    StoreError,
    StoreUnavailable,
    TickvisorError,
)
from shared.settings import Settings, load_settings, repository_root
from shared.settings_redis import as_user, secrets_of
from shared.store import source
from shared.store.connection import Store
from shared.store.heartbeat import Family, HeartbeatWriter
from shared.store.keys import Keys
from shared.store.lease import RENEW_EVERY_S, Lease
from shared.store.monitoring import Ledger, Metrics
from shared.version import VERSION

EXIT_CLEAN: Final = 0
EXIT_FAILURE: Final = 3
EXIT_SETTINGS: Final = 78
# A graceful stop has five seconds; the rest belongs to the final heartbeat.
DRAIN_S: Final = 4.0
_FAREWELL_S: Final = 1.0


@dataclass(slots=True)
class Health:
    """What the heartbeat says; the worker sets it, every change is written at once."""

    state: str = "starting"
    connected: bool = False
    detail: str = ""
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def set(self, state: str, connected: bool, detail: str = "") -> None:
        if (state, connected, detail) != (self.state, self.connected, self.detail):
            self.state, self.connected, self.detail = state, connected, detail
            self.changed.set()


@dataclass(slots=True)
class Worker:
    """What a worker's main coroutine is given."""

    name: str
    settings: Settings
    keys: Keys
    store: Store
    ledger: Ledger
    metrics: Metrics
    health: Health
    stop: asyncio.Event
    started_ms: int


Main = Callable[[Worker], Awaitable[None]]
FamilyOf = Callable[[Settings], Family]
NewLoop = Callable[[], asyncio.AbstractEventLoop]


def run(name: str, family_of: FamilyOf, main: Main, new_loop: NewLoop | None = None) -> int:
    """Run a worker to its end and return the process's exit code.

    `new_loop` makes the event loop, asyncio's own where there is none.
    """
    try:
        settings = _settings_of(name)
    except SettingsError as error:
        print(f"{name}: unusable settings", *error.problems, sep="\n  ", file=sys.stderr)
        return EXIT_SETTINGS
    stall.dump_stacks_when_asked()
    secrets = [settings.alpha_vantage.api_key.reveal(), *secrets_of(settings.redis)]
    logs.configure(name, settings.ibkr.log_level, secrets)
    _set_aside_what_stays()
    try:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            return runner.run(_Process(name, family_of(settings), settings, main).run())
    except (SettingsError, SourceMismatch) as error:
        logger.error("{}", error)
        return EXIT_SETTINGS
    except TickvisorError as error:
        logger.error("{}: {}", type(error).__name__, error)
        return EXIT_FAILURE
    except Exception as error:
        logger.opt(exception=error).critical("worker ended by an unexpected error")
        return EXIT_FAILURE


def _set_aside_what_stays() -> None:
    """Modules live as long as the process: the garbage collector need not walk them again.

    It looks at old objects only once they are a quarter more; with the modules among them that is
    hours, in which cycles of a client library gather.
    """
    gc.collect()
    gc.freeze()
    # From here on it counts anew.
    gc.collect()


def _settings_of(name: str) -> Settings:
    settings = load_settings(os.environ, repository_root())
    if not settings.redis.url:
        raise SettingsError(
            ["redis.url: REDIS_URL is not set and no embedded redis runs; try `make up`"]
        )
    return as_user(settings, name)


def _waiting(reason: str) -> None:
    logger.warning("waiting for redis: {}", reason)


class _Process:
    def __init__(self, name: str, family: Family, settings: Settings, main: Main) -> None:
        self._name = name
        self._main = main
        self._settings = settings
        store = Store(settings.redis.url, settings.redis.connect_timeout_s)
        keys = Keys(settings.redis.key_prefix)
        ttls = settings.modules.data_ingestion.ttls
        self._worker = Worker(
            name,
            settings,
            keys,
            store,
            Ledger(store, keys, name),
            Metrics(store, keys, name, ttls.monitoring),
            Health(),
            asyncio.Event(),
            time.time_ns() // 1_000_000,
        )
        self._lease = Lease(store, keys, name)
        self._heartbeat = HeartbeatWriter(store, keys, family, ttls.heartbeat)

    async def run(self) -> int:
        worker = self._worker
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, worker.stop.set)
        try:
            with stall.guarded(self._name, self._settings.supervision.stall_s):
                if not await self._start():
                    return EXIT_CLEAN
                await self._serve()
        finally:
            await worker.store.close()
        logger.info("stopped")
        return EXIT_CLEAN

    async def _start(self) -> bool:
        """Wait for Redis, check the source, take the lease; False when stopped meanwhile."""
        worker = self._worker
        logger.bind(source=self._settings.source, pid=os.getpid()).info("starting")
        while await worker.store.wait_until_up(worker.stop, _waiting):
            try:
                await source.claim(worker.store, worker.keys, self._settings.source)
                await self._lease.acquire()
            except StoreUnavailable:
                continue
            return True
        return False

    async def _serve(self) -> None:
        """Run main beside the background loops; whichever fails takes the process down."""
        loops: list[Coroutine[Any, Any, None]] = [
            self._renew_claims(),
            self._beat(),
            self._worker.ledger.run(),
        ]
        background = [asyncio.ensure_future(loop) for loop in loops]
        main = asyncio.ensure_future(self._main(self._worker))
        ours = True
        try:
            await asyncio.wait({main, *background}, return_when=asyncio.FIRST_COMPLETED)
            for task in background:
                if task.done():
                    ours = not isinstance(task.exception(), LeaseLost | SourceMismatch)
                    task.result()
            await main
        finally:
            for task in (main, *background):
                task.cancel()
            await asyncio.gather(main, *background, return_exceptions=True)
            if ours:
                await self._farewell()

    async def _renew_claims(self) -> None:
        """Keep source and lease; a Redis that came back empty has forgotten both."""
        worker = self._worker
        while True:
            await asyncio.sleep(RENEW_EVERY_S)
            try:
                await source.claim(worker.store, worker.keys, self._settings.source)
                await self._lease.renew()
            except StoreError as error:
                logger.debug("lease not renewed: {}", error)

    async def _beat(self) -> None:
        """A heartbeat every interval and at every change of state."""
        health = self._worker.health
        interval_s = self._settings.modules.data_ingestion.heartbeat_interval_s
        failing = 0
        while True:
            health.changed.clear()
            try:
                await self._heartbeat.write(self._name, self._document())
            except StoreError as error:
                failing += 1
                if failing == 1:
                    logger.warning("heartbeat not written: {}", error)
            else:
                if failing:
                    logger.info("heartbeat written again after {} failures", failing)
                failing = 0
            try:
                # Not wait_for: in Python 3.11 it can swallow a cancellation (gh-86296).
                async with asyncio.timeout(interval_s):
                    await health.changed.wait()
            except TimeoutError:
                continue

    def _document(self) -> dict[str, Any]:
        worker, health = self._worker, self._worker.health
        return {
            "worker": self._name,
            "ts": time.time_ns() // 1_000_000,
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "started_ts": worker.started_ms,
            "version": VERSION,
            "source": self._settings.source,
            "state": health.state,
            "connected": health.connected,
            "detail": health.detail,
        }

    async def _farewell(self) -> None:
        """Last heartbeat and the lease given back, so that a successor need not wait."""
        self._worker.health.set("stopped", False)
        try:
            async with asyncio.timeout(_FAREWELL_S):
                await self._worker.ledger.flush(_FAREWELL_S / 2)
                await self._heartbeat.write(self._name, self._document())
                await self._lease.release()
        except (StoreError, TimeoutError) as error:
            logger.warning("no farewell to redis: {}", error or "timed out")


__all__ = ["DRAIN_S", "Family", "Health", "Worker", "run"]
