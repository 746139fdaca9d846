from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import Final

from .requests import ContractFields
from .wire import ContractData, DepthExchange

__all__ = [
    "DEPTH_SERVICES",
    "Directory",
    "Listing",
    "canonical_venue",
    "depth_exchange_rows",
    "describe",
    "venue_accepted",
]


@dataclass(frozen=True, slots=True)
class Listing:
    symbol: str
    con_id: int
    sec_type: str
    primary: str
    name: str
    base_cents: int
    isin: str = ""
    stock_type: str = "COMMON"


# Full-book venues of the 2152 notices; Deep2 venues name the market maker of each row.
DEPTH_SERVICES: Final = {
    "NASDAQ": "Deep2",
    "ARCA": "Deep",
    "BATS": "Deep",
    "NYSE": "Deep",
    "BEX": "Deep",
    "IEX": "Deep",
}

# As recorded for AAPL in 2026; "NASDAQ" stands for whichever spelling the gateway uses.
_STOCK_VENUES: Final = (
    "SMART,AMEX,NYSE,CBOE,PHLX,ISE,CHX,ARCA,NASDAQ,DRCTEDGE,BEX,BATS,EDGEA,BYX,IEX,EDGX,"
    "FOXRIVER,PEARL,NYSENAT,LTSE,MEMX,IBEOS,OVERNIGHT,TPLUS0,PSX,T24X"
)
_ORDER_TYPES: Final = (
    "ACTIVETIM,AD,ADDONT,ADJUST,ALERT,ALGO,ALLOC,AON,AVGCOST,BASKET,BENCHPX,CASHQTY,COND,"
    "CONDORDER,DAY,DEACT,DIS,GAT,GTC,GTD,GTT,HID,IBKRATS,ICE,IOC,LIT,LMT,LOC,MIDPX,MIT,MKT,"
    "MOC,MTL,OCA,OPG,PEGBENCH,PEGMID,POSTONLY,REL,RTH,SCALE,STP,STPLMT,SWEEP,TRAIL,WHATIF"
)
_DATES: Final = ("20261123", "20261124", "20261125")
_TRADING_HOURS: Final = ";".join(f"{day}:0400-{day}:2000" for day in _DATES)
_LIQUID_HOURS: Final = ";".join(f"{day}:0930-{day}:1600" for day in _DATES)

_KNOWN: Final = (
    Listing("SPY", 756733, "STK", "ARCA", "SS SPDR S&P 500 ETF TRUST", 58500, "", "ETF"),
    Listing("QQQ", 320227571, "STK", "NASDAQ", "INVESCO QQQ TRUST SERIES 1", 50500, "", "ETF"),
    Listing("IWM", 9579970, "STK", "ARCA", "ISHARES RUSSELL 2000 ETF", 22500, "", "ETF"),
    Listing("AAPL", 265598, "STK", "NASDAQ", "APPLE INC", 23000, "US0378331005"),
    Listing("MSFT", 272093, "STK", "NASDAQ", "MICROSOFT CORP", 43000, "US5949181045"),
    Listing("GOOGL", 208813719, "STK", "NASDAQ", "ALPHABET INC-CL A", 17500, "US02079K3059"),
    Listing("AMZN", 3691937, "STK", "NASDAQ", "AMAZON.COM INC", 20000, "US0231351067"),
    Listing("META", 107113386, "STK", "NASDAQ", "META PLATFORMS INC", 56000, "US30303M1027"),
    Listing("NVDA", 4815747, "STK", "NASDAQ", "NVIDIA CORP", 14000, "US67066G1040"),
    Listing("TSLA", 76792991, "STK", "NASDAQ", "TESLA INC", 34000, "US88160R1014"),
    Listing("BRK B", 72063691, "STK", "NYSE", "BERKSHIRE HATHAWAY INC-CL B", 47000, "US0846707026"),
    Listing("IBM", 8314, "STK", "NYSE", "INTL BUSINESS MACHINES CORP", 25000, "US4592001014"),
    Listing("SPX", 416904, "IND", "CBOE", "S&P 500 Stock Index", 585000, "", ""),
    Listing("NDX", 416843, "IND", "NASDAQ", "NASDAQ 100 Stock Index", 2050000, "", ""),
    Listing("RUT", 416888, "IND", "CBOE", "Russell 2000 Stock Index", 225000, "", ""),
    Listing("VIX", 13455763, "IND", "CBOE", "CBOE Volatility Index", 1800, "", ""),
)
# Symbols as IBKR spells them: letters, and a share class after a space. ZZ... is nobody's.
_SYMBOL: Final = re.compile(r"(?!ZZ)[A-Z]{1,5}( [A-Z])?")


