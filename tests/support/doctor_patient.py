from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.support.gateway_process import GatewayProcess
from tests.support.product import wait_for
from tests.support.scripts import DEADLINE_S, ROOT, Scripts
from tests.support.vendor_process import VendorProcess

KEY: Final = "TELLTALE7KEY0OF4TESTS"
DOCTOR: Final = "import typer; from scripts.doctor import doctor_command; typer.run(doctor_command)"
Found = dict[str, dict[str, str]]


class Simulators(NamedTuple):
    gateway: GatewayProcess
    vendor: VendorProcess

    def restore(self) -> None:
        """Whatever a test has broken is whole again."""
        gateway, vendor = self
        gateway.call("entitle")
        gateway.call("data_entitle")
        gateway.call("hold_slots", slots=0)
        gateway.call("hold_client_ids", ids=[])
        gateway.call("accept_silent", on=False)
        gateway.call("set", mute_current_time=False, nasdaq_name="ISLAND")
        vendor.clear()
        vendor.call("plan", plan="600")
        vendor.call("keys", keys="")
        vendor.call("forget")


@contextmanager
def simulated() -> Iterator[Simulators]:
    gateway, vendor = GatewayProcess(), VendorProcess("--plan", "600")
    try:
        yield Simulators(gateway, vendor)
    finally:
        gateway.stop()
        vendor.stop()


class Patient(Scripts):
    """Everything that the doctor looks at, in order unless a test has broken it."""

    def __init__(self, home: Path, simulators: Simulators, redis_url: str) -> None:
        self.gateway, self.vendor = simulators
        super().__init__(home, self.gateway.port, redis_url)
        self.home = home
        self.env["ALPHA_VANTAGE_BASE_URL"] = f"{self.vendor.base_url}/query"
        self.env["ALPHA_VANTAGE_API_KEY"] = KEY
        self.exit_code = -1

    def examine(self, *words: str) -> Found:
        """What was found, by check."""
        done = self.run("-c", DOCTOR, "--json", *words)
        self.exit_code = done.returncode
        assert done.stderr == ""
        assert KEY not in done.stdout
        rows: list[dict[str, Any]] = json.loads(done.stdout)
        return {row["check"]: row for row in rows}


def failures(found: Found) -> list[str]:
    return [name for name, row in found.items() if row["state"] == "fail"]


@contextmanager
def supervised(home: Path) -> Iterator[None]:
    """A supervisord where the product's own would be, with one program that does nothing."""
    run = home / "var/run"
    run.mkdir(parents=True)
    conf = home / "supervisord.conf"
    conf.write_text(
        f"[unix_http_server]\nfile={run}/supervisor.sock\n"
        f"[supervisord]\nnodaemon=true\npidfile={run}/pid\nlogfile={home}/supervisord.log\n"
        "[rpcinterface:supervisor]\n"
        "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n"
        "[program:av_options]\ncommand=/bin/sleep 600\nstartsecs=0\n"
    )
    words = [sys.executable, "-W", "ignore", "-m", "supervisor.supervisord", "-c", str(conf)]
    with (home / "supervisord.out").open("wb") as output:
        process = subprocess.Popen(words, cwd=ROOT, stdout=output, stderr=output)
    try:
        wait_for((run / "supervisor.sock").exists, DEADLINE_S, "supervisord")
        yield
    finally:
        process.terminate()
        process.wait(10)
