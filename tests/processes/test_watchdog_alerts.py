"""What reaches people: few messages, each worth reading, over an address that stays secret."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.stale_reader import now_ms
from tests.support.watch_plan import FIVE, WatchPlan, names_of
from tests.support.watch_rig import WatchRig, running_watch

PASSWORD: Final = "TELLTALE9PASS0OF4ALERTS"
# Longer than the slowest budget takes after the shortest.
GROUP_S: Final = 14.0


class Inbox:
    """An HTTP server that keeps what is posted to it."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        kept = self.messages

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                kept.append(json.loads(body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Silence."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"json://watch:{PASSWORD}@127.0.0.1:{self.server.server_port}/alerts"

    def lines(self, at: int) -> list[str]:
        return str(self.messages[at]["message"]).splitlines()


@contextmanager
def inbox() -> Iterator[Inbox]:
    found = Inbox()
    serving = threading.Thread(target=found.server.serve_forever, daemon=True)
    serving.start()
    try:
        yield found
    finally:
        found.server.shutdown()
        found.server.server_close()
        serving.join(5)


def freeze(rig: WatchRig, command: str) -> None:
    for symbol in rig.symbols:
        rig.gateway.call(command, symbol=symbol)


def one_message_for_five_symbols(rig: WatchRig, box: Inbox) -> None:
    freeze(rig, "freeze")
    wanted = names_of("depth", FIVE) | names_of("trades", FIVE)
    rig.wait_stale(wanted, 25)
    rig.wait_until(lambda: box.messages, GROUP_S + 10, "a message")
    rig.observe(GROUP_S)
    told = box.lines(0)
    assert wanted <= {line.partition(" is stale: ")[0] for line in told}
    assert {line.partition(" is stale: ")[2] for line in told} == {
        "mute: connected, and nothing comes"
    }
    assert (box.messages[0]["type"], len(problems(box))) == ("failure", 1)
    assert "problems" in box.messages[0]["title"]


def problems(box: Inbox) -> list[dict[str, Any]]:
    return [one for one in box.messages if "problem" in one["title"]]


def one_message_for_their_recovery(rig: WatchRig, box: Inbox) -> None:
    before = len(box.messages)
    freeze(rig, "thaw")
    rig.wait_fresh(20)
    rig.wait_until(lambda: len(box.messages) > before, GROUP_S + 10, "a recovery")
    rig.observe(GROUP_S)
    told = set(box.lines(before))
    for name in names_of("depth", FIVE) | names_of("trades", FIVE):
        assert f"over: {name} is fresh again" in told
    assert (len(box.messages), box.messages[before]["type"]) == (before + 1, "success")


def none_for_what_flaps(rig: WatchRig, box: Inbox) -> None:
    before, since_ms = len(box.messages), now_ms()
    for _ in range(2):
        rig.gateway.call("freeze", symbol="SPY")
        rig.wait_stale(["depth:SPY", "trades:SPY"], 40)
        rig.gateway.call("thaw", symbol="SPY")
        rig.wait_fresh(20)
    rig.observe(GROUP_S + 2)
    told = rig.told_in_order(since_ms)
    assert told["depth:SPY"] == told["trades:SPY"] == ["stale", "fresh"] * 2
    assert [one["message"] for one in box.messages[before:]] == []


@pytest.mark.timeout(300)
def test_five_frozen_symbols_are_one_message_and_their_recovery_one(tmp_path: Path) -> None:
    with inbox() as box:
        alerts = {"urls": [box.url], "interval_s": 900.0, "group_s": GROUP_S}
        # Orders would make books flap: a renewed one is sent once, frozen or not.
        plan = WatchPlan(policy={"actions_per_hour": 0, "rhythm_factor": 2.0}, alerts=alerts)
        with running_watch(tmp_path, plan) as (rig, _):
            rig.begin()
            # What starting on a busy machine may have raised is told before.
            time.sleep(GROUP_S + 2)
            box.messages.clear()
            one_message_for_five_symbols(rig, box)
            one_message_for_their_recovery(rig, box)
            none_for_what_flaps(rig, box)
            assert rig.figures()["alerts_sent"] >= 2
            assert rig.figures()["alerts_failed"] == 0
            nothing_gives_the_address_away(rig)


def nothing_gives_the_address_away(rig: WatchRig) -> None:
    logs = {one.name: one.read_text(errors="replace") for one in rig.home.rglob("*.log")}
    assert logs.keys() >= {"watchdog.log", "ibkr_trades.log"}
    assert [name for name, text in logs.items() if PASSWORD in text or "json://" in text] == []
    for key in rig.keys.redis.scan_iter("monitoring:*"):
        kind: Any = rig.keys.redis.type(key)
        found = rig.keys.stream(key) if kind == "stream" else rig.keys.hash(key)
        assert PASSWORD not in str(found), key


@pytest.mark.timeout(200)
def test_an_address_that_does_not_answer_costs_no_look_and_is_not_named(tmp_path: Path) -> None:
    with inbox() as box:
        url = box.url
    # Nothing listens there any more.
    alerts = {"urls": [url], "interval_s": 900.0, "group_s": 1.0}
    with running_watch(tmp_path, WatchPlan(("ibkr_trades",), alerts=alerts)) as (rig, _):
        rig.begin()
        since_ms = now_ms()
        rig.gateway.call("mute_trades", symbol="SPY", on=True)
        rig.wait_until(lambda: rig.figures()["alerts_failed"] >= 1, 40, "a failed delivery")
        assert "alert not sent to alerts.urls[0]: " in rig.watchdog.log_text()
        checked = [one for one in rig.reader.checked if one >= since_ms]
        assert max(b - a for a, b in zip(checked, checked[1:], strict=False)) < 2_500
        nothing_gives_the_address_away(rig)
