from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from simulators.bounds import Bounds
from simulators.commands import Values
from simulators.errors import CommandError

from .bar_views import BarsView
from .bars import BAR_S, WHATS, Bar, merged
from .commands import FOR_S, SYMBOL, Commands
from .prints import PAST_LIMIT, UNREPORTED, Print, RawPrint, venue_letter
from .quotes import QuoteOverride
from .security import Security, exchange_name

if TYPE_CHECKING:
    from .server import Gateway

__all__ = ["TRADES"]

TRADES: Final = Commands()

_ON: Final = Bounds(bool, "false ends it", default=True)
_PRICE: Final = Bounds(float, "dollars", -1, 10_000_000)
_SIZE: Final = Bounds(float, "shares, may be -1 or 0", -1, 1_000_000_000)
_WHAT: Final = Bounds(str, choices=WHATS, default="TRADES")
_LAST: Final = Bounds(int, "how many of the newest", 0, 1_000_000, default=100)


@TRADES.add(
    "trade",
    {
        "symbol": SYMBOL,
        "price": Bounds(float, "dollars; else where it trades", -1, 10_000_000),
        "size": Bounds(float, "shares, may be -1 or 0", -1, 1_000_000_000, default=100),
        "venue": Bounds(str, "letter or name", default="ARCA"),
        "conditions": Bounds(str, "sale condition", default=""),
        "unreported": Bounds(bool, "mask 2", default=False),
        "past_limit": Bounds(bool, "mask 1", default=False),
        "count": Bounds(int, "so many alike", 1, 100_000, default=1),
    },
)
def _trade(gateway: Gateway, values: Values) -> Values:
    security = _security(gateway, values["symbol"])
    price_e4 = _price_e4(values["price"])
    if price_e4 is None:
        price_e4 = gateway.world.floor.touch(security).bid_e4
    mask = PAST_LIMIT * values["past_limit"] + UNREPORTED * values["unreported"]
    letter, size = venue_letter(values["venue"]), _whole(values["size"])
    raw = RawPrint(security.clock_ms, price_e4, size, letter, values["conditions"], mask)
    security.trade([raw] * values["count"])
    return {"number": security.tape.number}


@TRADES.add(
    "halt_trading",
    {
        "symbol": SYMBOL,
        "value": Bounds(int, "of tick 49", choices=(-1, 1, 2), default=1),
        "for_s": FOR_S,
    },
    fault=True,
)
def _halt_trading(gateway: Gateway, values: Values) -> Values:
    security = _security(gateway, values["symbol"])
    if values["value"] == -1:
        security.halted = -1
    else:
        security.mark_halt(values["value"])
    if values["for_s"] is not None:
        gateway.later(values["for_s"], lambda: _resume(security))
    return {}


@TRADES.add("resume_trading", {"symbol": SYMBOL})
def _resume_trading(gateway: Gateway, values: Values) -> Values:
    _resume(_security(gateway, values["symbol"]))
    return {}


@TRADES.add("mute_trades", {"symbol": SYMBOL, "on": _ON, "for_s": FOR_S}, fault=True)
def _mute_trades(gateway: Gateway, values: Values) -> Values:
    security = _security(gateway, values["symbol"])
    security.trades_muted = values["on"]
    if values["on"] and values["for_s"] is not None:
        gateway.later(values["for_s"], lambda: setattr(security, "trades_muted", False))
    return {}


@TRADES.add(
    "quote",
    {
        "symbol": SYMBOL,
        "bid": _PRICE,
        "bid_size": _SIZE,
        "ask": _PRICE,
        "ask_size": _SIZE,
        "for_s": FOR_S,
    },
    fault=True,
)
def _quote(gateway: Gateway, values: Values) -> Values:
    """Without any field the book's own quote is back; it always answers the quote now."""
    security = _security(gateway, values["symbol"])
    override = QuoteOverride(
        _price_e4(values["bid"]),
        _size_of(values["bid_size"]),
        _price_e4(values["ask"]),
        _size_of(values["ask_size"]),
    )
    _put_override(gateway, security, override)
    if values["for_s"] is not None:
        gateway.later(values["for_s"], lambda: _put_override(gateway, security, QuoteOverride()))
    quote = security.quote
    return {
        "bid": quote.bid_e4 / 10_000,
        "bid_size": quote.bid_size,
        "ask": quote.ask_e4 / 10_000,
        "ask_size": quote.ask_size,
    }


@TRADES.add(
    "tape",
    {"symbol": SYMBOL, "last": _LAST, "since": Bounds(int, "numbers above it instead", -(2**31))},
)
def _tape(gateway: Gateway, values: Values) -> Values:
    security = _security(gateway, values["symbol"])
    tape = security.tape
    prints = tape.newest(values["last"] if values["since"] is None else tape.position)
    if values["since"] is not None:
        prints = [p for p in prints if p.number and p.number > values["since"]]
    nasdaq_name = gateway.world.options.nasdaq_name
    return {
        "symbol": security.symbol,
        "trades": tape.number,
        "unreported": tape.unreported,
        "volume": tape.volume,
        "day_volume": tape.total,
        "clock_ms": security.clock_ms,
        "halted": security.halted,
        "columns": list(_COLUMNS),
        "prints": [_print_row(p, nasdaq_name) for p in prints],
        "streams": [s.record() for s in gateway.world.streams.of(security.symbol)],
    }


