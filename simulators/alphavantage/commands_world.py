from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from simulators.bounds import Bounds
from simulators.commands import Commands, Values
from simulators.errors import CommandError

from .bounds import one_of
from .indicators import INDICATORS
from .ledger import COLUMNS
from .payloads import ENDPOINTS, FUNCTIONS
from .plans import PLANS

if TYPE_CHECKING:
    from .server import Server

__all__ = ["WORLD", "snapshot"]

WORLD: Final[Commands[Server]] = Commands()

_ROWS_MOST: Final = 100_000
_SYMBOL: Final = Bounds(str, "in any case", required=True)
_FUNCTION: Final = one_of(FUNCTIONS, "one function")


def snapshot(server: Server) -> Values:
    vendor = server.vendor
    return {
        **vendor.ledger.snapshot(),
        "limits": _limits(server),
        "moving": vendor.setup.moving,
        "frozen": sorted(vendor.frozen),
        "faults": dict(vendor.fault_hits),
        "connections": server.counters.connections,
        "open_connections": len(server.connections),
        "connections_most": server.counters.connections_most,
        "malformed": server.counters.malformed,
        "gone_early": server.counters.gone_early,
        "bytes_sent": server.counters.bytes_sent,
        "redirects_followed": server.counters.redirects_followed,
        "scenario_errors": list(server.scenario_errors),
    }


@WORLD.add("stats")
def _stats(server: Server, values: Values) -> Values:
    return snapshot(server)


@WORLD.add(
    "requests",
    {
        "since": Bounds(int, "rows with a larger number", 0, default=0),
        "function": _FUNCTION,
        "symbol": Bounds(str, "one symbol"),
        "limit": Bounds(int, "so many rows at most", 1, _ROWS_MOST, default=_ROWS_MOST),
    },
)
def _requests(server: Server, values: Values) -> Values:
    function, symbol = values["function"], values["symbol"]
    at = COLUMNS.index("function")
    found = (
        row
        for row in server.vendor.ledger.since(values["since"])
        if function in (None, row[at]) and (symbol is None or row[at + 1] == symbol.upper())
    )
    rows = list(islice(found, values["limit"]))
    last = rows[-1][0] if len(rows) == values["limit"] else server.vendor.ledger.requests
    return {"columns": list(COLUMNS), "rows": rows, "last": last}


@WORLD.add("forget")
def _forget(server: Server, values: Values) -> Values:
    """The evidence and the limits' windows start anew."""
    server.vendor.ledger.forget()
    server.vendor.limits.forget()
    server.vendor.fault_hits.clear()
    return {}


@WORLD.add(
    "plan",
    {
        "plan": one_of(PLANS, "a plan"),
        "per_minute": Bounds(int, "in place of the plan's", 0, 1_000_000),
        "per_second": Bounds(int, "in place of the plan's", 0, 1_000_000),
        "limits": Bounds(bool, "false: nothing is refused"),
        "count_refused": Bounds(bool, "refused calls fill the windows too"),
    },
)
def _plan(server: Server, values: Values) -> Values:
    vendor = server.vendor
    if values["plan"] is not None:
        # A new plan's own numbers, unless others are given with it.
        vendor.setup.plan = values["plan"]
        vendor.setup.per_minute = vendor.setup.per_second = None
    for name in ("per_minute", "per_second"):
        if values[name] is not None:
            setattr(vendor.setup, name, values[name])
    vendor.limits.allowance = vendor.setup.allowance()
    if values["limits"] is not None:
        vendor.limits.enforced = values["limits"]
    if values["count_refused"] is not None:
        vendor.limits.count_refused = values["count_refused"]
    return _limits(server)


def _limits(server: Server) -> dict[str, Any]:
    limits = server.vendor.limits
    allowance = limits.allowance
    return {
        "plan": server.vendor.setup.plan,
        "per_minute": allowance.per_minute,
        "per_second": allowance.per_second,
        "per_day": allowance.per_day,
        "limits": limits.enforced,
        "count_refused": limits.count_refused,
    }


@WORLD.add("keys", {"keys": Bounds(str, "comma separated, empty: any", required=True)})
def _keys(server: Server, values: Values) -> Values:
    keys = frozenset(filter(None, values["keys"].split(",")))
    server.vendor.setup.keys = keys
    return {"keys": len(keys)}


@WORLD.add("moving", {"share": Bounds(float, "of the rows at each fetch", 0, 1, required=True)})
def _moving(server: Server, values: Values) -> Values:
    server.vendor.setup.moving = values["share"]
    return {"share": values["share"]}


@WORLD.add(
    "contracts",
    {
        "contracts": Bounds(int, "of a chain", 1, 20_000, required=True),
        "symbol": Bounds(str, "all without it"),
    },
)
def _contracts(server: Server, values: Values) -> Values:
    sizes = server.vendor.payloads.sizes
    if values["symbol"] is None:
        sizes.contracts = values["contracts"]
        sizes.by_symbol.clear()
    else:
        sizes.by_symbol[values["symbol"].upper()] = values["contracts"]
    return {}


@WORLD.add("freeze", {"symbol": Bounds(str, "all without it", default="*")})
def _freeze(server: Server, values: Values) -> Values:
    server.vendor.frozen[values["symbol"].upper()] = server.moment().wall_s
    return {"frozen": sorted(server.vendor.frozen)}


@WORLD.add("thaw", {"symbol": Bounds(str, "all without it")})
def _thaw(server: Server, values: Values) -> Values:
    if values["symbol"] is None:
        server.vendor.frozen.clear()
    else:
        server.vendor.frozen.pop(values["symbol"].upper(), None)
    return {"frozen": sorted(server.vendor.frozen)}


@WORLD.add(
    "chain",
    {
        "symbol": _SYMBOL,
        "function": one_of(ENDPOINTS, default="REALTIME_OPTIONS"),
        "rows": Bounds(bool, "false: only the sums", default=True),
        "contract": Bounds(str, "only its row"),
    },
)
def _chain(server: Server, values: Values) -> Values:
    symbol = values["symbol"].upper()
    sent = server.vendor.payloads.chains.get((values["function"], symbol))
    if sent is None:
        raise CommandError(f"no {values['function']} has been sent, was {symbol!r}")
    return {"symbol": symbol, **sent.snapshot(values["rows"], values["contract"])}


@WORLD.add("news", {"symbol": _SYMBOL})
def _news(server: Server, values: Values) -> Values:
    return _document(server, "NEWS_SENTIMENT", values["symbol"].upper())


@WORLD.add("indicator", {"symbol": _SYMBOL, "function": one_of(INDICATORS, required=True)})
def _indicator(server: Server, values: Values) -> Values:
    return _document(server, values["function"], values["symbol"].upper())


def _document(server: Server, function: str, symbol: str) -> Values:
    sent = server.vendor.payloads.documents.get((function, symbol))
    if sent is None:
        raise CommandError(f"no {function} has been sent, was {symbol!r}")
    return {"symbol": symbol, **sent.snapshot()}
