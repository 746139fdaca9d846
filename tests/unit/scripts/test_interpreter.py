from __future__ import annotations

from scripts.interpreter import PACKAGES, lacks


def test_an_interpreter_with_every_package_lacks_nothing() -> None:
    assert lacks((3, 11), lambda package: True) == []


def test_a_missing_package_is_named() -> None:
    assert lacks((3, 12), lambda package: package != "ib_async") == ["ib_async"]


def test_an_old_interpreter_lacks_python_itself() -> None:
    assert lacks((3, 10), lambda package: True) == ["python 3.11"]


def test_a_bare_interpreter_lacks_every_package() -> None:
    assert lacks((3, 11), lambda package: False) == list(PACKAGES)
