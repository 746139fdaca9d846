"""`make up`, `make down`, `make status`: python -m deploy.launch up|down|status."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from typing import Final

from deploy.layout import Layout
from deploy.start import start, status
from deploy.stop import stop_all
from shared.errors import SettingsError, TickvisorError
from shared.settings import repository_root

_USAGE: Final = 2
_UNUSABLE_SETTINGS: Final = 78


def main(arguments: Sequence[str]) -> int:
    commands: dict[str, Callable[[Layout], int]] = {
        "up": start,
        "down": stop_all,
        "status": status,
    }
    if len(arguments) != 1 or arguments[0] not in commands:
        print(f"usage: python -m deploy.launch {'|'.join(commands)}", file=sys.stderr)
        return _USAGE
    layout = Layout(repository_root())
    try:
        if arguments[0] == "status":
            return status(layout)
        with _alone(layout):
            return commands[arguments[0]](layout)
    except SettingsError as error:
        print(f"unusable settings:\n{error}", file=sys.stderr)
        return _UNUSABLE_SETTINGS
    except TickvisorError as error:
        print(error, file=sys.stderr)
        return 1


@contextmanager
def _alone(layout: Layout) -> Iterator[None]:
    """Two of these at once would pick the same ports or stop what the other just started."""
    layout.create()
    handle = os.open(layout.run / "launch.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            flock(handle, LOCK_EX | LOCK_NB)
        except BlockingIOError as error:
            raise TickvisorError("another make up or make down is at work here") from error
        yield
    finally:
        os.close(handle)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
