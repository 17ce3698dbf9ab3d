"""All that is known of a strategy as one HTML page that needs nothing else, in light and dark."""

from __future__ import annotations

import math

import numpy as np

from clawd import __version__
from clawd.core.clock import duration
from clawd.core.panel import Floats
from clawd.reports import charts, prose, svg, tables
from clawd.reports.cards import cards
from clawd.reports.formats import UNKNOWN, axis_number, counted, number, percent, rate
from clawd.reports.html import Html, joined, tag
from clawd.reports.page import page
from clawd.reports.periods import MONTHS, monthly_returns, periods, ticks
from clawd.reports.story import Story
from clawd.reports.thinning import MOST_DRAWN, kept_places
from clawd.reports.view import View, tone

#: The worst months that are named.
_WORST = 6


def evidence_html(story: Story, *, benchmark: Floats | None = None, market: str = "") -> str:
    """The report of a strategy's evidence.

    Args:
        story: what is known.
        benchmark: [T], equity of the alternative on the same bars, None where there is none.
        market: what people call the market.
    """
    view = View(story.result, benchmark)
    strategy = story.result.strategy
    sections = (
        ("gates", "Gates", _gates(story)),
        ("proof", "Proof", _proof(story)),
        ("meaning", "What it does", _meaning(story)),
        ("lineage", "Where it comes from", _lineage(story)),
        ("equity", "On the bars of the search", joined((charts.equity(view), tables.months(view)))),
        ("stress", "Under stress", _stress(story)),
        ("neighbours", "Neighbourhood", _neighbours(story)),
        ("failure", "What would make it fail", _failure(story)),
    )
    content = joined(
        (
            _cards(story),
            *(
                tag(
                    "section",
                    tag("h2", title, id=f"{name}-title"),
                    body,
                    id=name,
                    aria_labelledby=f"{name}-title",
                )
                for name, title, body in sections
            ),
        )
    )
    navigation = tag("nav", *(tag("a", title, href=f"#{name}") for name, title, _ in sections), aria_label="Sections")
    footer = tag(
        "p",
        f"clawd {__version__} · times in UTC · simulated, not traded · the bars of the selection and of the vault are "
        "known by what was kept of their looks alone",
    )
    header = joined((_header(story, view, market), navigation))
    return page(f"{strategy.name} · evidence", header, content, footer)


def _header(story: Story, view: View, market: str) -> Html:
    result = story.result
    symbols = ", ".join(result.panel.symbols[:8])
    left = len(result.panel.symbols) - 8
    symbols += f" and {left:,} more" if left > 0 else ""
    author = story.lineage[0].author if story.lineage else UNKNOWN
    facts = (
        ("Market", f"{market}: {symbols}" if market else symbols),
        ("Searched on", f"{view.when(0)} to {view.when(view.bars - 1)} UTC"),
        ("Bars", f"{view.bars:,} of {duration(result.panel.bar)}"),
        ("Costs a side", f"fee {rate(result.costs.fee)}, slippage {rate(result.costs.slippage)}"),
        ("Author", author),
        ("Content hash", tag("code", result.strategy.content_hash[:16])),
        ("Family", tag("code", result.strategy.family_hash[:16])),
    )
    return joined(
        (
            tag("p", "Evidence", class_="kind"),
            tag("h1", result.strategy.name),
            tag("p", f"{story.verdict[:1].upper()}{story.verdict[1:]}."),
            tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in facts), class_="facts"),
        )
    )


def _cards(story: Story) -> Html:
    passed = sum(gate.passed for gate in story.gates)
    claim = story.hypothesis
    wealth = story.wealth
    figures = (
        ("Sharpe ratio", number(story.result.metrics.sharpe), tone(story.result.metrics.sharpe), "on the search"),
        (
            "On the selection",
            number(story.selection),
            tone(story.selection),
            "Sharpe ratio" if story.run else "no look",
        ),
        ("Gates passed", f"{passed} of {len(story.gates)}", None, f"by run {story.run}" if story.run else "as of now"),
        (
            "Wealth",
            number(float(wealth[-1]) if wealth.size else 1.0) if claim else UNKNOWN,
            None,
            f"of {number(claim.wealth_to_reach, 0)} to reach" if claim else "not registered",
        ),
        (
            "Tried in its family",
            number(story.family, 0),
            None,
            f"of {counted(story.strategies, 'distinct strategy', 'distinct strategies')}",
        ),
        ("Bars that count", number(len(story.bets), 0), None, f"hypothesis {claim.number}" if claim else "none yet"),
    )
    return cards(figures)


