"""What came of a backtest, as it is kept: figures and words as JSON, everything long as arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clawd.backtests.excursion import excursion
from clawd.core.panel import Floats
from clawd.reports import charts, prose
from clawd.reports.formats import money_decimals, price_decimals, size_decimals
from clawd.reports.periods import monthly_returns
from clawd.reports.tables import WHY
from clawd.reports.view import View
from clawd.research.backtests import summary_json

#: Bars that are kept for price charts at most, over all instruments: those of the instruments with the most trades,
#: and of each the latest.
MOST_BARS = 1_000_000
_PRICES = ("open", "high", "low", "close")


def figures_json(view: View) -> dict[str, Any]:
    """Everything about a backtest that is short. Amounts are in quote currency, what does not exist is None."""
    result = view.result
    panel = result.panel
    return {
        "figures": summary_json(result),
        "held": None if view.held is None else view.held.to_json(),
        "equity": float(result.equity[-1]),
        "held_equity": None if view.benchmark is None else float(view.benchmark[-1]),
        "summary": charts.equity_summary(view),
        "bar": panel.bar,
        "bars_per_year": panel.bars_per_year,
        "first": int(panel.times[0]),
        "last": int(panel.times[-1]),
        "money_decimals": money_decimals(result.capital),
        "trades": len(result.trades),
        "months": _months(view),
        "exits": _exits(view),
        "instruments": [_instrument(view, row, symbol) for symbol, row in view.rows.items()],
        "cautions": prose.caution_lines(view),
        "assumptions": [{"title": title, "lines": lines} for title, lines in prose.assumption_lines(view)],
    }


def arrays(view: View, stops: Floats) -> dict[str, NDArray[Any]]:
    """Everything about a backtest that is long, by name.

    ``times``, ``equity``, ``exposure``, ``drawdown`` and, where there is one, ``held`` are [T]; ``fill_…`` are [fills]
    in order of time; ``trip_…`` are [trades] in the order of their ends, open ones last. Instruments and bars are
    given by their indices, -1 for none. ``open/3`` and so on are the bars of instrument 3 from the bar ``bars_from``
    on, and ``stop/3`` the level of its stop within each bar, NaN where there is none.

    Args:
        view: the backtest.
        stops: [I, T].
    """
    result = view.result
    panel, fills, trips = result.panel, result.fills, result.trades
    opened = np.array([view.bar_of(trip.opened) for trip in trips], np.int64)
    closed = np.array([-1 if trip.closed is None else view.bar_of(trip.closed) for trip in trips], np.int64)
    rows = np.array([view.rows[trip.symbol] for trip in trips], np.int64)
    reach = np.array(
        [
            excursion(trip, first, None if last < 0 else last, panel.open[row], panel.high[row], panel.low[row])
            for trip, first, last, row in zip(trips, opened.tolist(), closed.tolist(), rows.tolist(), strict=True)
        ]
    ).reshape(-1, 2)
    of_trip = np.full(len(fills), -1, np.int64)
    for number, trip in enumerate(trips):
        of_trip[list(trip.fills)] = number
    found: dict[str, NDArray[Any]] = {
        "times": panel.times,
        "equity": result.equity,
        "exposure": result.exposure,
        "drawdown": view.drawdown(result.equity),
        "fill_bar": np.searchsorted(panel.times, [fill.time for fill in fills]).astype(np.int64),
        "fill_row": np.array([view.rows[fill.symbol] for fill in fills], np.int64),
        "fill_size": np.array([float(fill.size) for fill in fills]),
        "fill_price": np.array([float(fill.price) for fill in fills]),
        "fill_fee": np.array([fill.fee for fill in fills]),
        "fill_reason": np.array([int(fill.reason) for fill in fills], np.int64),
        "fill_trip": of_trip,
        "trip_row": rows,
        "trip_side": np.array([trip.side for trip in trips], np.int64),
        "trip_opened": opened,
        "trip_closed": closed,
        "trip_entry": np.array([trip.entry for trip in trips]),
        "trip_exit": np.array([math.nan if trip.exit is None else trip.exit for trip in trips]),
        "trip_size": np.array([trip.size for trip in trips]),
        "trip_profit": np.array([view.profit_of(trip) for trip in trips]),
        "trip_fees": np.array([trip.fees for trip in trips]),
        "trip_reason": np.array([0 if trip.reason is None else int(trip.reason) for trip in trips], np.int64),
        "trip_best": reach[:, 0],
        "trip_worst": reach[:, 1],
    }
    if view.benchmark is not None:
        found["held"] = view.benchmark
    length = min(panel.times.size, MOST_BARS)
    first = panel.times.size - length
    found["bars_from"] = np.array([first])
    for row in _drawn(view)[: max(MOST_BARS // length, 1)]:
        for name in _PRICES:
            found[f"{name}/{row}"] = getattr(panel, name)[row, first:]
        found[f"stop/{row}"] = stops[row, first:]
    return found


def _drawn(view: View) -> Sequence[int]:
    """The rows of the instruments, those with the most trades first."""
    return [view.rows[symbol] for symbol in sorted(view.rows, key=lambda symbol: -len(view.trips[symbol]))]


def _months(view: View) -> dict[str, Any]:
    """Net returns by year and month, shares of the capital; they add up."""
    times = view.result.panel.times
    returns = monthly_returns(times, view.result.net_returns)
    held: dict[int, float] = {}
    if view.benchmark is not None:
        profit = np.diff(view.benchmark, prepend=view.capital) / view.capital
        for (year, _), value in monthly_returns(times, profit).items():
            held[year] = held.get(year, 0.0) + value
    years = sorted({year for year, _ in returns})
    return {
        "years": [
            {
                "year": year,
                "months": [returns.get((year, month)) for month in range(1, 13)],
                "total": sum(value for (part, _), value in returns.items() if part == year),
                "held": held.get(year),
            }
            for year in years
        ],
        "total": view.result.metrics.total_return,
        "held": sum(held.values()) if held else None,
    }


def _exits(view: View) -> list[dict[str, Any]]:
    """Closed trades by the reason of their exit, and what each earned, net of fees."""
    found = []
    for reason in sorted({trip.reason for trip in view.closed if trip.reason}, key=int):
        profits = [trip.profit for trip in view.closed if trip.reason == reason]
        found.append(
            {
                "reason": reason.word,
                "text": WHY.get(reason, reason.word.replace("_", " ")),
                "trades": len(profits),
                "won": sum(profit > 0 for profit in profits),
                "profit": sum(profits),
            }
        )
    return found


def _instrument(view: View, row: int, symbol: str) -> dict[str, Any]:
    panel = view.result.panel
    instrument, trips = panel.instruments[row], view.trips[symbol]
    closed = [trip.profit for trip in trips if trip.closed is not None]
    highest = float(np.fmax.reduce(panel.high[row], initial=0.0))
    last = view.last_close(symbol)
    return {
        "symbol": symbol,
        "last": None if math.isnan(last) else last,
        "trades": len(closed),
        "won": sum(profit > 0 for profit in closed),
        "profit": sum(view.profit_of(trip) for trip in trips),
        "price_decimals": price_decimals(instrument, highest),
        "size_decimals": size_decimals(instrument, max((trip.size for trip in trips), default=0.0)),
        "drawn": False,
    }


def with_drawn(figures: dict[str, Any], kept: Mapping[str, object]) -> dict[str, Any]:
    """The figures, with a mark on each instrument whose bars are kept."""
    marked = [{**each, "drawn": f"close/{row}" in kept} for row, each in enumerate(figures["instruments"])]
    return {**figures, "instruments": marked}
