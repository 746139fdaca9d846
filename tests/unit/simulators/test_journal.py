from __future__ import annotations

from typing import Any

from simulators.tws.depth import Subscription
from simulators.tws.journal import Journal
from simulators.tws.requests import DepthCancel
from tests.unit.simulators.worlds import accepted, ask, world


def kinds(journal: Journal, since: int = 0) -> list[str]:
    return [entry.kind for entry in journal.since(since, 1_000)]


def opened(**options: Any) -> tuple[Journal, Subscription, Any]:
    here = world(**options)
    here.desk.journal.on = True
    return here.desk.journal, accepted(here, ask(5, "SPY")), here


def test_nothing_is_kept_until_it_is_asked_for() -> None:
    here = world()
    accepted(here, ask(5, "SPY"))
    here.feed.tick(1.0, set())
    assert (here.desk.journal.last, kinds(here.desk.journal)) == (0, [])


def test_each_row_sent_stands_there_once() -> None:
    journal, subscription, here = opened()
    journal.now_ms = 1_700_000_000_000
    for _ in range(20):
        here.feed.tick(0.05, set())
    entries = list(journal.since(0, 1_000))
    assert [e.number for e in entries] == list(range(1, len(entries) + 1))
    rows = [row for e in entries if e.kind == "rows" for row in e.detail]
    assert len(rows) == subscription.rows > 30
    assert {len(row) for row in rows} == {6}
    assert entries[-1].ms == 1_700_000_000_000


def test_a_subscription_opens_and_ends_once() -> None:
    journal, subscription, here = opened(late_rows_ms=50)
    here.desk.cancel(1, DepthCancel(5, False), 1.0)
    here.feed.tick(0.5, set())
    here.desk.disconnect(1, 2.0)
    assert [k for k in kinds(journal) if k != "rows"] == ["open", "end"]
    [end] = [e for e in journal.since(0, 1_000) if e.kind == "end"]
    assert (end.req_id, end.detail) == (5, "cancelled")


def test_a_reader_goes_on_where_it_was() -> None:
    journal, _, here = opened()
    here.feed.tick(1.0, set())
    first = [e.number for e in journal.since(0, 1)]
    rest = [e.number for e in journal.since(1, 1_000)]
    assert [*first, *rest] == list(range(1, journal.last + 1))
