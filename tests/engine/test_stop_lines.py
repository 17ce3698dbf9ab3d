"""Where stops stood, bar by bar."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from clawd.authors.starter import starter_library
from clawd.core.costs import Costs
from clawd.core.reason import Reason
from clawd.engine.backtest import decide, run_backtest, traded
from clawd.engine.stop_lines import stop_lines
from clawd.engine.trades import Fills
from clawd.language.strategy import parse_toml
from engine.panels import panel, real_panel

_FREE = Costs(Decimal(0), Decimal(0))
_CAPITAL = Decimal(10_000)
_STOPS = (Reason.STOP, Reason.TRAIL, Reason.CHANDELIER, Reason.BREAK_EVEN)
_LONG = """
name = "Long"
[position]
target = "long_only(where(close > 0, 1, 0))"
[exits]
stop = { percent = 10 }
trail = { percent = 5 }
"""
_AGAIN = f"{_LONG}cooldown = 2\n"


def test_a_trailing_stop_by_hand() -> None:
    """Entered at 100 with the trail at 95. Highs of 104, 110, 108 move it, each for the next bar, to 99, 105, 105."""
    close = np.array([100.0, 102.0, 108.0, 106.0, 104.0, 104.0])
    bars = panel(
        close,
        open_=np.array([100.0, 100.0, 102.0, 107.0, 106.0, 104.0]),
        high=np.array([100.0, 104.0, 110.0, 108.0, 106.0, 104.0]),
        low=np.array([100.0, 99.0, 102.0, 106.0, 103.0, 104.0]),
    )
    decided = decide(parse_toml(_LONG), bars)
    result = traded(decided, _FREE, _CAPITAL)
    assert [(fill.reason, float(fill.price)) for fill in result.fills] == [(Reason.ENTRY, 100.0), (Reason.TRAIL, 105.0)]
    assert isinstance(result.fills, Fills)
    lines = stop_lines(decided, _FREE, _CAPITAL, result.fills.rows)
    # The bar of the entry has the level of the entry; the last bar holds nothing.
    np.testing.assert_array_equal(lines, [[np.nan, 95.0, 99.0, 105.0, 105.0, np.nan]])


@pytest.mark.parametrize("strategy", starter_library(), ids=lambda strategy: strategy.name)
def test_every_stop_of_the_library_filled_at_its_line_or_at_an_open_beyond_it(strategy) -> None:  # type: ignore[no-untyped-def]
    bars = real_panel()
    try:
        decided = decide(strategy, bars)
    except Exception:
        pytest.skip("it does not fit the market")
    result = traded(decided, _FREE, _CAPITAL)
    assert isinstance(result.fills, Fills)
    lines = stop_lines(decided, _FREE, _CAPITAL, result.fills.rows)
    held = np.zeros(lines.shape, bool)
    for trip in result.trades:
        row = bars.symbols.index(trip.symbol)
        first = np.searchsorted(bars.times, trip.opened)
        last = bars.times.size - 1 if trip.closed is None else np.searchsorted(bars.times, trip.closed)
        held[row, first : last + 1] = True
    for fill in result.fills:
        row, bar = bars.symbols.index(fill.symbol), int(np.searchsorted(bars.times, fill.time))
        if fill.reason in _STOPS:
            side, level = (1.0 if fill.size < 0 else -1.0), lines[row, bar]
            beyond = side * (bars.open[row, bar] - level) <= 0
            # A price is whole ticks, half a cent from where it would be at most.
            assert abs(float(fill.price) - (bars.open[row, bar] if beyond else level)) <= 0.0051, (fill, level)
    assert not (np.isfinite(lines) & ~held).any()
    np.testing.assert_array_equal(np.isfinite(lines), held)


def test_of_many_bars_the_latest_are_walked() -> None:
    bars = real_panel(600)
    decided = decide(parse_toml(_AGAIN), bars)
    result = traded(decided, _FREE, _CAPITAL)
    assert isinstance(result.fills, Fills)
    whole = stop_lines(decided, _FREE, _CAPITAL, result.fills.rows)
    part = stop_lines(decided, _FREE, _CAPITAL, result.fills.rows, most=100)
    known = np.isfinite(part).any(axis=0)
    assert 0 < known.sum() <= 100
    np.testing.assert_array_equal(part[:, known], whole[:, known])
    assert np.isfinite(whole).any(axis=0).sum() > 100
    assert not known[: np.flatnonzero(known)[0]].any()


def test_progress_is_told_of_every_block_and_changes_nothing() -> None:
    bars = panel(np.cumprod(1 + np.random.default_rng(1).normal(0, 0.01, 20_000)) * 100)
    told: list[tuple[str, float]] = []
    strategy = parse_toml(_LONG)
    watched = run_backtest(strategy, bars, _FREE, _CAPITAL, progress=lambda stage, share: told.append((stage, share)))
    alone = run_backtest(strategy, bars, _FREE, _CAPITAL)
    np.testing.assert_array_equal(watched.equity, alone.equity)
    assert watched.fills == alone.fills
    for stage in ("deciding", "trading"):
        shares = [share for each, share in told if each == stage]
        assert len(shares) > 1 and shares == sorted(shares) and shares[-1] == 1.0


def test_a_trade_knows_its_fills_and_its_fees() -> None:
    result = run_backtest(parse_toml(_AGAIN), real_panel(900), Costs(Decimal("0.001"), Decimal(0)), _CAPITAL)
    seen: list[int] = []
    for trip in result.trades:
        fills = [result.fills[place] for place in trip.fills]
        seen += trip.fills
        assert {fill.symbol for fill in fills} == {trip.symbol}
        assert trip.fees == pytest.approx(sum(fill.fee for fill in fills), rel=1e-12)
        assert (fills[0].time, fills[-1].reason if trip.closed else None) == (trip.opened, trip.reason)
    assert sorted(seen) == list(range(len(result.fills)))
