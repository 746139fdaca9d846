"""What a visit to the gateway means for the feeds. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from scripts.doctor_finding import Finding, fail, ok, warn
from scripts.doctor_market_data import judge_depth, judge_line
from shared.feeds.ibkr.diagnosis import GatewayReport, Plan
from shared.settings import IbkrSettings, Settings

CHECK: Final = "gateway"
DEPTH: Final = "ibkr_depth"
_WORKERS: Final = {DEPTH: "client_id", "ibkr_trades": "trades_client_id"}

_REMEDIES: Final = {
    "refused": (
        "nothing listens there",
        "start TWS or IB Gateway; API > Settings: enable socket clients; IBKR_PORT is 7497"
        " paper, 7496 live, 4002 and 4001 for IB Gateway",
    ),
    "unreachable": (
        "cannot be reached",
        "correct IBKR_HOST and IBKR_PORT, see whether a firewall is in between",
    ),
    "silent": (
        "accepts and says nothing",
        "a dialog may be open in TWS (accept the incoming connection) or the API is off;"
        " look at its window; add this machine to its trusted IPs",
    ),
    "closed": (
        "closed the connection",
        "it may be restarting, or does not trust this machine (API > Settings: trusted IPs)",
    ),
}


def plan_of(settings: Settings, running: Collection[str]) -> Plan:
    """What may be asked for while these workers run; a running depth worker uses its slots."""
    depth = tuple(settings.universe.by_symbol(symbol) for symbol in settings.depth_symbols())
    slots = settings.ibkr.max_concurrent_depth
    if DEPTH in running:
        slots = max(0, slots - sum(max(1, len(one.venues)) for one in depth))
    symbols = settings.market_symbols()
    line = settings.universe.by_symbol(symbols[0]) if symbols else None
    return Plan(depth, slots if depth else 0, line)


def unneeded(settings: Settings) -> Finding | None:
    """Why the gateway is not asked at all, or None."""
    if set(_WORKERS) & set(settings.supervision.workers()):
        return None
    return ok(CHECK, "not asked, no IBKR worker is enabled")


def judge(
    settings: Settings, plan: Plan, report: GatewayReport, holders: Mapping[str, str]
) -> list[Finding]:
    if report.state == "ids_taken":
        return [_address(settings, report), _ids_taken(settings.ibkr)]
    if report.state in _REMEDIES:
        return [_address(settings, report)]
    findings = [_address(settings, report), _client_ids(settings.ibkr, report, holders)]
    if plan.depth:
        findings += judge_depth(settings, plan, report)
    if report.line is not None:
        findings.append(judge_line(settings, report.line))
    return findings


def _address(settings: Settings, report: GatewayReport) -> Finding:
    where = f"{settings.ibkr.host}:{settings.ibkr.port}"
    if report.state == "ids_taken":
        return ok(CHECK, f"{where} answers, and refuses the client ids (326)")
    if report.state in _REMEDIES:
        finding, remedy = _REMEDIES[report.state]
        said = f" ({report.text})" if report.state in ("closed", "unreachable") else ""
        if settings.source == "sim" and report.state in ("refused", "unreachable"):
            remedy = "`make up` starts the simulator"
        return fail(CHECK, f"{where} {finding}{said}", remedy)
    text = f"{where} logs in, server version {report.server_version}"
    if report.link:
        remedy = "it has lost its own servers or a data farm; look at its window"
        return warn(CHECK, f"{text}, and says {'; '.join(report.link)}", remedy)
    if report.skew_s is None:
        remedy = "it may be overloaded: the workers take such a gateway for dead"
        return warn(CHECK, f"{text}, and does not tell its time", remedy)
    return ok(CHECK, text)


def _ids_taken(ibkr: IbkrSettings) -> Finding:
    text = f"{_range(ibkr, ibkr.probe_client_id)} are all in use (326)"
    remedy = "close the other API programs, or set another ibkr.probe_client_id"
    return fail("client-ids", text, remedy)


def _client_ids(ibkr: IbkrSettings, report: GatewayReport, holders: Mapping[str, str]) -> Finding:
    """Those of the workers are not tried: a login would throw nobody out, but may hold one up."""
    workers = [
        f"{_range(ibkr, getattr(ibkr, field))} are {name}'s, {_held(holders.get(name, ''))}"
        for name, field in _WORKERS.items()
    ]
    text = "; ".join([f"{report.client_id} used for this", *workers])
    taken = range(ibkr.probe_client_id, report.client_id)
    if taken:
        busy = ", ".join(str(number) for number in taken)
        remedy = "another program uses them, perhaps a probe; harmless while one is free"
        return warn("client-ids", f"{busy} in use (326), {text}", remedy)
    return ok("client-ids", text)


def _held(holder: str) -> str:
    return f"which runs as {holder}" if holder else "not running"


def _range(ibkr: IbkrSettings, first: int) -> str:
    return f"{first} to {first + ibkr.client_id_max_offset}"
