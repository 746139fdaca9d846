from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
import redis

from shared.errors import LeaseHeld, LeaseLost
from shared.store.connection import Store
from shared.store.keys import Keys
from shared.store.lease import Holder, Lease, is_dead, process_start

KEY = "coord:lease:ibkr_depth"
HERE = socket.gethostname()


def with_store(url: str, scenario: Callable[[Store], Awaitable[None]]) -> None:
    async def run() -> None:
        store = Store(url, 2.0)
        try:
            await scenario(store)
        finally:
            await store.close()

    asyncio.run(run())


def lease(store: Store) -> Lease:
    return Lease(store, Keys(), "ibkr_depth")


def hold(url: str, holder: Holder) -> None:
    with redis.Redis.from_url(url) as client:
        client.set(KEY, msgspec.json.encode(holder), px=10_000)


def held(url: str) -> Holder | None:
    with redis.Redis.from_url(url) as client:
        found: Any = client.get(KEY)
    return msgspec.json.decode(found, type=Holder) if found else None


def ended_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait(10)
    return process.pid


def test_a_lease_names_host_process_and_its_start(redis_url: str) -> None:
    async def scenario(store: Store) -> None:
        ours = lease(store)
        await ours.acquire()
        assert held(redis_url) == ours.holder
        assert (ours.holder.host, ours.holder.pid) == (HERE, os.getpid())
        assert ours.holder.pid_start == process_start(os.getpid())

    with_store(redis_url, scenario)


def test_a_second_instance_is_refused_and_the_first_named(redis_url: str) -> None:
    async def scenario(store: Store) -> None:
        first = lease(store)
        await first.acquire()
        with pytest.raises(LeaseHeld) as caught:
            await lease(store).acquire()
        assert str(caught.value) == f"ibkr_depth already runs as pid {os.getpid()} on {HERE}"
        assert held(redis_url) == first.holder

    with_store(redis_url, scenario)


def test_leases_of_different_workers_do_not_meet(redis_url: str) -> None:
    async def scenario(store: Store) -> None:
        await lease(store).acquire()
        await Lease(store, Keys(), "ibkr_trades").acquire()
        held = await store.call(store.client.keys("coord:lease:*"))
        assert sorted(held) == [b"coord:lease:ibkr_depth", b"coord:lease:ibkr_trades"]

    with_store(redis_url, scenario)


def test_acquiring_again_after_a_lost_reply_keeps_the_lease(redis_url: str) -> None:
    async def scenario(store: Store) -> None:
        ours = lease(store)
        await ours.acquire()
        await ours.acquire()
        assert held(redis_url) == ours.holder

    with_store(redis_url, scenario)


def test_a_dead_process_of_this_host_is_taken_over_at_once(redis_url: str) -> None:
    async def scenario(store: Store) -> None:
        hold(redis_url, Holder("t", HERE, ended_process(), 12345))
        ours = lease(store)
        await ours.acquire()
        assert held(redis_url) == ours.holder

    with_store(redis_url, scenario)


def test_a_later_process_with_the_same_pid_is_not_the_holder(redis_url: str) -> None:
    async def scenario(store: Store) -> None:
        hold(redis_url, Holder("t", HERE, os.getpid(), (process_start(os.getpid()) or 0) - 1))
        taken = lease(store)
        await taken.acquire()
        stored = await store.call(store.client.get("coord:lease:ibkr_depth"))
        assert msgspec.json.decode(stored or b"", type=Holder) == taken.holder

    with_store(redis_url, scenario)


def test_a_holder_on_another_host_is_waited_for_even_if_such_a_pid_is_gone_here(
    redis_url: str,
) -> None:
    async def scenario(store: Store) -> None:
        pid = ended_process()
        hold(redis_url, Holder("t", "elsewhere", pid, 12345))
        with pytest.raises(LeaseHeld, match=f"already runs as pid {pid} on elsewhere"):
            await lease(store).acquire()

    with_store(redis_url, scenario)


def test_an_unreadable_lease_is_shown_and_respected(redis_url: str) -> None:
    async def scenario(store: Store) -> None:
        await store.call(store.client.set(KEY, "what is this"))
        with pytest.raises(LeaseHeld, match="unreadable lease b'what is this'"):
            await lease(store).acquire()

    with_store(redis_url, scenario)


def test_renewing_keeps_the_lease_for_its_full_time(redis_url: str) -> None:
    async def scenario(store: Store) -> None:
        ours = lease(store)
        await ours.acquire()
        await store.call(store.client.pexpire(KEY, 500))
        await ours.renew()
        assert await store.call(store.client.pttl(KEY)) > 9_000

    with_store(redis_url, scenario)


def test_a_lease_that_vanished_is_taken_again_by_its_renewal(redis_url: str) -> None:
    async def scenario(store: Store) -> None:
        ours = lease(store)
        await ours.acquire()
        await store.call(store.client.delete(KEY))
        await ours.renew()
        assert held(redis_url) == ours.holder

    with_store(redis_url, scenario)


def test_a_lease_that_another_has_is_lost(redis_url: str) -> None:
    async def scenario(store: Store) -> None:
        ours = lease(store)
        await ours.acquire()
        other = Holder("t", "elsewhere", 1, 1)
        hold(redis_url, other)
        with pytest.raises(LeaseLost, match="ibkr_depth: another instance took the lease"):
            await ours.renew()
        await ours.release()
        assert held(redis_url) == other

    with_store(redis_url, scenario)


def test_a_released_lease_is_free_at_once(redis_url: str) -> None:
    async def scenario(store: Store) -> None:
        first, second = lease(store), lease(store)
        await first.acquire()
        await first.release()
        await second.acquire()
        assert held(redis_url) == second.holder

    with_store(redis_url, scenario)


def test_a_zombie_counts_as_gone() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert process.stdout is not None
    # Its output ends with it, but nobody has waited for it yet.
    process.stdout.read()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert is_dead(Holder("t", HERE, process.pid, process_start(process.pid) or 1), HERE)
    process.wait(10)
    process.stdout.close()
