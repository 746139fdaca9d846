"""Whatever an answer holds, it is a chain or it is refused; and the order of rows says nothing."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import BadDocument
from shared.market.option import Chain
from shared.normalize import av_options
from tests.support.option_bodies import (
    DAY,
    GREEKS,
    REALTIME,
    Row,
    option_body,
    option_row,
    option_rows,
)
from tests.unit.normalize.test_av_options import read

TEXTS = st.text(st.characters(codec=None), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
# A right value, a right value of another kind of field, or anything.
VALUES = st.sampled_from(["0.00", "-1", "1e400", "", "-", "None", "nan", "2.5", DAY, "call"])
ROWS = st.fixed_dictionaries(
    {},
    optional={name: st.just(value) | VALUES | JSON for name, value in option_row().items()}
    | {"extra": JSON},
)


def read_or_refused(payload: bytes) -> Chain | None:
    try:
        found = read(payload)
    except BadDocument as error:
        assert str(error)
        return None
    assert found.metrics.contracts == len(found.contracts) == len(found.rows)
    return found


def text_of(document: Any) -> bytes:
    return json.dumps(document).encode()


@given(JSON)
@settings(deadline=None)
def test_no_json_at_all_raises_anything_else(document: Any) -> None:
    read_or_refused(text_of(document))
    read_or_refused(option_body([]).replace(b"[]", text_of(document)))
    read_or_refused(option_body([]).replace(b"[]", text_of([document])))
    read_or_refused(text_of({"endpoint": document, "message": "success", "data": []}))
    read_or_refused(text_of({"endpoint": REALTIME, "message": document, "data": []}))


@given(st.binary(), st.sampled_from([b"150.00", b"2017-12-15", b"IBM", b"call", b"50", b'"']))
@settings(deadline=None)
def test_no_bytes_at_all_raise_anything_else(payload: bytes, place: bytes) -> None:
    read_or_refused(payload)
    read_or_refused(option_body([option_row()]).replace(place, payload))


@given(st.lists(ROWS | JSON, max_size=4))
@settings(deadline=None)
def test_each_row_is_kept_doubled_or_dropped_and_can_be_written(rows: list[Any]) -> None:
    good = [option_row(strike) for strike in (500.0, 501.0, 502.0, 503.0)]
    chain = read_or_refused(
        text_of({"data": rows + good, "endpoint": REALTIME, "message": "success"})
    )
    if chain is None:
        return
    faults = chain.faults
    assert len(chain.contracts) + faults.duplicates + faults.dropped == len(rows) + 4
    assert len(chain.rows) == len(chain.contracts) == chain.metrics.contracts
    for one, row in zip(chain.contracts, chain.rows, strict=True):
        assert json.loads(bytes(row))["contractID"] == one.contractID
        numbers = [value for value in msgspec.to_builtins(one).values() if isinstance(value, float)]
        assert all(map(math.isfinite, numbers))
        assert one.contractID.isascii() and one.contractID.isalnum()
        prices = (one.last, one.mark, one.bid, one.ask)
        assert all(price is None or price > 0 for price in prices)
    strict = json.loads(msgspec.json.encode(chain), parse_constant=pytest.fail)
    assert strict["metrics"]["calls"] + strict["metrics"]["puts"] == len(chain.contracts)


@given(st.permutations(range(40)), st.integers(1, 30_000))
@settings(deadline=None, max_examples=50)
def test_rows_in_another_order_give_equal_figures(order: list[int], piece: int) -> None:
    rows = some_of_every_kind()
    whole = read(option_body(rows))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(av_options, "_PIECE_BYTES", piece)
        found = read(option_body([rows[number] for number in order]))
    assert (found.metrics, found.expirations) == (whole.metrics, whole.expirations)
    assert (found.faults, found.as_of) == (whole.faults, whole.as_of)
    by_id = {one.contractID: one for one in whole.contracts}
    assert {one.contractID: one for one in found.contracts} == by_id


def some_of_every_kind() -> list[Row]:
    rows = option_rows(40)
    for number in range(0, 40, 5):
        rows[number] |= {"implied_volatility": "0.01976", "delta": "1", "gamma": "0", "vega": "0"}
    for number in range(1, 40, 5):
        rows[number] |= dict.fromkeys(GREEKS)
    for number in range(2, 40, 10):
        rows[number] |= {"ask": "-", "volume": None}
    rows[3] |= {"contractID": "IBM:chain"}
    return rows
