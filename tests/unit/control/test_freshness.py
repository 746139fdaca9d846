from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.control.freshness import Freshness, FreshnessPolicy, Stale
from shared.market.observation import Beat, DepthSeen, Observation, PollSeen
from shared.market.session import Session

POLICY = FreshnessPolicy(
    depth_s=15, quotes_s=30, trades_s=120, bars_s=20, options_s=60, sentiment_s=900,
    technicals_s=300, heartbeat_s=6, slowdown=6.0,
)  # fmt: skip
WORKERS = ("ibkr_depth", "ibkr_trades", "av_options", "av_sentiment")
# The session opened long ago, and so did the watch begin.
OPEN_MS = 1_000_000_000
NOW_MS = OPEN_MS + 3_600_000
REGULAR = Session("XNYS", "2026-11-25", "regular", OPEN_MS, OPEN_MS + 23_400_000, None, False, True)
CLOSED = replace(REGULAR, state="closed")


def beat(age_s: float = 1.0, **changes: Any) -> Beat:
    fresh = Beat(NOW_MS - round(age_s * 1000), "running", True, "", OPEN_MS - 60_000)
    return replace(fresh, **changes)


def seen(**changes: Any) -> Observation:
    return replace(
        Observation(NOW_MS, REGULAR, {name: beat() for name in WORKERS}, rotation_window_s=64.0),
        **changes,
    )


def judged(observation: Observation, **policy: Any) -> dict[str, Stale]:
    return Freshness(replace(POLICY, **policy), WORKERS, OPEN_MS - 120_000).judge(observation)


def ago(seconds: float) -> int:
    return NOW_MS - round(seconds * 1000)


def test_nothing_is_stale_where_all_is_fresh() -> None:
    fresh = seen(
        depth={("SPY", "ARCA"): DepthSeen(ago(1), ago(9))},
        quotes={"SPY": ago(9)}, trades={"SPY": ago(2)}, reported={"SPY": ago(2)},
        bars={"SPY": ago(4)}, polls={"options": {"SPY": PollSeen(ago(8))}},
    )  # fmt: skip
    assert judged(fresh) == {}


def test_a_late_heartbeat_is_stale_at_any_hour() -> None:
    late = seen(session=CLOSED, beats={**seen().beats, "av_options": beat(6.5)})
    assert judged(late) == {
        "heartbeat:av_options": Stale(
            "heartbeat", "av_options", 6.5, 6, NOW_MS - 500, "no heartbeat", False
        )
    }


def test_a_worker_that_was_stopped_on_purpose_owes_nothing() -> None:
    stopped = seen(
        beats={**seen().beats, "av_options": beat(3600, state="stopped")},
        polls={"options": {"SPY": PollSeen(ago(3600))}},
    )
    assert judged(stopped) == {}


def test_a_worker_that_never_spoke_is_late_and_its_data_are_not_judged() -> None:
    silent = seen(
        beats={name: beat() for name in WORKERS if name != "av_options"},
        polls={"options": {"SPY": PollSeen(None)}},
    )
    assert set(judged(silent)) == {"heartbeat:av_options"}


def test_a_heartbeat_that_expired_is_remembered() -> None:
    watch = Freshness(POLICY, WORKERS, OPEN_MS)
    chains = {"options": {"SPY": PollSeen(ago(2))}}
    watch.judge(seen(polls=chains))
    gone = {name: beat() for name in WORKERS if name != "av_options"}
    later = watch.judge(seen(now_ms=NOW_MS + 100_000, beats=gone, polls=chains))
    assert later["options:SPY"].reason == "av_options has had no heartbeat for 101 s"
    assert not later["options:SPY"].mute


@pytest.mark.parametrize(
    ("field", "value", "late_s", "fresh_s"),
    [("quotes", "quotes", 30.5, 29.5), ("polls", "options", 60.5, 59.5)],
)
def test_each_surface_has_its_own_budget(
    field: str, value: str, late_s: float, fresh_s: float
) -> None:
    def at(age_s: float) -> Observation:
        if field == "polls":
            return seen(polls={value: {"SPY": PollSeen(ago(age_s))}})
        return seen(quotes={"SPY": ago(age_s)})

    assert set(judged(at(late_s))) == {f"{value}:SPY"}
    assert judged(at(fresh_s)) == {}


def test_outside_the_session_only_workers_are_judged_unless_wished() -> None:
    night = seen(session=CLOSED, quotes={"SPY": ago(3600)})
    assert judged(night) == {}
    assert set(judged(night, after_hours=True)) == {"quotes:SPY"}


def test_polls_are_slower_at_night() -> None:
    night = seen(session=CLOSED, polls={"options": {"SPY": PollSeen(ago(350))}})
    assert judged(night, after_hours=True) == {}
    later = seen(session=CLOSED, polls={"options": {"SPY": PollSeen(ago(361))}})
    assert judged(later, after_hours=True)["options:SPY"].budget_s == 360


