"""What option keys hold."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from msgspec import UNSET, Struct, UnsetType

from shared.schema.values import (
    Contracts,
    Day,
    DurationMs,
    Greek,
    Ms,
    Payload,
    Price,
    Ratio,
    Share,
    Source,
    Whole,
    about,
)

Right = Literal["call", "put"]
Status = Annotated[
    Literal["ok", "empty", "error", "suspended", "not_entitled"],
    about("what became of the newest poll"),
]
Expiry = Annotated[Day, about("expiration, YYYY-MM-DD")]


class VendorRow(Struct, frozen=True):
    """As the vendor sent it: values may be texts, and there may be more of them."""

    contractID: Annotated[str, about("the vendor's name of the contract")]
    symbol: Annotated[str, about("underlying in the vendor's spelling")]
    expiration: Annotated[str, about("expiration, as sent")]
    strike: Annotated[Any, about("strike, as sent")]
    type: Annotated[str, about("`call` or `put`, as sent")]


class Contract(Payload, frozen=True):
    contractID: Annotated[str, about("the vendor's name of the contract, as in `by_contract`")]
    symbol: Annotated[str, about("underlying in the vendor's spelling (`BRK-B`)")]
    expiration: Expiry
    strike: Annotated[Price, about("strike")]
    type: Annotated[Right, about("`call` or `put`")]
    last: Annotated[Price | None, about("last price, null where it never traded")]
    mark: Annotated[Price | None, about("mark")]
    bid: Annotated[Price | None, about("bid, null where nobody bids")]
    bid_size: Annotated[Contracts | None, about("size at the bid")]
    ask: Annotated[Price | None, about("ask, null where nobody offers")]
    ask_size: Annotated[Contracts | None, about("size at the ask")]
    volume: Annotated[Contracts | None, about("the day's volume")]
    open_interest: Annotated[Contracts | None, about("open interest")]
    date: Annotated[str, about("session of the row, YYYY-MM-DD")]
    implied_volatility: Annotated[Greek | None, about("1 is 100 %; null where it is unknown")]
    delta: Annotated[Greek | None, about("delta")]
    gamma: Annotated[Greek | None, about("gamma")]
    theta: Annotated[Greek | None, about("theta, as the vendor scales it")]
    vega: Annotated[Greek | None, about("vega, as the vendor scales it")]
    rho: Annotated[Greek | None, about("rho, as the vendor scales it")]


class Expiration(Payload, frozen=True):
    expiration: Expiry
    dte: Annotated[int, about("days from `as_of`")]
    calls: Annotated[Whole, about("number of calls")]
    puts: Annotated[Whole, about("number of puts")]
    volume: Annotated[Contracts, about("volume of them all")]
    open_interest: Annotated[Contracts, about("open interest of them all")]


class ChainMetrics(Payload, frozen=True):
    contracts: Annotated[Whole, about("number of contracts")]
    calls: Annotated[Whole, about("of those, calls")]
    puts: Annotated[Whole, about("of those, puts")]
    two_sided: Annotated[Whole, about("with bid and ask")]
    with_greeks: Annotated[Whole, about("with at least one greek")]
    missing_greeks: Annotated[Whole, about("without greeks from the vendor")]
    junk_greeks: Annotated[
        Whole, about("whose greeks were left out: the vendor's solver had found nothing")
    ]
    volume: Annotated[Contracts, about("the day's volume of them all")]
    open_interest: Annotated[Contracts, about("open interest of them all")]
    put_call_volume_ratio: Annotated[
        Ratio | None, about("volume of puts over that of calls; null without calls")
    ]
    put_call_open_interest_ratio: Annotated[
        Ratio | None, about("open interest of puts over that of calls; null without calls")
    ]


class Chain(Payload, frozen=True):
    symbol: Annotated[str, about("symbol, as in the key")]
    as_of: Annotated[Day, about("session of the chain: the newest date of its rows")]
    fetched_ts: Annotated[Ms, about("when it was received")]
    source: Annotated[Source, about("`live`, `sim` or `replay`")]
    by_contract: Annotated[dict[str, Contract], about("contracts by `contractID`")]
    expirations: Annotated[list[Expiration], about("sums per expiration, soonest first")]
    metrics: Annotated[ChainMetrics, about("sums over the chain")]


class Greeks(Payload, frozen=True):
    implied_volatility: Annotated[Greek | None, about("1 is 100 %; null where it is unknown")]
    delta: Annotated[Greek | None, about("delta")]
    gamma: Annotated[Greek | None, about("gamma")]
    theta: Annotated[Greek | None, about("theta, as the vendor scales it")]
    vega: Annotated[Greek | None, about("vega, as the vendor scales it")]
    rho: Annotated[Greek | None, about("rho, as the vendor scales it")]
    mark: Annotated[Price | None, about("mark of the contract")]
    ts: Annotated[Ms, about("receive time of the first chain that had these values")]


class OptionsMonitor(Payload, frozen=True):
    """Fields that are not known yet are missing."""

    status: Status
    error: Annotated[str, about("why it is not ok, else empty")] = ""
    as_of: Annotated[Day, about("session of the newest chain")] | UnsetType = UNSET
    contracts: Annotated[Whole, about("contracts of the newest chain")] | UnsetType = UNSET
    calls: Annotated[Whole, about("of those, calls")] | UnsetType = UNSET
    puts: Annotated[Whole, about("of those, puts")] | UnsetType = UNSET
    missing_greeks: Annotated[Whole, about("as in the chain")] | UnsetType = UNSET
    junk_greeks: Annotated[Whole, about("as in the chain")] | UnsetType = UNSET
    greeks_coverage: Annotated[Share, about("share with greeks")] | UnsetType = UNSET
    duplicates: Annotated[Whole, about("rows left out: there twice")] | UnsetType = UNSET
    dropped: Annotated[Whole, about("rows left out: unusable")] | UnsetType = UNSET
    bad_values: Annotated[Whole, about("values that were no numbers")] | UnsetType = UNSET
    fetched_ts: Annotated[Ms, about("when the newest answer came")] | UnsetType = UNSET
    fetch_ms: Annotated[DurationMs, about("how long it took to come")] | UnsetType = UNSET
    store_ms: Annotated[DurationMs, about("how long it took to write")] | UnsetType = UNSET
    bytes: Annotated[Whole, about("size of the answer")] | UnsetType = UNSET
    unchanged_fetches: (
        Annotated[Whole, about("answers in a row equal to the one before")] | UnsetType
    ) = UNSET


class OptionsEvent(Payload, frozen=True):
    key: Annotated[str, about("the key of the chain")]
    ts: Annotated[Ms, about("when it was received")]
    status: Annotated[Literal["ok", "empty"], about("`empty`: the keys were removed")]
    as_of: Annotated[str, about("session of the chain, empty for none")]
    contracts: Annotated[Whole, about("number of contracts")]
    calls: Annotated[Whole, about("of those, calls")]
    puts: Annotated[Whole, about("of those, puts")]
    greeks_changed: Annotated[Whole, about("greeks keys written")]
    greeks_removed: Annotated[Whole, about("greeks keys removed")]


GREEKS: Final = ("implied_volatility", "delta", "gamma", "theta", "vega", "rho")
