from __future__ import annotations

import itertools
import os
import socket
from collections.abc import Iterator
from typing import Final

# Below the range from which the kernel takes ports for outgoing connections: a server that is
# stopped for a while finds its port free again. Each process of a parallel run has a part of its
# own.
_FIRST: Final = 20_000
_PARTS: Final = 8
_PART: Final = 1_500


def free_port() -> int:
    """A loopback port that nothing listens on, and that is not given twice for a long time."""
    while True:
        port = next(_ports)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def _candidates() -> Iterator[int]:
    part = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _PARTS
    # Runs beside this one begin elsewhere in the same part.
    begin = os.getpid() % _PART
    for step in itertools.count():
        yield _FIRST + part * _PART + (begin + step) % _PART


_ports: Final = _candidates()
