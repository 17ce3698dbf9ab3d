"""The features of a book are what their formulas say, bounded as they must be, and unknown where the book is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawd.data.order_book import Levels, features

DEPTH = 10


def book(bids: list[tuple[float, float]], asks: list[tuple[float, float]]) -> Levels:
    """One book from its levels (price, size), the best first."""
    cells = [np.array([[level[part] for level in side]]) for side in (bids, asks) for part in (0, 1)]
    return Levels(np.array([1]), cells[0], cells[1], cells[2], cells[3])


def of(levels: Levels) -> dict[str, float]:
    return {name: float(values[0]) for name, values in features(levels).items()}


def test_a_worked_example() -> None:
    bids = [(100.0 - level, 3.0) for level in range(DEPTH)]
    asks = [(102.0 + level, 1.0) for level in range(DEPTH)]
    asks[4] = (106.0, 11.0)  # 3 x 5 = 15 bids against 1 x 4 + 11 = 15 asks in five levels
    found = of(book(bids, asks))
    assert found["imbalance1"] == pytest.approx((3 - 1) / (3 + 1))
    assert found["imbalance5"] == pytest.approx(0.0)
    assert found["spread_bps"] == pytest.approx(2 / 101 * 10_000)
    # Three quarters of what rests at the touch are bids: the price leans to the asks, 101.5.
    assert found["microprice_dev"] == pytest.approx(101.5 / 101 - 1)
    assert found["depth_ratio"] == pytest.approx(30 / 20)


def test_a_book_has_the_features_of_its_depth() -> None:
    quotes = book([(1.0, 2.0)], [(1.1, 2.0)])
    assert set(of(quotes)) == {"imbalance1", "microprice_dev", "spread_bps"}
    five = book([(1.0 - i / 10, 2.0) for i in range(5)], [(1.1 + i / 10, 2.0) for i in range(5)])
    assert set(of(five)) == {"imbalance1", "imbalance5", "microprice_dev", "spread_bps"}


@pytest.mark.parametrize(
    ("bid", "ask"),
    [
        ((100.0, 1.0), (99.0, 1.0)),
        ((100.0, 1.0), (100.0, 1.0)),
        ((np.nan, np.nan), (100.0, 1.0)),
        ((99.0, 1.0), (np.nan, np.nan)),
        ((99.0, 0.0), (100.0, 1.0)),
        ((99.0, 1.0), (100.0, 0.0)),
    ],
    ids=["crossed", "locked", "no bid", "no ask", "nothing at the bid", "nothing at the ask"],
)
def test_an_unsound_book_says_nothing(bid: tuple[float, float], ask: tuple[float, float]) -> None:
    lower = [(90.0 - level, 1.0) for level in range(DEPTH - 1)]
    upper = [(110.0 + level, 1.0) for level in range(DEPTH - 1)]
    found = of(book([bid, *lower], [ask, *upper]))
    assert len(found) == 5
    assert all(np.isnan(value) for value in found.values())


def test_a_missing_level_is_unknown_to_those_that_look_at_it() -> None:
    bids = [(100.0 - level, 1.0) for level in range(DEPTH)]
    asks = [(101.0 + level, 1.0) for level in range(DEPTH)]
    asks[6] = (np.nan, np.nan)
    found = of(book(bids, asks))
    assert np.isnan(found["depth_ratio"])
    assert found["imbalance5"] == 0.0
    asks[4] = (np.nan, np.nan)
    found = of(book(bids, asks))
    assert np.isnan(found["imbalance5"])
    assert found["imbalance1"] == 0.0


sizes = st.lists(st.floats(1e-6, 1e6), min_size=DEPTH, max_size=DEPTH)
steps = st.lists(st.floats(0.01, 10), min_size=DEPTH, max_size=DEPTH)


@given(bid_sizes=sizes, ask_sizes=sizes, down=steps, up=steps, spread=st.floats(0.01, 50))
def test_bounds_and_symmetry(
    bid_sizes: list[float], ask_sizes: list[float], down: list[float], up: list[float], spread: float
) -> None:
    bid, ask = 1_000.0 - np.cumsum(down), 1_000.0 - down[0] + spread + np.cumsum([0.0, *up[1:]])
    bids, asks = list(zip(bid, bid_sizes, strict=True)), list(zip(ask, ask_sizes, strict=True))
    found = of(book(bids, asks))
    mid = (bid[0] + ask[0]) / 2
    assert -1 <= found["imbalance1"] <= 1
    assert -1 <= found["imbalance5"] <= 1
    assert found["spread_bps"] > 0
    assert found["depth_ratio"] > 0
    assert bid[0] - 1e-9 <= mid * (1 + found["microprice_dev"]) <= ask[0] + 1e-9
    weighted = (bid[0] * ask_sizes[0] + ask[0] * bid_sizes[0]) / (bid_sizes[0] + ask_sizes[0])
    assert mid * (1 + found["microprice_dev"]) == pytest.approx(weighted, rel=1e-12)
    # Sizes in other units change nothing; with the sizes of the sides exchanged the features turn their signs.
    larger = of(book([(p, 7 * s) for p, s in bids], [(p, 7 * s) for p, s in asks]))
    assert larger == pytest.approx(found, rel=1e-9, abs=1e-15)
    other = of(
        book(
            [(p, s) for (p, _), s in zip(bids, ask_sizes, strict=True)],
            [(p, s) for (p, _), s in zip(asks, bid_sizes, strict=True)],
        )
    )
    for name in ("imbalance1", "imbalance5", "microprice_dev"):
        assert other[name] == pytest.approx(-found[name], rel=1e-9, abs=1e-15)
    assert other["depth_ratio"] == pytest.approx(1 / found["depth_ratio"], rel=1e-9)
