from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml

from shared.settings import VARIABLES

REPOSITORY: Final = Path(__file__).resolve().parents[2]
_LOG_TAIL_BYTES: Final = 4_000
_STOP_S: Final = 10.0

Result = TypeVar("Result")


class WorkerProcess:
    """`python -m workers.<name>` with settings, universe and log of its own."""

    def __init__(self, home: Path, env: Mapping[str, str], name: str = "ibkr_depth") -> None:
        self.name = name
        self.log = home / f"{name}.log"
        # An empty variable counts as unset, and keeps a developer's .env out of the test.
        self._env = {**os.environ, **dict.fromkeys(VARIABLES, ""), **env}
        self._env["TICKVISOR_HOME"] = str(home)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, "worker was never started"
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        assert self._process is not None, "worker was never started"
        return self._process.poll()

    def start(self) -> WorkerProcess:
        assert self._process is None or self.exit_code is not None, "worker is already running"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", f"workers.{self.name}"],
                cwd=REPOSITORY,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        self.wait(_STOP_S)

    def pause(self) -> None:
        """It lives and does nothing."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def terminate(self) -> None:
        os.kill(self.pid, signal.SIGTERM)

    def wait(self, timeout_s: float) -> int:
        """The exit code, within `timeout_s`."""
        assert self._process is not None, "worker was never started"
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"worker lives after {timeout_s} s:\n{self.log_tail()}") from None

    def close(self) -> None:
        """Leave nothing behind, whatever the test left running."""
        if self._process is None or self.exit_code is not None:
            return
        self.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def log_text(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def log_tail(self) -> str:
        return f"--- {self.log.name}\n{self.log_text()[-_LOG_TAIL_BYTES:]}"

    def wait_until(
        self, condition: Callable[[], Result], timeout_s: float, what: str, alive: bool = True
    ) -> Result:
        """The first true value of `condition`; a worker that ends meanwhile fails at once."""
        until = time.monotonic() + timeout_s
        while not (value := condition()):
            if alive and self.exit_code is not None:
                raise AssertionError(f"{what}: worker exited {self.exit_code}\n{self.log_tail()}")
            if time.monotonic() > until:
                raise AssertionError(f"{what}: not within {timeout_s} s\n{self.log_tail()}")
            time.sleep(0.05)
        return value


def write_settings(home: Path, changes: Mapping[str, Any]) -> Path:
    """The shipped settings with `changes` laid over them, as a file of the test's own."""
    shipped = yaml.safe_load((REPOSITORY / "config/ingestion.yaml").read_text(encoding="utf-8"))
    path = home / "ingestion.yaml"
    path.write_text(yaml.safe_dump(_merged(shipped, changes)), encoding="utf-8")
    return path


def write_universe(
    home: Path, venues: Mapping[str, Iterable[str]], pinned: Iterable[str] = ()
) -> Path:
    symbols = {symbol: {"venues": list(names)} for symbol, names in venues.items()}
    path = home / "ibkr_symbols.yaml"
    document = {"symbols": symbols, "pinned": list(pinned)}
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path


def _merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = deepcopy(dict(base))
    for name, value in changes.items():
        inner = merged.get(name)
        nested = isinstance(inner, dict) and isinstance(value, Mapping)
        merged[name] = _merged(inner, value) if nested and isinstance(inner, dict) else value
    return merged
