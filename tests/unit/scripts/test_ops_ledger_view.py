from __future__ import annotations

from scripts.ops.ledger_view import (
    Ledger,
    documents,
    gaps_picture,
    incident_line,
    incidents_picture,
)
from shared.store.ops_ledgers import Entry
from tests.unit.scripts.drawing import compare, drawn
from tests.unit.scripts.ops_documents import NOW_MS


def gap(**fields: str) -> Entry:
    given = {
        "feed": "depth",
        "symbol": "SPY",
        "venue": "ARCA",
        "from_seq": "4711",
        "to_seq": "4730",
        "from_ts": str(NOW_MS - 3_600_000),
        "to_ts": str(NOW_MS - 3_597_600),
        "reason": "dropped: redis was away for longer than the queue holds",
        "count": "20",
    }
    return Entry("1-1", {**given, **fields})


def incident(text: str, kind: str = "control", symbol: str = "SPY", age_ms: int = 5_000) -> Entry:
    fields = {"ts": str(NOW_MS - age_ms), "worker": "ibkr_depth", "kind": kind}
    return Entry("7-1", {**fields, "symbol": symbol, "text": text})


GAPS = Ledger(
    NOW_MS,
    (
        gap(from_ts=str(NOW_MS - 90_000_000), to_ts=str(NOW_MS - 89_000_000)),
        gap(from_seq="", to_seq="", count="", symbol="", venue="", feed="trades"),
        gap(from_seq="7", to_seq="7", count="1", reason="restart"),
        gap(from_ts="0", to_ts="", feed="bars", count="0", venue=""),
    ),
)
INCIDENTS = Ledger(
    NOW_MS,
    (
        incident("client id 777, generation 1", "connected", "", 100_000_000),
        incident("resubscribe SPY, asked by tickvisor, id 966a8401: done"),
        incident("ARCA: 10092 Deep market data\nis \x1b[1mnot supported", "refused", "MSFT"),
    ),
)


def test_gaps_table_fits_narrow_and_wide_terminals() -> None:
    compare("gaps", gaps_picture, GAPS)


def test_incidents_fits_narrow_and_wide_terminals() -> None:
    compare("incidents", incidents_picture, INCIDENTS)


def test_an_empty_ledger_says_so() -> None:
    assert drawn(gaps_picture(Ledger(NOW_MS, ()), 80), 80) == ["no gaps"]
    assert drawn(incidents_picture(Ledger(NOW_MS, ()), 80), 80) == ["no incidents"]


def test_lines_that_follow_stand_under_each_other_and_are_cut_not_wrapped() -> None:
    lines = [incident_line(one, NOW_MS, 60).plain for one in INCIDENTS.entries[1:]]
    assert lines == [
        "16:06:11  ibkr_depth    control       SPY     resubscribe S…",
        "16:06:11  ibkr_depth    refused       MSFT    ARCA: 10092 D…",
    ]


def test_documents_have_numbers_where_the_stream_has_texts() -> None:
    assert documents(Ledger(NOW_MS, (gap(from_seq="", count="x"),))) == [
        {
            "id": "1-1",
            "feed": "depth",
            "symbol": "SPY",
            "venue": "ARCA",
            "from_seq": None,
            "to_seq": 4730,
            "from_ts": NOW_MS - 3_600_000,
            "to_ts": NOW_MS - 3_597_600,
            "reason": "dropped: redis was away for longer than the queue holds",
            "count": "x",
        }
    ]
