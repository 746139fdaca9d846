"""Commands to the Alpha Vantage workers: polled now, probed now, connected afresh."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.vendor_rig import (
    NEWS,
    OPTIONS,
    VendorPlan,
    VendorRig,
    now_ms,
    running_vendor,
)

# So slow that whatever comes sooner was asked for.
SLOW = VendorPlan(
    settings={
        "max_attempts": 1,
        "options_interval_s": 60.0,
        "closed_slowdown": 1.0,
        "sentiment_interval_s": 60.0,
        "technicals_interval_s": 60.0,
        "failure_threshold": 1,
        "failure_backoff_s": 120.0,
        "failure_backoff_max_s": 600.0,
    }
)


def answer(rig: VendorRig, worker: str, **fields: Any) -> str:
    before = len(rig.keys.incidents("control"))
    rig.keys.redis.rpush(f"coord:control:{worker}", json.dumps(fields))
    rig.wait_until(lambda: len(rig.keys.incidents("control")) > before, 3, f"answer to {fields}")
    told = rig.keys.incidents("control")[-1]
    assert told["worker"] == worker
    return told["text"]


@pytest.mark.timeout(180)
def test_symbols_are_polled_and_probed_and_connections_renewed_on_command(tmp_path: Path) -> None:
    with running_vendor(tmp_path, SLOW) as (rig, _):
        rig.begin()
        a_symbol_is_polled_now(rig)
        a_suspended_symbol_is_probed_now(rig)
        an_answer_under_way_outlives_a_reconnect(rig)
        everything_is_polled_over_fresh_connections(rig)


def a_symbol_is_polled_now(rig: VendorRig) -> None:
    since_ms, asked = now_ms(), rig.asked()
    assert answer(rig, "av_options", command="resubscribe", symbol="QQQ") == "resubscribe QQQ: done"
    rig.wait_chains(5, ["QQQ"], since_ms)
    told = answer(rig, "av_sentiment", command="resubscribe", symbol="AAPL")
    assert told == "resubscribe AAPL: done"
    rig.wait_until(lambda: len(rig.arrivals(asked, symbol="AAPL")) >= 3, 5, "news, RSI and ATR")
    functions = sorted(row["function"] for row in rig.arrivals(asked, symbol="AAPL"))
    assert functions == ["ATR", NEWS, "RSI"]
    assert len(rig.arrivals(asked)) == 4, "nothing else was asked for"
    told = answer(rig, "av_options", command="resubscribe", symbol="XYZ")
    known = set(told.split("must be one of ")[1].split(", "))
    assert "refused: symbol was XYZ" in told and known == set(rig.symbols)
    assert "must be one of resubscribe, reconnect" in answer(
        rig, "av_options", command="clear_fallback"
    )


def a_suspended_symbol_is_probed_now(rig: VendorRig) -> None:
    def suspended() -> bool:
        return rig.keys.monitor("TSLA").get("status") == "suspended"

    rig.vendor.fault("html_503", function=OPTIONS, symbol="TSLA")
    answer(rig, "av_options", command="resubscribe", symbol="TSLA")
    rig.wait_until(suspended, 5, "suspended")
    assert rig.keys.circuits("av_options")["TSLA:options"]["state"] == "open"
    asked = rig.asked()
    # A probe that fails leaves it suspended, for longer.
    answer(rig, "av_options", command="resubscribe", symbol="TSLA")
    rig.wait_until(
        lambda: rig.keys.circuits("av_options")["TSLA:options"]["trips"] == 2, 5, "a second trip"
    )
    assert len(rig.arrivals(asked, OPTIONS, "TSLA")) == 1
    rig.vendor.clear()
    since_ms = now_ms()
    answer(rig, "av_options", command="resubscribe", symbol="TSLA")
    rig.wait_chains(5, ["TSLA"], since_ms)
    rig.wait_until(lambda: rig.keys.circuits("av_options") == {}, 3, "closed")


def an_answer_under_way_outlives_a_reconnect(rig: VendorRig) -> None:
    since_ms, asked = now_ms(), rig.asked()
    rig.vendor.fault("slow", function=OPTIONS, symbol="QQQ", count=1, ms=1400)
    answer(rig, "av_options", command="resubscribe", symbol="QQQ")
    assert answer(rig, "av_options", command="reconnect") == "reconnect: done"
    rig.wait_chains(5, since_ms=since_ms)
    assert [row["outcome"] for row in rig.arrivals(asked, symbol="QQQ")] == ["ok"]
    assert rig.keys.circuits("av_options") == {}


def everything_is_polled_over_fresh_connections(rig: VendorRig) -> None:
    before = connections(rig)
    assert before
    since_ms = now_ms()
    assert answer(rig, "av_options", command="reconnect") == "reconnect: done"
    rig.wait_chains(10, since_ms=since_ms)
    rig.wait_until(lambda: not connections(rig) & before, 5, "the old connections closed")
    assert answer(rig, "av_sentiment", command="reconnect") == "reconnect: done"
    rig.wait_documents(15, since_ms)


def connections(rig: VendorRig) -> set[str]:
    """The options worker's open connections to the vendor, by the inode of the socket."""
    fds = Path(f"/proc/{rig.options.pid}/fd").iterdir()
    owned = {str(entry.readlink()) for entry in fds if entry.is_symlink()}
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    # Remote address, state (01 is established) and inode.
    open_to = [(row[2], row[9]) for row in rows if row[3] == "01"]
    wanted = f":{rig.vendor.port:04X}"
    return {inode for peer, inode in open_to if peer.endswith(wanted)} & {
        name.removeprefix("socket:[").removesuffix("]") for name in owned
    }
