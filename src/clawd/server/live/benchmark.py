"""What the plainest alternative would have made of the same bars: buy everything once and keep it."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from clawd.core.costs import Costs
from clawd.core.instrument import Instrument
from clawd.core.panel import NANOSECONDS_PER_DAY, Panel
from clawd.reports.buy_and_hold import buy_and_hold
from clawd.server.live.curves import Bar
from clawd.server.live.tale import Tale


def benchmark_of(tale: Tale, times: NDArray[np.int64]) -> tuple[NDArray[np.float64] | None, str | None]:
    """Equity [K] of buying and holding the instruments of a run at some moments, or None and why.

    It is made of the bars that the journal tells, so it begins where the run does.

    Args:
        tale: of the run.
        times: [K] UTC nanoseconds, rising.
    """
    start = tale.books.start if tale.books is not None else tale.account.start if tale.account is not None else None
    if start is None or not any(tale.bars.values()):
        return None, "the journal tells of no bar yet"
    if tale.funding:
        return None, "positions pay funding here, and the journal tells it only of what was held"
    capital = tale.books.start.capital if tale.books is not None else tale.account.start.cash  # type: ignore[union-attr]
    steps = zip(start.symbols, start.ticks, start.lots, strict=True)
    instruments = [Instrument(*step) for step in steps if step[0] in tale.bars]
    rows = {each.symbol: tale.bars[each.symbol].latest() for each in instruments}
    equity, told = _held(instruments, rows, Costs(start.fee, start.slippage), capital)
    place = np.searchsorted(told, times, side="right") - 1
    return np.where(place >= 0, equity[np.maximum(place, 0)], float(capital)), None


def _held(
    instruments: list[Instrument], rows: dict[str, list[Bar]], costs: Costs, capital: Decimal
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """[T] equity, and when each bar was told, UTC nanoseconds."""
    times = np.array(sorted({bar.opened for bars in rows.values() for bar in bars}), np.int64)
    values = np.full((len(instruments), times.size, 5), np.nan)
    told = np.zeros(times.size, np.int64)
    for row, instrument in enumerate(instruments):
        bars = rows[instrument.symbol]
        columns = np.searchsorted(times, [bar.opened for bar in bars])
        values[row, columns] = [bar[2:] for bar in bars]
        told[columns] = np.maximum(told[columns], [bar.told for bar in bars])
    panel = Panel(
        instruments=tuple(instruments),
        bar=NANOSECONDS_PER_DAY,  # nothing that is held depends on it
        times=times,
        open=values[:, :, 0],
        high=values[:, :, 1],
        low=values[:, :, 2],
        close=values[:, :, 3],
        volume=values[:, :, 4],
        funding=np.zeros(values.shape[:2]),
        bars_per_year=1.0,
    )
    return buy_and_hold(panel, costs, capital), np.maximum.accumulate(told)
