"""May this account see depth and quotes? Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Final

from scripts.doctor_finding import Finding, fail, ok, warn
from shared.feeds.ibkr import error_codes as codes
from shared.feeds.ibkr.diagnosis import Asked, GatewayReport, Plan
from shared.settings import Settings

_TEXT_LIMIT: Final = 100
_DELAYED: Final = (3, 4)
_SUBSCRIBE: Final = "Client Portal > Settings > Market Data Subscriptions"


def judge_depth(settings: Settings, plan: Plan, report: GatewayReport) -> list[Finding]:
    if not plan.slots:
        return [ok("depth", "not tried, the slots are taken by ibkr_depth")]
    full = [one for one in report.venues if one.code == codes.DEPTH_LIMIT]
    findings = [_venue(settings, one) for one in report.venues if one not in full]
    if full:
        findings.append(_no_slot(settings, full))
    if report.untried:
        text = f"{', '.join(report.untried)} not tried, there are only {plan.slots} slots"
        remedy = "ibkr_depth_probe --symbol with one of their symbols"
        findings.append(warn("depth", text, remedy))
    return findings


def _venue(settings: Settings, asked: Asked) -> Finding:
    check = f"depth-{asked.venue}" if asked.venue else "depth"
    if asked.rows:
        return ok(check, f"{asked.symbol} has rows")
    text = _refusal(asked)
    if not asked.code and not asked.text:
        remedy = "the market may be closed; if it is open, ask IBKR whether depth is subscribed"
        return warn(check, f"{text}, and was not refused", remedy)
    if asked.symbol and settings.universe.by_symbol(asked.symbol).sec_type == "IND":
        return warn(check, text, "indexes have none: list it under symbols.standard")
    if asked.code in codes.WRONG_SPELLING:
        remedy = "no such book: correct its venues in config/ibkr_symbols.yaml, never SMART"
        return fail(check, text, remedy)
    if codes.no_permission(asked.code, asked.text):
        remedy = f"subscribe to depth of {asked.venue} ({_SUBSCRIBE}), then log in to TWS again"
        return fail(check, text, remedy)
    if asked.code == codes.COMPETING_SESSION:
        return fail(check, text, "another login of this user has the data; end that session")
    return fail(check, text, "see docs/operations.md, refusals of the gateway")


def _refusal(asked: Asked) -> str:
    if not asked.code:
        return f"{asked.symbol} {asked.text or 'had no row'}"
    words = textwrap.shorten(asked.text, _TEXT_LIMIT, placeholder=" ...")
    return f"{asked.symbol} is refused ({asked.code}) {words}".rstrip(" .")


def _no_slot(settings: Settings, full: Sequence[Asked]) -> Finding:
    """Too few or all taken: which it is shows in the number that the gateway names."""
    limit, wanted = codes.depth_limit(full[0].text), settings.ibkr.max_concurrent_depth
    if limit is not None and limit < wanted:
        text = f"the account has {limit} slots (309), IBKR_MAX_CONCURRENT_DEPTH is {wanted}"
        return warn("depth-slots", text, f"set it to {limit}")
    venues = ", ".join(one.venue for one in full)
    text = f"{venues} not tried, every slot of the account is taken (309)"
    return warn("depth-slots", text, "another API program or depth windows in TWS hold them")


def judge_line(settings: Settings, line: Asked) -> Finding:
    check = "quotes"
    if line.data_type in _DELAYED or line.code == codes.SHOWN_DELAYED:
        return _delayed(settings, line)
    if line.rows:
        return ok(check, f"{line.symbol} is live")
    text = _refusal(line)
    if line.code == codes.LINE_LIMIT:
        remedy = "close watchlist rows in TWS, or list fewer symbols; two lines are used by each"
        return warn(check, f"every market data line is in use (101), {line.symbol}", remedy)
    if line.code == codes.COMPETING_SESSION:
        return fail(check, text, "another login of this user has the data; end that session")
    if line.code == codes.NO_SECURITY:
        return fail(check, text, "correct the symbol in config/ibkr_symbols.yaml (ibkr:)")
    if line.code:
        remedy = f"subscribe to its network ({_SUBSCRIBE}), then log in to TWS again"
        return fail(check, f"none: {text}", remedy)
    remedy = "the market may be closed; if it is open, look at the symbol in TWS"
    return warn(check, f"{line.symbol} had no tick, and was not refused", remedy)


def _delayed(settings: Settings, line: Asked) -> Finding:
    text = f"{line.symbol} is 15 minutes delayed, no live subscription"
    if settings.ibkr.allow_delayed:
        return warn("quotes", text, "published with the flag `delayed` (ibkr.allow_delayed)")
    remedy = f"not published: subscribe to live data ({_SUBSCRIBE}), or set ibkr.allow_delayed"
    return warn("quotes", text, remedy)
