"""What both Alpha Vantage workers are made of: bucket, client, circuits, schedule, status board."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import uvloop
from loguru import logger

from shared.control.circuit import Breakers, CircuitPolicy
from shared.control.restraint import Restraint
from shared.control.schedule import Poll, Schedule
from shared.errors import SettingsError, StoreError
from shared.feeds.alphavantage.client import VendorClient
from shared.feeds.alphavantage.poll_ports import Handler, PollPorts
from shared.feeds.alphavantage.polls import Poller
from shared.lifecycle import run_feed
from shared.process import Worker
from shared.reporting import Reporter, Sources
from shared.settings import Settings
from shared.store.breaker_state import BreakerLog, read_breakers
from shared.store.heartbeat import Family, alpha_vantage_family
from shared.store.market_session import read_session_state
from shared.store.monitoring import Metrics
from shared.store.status_board import StatusBoard
from shared.store.token_bucket import BucketPolicy, TokenBucket, account_of
from shared.version import VERSION

FAMILY: Final = "alpha_vantage"
# Where everyone reads how much of the shared budget is left.
_BUCKET_FIELD: Final = "token_bucket"
_SESSION_EVERY_S: Final = 15.0
_FAREWELL_S: Final = 0.5
# A chain may wait a moment for the processor; a book beside it may not.
_NICE: Final = 5


@dataclass(frozen=True, slots=True)
class VendorJob:
    """What one worker polls; `patience_s`: after it a document is too old to be written."""

    polls: Sequence[Poll]
    handler: Handler[Any]
    board: StatusBoard
    metrics: Callable[[], Mapping[str, Any]]
    patience_s: float


def new_loop() -> asyncio.AbstractEventLoop:
    """uvloop's: a large chain is in Redis some 8 % sooner."""
    return uvloop.new_event_loop()


async def run_vendor(worker: Worker, job: VendorJob) -> None:
    """Poll until the stop signal."""
    os.nice(_NICE)
    bucket = make_bucket(worker)
    poller = await _poller(worker, job, bucket)
    sources = Sources(
        FAMILY, "documents", poller.health, lambda: {**job.metrics(), **poller.metrics()}
    )
    beside = [
        asyncio.ensure_future(work)
        for work in (
            job.board.run(),
            _follow_session(worker, poller),
            _publish_budget(worker, bucket),
        )
    ]
    try:
        await run_feed(worker, poller, poller.run(worker.stop), [], Reporter(worker, [], sources))
        await job.board.flush(_FAREWELL_S)
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)


def family_with_key(settings: Settings) -> Family:
    """Raises SettingsError without an API key: nothing else needs to be tried then."""
    if not settings.alpha_vantage.api_key:
        raise SettingsError(["ALPHA_VANTAGE_API_KEY: is missing, must be your key"])
    return alpha_vantage_family(settings)


def make_bucket(worker: Worker) -> TokenBucket:
    settings = worker.settings.alpha_vantage
    account = account_of(settings.api_key.reveal())
    return TokenBucket(worker.store, worker.keys, account, BucketPolicy.from_settings(settings))


async def _poller(worker: Worker, job: VendorJob, bucket: TokenBucket) -> Poller[Any]:
    settings = worker.settings.alpha_vantage
    breakers = Breakers(
        CircuitPolicy(
            settings.failure_threshold,
            settings.failure_backoff_s,
            settings.failure_backoff_max_s,
            settings.entitlement_retry_s,
        )
    )
    kept = await read_breakers(worker.store, worker.keys, worker.name)
    for field in breakers.restore(kept, time.time_ns() // 1_000_000):
        logger.warning("circuit state of {} is unreadable, begun anew", field)
    schedule = Schedule(job.polls, settings.interval_jitter, random.random, time.monotonic())
    log = BreakerLog(worker.ledger, worker.keys, worker.name)
    ports = PollPorts(
        VendorClient(settings, f"tickvisor/{VERSION} {worker.name}", bucket.acquire),
        bucket,
        job.handler,
        log.keep,
        lambda kind, text: worker.ledger.incident(kind, "", text),
        job.patience_s,
    )
    return Poller(job.polls, schedule, breakers, Restraint(settings.daily_cooldown_s), ports)


async def _follow_session(worker: Worker, poller: Poller[Any]) -> None:
    """Slower outside market hours, where somebody says what the hours are."""
    factor = worker.settings.alpha_vantage.closed_slowdown
    while True:
        try:
            state = await read_session_state(worker.store, worker.keys)
        except StoreError as error:
            logger.debug("market session not read: {}", error)
        else:
            poller.slow_down(1.0 if state in ("", "regular") else factor)
        await asyncio.sleep(_SESSION_EVERY_S)


async def _publish_budget(worker: Worker, bucket: TokenBucket) -> None:
    modules = worker.settings.modules.data_ingestion
    field = Metrics(worker.store, worker.keys, _BUCKET_FIELD, modules.ttls.monitoring)
    while True:
        try:
            # What is this process's own has no place in a field that both write.
            stats = await bucket.stats()
            await field.write(FAMILY, {name: stats[name] for name in stats if name != "lost"})
        except StoreError as error:
            logger.debug("token bucket not published: {}", error)
        await asyncio.sleep(min(1.0, modules.metrics_interval_s))
