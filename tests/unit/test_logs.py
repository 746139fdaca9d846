from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from loguru import logger

from shared import logs
from shared.settings import RedisSettings, Secret
from shared.settings_redis import secrets_of
from tests.unit.store.logged_lines import parsed, restored_logging

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(capfdbinary: pytest.CaptureFixture[bytes]) -> Iterator[Lines]:
    """What was logged since the last call, each line read as JSON; loggers as before afterwards."""
    with restored_logging():
        logs.configure("ibkr_depth", "INFO")
        yield lambda: parsed(capfdbinary.readouterr().out)


def test_a_line_is_one_json_object_with_its_fixed_fields_first(lines: Lines) -> None:
    logger.bind(symbol="SPY", req_id=7).info("depth of {} starts", "SPY")
    [line] = lines()
    assert list(line) == ["ts", "level", "worker", "event", "symbol", "req_id"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d", line.pop("ts"))
    assert line == {
        "level": "INFO",
        "worker": "ibkr_depth",
        "event": "depth of SPY starts",
        "symbol": "SPY",
        "req_id": 7,
    }


def test_lines_below_the_configured_level_are_left_out(lines: Lines) -> None:
    logger.debug("quiet")
    logger.warning("loud")
    assert [line["event"] for line in lines()] == ["loud"]


def test_configuring_again_does_not_double_lines(lines: Lines) -> None:
    logs.configure("ibkr_trades", "DEBUG")
    logger.debug("once")
    assert [(line["worker"], line["event"]) for line in lines()] == [("ibkr_trades", "once")]


def test_braces_and_line_ends_in_a_text_stay_in_one_line(lines: Lines) -> None:
    logger.info("{}", "a {b}\nc")
    assert [line["event"] for line in lines()] == ["a {b}\nc"]


def test_an_exception_is_a_field_of_its_line(lines: Lines) -> None:
    try:
        int("x")
    except ValueError as error:
        logger.opt(exception=error).error("failed")
    [line] = lines()
    assert line["event"] == "failed"
    assert line["traceback"].startswith("Traceback (most recent call last):\n")
    assert line["traceback"].endswith("invalid literal for int() with base 10: 'x'\n")


def test_a_line_without_an_exception_has_no_traceback(lines: Lines) -> None:
    logger.error("failed")
    assert "traceback" not in lines()[0]


def test_a_bound_field_cannot_hide_a_fixed_one(lines: Lines) -> None:
    logger.bind(event="shadow", ts=1).info("seen")
    [line] = lines()
    assert (line["event"], type(line["ts"])) == ("seen", str)


def test_values_that_are_not_json_are_written_as_text(lines: Lines) -> None:
    logger.bind(where=ValueError("odd"), resent={1: 2}).info("seen")
    [line] = lines()
    assert (line["where"], line["resent"]) == ("odd", {"1": 2})


def test_text_that_is_no_unicode_and_huge_numbers_do_not_lose_the_line(lines: Lines) -> None:
    logger.bind(number=2**70).info("bad byte \udcff")
    [line] = lines()
    assert (line["event"], line["number"]) == ("bad byte \udcff", 2**70)


def test_standard_logging_ends_in_the_same_lines(lines: Lines) -> None:
    try:
        int("x")
    except ValueError:
        logging.getLogger("asyncio").exception("task %s failed", "t")
    [line] = lines()
    assert (line["level"], line["logger"], line["event"]) == ("ERROR", "asyncio", "task t failed")
    assert "invalid literal" in line["traceback"]


def test_standard_logging_below_warning_is_left_out(lines: Lines) -> None:
    logging.getLogger("asyncio").info("quiet")
    assert lines() == []


def test_a_level_without_a_name_is_forwarded_too(lines: Lines) -> None:
    logging.getLogger("vendor").log(35, "odd level")
    assert [(line["level"], line["event"]) for line in lines()] == [("Level 35", "odd level")]


def test_ib_async_does_not_log_beside_us(lines: Lines) -> None:
    logging.getLogger("ib_async.wrapper").error("Error 2104")
    assert lines() == []


def test_a_secret_is_blotted_out_of_every_field_and_traceback(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    with restored_logging():
        logs.configure("av_options", "INFO", ["S3CR3T", ""])
        logger.bind(url="https://host/query?apikey=S3CR3T").info("asked with {}", "S3CR3T")
        try:
            raise ValueError("your key S3CR3T")
        except ValueError as error:
            logger.opt(exception=error).error("failed")
        logging.getLogger("httpx").warning("GET %s", "/query?apikey=S3CR3T")
    output = capfdbinary.readouterr().out
    assert b"S3CR3T" not in output
    assert [line["event"] for line in parsed(output)] == [
        "asked with ***",
        "failed",
        "GET /query?apikey=***",
    ]


def test_a_long_text_is_cut_in_the_middle_and_says_by_how_much(lines: Lines) -> None:
    logger.bind(answer="y" * 9_001).info("{}", "x" * 9_000)
    [line] = lines()
    assert line["event"] == "x" * 4_000 + " ...1000 more characters... " + "x" * 4_000
    assert line["answer"] == "y" * 4_000 + " ...1001 more characters... " + "y" * 4_000


def test_the_ends_of_a_long_traceback_stay(lines: Lines) -> None:
    try:
        raise ValueError("z" * 100_000)
    except ValueError as error:
        logger.opt(exception=error).error("failed")
    [line] = lines()
    assert line["traceback"].startswith("Traceback (most recent call last):")
    assert len(line["traceback"]) < 8_100


def test_a_line_that_is_long_by_its_fields_keeps_the_fixed_ones(lines: Lines) -> None:
    logger.bind(symbols=["SPY"] * 20_000).info("stale")
    [line] = lines()
    assert list(line) == ["ts", "level", "worker", "event", "cut_bytes"]
    assert (line["event"], line["cut_bytes"] > 100_000) == ("stale", True)


def test_a_secret_is_not_cut_in_two(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    with restored_logging():
        logs.configure("av_options", "INFO", ["topsecretkey"])
        logger.info("{}", "x" * 3_995 + "topsecretkey" + "x" * 9_000)
        out = capfdbinary.readouterr().out
    assert b"x***" in out
    assert b"topse" not in out


def test_no_spelling_of_a_redis_password_gets_into_a_line(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    url = "redis://ibkr_depth:p%2Fw%40rd-hunter2@db/0"
    with restored_logging():
        redis = RedisSettings(url=url, password=Secret("the secret behind all"))
        logs.configure("ibkr_depth", "INFO", secrets_of(redis))
        try:
            raise ValueError(f"unusable: {url}")
        except ValueError as error:
            logger.opt(exception=error).error("p/w@rd-hunter2 of {}", "the secret behind all")
        logging.getLogger("redis").warning("at %s", url)
    text = capfdbinary.readouterr().out
    assert text.count(b"***") >= 4
    for hidden in (b"hunter2", b"the secret behind all"):
        assert hidden not in text
