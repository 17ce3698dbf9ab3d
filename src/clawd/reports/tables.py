"""The tables of a backtest's report."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from clawd.core.reason import Reason
from clawd.engine.trades import RoundTrip
from clawd.reports.formats import number, percent
from clawd.reports.html import Html, joined, tag
from clawd.reports.periods import MONTHS, monthly_returns, periods
from clawd.reports.view import View, tone

#: Round trips that the page lists at most; the CSV has all of their fills.
MOST_TRIPS = 500

#: Runs of fewer bars have no annualised figures: they would be noise times a large factor.
FEWEST_BARS = 30

#: How many shades of gain and of loss there are.
SHADES = 4

#: Why a position was closed, for people.
WHY = {
    Reason.SIGNAL: "the target went flat or changed sides",
    Reason.STOP: "the protective stop was touched",
    Reason.TRAIL: "the trailing stop was touched",
    Reason.CHANDELIER: "the chandelier stop was touched",
    Reason.BREAK_EVEN: "the stop at the entry price was touched",
    Reason.TAKE: "a profit target was reached",
    Reason.TIME: "held for the longest time allowed",
    Reason.RUIN: "the capital was lost",
}


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]], *, texts: int = 1, css: str = "") -> Html:
    """A table that scrolls sideways by itself where it is wider than the page.

    Args:
        caption: what it shows; read out, not seen.
        heads: of the columns, each a text or a whole ``th``.
        rows: cells, each a text or a whole ``td`` or ``th``.
        texts: how many of the first columns hold text; the rest are numbers.
        css: further classes.
    """

    def css_of(column: int) -> str | None:
        return "text" if column < texts else None

    def cell(column: int, content: str) -> Html:
        if isinstance(content, Html) and content.startswith(("<td", "<th")):
            return content
        if column == 0:
            return tag("th", content, scope="row", class_="text")
        return tag("td", content, class_=css_of(column))

    head = [
        text if isinstance(text, Html) else tag("th", text, scope="col", class_=css_of(column))
        for column, text in enumerate(heads)
    ]
    body = [tag("tr", *(cell(column, content) for column, content in enumerate(row))) for row in rows]
    content = tag(
        "table",
        tag("caption", caption),
        tag("thead", tag("tr", *head)),
        tag("tbody", *body),
        class_=css or None,
    )
    return tag("div", content, class_="scroll", role="region", aria_label=caption, tabindex="0")


def amount(value: float, text: str, css: str = "") -> Html:
    """A cell of a signed number in its colour."""
    return tag("td", text, class_=" ".join(filter(None, (tone(value), css))) or None)


def figures(view: View) -> Html:
    """Every figure beside the benchmark's, with what it means."""
    mine, held = view.result.metrics, view.held
    annual = view.bars >= FEWEST_BARS
    unknown = math.nan

    def both(name: str) -> tuple[float, float]:
        return getattr(mine, name), getattr(held, name) if held else unknown

    def only(value: float) -> tuple[float, float]:
        return value, unknown

    def scaled(name: str) -> tuple[float, float]:
        return both(name) if annual else (unknown, unknown)

    last = float(view.result.equity[-1]) if view.bars else view.capital
    last_held = float(view.benchmark[-1]) if view.benchmark is not None and view.bars else unknown
    won = sum(trip.profit > 0 for trip in view.closed)

    def signed(value: float) -> str:
        return percent(value, signed=True)

    def ratio(value: float) -> str:
        return number(value, 2)

    rows = (
        ("Final equity", (last, last_held), view.money, "at the last close"),
        ("Total return", both("total_return"), signed, "profit over the capital"),
        ("Annual return", scaled("annual_return"), signed, "a year's worth of the mean bar, not compounded"),
        (
            "Annual volatility",
            scaled("annual_volatility"),
            percent,
            "standard deviation of returns, for a year",
        ),
        ("Sharpe ratio", scaled("sharpe"), ratio, "annual return over annual volatility, no risk-free rate"),
        (
            "Max drawdown",
            both("max_drawdown"),
            percent,
            "largest fall from a peak, as a share of that peak",
        ),
        ("Closed trades", only(mine.trades), lambda value: number(value, 0), "positions from flat to flat"),
        ("Win rate", only(mine.win_rate), percent, f"{won:,} of {mine.trades:,} made money after fees"),
        (
            "Expectancy",
            only(mine.expectancy),
            lambda value: percent(value, 2, signed=True),
            "mean net profit of a closed trade, as a share of the capital",
        ),
        ("Profit factor", only(mine.profit_factor), ratio, "money won over money lost"),
        (
            "Turnover",
            only(mine.turnover if annual else unknown),
            lambda value: number(value, 1) + "×" if math.isfinite(value) else number(value),
            "notional traded in a year over the capital",
        ),
        ("Exposure", only(mine.exposure), percent, "mean gross exposure over the capital"),
        ("Fees", only(mine.fees), view.money, "paid to the venue"),
        (
            "Slippage",
            only(mine.slippage),
            view.money,
            "given up by market and stop orders; within the prices",
        ),
        ("Funding", only(mine.funding), view.money, "paid for holding; negative when received"),
    )
    heads = (
        "Figure",
        "Strategy",
        *(("Buy and hold",) if held else ()),
        tag("th", "Meaning", scope="col", class_="text wide"),
    )
    body = [
        (
            name,
            *(write(value) for value in (values if held else values[:1])),
            tag("td", meaning, class_="text wide muted"),
        )
        for name, values, write, meaning in rows
    ]
    return table("Figures of the run", heads, body, css="figures")


