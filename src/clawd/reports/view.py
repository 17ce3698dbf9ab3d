"""A backtest as the sections of its report need it, worked out once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from clawd.core.panel import NANOSECONDS_PER_DAY, Floats
from clawd.engine.backtest import Backtest
from clawd.engine.metrics import Metrics, drawdown, measure
from clawd.engine.trades import RoundTrip
from clawd.reports.formats import (
    moment,
    money,
    money_decimals,
    number,
    percent,
    price_decimals,
    size_decimals,
)


@dataclass(frozen=True, eq=False)
class View:
    """A backtest, its benchmark, and how their numbers are written.

    Attributes:
        result: the backtest.
        benchmark: [T], equity of the alternative with the same capital, None where there is none.
    """

    result: Backtest
    benchmark: Floats | None

    @property
    def bars(self) -> int:
        return self.result.panel.times.size

    @property
    def capital(self) -> float:
        return float(self.result.capital)

    @cached_property
    def rows(self) -> Mapping[str, int]:
        """The panel's row of each symbol."""
        return {symbol: row for row, symbol in enumerate(self.result.panel.symbols)}

    @cached_property
    def held(self) -> Metrics | None:
        """The benchmark's figures, by the same formulas; those of its trades mean nothing."""
        if self.benchmark is None:
            return None
        idle = np.zeros_like(self.benchmark)
        year = self.result.panel.bars_per_year
        return measure(self.benchmark, idle, (), (), self.capital, year, 0.0, 0.0)

    @cached_property
    def closed(self) -> tuple[RoundTrip, ...]:
        return tuple(trip for trip in self.result.trades if trip.closed is not None)

    @cached_property
    def trips(self) -> Mapping[str, tuple[RoundTrip, ...]]:
        """The round trips of each symbol, the open ones last."""
        trips: dict[str, list[RoundTrip]] = {symbol: [] for symbol in self.rows}
        for trip in self.result.trades:
            trips[trip.symbol].append(trip)
        return {symbol: tuple(part) for symbol, part in trips.items()}

    @cached_property
    def open_profit(self) -> Mapping[str, float]:
        """Profit of the position that a symbol is left with, at the last close, net of its fees so far."""
        total = dict.fromkeys(self.rows, 0.0)
        held = dict.fromkeys(self.rows, 0.0)
        for fill in self.result.fills:
            total[fill.symbol] -= float(fill.size * fill.price) + fill.fee
            held[fill.symbol] += float(fill.size)
        profits = {}
        for symbol, trips in self.trips.items():
            if trips and trips[-1].closed is None:
                worth = held[symbol] * self.last_close(symbol)
                profits[symbol] = total[symbol] + worth - sum(trip.profit for trip in trips[:-1])
        return profits

    def last_close(self, symbol: str) -> float:
        """The latest close that there is, NaN where there is none."""
        close = self.result.panel.close[self.rows[symbol]]
        known = close[~np.isnan(close)]
        return float(known[-1]) if known.size else float("nan")

    def profit_of(self, trip: RoundTrip) -> float:
        """Net profit of a round trip; of an open one at the last close."""
        return trip.profit if trip.closed is not None else self.open_profit[trip.symbol]

    def drawdown(self, equity: Floats) -> Floats:
        """[T], how far below its peak, as a share of the capital."""
        return drawdown(equity, self.capital)

    def bar_of(self, time: int) -> int:
        """Index of the bar that opens at a time."""
        return int(np.searchsorted(self.result.panel.times, time))

    def when(self, bar: int) -> str:
        """The open of a bar for people."""
        return self.moment(int(self.result.panel.times[bar]))

    def moment(self, time: int) -> str:
        """A time for people, with the clock where bars are shorter than a day."""
        return moment(time, clock=self.result.panel.bar < NANOSECONDS_PER_DAY)

    def money(self, value: float, *, signed: bool = False) -> str:
        return money(value, money_decimals(self.result.capital), signed=signed)

    def share(self, value: float, *, decimals: int = 1) -> str:
        """An amount as signed percent of the capital."""
        return percent(value / self.capital, decimals, signed=True)

    def price(self, symbol: str, value: float) -> str:
        return number(value, self._price_decimals[symbol])

    def size(self, symbol: str, value: float) -> str:
        return number(value, self._size_decimals[symbol])

    @cached_property
    def _price_decimals(self) -> Mapping[str, int]:
        panel = self.result.panel
        highest = np.fmax.reduce(panel.high, axis=1, initial=0.0)
        return {
            instrument.symbol: price_decimals(instrument, float(price))
            for instrument, price in zip(panel.instruments, highest, strict=True)
        }

    @cached_property
    def _size_decimals(self) -> Mapping[str, int]:
        return {
            instrument.symbol: size_decimals(
                instrument, max((trip.size for trip in self.trips[instrument.symbol]), default=0.0)
            )
            for instrument in self.result.panel.instruments
        }


def tone(value: float) -> str | None:
    """The class of an amount's colour, None for what is neither gain nor loss."""
    return "gain" if value > 0 else "loss" if value < 0 else None
