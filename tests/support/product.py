from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Final

import redis

from deploy.layout import Layout
from shared.settings import Secret
from shared.settings_environment import read_dotenv
from shared.settings_fields import EnvironmentText
from shared.settings_redis import ADMIN, password_of, url_as

REPOSITORY: Final = Path(__file__).resolve().parents[2]
_PARTS: Final = (
    ".env.example", "config", "deploy", "setup.cfg", "shared", "simulators", "supervisord.conf",
    "workers",
)  # fmt: skip
_OURS: Final = ("IBKR_", "TICKVISOR_", "ALPHA_VANTAGE_", "REDIS_", "SYMBOL_", "SUPERVISOR_")


class Product:
    """A copy of the tree with a var/ of its own, run by the same interpreter as the tests."""

    def __init__(self, root: Path) -> None:
        self.layout = Layout(root.resolve())
        self.layout.root.mkdir(parents=True, exist_ok=True)
        for part in _PARTS:
            _copy(REPOSITORY / part, self.layout.root / part)
        (self.layout.root / ".venv").symlink_to(sys.prefix)

    def launch(self, command: str, **env: str) -> subprocess.CompletedProcess[str]:
        """What `make up`, `make down` and `make status` run once the packages are installed."""
        words = [".venv/bin/python", "-m", "deploy.launch", command]
        if command != "up":
            return self.run(words, **env)
        with _alone():
            return self.run(words, **env)

    def supervisorctl(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.run(["supervisorctl", *words])

    def run(self, command: list[str], **env: str) -> subprocess.CompletedProcess[str]:
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(_OURS)
        }
        inherited["PATH"] = f"{self.layout.root}/.venv/bin:{inherited['PATH']}"
        return subprocess.run(
            command,
            cwd=self.layout.root,
            env={**inherited, **env},
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )

    @property
    def public_url(self) -> str:
        """What `make up` leaves for people and their programs, with the operator's login."""
        return self.layout.redis_url.read_text(encoding="utf-8").strip()

    def login(self, url: str, user: str) -> str:
        """The same address with the login of another user of the product's Redis."""
        found: dict[str, EnvironmentText] = read_dotenv(self.layout.root / ".env", [])
        secret = Secret(found["REDIS_PASSWORD"].text)
        return url_as(url, user, password_of(secret, user))

    def client(self) -> redis.Redis:
        """May do everything: a test looks and breaks in ways that no program of ours may."""
        return redis.Redis.from_url(self.login(self.public_url, ADMIN), decode_responses=True)


def wait_for(condition: Callable[[], bool], deadline_s: float, what: str) -> None:
    until = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < until, f"{what}: not within {deadline_s} s"
        time.sleep(0.05)


@contextmanager
def _alone() -> Iterator[None]:
    """Tests run side by side, and two trees that start together would pick the same free ports."""
    with (Path(tempfile.gettempdir()) / "tickvisor-tests-up.lock").open("w") as lock:
        flock(lock, LOCK_EX)
        yield


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)
