"""A chain as a picture: calls, strike, puts. Pure."""

from __future__ import annotations

from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from scripts.ops.fit import Cell, Column, table
from shared.views.chain import ChainView, Expiry, Leg, Strike
from shared.views.words import NOTHING, age, count, fixed, number, plural, price

EXPIRATIONS: Final = (
    Column("expiration"),
    Column("days", right=True),
    Column("calls", right=True),
    Column("puts", right=True),
    Column("volume", right=True),
    Column("OI", right=True),
    Column("ATM IV", right=True, drop=1),
)
_SIDE: Final = ("bid", "ask", "IV%", "delta", "OI", "volume")
# What goes first where room is short, alike on both sides.
_DROPS: Final = {"volume": 3, "OI": 2, "delta": 1}
STRIKES: Final = (
    *(
        Column(name, right=True, drop=_DROPS.get(name, 0), style="green")
        for name in reversed(_SIDE)
    ),
    Column("strike", right=True, style="bold"),
    *(Column(name, right=True, drop=_DROPS.get(name, 0), style="red") for name in _SIDE),
)
_MARK: Final = "▸"
_NO_LEG: Final = Leg(None, None, None, None, None, None)


def picture(found: ChainView, width: int) -> RenderableType:
    if not found.expiration:
        rows = [_expiry(one) for one in found.expirations]
        return Group(Text(_summary(found)), Text(), table(EXPIRATIONS, rows, width))
    cells = [_strike(one) for one in found.strikes]
    parts: list[RenderableType] = [
        Text(_title(found)),
        Text(_summary(found)),
        Text(),
        Text("calls to the left of the strike, puts to the right", style="dim"),
        table(STRIKES, cells, width),
    ]
    if found.left_out:
        parts.append(Text(f"{plural(found.left_out, 'strike')} left out, --near 0 shows all"))
    return Group(*parts)


def _title(found: ChainView) -> str:
    of_it = next((one for one in found.expirations if one.expiration == found.expiration), None)
    if of_it is None:
        return f"{found.symbol} {found.expiration}"
    said = [
        f"{found.symbol} {found.expiration}",
        plural(of_it.dte, "day") if of_it.dte is not None else "",
        plural(of_it.calls, "call"),
        plural(of_it.puts, "put"),
        f"volume {count(of_it.volume)}",
        f"OI {count(of_it.open_interest)}",
        f"ATM IV {_percent(of_it.iv)}%" if of_it.iv is not None else "",
    ]
    return ", ".join(one for one in said if one)


def _summary(found: ChainView) -> str:
    ratio = number(found.metrics.get("put_call_open_interest_ratio"))
    said = [
        f"{found.symbol} {price(found.underlying)}" if found.underlying else found.symbol,
        plural(int(number(found.metrics.get("contracts")) or 0), "contract"),
        f"put/call OI {fixed(ratio, 2)}" if ratio is not None else "",
        f"as of {found.as_of}",
        f"fetched {age(found.fetched_age_s)} ago",
        found.status if found.status not in ("", "ok") else "",
    ]
    return ", ".join(one for one in said if one)


def _expiry(one: Expiry) -> list[Cell]:
    return [
        one.expiration,
        NOTHING if one.dte is None else str(one.dte),
        str(one.calls),
        str(one.puts),
        count(one.volume),
        count(one.open_interest),
        f"{_percent(one.iv)}%" if one.iv is not None else NOTHING,
    ]


def _strike(one: Strike) -> list[Cell]:
    mark = _MARK if one.at_the_money else ""
    calls, puts = _leg(one.call or _NO_LEG), _leg(one.put or _NO_LEG)
    return [*reversed(calls), f"{mark}{one.strike:g}", *puts]


def _leg(leg: Leg) -> list[Cell]:
    return [
        price(leg.bid),
        price(leg.ask),
        _percent(leg.iv),
        # Minus nothing is nothing.
        fixed(None if leg.delta is None else round(leg.delta, 2) + 0.0, 2),
        count(leg.open_interest),
        count(leg.volume),
    ]


def _percent(iv: float | None) -> str:
    return NOTHING if iv is None else fixed(iv * 100, 1)
