"""tickvisor commands in this process, against a Redis that the test fills by hand."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import redis
from typer.testing import CliRunner, Result

from scripts.tickvisor import app
from shared.settings_environment import PLACES, VARIABLES


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Operator:
    """Runs commands; nothing but Redis is there, no supervisord and no worker."""

    def __init__(self, client: redis.Redis) -> None:
        self.redis = client

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(app, list(words))

    def lines(self, *words: str, code: int = 0) -> list[str]:
        done = self.run(*words)
        assert done.exit_code == code, done.output
        return [line.rstrip() for line in done.stdout.splitlines()]

    def told(self, *words: str, code: int = 0) -> Any:
        done = self.run(*words, "--json")
        assert done.exit_code == code, done.output
        return json.loads(done.stdout)

    def refused(self, *words: str, code: int = 1) -> str:
        """The one line on stderr."""
        done = self.run(*words)
        assert (done.exit_code, done.stdout) == (code, ""), done.output
        [line] = done.stderr.splitlines()
        return str(line)

    def beat(self, worker: str, age_ms: int = 0, **changes: Any) -> None:
        at_ms = now_ms() - age_ms
        document = {"worker": worker, "ts": at_ms, "started_ts": at_ms - 60_000, "source": "sim"}
        document |= {"state": "running", "connected": True, "detail": "", **changes}
        self.redis.set(f"heartbeat:{worker}", json.dumps(document), ex=30)

    def checked(self, age_ms: int = 0, **rows: dict[str, Any]) -> None:
        """What the watchdog published; a surface's colon is written as two underscores."""
        fields: dict[Any, Any] = {
            name.replace("__", ":"): json.dumps(row) for name, row in rows.items()
        }
        self.redis.hset(
            "monitoring:data:stale", mapping={**fields, "_checked_ts": now_ms() - age_ms}
        )


def alone(monkeypatch: pytest.MonkeyPatch, home: Path, url: str) -> None:
    """No variable of a developer counts."""
    for name in (*VARIABLES, *PLACES, "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("TICKVISOR_HOME", str(home))
    monkeypatch.setenv("TICKVISOR_SOURCE", "sim")
    monkeypatch.setenv("REDIS_URL", url)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
