"""What is kept of a backtest, read for pages: curves, trades, and prices with the trades on them."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clawd.backtests.shelf import unreadable
from clawd.core.errors import ClawdError
from clawd.core.panel import Floats
from clawd.core.reason import Reason
from clawd.reports.thinning import MOST_POINTS, bar_edges, kept_places, wider_bars

#: Fills that are drawn on a price at most, the latest in view.
MOST_FILLS = 500

#: Why a position was made larger or smaller, as a sentence about it.
FILL_WORDS = {
    Reason.ENTRY: "Entered: the strategy wanted this position",
    Reason.INCREASE: "Enlarged: the strategy wanted more",
    Reason.REDUCE: "Reduced: the strategy wanted less",
    Reason.SIGNAL: "Closed: the target went flat or changed sides",
    Reason.STOP: "Stopped out: the protective stop was touched",
    Reason.TRAIL: "Stopped out: the trailing stop was touched",
    Reason.CHANDELIER: "Stopped out: the chandelier stop was touched",
    Reason.BREAK_EVEN: "Stopped out at the entry price: the stop had moved there",
    Reason.TAKE: "Took profit: a target was reached",
    Reason.TIME: "Closed: held for the longest time allowed",
    Reason.RUIN: "Closed: the capital was lost",
}


@dataclass(frozen=True, eq=False)
class Curves:
    """Points of a run, no more than can be drawn. Amounts are in quote currency.

    Attributes:
        times: int64 [P], opens of the bars, UTC nanoseconds.
        equity, held, drawdown, exposure: [P], at the closes; held is buy and hold, None where there is none.
        bars: how many bars they were taken from.
    """

    times: NDArray[np.int64]
    equity: Floats
    held: Floats | None
    drawdown: Floats
    exposure: Floats
    bars: int


@dataclass(frozen=True, slots=True)
class FillLine:
    """A fill: when (its bar, UTC nanoseconds), its signed size, price and fee, why, and of which trade."""

    time: int
    size: float
    price: float
    fee: float
    reason: Reason
    trade: int


@dataclass(frozen=True, slots=True)
class TradeLine:
    """A trade, from flat to flat.

    Attributes:
        number: its place in the order of their ends, from 0.
        row: of its instrument.
        side: 1 long, -1 short.
        opened, closed: opens of the bars of its first and last fill, UTC nanoseconds; closed is None while it is open.
        bars: between the two.
        entry, exit: average prices.
        size: largest.
        profit: net of fees; of an open one at the last close.
        fees: paid.
        reason: why it was closed, None while it is open.
        best, worst: its excursions, shares of the entry price.
    """

    number: int
    row: int
    side: int
    opened: int
    closed: int | None
    bars: int
    entry: float
    exit: float | None
    size: float
    profit: float
    fees: float
    reason: Reason | None
    best: float
    worst: float


@dataclass(frozen=True, eq=False)
class Prices:
    """Bars of an instrument with what was traded on them.

    Attributes:
        times: int64 [B], opens of the bars, UTC nanoseconds.
        open, high, low, close: [B], NaN where there is none.
        stop: [B], the level at which the position would have been stopped out, NaN where nothing was held.
        width: how many bars of the run one bar here stands for.
        fills: those in view, in order of time.
        left_out: earlier fills in view that are not among them.
        first, last: what could be asked for: the opens of the first and the last bar that is kept.
    """

    times: NDArray[np.int64]
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    stop: Floats
    width: int
    fills: tuple[FillLine, ...]
    left_out: int
    first: int
    last: int


class Kept:
    """The arrays of a backtest, each read when it is asked for; as :func:`opened` gives them."""

    def __init__(self, path: Path, arrays: Any) -> None:
        self.path = path
        self._arrays = arrays

    def __contains__(self, name: str) -> bool:
        return name in self._arrays

    def __getitem__(self, name: str) -> NDArray[Any]:
        values: NDArray[Any] = self._arrays[name]
        return values

    @property
    def held(self) -> Floats | None:
        """[T], equity of buy and hold, None where there is none."""
        return self["held"] if "held" in self._arrays else None

    def curves(self, most: int = MOST_POINTS) -> Curves:
        """The curves of the run."""
        held = self.held
        columns = [self["equity"], self["drawdown"], self["exposure"], *([] if held is None else [held])]
        kept = kept_places(columns, most)
        equity, drawdown, exposure = (column[kept] for column in columns[:3])
        times = self["times"]
        return Curves(times[kept], equity, None if held is None else held[kept], drawdown, exposure, times.size)

    def trades(self, numbers: NDArray[np.int64]) -> list[TradeLine]:
        """Some of the trades."""
        times = self["times"]
        columns = {name: self[f"trip_{name}"] for name in _TRIP}
        lines = []
        for number in numbers.tolist():
            row = {name: values[number].item() for name, values in columns.items()}
            opened, closed = row["opened"], row["closed"]
            lines.append(
                TradeLine(
                    number=number,
                    row=row["row"],
                    side=row["side"],
                    opened=int(times[opened]),
                    closed=None if closed < 0 else int(times[closed]),
                    bars=(times.size if closed < 0 else closed) - opened,
                    entry=row["entry"],
                    exit=None if np.isnan(row["exit"]) else row["exit"],
                    size=row["size"],
                    profit=row["profit"],
                    fees=row["fees"],
                    reason=Reason(row["reason"]) if row["reason"] else None,
                    best=row["best"],
                    worst=row["worst"],
                )
            )
        return lines

    def trades_of(self, row: int | None) -> NDArray[np.int64]:
        """The numbers of all trades, or of those of one instrument, the latest to open first."""
        rows, opened = self["trip_row"], self["trip_opened"]
        numbers = np.arange(rows.size) if row is None else np.flatnonzero(rows == row)
        return numbers[np.lexsort((numbers, opened[numbers]))[::-1]]

    def fills(self, places: NDArray[np.int64]) -> tuple[FillLine, ...]:
        """Some of the fills."""
        times = self["times"]
        columns = [self[f"fill_{name}"][places].tolist() for name in ("bar", "size", "price", "fee", "reason", "trip")]
        return tuple(
            FillLine(int(times[bar]), size, price, fee, Reason(reason), trade)
            for bar, size, price, fee, reason, trade in zip(*columns, strict=True)
        )

    def fills_of_trade(self, number: int) -> tuple[FillLine, ...]:
        """The fills of a trade, in order of time."""
        return self.fills(np.flatnonzero(self["fill_trip"] == number))

    def prices(self, row: int, start: int | None, end: int | None, most: int = MOST_POINTS) -> Prices:
        """The bars of an instrument within a stretch of time, and what was traded on them.

        Args:
            row: the instrument's.
            start, end: the stretch, UTC nanoseconds; all that is kept where they are None.
            most: bars at most; where there are more, several are drawn as one.

        Raises:
            ClawdError: when the instrument's bars are not kept.
        """
        if f"close/{row}" not in self:
            raise ClawdError(
                "the bars of this instrument are not kept with the backtest",
                hint="only those with the most trades are; run it with fewer instruments",
            )
        base = int(self["bars_from"][0])
        times = self["times"][base:]
        first = 0 if start is None else int(np.searchsorted(times, start))
        last = times.size if end is None else int(np.searchsorted(times, end, side="right"))
        open_, high, low, close, stop = (
            self[f"{name}/{row}"][first:last] for name in ("open", "high", "low", "close", "stop")
        )
        edges = bar_edges(close.size, most)
        starts = edges[:-1]
        bars = self["fill_bar"] - base
        seen = np.flatnonzero((self["fill_row"] == row) & (bars >= first) & (bars < last))
        wide = wider_bars(open_, high, low, close, edges)
        return Prices(
            times[first:last][starts],
            *wide,
            stop=stop[np.maximum(edges[1:] - 1, 0)],
            width=int(edges[1]) if starts.size > 1 else 1,
            fills=self.fills(seen[-MOST_FILLS:]),
            left_out=max(seen.size - MOST_FILLS, 0),
            first=int(times[0]),
            last=int(times[-1]),
        )


_TRIP = ("row", "side", "opened", "closed", "entry", "exit", "size", "profit", "fees", "reason", "best", "worst")


@contextmanager
def opened(path: Path) -> Iterator[Kept]:
    """The arrays of a backtest.

    Raises:
        ClawdError: when they cannot be read.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            yield Kept(path, arrays)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        raise unreadable(path) from None
