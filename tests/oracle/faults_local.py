"""Faults of the product's own processes, of Redis and of the load."""

from __future__ import annotations

import os
import signal
import time
from typing import Any, Final

from tests.oracle.faults import ALL_FED, Draw, Fault
from tests.oracle.plan import WORKERS
from tests.oracle.rig import Rig

__all__ = ["LOAD", "REDIS", "WORKER_FAULTS"]

_FEEDS: Final = {
    "ibkr_depth": ("depth",),
    "ibkr_trades": ("trades", "quotes"),
    "av_options": ("options",),
    "av_sentiment": ("sentiment", "technicals"),
    "watchdog": ("watchdog",),
}
# The guardian waits 6 s, is patient with young processes and kills one program ever more seldom.
_REPLACED_S: Final = 60.0
_SECOND_INSTANCE: Final = 3
_TWIN_S: Final = "20"
_TIMED_OUT: Final = 124
_REDIS_S: Final = 30.0
_SLOW_S: Final = 0.2
_FULL: Final = "1mb"
# How long the log is to be read; what one of its commands has, and what the shortest sleep takes.
_LOADING_S: Final = 4.0
_COMMAND_BYTES: Final = 250
_SLEEP_US: Final = 60.0
_LOADED_S: Final = 120.0


def _kill(worker: str) -> Fault:
    def begin(rig: Rig, draw: Draw) -> int:
        return rig.kill(worker)

    name = f"kill -9 {worker}"
    return Fault(name, "workers", begin, hits=_FEEDS[worker], target=name)


def _stop(worker: str) -> Fault:
    def begin(rig: Rig, draw: Draw) -> int:
        return rig.pause(worker)

    def end(rig: Rig, pid: int) -> None:
        rig.resume(pid)

    return Fault(f"stop {worker}", "workers", begin, end, (1.0, 4.0), _FEEDS[worker])


def _hang(worker: str) -> Fault:
    def begin(rig: Rig, draw: Draw) -> int:
        return rig.pause(worker)

    def end(rig: Rig, pid: int) -> None:
        """The guardian is to replace it; a young one is left alone and goes on later."""
        rig.wait(lambda: rig.pid(worker) not in (0, pid), _REPLACED_S)
        rig.resume(pid)

    return Fault(f"hang {worker}", "workers", begin, end, (0.0, 0.0), _FEEDS[worker])


def _restart(worker: str) -> Fault:
    def begin(rig: Rig, draw: Draw) -> None:
        rig.supervisorctl("restart", worker)

    return Fault(f"restart {worker}", "workers", begin, hits=_FEEDS[worker])


def _twin(worker: str) -> Fault:
    def begin(rig: Rig, draw: Draw) -> None:
        command = ["timeout", _TWIN_S, ".venv/bin/python", "-m", f"workers.{worker}"]
        first = rig.pid(worker)
        done = rig.product.run(command, **rig.clock_env)
        # While Redis is away it waits, and is nothing yet.
        waits = done.returncode == _TIMED_OUT and rig.wait(rig.answers, 0.0) is None
        if done.returncode != _SECOND_INSTANCE and not waits:
            said = (done.stdout + done.stderr)[-300:]
            rig.complaints.append(
                ("one instance", f"a second {worker} exited {done.returncode}: {said}")
            )

        elif first and rig.pid(worker) != first:
            rig.complaints.append(("one instance", f"a second {worker} ended the first"))

    return Fault(f"second {worker}", "workers", begin, hits=_FEEDS[worker])


WORKER_FAULTS: Final = tuple(
    make(worker) for make in (_kill, _stop, _hang, _restart, _twin) for worker in WORKERS
)


def _redis_kill(rig: Rig, draw: Draw) -> None:
    pid = rig.kill("redis")
    rig.wait(lambda: rig.pid("redis") not in (0, pid) and rig.answers(), _REDIS_S)


def _redis_off(rig: Rig, draw: Draw) -> None:
    rig.supervisorctl("stop", "redis")


def _redis_on(rig: Rig, token: Any) -> None:
    rig.supervisorctl("start", "redis")
    rig.wait(rig.answers, _REDIS_S)


def _redis_pause(rig: Rig, draw: Draw) -> int:
    return rig.pause("redis")


def _redis_resume(rig: Rig, pid: int) -> None:
    rig.resume(pid)
    rig.wait(rig.answers, _REDIS_S)


