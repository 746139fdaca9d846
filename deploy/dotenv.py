"""What `make up` writes into .env: the file itself, and the secret behind all Redis passwords."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Final

from deploy.layout import Layout, write_private

_SECRET: Final = "REDIS_PASSWORD"
_PRIVATE: Final = 0o600


def ensure_dotenv(layout: Layout) -> None:
    target, example = layout.root / ".env", layout.root / ".env.example"
    if target.exists():
        _make_private(target)
    elif example.exists():
        write_private(target, example.read_text(encoding="utf-8"))
        print("created .env from .env.example")


def add_redis_password(layout: Layout) -> None:
    """Make one up, in one step: no reader ever sees half of the file."""
    target = (layout.root / ".env").resolve()
    before = target.read_text(encoding="utf-8") if target.exists() else ""
    if before and not before.endswith("\n"):
        before += "\n"
    write_private(
        target,
        f"{before}\n# Made up by `make up`: the passwords of all users of the embedded Redis.\n"
        f"{_SECRET}={secrets.token_urlsafe(32)}\n",
    )
    print(f"made up {_SECRET} and wrote it to .env")


def _make_private(dotenv: Path) -> None:
    """It holds keys and passwords, and may have been written by an editor for all to read."""
    mode = dotenv.stat().st_mode & 0o777
    if mode & ~_PRIVATE:
        dotenv.chmod(mode & _PRIVATE)
        print(f".env was readable by others (mode {mode:o}), is {mode & _PRIVATE:o} now")
