"""The tables that the live and the plain view share."""

from __future__ import annotations

from collections.abc import Iterable
from math import log

from rich import box
from rich.table import Table
from rich.text import Text

from clawd.cli.formats import money, number, percent, wealth
from clawd.core.clock import duration, iso
from clawd.data.finding import Finding
from clawd.fleet.campaign import MarketRead, Searched
from clawd.fleet.summary import AgentSummary, FleetSummary


def market_lines(stage: MarketRead) -> list[str]:
    """The market in words."""
    panel = stage.market.panel
    symbols = ", ".join(panel.symbols[:12]) + (
        f" and {len(panel.symbols) - 12} more" if len(panel.symbols) > 12 else ""
    )
    series = f", series {', '.join(sorted(panel.series))}" if panel.series else ""
    lines = [
        f"{symbols}{series}",
        f"{panel.times.size:,} bars of {duration(panel.bar)}, {iso(int(panel.times[0]))} to {iso(int(panel.times[-1]))}",
        f"chosen on {stage.first:,} bars up to {iso(int(panel.times[stage.first - 1]))}, "
        f"traded on paper from {iso(int(panel.times[stage.first]))}",
    ]
    if not stage.market.findings:
        lines.append("quality: nothing found")
    return lines + list(stage.market.notes)


def findings_table(findings: Iterable[Finding]) -> Table:
    """The quality report."""
    table = Table(box=box.SIMPLE_HEAD, title="quality", title_justify="left", title_style="dim")
    for name in ("instrument", "finding", "count", "where"):
        table.add_column(name, justify="right" if name == "count" else "left")
    style = {"error": "red", "warning": "yellow", "note": "dim"}
    for finding in findings:
        table.add_row(
            Text(finding.symbol),
            Text(finding.kind.replace("_", " "), style.get(finding.severity, "")),
            f"{finding.count:,}",
            Text(finding.place, "dim"),
        )
    return table


def ranking_table(stage: Searched) -> Table:
    """What the search found, best first."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("", justify="right", style="dim")
    table.add_column("strategy", no_wrap=True)
    for name in ("Sharpe", "at 2x costs", "deflated", "trades", "drawdown"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict")
    rank = 0
    for candidate in stage.candidates:
        accepted = candidate.rejection is None
        rank += accepted
        metrics = candidate.result.metrics if candidate.result else None
        waiting = rank > stage.slots
        table.add_row(
            str(rank) if accepted else "",
            Text(candidate.strategy.name, "" if accepted else "dim"),
            number(candidate.sharpe),
            number(candidate.stressed_sharpe),
            percent(stage.deflated[candidate.strategy.content_hash], 0) if metrics else "–",
            f"{metrics.trades:,}" if metrics else "–",
            percent(metrics.max_drawdown) if metrics else "–",
            Text("waits for a slot" if waiting else "takes a slot", "yellow" if waiting else "green")
            if accepted
            else Text(str(candidate.rejection), "dim"),
        )
    return table


def agents_table(agents: Iterable[AgentSummary]) -> Table:
    """Every agent with its money and its evidence."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("agent", style="dim", no_wrap=True)
    table.add_column("strategy", no_wrap=True)
    for name in ("P&L", "of capital", "trades", "won", "drawdown", "exposure"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("evidence", no_wrap=True)
    table.add_column("has / needs", justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True)
    for agent in agents:
        gain = float(agent.profit)
        table.add_row(
            agent.agent,
            Text(agent.strategy),
            Text(money(agent.profit, signed=True), "green" if gain > 0 else "red" if gain < 0 else ""),
            percent(gain / float(agent.capital), signed=True),
            f"{agent.trades:,}",
            percent(agent.win_rate, 0),
            percent(agent.max_drawdown),
            percent(agent.exposure, 0, signed=True),
            evidence_bar(agent.wealth, agent.level),
            f"{wealth(agent.wealth)} / {wealth(agent.level)}",
            Text(
                "PROVEN, waiting for you" if agent.proven and agent.status == "trading" else agent.status,
                "bold green" if agent.proven else "red" if agent.status != "trading" else "",
            ),
        )
    return table


def evidence_bar(has: float, needs: float, width: int = 12) -> Text:
    """How far the evidence has come on the way from 1 to its level, on a scale of ratios; empty below 1."""
    share = min(1.0, max(0.0, log(max(has, 1e-9)) / log(needs)))
    filled = round(share * width)
    return Text("━" * filled, "green" if share >= 1 else "cyan").append("─" * (width - filled), "dim")


def fleet_table(summary: FleetSummary) -> Table:
    """The account, beside buying and holding."""
    table = Table(box=box.SIMPLE_HEAD, show_header=False)
    table.add_column("figure", style="dim", no_wrap=True)
    table.add_column("value", no_wrap=True)
    table.add_column("note", style="dim")
    won = (
        "not one position was closed"
        if summary.trades == 0
        else f"mean profit of a closed position {percent(summary.expectancy, 3, signed=True)} of the account"
    )
    table.add_row(
        "profit and loss",
        f"{money(summary.profit, signed=True)}  ({percent(summary.total_return, 2, signed=True)})",
        f"on an account of {money(summary.capital)}, {summary.first} to {summary.last}",
    )
    table.add_row(
        "buy and hold",
        percent(summary.buy_and_hold, 2, signed=True),
        f"drawdown {percent(summary.buy_and_hold_drawdown)}; the whole account in the market, all the time",
    )
    table.add_row("win rate", f"{percent(summary.win_rate)} of {summary.trades:,}", won)
    table.add_row("Sharpe ratio", number(summary.sharpe), "annual, no risk-free rate")
    table.add_row("largest drawdown", percent(summary.max_drawdown, 2), "of the account")
    table.add_row(
        "exposure",
        percent(summary.exposure),
        "mean gross: the day's limit decides how much the fleet may hold",
    )
    table.add_row(
        "turnover",
        f"{number(summary.turnover, 1)}x a year",
        f"costs {money(summary.fees + summary.slippage + summary.funding)}: fees {money(summary.fees)}, slippage {money(summary.slippage)}, funding {money(summary.funding)}",
    )
    table.add_row(
        "the gate",
        f"{summary.refused:,} refused, {summary.shrunk:,} shrunk",
        "`clawd journal show --kind VerdictGiven` has the reasons and the numbers",
    )
    table.add_row(
        "day's limit reached",
        f"{summary.halts:,} times",
        f"worst day {money(summary.worst_beyond)} beyond it: a gap, which no reserve covers"
        if summary.halts
        else "never",
    )
    return table


def verdict_on_evidence(summary: FleetSummary) -> str:
    """What may be claimed, in one sentence."""
    proven = [agent.strategy for agent in summary.agents if agent.proven]
    if proven:
        return f"Reached the level of proof: {', '.join(proven)}. Real money needs a person and a venue; nothing was promoted."
    best = max(summary.agents, key=lambda agent: agent.peak_wealth / agent.level, default=None)
    if best is None:
        return "No agent was hired."
    return (
        f"None of {len(summary.agents)} agents has proven an edge: the nearest, {best.strategy}, reached a wealth of "
        f"{wealth(best.peak_wealth)} of the {wealth(best.level)} it needs. Profit alone is no proof."
    )
