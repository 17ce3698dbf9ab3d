"""The figures of a backtest's report: equity with its drawdown, and each price with the trades on it."""

from __future__ import annotations

import json
import math

import numpy as np

from clawd.core.panel import Floats
from clawd.engine.trades import RoundTrip
from clawd.reports import svg, tables
from clawd.reports.formats import axis_number, counted, number, percent
from clawd.reports.html import Html, joined, tag
from clawd.reports.periods import ticks
from clawd.reports.thinning import MOST_DRAWN, kept_places
from clawd.reports.view import View

#: Beyond this many times its lowest value a series is drawn on a logarithmic scale.
LOG_BEYOND = 20.0

#: More instruments than this are folded away, each behind its name.
MOST_OPEN = 6

#: Instruments whose price is drawn at most, those with the most trades first.
MOST_PRICES = 60

#: Round trips of an instrument that get markers at most; all of them get a line.
MOST_MARKED = 250

_CROWDED = 60
_READOUTS = 400
_LOG = ", logarithmic scale"


def equity(view: View) -> Html:
    """Equity beside the benchmark, and the drawdown below on the same time axis."""
    if not view.bars:
        return tag("p", "The run has no bars.")
    curve = np.insert(view.result.equity, 0, view.capital)
    held = None if view.benchmark is None else np.insert(view.benchmark, 0, view.capital)
    xs = np.arange(view.bars + 1) / view.bars
    scale = svg.fitted([curve] if held is None else [curve, held], log_beyond=LOG_BEYOND)
    fall = -view.drawdown(curve)
    fall_held = None if held is None else -view.drawdown(held)
    deepest = min(float(part.min()) for part in (fall, fall_held) if part is not None)
    fall_scale = svg.Scale(min(deepest * 1.06, -0.001), 0.0)
    fall_decimals = max(0, fall_scale.decimals(4) - 2)
    axis = ticks(view.result.panel.times)
    upper = svg.chart(
        "Equity" + (" of the strategy and of buy and hold" if held is not None else " of the strategy"),
        scale,
        lambda value: axis_number(value, scale.decimals()),
        axis,
        [*_thin(xs, held, scale, "held"), *_thin(xs, curve, scale, "mine")],
        dates=False,
        baseline=view.capital,
        described_by="equity-summary",
    )
    kept = kept_places([fall], MOST_DRAWN)
    lower = svg.chart(
        "Drawdown, percent below the peak",
        fall_scale,
        lambda value: percent(value, fall_decimals),
        axis,
        [
            svg.area(xs[kept], fall[kept], 0.0, fall_scale, "fall"),
            *_thin(xs, fall_held, fall_scale, "held"),
            *_thin(xs, fall, fall_scale, "fall"),
        ],
        size="low",
        tick_count=4,
        described_by="equity-summary",
    )
    keys = [key("mine", "Strategy"), *([key("held", "Buy and hold")] if held is not None else [])]
    keys.append(key("baseline", "Capital"))
    return tag(
        "figure",
        tag("p", equity_summary(view), id="equity-summary"),
        tag("div", *keys, tag("output", class_="readout", aria_hidden="true"), class_="legend"),
        tag("h3", f"Equity{_LOG if scale.log else ''}"),
        upper,
        tag("h3", "Drawdown, % below the peak"),
        lower,
        _details("The same as a table", tables.equity_by_period(view)),
        _readouts(view),
        class_="equity",
    )


