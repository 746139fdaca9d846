from __future__ import annotations

from simulators.alphavantage.ledger import COLUMNS, Arrival, Ledger, key_name
from simulators.alphavantage.moment import Moment
from tests.support.vendor_process import busiest


def filled(*times_s: float) -> Ledger:
    ledger = Ledger()
    for n, time_s in enumerate(times_s):
        arrival = Arrival("ab12cd34", f"worker-{n % 2}", "RSI", "SPY")
        ledger.add(Moment(time_s, 1000.0 + time_s), arrival, "ok", 200)
    return ledger


def test_a_key_is_named_by_its_digest() -> None:
    # echo -n secret | sha256sum
    assert key_name("secret") == "2bb80d53"


def test_the_peaks_are_those_of_any_window() -> None:
    times_s = [0.0, 0.5, 0.9, 1.0, 30.0, 59.9, 60.0, 60.4, 61.2]
    key = filled(*times_s).snapshot()["keys"]["ab12cd34"]
    assert (key["peak_1s"], key["peak_60s"]) == (3, 7)
    assert (busiest(times_s, 1.0), busiest(times_s, 60.0)) == (3, 7)


def test_requests_are_counted_by_wall_second_and_client() -> None:
    key = filled(0.0, 0.5, 1.5).snapshot()["keys"]["ab12cd34"]
    assert key["by_wall_second"] == {"1000": 2, "1001": 1}
    assert key["by_client"] == {"worker-0": 2, "worker-1": 1}


def test_rows_are_handed_out_by_number() -> None:
    ledger = filled(0.0, 0.5, 1.5)
    assert [row[0] for row in ledger.since(0)] == [1, 2, 3]
    assert [row[0] for row in ledger.since(2)] == [3]
    assert dict(zip(COLUMNS, next(ledger.since(2)), strict=True)) == {
        "n": 3, "mono_s": 1.5, "wall_s": 1001.5, "key": "ab12cd34", "client": "worker-0",
        "function": "RSI", "symbol": "SPY", "outcome": "ok", "status": 200,
    }  # fmt: skip


def test_numbers_go_on_when_the_evidence_is_forgotten() -> None:
    ledger = filled(0.0, 0.5)
    ledger.forget()
    ledger.add(Moment(2.0, 1002.0), Arrival("ab12cd34", "", "RSI", "QQQ"), "burst", 200)
    assert [row[0] for row in ledger.since(0)] == [3]
    assert list(ledger.since(3)) == []
    assert ledger.snapshot()["asked"] == {"RSI": {"QQQ": 1}}
