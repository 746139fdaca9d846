from __future__ import annotations

from dataclasses import fields as dataclass_fields
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from simulators.bounds import Bounds, check
from simulators.commands import Values
from simulators.errors import CommandError

from .book import Row
from .commands import FOR_S, SYMBOL, Commands
from .commands_faults import reset_depth
from .contracts import Listing, canonical_venue
from .counters import stats, stream_stats
from .journal import COLUMNS
from .options import OPTIONS, RATE_BOUNDS, TRADE_RATE_BOUNDS
from .replay_trades import TradeReplay

if TYPE_CHECKING:
    from .server import Gateway

__all__ = ["MARKET", "snapshot"]

MARKET: Final = Commands()

_SETTABLE: Final = {name: replace(bounds, required=False) for name, bounds in OPTIONS.items()}


def snapshot(gateway: Gateway) -> Values:
    world = gateway.world
    return {
        "now_s": round(gateway.moment().mono_s, 4),
        **stats(world.counters, world.desk, world.feed),
        "streams": stream_stats(world.streams, world.ticks, world.floor),
        "scenario_errors": list(gateway.scenario_errors),
    }


@MARKET.add("stats", {})
def _stats(gateway: Gateway, values: Values) -> Values:
    return snapshot(gateway)


@MARKET.add("clients", {})
def _clients(gateway: Gateway, values: Values) -> Values:
    now_s = gateway.moment().mono_s
    return {
        "clients": [
            {
                "connection": link.number,
                "client_id": link.session.client_id,
                "connected_s": round(now_s - link.opened_s, 3),
                "buffered_bytes": link.buffered_bytes,
                "blocked": link.blocked,
                "mute": link.mute,
                "streams": [
                    [s.kind, s.req_id]
                    for s in gateway.world.streams
                    if s.client.connection == link.number and s.state == "live"
                ],
                "req_ids": [
                    s.req_id
                    for s in gateway.world.desk
                    if s.connection == link.number and s.state != "late"
                ],
            }
            for link in gateway.links.values()
        ]
    }


@MARKET.add(
    "set",
    {
        "symbol": Bounds(str, "whose rate"),
        "rates": Bounds(dict, "rate by symbol"),
        "trade_rates": Bounds(dict, "trade rate by symbol"),
        **_SETTABLE,
    },
)
def _set(gateway: Gateway, values: Values) -> Values:
    options = gateway.world.options
    rates = dict(values.pop("rates") or {})
    trade_rates = dict(values.pop("trade_rates") or {})
    symbol = values.pop("symbol")
    if symbol is not None:
        trade_rate = values.pop("trade_rate")
        if trade_rate is not None:
            trade_rates[symbol] = trade_rate
        if trade_rate is None or values["rate"] is not None:
            rates[symbol] = values.pop("rate")
    checked = {name: check(f"rates.{name}", rate, RATE_BOUNDS) for name, rate in rates.items()}
    trading = {
        name: check(f"trade_rates.{name}", rate, TRADE_RATE_BOUNDS)
        for name, rate in trade_rates.items()
    }
    for name, value in values.items():
        if value is not None:
            options.update(name, value)
    options.rates.update(checked)
    options.trade_rates.update(trading)
    return {"options": {f.name: getattr(options, f.name) for f in dataclass_fields(options)}}


@MARKET.add("pause", {})
def _pause(gateway: Gateway, values: Values) -> Values:
    gateway.world.feed.silenced_by.add("paused")
    return {}


@MARKET.add("resume", {})
def _resume(gateway: Gateway, values: Values) -> Values:
    gateway.world.feed.silenced_by.discard("paused")
    return {}


@MARKET.add("freeze", {"symbol": SYMBOL, "for_s": FOR_S}, fault=True)
def _freeze(gateway: Gateway, values: Values) -> Values:
    frozen, symbol = gateway.world.feed.frozen, values["symbol"]
    frozen.add(symbol)
    if values["for_s"] is not None:
        gateway.later(values["for_s"], lambda: frozen.discard(symbol))
    return {}


@MARKET.add("thaw", {"symbol": SYMBOL})
def _thaw(gateway: Gateway, values: Values) -> Values:
    gateway.world.feed.frozen.discard(values["symbol"])
    return {}


