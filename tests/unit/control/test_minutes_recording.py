from __future__ import annotations

import csv
import io
import zipfile
from itertools import groupby

import pytest

from shared.control.minutes import Minutes
from shared.market.bar import Bar
from tests.support.recordings import shared_data

RECORDINGS = shared_data() / "bars"
MIDNIGHT_S = 1_381_118_400
GRACE_S = 2.0


def recorded(name: str) -> list[list[int]]:
    """Rows of milliseconds after midnight in New York, prices x 10000 and volume."""
    with zipfile.ZipFile(RECORDINGS / f"SPY_20131007_{name}_trade.zip") as archive:
        text = archive.read(archive.namelist()[0]).decode("ascii")
    return [[int(cell) for cell in row] for row in csv.reader(io.StringIO(text))]


def five_second_bar(start: int, rows: list[list[int]]) -> Bar:
    _, opens, highs, lows, closes, volumes = zip(*rows, strict=True)
    return Bar(
        start,
        opens[0] / 10_000,
        max(highs) / 10_000,
        min(lows) / 10_000,
        closes[-1] / 10_000,
        sum(volumes),
        None,
        len(rows),
    )


@pytest.mark.skipif(not RECORDINGS.exists(), reason="no recorded bars beside the repository")
def test_recorded_seconds_give_the_vendors_own_minutes() -> None:
    seconds = recorded("second")
    minutes, made = Minutes(), []
    for start, rows in groupby(seconds, key=lambda row: MIDNIGHT_S + row[0] // 5_000 * 5):
        made += minutes.due(start, GRACE_S)
        minutes.add(five_second_bar(start, list(rows)))
    made += minutes.due(MIDNIGHT_S + 86_400, GRACE_S)
    assert len(made) == 828
    assert [(each.t, each.open, each.high, each.low, each.close) for each in made] == [
        (MIDNIGHT_S + row[0] // 1_000, *(price / 10_000 for price in row[1:5]))
        for row in recorded("minute")
    ]
    assert sum(each.volume for each in made) == sum(row[5] for row in seconds)
    assert all(each.complete for each in made)
