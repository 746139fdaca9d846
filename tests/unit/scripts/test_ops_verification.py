from __future__ import annotations

from scripts.ops.verification import Verified, document, summary


def test_faults_of_several_passes_are_told_once() -> None:
    found = Verified()
    assert found.add(["a", "b", "a"], {"last": 3, "trades": 0}) == ["a", "b"]
    assert summary(found) == "3 keys checked in 1 pass, 2 faults"
    assert found.add(["b", "c"], {"last": 1, "trades": 2}) == ["c"]
    assert summary(found) == "5 keys checked in 2 passes, 3 faults"
    assert document(found) == {
        "ok": False,
        "passes": 2,
        "faults": ["a", "b", "c"],
        "checked": {"last": 3, "trades": 2},
    }


def test_no_fault_is_said_in_words() -> None:
    found = Verified()
    found.add([], {"last": 1})
    assert summary(found) == "1 key checked in 1 pass, no fault"
