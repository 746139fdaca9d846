"""What an audit of the installed packages finds, and what it may not keep to itself."""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts import audit
from scripts.installed_packages import Audit, Lock, audited, read_locks
from scripts.lock_requirements import beyond, entries, versions

LOCKED = {"good-one": Lock("1.0", True, 2), "windows-only": Lock("3.0", False, 1)}
CODE = b"print('hello')\n"
METADATA = (
    "Metadata-Version: 2.1\nName: Good.One\nVersion: {version}\n"
    "Classifier: License :: OSI Approved :: MIT License\n"
)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Where the package good-one 1.0 stands."""
    return installed(tmp_path / "site", "1.0")


def installed(site: Path, version: str, name: str = "good_one") -> Path:
    info = site / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    text = METADATA.format(version=version).replace("Good.One", name)
    (info / "METADATA").write_text(text)
    (site / f"{name}.py").write_bytes(CODE)
    digest = base64.urlsafe_b64encode(hashlib.sha256(CODE).digest()).rstrip(b"=").decode()
    record = (
        f"{name}.py,sha256={digest},{len(CODE)}\n{info.name}/METADATA,,\n{info.name}/RECORD,,\n"
    )
    (info / "RECORD").write_text(record)
    return site


def test_packages_that_are_as_locked_have_no_fault(site: Path) -> None:
    assert audited(LOCKED, site) == Audit([], {"good-one 1.0": "MIT License"}, 1)


def test_a_file_that_was_changed_is_found(site: Path) -> None:
    (site / "good_one.py").write_bytes(CODE + b"import os\n")
    path = site / "good_one.py"
    assert audited(LOCKED, site).faults == [f"{path}: is not the file that good-one brought"]


def test_a_file_that_is_gone_is_found(site: Path) -> None:
    (site / "good_one.py").unlink()
    path = site / "good_one.py"
    assert audited(LOCKED, site).faults == [f"{path}: No such file or directory"]


@pytest.mark.parametrize("name", ["evil.pth", "evil.py", "evil.so", "deep/er/evil.py"])
def test_code_that_no_package_brought_is_found(site: Path, name: str) -> None:
    (site / name).parent.mkdir(parents=True, exist_ok=True)
    (site / name).write_bytes(b"import os\n")
    assert audited(LOCKED, site).faults == [f"{site / name}: belongs to no package"]


def test_another_version_is_found(tmp_path: Path) -> None:
    faults = audited(LOCKED, installed(tmp_path, "1.1")).faults
    assert faults == ["good-one: was 1.1, must be 1.0"]


def test_packages_beside_the_locked_ones_are_found(site: Path) -> None:
    installed(site, "0.1", "evil_twin")
    assert audited(LOCKED, site).faults == ["evil-twin 0.1: installed, but not locked"]


def test_a_package_that_is_missing_is_found_but_not_one_of_another_platform(tmp_path: Path) -> None:
    assert audited(LOCKED, tmp_path).faults == ["good-one 1.0: locked, but not installed"]


def test_a_package_without_a_record_or_hash_is_found(site: Path) -> None:
    (site / "good_one-1.0.dist-info/RECORD").unlink()
    locks = {"good-one": Lock("1.0", True, 0)}
    faults = audited(locks, site).faults
    assert faults[:2] == ["good-one: no hash in the lock", "good-one: has no record of its files"]


TEXT = (
    "a-b==1.0 ; sys_platform == 'win32' \\\n    --hash=sha256:00 \\\n    --hash=sha256:11\nc==2\n"
)


def test_a_lock_is_read(tmp_path: Path) -> None:
    (tmp_path / "x.lock").write_text(TEXT)
    found = read_locks([tmp_path / "x.lock"])
    assert found == {"a-b": Lock("1.0", False, 2), "c": Lock("2", True, 0)}
    assert versions([tmp_path / "x.lock", tmp_path / "absent"]) == ["a-b==1.0", "c==2"]


def test_what_is_locked_for_the_product_is_not_locked_again() -> None:
    assert len(entries(TEXT)) == 2
    assert beyond(f"{TEXT}d==3 \\\n    --hash=sha256:22\n", TEXT) == (
        "d==3 \\\n    --hash=sha256:22\n"
    )


def answer(**changes: Any) -> dict[str, Any]:
    return {"dependencies": [{"name": "a", "version": "1", "vulns": []} | changes]}


@pytest.mark.parametrize(
    ("document", "known", "unknown"),
    [
        (answer(), [], ""),
        (answer(vulns=[{"id": "PYSEC-1"}]), ["a 1: PYSEC-1"], ""),
        (answer(skip_reason="not found"), [], "no answer about 1 of 1 packages"),
        ({"dependencies": []}, [], "the answer names no package"),
    ],
)
def test_a_package_that_nobody_answered_for_is_not_taken_for_a_good_one(
    document: dict[str, Any], known: list[str], unknown: str
) -> None:
    assert audit.told(document) == (known, unknown)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("print('[]')", "pip-audit ended with 0"),
        ("import sys; sys.exit('no network')", "pip-audit ended with 1: no network"),
        (f"print({json.dumps(answer(skip_reason='x'))!r})", "no answer about 1 of 1 packages"),
    ],
)
def test_an_auditor_that_cannot_say_is_quoted(tmp_path: Path, script: str, said: str) -> None:
    auditor = tmp_path / "auditor"
    auditor.write_text(f"#!{sys.executable}\n{script}\n")
    auditor.chmod(0o755)
    known, unknown = audit.vulnerabilities([tmp_path / "x.lock"], [str(auditor)])
    assert known == []
    assert unknown.startswith(said)


def test_without_an_auditor_the_exit_code_says_that_nobody_was_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(audit, "audited", lambda _locks, _site: Audit())
    monkeypatch.setattr(audit, "_conflicts", list)
    assert audit.main(["/absent/pip-audit"]) == audit.NOT_ASKED
    assert "known vulnerabilities were not asked for: FileNotFoundError" in capsys.readouterr().err
    assert audit.main(["--offline"]) == 0
    assert "known vulnerabilities aside" in capsys.readouterr().out
    monkeypatch.setattr(audit, "audited", lambda _locks, _site: Audit(["x: y"]))
    assert audit.main(["--offline"]) == audit.WRONG
    assert capsys.readouterr().err == "wrong: x: y\n"


def test_what_is_installed_here_is_what_is_locked(capsys: pytest.CaptureFixture[str]) -> None:
    """`make audit OFFLINE=1`: another package in this environment would be tested with."""
    assert audit.main(["--offline"]) == 0, capsys.readouterr().err
