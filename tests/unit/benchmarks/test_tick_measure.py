from __future__ import annotations

import pytest

from benchmarks.tick_measure import TickFigures

# Two sends of four ticks each; the second print of A stands in the second one.
SENT = [(4, 10.0), (8, 11.0)]


def figures(**changes: object) -> TickFigures:
    values: dict[str, object] = {
        "sent": SENT,
        "prints": {"A": [0, 4], "B": [3]},
        "goals": {"A": [3, 4], "B": [3]},
        "seen": [("A", 2, 9.0), ("B", 3, 10.004), ("A", 3, 10.002), ("A", 4, 11.5)],
        "quotes": {"A": 11.0, "B": 10.0},
    }
    return TickFigures(**{**values, **changes})  # type: ignore[arg-type]


def test_the_rate_counts_all_ticks_until_the_last_print_is_visible() -> None:
    assert figures().per_second() == pytest.approx(8 / 1.5)


def test_the_rate_counts_until_the_last_quote_where_that_is_later() -> None:
    assert figures(quotes={"A": 12.0}).per_second() == pytest.approx(8 / 2.0)


def test_a_print_is_as_late_as_its_own_send_was_long_ago() -> None:
    assert figures().latencies_ms() == pytest.approx([2.0, 4.0, 500.0])


def test_one_entry_may_make_several_prints_visible() -> None:
    seen = [("A", 4, 11.5), ("B", 3, 10.004)]
    assert figures(seen=seen).visible_times()["A"] == [11.5, 11.5]


def test_a_print_that_never_became_visible_ends_the_benchmark() -> None:
    with pytest.raises(SystemExit, match=r"A: \[3\] of 4"):
        figures(seen=[("A", 3, 10.0), ("B", 3, 10.0)]).per_second()
