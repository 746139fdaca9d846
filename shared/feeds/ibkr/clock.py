"""The two clocks of a feed."""

from __future__ import annotations

import asyncio
import time


def now_s() -> float:
    """The monotonic clock of every age in the feed."""
    return asyncio.get_running_loop().time()


def now_ms() -> int:
    """Unix milliseconds, for what is published."""
    return time.time_ns() // 1_000_000
