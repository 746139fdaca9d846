"""What must agree within a chain: every sum with the contracts it is of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from shared.schema.option_payloads import (
    GREEKS,
    Chain,
    Contract,
    Greeks,
    OptionsMonitor,
    VendorRow,
)
from shared.schema.row import Context, Flaw, Item


def chain_flaws(item: Item, context: Context) -> Iterator[Flaw]:
    chain: Chain = item.doc
    for name, one in chain.by_contract.items():
        if one.contractID != name:
            yield Flaw(f"by_contract.{name}.contractID", one.contractID, f"be {name}")
        elif not _spelled(one):
            must = "end in the expiration, the right and eight digits"
            yield Flaw(f"by_contract.{name}.contractID", name, must)
        yield from _own_symbol(f"by_contract.{name}.symbol", one.symbol, context)
    contracts = list(chain.by_contract.values())
    if not contracts:
        yield Flaw("by_contract", "empty", "have contracts: an empty chain has no key")
    yield from _metrics(chain, contracts)
    yield from _expirations(chain, contracts)


def rows_flaws(item: Item, context: Context) -> Iterator[Flaw]:
    """The vendor's rows of one side; which is told by the name of the key."""
    rows: Sequence[VendorRow] = item.doc
    seen: set[str] = set()
    for index, row in enumerate(rows):
        yield from _own_symbol(f"[{index}].symbol", row.symbol, context)
        if row.contractID in seen:
            yield Flaw(f"[{index}].contractID", row.contractID, "be there once")
        seen.add(row.contractID)


def all_of(right: str, rows: Iterable[VendorRow]) -> Iterator[Flaw]:
    for index, row in enumerate(rows):
        if row.type.strip().lower() != right:
            yield Flaw(f"[{index}].type", row.type, f"be {right}")


def greeks_flaws(item: Item, _: Context) -> Iterator[Flaw]:
    greeks: Greeks = item.doc
    if all(getattr(greeks, name) is None for name in GREEKS):
        yield Flaw("implied_volatility", "null", "be known, or another greek: else there is no key")


def monitor_flaws(item: Item, _: Context) -> Iterator[Flaw]:
    said: OptionsMonitor = item.doc
    counts = (said.contracts, said.calls, said.puts)
    if all(isinstance(count, int) for count in counts):
        wanted = said.calls + said.puts  # type: ignore[operator]
        if said.contracts != wanted:
            yield Flaw("contracts", said.contracts, f"be calls and puts, {wanted}")


def _own_symbol(field: str, symbol: str, context: Context) -> Iterator[Flaw]:
    ours = context.names["symbol"]
    wanted = context.limits.vendor_names.get(ours, ours)
    if _letters(symbol) != _letters(wanted):
        yield Flaw(field, symbol, f"be {wanted}")


def _spelled(one: Contract) -> bool:
    """OCC's way: root, YYMMDD, C or P, eight digits; the strike of an adjusted one may differ."""
    day = one.expiration[2:].replace("-", "")
    tail = one.contractID[-15:]
    return tail[:7] == day + one.type[0].upper() and tail[7:].isdigit()


def _letters(symbol: str) -> str:
    return "".join(letter for letter in symbol.upper() if letter.isalnum())


def _metrics(chain: Chain, contracts: Sequence[Contract]) -> Iterator[Flaw]:
    metrics = chain.metrics
    calls = [one for one in contracts if one.type == "call"]
    puts = [one for one in contracts if one.type == "put"]
    greeks = sum(any(getattr(one, name) is not None for name in GREEKS) for one in contracts)
    volumes = [_volume(side) for side in (puts, calls)]
    interests = [_interest(side) for side in (puts, calls)]
    wanted = {
        "contracts": len(contracts),
        "calls": len(calls),
        "puts": len(puts),
        "two_sided": sum(one.bid is not None and one.ask is not None for one in contracts),
        "with_greeks": greeks,
        "missing_greeks": len(contracts) - greeks - metrics.junk_greeks,
        "volume": sum(volumes),
        "open_interest": sum(interests),
        "put_call_volume_ratio": _ratio(*volumes),
        "put_call_open_interest_ratio": _ratio(*interests),
    }
    for name, value in wanted.items():
        if getattr(metrics, name) != value:
            yield Flaw(f"metrics.{name}", getattr(metrics, name), f"be {value}, as by_contract")


def _expirations(chain: Chain, contracts: Sequence[Contract]) -> Iterator[Flaw]:
    by_day: dict[str, list[Contract]] = {}
    for one in contracts:
        by_day.setdefault(one.expiration, []).append(one)
    found = [one.expiration for one in chain.expirations]
    if found != sorted(by_day):
        yield Flaw(
            "expirations",
            ", ".join(found) or "empty",
            "be those of by_contract, soonest first, once",
        )
        return
    for index, row in enumerate(chain.expirations):
        wanted = _expected(row.expiration, chain.as_of, by_day[row.expiration])
        for name, value in wanted.items():
            if getattr(row, name) != value:
                field = f"expirations[{index}].{name}"
                yield Flaw(field, getattr(row, name), f"be {value}")


def _expected(expiration: str, as_of: str, contracts: Sequence[Contract]) -> dict[str, int | None]:
    calls = sum(one.type == "call" for one in contracts)
    return {
        "dte": _days(as_of, expiration),
        "calls": calls,
        "puts": len(contracts) - calls,
        "volume": _volume(contracts),
        "open_interest": _interest(contracts),
    }


def _days(start: str, end: str) -> int | None:
    try:
        return (date.fromisoformat(end) - date.fromisoformat(start)).days
    except ValueError:
        return None


def _volume(contracts: Iterable[Contract]) -> int:
    return sum(one.volume or 0 for one in contracts)


def _interest(contracts: Iterable[Contract]) -> int:
    return sum(one.open_interest or 0 for one in contracts)


def _ratio(puts: int, calls: int) -> float | None:
    return round(puts / calls, 6) if calls else None
