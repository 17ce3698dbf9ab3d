"""How ``clawd parity`` shows what it found."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from rich.text import Text

from clawd.cli.formats import count, money
from clawd.cli.grid import Column, grid, screen
from clawd.core.clock import iso
from clawd.core.panel import NANOSECONDS_PER_DAY
from clawd.fleet.parity_difference import AgentParity, DayParity
from clawd.fleet.parity_words import Cause, moment
from clawd.reports.parity_html import ParitySheet

#: Causes that have their column even where they cost nothing; the others only where they cost something.
_ALWAYS = (Cause.GATE, Cause.HALT, Cause.SLIPPAGE, Cause.LATENCY, Cause.BARS, Cause.FUNDING, Cause.UNEXPLAINED)
_COLUMNS = tuple(cause for cause in Cause if cause is not Cause.LATE_SLIPPAGE)


def _causes(found: Sequence[AgentParity]) -> list[Cause]:
    return [cause for cause in _COLUMNS if cause in _ALWAYS or any(agent.of(cause) for agent in found)]


def columns_of(found: Sequence[DayParity]) -> list[Column]:
    """The columns of the figures: causes have theirs where they cost something, the usual ones always."""
    everyone = [agent for each in found for agent in each.agents]
    names = [Column("agent", left=True), Column("strategy", left=True, matters=4, most=28)]
    return [
        *(names if len(found) == 1 else [Column("day", left=True)]),
        Column("replayed"),
        *(Column(str(cause), matters=5 + (cause in _ALWAYS)) for cause in _causes(everyone)),
        Column("real"),
    ]


def sheet_of(found: Sequence[DayParity], subject: str, *, changed: bool) -> ParitySheet:
    """The figures of the report: a row for each agent of one day, or for each of several days, and their sum.

    Args:
        found: the days.
        subject: whose they are, such as ``run 1f0c2a``.
        changed: whether the market is not as it was when the run read it.
    """
    everyone = [agent for each in found for agent in each.agents]
    causes, digits, one = _causes(everyone), _digits(everyone), len(found) == 1
    first, last = _date(found[0].day), _date(found[-1].day)
    rows = []
    for each in found:
        if one:
            rows += [_row([agent.agent, agent.strategy], [agent], causes, digits) for agent in each.agents]
        else:
            rows.append(_row([_date(each.day)], each.agents, causes, digits))
    rows.append(_row(["all", ""] if one else ["all"], everyone, causes, digits))
    warnings = [] if all(each.explained for each in found) else [alarm(found)]
    if changed:
        warnings.append("the market is not as it was when the run read it; --data compares its bars")
    differences = sorted(
        (each for agent in everyone for each in agent.differences),
        key=lambda each: (each.cause is not Cause.UNEXPLAINED, -abs(each.money)),
    )
    return ParitySheet(
        subject=subject,
        span=first if one else f"{first} to {last}",
        warnings=warnings,
        heads=[column.name for column in columns_of(found)],
        rows=rows,
        differences=[
            (str(each.cause), each.agent, each.symbol, moment(each.time), each.words, each.money)
            for each in differences
        ],
    )


def show(sheet: ParitySheet, columns: Sequence[Column], lines: int) -> None:
    """Print the figures, and so many of the largest differences; all where it is 0."""
    console = screen()
    console.print(f"{sheet.subject}, {sheet.span}: profit and loss in quote currency")
    for text in sheet.warnings:
        console.print(Text(text, "bold"))
    console.print(grid(columns, sheet.rows, console.width, rest=True))
    if not sheet.differences:
        console.print("No difference: paper is the backtest, to the last digit.")
        return
    shown = sheet.differences[:lines] if lines else sheet.differences
    console.print(f"{count(len(sheet.differences), 'difference')}, the largest first:")
    for difference in shown:
        console.print(Text(f"  {_told(difference)}"), soft_wrap=True)
    if len(sheet.differences) > len(shown):
        console.print(f"  and {len(sheet.differences) - len(shown):,} more; --lines 0 shows all")


def _date(day: int) -> str:
    return iso(day * NANOSECONDS_PER_DAY)


def _digits(agents: Sequence[AgentParity]) -> int:
    """Digits behind the point that show small accounts, too."""
    amounts = [abs(amount) for agent in agents for amount in (agent.real, agent.replayed)]
    return 2 if max(amounts, default=Decimal(0)) >= 100 else 4


def _row(names: Sequence[str], agents: Sequence[AgentParity], causes: Sequence[Cause], digits: int) -> list[str]:
    def total(amounts: Sequence[Decimal]) -> str:
        amount = sum(amounts, Decimal(0))
        return money(amount, digits, signed=True) if amount else "0"

    return [
        *names,
        total([agent.replayed for agent in agents]),
        *(total([agent.of(cause) for agent in agents]) for cause in causes),
        total([agent.real for agent in agents]),
    ]


def _told(difference: tuple[str, str, str, str, str, Decimal]) -> str:
    """One line in plain words, such as ``a003 BTCUSDT 2024-05-03 08:00: asked 0.5, ...: -0.14``."""
    cause, agent, symbol, time, words, amount = difference
    loud = "NOT EXPLAINED: " if cause == Cause.UNEXPLAINED else ""
    return f"{agent}{f' {symbol}' if symbol else ''} {time}: {loud}{words}: {_exact(amount)}"


def _exact(amount: Decimal) -> str:
    """An amount; one that would be rounded away is told as it is."""
    rounded = money(amount, 4 if abs(amount) < 1 else 2, signed=True)
    return f"{amount.normalize():+}" if amount and not rounded.strip("+-0.,") else rounded


def alarm(found: Sequence[DayParity]) -> str:
    """What must be seen first: that something is not explained."""
    parts = []
    for each in found:
        amount = sum((abs(agent.of(Cause.UNEXPLAINED)) for agent in each.agents), Decimal(0))
        if not each.explained:
            beside = f", {each.beside:f} of the account is no agent's" if each.beside else ""
            parts.append(f"{_date(each.day)}: {amount:f}{beside}")
    return f"NOT EXPLAINED: {'; '.join(parts)}. Paper and backtest differ for a reason that is not in the journal."


def day_json(each: DayParity) -> dict[str, object]:
    """A day for programs, with every amount to the last digit."""
    return {
        "day": _date(each.day),
        "account": str(each.profit),
        "explained": each.explained,
        "agents": [
            {
                "agent": agent.agent,
                "strategy": agent.strategy,
                "replayed": str(agent.replayed),
                "causes": {cause.name.lower(): str(agent.of(cause)) for cause in _COLUMNS},
                "real": str(agent.real),
                "differences": [
                    {
                        "cause": difference.cause.name.lower(),
                        "symbol": difference.symbol,
                        "time": moment(difference.time),
                        "words": difference.words,
                        "money": str(difference.money),
                    }
                    for difference in agent.differences
                ],
            }
            for agent in each.agents
        ],
    }