def equity_summary(view: View) -> str:
    """The equity chart in a sentence or three."""
    curve = view.result.equity
    words = [
        f"Equity went from {view.money(view.capital)} to {view.money(float(curve[-1]))} "
        f"({percent(view.result.metrics.total_return, signed=True)}) in {counted(view.bars, 'bar')}."
    ]
    if view.benchmark is not None and view.held is not None:
        words.append(
            f"Buy and hold ended at {view.money(float(view.benchmark[-1]))} "
            f"({percent(view.held.total_return, signed=True)})."
        )
    fall = view.drawdown(curve)
    bottom = int(np.argmax(fall))
    if fall[bottom] <= 0:
        return " ".join([*words, "It never closed below an earlier peak."])
    before = np.flatnonzero(fall[:bottom] <= 0)
    since = f"from {view.when(int(before[-1]))}" if before.size else "from the start"
    after = np.flatnonzero(fall[bottom:] <= 0)
    until = f"made good on {view.when(bottom + int(after[0]))}" if after.size else "not made good by the end"
    words.append(
        f"The deepest drawdown, {percent(float(fall[bottom]))} below the peak, ran {since} "
        f"to {view.when(bottom)} and was {until}."
    )
    return " ".join(words)


def prices(view: View) -> Html:
    """The price of each instrument with the trades on it, folded away where there are many."""
    if not view.bars:
        return Html("")
    symbols = sorted(view.rows, key=lambda symbol: -len(view.trips[symbol]))[:MOST_PRICES]
    drawn = [symbol for symbol in view.rows if symbol in symbols]
    figures = [_price(view, symbol) for symbol in drawn]
    if len(view.rows) > MOST_OPEN:
        figures = [
            _details(f"{symbol}: {_trades_in_words(view, symbol)}", figure)
            for symbol, figure in zip(drawn, figures, strict=True)
        ]
    legend = tag(
        "div",
        *(
            _shape(shape, css, text)
            for shape, css, text in (
                ("up", "gain full", "long, made money"),
                ("up", "loss", "long, lost money"),
                ("down", "gain full", "short, made money"),
                ("down", "loss", "short, lost money"),
                ("out", "gain full", "exit, made money"),
                ("out", "loss", "exit, lost money"),
            )
        ),
        class_="legend",
    )
    left = len(view.rows) - len(drawn)
    note = tag("p", f"{counted(left, 'instrument')} with fewer trades not drawn.", class_="muted") if left else ""
    return joined((legend, *figures, note))


def _price(view: View, symbol: str) -> Html:
    row = view.rows[symbol]
    panel = view.result.panel
    close = panel.close[row]
    known = np.flatnonzero(panel.present[row])
    name = tag("h3", symbol) if len(view.rows) <= MOST_OPEN else ""
    if not known.size:
        return tag("figure", name, tag("p", f"{symbol} has no bars in this period."))
    first = int(known[0])
    # A bar spans from its open at one place of the axis to its close at the next.
    xs = np.insert((np.arange(view.bars) + 1.0) / view.bars, first, first / view.bars)
    curve = np.insert(close, first, panel.open[row, first])
    trips = view.trips[symbol]
    fills = np.array([price for trip in trips for price in (trip.entry, trip.exit) if price is not None])
    scale = svg.fitted([curve, fills], log_beyond=LOG_BEYOND)
    places = [_place(view, trip) for trip in trips]
    layers = list(_thin(xs, curve, scale, "price"))
    for css in ("loss", "gain", "flat"):
        ends = [place for trip, place in zip(trips, places, strict=True) if _css(view, trip) == css]
        layers.append(svg.segments(ends, scale, f"trade {css}"))
    markers = []
    small = "-small" if len(trips) > _CROWDED else ""
    for trip, (start, entry, end, price) in list(zip(trips, places, strict=True))[-MOST_MARKED:]:
        css = _css(view, trip)
        css += " full" if css == "gain" else ""
        markers.append(svg.marker(start, entry, scale, ("up" if trip.side > 0 else "down") + small, css))
        if trip.closed is not None:
            markers.append(svg.marker(end, price, scale, "out" + small, css))
    unmarked = len(trips) - min(len(trips), MOST_MARKED)
    note = f" The {counted(unmarked, 'earliest one')} have lines without markers." if unmarked else ""
    identity = f"price-{row}"
    return tag(
        "figure",
        name,
        tag("p", f"{_price_in_words(view, symbol)}{note}", id=identity, class_="muted"),
        svg.chart(
            f"Close of {symbol} with {counted(len(trips), 'trade')}{_LOG if scale.log else ''}",
            scale,
            lambda value: axis_number(value, scale.decimals()),
            ticks(panel.times),
            layers,
            markers=markers,
            size="middle",
            described_by=identity,
        ),
        _details("The same as a table", tables.price_by_period(view, symbol)),
    )


