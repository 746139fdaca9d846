"""How a feed runs and ends: write while connected; on stop, cancel, then drain, then go."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, Final, Protocol

from loguru import logger

from shared.process import DRAIN_S, Worker
from shared.reporting import Reporter
from shared.store.control_inbox import ControlInbox, Handler
from shared.store.sink import Sink

# Of the drain time, how long the cancels on the wire may take.
_CANCEL_S: Final = 1.0


class Feed(Protocol):
    @property
    def commands(self) -> Mapping[str, Handler]:
        """What it can be told to do while it runs."""

    async def stop(self) -> None:
        """Cancel every open request on the wire and end the session."""


async def run_feed(
    worker: Worker,
    feed: Feed,
    connecting: Coroutine[Any, Any, None],
    sinks: Sequence[Sink[Any]],
    report: Reporter,
) -> None:
    """Run until the stop signal, or until `connecting` gives up and raises.

    Either way what is queued is written first; what cannot be is counted as lost.
    """
    connection = asyncio.ensure_future(connecting)
    connection.add_done_callback(lambda _: worker.stop.set())
    try:
        async with asyncio.TaskGroup() as tasks:
            writing = {tasks.create_task(sink.run()) for sink in sinks}
            reporting = tasks.create_task(report.run())
            obeying = tasks.create_task(_obey(worker, feed))
            await worker.stop.wait()
            obeying.cancel()
            worker.health.set("stopping", worker.health.connected)
            await feed.stop()
            await asyncio.wait({connection}, timeout=_CANCEL_S)
            for sink in sinks:
                sink.stop()
            if writing:
                await asyncio.wait(writing, timeout=DRAIN_S - _CANCEL_S)
            if lost := sum(sink.abandon() for sink in sinks):
                logger.error("{} items could not be written before the stop", lost)
            report.drain_losses()
            for task in (reporting, *writing):
                task.cancel()
    finally:
        connection.cancel()
        outcome = await asyncio.gather(connection, return_exceptions=True)
    if isinstance(outcome[0], Exception):
        raise outcome[0]


async def _obey(worker: Worker, feed: Feed) -> None:
    report = worker.ledger.incident
    inbox = ControlInbox(worker.store, worker.keys, worker.name, feed.commands, report)
    try:
        await inbox.run()
    except Exception as error:
        # A client that is cancelled while it puts its connection in order may end otherwise.
        if not worker.stop.is_set():
            raise
        logger.debug("commands ended with {}: {}", type(error).__name__, error)
