from __future__ import annotations

from simulators.tws.contracts import (
    Directory,
    canonical_venue,
    depth_exchange_rows,
    describe,
    venue_accepted,
)
from simulators.tws.requests import ContractFields


def contract(symbol: str, exchange: str, **changed: object) -> ContractFields:
    names = ContractFields.__dataclass_fields__
    fields: dict[str, object] = dict.fromkeys(names, "")
    fields |= {"con_id": 0, "symbol": symbol, "sec_type": "STK", "exchange": exchange, **changed}
    return ContractFields(**fields)  # type: ignore[arg-type]


def test_aapl_has_its_real_con_id() -> None:
    found = Directory(7).find(contract("AAPL", "SMART"))
    assert found is not None
    assert found.con_id == 265598


def test_a_contract_is_found_by_con_id_alone() -> None:
    found = Directory(7).find(contract("", "ARCA", con_id=756733, sec_type=""))
    assert found is not None
    assert found.symbol == "SPY"


def test_another_con_id_than_the_symbols_is_unknown() -> None:
    assert Directory(7).find(contract("MSFT", "SMART", con_id=265598)) is None


def test_an_invented_symbol_is_the_same_every_time() -> None:
    assert Directory(7).listing("ABCD") == Directory(7).listing("ABCD")


def test_symbols_that_are_nobodys_are_unknown() -> None:
    directory = Directory(7)
    for symbol in ("NOSUCHSYM", "ZZTOP", "BRK.B", "aapl", ""):
        assert directory.find(contract(symbol, "SMART")) is None


def test_the_share_class_is_written_with_a_space() -> None:
    found = Directory(7).find(contract("BRK B", "NYSE"))
    assert found is not None
    assert found.primary == "NYSE"


def test_another_primary_exchange_is_unknown() -> None:
    assert Directory(7).find(contract("AAPL", "SMART", primary_exchange="NYSE")) is None


def test_an_index_is_found_at_its_exchange_only() -> None:
    directory = Directory(7)
    assert directory.find(contract("SPX", "CBOE", sec_type="IND")) is not None
    assert directory.find(contract("SPX", "SMART", sec_type="IND")) is None


def test_a_delisted_symbol_is_unknown() -> None:
    directory = Directory(7)
    directory.delisted.add("AAPL")
    assert directory.find(contract("AAPL", "SMART")) is None


def test_details_echo_the_requested_exchange() -> None:
    listing = Directory(7).listing("AAPL")
    assert listing is not None
    assert describe(listing, "ISLAND", "ISLAND").exchange == "ISLAND"


def test_valid_exchanges_use_the_spelling_of_the_gateway() -> None:
    listing = Directory(7).listing("AAPL")
    assert listing is not None
    assert "ISLAND" in describe(listing, "", "ISLAND").valid_exchanges.split(",")
    assert "NASDAQ" not in describe(listing, "", "ISLAND").valid_exchanges.split(",")
    assert "NASDAQ" in describe(listing, "", "NASDAQ").valid_exchanges.split(",")


def test_only_one_spelling_of_nasdaq_is_accepted_unless_both_are() -> None:
    assert venue_accepted("ISLAND", "ISLAND")
    assert not venue_accepted("NASDAQ", "ISLAND")
    assert not venue_accepted("ISLAND", "NASDAQ")
    assert venue_accepted("ISLAND", "both")
    assert venue_accepted("ARCA", "NASDAQ")


def test_both_spellings_are_one_venue() -> None:
    assert canonical_venue("ISLAND") == canonical_venue("NASDAQ") == "NASDAQ"


def test_depth_exchanges_tell_market_maker_venues_apart() -> None:
    services = {row.exchange: row.service for row in depth_exchange_rows("ISLAND")}
    assert services["ISLAND"] == "Deep2"
    assert services["ARCA"] == "Deep"
    assert "NASDAQ" not in services