def _gates(story: Story) -> Html:
    passed = [gate for gate in story.gates if gate.passed]
    summary = f"{len(passed)} of {counted(len(story.gates), 'gate')} passed"
    failed = ", ".join(gate.name for gate in story.gates if not gate.passed)
    summary += f"; held back by {failed}." if failed else "."
    if not story.run:
        summary += " No campaign has judged it, so nothing was looked at on the selection."
    rows = [
        (
            gate.name,
            number(gate.value, 3),
            number(gate.threshold, 3),
            tag("td", "✓ passed" if gate.passed else "✗ not passed", class_="gain" if gate.passed else "loss"),
            tag("td", gate.meaning, class_="text wide muted"),
        )
        for gate in story.gates
    ]
    heads = ("Gate", "Number", "Threshold", "Verdict", tag("th", "Meaning", scope="col", class_="text wide"))
    return joined((tag("p", summary), tables.table("The gates, in order", heads, rows)))


def _proof(story: Story) -> Html:
    claim = story.hypothesis
    if claim is None:
        return tag("p", "It is not registered: nothing is claimed for it, and no bar counts.")
    level = claim.wealth_to_reach
    said = (
        f"Hypothesis {claim.number}, registered when {counted(claim.promotions_before, 'promotion')} had been made, so "
        f"its wealth has to reach {number(level, 0)}."
    )
    if not story.bets:
        return tag("p", f"{said} No bar has counted yet.")
    wealth = np.insert(story.wealth, 0, 1.0)
    highest = float(wealth.max())
    said += (
        f" A gambler who began with 1 has {number(float(wealth[-1]))} after {counted(len(story.bets), 'bar')}, and had "
        f"{number(highest)} at the best: " + ("that is proof." if highest >= level else "that is no proof yet.")
    )
    times = np.array([bet.ts for bet in story.bets], np.int64)
    least = max(float(wealth[wealth > 0].min()), 1e-3)
    scale = svg.Scale(min(0.7, least / 1.15), max(level, highest) * 1.3, log=True)
    shown = np.where(wealth >= scale.low, wealth, np.nan)
    kept = kept_places([shown], MOST_DRAWN)
    xs = np.arange(wealth.size) / max(wealth.size - 1, 1)
    return tag(
        "figure",
        tag("p", said, id="proof-summary"),
        tag(
            "div",
            charts.key("mine", "Wealth"),
            charts.key("baseline", f"Wealth to reach: {number(level, 0)}"),
            class_="legend",
        ),
        svg.chart(
            "Wealth after each bar that counts, logarithmic scale",
            scale,
            lambda value: axis_number(value, 0 if value >= 1 else 2),
            ticks(times),
            [svg.line(xs[kept], shown[kept], scale, "mine")],
            size="middle",
            baseline=level,
            described_by="proof-summary",
        ),
        tag("details", tag("summary", "The same as a table"), _wealth_by_period(story, wealth)),
    )


def _wealth_by_period(story: Story, wealth: Floats) -> Html:
    times = np.array([bet.ts for bet in story.bets], np.int64)
    returns = np.array([bet.net_return for bet in story.bets])
    rows = [
        (
            span.name,
            number(float(wealth[span.last])),
            tables.amount(total := float(returns[span.first : span.last].sum()), percent(total, 2, signed=True)),
        )
        for span in periods(times, 24)
    ]
    return tables.table("Wealth at the end of each period", ("Period from", "Wealth", "Net return"), rows)


def _meaning(story: Story) -> Html:
    # Its name is the title, and its hashes stand below.
    told = story.explanation.partition("\n")[2].partition("\nIdentity\n")[0]
    text = tag("pre", told.strip(), class_="told")
    return joined((text, prose.strategy(story.result.strategy)))


def _lineage(story: Story) -> Html:
    alone = "" if story.family == 1 else f"; {counted(story.family, 'distinct strategy', 'distinct strategies')} of its"
    tried = f"{counted(story.trials, 'distinct trial')} of {story.strategies:,} strategies are in the ledger{alone}"
    summary = tag("p", tried + (" family, with other numbers." if alone else "; of its family it is the only one."))
    if not story.lineage:
        return summary
    rows: list[tuple[str, ...]] = [
        (
            "itself" if not each.generations else counted(each.generations, "generation") + " before",
            tag("td", each.name, class_="text"),
            tag("td", each.origin or UNKNOWN, class_="text"),
            tag("td", each.author or UNKNOWN, class_="text"),
            tag("td", tag("code", each.content_hash[:12]), class_="text"),
        )
        for each in story.lineage[:40]
    ]
    heads = tuple(tag("th", text, scope="col", class_="text") for text in ("Step", "Name", "Made by", "Author", "Hash"))
    return joined((summary, tables.table("Itself and what it descends from", heads, rows)))


