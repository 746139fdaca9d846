from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from shared.settings_environment import PLACES, VARIABLES

ROOT: Final = Path(__file__).resolve().parents[2]
# As a user types it: the file, from the repository root, without any package path.
PROBE: Final = "scripts/ibkr_depth_probe.py"
DEADLINE_S: Final = 30


class Scripts:
    """Runs a script against one simulator, one Redis and a var/ of its own."""

    def __init__(self, home: Path, gateway_port: int, redis_url: str) -> None:
        self._home = home
        # An empty variable counts as unset, and keeps a developer's .env out of the test.
        self.env = {**os.environ, **dict.fromkeys((*VARIABLES, *PLACES), "")}
        self.env |= {
            "TICKVISOR_HOME": str(home),
            "TICKVISOR_SOURCE": "sim",
            "IBKR_HOST": "127.0.0.1",
            "IBKR_PORT": str(gateway_port),
            "REDIS_URL": redis_url,
        }

    def run(
        self, *words: str, python: tuple[str, ...] = (sys.executable,), answer: str = ""
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*python, *words],
            cwd=ROOT,
            env=self.env,
            input=answer,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )

    def probed(self, *words: str) -> dict[str, Any]:
        """The JSON document of a probe."""
        document: dict[str, Any] = json.loads(self.run(PROBE, "--json", *words).stdout)
        return document

    def start(self, *words: str) -> subprocess.Popen[str]:
        with (self._home / "output").open("w") as output:
            return subprocess.Popen(
                [sys.executable, *words],
                cwd=ROOT,
                env=self.env,
                stdout=output,
                stderr=output,
                text=True,
            )

    def output(self) -> str:
        return (self._home / "output").read_text()
