from __future__ import annotations

import pytest

from deploy.ports import next_free
from shared.errors import SettingsError


def test_the_wanted_port_is_taken_when_it_is_free() -> None:
    assert next_free(6379, (), lambda port: True) == 6379


def test_the_next_free_port_follows_one_that_is_in_use() -> None:
    assert next_free(6379, (6380,), lambda port: port != 6379) == 6381


def test_no_free_port_names_the_range() -> None:
    with pytest.raises(SettingsError, match="looked from 65500 to 65535"):
        next_free(65_500, (), lambda port: False)
