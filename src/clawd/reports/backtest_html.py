"""A backtest as one HTML page that needs nothing else, in light and dark, on paper and on a phone."""

from __future__ import annotations

import math

from clawd import __version__
from clawd.core.clock import duration
from clawd.core.panel import Floats
from clawd.engine.backtest import Backtest
from clawd.reports import charts, prose, tables
from clawd.reports.cards import cards
from clawd.reports.formats import UNKNOWN, counted, number, percent, rate
from clawd.reports.html import Html, joined, tag
from clawd.reports.page import page
from clawd.reports.view import View, tone

#: Symbols that the header names at most.
_MOST_NAMED = 8


def backtest_html(result: Backtest, *, benchmark: Floats | None, market: str = "", currency: str = "") -> str:
    """The report of a backtest.

    Args:
        result: what is reported.
        benchmark: [T], equity of the alternative at each close, usually that of
            :func:`~clawd.reports.buy_and_hold.buy_and_hold` on the same panel; None where there is none.
        market: what people call the market; its symbols alone are named otherwise.
        currency: of all amounts, such as ``USDT``; they are in "quote currency" otherwise.

    Raises:
        ValueError: when the benchmark is not as long as the run.
    """
    if benchmark is not None and benchmark.shape != result.equity.shape:
        raise ValueError(f"the benchmark has {benchmark.size} bars, the run has {result.equity.size}")
    view = View(result, benchmark)
    unit = currency or "quote currency"
    sections = (
        ("equity", "Equity", charts.equity(view)),
        ("figures", "Figures", tables.figures(view)),
        ("months", "Months", tables.months(view) if view.bars else Html("")),
        ("exits", "Where the profit came from", tables.sources(view)),
        ("instruments", "Instruments", joined((tables.instruments(view), _prices(view)))),
        ("trades", "Trades", _trades(view)),
        ("strategy", "Strategy", prose.strategy(result.strategy)),
        ("assumptions", "Assumptions", prose.assumptions(view)),
    )
    shown = [(identity, title, content) for identity, title, content in sections if content]
    content = joined(
        (
            _cards(view),
            prose.cautions(view),
            *(
                tag(
                    "section",
                    tag("h2", title, id=f"{identity}-title"),
                    content,
                    id=identity,
                    aria_labelledby=f"{identity}-title",
                )
                for identity, title, content in shown
            ),
        )
    )
    navigation = tag(
        "nav", *(tag("a", title, href=f"#{identity}") for identity, title, _ in shown), aria_label="Sections"
    )
    footer = tag("p", f"clawd {__version__} · times in UTC · amounts in {unit} · simulated, not traded")
    header = joined((_header(view, market, currency), navigation))
    return page(f"{result.strategy.name} · backtest", header, content, footer)


def _header(view: View, market: str, currency: str) -> Html:
    result = view.result
    panel, costs = result.panel, result.costs
    symbols = ", ".join(panel.symbols[:_MOST_NAMED])
    if len(panel.symbols) > _MOST_NAMED:
        symbols += f" and {len(panel.symbols) - _MOST_NAMED:,} more"
    period = f"{view.when(0)} to {view.when(view.bars - 1)} UTC" if view.bars else UNKNOWN
    facts = (
        ("Market", f"{market}: {symbols}" if market else symbols),
        ("Period", period),
        ("Bars", f"{view.bars:,} of {duration(panel.bar)}"),
        ("Capital", f"{view.money(view.capital)} {currency}".strip()),
        ("Costs a side", f"fee {rate(costs.fee)}, slippage {rate(costs.slippage)}"),
        ("Content hash", tag("code", result.strategy.content_hash[:16])),
    )
    return joined(
        (
            tag("p", "Backtest", class_="kind"),
            tag("h1", result.strategy.name),
            tag(
                "dl",
                *(tag("div", tag("dt", name), tag("dd", value)) for name, value in facts),
                class_="facts",
            ),
        )
    )


def _cards(view: View) -> Html:
    mine, held = view.result.metrics, view.held
    annual = view.bars >= tables.FEWEST_BARS
    last = float(view.result.equity[-1]) if view.bars else view.capital

    def beside(text: str) -> str:
        return f"buy and hold {text}" if held else ""

    total_return = percent(mine.total_return, signed=True)
    expectancy = percent(mine.expectancy, 2, signed=True)
    figures = (
        (
            "Return",
            total_return,
            tone(mine.total_return),
            beside(percent(held.total_return, signed=True)) if held else f"{view.money(last)} at the end",
        ),
        (
            "Sharpe ratio",
            number(mine.sharpe if annual else math.nan),
            None,
            beside(number(held.sharpe if annual else math.nan)) if held else "a year, no risk-free rate",
        ),
        (
            "Max drawdown",
            percent(mine.max_drawdown),
            None,
            beside(percent(held.max_drawdown)) if held else "below the peak",
        ),
        (
            "Win rate and expectancy",
            percent(mine.win_rate),
            None,
            UNKNOWN if expectancy == UNKNOWN else f"{expectancy} of capital a trade",
        ),
        ("Profit factor", number(mine.profit_factor), None, counted(mine.trades, "closed trade")),
        (
            "Costs",
            view.money(mine.fees + mine.slippage + mine.funding),
            None,
            "fees, slippage, funding",
        ),
    )
    return cards(figures)


def _prices(view: View) -> Html:
    folded = len(view.rows) > charts.MOST_OPEN
    return tag("div", charts.prices(view), class_="prices folded" if folded else "prices")


def _trades(view: View) -> Html:
    if not view.result.trades:
        return tag("p", "There are none: the strategy made no trade.")
    return tag("div", tables.round_trips(view), class_="trips-box")
