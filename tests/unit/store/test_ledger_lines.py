"""Which lines wait for Redis, and which of them go where there are too many."""

from __future__ import annotations

import pytest

from shared.store.ledger_lines import FIELD, LedgerLines

GAPS = "monitoring:gaps"


@pytest.fixture(autouse=True)
def three_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than three lines wait."""
    monkeypatch.setattr("shared.store.ledger_lines.MOST_LINES", 3)


def gap(feed: str, seq: int) -> dict[str, str]:
    return {
        "feed": feed, "symbol": "SPY", "venue": "ARCA", "from_seq": str(seq), "to_seq": str(seq),
        "from_ts": "1", "to_ts": "2", "reason": "test", "count": "1",
    }  # fmt: skip


def left(lines: LedgerLines) -> list[str]:
    """What would be written, in order: incident texts, `feed:count` of gaps, `field=value`."""
    found = []
    while lines:
        line = lines.first()
        stream, fields = line
        if stream == GAPS:
            found.append(f"{fields['feed']}:{fields['count']}")
        elif FIELD in fields:
            found.append(f"{fields[FIELD]}={fields['value']}")
        else:
            found.append(fields["text"])
        lines.done(line)
    return found


def test_what_only_tells_goes_first_then_gaps_of_one_feed_are_joined_then_states_go() -> None:
    lines = LedgerLines(GAPS)
    lines.add("incidents", {"text": "a"})
    lines.set_field("breakers", "SPY:options", "open")
    lines.add(GAPS, gap("bars", 1))
    lines.add(GAPS, gap("bars", 2))
    assert (len(lines), lines.dropped) == (3, 1)
    lines.add(GAPS, gap("trades", 1))
    assert (len(lines), lines.dropped) == (3, 1)
    lines.set_field("breakers", "QQQ:options", "open")
    assert (len(lines), lines.dropped) == (3, 2)
    assert left(lines) == ["bars:2", "trades:1", "QQQ:options=open"]


def test_a_gap_of_one_feed_is_never_told_as_one_of_another() -> None:
    lines = LedgerLines(GAPS)
    for feed in ("trades", "bars", "trades", "bars", "bars"):
        lines.add(GAPS, gap(feed, 1))
    assert left(lines) == ["trades:2", "bars:2", "bars:1"]
    assert lines.dropped == 0


def test_of_a_field_only_the_newest_value_waits() -> None:
    lines = LedgerLines(GAPS)
    for value in ("open", "half_open", "", "open again"):
        lines.set_field("breakers", "SPY:options", value)
        lines.set_field("breakers", "QQQ:options", value)
    assert left(lines) == ["SPY:options=open again", "QQQ:options=open again"]
    assert lines.dropped == 0


def test_the_line_that_is_on_its_way_stays_whatever_comes() -> None:
    lines = LedgerLines(GAPS)
    lines.add("incidents", {"text": "on its way"})
    lines.first_sent = True
    for text in ("a", "b", "c"):
        lines.add("incidents", {"text": text})
    assert left(lines) == ["on its way", "b", "c"]


def test_a_value_that_is_on_its_way_is_followed_by_the_newer_one() -> None:
    lines = LedgerLines(GAPS)
    lines.set_field("breakers", "SPY:options", "open")
    lines.first_sent = True
    lines.set_field("breakers", "SPY:options", "")
    assert left(lines) == ["SPY:options=open", "SPY:options="]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("x" * 500, "x" * 500),
        ("x" * 501, "x" * 497 + "..."),
        ("half \ud800 a pair", "half ? a pair"),
    ],
)
def test_a_text_is_cut_and_made_fit_to_be_sent(text: str, kept: str) -> None:
    lines = LedgerLines(GAPS)
    lines.add("incidents", {"text": text})
    assert left(lines) == [kept]
