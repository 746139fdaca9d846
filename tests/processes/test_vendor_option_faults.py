"""One symbol's chains go wrong in every way: nothing bad is published, no other symbol suffers.

A few rigs share the faults; each measures the pace of the other symbols before and during a fault.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.vendor_rig import (
    AT_ONCE,
    OPTIONS,
    VendorPlan,
    VendorRig,
    now_ms,
    running_vendor,
    steady_pace,
)

HIT: Final = "TSLA"
OTHERS: Final = ("AAPL", "QQQ", "SPY")
# Never suspended: what is looked at here is the fault alone.
PLAN: Final = VendorPlan(settings={"failure_threshold": 1000, "max_attempts": 2})
USUAL_S: Final = 1.0
INTERVAL_S: Final = 1.1 * USUAL_S
SPAN_S: Final = 5.0
# For a busy machine; what was measured is printed.
SLACK_S: Final = 1.9
PACE: Final = pytest.approx(1.0, abs=0.2)

Check = Callable[[VendorRig], bool]


@dataclass(frozen=True, slots=True)
class Case:
    """`error` is part of the monitor's text; `shown` judges what can be read meanwhile.

    Without `shown` the last good chain stays; `late_s` is what an open request may still take.
    """

    kind: str
    error: str
    status: str = "error"
    counted: bool = True
    shown: Check | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    late_s: float = 0.0


def is_gone(rig: VendorRig) -> bool:
    left = list(rig.keys.redis.scan_iter(f"options:{HIT}:*", count=1000))
    return not left and int(rig.keys.monitor(HIT)["contracts"]) == 0


def has_no_greeks(rig: VendorRig) -> bool:
    metrics = rig.keys.chain(HIT)["metrics"]
    monitor = rig.keys.monitor(HIT)
    return (
        metrics["missing_greeks"] == metrics["contracts"] == int(monitor["missing_greeks"])
        and float(monitor["greeks_coverage"]) == 0.0
        and rig.keys.greeks(HIT) == {}
    )


def is_whole_but(field_name: str) -> Check:
    """All contracts are there, and the monitor counts what was wrong."""
    return lambda rig: (
        rig.keys.chain(HIT)["metrics"]["contracts"] == 240
        and int(rig.keys.monitor(HIT)[field_name]) > 0
    )


HANGS: Final = 4.5
CASES: Final = (
    Case("html_503", "http 503"),
    Case("outage", "http 503"),
    Case("hang", "ReadTimeout", late_s=1.0),
    Case("trickle", "no whole answer within 2 s", fields={"ms": 100}, late_s=HANGS),
    Case("cut_body", "RemoteProtocolError"),
    Case("bad_json", f"chain of {HIT}"),
    Case("huge_body", "body is too large", fields={"mb": 100}, late_s=1.0),
    Case("gzip_bomb", "body is too large", late_s=1.0),
    Case("reset", "Error"),
    Case("missing_greeks", "", "ok", False, has_no_greeks),
    Case("junk_values", "", "ok", False, is_whole_but("bad_values"), {"share": 0.3}),
    Case("wrong_symbol", "symbol of a contract: was 'ZZQ'"),
    Case("wrong_endpoint", "endpoint: was 'Historical Options'"),
    Case("duplicate_rows", "", "ok", False, is_whole_but("duplicates")),
    Case("empty_chain", "", "empty", False, is_gone),
    Case("no_data_day", f"No data for symbol {HIT}", "empty", False, is_gone),
    Case("invalid_inputs", "Invalid inputs"),
    Case("empty_object", "was an empty object"),
    Case("redirect", "http 302"),
    Case("err_invalid_call", "Invalid API call"),
    Case("err_apikey", "the parameter apikey is invalid"),
    Case("detail_accept_406", "Could not satisfy"),
)


def play(rig: VendorRig, case: Case) -> None:
    rig.wait_until(lambda: rig.keys.monitor(HIT).get("status") == "ok", 5, "a good start")
    pids = {name: worker.pid for name, worker in rig.workers.items()}
    asked, began_ms = rig.asked(), now_ms()
    rig.vendor.fault(case.kind, function=OPTIONS, symbol=HIT, **case.fields)
    wait_told(rig, case, began_ms)
    before = rig.keys.text(f"options:{HIT}:chain")
    wait_span(rig, began_ms)
    assert (case.shown or has_stayed(before, began_ms))(rig), case.kind
    assert (f"{HIT}:options" in rig.keys.circuits("av_options")) == case.counted
    if case.counted:
        assert rig.keys.circuits("av_options")[f"{HIT}:options"]["state"] == "closed"
    pace = steady_pace(rig, USUAL_S, OPTIONS, OTHERS, asked)
    cleared_ms = now_ms()
    rig.vendor.clear()
    late_s = INTERVAL_S + SLACK_S + case.late_s
    rig.wait_chains(late_s, [HIT], cleared_ms)
    back_s = (rig.keys.fetched(HIT) - cleared_ms) / 1000
    print(f"{case.kind}: pace of others {pace:.3f}, back after {back_s:.2f} s, {peak_mb(rig)} MB")
    rig.wait_until(lambda: rig.keys.monitor(HIT)["status"] == "ok", 2, "told")
    assert rig.keys.monitor(HIT)["error"] == "" and pace == PACE
    rig.wait_until(lambda: rig.keys.circuits("av_options") == {}, 2, "its failures forgotten")
    assert {n: w.pid for n, w in rig.workers.items() if w.exit_code is None} == pids
    assert rig.vendor.stats()["redirects_followed"] == 0
    rig.watch.check()


def wait_told(rig: VendorRig, case: Case, began_ms: int) -> None:
    def told() -> bool:
        monitor = rig.keys.monitor(HIT)
        if case.status == "ok":
            return case.shown is not None and rig.keys.fetched(HIT) > began_ms and case.shown(rig)
        return monitor["status"] == case.status and case.error in monitor["error"]

    rig.wait_until(told, 8, f"{case.kind} told as {case.status}")


def wait_span(rig: VendorRig, began_ms: int) -> None:
    rig.wait_until(lambda: now_ms() - began_ms > SPAN_S * 1000, SPAN_S + 1, "the span over")


def has_stayed(before: str | None, began_ms: int) -> Check:
    return lambda rig: (
        before is not None
        and rig.keys.text(f"options:{HIT}:chain") == before
        # The answer that was on its way when the fault began.
        and rig.keys.fetched(HIT) < began_ms + 300
    )


def play_all(home: Path, cases: Mapping[str, tuple[Case, Future[None]]]) -> None:
    with running_vendor(home, PLAN) as (rig, _):
        rig.begin()
        asked, began_ms = rig.asked(), now_ms()
        wait_span(rig, began_ms)
        assert steady_pace(rig, USUAL_S, OPTIONS, OTHERS, asked) == PACE
        for case, outcome in cases.values():
            try:
                play(rig, case)
            except BaseException as error:
                outcome.set_exception(error)
                rig.vendor.clear()
            else:
                outcome.set_result(None)
        assert peak_mb(rig) < 250


def peak_mb(rig: VendorRig) -> int:
    """The largest memory the worker ever had."""
    status = Path(f"/proc/{rig.options.pid}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) // 1024


@dataclass(frozen=True, slots=True)
class Played:
    """The outcome of each case and the rig it is played on."""

    cases: Mapping[str, tuple[Future[None], Future[None]]]

    def rigs(self) -> list[Future[None]]:
        return [rig for _, rig in self.cases.values()]

    def result(self, name: str) -> None:
        outcome, rig = self.cases[name]
        wait((outcome, rig), return_when=FIRST_COMPLETED)
        if not outcome.done():
            rig.result()
        outcome.result(1)


@pytest.fixture(scope="module")
def played(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Played]:
    names = {item.name.partition("[")[2].rstrip("]") for item in request.session.items}
    wanted = {case.kind: (case, Future[None]()) for case in CASES if case.kind in names}
    home, found = tmp_path_factory.mktemp("faults"), {}
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        for number in range(AT_ONCE):
            share = dict(list(wanted.items())[number::AT_ONCE])
            if share:
                rig = pool.submit(play_all, home / str(number), share)
                found.update({name: (outcome, rig) for name, (_, outcome) in share.items()})
        yield Played(found)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", [case.kind for case in CASES])
def test_a_fault_of_one_symbols_chains(played: Played, name: str) -> None:
    played.result(name)
    assert played.cases[name][0].exception() is None


@pytest.mark.timeout(400)
def test_no_key_no_wrong_chain_and_no_lasting_key_over_all_faults(played: Played) -> None:
    """What is held against the simulator and searched for the key at the end of each rig."""
    assert {rig.exception() for rig in played.rigs()} <= {None}
