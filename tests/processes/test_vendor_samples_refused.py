"""Each recorded refusal as the answer to every request of a symbol: what the worker makes of it.

A case has a worker, a symbol and a database of its own; all of them share one simulator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import pytest

from tests.support.sample_feeds import Feed, Ground, sample_ground
from tests.support.vendor_process import RECORDINGS, needs_vendor_recordings
from tests.support.vendor_rig import gaps_s

pytestmark = [needs_vendor_recordings, pytest.mark.timeout(240)]

OPTIONS: Final = "HISTORICAL_OPTIONS"
NEWS: Final = "NEWS_SENTIMENT"
DATA: Final = ("options:*", "sentiment:*", "technicals:*")
DAY: Final = "daily limit"
# Each is a worker, on two cores.
AT_ONCE: Final = 4


@dataclass(frozen=True)
class Case:
    """`answers` are those of the kind until the worker leaves it; `requests` what they cost."""

    file: str
    kind: str
    check: Callable[[Case, Feed, str], None]
    function: str = OPTIONS
    answers: int = 1
    requests: int = 1
    reason: str = ""

    @property
    def name(self) -> str:
        return f"{self.file.partition('.')[0]} {self.function}"

    @property
    def type(self) -> str:
        """Of data, as circuits name it."""
        return {OPTIONS: "options", NEWS: "sentiment"}.get(self.function, self.function)

    @property
    def worker(self) -> str:
        return "av_options" if self.function == OPTIONS else "av_sentiment"

    def settings(self, symbol: str) -> dict[str, Any]:
        """Nothing but this function is asked for."""
        only_news = self.function == NEWS
        return {
            "sentiment_skip": [] if only_news else [symbol],
            "indicators": [] if only_news else ["RSI"],
        }


def monitor(case: Case, feed: Feed, symbol: str) -> dict[str, str]:
    return feed.keys.news_monitor(symbol) if case.function == NEWS else feed.keys.monitor(symbol)


def published(feed: Feed) -> list[str]:
    return [key for pattern in DATA for key in feed.keys.redis.scan_iter(pattern)]


def has_answers(case: Case, feed: Feed, count: int) -> bool:
    return bool(feed.figures().get("answers", {}).get(case.kind, 0) >= count)


def says_there_is_nothing(case: Case, feed: Feed, symbol: str) -> None:
    feed.wait(lambda: has_answers(case, feed, 3), "three empty answers")
    figures = feed.figures()
    assert (set(figures["answers"]), figures["failures"]) == ({"empty"}, 0)
    assert monitor(case, feed, symbol)["status"] == "empty"
    assert feed.keys.circuits(case.worker) == {}
    if case.function == NEWS:
        assert feed.keys.news(symbol)["aggregates"]["article_count"] == 0
    else:
        assert monitor(case, feed, symbol)["error"].startswith("No data for symbol")
        assert published(feed) == []


def has_no_history(case: Case, feed: Feed, symbol: str) -> None:
    feed.wait(lambda: has_answers(case, feed, 3), "three empty answers")
    figures = feed.figures()
    assert (set(figures["answers"]), figures["failures"]) == ({"empty"}, 0)
    assert figures["no_readings"] >= 3
    assert (feed.keys.circuits(case.worker), published(feed)) == ({}, [])


def is_suspended(case: Case, feed: Feed, symbol: str) -> None:
    """After three failures, and for the symbol alone."""
    name = f"{symbol}:{case.type}"
    feed.wait(lambda: feed.keys.circuits(case.worker).get(name, {}).get("trips"), "a suspension")
    feed.wait(lambda: feed.figures().get("failures") == 3, "the figures")
    (circuit,) = feed.keys.circuits(case.worker).values()
    assert (circuit["state"], circuit["failures"], circuit["trips"]) == ("open", 3, 1)
    assert case.reason in circuit["reason"]
    figures = feed.figures()
    assert figures["answers"] == {case.kind: 3}
    (suspended,) = figures["suspended"]
    assert (suspended["symbol"], suspended["type"]) == (symbol, case.type)
    assert len(feed.requests(symbol)) == figures["requests"] == case.requests
    if case.function in (OPTIONS, NEWS):
        feed.wait(lambda: monitor(case, feed, symbol).get("status") == "suspended", "its status")
        assert case.reason in monitor(case, feed, symbol)["error"]
    assert published(feed) == []


def is_not_entitled(case: Case, feed: Feed, symbol: str) -> None:
    """All symbols of the data type wait for an hour."""
    feed.wait(lambda: monitor(case, feed, symbol).get("status") == "not_entitled", "a refusal")
    feed.wait(lambda: feed.figures().get("answers"), "the figures")
    assert list(feed.keys.circuits(case.worker)) == [f"*:{case.type}"]
    figures = feed.figures()
    assert (figures["answers"], figures["failures"]) == ({"entitlement": 1}, 0)
    assert case.reason in monitor(case, feed, symbol)["error"]
    assert (len(feed.requests(symbol)), published(feed)) == (1, [])


def is_held_back(case: Case, feed: Feed, symbol: str) -> None:
    """Everyone on the key waits, a person is told, and no symbol is to blame."""
    feed.wait(
        lambda: feed.keys.figures("token_bucket").get("cooldown_reason") == case.reason,
        f"{case.reason} in the bucket",
    )
    feed.wait(lambda: has_answers(case, feed, case.answers), "the figures")
    feed.wait(lambda: feed.keys.incidents("rate_limit"), "an incident")
    left_s = feed.keys.figures("token_bucket")["cooldown_left_s"]
    if case.reason == DAY:
        assert 3_500 < left_s <= 3_600
        feed.wait(lambda: feed.keys.beat(case.worker)["state"] == "degraded", "a heartbeat of it")
        assert DAY in feed.keys.beat(case.worker)["detail"]
    else:
        assert 0 < left_s <= 60
    (told, *more) = feed.keys.incidents("rate_limit")
    assert told["text"].startswith(f"{case.reason}, no calls for ") and not more
    figures = feed.figures()
    assert (figures["answers"], figures["failures"]) == ({case.kind: case.answers}, 0)
    # A request that is repeated within a poll is counted each time.
    assert sum(figures["requests_by_type"].values()) == figures["requests"] >= case.requests
    assert feed.keys.circuits(case.worker) == {}
    arrivals = feed.requests(symbol)
    assert len(arrivals) == case.requests
    assert all(gap_s >= 1.9 for gap_s in gaps_s(arrivals))
    assert published(feed) == []


def slows_down(case: Case, feed: Feed, symbol: str) -> None:
    """Two seconds each time, and nobody needs to be told."""
    feed.wait(lambda: len(feed.requests(symbol)) >= 3, "three requests")
    feed.wait(lambda: has_answers(case, feed, 3), "the figures")
    assert all(gap_s >= 1.9 for gap_s in gaps_s(feed.requests(symbol)))
    figures = feed.figures()
    assert (set(figures["answers"]), figures["failures"]) == ({"burst"}, 0)
    assert (feed.keys.circuits(case.worker), feed.keys.incidents("rate_limit")) == ({}, [])
    assert published(feed) == []


CASES: Final = (
    Case("opt_no_data_day.json", "empty", says_there_is_nothing),
    Case("info_news_no_articles.json", "empty", says_there_is_nothing, NEWS),
    Case("empty_object.json", "empty", has_no_history, "RSI"),
    Case("empty_object.json", "empty", is_suspended, requests=3, reason="an empty object"),
    Case("empty_object.json", "empty", is_suspended, NEWS, requests=3, reason="an empty object"),
    Case("info_burst_5.json", "burst", slows_down),
    Case("info_burst_20.json", "burst", slows_down, NEWS),
    # Two short waits, then it must be the day.
    Case("info_free_1ps_2026.json", "burst", is_held_back, answers=3, requests=3, reason=DAY),
    Case("info_minute_premium.json", "minute", is_held_back, reason="minute limit"),
    Case("note_5pm_500pd.json", "minute", is_held_back, reason="minute limit"),
    Case("info_daily25_nokey.json", "daily", is_held_back, reason=DAY),
    Case("info_daily25_withkey.json", "daily", is_held_back, reason=DAY),
    Case("note_daily25_withkey.json", "daily", is_held_back, NEWS, reason=DAY),
    Case("info_contact_premium.json", "daily", is_held_back, reason="a limit without a number"),
    Case("info_demo_key.json", "entitlement", is_not_entitled, reason="demo"),
    Case("info_premium_endpoint.json", "entitlement", is_not_entitled, reason="premium endpoint"),
    Case("info_not_entitled_delayed.json", "entitlement", is_not_entitled, NEWS, reason="delayed"),
    Case("err_apikey.json", "bad_request", is_suspended, requests=3, reason="invalid or missing"),
    Case("err_no_function.json", "bad_request", is_suspended, requests=3, reason="not exist"),
    Case("err_invalid_call_rsi.json", "bad_request", is_suspended, "RSI", requests=3),
    Case("info_news_invalid_inputs.json", "bad_request", is_suspended, NEWS, requests=3),
    # These may be better at the second attempt.
    Case("heroku_503.html", "transport", is_suspended, requests=6, reason="http 503"),
    Case("detail_accept_406.json", "unknown", is_suspended, requests=6, reason="Accept header"),
)


def play(ground: Ground, case: Case, symbol: str) -> None:
    settings, names = case.settings(symbol), (case.worker,)
    with ground.feed((symbol,), settings=settings, names=names) as feed:
        case.check(case, feed, symbol)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[None]]]:
    with (
        sample_ground(tmp_path_factory.mktemp("refused")) as ground,
        ThreadPoolExecutor(AT_ONCE) as threads,
    ):
        symbols = {f"E{number:02d}": case for number, case in enumerate(CASES)}
        for symbol, case in symbols.items():
            file = f"errors/{case.file}"
            ground.vendor.fault("body", function=case.function, symbol=symbol, file=file)
        yield {
            case.name: threads.submit(play, ground, case, symbol)
            for symbol, case in symbols.items()
        }


def test_every_recorded_refusal_has_its_case() -> None:
    files = {path.name for path in (RECORDINGS / "errors").iterdir()}
    assert {case.file for case in CASES} == files


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_recorded_refusal_ends_in_its_class(
    case: Case, outcomes: dict[str, Future[None]]
) -> None:
    outcomes[case.name].result()
