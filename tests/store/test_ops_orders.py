from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from scripts.ops import orders
from tests.store.ops_client import Operator, alone, now_ms

Answer = Callable[[dict[str, Any]], str]


@pytest.fixture
def ops(
    client: redis.Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Operator:
    alone(monkeypatch, tmp_path, redis_url)
    return Operator(client)


@pytest.fixture
def obey(client: redis.Redis) -> Iterator[Callable[[str, Answer], list[dict[str, Any]]]]:
    """A worker that takes one order and answers it among its incidents."""
    threads: list[threading.Thread] = []

    def start(worker: str, answer: Answer) -> list[dict[str, Any]]:
        taken: list[dict[str, Any]] = []
        client.set(f"coord:lease:{worker}", "{}", ex=60)

        def run() -> None:
            until_s = time.monotonic() + 10
            while time.monotonic() < until_s:
                raw: Any = client.lpop(f"coord:control:{worker}")
                if raw:
                    taken.append(json.loads(raw))
                    told: dict[Any, Any] = {"ts": now_ms(), "worker": worker, "kind": "control"}
                    # Somebody else's acknowledgement comes first.
                    client.xadd("monitoring:incidents", {**told, "text": "x, id 0: done"})
                    client.xadd("monitoring:incidents", {**told, "text": answer(taken[0])})
                    return
                time.sleep(0.01)

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        return taken

    yield start
    for thread in threads:
        thread.join()


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
    monkeypatch.setattr(orders, "WAIT_S", 0.3)
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