def _stress(story: Story) -> Html:
    base = story.result.metrics.sharpe

    def left(sharpe: float) -> str:
        return percent(sharpe / base, 0) if base > 0 else UNKNOWN

    rows = [
        (name, tables.amount(sharpe, number(sharpe)), left(sharpe), tag("td", meaning, class_="text wide muted"))
        for name, sharpe, meaning in (
            ("As it is", base, "at the costs in force, acting on the next bar"),
            ("Double costs", story.stressed, "twice the fee and twice the slippage"),
            ("One bar late", story.delayed, "every target acted on a bar later"),
            ("Both", story.endured, "half of the Sharpe ratio must be left here"),
        )
    ]
    heads = ("Stress", "Sharpe ratio", "Left", tag("th", "What is done", scope="col", class_="text wide"))
    return tables.table("Sharpe ratio under stress", heads, rows)


def _neighbours(story: Story) -> Html:
    if not story.neighbours:
        return tag("p", "It has no number that could be a step higher or lower.")
    base = story.result.metrics.sharpe
    ratios = np.nan_to_num(np.array([each.sharpe for each in story.neighbours]))
    better, losing = int((ratios > base).sum()), int((ratios <= 0).sum())
    summary = (
        f"With one number a step up or down its Sharpe ratio of {number(base)} becomes "
        f"{number(float(ratios.min()))} at the worst and {number(float(np.median(ratios)))} in the middle of "
        f"{counted(ratios.size, 'neighbour')}; {better:,} of them do better, {losing:,} earn nothing. "
    )
    if np.allclose(ratios, base, rtol=1e-9):
        summary += "None of these numbers makes a difference. "
    summary += "It stands on a plateau." if np.median(ratios) >= 0.7 * base > 0 else "It stands on a needle: be wary."
    rows = [
        (each.change, tables.amount(each.sharpe, number(each.sharpe)), _bar(each.sharpe, base))
        for each in story.neighbours
    ]
    heads = ("Change", "Sharpe ratio", tag("th", "Of its own", scope="col", class_="text wide"))
    content = tables.table("Neighbours and their Sharpe ratios", heads, rows)
    return joined((tag("p", summary), content))


def _bar(value: float, whole: float) -> Html:
    """How much of the whole, drawn; at most one and a half of it."""
    share = min(max(value / whole, 0.0), 1.5) / 1.5 if whole > 0 and math.isfinite(value) else 0.0
    ruler = tag("line", x1="66.67%", x2="66.67%", y1="0", y2="12", class_="baseline")
    length = tag("rect", x="0", y="2", width=f"{share * 100:.1f}%", height="8", class_="length")
    drawn = tag("svg", length, ruler, width="100%", height="12", class_="gauge", aria_hidden="true")
    return tag("td", drawn, class_="text wide")


def _failure(story: Story) -> Html:
    result = story.result
    months = monthly_returns(result.panel.times, result.net_returns)
    worst = sorted(((month, value) for month, value in months.items() if value < 0), key=lambda each: each[1])
    lost = len(worst)
    weakest = min(story.regimes, key=lambda each: each.annual_return, default=None)
    words = [f"It lost money in {lost:,} of {counted(len(months), 'month')}."]
    if weakest is not None:
        words.append(
            f"It did worst where the market was {weakest.name}: {percent(weakest.annual_return, signed=True)} a year."
        )
    fall = result.metrics.max_drawdown
    words.append(f"Its deepest drawdown was {percent(fall)} below the peak.")
    by_regime = tables.table(
        "How it did in different markets",
        (
            "Market",
            "Of the bars",
            "Sharpe ratio",
            "Return a year",
            tag("th", "Meaning", scope="col", class_="text wide"),
        ),
        [
            (
                each.name,
                percent(each.share, 0),
                tables.amount(each.sharpe, number(each.sharpe)),
                tables.amount(each.annual_return, percent(each.annual_return, signed=True)),
                tag("td", each.meaning, class_="text wide muted"),
            )
            for each in story.regimes
        ],
    )
    by_month = tables.table(
        "Its worst months",
        ("Month", "Return"),
        [
            (f"{MONTHS[month - 1]} {year}", tables.amount(value, percent(value, signed=True)))
            for (year, month), value in worst[:_WORST]
        ],
    )
    return joined(
        (
            tag("p", " ".join(words)),
            tag("h3", "Markets"),
            by_regime if story.regimes else tag("p", "Too few bars to tell markets apart."),
            tag("h3", "Worst months"),
            by_month if worst else tag("p", "No month lost money."),
        )
    )
