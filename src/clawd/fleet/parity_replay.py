"""An agent's day through the backtester, from where it really stood, on the bars that the fleet saw.

Its fills are booked like those of the fleet's books: in Decimal, rounded where the books round.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from clawd.core.costs import Costs
from clawd.core.events import BarClosed, RunStarted
from clawd.core.instrument import Instrument
from clawd.core.money import (
    booked_amount,
    booked_float,
    booked_price,
    booked_size,
    cash_of_fill,
    fee_of_fill,
    studied,
)
from clawd.core.panel import Floats, Panel
from clawd.engine.account import ACCOUNT
from clawd.engine.bar import FILL, MOST_FILLS
from clawd.engine.decision import decide
from clawd.engine.plan import plan_of
from clawd.engine.runtime import Decisions, Runtime
from clawd.engine.simulate import advance
from clawd.fleet.parity_facts import BEFORE, Opening
from clawd.language.strategy import Strategy


def seen_panel(market: Panel, start: RunStarted, bars: Sequence[BarClosed]) -> Panel:
    """The bars that the fleet saw, from its journal, behind the bars of the market that warmed its programs up.

    Series, average prices and funding rates are the market's: the journal has none but the funding that was paid.

    Args:
        market: with the instruments of the run, in any order.
        start: how the run began; ticks and lots are its.
        bars: closed, in order.
    """
    rows = [market.symbols.index(symbol) for symbol in start.symbols]
    warm = int(np.searchsorted(market.times, start.first))
    times = np.concatenate([market.times[:warm], np.array([bar.time for bar in bars], np.int64)])
    seen = np.full((5, len(rows), len(bars)), np.nan)
    for column, bar in enumerate(bars):
        for symbol, values in bar.bars.items():
            seen[:, start.symbols.index(symbol), column] = [np.nan if value is None else value for value in values]
    fields = (market.open, market.high, market.low, market.close, market.volume)
    merged = [np.concatenate([field[rows, :warm], seen[place]], axis=1) for place, field in enumerate(fields)]
    # A series stands until it is published anew; what belongs to one bar belongs to no other.
    latest = np.searchsorted(market.times, times, side="right") - 1
    same = market.times[latest] == times
    return replace(
        market,
        instruments=instruments_of(start),
        times=times,
        open=merged[0],
        high=merged[1],
        low=merged[2],
        close=merged[3],
        volume=merged[4],
        funding=np.where(same, market.funding[rows][:, latest], 0.0),
        series={
            name: np.ascontiguousarray((values if values.ndim == 1 else values[rows])[..., latest])
            for name, values in market.series.items()
        },
        groups={name: codes[rows] for name, codes in market.groups.items()},
        vwap=None if market.vwap is None else np.where(same, market.vwap[rows][:, latest], np.nan),
    )


def instruments_of(start: RunStarted) -> tuple[Instrument, ...]:
    """The instruments of a run."""
    return tuple(Instrument(*each) for each in zip(start.symbols, start.ticks, start.lots, strict=True))


def same_bars(one: Panel, other: Panel) -> bool:
    """Whether two panels have the same bars, to the last bit."""
    return np.array_equal(one.times, other.times) and all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True)
        for name in ("open", "high", "low", "close", "volume")
    )


@dataclass(frozen=True, eq=False)
class Course:
    """What one strategy wanted over the bars of a panel.

    Attributes:
        panel: of the instruments that it trades.
        decisions: at each close.
        plan: its exits, of :data:`~clawd.engine.plan.PLAN`.
        started: index of the first bar of the run.
    """

    panel: Panel
    decisions: Decisions
    plan: np.void
    started: int

    def latest(self, column: int) -> Floats:
        """[I], the latest wanted exposures at the close of a bar; 0 where the run has none yet."""
        targets = self.decisions.targets[:, self.started : column + 1]
        found = np.zeros(targets.shape[0])
        for row, values in enumerate(targets):
            known = np.flatnonzero(~np.isnan(values))
            found[row] = values[known[-1]] if known.size else 0.0
        return found


def course_of(strategy: Strategy, market: Panel, first: int) -> Course:
    """Run a strategy's program over the instruments that it trades.

    The bars before ``first``, the open of one, only warm it up.
    """
    runtime = Runtime([strategy], market)
    decisions = runtime.advance(market)[0]
    started = int(np.searchsorted(market.times, first))
    return Course(market, decisions, plan_of(strategy.exits, runtime.windows), started)


@dataclass(frozen=True, slots=True)
class Stretch:
    """An agent's day on a course.

    Attributes:
        course: what it wanted.
        opening: how it stood.
        marks: of the instruments when the day opened, quote currency.
        costs: fee and slippage.
        last: open of the last bar of the day.
    """

    course: Course
    opening: Opening
    marks: Mapping[str, Decimal]
    costs: Costs
    last: int

    @property
    def columns(self) -> range:
        """The bars that it trades."""
        times = self.course.panel.times
        first = self.course.started if self.opening.bar == BEFORE else np.searchsorted(times, self.opening.bar, "right")
        return range(int(first), int(np.searchsorted(times, self.last, "right")))

    @property
    def decides_first(self) -> bool:
        """Whether a close stands before its bars, at which it decides."""
        return self.opening.bar != BEFORE

    def positions(self, symbols: Sequence[str]) -> NDArray[np.void]:
        """Its positions when the day opened, with its latest targets and marks.

        Args:
            symbols: of the run, in the order of the opening's positions.
        """
        panel = self.course.panel
        positions = self.opening.positions[[symbols.index(symbol) for symbol in panel.symbols]].copy()
        column = self.columns.start - 1
        positions["target"] = self.course.latest(column) if self.decides_first else 0.0
        positions["mark"] = [studied(self.marks.get(symbol, Decimal(0))) for symbol in panel.symbols]
        return positions

    def decide(self, positions: NDArray[np.void], column: int, ruined: bool) -> None:
        """Turn the targets at a close into orders."""
        panel, at = self.course.panel, slice(column, column + 1)
        decide(
            positions,
            self.course.plan,
            np.ascontiguousarray(panel.close[:, at]),
            np.ascontiguousarray(~np.isnan(panel.close[:, at])),
            np.ascontiguousarray(self.course.decisions.ranges[:, :, at]),
            0,
            studied(self.opening.capital),
            panel.lots,
            ruined,
        )


class Ledger:
    """Cash and sizes of a stretch, as the books would have them: Decimal, rounded where they round.

    Attributes:
        cash: paid (negative) or received since the day opened.
        sizes, marks: [I].
        funding: paid, by open of the bar and instrument.
    """

    def __init__(self, stretch: Stretch, positions: NDArray[np.void]) -> None:
        self.stretch = stretch
        self.instruments = stretch.course.panel.instruments
        lots = [instrument.lot for instrument in self.instruments]
        self.sizes = [booked_size(float(position["lots"]), lot) for position, lot in zip(positions, lots, strict=True)]
        self.marks = [stretch.marks.get(instrument.symbol, Decimal(0)) for instrument in self.instruments]
        self.cash = Decimal(0)
        self.funding: dict[tuple[int, str], Decimal] = {}
        self.worth = self._worth()

    def _worth(self) -> Decimal:
        return sum((size * mark for size, mark in zip(self.sizes, self.marks, strict=True)), Decimal(0))

    @property
    def profit(self) -> Decimal:
        """Since the day opened, at the last marks."""
        return self.cash + self._worth() - self.worth

    def fill(self, row: int, size: Decimal, price: Decimal) -> None:
        """Book a fill at the fee of the settings."""
        self.cash += cash_of_fill(size, price) - fee_of_fill(size, price, self.stretch.costs.fee)
        self.sizes[row] += size

    def close(self, column: int) -> None:
        """Mark the sizes at a close, and pay the funding that fell due in the bar."""
        panel = self.stretch.course.panel
        for row, instrument in enumerate(self.instruments):
            close, rate = float(panel.close[row, column]), float(panel.funding[row, column])
            if np.isnan(close):
                continue
            self.marks[row] = booked_float(close)
            if rate != 0.0 and self.sizes[row]:
                paid = booked_amount(self.sizes[row] * self.marks[row] * booked_float(rate))
                self.cash -= paid
                self.funding[int(panel.times[column]), instrument.symbol] = paid

    def copy(self) -> Ledger:
        other = copy(self)
        other.sizes, other.marks, other.funding = self.sizes[:], self.marks[:], dict(self.funding)
        return other


def backtested(stretch: Stretch, symbols: Sequence[str]) -> Decimal:
    """The profit of a day as the backtester has it, quote currency.

    Args:
        stretch: the day.
        symbols: of the run.
    """
    panel, costs, capital = stretch.course.panel, stretch.costs, studied(stretch.opening.capital)
    positions = stretch.positions(symbols)
    ledger = Ledger(stretch, positions)
    columns = stretch.columns
    if stretch.decides_first:
        stretch.decide(positions, columns.start - 1, False)
    if not columns:
        return Decimal(0)
    account = np.zeros(1, ACCOUNT)[0]
    worth = studied(stretch.opening.worth)
    account["cash"], account["equity"], account["peak"] = worth - studied(ledger.worth), worth, worth
    account["bars"] = 1  # it has begun
    fields = (panel.open, panel.high, panel.low, panel.close, panel.volume, panel.funding)
    at = slice(columns.start, columns.stop)
    fills = np.empty(MOST_FILLS * len(panel.instruments) * len(columns), FILL)
    count = advance(
        *(np.ascontiguousarray(field[:, at]) for field in fields),
        np.ascontiguousarray(~np.isnan(panel.close[:, at])),
        np.ascontiguousarray(stretch.course.decisions.targets[:, at]),
        np.ascontiguousarray(stretch.course.decisions.ranges[:, :, at]),
        stretch.course.plan,
        positions,
        account,
        capital,
        studied(costs.fee),
        studied(costs.slippage),
        panel.ticks,
        panel.lots,
        fills,
        np.empty(0),
        np.empty(0),
    )
    place = 0
    for bar, column in enumerate(columns):
        while place < count and fills[place]["bar"] == bar:
            fill = fills[place]
            row = int(fill["instrument"])
            instrument = panel.instruments[row]
            size = booked_size(float(fill["lots"]), instrument.lot)
            ledger.fill(row, size, booked_price(float(fill["price"]), instrument.tick))
            place += 1
        ledger.close(column)
    return ledger.profit
