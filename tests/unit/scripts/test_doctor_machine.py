from __future__ import annotations

import resource
from pathlib import Path

import pytest

from scripts import doctor_clock, doctor_machine, doctor_programs
from scripts.doctor_clock import Moment
from scripts.doctor_finding import documents, fail, failed, lines, ok, warn

MB = 1_048_576


@pytest.mark.parametrize(("free_mb", "state"), [(199, "fail"), (200, "warn"), (1_024, "ok")])
def test_a_disk_that_fills_up_is_noticed(free_mb: int, state: str) -> None:
    assert doctor_machine.disk(Path("/x"), free_mb * MB).state == state


@pytest.mark.parametrize(("free_mb", "state"), [(127, "fail"), (128, "warn"), (512, "ok")])
def test_little_memory_is_noticed(free_mb: int, state: str) -> None:
    assert doctor_machine.memory(free_mb * MB).state == state


def test_memory_is_read_where_the_system_tells_it(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    assert doctor_machine.available_bytes(meminfo) is None
    meminfo.write_text("MemTotal: 9 kB\nMemAvailable:    7 kB\n")
    assert doctor_machine.available_bytes(meminfo) == 7 * 1_024
    meminfo.write_text("MemAvailable:\n")
    assert doctor_machine.available_bytes(meminfo) is None
    assert doctor_machine.memory(None).state == "ok"


@pytest.mark.parametrize(
    ("limit", "state"), [(1_023, "warn"), (1_024, "ok"), (resource.RLIM_INFINITY, "ok")]
)
def test_few_open_files_are_a_warning(limit: int, state: str) -> None:
    assert doctor_machine.open_files(limit).state == state


@pytest.mark.parametrize(("mode", "state"), [(0o600, "ok"), (0o640, "warn"), (0o604, "warn")])
def test_a_file_with_the_key_is_for_its_owner_alone(tmp_path: Path, mode: int, state: str) -> None:
    path = tmp_path / ".env"
    assert doctor_machine.private_file(path).state == "ok"
    path.touch(mode)
    path.chmod(mode)
    assert doctor_machine.private_file(path).state == state


@pytest.mark.parametrize(("found", "state"), [((3, 10, 9), "fail"), ((3, 11, 0), "ok")])
def test_an_old_python_is_a_failure(found: tuple[int, ...], state: str) -> None:
    assert doctor_machine.python(found).state == state


def test_packages_are_compared_with_what_setup_cfg_pins(tmp_path: Path) -> None:
    assert doctor_machine.requirements(tmp_path) == {}
    (tmp_path / "setup.cfg").write_text("[options]\ninstall_requires =\n    a == 1.2\n    b>=3\n")
    wanted = doctor_machine.requirements(tmp_path)
    assert wanted == {"a": "1.2"}
    assert doctor_machine.packages(wanted, lambda _: "1.2").state == "ok"
    assert doctor_machine.packages(wanted, lambda _: "1.3").text == "a is 1.3, must be 1.2"
    assert doctor_machine.packages(wanted, lambda _: "").state == "fail"


def test_directories_of_one_disk_are_one_line(tmp_path: Path) -> None:
    found = doctor_machine.machine([tmp_path / "not/yet", tmp_path])
    assert [one.check for one in found] == ["disk", "memory", "open-files"]
    assert found[0].text.endswith(str(tmp_path))


@pytest.mark.parametrize(
    ("ahead_s", "state", "words"),
    [
        ({"Redis": None}, "ok", "no other clock"),
        ({"Redis": -0.01, "the vendor": 1.9}, "ok", "Redis +0.0 s, the vendor +1.9 s"),
        ({"Redis": 0.0, "the gateway": -2.1}, "warn", "at the gateway"),
        ({"the vendor": 9.0, "the gateway": 9.2}, "warn", "here"),
    ],
)
def test_clocks_that_differ_are_a_warning(
    ahead_s: dict[str, float | None], state: str, words: str
) -> None:
    found, _ = doctor_clock.judge(ahead_s, Moment(100.0, 5.0), Moment(101.0, 6.0))
    assert found.state == state
    assert words in f"{found.text}: {found.remedy}"


@pytest.mark.parametrize(
    ("ended", "state"),
    [(Moment(101.2, 6.0), "ok"), (Moment(97.0, 6.0), "warn"), (Moment(101.0, 4.0), "warn")],
)
def test_a_clock_that_jumps_is_a_warning(ended: Moment, state: str) -> None:
    _, found = doctor_clock.judge({}, Moment(100.0, 5.0), ended)
    assert found.state == state


@pytest.mark.parametrize(
    ("found", "state", "words"),
    [
        (None, "warn", "make up"),
        (
            {"redis": "RUNNING", "ibkr_depth": "STARTING"},
            "ok",
            "1 of 2 programs RUNNING, ibkr_depth STARTING",
        ),
        ({"ibkr_depth": "FATAL"}, "fail", "var/log/ibkr_depth.log"),
        ({"redis": "BACKOFF"}, "fail", "var/log/redis.log"),
        ({"ibkr_depth": "STOPPED"}, "warn", "supervisorctl start ibkr_depth"),
        ({"av_options": "STOPPED"}, "ok", "av_options STOPPED"),
    ],
)
def test_programs_are_judged_by_what_the_settings_want(
    found: dict[str, str] | None, state: str, words: str
) -> None:
    finding = doctor_programs.judge(found, ["ibkr_depth"])
    assert finding.state == state
    assert words in f"{finding.text}: {finding.remedy}"


def test_nothing_listens_where_there_is_no_socket(tmp_path: Path) -> None:
    assert doctor_programs.states(tmp_path / "supervisor.sock") is None


def test_findings_are_lines_and_documents() -> None:
    found = [ok("a", "fine"), warn("long", "two\nlines\x1b[31m", "do this"), fail("c", "x", "y")]
    assert lines(found) == [
        "ok    a     fine",
        "warn  long  two lines[31m: do this",
        "fail  c     x: y",
    ]
    assert lines(found, 24)[1] == "warn  long  two\n            lines[31m:\n            do this"
    assert documents(found)[0] == {
        "check": "a", "state": "ok", "finding": "fine", "remedy": None,
    }  # fmt: skip
    assert failed(found) and not failed(found[:2])
