from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from ib_async import Contract, ContractDetails

from shared.errors import ContractUnsupported
from shared.feeds.ibkr.contracts import ContractBook
from shared.market.depth import Pair
from shared.universe import Instrument

OLDER = "SMART,AMEX,NYSE,ARCA,ISLAND,BATS"
NEWER = "SMART,AMEX,NYSE,ARCA,NASDAQ,BATS"
AAPL = Pair("AAPL", "NASDAQ")


def stock(symbol: str, *venues: str, primary: str = "", ibkr: str = "") -> Instrument:
    return Instrument(symbol, "STK", venues, primary, "USD", ibkr or symbol, symbol)


SPX = Instrument("SPX", "IND", ("CBOE",), "", "USD", "SPX", "SPX")


@dataclass
class Gateway:
    """Answers contract requests; a name without an answer stays unanswered."""

    answers: dict[str, tuple[int, str, str]]
    failure: Exception | None = None
    asked: list[Contract] = field(default_factory=list)

    async def reqContractDetailsAsync(self, contract: Contract) -> list[ContractDetails]:  # noqa: N802
        self.asked.append(contract)
        if self.failure is not None:
            raise self.failure
        if contract.symbol not in self.answers:
            return []
        con_id, primary, valid = self.answers[contract.symbol]
        found = Contract(conId=con_id, symbol=contract.symbol, primaryExchange=primary)
        return [ContractDetails(), ContractDetails(contract=found, validExchanges=valid)]


def book(*instruments: Instrument) -> ContractBook:
    return ContractBook({one.symbol: one for one in instruments})


def resolve(contracts: ContractBook, **answers: tuple[int, str, str]) -> Gateway:
    gateway = Gateway(answers)
    ib: Any = gateway
    asyncio.run(contracts.resolve(ib))
    return gateway


def resolved(instrument: Instrument, primary: str, valid: str) -> ContractBook:
    contracts = book(instrument)
    resolve(contracts, **{instrument.ibkr_name: (265598, primary, valid)})
    return contracts


def spelled(contracts: ContractBook, pair: Pair) -> str:
    return contracts.contract(pair).exchange


def test_a_stock_is_looked_up_by_its_spelling_at_ibkr() -> None:
    gateway = resolve(book(stock("BRK.B", "NYSE", ibkr="BRK B")))
    asked = gateway.asked[0]
    assert (asked.symbol, asked.secType, asked.exchange, asked.currency) == (
        "BRK B", "STK", "SMART", "USD",
    )  # fmt: skip


def test_an_index_is_looked_up_at_its_own_exchange() -> None:
    asked = resolve(book(SPX)).asked[0]
    assert (asked.secType, asked.exchange) == ("IND", "CBOE")


def test_what_is_known_is_not_asked_again() -> None:
    contracts = book(stock("AAPL"), stock("MSFT"))
    resolve(contracts, AAPL=(265598, "NASDAQ", NEWER))
    assert contracts.missing() == ["MSFT"]
    assert [one.symbol for one in resolve(contracts).asked] == ["MSFT"]


@pytest.mark.parametrize("failure", [TimeoutError(), ConnectionError("Socket disconnect")])
def test_an_unanswered_lookup_is_left_for_later(failure: Exception) -> None:
    contracts = book(stock("AAPL"))
    ib: Any = Gateway({}, failure)
    asyncio.run(contracts.resolve(ib))
    assert contracts.missing() == ["AAPL"]


def test_an_override_wins_over_the_primary_exchange() -> None:
    contracts = resolved(stock("AAPL", "ARCA", "BATS", primary="NASDAQ"), "NASDAQ", NEWER)
    assert contracts.pairs("AAPL") == [Pair("AAPL", "ARCA"), Pair("AAPL", "BATS")]


def test_an_override_needs_no_answer_of_the_gateway() -> None:
    assert book(stock("AAPL", "ISLAND")).pairs("AAPL") == [AAPL]


