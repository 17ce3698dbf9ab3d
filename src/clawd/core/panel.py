"""Bars of several instruments on the union of their times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from clawd.core.instrument import Instrument

Floats = NDArray[np.float64]

NANOSECONDS_PER_SECOND = 1_000_000_000
NANOSECONDS_PER_DAY = 86_400 * NANOSECONDS_PER_SECOND


@dataclass(frozen=True, eq=False)
class Panel:
    """Bars for study: float64, never booked.

    A bar that an instrument does not have is NaN in all of its rows: it is missing, and stays missing.

    Attributes:
        instruments: I instruments, in the order of the rows.
        bar: duration of a bar in nanoseconds.
        times: int64 [T], the opens of the bars, UTC nanoseconds, strictly rising.
        open, high, low, close: float64 [I, T], prices in quote currency.
        volume: float64 [I, T], base units; NaN where a bar exists but its volume is unknown.
        funding: float64 [I, T], the funding rates that fell due within the bar, summed; 0 where there are none.
        series: named values that are not bars, [T] for the whole market or [I, T] for each instrument, as they were
            known when each bar closed: the latest that was published by then, NaN before the first. A plain name
            (``vix``) is an outside series; the features of order books and of derivatives and the forecasts of models
            have their kind before the name (``book:imbalance5``, ``deriv:funding_8h``, ``model:mu``).
        bars_per_year: how many bars a year of this market has; annualises volatility and Sharpe ratios.
        groups: by the name of a classification (such as ``sector``) the code of each instrument's label, int64 [I],
            from 0; -1 for none. Equal codes are equal labels; the codes mean nothing else.
        vwap: float64 [I, T], volume-weighted average prices, NaN where a bar's is unknown; None where no instrument
            has them.
    """

    instruments: tuple[Instrument, ...]
    bar: int
    times: NDArray[np.int64]
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    funding: Floats
    bars_per_year: float
    series: Mapping[str, Floats] = field(default_factory=dict)
    groups: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    vwap: Floats | None = None

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(instrument.symbol for instrument in self.instruments)

    @property
    def present(self) -> NDArray[np.bool_]:
        """[I, T], true where the instrument has a bar."""
        return ~np.isnan(self.close)

    @property
    def ticks(self) -> Floats:
        """float64 [I], the steps of the instruments' prices, for study."""
        return np.array([float(instrument.tick) for instrument in self.instruments])

    @property
    def lots(self) -> Floats:
        """float64 [I], the steps of the instruments' sizes, for study."""
        return np.array([float(instrument.lot) for instrument in self.instruments])

    def between(self, first: int, last: int) -> Panel:
        """The bars with indices in [first, last), all instruments kept."""
        cut = slice(first, last)
        return replace(
            self,
            times=self.times[cut],
            open=self.open[:, cut],
            high=self.high[:, cut],
            low=self.low[:, cut],
            close=self.close[:, cut],
            volume=self.volume[:, cut],
            funding=self.funding[:, cut],
            series={name: values[..., cut] for name, values in self.series.items()},
            vwap=None if self.vwap is None else self.vwap[:, cut],
        )

    def select(self, symbols: Sequence[str]) -> Panel:
        """Some of the instruments, in the panel's order, with all of the times."""
        rows = [row for row, symbol in enumerate(self.symbols) if symbol in symbols]
        return replace(
            self,
            instruments=tuple(self.instruments[row] for row in rows),
            open=self.open[rows],
            high=self.high[rows],
            low=self.low[rows],
            close=self.close[rows],
            volume=self.volume[rows],
            funding=self.funding[rows],
            series={name: values if values.ndim == 1 else values[rows] for name, values in self.series.items()},
            groups={name: codes[rows] for name, codes in self.groups.items()},
            vwap=None if self.vwap is None else self.vwap[rows],
        )
