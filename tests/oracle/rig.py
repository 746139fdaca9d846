"""The real product in a directory of its own, and the handles by which it is hurt and asked."""

from __future__ import annotations

import http.client
import os
import signal
import time
import xmlrpc.client
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import redis

from deploy import processes
from deploy.supervisor_client import Program, SupervisorClient
from simulators.alphavantage.process import SimulatorProcess as VendorProcess
from simulators.control import ControlClient
from simulators.tws.process import SimulatorProcess as GatewayProcess
from tests.oracle.draw import Draw
from tests.oracle.fake_clock import FakeClock, true_ms
from tests.oracle.far_redis import FarRedis
from tests.oracle.log_disk import LogDisk
from tests.oracle.plan import VENDOR_PLAN, VENUES, World, settings_of
from tests.support.ports import free_port
from tests.support.product import Product
from tests.support.worker_process import write_settings, write_universe

__all__ = ["AWAY", "Rig", "now_ms"]

# What is raised while supervisord or its socket is away.
AWAY: Final = (OSError, http.client.HTTPException, xmlrpc.client.Error)
_POLL_S: Final = 0.05


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Rig:
    """The simulators are the rig's own, so that the product can be taken down without them."""

    def __init__(self, home: Path, world: World, secret: str) -> None:
        self.product = Product(home)
        self.secret = secret
        self.world = world
        config = self.product.layout.root / "config"
        write_universe(config, VENUES)
        write_settings(config, settings_of(self.world))
        self._take_redis_port()
        # Connections, simulators and disks, closed in reverse order.
        self._open = ExitStack()
        self.log_disk = LogDisk(self.product.layout.log)
        self._open.callback(self.log_disk.close)
        self.clock = FakeClock(self.product.layout.root) if world.fake_clock else None
        self.far_redis = FarRedis(self.product.layout.root) if world.far_redis else None
        if self.far_redis:
            self._open.callback(self.far_redis.stop)
        # The journal must be there before the first subscription. The vendor's own pacing of
        # history would outlast a campaign of minutes.
        scenario = config / "oracle_gateway.yaml"
        scenario.write_text(
            "- {at_s: 0, command: journal, 'on': true}\n"
            "- {at_s: 0, command: set, history_pacing: 'off', bar_pacing: 'off',"
            f" tape_size: 100000, trade_rate: {world.trades_per_s}}}\n",
            encoding="utf-8",
        )
        self._scenario = scenario
        self.paused: set[int] = set()
        # (invariant, text) of what a fault itself found wrong.
        self.complaints: list[tuple[str, str]] = []

    def _take_redis_port(self) -> None:
        """While Redis is down by a fault, another product must not take its port."""
        plan = self.product.layout.root / "deploy/plan.py"
        text, usual = plan.read_text(encoding="utf-8"), "REDIS_PORT: Final = 6379"
        assert text.count(usual) == 1, f"{plan} must hold {usual!r}"
        plan.write_text(text.replace(usual, f"REDIS_PORT: Final = {free_port()}"), "utf-8")

    def up(self) -> None:
        seed = ("--seed", str(self.world.seed))
        rate = ("--rate", str(self.world.updates_per_s), "--scenario", str(self._scenario))
        # A port that nobody takes while the gateway is down.
        self._gateway = GatewayProcess(*seed, *rate, "--port", str(free_port()))
        self._open.callback(self._gateway.stop)
        plan = (
            "--plan",
            str(VENDOR_PLAN),
            "--contracts",
            str(self.world.contracts),
            "--moving",
            "0.3",
        )
        self._vendor = VendorProcess(*seed, *plan)
        self._open.callback(self._vendor.stop)
        self.gateway = self._open.enter_context(
            ControlClient(self._gateway.control_port, timeout_s=30)
        )
        self.vendor = self._open.enter_context(
            ControlClient(self._vendor.control_port, timeout_s=30)
        )
        self.make_up()

    @property
    def tws_control_port(self) -> int:
        return self._gateway.control_port

    def make_up(self) -> None:
        done = self.product.launch(
            "up",
            IBKR_HOST="127.0.0.1",
            IBKR_PORT=str(self._gateway.port),
            # A key of the user's goes to a simulator only where its address is named.
            ALPHA_VANTAGE_API_KEY=self.secret,
            ALPHA_VANTAGE_BASE_URL=f"{self._vendor.base_url}/query",
            **self.clock_env,
        )
        if done.returncode != 0:
            raise RuntimeError(f"make up failed:\n{done.stdout}{done.stderr}")
        client = redis.Redis.from_url(self.url, decode_responses=True, socket_timeout=5)
        self.client = self._open.enter_context(client)

    @property
    def clock_env(self) -> dict[str, str]:
        """What a process of the product needs to have the product's clock."""
        return self.clock.env if self.clock else {}

    def true_ms(self, ms: int) -> int:
        return true_ms(ms) if self.clock else ms

    @property
    def url(self) -> str:
        """Where Redis itself is now: another `make up` may have had to take another port."""
        return self.product.login(self.product.public_url, "admin")

    @property
    def redis_password(self) -> str:
        lines = (self.product.layout.root / ".env").read_text(encoding="utf-8").splitlines()
        found = dict(line.split("=", 1) for line in lines if "=" in line)
        return found["REDIS_PASSWORD"].strip("'\"")

    def down(self) -> None:
        for pid in list(self.paused):
            self.resume(pid)
        with self._open:
            self.product.launch("down")
            processes.stop(processes.find_ours(self.product.layout))

    # Processes

    def programs(self) -> dict[str, Program]:
        with SupervisorClient(self.product.layout.socket) as client:
            return {program.name: program for program in client.programs()}

    def pid(self, name: str) -> int:
        return self.programs()[name].pid

    def kill(self, name: str) -> int:
        pid = self.pid(name)
        if pid:
            os.kill(pid, signal.SIGKILL)
        return pid

    def pause(self, name: str) -> int:
        pid = self.pid(name)
        if pid:
            self.paused.add(pid)
            os.kill(pid, signal.SIGSTOP)
        return pid

    def resume(self, pid: int) -> None:
        self.paused.discard(pid)
        if pid and processes.is_alive(pid):
            os.kill(pid, signal.SIGCONT)

    def supervisorctl(self, *words: str) -> str:
        return self.product.supervisorctl(*words).stdout

    # Waiting

    def wait(self, condition: Callable[[], bool], timeout_s: float) -> float | None:
        """Seconds until it held, None when it did not in time; an absent Redis counts as no.

        It is looked at once at least."""
        begin_s = time.monotonic()
        while True:
            try:
                if condition():
                    return time.monotonic() - begin_s
            except (redis.RedisError, *AWAY):
                pass
            if time.monotonic() - begin_s >= timeout_s:
                return None
            time.sleep(_POLL_S)

    def answers(self) -> bool:
        return bool(self.client.ping())

    def shown(self, draw: Draw) -> str:
        """A symbol that has depth now, by the draw's number; else the drawn one."""
        records = self.gateway_stats()["subscriptions"]
        live = sorted({r["symbol"] for r in records if r["state"] == "live"})
        return live[draw.number % len(live)] if live else draw.symbol

    def gateway_stats(self) -> dict[str, Any]:
        return self.gateway.call("stats")
