from __future__ import annotations

from typing import Final

from deploy import processes
from deploy.layout import Layout
from deploy.supervisor_client import SupervisorClient
from shared.settings import READERS

# Worker 10 s, simulator 10 s, Redis 20 s at most, each after the other.
_DEADLINE_S: Final = 50.0


def stop_all(layout: Layout) -> int:
    running = _shut_down(layout)
    survivors = processes.find_ours(layout)
    if survivors:
        names = ", ".join(f"{one.name} {one.pid}" for one in survivors)
        print(f"stopping what no supervisord looks after: {names}")
        processes.stop(survivors)
    readers = map(layout.reader_address, READERS)
    for address in (layout.redis_url, layout.tws_address, layout.vendor_address, *readers):
        address.unlink(missing_ok=True)
    left = processes.find_ours(layout)
    if left:
        print(f"still alive: {', '.join(f'{one.name} {one.pid}' for one in left)}")
        return 1
    print("stopped" if running or survivors else "nothing was running")
    return 0


def _shut_down(layout: Layout) -> bool:
    """Ask supervisord to end; it stops by priority, workers first. False when none answers."""
    try:
        with SupervisorClient(layout.socket) as client:
            programs = client.programs()
            pids = [client.pid(), *(program.pid for program in programs if program.pid)]
            print("stopping workers, simulators, redis")
            client.shutdown()
    except OSError:
        return False
    processes.wait_until_gone(pids, _DEADLINE_S)
    return True
