from __future__ import annotations

from pathlib import Path

import pytest

from deploy.supervisor_client import Program
from scripts.ops.supervised import (
    log_lines,
    read_programs,
    seen_programs,
    starts,
    uptime_s,
)
from shared.views.programs import ProgramSeen

LOG = """\
2026-11-26 16:05:59,581 INFO supervisord started with pid 1
2026-11-26 16:05:59,584 INFO spawned: 'redis' with pid 2
2026-11-26 16:06:59,581 INFO supervisord started with pid 30348
2026-11-26 16:06:59,584 INFO spawned: 'redis' with pid 30349
2026-11-26 16:06:59,613 INFO spawned: 'ibkr_depth' with pid 30354
2026-11-26 16:07:01,630 INFO exited: ibkr_depth (exit status 3; not expected)
2026-11-26 16:07:02,613 INFO spawned: 'ibkr_depth' with pid 30377
"""


@pytest.mark.parametrize(
    ("description", "seconds"),
    [
        ("pid 1886, uptime 0:00:04", 4.0),
        ("pid 1886, uptime 23:59:59", 86_399.0),
        ("pid 1886, uptime 1 day, 0:00:04", 86_404.0),
        ("pid 1886, uptime 12 days, 3:04:05", 1_047_845.0),
        ("Exited too quickly (process log may have details)", None),
        ("Nov 26 04:19 PM", None),
        ("", None),
    ],
)
def test_the_uptime_stands_in_the_description(description: str, seconds: float | None) -> None:
    assert uptime_s(description) == seconds


def test_starts_count_from_the_begin_of_this_supervisord() -> None:
    found = starts(LOG.splitlines())
    assert found == {"redis": 1, "ibkr_depth": 2}


def test_without_its_begin_nobody_knows_the_starts() -> None:
    assert starts(LOG.splitlines()[3:]) is None
    assert seen_programs([Program("a", "RUNNING", 1, "")], None)[0].starts is None


def test_the_begin_is_looked_for_in_the_backups_too(tmp_path: Path) -> None:
    lines = LOG.splitlines()
    log = tmp_path / "supervisord.log"
    for path, part in ((log, lines[5:]), (tmp_path / "supervisord.log.1", lines[2:5])):
        path.write_text("\n".join(part) + "\n")
    (tmp_path / "supervisord.log.2").write_text("older\n")
    assert log_lines(log) == lines[2:]


def test_a_log_that_is_not_there_tells_nothing(tmp_path: Path) -> None:
    assert log_lines(tmp_path / "supervisord.log") == []


def test_a_program_is_seen_with_its_uptime_and_starts() -> None:
    program = Program("ibkr_depth", "RUNNING", 7, "pid 7, uptime 0:00:04")
    assert seen_programs([program], starts(LOG.splitlines())) == [
        ProgramSeen("ibkr_depth", "RUNNING", 4.0, "pid 7, uptime 0:00:04", 2)
    ]


def test_where_no_supervisord_answers_it_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        read_programs(tmp_path)
