"""Buying once and keeping, against sums done by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_samples import COSTS, market

from clawd.core.costs import Costs
from clawd.reports.buy_and_hold import buy_and_hold

FREE = Costs(Decimal(0), Decimal(0))


def test_by_hand() -> None:
    """Two instruments, 500 each: one from the start, the other from the third bar, with a gap and funding.

    AAA is bought at 100 · 1.01 = 101: 500 / (101 · 1.001) = 4.94554…, in lots of 0.001 4.945, fee 0.499445.
    BBB is bought at 20 · 1.01 = 20.2: 500 / (20.2 · 1.001) = 24.72779…, so 24.727, fee 0.4994854.
    """
    nan = math.nan
    panel = market({"AAA": [100, 110, nan, 120], "BBB": [nan, nan, 20, 30]})
    panel.funding[0] = [0.0, 0.01, nan, 0.0]
    aaa = [4.945 * (close - 101) - 0.499445 for close in (100, 110, 110, 120)]
    paid = [0.0] + [4.945 * 110 * 0.01] * 3
    bbb = [0.0, 0.0, 24.727 * (20 - 20.2) - 0.4994854, 24.727 * (30 - 20.2) - 0.4994854]
    expected = [1_000 + a - f + b for a, f, b in zip(aaa, paid, bbb, strict=True)]
    assert buy_and_hold(panel, COSTS, Decimal(1_000)) == pytest.approx(expected, abs=1e-9)


def test_a_first_bar_without_volume_does_not_trade_and_an_unknown_volume_does() -> None:
    panel = market({"AAA": [100, 200, 300]})
    panel.volume[0] = [0.0, math.nan, 1.0]
    equity = buy_and_hold(panel, FREE, Decimal(1_000))
    assert equity == pytest.approx([1_000, 2_000, 3_000])  # the second bar opens at 100


def test_what_never_trades_stays_cash() -> None:
    panel = market({"AAA": [100, 50], "BBB": [math.nan, math.nan]})
    assert buy_and_hold(panel, FREE, Decimal(1_000)) == pytest.approx([1_000, 750])
    assert buy_and_hold(market({"AAA": []}), FREE, Decimal(1_000)).size == 0


def test_a_share_that_does_not_buy_one_lot_stays_cash() -> None:
    panel = market({"AAA": [100, 50]})
    coarse = replace(panel, instruments=(replace(panel.instruments[0], lot=Decimal(11)),))
    assert buy_and_hold(coarse, FREE, Decimal(1_000)).tolist() == [1_000, 1_000]


@given(
    st.lists(st.floats(0.02, 1e6), min_size=1, max_size=20),
    st.decimals("1", "1e6", places=2),
    st.decimals("0", "0.05", places=4),
    st.decimals("0", "0.05", places=4),
)
def test_nothing_is_borrowed_whatever_comes(
    closes: list[float], capital: Decimal, fee: Decimal, slippage: Decimal
) -> None:
    equity = buy_and_hold(market({"AAA": [*closes, 1e-9]}), Costs(fee, slippage), capital)
    assert (equity >= -1e-6 * float(capital)).all()
    assert np.isfinite(equity).all()