def _place(view: View, trip: RoundTrip) -> tuple[float, float, float, float]:
    """Where a round trip starts and ends: shares of the width, and prices."""
    start = view.bar_of(trip.opened) / view.bars
    if trip.closed is None:
        return start, trip.entry, 1.0, view.last_close(trip.symbol)
    # The strategy's own orders fill at the open, exits within the bar, and at which moment nobody knows.
    at_open = trip.reason is not None and trip.reason.name in ("SIGNAL", "TIME", "RUIN")
    end = (view.bar_of(trip.closed) + (0.0 if at_open else 0.5)) / view.bars
    return start, trip.entry, end, trip.entry if trip.exit is None else trip.exit


def _css(view: View, trip: RoundTrip) -> str:
    if trip.closed is None:
        return "flat"
    return "gain" if trip.profit > 0 else "loss"


def _trades_in_words(view: View, symbol: str) -> str:
    trips = view.trips[symbol]
    if not trips:
        return "not traded"
    profit = sum(view.profit_of(trip) for trip in trips)
    return f"{counted(len(trips), 'trade')}, {view.money(profit, signed=True)}"


def _price_in_words(view: View, symbol: str) -> str:
    close = view.result.panel.close[view.rows[symbol]]
    low, high = int(np.nanargmin(close)), int(np.nanargmax(close))
    trips = view.trips[symbol]
    won = sum(trip.closed is not None and trip.profit > 0 for trip in trips)
    held = sum(trip.closed is None for trip in trips)
    lowest, highest = view.price(symbol, float(close[low])), view.price(symbol, float(close[high]))
    words = f"Closes between {lowest} ({view.when(low)}) and {highest} ({view.when(high)}). "
    if lowest == highest:
        words = f"Closed at {lowest}. "
    if not trips:
        return words + "It was not traded."
    still = ", one still open (dashed)" if held else ""
    words += _trades_in_words(view, symbol)
    return f"{words}: {number(won, 0)} of {number(len(trips) - held, 0)} won{still}."


def _thin(xs: Floats, values: Floats | None, scale: svg.Scale, css: str) -> list[Html]:
    if values is None:
        return []
    values = np.where(values > 0, values, math.nan) if scale.log else values
    kept = kept_places([values], MOST_DRAWN)
    return [svg.line(xs[kept], values[kept], scale, css)]


def _details(summary: str, content: Html) -> Html:
    return tag("details", tag("summary", summary), content)


def key(css: str, text: str) -> Html:
    """An entry of a legend: a stroke of a curve's class and what it stands for."""
    stroke = tag("line", x1="0", x2="20", y1="6", y2="6", class_=css)
    return tag("span", tag("svg", stroke, width="20", height="12", class_="key", aria_hidden="true"), text)


def _shape(shape: str, css: str, text: str) -> Html:
    use = tag("use", href=f"#{shape}", x="7", y="7", class_=css)
    return tag("span", tag("svg", use, width="14", height="14", class_="key", aria_hidden="true"), text)


def _readouts(view: View) -> Html:
    """What the page says of each place under the pointer, as data for its script."""
    curve, held = view.result.equity, view.benchmark
    fall = view.drawdown(curve)
    rows = []
    for bar in np.unique(np.linspace(0, view.bars - 1, min(view.bars, _READOUTS)).round().astype(np.int64)).tolist():
        words = [view.when(bar), f"strategy {view.money(float(curve[bar]))}"]
        if held is not None:
            words.append(f"buy and hold {view.money(float(held[bar]))}")
        rows.append(" · ".join([*words, f"drawdown {percent(float(fall[bar]))}"]))
    data = json.dumps(rows, ensure_ascii=False).replace("<", "\\u003c")
    return tag("script", Html(data), type="application/json")