def months(view: View) -> Html:
    """Returns by year and month, shaded, with the benchmark's years beside."""
    times = view.result.panel.times
    returns = monthly_returns(times, view.result.net_returns)
    years = sorted({year for year, _ in returns})
    held: dict[int, float] = {}
    if view.benchmark is not None:
        profit = np.diff(view.benchmark, prepend=view.capital) / view.capital
        for (year, _), value in monthly_returns(times, profit).items():
            held[year] = held.get(year, 0.0) + value
    largest = max((abs(value) for value in returns.values()), default=0.0)

    def cell(value: float | None) -> Html:
        if value is None:
            return tag("td")
        text = number(value * 100, 1, signed=True)
        shade = math.ceil(SHADES * abs(value) / largest) if largest and text.strip("0.") else 0
        return tag("td", text, class_=f"{tone(value)}-{shade}" if shade else None)

    def year_row(year: int) -> tuple[str, ...]:
        cells = [cell(returns.get((year, month))) for month in range(1, 13)]
        total = sum(value for (part, _), value in returns.items() if part == year)
        row = [str(year), *cells, amount(total, number(total * 100, 1, signed=True), "total")]
        return (*row, tag("td", number(held[year] * 100, 1, signed=True), class_="muted")) if held else tuple(row)

    total = view.result.metrics.total_return
    last = ["All", *(tag("td") for _ in MONTHS), amount(total, number(total * 100, 1, signed=True), "total")]
    if held:
        last.append(tag("td", number(sum(held.values()) * 100, 1, signed=True), class_="muted"))
    heads = ("Year", *MONTHS, "Total", *(("Held",) if held else ()))
    caption = "Net return by month, percent of the capital" + ("; Held is buy and hold" if held else "")
    content = table(caption, heads, [*map(year_row, years), tuple(last)], css="months")
    return joined((tag("p", f"{caption}.", class_="muted"), content))


def sources(view: View) -> Html:
    """Where the profit came from: exits by reason, open positions and funding; they add up to all of it."""
    reasons = sorted({trip.reason for trip in view.closed if trip.reason}, key=int)
    rows: list[tuple[str, ...]] = []
    for reason in reasons:
        profits = [trip.profit for trip in view.closed if trip.reason == reason]
        why = WHY.get(reason)
        rows.append(
            (
                tag(
                    "th",
                    _name(reason).capitalize(),
                    tag("small", why) if why else "",
                    scope="row",
                    class_="text",
                ),
                number(len(profits), 0),
                percent(sum(profit > 0 for profit in profits) / len(profits), 0),
                *_profit_cells(view, sum(profits), sum(profits) / len(profits)),
            )
        )
    opened = view.open_profit
    if opened:
        note = tag("small", "at the last close, fees so far paid")
        name = tag("th", "Still open", note, scope="row", class_="text")
        rows.append((name, number(len(opened), 0), "", *_profit_cells(view, sum(opened.values()), None)))
    funding = view.result.funding
    if funding:
        rows.append(("Funding", "", "", *_profit_cells(view, -funding, None)))
    total = float(view.result.equity[-1]) - view.capital if view.bars else 0.0
    rows.append(
        (
            "All",
            number(len(view.closed) + len(opened), 0),
            percent(view.result.metrics.win_rate, 0),
            *_profit_cells(view, total, None),
        )
    )
    return table(
        "Profit by the reason of the exit, net of fees",
        ("Exit", "Trades", "Won", "Profit", "% of capital", "A trade"),
        rows,
        css="sources",
    )


def _name(reason: Reason) -> str:
    return reason.word.replace("_", " ")


