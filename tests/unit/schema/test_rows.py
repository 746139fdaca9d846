from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.schema.check import check
from shared.schema.row import Reading
from tests.unit.schema.damages import SPOILT
from tests.unit.schema.examples import (
    BEAT,
    BIDS,
    CALL,
    EXAMPLES,
    LIMITS,
    NOW_MS,
    ROWS,
    TRADE,
    TS,
    faults,
    spoilt,
)


def test_every_row_has_an_example_and_a_fault() -> None:
    assert set(EXAMPLES) == set(ROWS) == {name for name, *_ in SPOILT}


@pytest.mark.parametrize("name", ROWS)
def test_a_key_as_the_contract_has_it_is_without_fault(name: str) -> None:
    assert faults(name, EXAMPLES[name][0]) == []


@pytest.mark.parametrize(("name", "path", "value", "field"), SPOILT)
def test_what_is_wrong_is_named_and_nothing_else(
    name: str, path: tuple[Any, ...], value: Any, field: str
) -> None:
    found = faults(name, spoilt(name, path, value))
    assert [(fault.key, fault.field) for fault in found] == [("the:key", field)]
    assert "\n" not in str(found[0])
    assert found[0].was
    assert found[0].must.startswith(("be ", "have ", "lie ", "name ", "end "))


@pytest.mark.parametrize("name", ROWS)
def test_another_redis_type_is_a_fault(name: str) -> None:
    row = ROWS[name]
    other = "hash" if row.kind == "string" else "string"
    found = check(row, Reading("k", other, b""), 1, NOW_MS, LIMITS)
    assert [fault.field for fault in found] == ["type"]
    assert str(found[0]) == f"k type: was {other}, must be {row.kind}"


@pytest.mark.parametrize("name", [name for name in ROWS if name != "control"])
def test_a_ttl_that_the_contract_does_not_know_is_a_fault(name: str) -> None:
    plain, ttl_ms = EXAMPLES[name]
    wrong = (1,) if ttl_ms < 0 else (-1, 86_400_000_000)
    for other_ms in wrong:
        assert {fault.field for fault in faults(name, plain, other_ms)} == {"ttl"}


@pytest.mark.parametrize("name", ["greeks", "ticker", "lease", "depth_live"])
def test_a_key_about_to_expire_is_without_fault(name: str) -> None:
    assert faults(name, EXAMPLES[name][0], 0) == []


def test_a_ttl_is_measured_by_the_settings() -> None:
    plain, _ = EXAMPLES["chain"]
    longer = replace(LIMITS, options_s=600)
    assert faults("chain", plain, 600_000, longer) == []
    assert str(faults("chain", plain, 600_001, longer)[0]) == (
        "the:key ttl: was 600001 ms, must be at most 600000 ms"
    )


def test_a_stopped_worker_is_remembered_for_a_day() -> None:
    stopped = {**BEAT, "state": "stopped", "ts": TS - 3_600_000}
    assert faults("heartbeat", stopped, 86_400_000) == []
    assert [fault.field for fault in faults("heartbeat", BEAT, 86_400_000)] == ["ttl"]


@pytest.mark.parametrize(
    ("name", "most"),
    [("trades", 1000), ("gaps", 12_000), ("depth_stream", 12_000), ("control", 100)],
)
def test_what_only_grows_is_bounded(name: str, most: int) -> None:
    plain, _ = EXAMPLES[name]
    assert faults(name, plain, size=most) == []
    assert [fault.field for fault in faults(name, plain, size=most + 1)] == ["length"]


@pytest.mark.parametrize(
    ("lost", "explained"),
    [
        ([(12, 14)], True),
        ([(1, 12), (13, 30)], True),
        ([(12, 12), (14, 14)], False),
        ([(12, 13)], False),
        ([], False),
    ],
)
def test_a_hole_in_the_numbers_must_be_explained(
    lost: list[tuple[int, int]], explained: bool
) -> None:
    plain = [{**TRADE, "seq": 15}, {**TRADE, "seq": 11}]
    limits = replace(LIMITS, gaps={("trades", "SPY"): lost})
    found = faults("trades", plain, limits=limits)
    assert [fault.field for fault in found] == ([] if explained else ["[0].seq"])


def test_losses_of_others_explain_no_hole() -> None:
    plain = [{**TRADE, "seq": 15}, {**TRADE, "seq": 11}]
    gaps = {("trades", "QQQ"): [(1, 99)], ("depth", "SPY"): [(1, 99)]}
    assert faults("trades", plain, limits=replace(LIMITS, gaps=gaps)) != []


def test_holes_older_than_the_ledger_are_not_judged() -> None:
    plain = [{**TRADE, "seq": 15}, {**TRADE, "seq": 11}]
    assert faults("trades", plain, limits=replace(LIMITS, gaps_since_ms=TS + 1)) == []
    assert faults("trades", plain, limits=replace(LIMITS, gaps_since_ms=TS)) != []


def test_a_damaged_member_is_no_hole() -> None:
    plain = [{**TRADE, "seq": 13}, b"{", {**TRADE, "seq": 11}]
    assert [fault.field for fault in faults("trades", plain)] == ["[1]"]


def test_without_a_known_source_any_is_taken() -> None:
    live = {**BEAT, "source": "live"}
    assert faults("heartbeat", live, limits=replace(LIMITS, source=None)) == []


def test_the_vendor_spells_symbols_its_own_way() -> None:
    call = {**CALL, "symbol": "SPX"}
    plain = spoilt("chain", ("by_contract", "SPY260918C00600000"), call)
    limits = replace(LIMITS, vendor_names={"SPY": "SPX"})
    assert [fault.field for fault in faults("chain", plain, limits=limits)] == [
        "by_contract.SPY260918P00600000.symbol"
    ]


def test_one_venue_keeps_the_order_it_sent() -> None:
    bids = [BIDS[1], BIDS[0], *BIDS[2:]]
    plain = {**EXAMPLES["book"][0], "bids": bids, "venues": ["ARCA"]}
    assert faults("book", plain) == []


def test_a_ticker_may_have_one_half_or_one_side() -> None:
    whole = EXAMPLES["ticker"][0]
    quote = {name: value for name, value in whole.items() if not name.startswith(("last", "vol"))}
    trade = {name: whole[name] for name in ("ts", "last_received_ts", "volume")}
    one_side = {
        name: value
        for name, value in quote.items()
        if not name.startswith(("ask", "mid", "spread"))
    }
    for plain in (quote, trade, one_side):
        assert faults("ticker", plain) == []
    assert [f.field for f in faults("ticker", {**one_side, "mid": "500.1"})] == ["mid"]
    assert [f.field for f in faults("ticker", {"ts": str(TS)})] == ["quote_ts"]
