"""The tables that the live and the plain view share."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from clawd.cli.formats import count, money, number, percent
from clawd.cli.grid import SEVERITIES, Column, grid
from clawd.core.clock import duration, iso
from clawd.data.finding import Finding
from clawd.fleet.campaign import MarketRead, Searched
from clawd.fleet.summary import PAUSED, PROVEN, AgentSummary, FleetSummary
from clawd.reports.formats import wealth

_MOST_LINES = 12


def market_lines(stage: MarketRead) -> list[str]:
    """The market in words."""
    panel = stage.market.panel
    start, last_chosen, first, end = (iso(int(panel.times[at])) for at in (0, stage.first - 1, stage.first, -1))
    series = f", series {', '.join(sorted(panel.series))}" if panel.series else ""
    lines = [
        f"{_listed(panel.symbols)}{series}",
        f"{panel.times.size:,} bars of {duration(panel.bar)}, {start} to {end}",
        f"chosen on {stage.first:,} bars up to {last_chosen}, traded on paper from {first}",
    ]
    if not stage.market.findings:
        lines.append("quality: nothing odd")
    return lines + note_lines(stage.market.notes)


def note_lines(notes: Sequence[str]) -> list[str]:
    """What was decided, repaired and dropped when a market was read, or the first of it."""
    rest = len(notes) - _MOST_LINES
    return [*notes[:_MOST_LINES], *([f"and {count(rest, 'more note')} of this kind"] if rest > 0 else [])]


def findings_table(findings: Sequence[Finding], width: int) -> RenderableType:
    """The quality report, the gravest first."""
    columns = (
        Column("quality of", left=True, most=24),
        Column("finding", left=True),
        Column("count"),
        Column("where", left=True, matters=1),
    )
    gravest = sorted(findings, key=lambda finding: list(SEVERITIES).index(finding.severity))
    rows = [
        (
            Text(finding.symbol),
            Text(finding.kind.replace("_", " "), SEVERITIES[finding.severity]),
            f"{finding.count:,}",
            Text(finding.place, "dim"),
        )
        for finding in gravest[:_MOST_LINES]
    ]
    table = grid(columns, rows, width)
    rest = len(findings) - _MOST_LINES
    if rest <= 0:
        return table
    return Group(table, Text(f"  and {count(rest, 'finding')} more: `clawd data check` has all", "dim"))


def ranking_table(stage: Searched, width: int) -> RenderableType:
    """What the search found, best first."""
    columns = (
        Column(""),
        Column("strategy", left=True, least=20, most=32),
        Column("Sharpe"),
        Column("at 2x costs", matters=2),
        Column("deflated", matters=4),
        Column("trades", matters=3),
        Column("drawdown", matters=1),
        Column("verdict", left=True, wraps=True),
    )
    rows = []
    rank = 0
    for candidate in stage.candidates:
        accepted = candidate.rejection is None
        rank += accepted
        metrics = candidate.result.metrics if candidate.result else None
        waits = rank > stage.slots
        rows.append(
            (
                Text(str(rank) if accepted else "", "dim"),
                Text(candidate.strategy.name, "" if accepted else "dim"),
                number(candidate.sharpe),
                number(candidate.stressed_sharpe),
                percent(stage.deflated[candidate.strategy.content_hash], 0) if metrics else "–",
                f"{metrics.trades:,}" if metrics else "–",
                percent(metrics.max_drawdown) if metrics else "–",
                Text("waits for a slot" if waits else "takes a slot", "yellow" if waits else "green")
                if accepted
                else Text(str(candidate.rejection), "dim"),
            )
        )
    return grid(columns, rows, width)


def agents_table(agents: Sequence[AgentSummary], width: int) -> RenderableType:
    """Every agent with its money and its evidence."""
    columns = (
        Column("agent", matters=2, left=True),
        Column("strategy", left=True, least=20, most=30),
        Column("P&L", least=7),
        Column("of capital", matters=1),
        Column("trades", matters=4),
        Column("won", matters=3, least=5),
        Column("drawdown", matters=7),
        Column("exposure", matters=5),
        Column("way to proof", matters=6, left=True),
        Column("evidence", least=13),
        Column("status", left=True, matters=8),
    )
    rows = [
        (
            Text(agent.agent, "dim"),
            Text(agent.strategy),
            Text(money(agent.profit, signed=True), _tone(money(agent.profit, signed=True))),
            percent(float(agent.profit / agent.capital), signed=True),
            f"{agent.trades:,}",
            percent(agent.win_rate, 0),
            percent(agent.max_drawdown),
            percent(agent.exposure, 0, signed=True),
            evidence_bar(agent.wealth, agent.level),
            f"{wealth(agent.wealth)} of {wealth(agent.level)}",
            _status(agent),
        )
        for agent in agents
    ]
    return grid(columns, rows, width)


def evidence_bar(has: float, needs: float, width: int = 12) -> Text:
    """How far the evidence has come on the way from 1 to its level, on a scale of ratios; empty below 1."""
    share = min(1.0, max(0.0, _way(has, needs)))
    halves = round(share * width * 2)
    full, half = divmod(halves, 2)
    bar = Text("━" * full + "╸" * half, "green" if share >= 1 else "cyan")
    return bar.append("─" * (width - full - half), "dim")


def fleet_table(summary: FleetSummary) -> RenderableType:
    """The account, beside buying and holding."""
    rows = [
        (
            "profit and loss",
            f"{money(summary.profit, signed=True)}  ({percent(summary.total_return, 2, signed=True)})",
            f"on an account of {money(summary.capital)}, {summary.first} to {summary.last}",
        ),
        (
            "buy and hold",
            percent(summary.buy_and_hold, 2, signed=True),
            f"the whole account in the market, all the time; largest drawdown {percent(summary.buy_and_hold_drawdown)}",
        ),
        (
            "win rate",
            percent(summary.win_rate),
            f"of {count(summary.trades, 'closed position')}, each "
            f"{percent(summary.expectancy, 3, signed=True)} of the account on average"
            if summary.trades
            else "no position was closed",
        ),
        ("Sharpe ratio", number(summary.sharpe), "annual, no risk-free rate"),
        ("largest drawdown", percent(summary.max_drawdown, 2), "of the account, from its peak"),
        ("exposure", percent(summary.exposure), "mean gross: the day's limit decides how much the fleet may hold"),
        (
            "turnover",
            f"{number(summary.turnover, 1)}x a year",
            f"costs {money(summary.fees + summary.slippage + summary.funding)}: fees {money(summary.fees)}, "
            f"slippage {money(summary.slippage)}, funding {money(summary.funding)}",
        ),
        (
            "the gate",
            f"{summary.refused:,} refused, {summary.shrunk:,} shrunk",
            "`clawd journal show --kind VerdictGiven` says why",
        ),
        ("day's limit", *_limit(summary)),
    ]
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(style="dim")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return Padding(table, (0, 0, 0, 2), expand=False)


def verdict_on_evidence(summary: FleetSummary) -> str:
    """What may be claimed, in two sentences."""
    proven = [agent.strategy for agent in summary.agents if agent.proven]
    if proven:
        names = ", ".join(proven)
        return f"Reached the level of proof: {names}. Real money needs a person and a venue; nothing was promoted."
    best = max(summary.agents, key=lambda agent: _way(agent.peak_wealth, agent.level), default=None)
    if best is None:
        return "No agent was hired."
    return (
        f"No agent has proven an edge: the nearest, {best.strategy}, came to an evidence of "
        f"{wealth(best.peak_wealth)} of the {wealth(best.level)} it needs. Profit alone is no proof."
    )


def _way(has: float, needs: float) -> float:
    """How much of the way from 1 to what it needs a wealth has come, on a scale of ratios."""
    return log(max(has, 1e-9)) / log(needs)


def _limit(summary: FleetSummary) -> tuple[str, str]:
    if not summary.halts:
        return "never reached", ""
    if summary.worst_beyond <= 0:
        return f"reached {count(summary.halts, 'time')}", "and never passed"
    return (
        f"reached {count(summary.halts, 'time')}",
        f"the worst day went {money(summary.worst_beyond)} beyond it: a gap, which no reserve covers",
    )


def _status(agent: AgentSummary) -> Text:
    if agent.status == PROVEN:
        return Text("PROVEN, waiting for you", "bold green")
    return Text(agent.status, {"trading": "", PAUSED: "yellow"}.get(agent.status, "red"))


def _tone(amount: str) -> str:
    """The colour of a signed amount as it is shown; none where it rounds to nothing."""
    if not amount.strip("+-0.,"):
        return ""
    return "red" if amount.startswith("-") else "green"


def _listed(names: Sequence[str]) -> str:
    rest = len(names) - _MOST_LINES
    return ", ".join(names[:_MOST_LINES]) + (f" and {rest} more" if rest > 0 else "")
