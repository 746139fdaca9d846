from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from .control import ControlClient
from .errors import SimulatorError

__all__ = ["ChildProcess"]

_ROOT: Final = Path(__file__).parents[1]
_STOP_TIMEOUT_S: Final = 10.0


class ChildProcess:
    """A simulator as a child process on free ports, for tests and benchmarks."""

    def __init__(self, module: str, *flags: str) -> None:
        command = [sys.executable, "-m", module, "--port", "0", "--control-port", "0"]
        self._process = subprocess.Popen(
            [*command, *flags], cwd=_ROOT, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.stdout.close()
            status = self._process.wait()
            raise SimulatorError(f"simulator did not start, exit status was {status}, expected 0")
        ready = json.loads(line)
        self.pid = self._process.pid
        self.port = int(ready["port"])
        self.control_port = int(ready["control_port"])
        self._control = ControlClient(self.control_port)
        # call("freeze", symbol="SPY") and the like.
        self.call = self._control.call

    def stop(self) -> tuple[int, dict[str, Any]]:
        """The exit status and the last line, which has the counters."""
        self._control.close()
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            output, _ = self._process.communicate(timeout=_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        return self._process.returncode, json.loads(output.splitlines()[-1])
