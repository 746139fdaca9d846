"""What the programs under test share: a plain ib_async login, the wait for SIGTERM, the report."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
from typing import Any


def report(log: Any, **more: Any) -> None:
    """Write what was seen, and what it took, to BENCH_OUT."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    document = {
        "log": log,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "rss_mb": usage.ru_maxrss / 1024,
        **more,
    }
    with open(os.environ["BENCH_OUT"], "w", encoding="utf-8") as out:
        json.dump(document, out)


def logging_wanted() -> bool:
    return os.environ.get("BENCH_LOG") != "0"


async def connected() -> Any:
    from ib_async import IB, StartupFetchNONE

    ib = IB()
    await ib.connectAsync(
        "127.0.0.1", int(os.environ["IBKR_PORT"]), clientId=1, fetchFields=StartupFetchNONE
    )
    return ib


async def until_stopped() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
