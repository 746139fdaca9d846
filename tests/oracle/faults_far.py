"""Faults of the gateway and of the vendor, by the simulators' own commands."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from simulators.errors import CommandError
from tests.oracle.faults import Draw, Fault, nothing
from tests.oracle.rig import Rig

__all__ = ["GATEWAY", "VENDOR"]

_FED: Final = ("depth", "trades", "quotes")
_CLIENT_IDS: Final = (777, 787)
_GARBAGE: Final = ("bytes", "empty", "number", "unknown_id", "short")
# The product probes for 5 s + 3 s, then connects.
_PROBED_S: Final = 25.0
# Depth that was refused comes back one slot at a time.
_SLOTS_S: Final = 45.0
_TRIES: Final = 10
_TRY_AGAIN_S: Final = 0.5
_Values = Callable[[Rig, Draw], dict[str, Any]]


def _told(command: str, values: _Values | None = None, **fixed: Any) -> Callable[[Rig, Draw], Any]:
    def begin(rig: Rig, draw: Draw) -> Any:
        for _ in range(_TRIES):
            try:
                return rig.gateway.call(command, **fixed, **(values(rig, draw) if values else {}))
            except CommandError:
                # Nobody has depth of this symbol any more: its turn has just ended.
                time.sleep(_TRY_AGAIN_S)
        return None

    return begin


def _then(command: str, **fixed: Any) -> Callable[[Rig, Any], None]:
    def end(rig: Rig, token: Any) -> None:
        rig.gateway.call(command, **fixed)

    return end


def _symbol(rig: Rig, draw: Draw) -> dict[str, Any]:
    return {"symbol": rig.shown(draw)}


def _one_client(rig: Rig, draw: Draw) -> dict[str, Any]:
    """One of the two IBKR workers, or both."""
    ids = [None, *(c["client_id"] for c in rig.gateway.call("clients")["clients"])]
    return {"client_id": ids[draw.number % len(ids)]}


def _restart(silent_connects: int) -> Callable[[Rig, Draw], None]:
    """As at night; at times the first connect of each client is never answered."""

    def begin(rig: Rig, draw: Draw) -> None:
        rig.gateway.call("restart_for_s", for_s=draw.hold_s, silent_connects=silent_connects)
        time.sleep(draw.hold_s)

    return begin


def _ids_taken(rig: Rig, draw: Draw) -> None:
    rig.gateway.call("hold_client_ids", ids=[*_CLIENT_IDS, *(n + 1 for n in _CLIENT_IDS)])
    rig.gateway.call("kick")


def _silent_accept(rig: Rig, draw: Draw) -> None:
    rig.gateway.call("accept_silent", on=True)
    rig.gateway.call("kick")


def _gateway(
    name: str,
    begin: Callable[[Rig, Draw], Any],
    end: Callable[[Rig, Any], None] = nothing,
    hold_s: tuple[float, float] = (0.0, 0.0),
    patience_s: float = _PROBED_S,
) -> Fault:
    return Fault(name, "gateway", begin, end, hold_s, _FED, "", patience_s)


def _away(
    name: str, hold_s: tuple[float, float], silent_connects: int = 0, needs: str = ""
) -> Fault:
    """Slots as the gateway counts them, from when it listens again."""
    target = "gateway, first connect hangs" if silent_connects else "gateway"
    begin = _restart(silent_connects)
    hits = ("slots",)
    return Fault(name, "gateway", begin, nothing, hold_s, hits, target, _SLOTS_S, needs)


_BRIEF: Final = (1.0, 5.0)
GATEWAY: Final = (
    _gateway("gateway RST", _told("rst", _one_client)),
    _gateway("gateway FIN", _told("kick", _one_client)),
    _gateway("gateway half-open", _told("half_open", _one_client)),
    _gateway("frame cut in two", _told("cut_frame", _one_client, then="rst")),
    _gateway("slow bytes", _told("chunk", bytes=1), _then("chunk", bytes=0), _BRIEF),
    _gateway(
        "1100, 1101", _told("connectivity", state="lost"),
        _then("connectivity", state="restored_lost"), _BRIEF,
    ),
    _gateway(
        "1100, 1102", _told("connectivity", state="lost"),
        _then("connectivity", state="restored_kept"), _BRIEF,
    ),
    _gateway(
        "1100, 1102 without data", _told("connectivity", state="lost"),
        _then("connectivity", state="restored_kept", data=False), _BRIEF,
    ),
    _gateway("farm flap", _told("farm", state="broken"), _then("farm", state="ok"), _BRIEF),
    _gateway(
        "farm flap, data mute", _told("farm", state="broken"),
        _then("farm", state="ok", resume=False), _BRIEF,
    ),
    _gateway(
        "history farm flap", _told("farm", state="broken", farm="ushmds"),
        _then("farm", state="ok", farm="ushmds"), _BRIEF,
    ),
    _away("gateway restart", (5.0, 12.0)),
    _away("gateway restart, first connect hangs", (5.0, 12.0), silent_connects=2),
    _away("gateway restart, 90 s", (90.0, 90.0), needs="ten minutes"),
    _gateway("326", _ids_taken, _then("hold_client_ids", ids=[]), _BRIEF),
    _gateway("connects unanswered", _silent_accept, _then("accept_silent", on=False), (2.0, 6.0)),
    _gateway("10197", _told("compete"), _then("compete", on=False), _BRIEF, _SLOTS_S),
    _gateway(
        "309 storm", _told("hold_slots", lambda rig, draw: {"slots": 1 + draw.number % 3}),
        _then("hold_slots", slots=0), (5.0, 10.0), _SLOTS_S,
    ),
    _gateway("317", _told("reset", _symbol, refill_after_ms=500)),
    _gateway("316", _told("halt", _symbol)),
    _gateway("crossed book", _told("cross", _symbol, heal_on_resubscribe=True)),
    _gateway("unsorted book", _told("unsort", _symbol, heal_on_resubscribe=True)),
    _gateway("stray rows", _told("stray_rows", rows=50)),
    _gateway(
        "garbage", _told("garbage", lambda rig, draw: {"kind": _GARBAGE[draw.number % 5]})
    ),
    _gateway(
        "symbol stands still",
        _told("freeze", lambda rig, draw: {"symbol": draw.symbol, "for_s": 4}),
    ),
)  # fmt: skip

_VENDOR_FED: Final = ("options", "sentiment", "technicals")
# The vendor's minute has to pass.
_MINUTE_S: Final = 80.0
_MINUTES: Final = ("info_minute_premium", "note_5pm_500pd", "info_contact_premium", "status_429")
_KINDS: Final = (
    "html_503", "heroku_503", "outage", "hang", "reset", "slow", "trickle", "cut_body", "bad_json",
    "huge_body", "gzip_bomb", "redirect", "stale", "artificial", "empty_chain", "missing_greeks",
    "junk_values", "wrong_symbol", "wrong_endpoint", "duplicate_rows", "vanish", "no_data_day",
    "no_articles", "invalid_inputs", "empty_object", "info_burst_5", "info_burst_20",
    "info_free_1ps_2026", "key_echo", "note_daily25_withkey", "info_daily25_nokey",
    "info_premium_endpoint", "info_not_entitled_delayed", "info_demo_key", "err_apikey",
    "err_invalid_call", "err_no_function", "detail_accept_406", *_MINUTES,
)  # fmt: skip
_DETAILS: Final[Mapping[str, dict[str, Any]]] = {
    "slow": {"ms": 1_500},
    "trickle": {"ms": 50},
    "huge_body": {"mb": 40},
    "gzip_bomb": {"mb": 200},
}


def _vendor(kind: str) -> Fault:
    def begin(rig: Rig, draw: Draw) -> None:
        rig.vendor.call("fault", kind=kind, **_DETAILS.get(kind, {}))

    def end(rig: Rig, token: Any) -> None:
        rig.vendor.call("clear", kind=kind)

    patience_s = _MINUTE_S if kind in _MINUTES else 15.0
    return Fault(f"vendor {kind}", "vendor", begin, end, (2.0, 6.0), _VENDOR_FED, "", patience_s)


VENDOR: Final = tuple(_vendor(kind) for kind in _KINDS)