def _profit_cells(view: View, profit: float, mean: float | None) -> tuple[Html, Html, str]:
    return (
        amount(profit, view.money(profit, signed=True)),
        amount(profit, view.share(profit)),
        "" if mean is None else amount(mean, view.money(mean, signed=True)),
    )


def instruments(view: View) -> Html:
    """What each instrument did and what was earned on it."""
    panel = view.result.panel
    rows = []
    for symbol, row in view.rows.items():
        opens = panel.open[row][panel.present[row]]
        change = view.last_close(symbol) / float(opens[0]) - 1 if opens.size else math.nan
        closed = [trip.profit for trip in view.trips[symbol] if trip.closed is not None]
        profit = sum(view.profit_of(trip) for trip in view.trips[symbol])
        rows.append(
            (
                symbol,
                view.price(symbol, view.last_close(symbol)),
                percent(change, signed=True),
                number(len(closed), 0),
                percent(sum(value > 0 for value in closed) / len(closed), 0) if closed else number(math.nan),
                amount(profit, view.money(profit, signed=True)),
                amount(profit, view.share(profit)),
            )
        )
    heads = ("Instrument", "Last close", "Change", "Trades", "Won", "Profit", "% of capital")
    return table("The instruments and what was earned on each", heads, rows, css="instruments")


def equity_by_period(view: View) -> Html:
    """The equity chart in numbers."""
    worst = view.drawdown(view.result.equity)
    rows = []
    for span in periods(view.result.panel.times, 40):
        last = span.last - 1
        row = [span.name, view.money(float(view.result.equity[last]))]
        if view.benchmark is not None:
            row.append(view.money(float(view.benchmark[last])))
        rows.append((*row, percent(float(worst[span.first : span.last].max()))))
    heads = (
        "Period from",
        "Equity",
        *(("Buy and hold",) if view.benchmark is not None else ()),
        "Deepest drawdown",
    )
    return table("Equity at the end of each period", heads, rows)


def price_by_period(view: View, symbol: str) -> Html:
    """A price chart in numbers."""
    close = view.result.panel.close[view.rows[symbol]]
    closed = [trip for trip in view.trips[symbol] if trip.closed is not None]
    ends = np.array([view.bar_of(trip.closed) for trip in closed if trip.closed is not None], dtype=np.int64)
    rows = []
    for span in periods(view.result.panel.times, 40):
        known = close[span.first : span.last]
        known = known[~np.isnan(known)]
        ended = [closed[index] for index in np.flatnonzero((ends >= span.first) & (ends < span.last))]
        profit = sum(trip.profit for trip in ended)
        rows.append(
            (
                span.name,
                view.price(symbol, float(known[-1])) if known.size else number(math.nan),
                number(len(ended), 0),
                amount(profit, view.money(profit, signed=True)),
            )
        )
    return table(f"{symbol} by period", ("Period from", "Close", "Trades closed", "Profit"), rows)


def round_trips(view: View) -> Html:
    """The latest round trips, newest first, those still open on top."""
    trips = view.result.trades
    shown = trips[-MOST_TRIPS:][::-1]
    rows = [_trip_row(view, trip) for trip in shown]
    heads = (
        "Instrument",
        "Side",
        "Opened",
        "Closed",
        "Bars",
        "Size",
        "Entry",
        "Exit",
        "Profit",
        "% of capital",
        tag("th", "Reason", scope="col", class_="text"),
    )
    content = table("Round trips, newest first", heads, rows, texts=4, css="trips")
    hidden = len(trips) - len(shown)
    if not hidden:
        return content
    note = f"The latest {len(shown):,} of {len(trips):,}; the fills of the other {hidden:,} are in the CSV."
    return joined((tag("p", note, class_="muted"), content))


def _trip_row(view: View, trip: RoundTrip) -> tuple[str, ...]:
    last = view.bars if trip.closed is None else view.bar_of(trip.closed)
    profit = view.profit_of(trip)
    return (
        trip.symbol,
        "▲ long" if trip.side > 0 else "▼ short",
        view.moment(trip.opened),
        "still open" if trip.closed is None else view.moment(trip.closed),
        number(last - view.bar_of(trip.opened), 0),
        view.size(trip.symbol, trip.size),
        view.price(trip.symbol, trip.entry),
        number(math.nan) if trip.exit is None else view.price(trip.symbol, trip.exit),
        amount(profit, view.money(profit, signed=True)),
        amount(profit, view.share(profit, decimals=2)),
        tag("td", _name(trip.reason) if trip.reason else "open", class_="text"),
    )
