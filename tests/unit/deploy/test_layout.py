from __future__ import annotations

from pathlib import Path

import pytest

from deploy.layout import Layout, write_private
from shared.errors import SettingsError


def test_directories_are_private(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.create()
    modes = [path.stat().st_mode & 0o777 for path in (layout.var, layout.run, layout.redis)]
    assert modes == [0o700, 0o700, 0o700]


def test_a_path_too_long_for_a_socket_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="must be at most 99 for a unix socket"):
        Layout(tmp_path / ("x" * 80) / ("y" * 30)).create()


def test_a_private_file_is_replaced_with_mode_600(tmp_path: Path) -> None:
    path = tmp_path / "redis.url"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, "redis://127.0.0.1:6379/0\n")
    assert path.read_text() == "redis://127.0.0.1:6379/0\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
