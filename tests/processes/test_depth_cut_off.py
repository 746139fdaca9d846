"""Turns that were over before the gateway was found mute: what they missed is in the ledger too."""

from __future__ import annotations

from typing import Final

from tests.processes.conftest import StartDepth
from tests.support.depth_keys import now_ms
from tests.support.depth_rig import DepthPlan

# Two symbols take turns of a second on one slot; the gateway is found mute after two seconds.
TWO: Final = {"SPY": ("ARCA",), "QQQ": ("ISLAND",)}
TURNS: Final = {
    "rotation_s": 1.0,
    "slot_cooldown_s": 0.25,
    "max_concurrent_depth": 1,
    "depth_stale_s": 10.0,
    "probe_interval_s": 1.0,
    "probe_timeout_s": 1.0,
}


def test_a_turn_that_ended_on_a_mute_connection_was_cut_off(start_depth: StartDepth) -> None:
    flags = ("--rate", "100", "--cancel-lag-ms", "100", "--depth-cap", "1")
    rig = start_depth(DepthPlan(TWO, ibkr=TURNS, gateway=flags))
    rig.wait_fresh(10, TWO)
    seen, turns = len(rig.keys.gaps()), len(rig.keys.rotation("live"))
    # In the middle of a turn, so that its end comes before anybody can know.
    rig.wait_until(lambda: len(rig.keys.rotation("live")) > turns, 5, "a turn has begun")
    began_ms = now_ms()
    cut = str(rig.keys.rotation("live")[-1]["symbol"])
    rig.gateway.call("half_open")
    rig.wait_until(lambda: "no answer to a probe" in rig.worker.log_text(), 10, "found mute")
    rig.wait_until(
        lambda: cut in {gap.symbol for gap in rig.keys.gaps()[seen:]}, 10, f"the gap of {cut}"
    )
    ends = [entry for entry in rig.keys.rotation("cancel") if int(entry["ts"]) >= began_ms]
    assert [entry["detail"] for entry in ends if entry["symbol"] == cut][0] == "rotation"
    (gap, *_) = [gap for gap in rig.keys.gaps()[seen:] if gap.symbol == cut]
    assert gap.reason.startswith("disconnect: no answer to a probe")
    # From its last row to the first one of its next turn.
    assert gap.from_ts <= began_ms + 200
    rows = [entry.ts for entry in rig.keys.entries(cut)]
    assert gap.from_ts in rows
    assert not [ts for ts in rows if gap.from_ts < ts < gap.to_ts]
