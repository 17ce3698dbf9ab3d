"""How many bars a year has follows from when the market is open."""

import numpy as np
import pytest

from clawd.data.market_hours import bars_per_year

HOUR = 3_600 * 10**9
DAY = 24 * HOUR
START = 1_704_067_200 * 10**9  # Monday 2024-01-01


def days(count: int, weekends: bool, per_day: int) -> np.ndarray:
    times = [
        START + day * DAY + slot * HOUR for day in range(count) if weekends or day % 7 < 5 for slot in range(per_day)
    ]
    return np.array(times)


@pytest.mark.parametrize(
    ("times", "bar", "expected"),
    [
        (days(60, True, 24), HOUR, 365.25 * 24),
        (days(60, True, 1), DAY, 365.25),
        (days(60, False, 1), DAY, 252.0),
        (days(60, False, 7), HOUR, 252.0 * 7),
        (np.arange(50) * 7 * DAY + START, 7 * DAY, 365.25 / 7),
        (np.append(days(60, False, 1), START + 68 * DAY), DAY, 252.0),
    ],
    ids=[
        "hours without end",
        "days without end",
        "trading days",
        "trading hours",
        "weeks",
        "one Saturday session",
    ],
)
def test_bars_per_year_follow_the_calendar(times: np.ndarray, bar: int, expected: float) -> None:
    assert bars_per_year(times, bar) == expected
