"""What may count is what nobody concerned could know."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawd.evidence.information import counts_from

DAY = 86_400 * 10**9
OPENS = [day * DAY for day in range(10)]


def first_bar(**given: object) -> int | None:
    """The day of the first bar that counts."""
    earliest = counts_from(**given)  # type: ignore[arg-type]
    return next((day for day, opened in enumerate(OPENS) if opened >= earliest), None)


@pytest.mark.parametrize(
    ("given", "day"),
    [
        ({}, 0),
        ({"shown": [None, None], "known": [None]}, 0),
        ({"shown": [3 * DAY]}, 4),  # the last bar shown is not the first that counts
        ({"shown": [3 * DAY, 5 * DAY, None]}, 6),  # the author, the book it was bred against, everybody
        ({"known": [3 * DAY]}, 3),  # published as the bar opened
        ({"known": [3 * DAY + 1]}, 4),  # published while the bar was under way
        ({"known": [3 * DAY], "shown": [1 * DAY]}, 3),
        ({"known": [1 * DAY], "shown": [3 * DAY]}, 4),
        ({"registered_at": 6 * DAY + 1, "shown": [3 * DAY]}, 7),  # live: not the bar that is under way
        ({"registered_at": 2 * DAY, "shown": [3 * DAY]}, 4),
        ({"shown": [9 * DAY]}, None),  # everything was seen: nothing is left
    ],
)
def test_the_first_bar_that_counts(given: dict[str, object], day: int | None) -> None:
    assert first_bar(**given) == day


moments = st.lists(st.none() | st.integers(-(10**18), 4 * 10**18), max_size=5)


@given(moments, moments, st.none() | st.integers(0, 4 * 10**18), st.integers(0, 4 * 10**18))
def test_knowing_more_never_lets_an_earlier_bar_count(
    shown: list[int | None], known: list[int | None], registered_at: int | None, more: int
) -> None:
    before = counts_from(shown, known, registered_at)
    assert counts_from([*shown, more], known, registered_at) >= max(before, more + 1)
    assert counts_from(shown, [*known, more], registered_at) >= max(before, more)
    assert counts_from(shown, known, max(more, registered_at or 0)) >= max(before, more)
    for until in shown:
        assert until is None or until < before
