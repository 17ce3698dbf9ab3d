"""Bars from trades as they come, or from prices where no trades are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from clawd.core.instrument import Instrument
from clawd.core.panel import NANOSECONDS_PER_DAY, Floats, Panel

#: Bars of a market that never closes.
DAYS_A_YEAR = 365.25


@dataclass(slots=True)
class _Open:
    """A bar that is not over yet; its volume is NaN where only prices are known."""

    open: float
    high: float
    low: float
    close: float
    volume: float


@dataclass(slots=True)
class BarBuilder:
    """Collects what happens within each bar. Bars begin at multiples of their duration since 1970.

    Attributes:
        instruments: of the market.
        bar: duration, nanoseconds.
    """

    instruments: Sequence[Instrument]
    bar: int
    _bars: dict[int, dict[str, _Open]] = field(default_factory=dict)
    _closed: int = -1

    def traded(self, symbol: str, price: float, size: float, time: int) -> None:
        """Somebody traded, at a time of the venue. What comes after its bar was closed is too late for it."""
        self._take(symbol, price, size, time)

    def quoted(self, symbol: str, price: float, time: int) -> None:
        """The price stood here, at a time of the venue; nothing is known of trades."""
        self._take(symbol, price, float("nan"), time)

    def _take(self, symbol: str, price: float, size: float, time: int) -> None:
        opened = time // self.bar * self.bar
        if opened <= self._closed:
            return
        bars = self._bars.setdefault(opened, {})
        if (found := bars.get(symbol)) is None:
            bars[symbol] = _Open(price, price, price, price, size)
            return
        found.high, found.low, found.close = max(found.high, price), min(found.low, price), price
        found.volume += size

    def closed(self, now: int) -> list[Panel]:
        """The bars that are over, oldest first, as one-bar panels. A bar in which nothing happened is none.

        Args:
            now: UTC nanoseconds by the venue's clock.
        """
        over = sorted(opened for opened in self._bars if opened + self.bar <= now)
        if over:
            self._closed = over[-1]
        return [self._panel(opened, self._bars.pop(opened)) for opened in over]

    def known(self, bars: Sequence[tuple[int, Mapping[str, Sequence[float | None]]]]) -> Panel:
        """Bars that have been closed before, as they were then: nothing is added to them any more, nor to any before.

        Args:
            bars: in order, at least one: the open, UTC nanoseconds, and open, high, low, close and volume by symbol,
                None for what is not known.
        """
        places = {instrument.symbol: row for row, instrument in enumerate(self.instruments)}
        values = np.full((5, len(places), len(bars)), np.nan)
        for column, (_, told) in enumerate(bars):
            for symbol, prices in told.items():
                values[:, places[symbol], column] = [np.nan if value is None else value for value in prices]
        self._closed = max(self._closed, bars[-1][0])
        return self._of(np.array([opened for opened, _ in bars], np.int64), values)

    def empty(self) -> Panel:
        """The market without a bar."""
        return self._of(np.zeros(0, np.int64), np.zeros((5, len(self.instruments), 0)))

    def _panel(self, opened: int, bars: dict[str, _Open]) -> Panel:
        values = np.full((5, len(self.instruments), 1), np.nan)
        for row, instrument in enumerate(self.instruments):
            if (found := bars.get(instrument.symbol)) is not None:
                values[:, row, 0] = found.open, found.high, found.low, found.close, found.volume
        return self._of(np.array([opened], np.int64), values)

    def _of(self, times: NDArray[np.int64], values: Floats) -> Panel:
        opens, highs, lows, closes, volumes = values
        return Panel(
            tuple(self.instruments),
            self.bar,
            times,
            opens,
            highs,
            lows,
            closes,
            volumes,
            funding=np.zeros(values.shape[1:]),
            bars_per_year=DAYS_A_YEAR * NANOSECONDS_PER_DAY / self.bar,
        )
