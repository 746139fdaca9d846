from __future__ import annotations

import pytest

from shared.market.venue import canonical, spellings, wire_spelling

OLDER = "SMART,AMEX,NYSE,CBOE,ARCA,ISLAND,BATS"
NEWER = "SMART,AMEX,NYSE,CBOE,ARCA,NASDAQ,BATS"


@pytest.mark.parametrize(
    ("venue", "expected"),
    [
        ("ISLAND", "NASDAQ"), ("NASDAQ", "NASDAQ"), ("island", "NASDAQ"), (" arca ", "ARCA"),
        ("NSDQ", "NSDQ"), ("SMART", "SMART"), ("", ""),
    ],
)  # fmt: skip
def test_a_venue_has_one_name_inside(venue: str, expected: str) -> None:
    assert canonical(venue) == expected


@pytest.mark.parametrize(
    ("venue", "expected"),
    [
        ("ISLAND", ("ISLAND", "NASDAQ")),
        ("NASDAQ", ("NASDAQ", "ISLAND")),
        ("Island", ("ISLAND", "NASDAQ")),
        ("ARCA", ("ARCA",)),
    ],
)
def test_the_spelling_as_given_is_tried_first(venue: str, expected: tuple[str, ...]) -> None:
    assert spellings(venue) == expected


@pytest.mark.parametrize(
    ("venue", "valid_exchanges", "expected"),
    [
        ("NASDAQ", OLDER, "ISLAND"),
        ("NASDAQ", NEWER, "NASDAQ"),
        ("ISLAND", NEWER, "NASDAQ"),
        ("ISLAND", OLDER, "ISLAND"),
        ("NASDAQ", "NASDAQ,ISLAND", "NASDAQ"),
        ("nasdaq", " smart, Island ", "ISLAND"),
        ("ARCA", OLDER, "ARCA"),
    ],
)
def test_the_wire_gets_the_spelling_the_gateway_lists(
    venue: str, valid_exchanges: str, expected: str
) -> None:
    assert wire_spelling(venue, valid_exchanges) == expected


@pytest.mark.parametrize("valid_exchanges", ["", "SMART,NYSE", "ISLANDS,NASDAQX"])
def test_a_venue_that_is_not_listed_is_tried_as_given(valid_exchanges: str) -> None:
    assert wire_spelling("ISLAND", valid_exchanges) == "ISLAND"
