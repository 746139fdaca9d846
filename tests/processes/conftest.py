from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis

from tests.support.depth_rig import DepthPlan, DepthRig, running_depth

StartDepth = Callable[[DepthPlan], DepthRig]


@pytest.fixture
def start_depth(tmp_path: Path, redis_url: str) -> Iterator[StartDepth]:
    """Start a simulator and a worker on an empty Redis; both are stopped after the test."""
    with ExitStack() as running:
        yield lambda plan: running.enter_context(running_depth(tmp_path, redis_url, plan))


@pytest.fixture(scope="module")
def module_redis_url(redis_server_url: str) -> Iterator[str]:
    """An empty Redis for all tests of a module, which then must not use `redis_url`."""
    with redis.Redis.from_url(redis_server_url) as client:
        client.flushdb()
        yield redis_server_url
        client.flushdb()
