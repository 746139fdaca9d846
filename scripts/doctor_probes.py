"""What the doctor asks Redis, supervisord, the gateway and the vendor, each under a deadline."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scripts import doctor_gateway, doctor_programs, doctor_redis, doctor_vendor
from scripts.doctor_finding import Finding, fail
from shared.errors import BudgetExhausted, StoreError
from shared.feeds.alphavantage import diagnosis as vendor_diagnosis
from shared.feeds.alphavantage.diagnosis import VendorReport
from shared.feeds.ibkr import diagnosis as gateway_diagnosis
from shared.feeds.ibkr.diagnosis import GatewayReport, Plan
from shared.settings import WORKERS, Settings
from shared.store import redis_health
from shared.store.connection import Store
from shared.store.keys import Keys
from shared.store.redis_health import RedisHealth
from shared.store.token_bucket import BucketPolicy, TokenBucket, account_of
from shared.version import VERSION

_REDIS_S: Final = 3.5
_GATEWAY_S: Final = 14.5
_VENDOR_S: Final = 14.5
_BUDGET_S: Final = 2.0


@dataclass(slots=True)
class Seen:
    """What was found, for checks that depend on it; None: not asked, or no answer."""

    redis: RedisHealth | None = None
    programs: dict[str, str] | None = None
    gateway: GatewayReport | None = None
    vendor: VendorReport | None = None

    def running(self) -> set[str]:
        """Workers by their leases and by supervisord: either may be out of reach."""
        held = set(self.redis.holders) if self.redis else set()
        return held | doctor_programs.running(self.programs)


async def redis(settings: Settings, seen: Seen) -> list[Finding]:
    if not settings.redis.url:
        return [doctor_redis.absent(settings)]
    keys, connect_s = Keys(settings.redis.key_prefix), settings.redis.connect_timeout_s
    try:
        async with asyncio.timeout(_REDIS_S):
            seen.redis = await redis_health.examine(settings.redis.url, keys, WORKERS, connect_s)
    except TimeoutError:
        return [doctor_redis.unreachable(settings, f"silent for {_REDIS_S:g} s")]
    except StoreError as error:
        return [doctor_redis.unreachable(settings, str(error))]
    return doctor_redis.judge(settings, seen.redis)


async def programs(settings: Settings, seen: Seen) -> list[Finding]:
    path = Path(settings.home) / "var/run/supervisor.sock"
    try:
        seen.programs = await asyncio.to_thread(doctor_programs.states, path)
    except OSError as error:
        return [doctor_programs.silent(str(error))]
    wanted = (*settings.supervision.workers(), *settings.readers())
    return [doctor_programs.judge(seen.programs, wanted)]


async def gateway(settings: Settings, seen: Seen, live_probe: bool) -> list[Finding]:
    unneeded = doctor_gateway.unneeded(settings)
    if unneeded is not None:
        return [unneeded]
    plan = doctor_gateway.plan_of(settings, seen.running()) if live_probe else Plan()
    try:
        async with asyncio.timeout(_GATEWAY_S):
            report = await gateway_diagnosis.diagnose(settings.ibkr, plan)
    except TimeoutError:
        text = f"logged in, and the rest took over {_GATEWAY_S:g} s"
        return [fail(doctor_gateway.CHECK, text, "the gateway hangs: restart it")]
    seen.gateway = report
    return doctor_gateway.judge(settings, plan, report, seen.redis.holders if seen.redis else {})


async def vendor(settings: Settings, seen: Seen, live_probe: bool) -> list[Finding]:
    unneeded = doctor_vendor.unneeded(settings)
    if unneeded is not None:
        return [unneeded]
    if not live_probe:
        return doctor_vendor.untried(settings)
    agent = f"tickvisor/{VERSION} doctor"
    symbol = settings.universe.by_symbol(settings.vendor_symbols()[0]).alpha_vantage_name
    try:
        async with asyncio.timeout(_VENDOR_S), _leave(settings, seen) as acquire:
            seen.vendor = await vendor_diagnosis.diagnose(
                settings.alpha_vantage, agent, symbol, acquire
            )
    except TimeoutError:
        seen.vendor = VendorReport(unasked=f"no outcome within {_VENDOR_S:g} s")
    return doctor_vendor.judge(settings, seen.vendor)


@asynccontextmanager
async def _leave(settings: Settings, seen: Seen) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Calls out of the workers' budget, where Redis answers and has the say in it."""
    if seen.redis is None or seen.redis.role == "slave":
        yield _granted
        return
    store = Store(settings.redis.url, settings.redis.connect_timeout_s)
    vendor = settings.alpha_vantage
    policy = dataclasses.replace(BucketPolicy.from_settings(vendor), horizon_s=_BUDGET_S)
    account = account_of(vendor.api_key.reveal())
    bucket = TokenBucket(store, Keys(settings.redis.key_prefix), account, policy)

    async def acquire() -> None:
        try:
            async with asyncio.timeout(2 * _BUDGET_S):
                await bucket.acquire()
        except TimeoutError:
            raise BudgetExhausted(_BUDGET_S, "the shared budget gives no call") from None
        except StoreError as error:
            raise BudgetExhausted(0.0, f"the shared budget is refused, {error}") from None

    try:
        yield acquire
    finally:
        await store.close()


async def _granted() -> None:
    """No Redis, no shared budget: two calls fit into what is kept in reserve."""
