from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from shared.market.session import session_at
from shared.session.always_open import AlwaysOpen

NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 11, 26, 0, 0, 0),
        datetime(2026, 11, 28, 3, 30),
        datetime(2026, 11, 1, 1, 30),
        datetime(2026, 3, 8, 23, 59, 59),
    ],
)
def test_the_simulated_market_is_open_at_any_moment(moment: datetime) -> None:
    now_ms = round(moment.replace(tzinfo=NEW_YORK).timestamp() * 1000)
    found = session_at(now_ms, AlwaysOpen().days(now_ms), AlwaysOpen.name)
    assert (found.calendar, found.state, found.known) == ("24/7", "regular", True)
    assert found.opens_ms is not None and found.opens_ms <= now_ms
    assert found.next_open_ms is not None and found.next_open_ms > now_ms
