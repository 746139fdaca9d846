from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from shared.store import ops_orders
from tests.store.ops_client import Operator, alone, now_ms

Answer = Callable[[dict[str, Any]], str]


@pytest.fixture
def ops(
    client: redis.Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Operator:
    alone(monkeypatch, tmp_path, redis_url)
    return Operator(client)


class Worker(threading.Thread):
    """Takes one order and answers it among its incidents."""

    def __init__(self, client: redis.Redis, name: str, answer: Answer) -> None:
        super().__init__(name=name)
        self.taken: list[dict[str, Any]] = []
        self._redis, self._answer = client, answer

    def run(self) -> None:
        until_s = time.monotonic() + 10
        while not self.taken and time.monotonic() < until_s:
            raw: Any = self._redis.lpop(f"coord:control:{self.name}")
            if not raw:
                time.sleep(0.01)
                continue
            self.taken.append(json.loads(raw))
            # Somebody else's acknowledgement comes first.
            for text in ("x, id 0: done", self._answer(self.taken[0])):
                told: dict[Any, Any] = {"ts": now_ms(), "worker": self.name, "kind": "control"}
                self._redis.xadd("monitoring:incidents", {**told, "text": text})


@pytest.fixture
def obey(client: redis.Redis) -> Iterator[Callable[[str, Answer], list[dict[str, Any]]]]:
    """Starts a worker, and gives the orders that it takes."""
    workers: list[Worker] = []

    def start(name: str, answer: Answer) -> list[dict[str, Any]]:
        client.set(f"coord:lease:{name}", "{}", ex=60)
        workers.append(Worker(client, name, answer))
        workers[-1].start()
        return workers[-1].taken

    yield start
    for worker in workers:
        worker.join()


def done(order: dict[str, Any]) -> str:
    return f"{order['command']}, asked by {order['by']}, id {order['id']}: done"


def test_the_acknowledgement_of_the_order_is_printed(ops: Operator, obey: Any) -> None:
    taken = obey("ibkr_trades", done)
    [line] = ops.lines("resubscribe", "spy")
    [order] = taken
    assert line == f"ibkr_trades: resubscribe, asked by tickvisor, id {order['id']}: done"
    assert (order["command"], order["symbol"], order["by"]) == ("resubscribe", "SPY", "tickvisor")
    assert abs(order["ts"] - now_ms()) < 10_000


def test_a_symbol_with_a_slot_is_asked_anew_of_the_depth_worker(ops: Operator, obey: Any) -> None:
    ops.redis.set("coord:depth:live:SPY", '["ARCA"]', ex=60)
    obey("ibkr_depth", done)
    assert ops.lines("resubscribe", "SPY")[0].startswith("ibkr_depth: ")


def test_the_worker_may_be_named(ops: Operator, obey: Any) -> None:
    taken = obey("av_options", done)
    assert ops.told("resubscribe", "SPY", "--worker", "av_options")["worker"] == "av_options"
    assert taken[0]["symbol"] == "SPY"


def test_a_refusal_is_one_line_and_exit_1(ops: Operator, obey: Any) -> None:
    obey("ibkr_depth", lambda order: f"x, id {order['id']}: refused: parked, its turn comes")
    line = ops.refused("reconnect", "ibkr_depth")
    assert line.startswith("tickvisor: ibkr_depth: x, id ")
    assert line.endswith(": refused: parked, its turn comes")


def test_a_reconnect_names_no_symbol(ops: Operator, obey: Any) -> None:
    taken = obey("ibkr_trades", done)
    ops.lines("reconnect", "ibkr_trades")
    assert "symbol" not in taken[0]


def test_a_worker_that_does_not_run_is_sent_nothing(ops: Operator) -> None:
    assert ops.refused("reconnect", "av_options") == (
        "tickvisor: av_options: does not run, nothing was sent"
    )
    assert not ops.redis.exists("coord:control:av_options")


def test_a_worker_that_does_not_answer_is_exit_1(
    ops: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ops_orders, "WAIT_S", 0.3)
    ops.redis.set("coord:lease:av_options", "{}", ex=60)
    assert ops.refused("reconnect", "av_options") == (
        "tickvisor: av_options: no answer within 0.3 s"
    )
    assert ops.told("reconnect", "av_options", code=1)["ok"] is False


def test_an_unknown_worker_is_wrong_usage(ops: Operator) -> None:
    assert ops.refused("reconnect", "ibkr_dept", code=2) == (
        "tickvisor: unknown worker ibkr_dept, nearest is ibkr_depth"
    )
    assert ops.refused("resubscribe", "SPY", "--worker", "watchdog", code=2).startswith(
        "tickvisor: unknown worker watchdog"
    )
