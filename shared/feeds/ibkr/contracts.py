"""Which venue carries a symbol's depth, and how the gateway spells it. Never SMART."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final

from ib_async import IB, Contract
from loguru import logger

from shared.errors import ContractUnsupported
from shared.market.depth import Pair
from shared.market.venue import canonical, spellings, wire_spelling
from shared.universe import Instrument

_DETAILS_TIMEOUT_S: Final = 8.0


@dataclass(slots=True)
class Listing:
    """What the gateway knows of an instrument."""

    con_id: int = 0
    primary: str = ""
    valid_exchanges: str = ""


@dataclass(slots=True)
class ContractBook:
    """Resolved contracts of the universe, kept over reconnects.

    A venue override wins; else the primary exchange, where `validExchanges` lists it.
    """

    instruments: dict[str, Instrument]
    _listings: dict[str, Listing] = field(default_factory=dict)
    _spelling: dict[Pair, str] = field(default_factory=dict)
    _tried: dict[Pair, set[str]] = field(default_factory=dict)

    def missing(self) -> list[str]:
        return [symbol for symbol in self.instruments if symbol not in self._listings]

    def unnamed(self) -> list[str]:
        """Stocks that can be told from their namesakes by the gateway alone."""
        return [
            symbol
            for symbol in self.missing()
            if self.instruments[symbol].sec_type == "STK" and not self.instruments[symbol].primary
        ]

    async def resolve(self, ib: IB, symbols: list[str] | None = None) -> None:
        """Ask for contracts (all not known yet); what stays unanswered is asked again later."""
        symbols = self.missing() if symbols is None else symbols
        answers = await asyncio.gather(*(self._lookup(ib, symbol) for symbol in symbols))
        for symbol, listing in zip(symbols, answers, strict=True):
            if listing is not None:
                self._listings[symbol] = listing

    async def _lookup(self, ib: IB, symbol: str) -> Listing | None:
        instrument = self.instruments[symbol]
        request = Contract(
            symbol=instrument.ibkr_name,
            secType=instrument.sec_type,
            # Details only: SMART lists every venue, an index knows its own exchange only.
            exchange="SMART" if instrument.sec_type == "STK" else _first(instrument.venues),
            currency=instrument.currency,
        )
        try:
            async with asyncio.timeout(_DETAILS_TIMEOUT_S):
                details = await ib.reqContractDetailsAsync(request)
        except (TimeoutError, ConnectionError):
            return None
        for detail in details or []:
            if detail.contract is not None:
                return Listing(
                    detail.contract.conId,
                    detail.contract.primaryExchange,
                    detail.validExchanges,
                )
        return None

    def pairs(self, symbol: str) -> list[Pair]:
        """The subscriptions of a symbol, by override or by its primary exchange.

        Raises:
            ContractUnsupported: neither names a concrete venue.
        """
        venues = self.instruments[symbol].venues
        if not venues:
            listing = self._listings.get(symbol)
            primary = self.instruments[symbol].primary or (listing.primary if listing else "")
            if not primary or canonical(primary) == "SMART":
                raise ContractUnsupported(
                    f"{symbol}: no venue override, and the gateway names no primary exchange"
                )
            if listing and not _lists(listing.valid_exchanges, primary):
                raise ContractUnsupported(
                    f"{symbol}: primary exchange {primary} is not among its valid exchanges"
                )
            venues = (primary,)
        return [Pair(symbol, canonical(venue)) for venue in venues]

    def contract(self, pair: Pair) -> Contract:
        """The depth contract of a pair, with the venue as this gateway spells it."""
        instrument = self.instruments[pair.symbol]
        listing = self._listings.get(pair.symbol, Listing())
        spelling = self._spelling.get(pair)
        if spelling is None:
            written = [venue for venue in instrument.venues if canonical(venue) == pair.venue]
            spelling = wire_spelling(_first(written) or pair.venue, listing.valid_exchanges)
        self._tried.setdefault(pair, set()).add(spelling)
        return Contract(
            conId=listing.con_id,
            symbol=instrument.ibkr_name,
            secType=instrument.sec_type,
            exchange=spelling,
            primaryExchange=listing.primary or instrument.primary,
            currency=instrument.currency,
        )

    def consolidated(self, symbol: str) -> Contract:
        """The contract of a symbol's quotes, trades and bars over all venues."""
        instrument = self.instruments[symbol]
        listing = self._listings.get(symbol, Listing())
        return Contract(
            conId=listing.con_id,
            symbol=instrument.ibkr_name,
            secType=instrument.sec_type,
            exchange="SMART" if instrument.sec_type == "STK" else _first(instrument.venues),
            primaryExchange=listing.primary or instrument.primary,
            currency=instrument.currency,
        )

    def try_other_spelling(self, pair: Pair) -> bool:
        """After a 200 or 10092: switch to a spelling not tried yet; False when none is left."""
        tried = self._tried.setdefault(pair, set())
        for spelling in spellings(pair.venue):
            if spelling not in tried:
                logger.info("{}: trying venue spelling {}", pair, spelling)
                self._spelling[pair] = spelling
                return True
        return False

    def forget_spellings(self, pair: Pair) -> None:
        """Before a later retry of a refused pair: all spellings may be tried again."""
        self._tried.pop(pair, None)
        self._spelling.pop(pair, None)


def _first(venues: tuple[str, ...] | list[str]) -> str:
    return venues[0] if venues else ""


def _lists(valid_exchanges: str, venue: str) -> bool:
    listed = {canonical(name) for name in valid_exchanges.split(",")}
    return canonical(venue) in listed