def test_ages_begin_with_the_open_the_worker_and_the_watch() -> None:
    quotes = {"SPY": ago(4000)}
    opened = seen(session=replace(REGULAR, opens_ms=ago(20)), quotes=quotes)
    assert judged(opened) == {}
    started = {**seen().beats, "ibkr_trades": beat(started_ms=ago(20))}
    assert judged(seen(beats=started, quotes=quotes)) == {}
    watch = Freshness(POLICY, WORKERS, OPEN_MS)
    watch.resumed(ago(20))
    assert watch.judge(seen(quotes=quotes)) == {}


def test_a_parked_book_is_judged_in_rotation_time() -> None:
    def parked(age_s: float) -> Observation:
        return seen(depth={("SPY", "ARCA"): DepthSeen(ago(age_s), None)})

    assert judged(parked(78)) == {}
    assert judged(parked(80))["depth:SPY"].budget_s == 79


def test_a_refused_book_is_not_judged() -> None:
    refused = DepthSeen(ago(3000), None, refused='{"code": 2152}')
    assert judged(seen(depth={("SPY", "ARCA"): refused})) == {}


def test_the_worst_of_two_venues_counts() -> None:
    both = {("SPY", "ARCA"): DepthSeen(ago(1), None), ("SPY", "BATS"): DepthSeen(ago(200), None)}
    assert judged(seen(depth=both))["depth:SPY"].age_s == 200


def rows(watch: Freshness, pauses: int, until_ms: int) -> None:
    """A book with a row a second, in one slot."""
    for turn in range(pauses + 1):
        at_ms = until_ms - (pauses - turn) * 1000
        watch.judge(
            seen(now_ms=at_ms, depth={("SPY", "ARCA"): DepthSeen(at_ms, until_ms - 100_000)})
        )


def test_a_live_book_that_falls_silent_is_stale_in_its_slot() -> None:
    watch = Freshness(POLICY, WORKERS, OPEN_MS)
    rows(watch, 40, ago(16))
    stale = watch.judge(seen(depth={("SPY", "ARCA"): DepthSeen(ago(16), ago(116))}))
    assert (stale["depth:SPY"].budget_s, stale["depth:SPY"].mute) == (15, True)


def test_trades_are_overdue_when_a_bar_proves_them() -> None:
    watch = Freshness(POLICY, WORKERS, OPEN_MS)
    old, proof = {"SPY": ago(100)}, {"SPY": ago(31)}
    stale = watch.judge(seen(trades=old, bars=proof))
    assert stale["trades:SPY"].reason == "mute: connected, and nothing comes"
    assert Freshness(POLICY, WORKERS, OPEN_MS).judge(seen(trades=old, bars={"SPY": ago(29)})) == {}


def test_a_symbol_without_trades_and_bars_is_quiet() -> None:
    assert judged(seen(trades={"SPY": 0}, bars={"SPY": 0}, reported={"SPY": 0})) == {}


def test_a_bar_is_owed_from_its_trade_on() -> None:
    watch = Freshness(POLICY, WORKERS, OPEN_MS)
    watch.judge(seen(now_ms=ago(21), reported={"SPY": ago(21)}, bars={"SPY": ago(600)}))
    stale = watch.judge(seen(reported={"SPY": ago(2)}, bars={"SPY": ago(600)}))
    assert (stale["bars:SPY"].age_s, stale["bars:SPY"].budget_s) == (21, 20)


@pytest.mark.parametrize(
    ("poll", "reason"),
    [
        (PollSeen(ago(99), "suspended", "http 503"), "suspended: http 503"),
        (PollSeen(ago(99), "not_entitled", ""), "not_entitled"),
        (PollSeen(ago(99), "error", "bad rows"), "error: bad rows"),
    ],
)
def test_what_the_monitor_says_is_the_reason(poll: PollSeen, reason: str) -> None:
    found = judged(seen(polls={"options": {"SPY": poll}}))["options:SPY"]
    assert (found.reason, found.mute) == (reason, False)


def test_what_the_worker_says_is_the_reason() -> None:
    away = {**seen().beats, "ibkr_trades": beat(connected=False, detail="not connected")}
    found = judged(seen(beats=away, quotes={"SPY": ago(40)}))["quotes:SPY"]
    assert found.reason == "ibkr_trades is not connected: not connected"
    farm = {**seen().beats, "ibkr_trades": beat(state="degraded", detail="farm broken: usfarm")}
    found = judged(seen(beats=farm, quotes={"SPY": ago(40)}))["quotes:SPY"]
    assert (found.reason, found.mute) == ("ibkr_trades: farm broken: usfarm", False)