def canonical_venue(exchange: str) -> str:
    return "NASDAQ" if exchange == "ISLAND" else exchange


def venue_accepted(exchange: str, nasdaq_name: str) -> bool:
    """Whether this gateway knows the spelling; other venues have only one."""
    if canonical_venue(exchange) != "NASDAQ" or nasdaq_name == "both":
        return True
    return exchange == nasdaq_name


class Directory:
    """Every contract of the simulated world, found by conId or by symbol."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._by_symbol: dict[tuple[str, str], Listing] = {}
        self._by_con_id: dict[int, Listing] = {}
        # Symbols taken off by command: answered with error 200.
        self.delisted: set[str] = set()
        for listing in _KNOWN:
            self._add(listing)

    def find(self, contract: ContractFields) -> Listing | None:
        if contract.con_id:
            listing = self._by_con_id.get(contract.con_id)
            if listing and contract.symbol not in ("", listing.symbol):
                return None
        else:
            listing = self.listing(contract.symbol or contract.local_symbol, contract.sec_type)
        if listing is None or listing.symbol in self.delisted:
            return None
        return listing if _agrees(listing, contract) else None

    def listing(self, symbol: str, sec_type: str = "STK") -> Listing | None:
        known = self._by_symbol.get((symbol, sec_type or "STK"))
        if known or sec_type not in ("", "STK") or not _SYMBOL.fullmatch(symbol):
            return known
        return self._add(self._invented(symbol))

    def any_listing(self, symbol: str) -> Listing | None:
        return self._by_symbol.get((symbol, "IND")) or self.listing(symbol)

    def _add(self, listing: Listing) -> Listing:
        self._by_symbol[(listing.symbol, listing.sec_type)] = listing
        self._by_con_id[listing.con_id] = listing
        return listing

    def _invented(self, symbol: str) -> Listing:
        mark = zlib.crc32(f"{self._seed}:{symbol}".encode())
        con_id = 500_000_000 + zlib.crc32(symbol.encode()) % 400_000_000
        primary = ("NASDAQ", "NYSE", "ARCA")[mark % 3]
        return Listing(symbol, con_id, "STK", primary, f"{symbol} CORP", 2000 + mark % 48_000)


def _agrees(listing: Listing, contract: ContractFields) -> bool:
    if contract.sec_type not in ("", listing.sec_type) or contract.currency not in ("", "USD"):
        return False
    primary = canonical_venue(contract.primary_exchange)
    if primary not in ("", "SMART", listing.primary):
        return False
    exchange = canonical_venue(contract.exchange)
    return exchange in ("", *_venues(listing))


def _venues(listing: Listing) -> list[str]:
    return [listing.primary] if listing.sec_type == "IND" else _STOCK_VENUES.split(",")


def describe(listing: Listing, exchange: str, nasdaq_name: str) -> ContractData:
    nasdaq = "NASDAQ" if nasdaq_name == "both" else nasdaq_name
    venues = ",".join(nasdaq if venue == "NASDAQ" else venue for venue in _venues(listing))
    index = listing.sec_type == "IND"
    default = listing.primary if index else "SMART"
    trading_class = "NMS" if listing.primary == "NASDAQ" else listing.symbol
    return ContractData(
        symbol=listing.symbol,
        sec_type=listing.sec_type,
        # Echoing SMART for a venue request would hide mistakes: qualifyContracts copies it.
        exchange=exchange or default,
        currency="USD",
        local_symbol=listing.symbol,
        trading_class=trading_class,
        con_id=listing.con_id,
        min_tick="0.01",
        order_types=_ORDER_TYPES,
        valid_exchanges=venues,
        long_name=listing.name,
        primary_exchange="" if index else listing.primary,
        category=("Indices", "Broad Range Equity Index", "*") if index else ("", "", ""),
        hours=(_TRADING_HOURS, _LIQUID_HOURS),
        isin=listing.isin,
        stock_type=listing.stock_type,
    )


def depth_exchange_rows(nasdaq_name: str) -> list[DepthExchange]:
    names = ["ISLAND", "NASDAQ"] if nasdaq_name == "both" else [nasdaq_name]
    rows = [DepthExchange(name, "STK", DEPTH_SERVICES["NASDAQ"]) for name in names]
    rows += [
        DepthExchange(venue, "STK", service)
        for venue, service in DEPTH_SERVICES.items()
        if venue != "NASDAQ"
    ]
    return [*rows, DepthExchange("IDEALPRO", "CASH", "Deep")]
