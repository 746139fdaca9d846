"""One call budget for all processes on an Alpha Vantage key, kept in Redis.

Redis gives out slots in the order of the requests; a caller waits for its slot and then has it
confirmed. No Redis, no calls.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import secrets
import time
from typing import Any, Final, NamedTuple

from loguru import logger

from shared.errors import BudgetExhausted, StoreRefused, StoreUnavailable
from shared.store.connection import Store
from shared.store.keys import Keys
from shared.store.token_policy import BucketPolicy, BucketState

__all__ = ["BucketPolicy", "TokenBucket", "account_of"]

# Long enough for the counters to outlive the pauses of a slow poll.
_TTL_S: Final = 3_600.0
_RETRY_S: Final = 0.25
_REFUSED, _RESERVED = 0, 2


def account_of(api_key: str) -> str:
    """Names the account of a key without giving the key away."""
    return hashlib.sha256(api_key.encode()).hexdigest()[:8]


class _Slot(NamedTuple):
    state: int
    wait_us: int
    slot_us: bytes
    epoch: bytes
    reason: bytes


class TokenBucket:
    def __init__(self, store: Store, keys: Keys, account: str, policy: BucketPolicy) -> None:
        self._store = store
        self._key = keys.rate_limit(account)
        self._policy = policy
        self._ttl_ms = math.ceil(max(_TTL_S, 2 * policy.horizon_s) * 1e3)
        # Keeps our own callers in their order, and on one connection of the pool.
        self._turn = asyncio.Lock()
        self._epoch = b""
        self._lost = 0
        self._failures = 0

    async def acquire(self) -> None:
        """Return when one call may be made, and make it at once.

        Raises:
            BudgetExhausted: the next free slot is beyond the horizon, or a long cooldown is on.
            StoreRefused: the key holds something else.
        """
        began_s = time.monotonic()
        while True:
            try:
                if await self._claim(began_s):
                    return
            except StoreUnavailable as error:
                await self._pause(error)

    async def cool_down(self, wait_s: float, reason: str) -> None:
        """Keep every process on this key from calling; the longer of old and new wins.

        While Redis is away it keeps trying until the time is over. The reason is stored and
        shown as it is: it must not hold the API key.
        """
        if not 0 <= wait_s < math.inf:
            raise ValueError(f"cooldown must be finite and at least 0 s, was {wait_s}")
        until_s = time.monotonic() + wait_s
        while (left_s := until_s - time.monotonic()) > 0:
            try:
                await self._run("token_cooldown", math.ceil(left_s * 1e6), reason, self._ttl_ms)
                return
            except StoreUnavailable as error:
                await self._pause(error)

    async def window_left_s(self) -> float:
        """Until the 60 s that began with the first call of the current window end, 1 to 60."""
        try:
            return (await self._look()).window_left_s
        except StoreUnavailable:
            return 60.0

    async def stats(self) -> dict[str, Any]:
        """What the bucket holds; `lost`: how often this process saw it begun anew.

        Raises:
            StoreUnavailable: Redis is away.
            StoreRefused: the key holds something else.
        """
        return {**(await self._look()).stats(self._policy), "lost": self._lost}

    async def _claim(self, began_s: float) -> bool:
        """One slot, reserved and waited for; False when nothing came of it."""
        slot, asked_s = await self._reserve()
        wait_s = slot.wait_us / 1e6
        if slot.state == _RESERVED:
            await _sleep_until(time.monotonic() + wait_s)
            if not await self._confirm(slot, began_s):
                return False
        # The grant may be old by now: Redis, or this process, may have stood still meanwhile.
        return time.monotonic() - (asked_s + wait_s) <= self._policy.late_ms / 1e3

    async def _reserve(self) -> tuple[_Slot, float]:
        """The slot, and when it was asked for: it lies `wait_us` after that at the earliest."""
        policy = self._policy
        reply, asked_s = await self._run(
            "token_reserve",
            math.ceil(policy.interval_ms * 1e3),
            math.ceil(policy.spacing_ms * 1e3),
            policy.burst,
            math.floor(policy.horizon_s * 1e6),
            secrets.token_hex(8),
            self._ttl_ms,
        )
        slot = _Slot(*reply)
        if self._epoch not in (b"", slot.epoch):
            self._lost += 1
            logger.warning("{}: the bucket was lost and begun anew, empty", self._key)
        self._epoch = slot.epoch
        if slot.state == _REFUSED:
            reason = slot.reason.decode("utf-8", "replace") or (
                f"the budget of {policy.budget_per_min} calls a minute"
                f" is taken for the next {policy.horizon_s:g} s"
            )
            raise BudgetExhausted(slot.wait_us / 1e6, reason)
        return slot, asked_s

    async def _confirm(self, slot: _Slot, began_s: float) -> bool:
        confirmed, _ = await self._run(
            "token_confirm",
            slot.epoch,
            slot.slot_us,
            math.floor(self._policy.late_ms * 1e3),
            math.ceil((time.monotonic() - began_s) * 1e6),
            self._ttl_ms,
        )
        return bool(confirmed)

    async def _look(self) -> BucketState:
        async with self._turn, self._store.client.pipeline(transaction=True) as pipe:
            pipe.time()
            pipe.hgetall(self._key)
            try:
                (seconds, micros), held = await self._store.call(pipe.execute())
            except StoreRefused as error:
                raise StoreRefused(f"{self._key}: {error}") from None
        return BucketState.parse(seconds * 1_000_000 + micros, held)

    async def _run(self, name: str, *args: str | bytes | int) -> tuple[Any, float]:
        """The script's reply, and when it was sent."""
        async with self._turn:
            sent_s = time.monotonic()
            try:
                reply = await self._store.run(name, [self._key], list(args))
            except StoreRefused as error:
                raise StoreRefused(f"{self._key}: {error}") from None
        if self._failures:
            logger.info("{}: Redis is back after {} failures", self._key, self._failures)
            self._failures = 0
        return reply, sent_s

    async def _pause(self, error: StoreUnavailable) -> None:
        if not self._failures:
            logger.warning("{}: no calls while Redis is away: {}", self._key, error)
        self._failures += 1
        await asyncio.sleep(_RETRY_S)


async def _sleep_until(due_s: float) -> None:
    # A loop's timer may fire up to its resolution early.
    while (left_s := due_s - time.monotonic()) > 0:
        await asyncio.sleep(left_s)
