from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shared.errors import SettingsError

# sockaddr_un holds 108 bytes; supervisord first binds the name with ".<pid>" behind it.
_MAX_SOCKET_PATH: Final = 107 - len(".4194304")


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the running product keeps its files: beside supervisord.conf, which says the same."""

    root: Path

    @property
    def supervisord_conf(self) -> Path:
        return self.root / "supervisord.conf"

    @property
    def python(self) -> Path:
        return self.root / ".venv/bin/python"

    @property
    def var(self) -> Path:
        return self.root / "var"

    @property
    def run(self) -> Path:
        return self.var / "run"

    @property
    def log(self) -> Path:
        return self.var / "log"

    @property
    def redis(self) -> Path:
        return self.var / "redis"

    @property
    def programs(self) -> Path:
        return self.var / "supervisor"

    @property
    def socket(self) -> Path:
        return self.run / "supervisor.sock"

    @property
    def redis_acl(self) -> Path:
        return self.redis / "users.acl"

    @property
    def redis_url(self) -> Path:
        return self.run / "redis.url"

    @property
    def tws_address(self) -> Path:
        return self.run / "tws.json"

    @property
    def vendor_address(self) -> Path:
        return self.run / "alphavantage.json"

    def reader_address(self, name: str) -> Path:
        return self.run / f"{name}.json"

    def create(self) -> None:
        if len(str(self.socket)) > _MAX_SOCKET_PATH:
            raise SettingsError(
                [
                    f"{self.socket}: was {len(str(self.socket))} characters,"
                    f" must be at most {_MAX_SOCKET_PATH} for a unix socket"
                ]
            )
        for directory in (self.var, self.run, self.log, self.redis, self.programs):
            directory.mkdir(mode=0o700, exist_ok=True)
            # One that is there already may be open to others.
            directory.chmod(0o700)


def write_private(path: Path, text: str) -> None:
    """Replace the file in one step; it may hold a password."""
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
