from __future__ import annotations

from deploy.listeners.judgement import Judgement
from deploy.listeners.seen import Incident, Kill, Seen, Start


def test_a_crash_is_told_and_a_series_of_them_once_a_minute() -> None:
    judgement = Judgement(6.0)
    found = [
        action.text
        for now_s in (10, 13, 16, 19, 71, 74)
        for action in judgement.exited("ibkr_depth", 100 + now_s, float(now_s))
        if isinstance(action, Incident)
    ]
    assert found == [
        "ibkr_depth: pid 110 ended unexpectedly, started again",
        "ibkr_depth: pid 171 ended unexpectedly, as 3 before it, started again",
    ]


def test_a_kill_of_ours_is_no_crash_and_both_rules_are_asked() -> None:
    judgement, found = Judgement(6.0), []
    for now_s in range(1, 60):
        beat = min(now_s, 30)
        programs = [
            Seen("ibkr_depth", "RUNNING", 42, worker=True, beat=beat),
            Seen("ibkr_trades", "RUNNING", 43, worker=True, beat=now_s),
            Seen("redis", "FATAL"),
        ]
        found += judgement.decide(programs, 0.0, float(now_s))
        if Kill("ibkr_depth", 42, force=True) in found:
            break
    assert Start("redis") in found
    assert judgement.exited("ibkr_depth", 42, 40.0) == []
    assert len(judgement.exited("ibkr_depth", 99, 40.0)) == 1
