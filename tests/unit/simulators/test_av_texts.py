from __future__ import annotations

import pytest

from simulators.alphavantage.body import pretty
from simulators.alphavantage.faults import KINDS, Fault
from simulators.alphavantage.substitutes import substitute
from simulators.alphavantage.texts import ARTIFICIAL, Asked, burst, refusal
from tests.support.vendor_process import RECORDINGS, needs_vendor_recordings

RECORDED = sorted(path.name for path in (RECORDINGS / "errors").glob("*"))
# What the recordings were asked with.
ASKED = Asked("REALTIME_OPTIONS", "IWM", "X" * 16, "2025-01-09")


@needs_vendor_recordings
@pytest.mark.parametrize("name", RECORDED)
def test_a_fault_named_like_a_recording_is_its_bytes(name: str) -> None:
    kind = name.partition(".")[0]
    assert kind in KINDS
    reply = substitute(Fault(1, kind), ASKED, "")
    assert reply.body.plain() == (RECORDINGS / "errors" / name).read_bytes()


@needs_vendor_recordings
def test_the_artificial_chain_is_the_recorded_one() -> None:
    recorded = (RECORDINGS / "REALTIME_OPTIONS_artificial.json").read_text()
    assert pretty(ARTIFICIAL) == recorded


def test_the_burst_text_has_the_number_of_the_plan() -> None:
    assert "no more than 20 requests per second" in burst(20)["Information"]


def test_a_refusal_repeats_what_was_asked() -> None:
    assert refusal("info_daily25_withkey", ASKED)["Information"].startswith(
        "We have detected your API key as XXXXXXXXXXXXXXXX and our standard API rate limit is 25"
    )
    assert refusal("err_invalid_call", Asked("ATR"))["Error Message"].endswith("for ATR.")


def test_a_name_with_braces_is_repeated_as_it_is() -> None:
    text = refusal("err_no_function", Asked("{key}", key="secret"))["Error Message"]
    assert text == "This API function ({key}) does not exist."


def test_the_503_page_is_html_of_another_server() -> None:
    reply = substitute(Fault(1, "html_503"), ASKED, "")
    assert (reply.status, reply.content_type, reply.server) == (
        503, "text/html; charset=utf-8", "Cowboy",
    )  # fmt: skip
