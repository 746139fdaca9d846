"""Rows of the option keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from shared.schema import ttls
from shared.schema.chains import all_of, chain_flaws, greeks_flaws, monitor_flaws, rows_flaws
from shared.schema.option_payloads import Chain, Greeks, OptionsEvent, OptionsMonitor, VendorRow
from shared.schema.row import Context, Flaw, Item, Row, Shape

SECTION: Final = "Options, sentiment, technicals"
OPTIONS: Final = ("av_options",)


def _calls(item: Item, _: Context) -> Iterator[Flaw]:
    yield from all_of("call", item.doc)


def _puts(item: Item, _: Context) -> Iterator[Flaw]:
    yield from all_of("put", item.doc)


ROWS: Final = (
    Row(
        "calls", SECTION, lambda keys: keys.calls("{symbol}"), Shape.JSON,
        list[VendorRow], ttls.OPTIONS, OPTIONS,
        "The vendor's rows of the calls as received, but for white space; the fields beyond those"
        " below are the vendor's.",
        "while the symbol has a chain; written with puts and chain in one transaction",
        (rows_flaws, _calls), lenient=True,
    ),
    Row(
        "puts", SECTION, lambda keys: keys.puts("{symbol}"), Shape.JSON,
        list[VendorRow], ttls.OPTIONS, OPTIONS,
        "The vendor's rows of the puts as received, but for white space; the fields beyond those"
        " below are the vendor's.",
        "while the symbol has a chain; written with calls and chain in one transaction",
        (rows_flaws, _puts), lenient=True,
    ),
    Row(
        "chain", SECTION, lambda keys: keys.chain("{symbol}"), Shape.JSON,
        Chain, ttls.OPTIONS, OPTIONS,
        "All contracts of an underlying, typed, with sums. A price of 0 is null, and so are the"
        " greeks of a contract where the vendor's solver had found nothing.",
        "while the vendor has contracts for the symbol; an empty chain removes it",
        (chain_flaws,),
    ),
    Row(
        "greeks", SECTION, lambda keys: keys.greeks("{symbol}", "{contract}"), Shape.JSON,
        Greeks, ttls.GREEKS, OPTIONS,
        "The greeks of one contract. While they stay the same their expiry is renewed in turn:"
        " after each fetch at least two thirds of the TTL are left.",
        "while the contract is in the chain and has greeks",
        (greeks_flaws,),
    ),
    Row(
        "options_monitor", SECTION, lambda keys: keys.options_monitor("{symbol}"), Shape.FIELDS,
        OptionsMonitor, ttls.MONITORING, OPTIONS,
        "What became of the polls of a symbol's chain.",
        "while the worker runs, from its first poll or suspension on",
        (monitor_flaws,),
    ),
    Row(
        "options_events", SECTION, lambda keys: keys.options_events("{symbol}"), Shape.CHANNEL,
        OptionsEvent, ttls.NO_KEY, OPTIONS,
        "Says that a chain changed, once all its keys can be read.",
        "at every change",
    ),
)  # fmt: skip
