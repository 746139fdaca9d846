"""Scenarios that mostly wait, run side by side: one rig, one Redis and one thread each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.market_rig import MarketPlan, MarketRig, running_market
from tests.support.redis_server import RedisServer

# Each is a worker, a simulator and a Redis, on two cores.
AT_ONCE: Final = 5

Body = Callable[[MarketRig, RedisServer], None]


@dataclass(frozen=True, slots=True)
class Scenario:
    body: Body
    plan: MarketPlan

    @property
    def name(self) -> str:
        return self.body.__name__


def scenario(table: dict[str, Scenario], plan: MarketPlan | None = None) -> Callable[[Body], Body]:
    """Enter a function into the table of its module's scenarios."""

    def enter(body: Body) -> Body:
        table[body.__name__] = Scenario(body, plan or MarketPlan())
        return body

    return enter


@contextmanager
def side_by_side(
    home: Path, table: Mapping[str, Scenario], wanted: set[str]
) -> Iterator[dict[str, Future[None]]]:
    """The outcomes of the wanted scenarios; a failure is raised by its `result()`."""
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        yield {
            name: pool.submit(_play, home / name, one)
            for name, one in table.items()
            if name in wanted
        }


def _play(home: Path, one: Scenario) -> None:
    server = RedisServer(home / "redis", appendonly=True).start()
    try:
        with running_market(home, server.url, one.plan) as rig:
            one.body(rig, server)
    finally:
        server.stop()
