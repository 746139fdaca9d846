from __future__ import annotations

import socket
from collections.abc import Callable, Collection

from shared.errors import SettingsError


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As the servers themselves do: a port in TIME_WAIT is free, one with a listener is not.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def next_free(wanted: int, taken: Collection[int], free: Callable[[int], bool] = is_free) -> int:
    last = min(wanted + 200, 65_535)
    for port in range(wanted, last + 1):
        if port not in taken and free(port):
            return port
    raise SettingsError([f"no free port on 127.0.0.1, looked from {wanted} to {last}"])