@MARKET.add(
    "book", {"symbol": SYMBOL, "venue": Bounds(str, "else that of the newest subscription")}
)
def _book(gateway: Gateway, values: Values) -> Values:
    world = gateway.world
    listing = _listing(gateway, values["symbol"])
    shown = world.desk.of_symbol(listing.symbol)
    venue = canonical_venue(values["venue"] or (shown[-1].venue if shown else listing.primary))
    shown = [s for s in shown if s.venue == venue]
    book = world.market.book(listing, venue)
    return {
        "symbol": listing.symbol,
        "venue": venue,
        "bids": [_row(row) for row in book.bids],
        "asks": [_row(row) for row in book.asks],
        "rows_sent": shown[-1].rows if shown else 0,
        "subscriptions": [{**s.record(), "in_sync": world.feed.in_sync(s)} for s in shown],
    }


@MARKET.add(
    "replay",
    {
        "action": Bounds(str, choices=("start", "restart", "hold", "status"), default="status"),
        "symbol": SYMBOL,
        "of": Bounds(str, "else what there is, depth first", choices=("depth", "trades")),
    },
)
def _replay(gateway: Gateway, values: Values) -> Values:
    symbol, action = values["symbol"], values["action"]
    replay = gateway.world.market.replays.get(symbol) if values["of"] != "trades" else None
    traded = gateway.world.floor.replays.get(symbol) if values["of"] != "depth" else None
    if replay is None:
        return _replay_trades(gateway, symbol, traded, action)
    if action == "restart":
        reset_depth(gateway, {"symbol": symbol, "refill_after_ms": 0})
        replay.restart()
    elif action != "status":
        replay.started = action == "start"
    return {"sent": replay.sent, "total": replay.total, "finished": replay.finished}


def _replay_trades(
    gateway: Gateway, symbol: str, replay: TradeReplay | None, action: str
) -> Values:
    if replay is None:
        world = gateway.world
        known = ", ".join(dict.fromkeys((*world.market.replays, *world.floor.replays))) or "none"
        raise CommandError(f"symbol has no replay, was {symbol!r}, one of {known}")
    if action == "restart":
        raise CommandError(f"a tape of trades does not start again, was {symbol!r}")
    if action != "status":
        replay.started = action == "start"
    return {
        "sent": replay.sent,
        "total": replay.total,
        "finished": replay.finished,
        "kind": replay.kind,
        "clock_ms": replay.clock_ms,
        "streams": [s.record() for s in gateway.world.streams.of(symbol)],
    }


@MARKET.add(
    "burst",
    {
        "symbol": SYMBOL,
        "rows": Bounds(int, "rows to send at least", 1, 1_000_000, required=True),
        "single_write": Bounds(bool, "one write, else 64 KiB pieces", default=True),
    },
)
def _burst(gateway: Gateway, values: Values) -> Values:
    piece_bytes = 1 << 30 if values["single_write"] else 1 << 16
    output = gateway.world.feed.burst(values["symbol"], values["rows"], gateway.blocked())
    for connection, parts in output.items():
        data = b"".join(parts)
        for start in range(0, len(data), piece_bytes):
            gateway.links[connection].write(data[start : start + piece_bytes])
    return {"bytes": sum(len(part) for parts in output.values() for part in parts)}


@MARKET.add(
    "journal",
    {
        "on": Bounds(bool, "depth is written down from now on, or no more"),
        "since": Bounds(int, "numbers above it", 0, default=0),
        "limit": Bounds(int, "so many at most", 0, 100_000, default=5_000),
    },
)
def _journal(gateway: Gateway, values: Values) -> Values:
    journal = gateway.world.desk.journal
    journal.on = journal.on if values["on"] is None else values["on"]
    entries = list(journal.since(values["since"], values["limit"]))
    return {"columns": list(COLUMNS), "entries": entries, "last": journal.last, "on": journal.on}


def _listing(gateway: Gateway, symbol: str) -> Listing:
    listing = gateway.world.directory.any_listing(symbol)
    if listing is None:
        raise CommandError(f"unknown symbol, was {symbol!r}")
    return listing


def _row(row: Row) -> list[Any]:
    return [row.price_e4 / 10_000, row.size, row.maker]
