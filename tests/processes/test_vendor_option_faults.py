"""One symbol's chains go wrong in every way: nothing bad is published, no other symbol suffers.

Four rigs share the faults; each measures the pace of the other symbols before and during a fault.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.vendor_rig import (
    AT_ONCE,
    OPTIONS,
    VendorPlan,
    VendorRig,
    mean_gap_s,
    now_ms,
    running_vendor,
    steady_pace,
)

HIT: Final = "TSLA"
OTHERS: Final = ("AAPL", "QQQ", "SPY")
# Never suspended: what is looked at here is the fault alone.
PLAN: Final = VendorPlan(settings={"failure_threshold": 1000, "max_attempts": 2})
INTERVAL_S: Final = 1.1
SPAN_S: Final = 5.0
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


def play(rig: VendorRig, case: Case, usual_s: float) -> None:
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
    pace = steady_pace(rig, usual_s, OPTIONS, OTHERS, asked)
    cleared_ms = now_ms()
    rig.vendor.clear()
    late_s = INTERVAL_S + 0.9 + case.late_s
    rig.wait_chains(late_s, [HIT], cleared_ms)
    back_s = (rig.keys.fetched(HIT) - cleared_ms) / 1000
    print(f"{case.kind}: pace of others {pace:.3f}, back after {back_s:.2f} s, {peak_mb(rig)} MB")
    rig.wait_until(lambda: rig.keys.monitor(HIT)["status"] == "ok", 2, "told")
    assert rig.keys.monitor(HIT)["error"] == "" and pace == PACE
    assert f"{HIT}:options" not in rig.keys.circuits("av_options")
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
        usual_s = mean_gap_s(rig.arrivals(asked), OPTIONS, OTHERS)
        for case, outcome in cases.values():
            try:
                play(rig, case, usual_s)
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
    cases: Mapping[str, Future[None]]
    rigs: list[Future[None]]


@pytest.fixture(scope="module")
def played(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Played]:
    names = {item.name.partition("[")[2].rstrip("]") for item in request.session.items}
    wanted: dict[str, tuple[Case, Future[None]]] = {
        case.kind: (case, Future()) for case in CASES if case.kind in names
    }
    home = tmp_path_factory.mktemp("faults")
    shares = [dict(list(wanted.items())[n::AT_ONCE]) for n in range(AT_ONCE)]
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        rigs = [
            pool.submit(play_all, home / str(n), share) for n, share in enumerate(shares) if share
        ]
        yield Played({name: outcome for name, (_, outcome) in wanted.items()}, rigs)


def wait_for(played: Played, name: str) -> None:
    outcome = played.cases[name]
    while not outcome.done():
        ended = [rig for rig in played.rigs if rig.done()]
        for rig in ended:
            rig.result()
        try:
            outcome.exception(0.2)
        except TimeoutError:
            continue
    outcome.result()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", [case.kind for case in CASES])
def test_a_fault_of_one_symbols_chains(played: Played, name: str) -> None:
    wait_for(played, name)
    assert played.cases[name].exception() is None


@pytest.mark.timeout(300)
def test_no_key_no_wrong_chain_and_no_lasting_key_over_all_faults(played: Played) -> None:
    """What is held against the simulator and searched for the key at the end of each rig."""
    assert [rig.exception() for rig in played.rigs] == [None] * len(played.rigs)
