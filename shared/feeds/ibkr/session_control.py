"""What a command may do to the connection itself, the same for every IBKR feed."""

from __future__ import annotations

from shared.control.connectivity import Connectivity
from shared.feeds.ibkr.session import Session


def not_connected(session: Session | None, connectivity: Connectivity) -> str:
    """Why nothing can be asked of the gateway now; empty when it can."""
    if session is None or session.lost.done():
        return "not connected to the gateway"
    return "" if connectivity.down_since_s is None else connectivity.degraded


def reconnect(session: Session | None) -> str:
    """End the session; the next login follows after the usual wait."""
    if session is None or session.lost.done():
        return "not connected to the gateway, a login is tried anyway"
    session.fail("reconnect asked for by command")
    return ""