@pytest.mark.parametrize(("primary", "valid"), [("NASDAQ", OLDER), ("ISLAND", NEWER)])
def test_the_primary_exchange_counts_in_either_spelling(primary: str, valid: str) -> None:
    assert resolved(stock("AAPL"), primary, valid).pairs("AAPL") == [AAPL]


def test_the_universes_primary_exchange_wins_over_the_gateways() -> None:
    contracts = resolved(stock("SPY", primary="ARCA"), "NYSE", NEWER)
    assert contracts.pairs("SPY") == [Pair("SPY", "ARCA")]


@pytest.mark.parametrize("primary", ["", "SMART", "smart"])
def test_a_symbol_without_a_concrete_venue_is_unsupported(primary: str) -> None:
    with pytest.raises(ContractUnsupported, match="AAPL: no venue override"):
        resolved(stock("AAPL"), primary, NEWER).pairs("AAPL")


def test_a_symbol_the_gateway_does_not_know_is_unsupported() -> None:
    with pytest.raises(ContractUnsupported, match="names no primary exchange"):
        book(stock("AAPL")).pairs("AAPL")


def test_a_primary_exchange_that_is_not_listed_is_unsupported() -> None:
    with pytest.raises(ContractUnsupported) as caught:
        resolved(stock("AAPL"), "PINK", NEWER).pairs("AAPL")
    assert str(caught.value) == "AAPL: primary exchange PINK is not among its valid exchanges"


@pytest.mark.parametrize(
    ("written", "valid", "expected"),
    [
        ("ISLAND", OLDER, "ISLAND"), ("ISLAND", NEWER, "NASDAQ"), ("NASDAQ", OLDER, "ISLAND"),
        ("NASDAQ", NEWER, "NASDAQ"), ("ISLAND", "", "ISLAND"), ("NASDAQ", "", "NASDAQ"),
    ],
)  # fmt: skip
def test_a_venue_is_spelled_as_this_gateway_lists_it(
    written: str, valid: str, expected: str
) -> None:
    assert spelled(resolved(stock("AAPL", written), "NASDAQ", valid), AAPL) == expected


def test_a_depth_contract_names_the_venue_and_never_smart() -> None:
    contracts = resolved(stock("BRK.B", "NYSE", ibkr="BRK B"), "NYSE", NEWER)
    contract = contracts.contract(Pair("BRK.B", "NYSE"))
    assert contract == Contract(
        conId=265598,
        symbol="BRK B",
        secType="STK",
        exchange="NYSE",
        primaryExchange="NYSE",
        currency="USD",
    )


def test_an_index_is_asked_for_at_cboe() -> None:
    contract = book(SPX).contract(Pair("SPX", "CBOE"))
    assert (contract.secType, contract.exchange, contract.conId) == ("IND", "CBOE", 0)


def test_the_other_spelling_is_tried_once() -> None:
    contracts = resolved(stock("AAPL", "ISLAND"), "NASDAQ", OLDER)
    assert spelled(contracts, AAPL) == "ISLAND"
    assert contracts.try_other_spelling(AAPL)
    assert spelled(contracts, AAPL) == "NASDAQ"
    assert not contracts.try_other_spelling(AAPL)


def test_a_spelling_that_worked_is_kept() -> None:
    contracts = resolved(stock("AAPL", "ISLAND"), "NASDAQ", OLDER)
    spelled(contracts, AAPL)
    contracts.try_other_spelling(AAPL)
    assert [spelled(contracts, AAPL), spelled(contracts, AAPL)] == ["NASDAQ", "NASDAQ"]


def test_a_venue_with_one_spelling_has_no_other_to_try() -> None:
    contracts = resolved(stock("SPY", "ARCA"), "ARCA", NEWER)
    spelled(contracts, Pair("SPY", "ARCA"))
    assert not contracts.try_other_spelling(Pair("SPY", "ARCA"))