@TRADES.add(
    "bars",
    {
        "symbol": SYMBOL,
        "what": _WHAT,
        "last": _LAST,
        "size_s": Bounds(int, "5 or a multiple", 5, 3_600, default=BAR_S),
    },
)
def _bars(gateway: Gateway, values: Values) -> Values:
    security = _security(gateway, values["symbol"])
    if values["size_s"] % BAR_S:
        raise CommandError(f"size_s must be a multiple of {BAR_S}, was {values['size_s']}")
    bars = merged(security.bars[values["what"]].newest(1_000_000), values["size_s"])
    shown = bars[-values["last"] :] if values["last"] else []
    return {
        "symbol": security.symbol,
        "what": values["what"],
        "bars": [_bar_row(bar) for bar in shown],
        "streams": [s.record() for s in gateway.world.streams.of(security.symbol, "bars")],
    }


@TRADES.add(
    "late_bar",
    {"symbol": SYMBOL, "delay_s": Bounds(float, "after its end", 0, 3_600, required=True)},
    fault=True,
)
def _late_bar(gateway: Gateway, values: Values) -> Values:
    """The bar now in progress comes late, those after it in time."""
    security = _security(gateway, values["symbol"])
    start_s = security.clock_ms // 1000 // BAR_S * BAR_S
    security.late_bars[start_s] = int(values["delay_s"] * 1000)
    return {"t": start_s}


@TRADES.add(
    "correct_bar",
    {
        "symbol": SYMBOL,
        "t": Bounds(int, "start in Unix seconds; else the newest", 0),
        **{name: _PRICE for name in ("open", "high", "low", "close")},
        "volume": Bounds(float, "shares", 0, 1e12),
        "trades": Bounds(int, "count", 0, 2**31),
    },
    fault=True,
)
def _correct_bar(gateway: Gateway, values: Values) -> Values:
    """Without any value the bar trades 100 shares more, up to one cent higher."""
    security = _security(gateway, values["symbol"])
    series = security.bars["TRADES"]
    bars = series.newest(1) if values["t"] is None else series.closed_since(values["t"])
    if not bars or values["t"] not in (None, bars[0].start_s):
        raise CommandError(f"symbol has no such bar, was {values['symbol']!r} {values['t']}")
    bar = _corrected(bars[0], values)
    series.replace(bar)
    views = [s.view for s in gateway.world.streams.of(security.symbol, "bars")]
    shown = [v for v in views if isinstance(v, BarsView) and v.what == "TRADES"]
    return {"bar": _bar_row(bar), "sent": sum(view.correct(bar) for view in shown)}


def _corrected(bar: Bar, values: Values) -> Bar:
    prices = [_price_e4(values[name]) for name in ("open", "high", "low", "close")]
    given = [*prices, values["volume"], values["trades"]]
    if all(value is None for value in given):
        given = [None, bar.high_e4 + 100, None, None, bar.volume + 100, bar.trades + 1]
    old = (*bar[1:6], bar.trades)
    open_, high, low, close, volume, trades = (
        before if value is None else value for value, before in zip(given, old, strict=True)
    )
    value_e4 = bar.value_e4 / bar.volume * volume if bar.volume else high * volume
    return Bar(
        bar.start_s, int(open_), int(high), int(low), int(close), volume, value_e4, int(trades)
    )


def _security(gateway: Gateway, symbol: str) -> Security:
    listing = gateway.world.directory.any_listing(symbol)
    if listing is None:
        raise CommandError(f"unknown symbol, was {symbol!r}")
    return gateway.world.floor.security(listing, gateway.moment().wall_ms)


def _put_override(gateway: Gateway, security: Security, override: QuoteOverride) -> None:
    security.override = None if override == QuoteOverride() else override
    gateway.world.floor.requote(security)


def _resume(security: Security) -> None:
    if security.halted > 0:
        security.mark_halt(0)
    security.halted = 0


def _price_e4(dollars: float | None) -> int | None:
    return None if dollars is None else round(dollars * 10_000)


def _whole(size: float) -> float:
    """Whole sizes are printed without a decimal point."""
    return int(size) if size == int(size) else size


def _size_of(size: float | None) -> float | None:
    return None if size is None else _whole(size)


_COLUMNS: Final = (
    "number", "ms", "price", "size", "letter", "exchange", "conditions", "past_limit",
    "unreported", "day_volume",
)  # fmt: skip


def _print_row(p: Print, nasdaq_name: str) -> list[Any]:
    where = [p.letter, exchange_name(p.letter, nasdaq_name), p.conditions]
    flags = [bool(p.mask & PAST_LIMIT), p.unreported]
    return [p.number, p.ms, p.price_e4 / 10_000, p.size, *where, *flags, p.total]


def _bar_row(bar: Bar) -> Values:
    return {
        "t": bar.start_s,
        "open": bar.open_e4 / 10_000,
        "high": bar.high_e4 / 10_000,
        "low": bar.low_e4 / 10_000,
        "close": bar.close_e4 / 10_000,
        "volume": bar.volume,
        "wap": float(bar.wap_text),
        "count": bar.trades,
    }
