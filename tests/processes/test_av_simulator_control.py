from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from simulators.control import ControlClient
from simulators.errors import CommandError
from tests.support.vendor_process import (
    VendorProcess,
    connect,
    fetch,
    wait_until,
)

Start = Callable[..., VendorProcess]
RSI = {"function": "RSI", "symbol": "SPY", "interval": "5min", "time_period": "14",
       "series_type": "close"}  # fmt: skip


@pytest.fixture
def start() -> Iterator[Start]:
    running: list[VendorProcess] = []

    def begin(*flags: str) -> VendorProcess:
        running.append(VendorProcess(*flags))
        return running[-1]

    yield begin
    for process in running:
        process.stop()


def test_a_scenario_runs_by_itself(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text(
        "- {at_s: 0, command: moving, share: 0.5}\n"
        "- {at_s: 0, from: first_request, command: fault, kind: html_503}\n"
        "- {at_s: 0, command: chain, symbol: SPY}\n"
    )
    vendor = start("--scenario", str(path))
    client = connect(vendor)
    assert fetch(client)[0].status == 200
    wait_until(lambda: vendor.call("faults")["faults"])
    assert fetch(client)[0].status == 503
    stats = vendor.stats()
    assert stats["moving"] == 0.5
    assert stats["scenario_errors"] == ["chain: no REALTIME_OPTIONS has been sent, was 'SPY'"]
    client.close()


def test_the_control_port_answers_what_it_cannot_do(start: Start) -> None:
    vendor = start()
    with ControlClient(vendor.control_port) as control:
        assert set(control.call("help")["commands"]) >= {"fault", "clear", "plan", "stats"}
        for command, fields, error in (
            ("nope", {}, "unknown command, was 'nope', one of chain, clear"),
            ("fault", {"kind": "hang", "count": 0}, "count must be at least 1, was 0"),
            ("moving", {"share": 1.5}, "share must be at most 1, was 1.5"),
            ("plan", {"plan": "80"}, "plan must be one of free, 75, 150, 300, 600, 1200, was 80"),
        ):
            with pytest.raises(CommandError, match=error):
                control.call(command, **fields)
    with socket.create_connection(("127.0.0.1", vendor.control_port), timeout=10) as raw:
        raw.sendall(b"nonsense\n")
        assert json.loads(raw.recv(4096)) == {
            "ok": False, "error": "line must be JSON, was b'nonsense'",
        }  # fmt: skip


def test_it_stops_at_once_with_its_counters(start: Start) -> None:
    vendor = VendorProcess()
    client = connect(vendor)
    fetch(client)
    began_s = time.monotonic()
    status, last = vendor.stop()
    assert time.monotonic() - began_s < 5
    assert (status, last["event"], last["requests"]) == (0, "stopped", 1)
    assert last["asked"] == {"REALTIME_OPTIONS": {"IBM": 1}}
    client.close()


def test_it_tells_its_ports_in_one_line() -> None:
    command = [sys.executable, "-m", "simulators.alphavantage", "--port", "0"]
    with subprocess.Popen(
        [*command, "--control-port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        ready: dict[str, Any] = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=10)
    assert set(ready) == {"event", "port", "control_port"}
    assert ready["event"] == "ready"
    assert (process.returncode, errors) == (0, b"")