def _redis_slow(rig: Rig, draw: Draw) -> None:
    """Every answer waits up to 200 ms."""
    pid = rig.pid("redis")
    until_s = time.monotonic() + 3 + draw.number % 4
    while pid and time.monotonic() < until_s:
        rig.paused.add(pid)
        os.kill(pid, signal.SIGSTOP)
        time.sleep(_SLOW_S)
        rig.resume(pid)
        time.sleep(0.02)


def _redis_far(rig: Rig, draw: Draw) -> None:
    if rig.far_redis:
        rig.far_redis.delay(_SLOW_S)


def _redis_near(rig: Rig, token: Any) -> None:
    if rig.far_redis:
        rig.far_redis.delay(0.0)


def _redis_loads(rig: Rig, draw: Draw) -> None:
    """Killed, and back with a log that takes seconds to read: until then it answers LOADING."""
    conf = rig.product.layout.root / "deploy/redis.conf"
    usual = conf.read_text(encoding="utf-8")
    log: Any = rig.client.info("persistence")
    delay = _load_delay(log["aof_current_size"] / _COMMAND_BYTES)
    conf.write_text(f"{usual}key-load-delay {delay}\n", encoding="utf-8")
    try:
        pid = rig.kill("redis")
        rig.wait(lambda: rig.pid("redis") not in (0, pid) and rig.answers(), _LOADED_S)
    finally:
        conf.write_text(usual, encoding="utf-8")


def _load_delay(commands: float) -> int:
    """Microseconds of sleep for each command, or -n: the shortest sleep at every n-th one."""
    each_us = _LOADING_S * 1e6 / max(1.0, commands)
    return (
        int(each_us - _SLEEP_US) if each_us > 2 * _SLEEP_US else -max(1, int(_SLEEP_US / each_us))
    )


def _redis_full(rig: Rig, draw: Draw) -> str:
    limit: Any = rig.client.config_get("maxmemory")
    rig.client.config_set("maxmemory", _FULL)
    return str(limit["maxmemory"])


def _redis_roomy(rig: Rig, limit: str) -> None:
    rig.wait(rig.answers, _REDIS_S)
    rig.client.config_set("maxmemory", limit)


def _redis_scripts(rig: Rig, draw: Draw) -> None:
    rig.client.script_flush()


def _redis_cut(rig: Rig, draw: Draw) -> None:
    rig.client.client_kill_filter(_type="normal", skipme=True)


REDIS: Final = (
    Fault("redis kill -9", "redis", _redis_kill, hits=ALL_FED, target="redis"),
    Fault("redis loads for seconds", "redis", _redis_loads, hits=ALL_FED, target="redis"),
    Fault("redis away", "redis", _redis_off, _redis_on, (3.0, 12.0), ALL_FED, "redis"),
    Fault("redis away 30 s", "redis", _redis_off, _redis_on, (30.0, 30.0), ALL_FED, "redis"),
    Fault("redis stopped", "redis", _redis_pause, _redis_resume, (1.0, 8.0), ALL_FED, "redis"),
    Fault("redis slow", "redis", _redis_slow, hits=ALL_FED),
    Fault(
        "redis 200 ms away", "redis", _redis_far, _redis_near, (3.0, 10.0), ALL_FED,
        needs="far redis",
    ),
    Fault(
        "redis full", "redis", _redis_full, _redis_roomy, (2.0, 6.0), ALL_FED,
        "redis, room again",
    ),
    Fault("redis script flush", "redis", _redis_scripts, hits=ALL_FED),
    Fault("redis connections cut", "redis", _redis_cut, hits=ALL_FED),
)  # fmt: skip


def _burst(rig: Rig, draw: Draw) -> None:
    rig.gateway.call("burst", symbol=rig.shown(draw), rows=500 + draw.number % 2_500)


def _faster(rig: Rig, draw: Draw) -> float:
    before: float = rig.world.updates_per_s
    rig.gateway.call("set", rate=max(300.0, 3 * before))
    return before


def _slower(rig: Rig, before: float) -> None:
    rig.gateway.call("set", rate=before)


def _trade_faster(rig: Rig, draw: Draw) -> None:
    rig.gateway.call("set", trade_rate=max(40.0, 3 * rig.world.trades_per_s))


def _trade_slower(rig: Rig, token: Any) -> None:
    rig.gateway.call("set", trade_rate=rig.world.trades_per_s)


LOAD: Final = (
    Fault("burst of rows", "load", _burst, hits=("depth",)),
    Fault("storm of rows", "load", _faster, _slower, (2.0, 6.0), ("depth",)),
    Fault("storm of trades", "load", _trade_faster, _trade_slower, (2.0, 5.0), ("trades",)),
)