def test_a_later_retry_may_try_all_spellings_again() -> None:
    contracts = resolved(stock("AAPL", "ISLAND"), "NASDAQ", OLDER)
    spelled(contracts, AAPL)
    contracts.try_other_spelling(AAPL)
    spelled(contracts, AAPL)
    contracts.forget_spellings(AAPL)
    assert spelled(contracts, AAPL) == "ISLAND"
    assert contracts.try_other_spelling(AAPL)


def test_spellings_are_tried_for_each_symbol_apart() -> None:
    contracts = book(stock("AAPL", "ISLAND"), stock("MSFT", "ISLAND"))
    spelled(contracts, AAPL)
    contracts.try_other_spelling(AAPL)
    assert spelled(contracts, Pair("MSFT", "NASDAQ")) == "ISLAND"


def test_quotes_and_bars_of_a_stock_come_from_all_venues() -> None:
    contracts = resolved(stock("BRK.B", "NYSE", ibkr="BRK B"), "NYSE", NEWER)
    assert contracts.consolidated("BRK.B") == Contract(
        conId=265598,
        symbol="BRK B",
        secType="STK",
        exchange="SMART",
        primaryExchange="NYSE",
        currency="USD",
    )


def test_quotes_and_bars_of_an_index_come_from_its_own_exchange() -> None:
    contract = book(SPX).consolidated("SPX")
    assert (contract.secType, contract.exchange, contract.primaryExchange) == ("IND", "CBOE", "")


def test_a_stock_that_was_not_looked_up_is_named_by_the_universes_primary_exchange() -> None:
    contract = book(stock("SPY", "BATS", primary="ARCA")).consolidated("SPY")
    assert (contract.conId, contract.exchange, contract.primaryExchange) == (0, "SMART", "ARCA")


def test_the_gateways_primary_exchange_names_the_stock_once_it_is_known() -> None:
    contracts = resolved(stock("SPY", primary="ARCA"), "NYSE", NEWER)
    assert contracts.consolidated("SPY").primaryExchange == "NYSE"


def test_asking_for_quotes_tries_no_venue_spelling() -> None:
    contracts = resolved(stock("AAPL", "ISLAND"), "NASDAQ", OLDER)
    contracts.consolidated("AAPL")
    assert spelled(contracts, AAPL) == "ISLAND"
    assert contracts.try_other_spelling(AAPL)


def test_only_stocks_without_a_primary_exchange_need_the_gateway_to_be_told_apart() -> None:
    contracts = book(stock("AAPL"), stock("SPY", primary="ARCA"), SPX, stock("QQQ", "ISLAND"))
    assert contracts.unnamed() == ["AAPL", "QQQ"]


def test_a_stock_that_the_gateway_named_is_not_unnamed_any_more() -> None:
    contracts = book(stock("AAPL"), stock("QQQ"))
    resolve(contracts, AAPL=(265598, "NASDAQ", NEWER))
    assert contracts.unnamed() == ["QQQ"]


@pytest.mark.parametrize(
    ("symbols", "asked"), [(["QQQ"], ["QQQ"]), ([], []), (None, ["QQQ", "SPY"])]
)
def test_only_the_contracts_that_are_wanted_are_asked_for(
    symbols: list[str] | None, asked: list[str]
) -> None:
    contracts, gateway = book(stock("AAPL"), stock("QQQ"), stock("SPY")), Gateway({})
    resolve(contracts, AAPL=(265598, "NASDAQ", NEWER))
    ib: Any = gateway
    asyncio.run(contracts.resolve(ib, symbols))
    assert [one.symbol for one in gateway.asked] == asked


def test_what_was_not_wanted_stays_unknown() -> None:
    contracts = book(stock("AAPL"), stock("QQQ"))
    ib: Any = Gateway({"AAPL": (265598, "NASDAQ", NEWER), "QQQ": (320227571, "NASDAQ", NEWER)})
    asyncio.run(contracts.resolve(ib, ["QQQ"]))
    assert (contracts.missing(), contracts.consolidated("QQQ").conId) == (["AAPL"], 320227571)
