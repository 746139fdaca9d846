from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

# Bars come every five seconds, and a busy machine may be late with them.
DEADLINE_S: Final = 20.0


async def until(condition: Callable[[], Any]) -> None:
    """Wait on the running loop for what must come to hold; fails the test at the deadline."""
    deadline_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline_s, "condition not met in time"
        await asyncio.sleep(0.01)
