"""The stages of a run as plain lines, where there is no terminal."""

from __future__ import annotations

from rich.console import Console

from clawd.cli.formats import money, percent, wealth
from clawd.cli.tables import (
    agents_table,
    findings_table,
    fleet_table,
    market_lines,
    ranking_table,
    verdict_on_evidence,
)
from clawd.core.clock import iso
from clawd.core.events import AgentFired, AgentHired, Event, HaltBegan, HaltEnded
from clawd.fleet.books import Books
from clawd.fleet.campaign import BarTraded, Compiling, Ended, MarketRead, PaperBegan, Searched, Stage, Tried


class PlainView:
    """Prints lines, never moves the cursor; about twenty lines of progress whatever the length of the run."""

    def __init__(self) -> None:
        self.console = Console(width=None if Console().is_terminal else 150, soft_wrap=False, highlight=False)
        self._total = 0
        self._tenth = -1

    def __enter__(self) -> PlainView:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def show(self, stage: Stage) -> None:
        """Print a stage."""
        say = self.console.print
        match stage:
            case MarketRead():
                say("[1] data")
                for line in market_lines(stage):
                    say(f"    {line}", markup=False)
                if stage.market.findings:
                    say(findings_table(stage.market.findings))
            case Compiling():
                say("    compiling the engine for this machine, once: about 20 seconds ...")
            case Tried():
                if stage.done == 1:
                    say(f"[2] search: {stage.total} strategies")
            case Searched():
                say(ranking_table(stage))
                say(ledger_line(stage))
            case PaperBegan():
                self._total = stage.run.books.bars + stage.run.bars_left
                for line in paper_lines(stage):
                    say(line, markup=False)
            case BarTraded():
                self._bar(stage)
            case Ended():
                if stage.stopped:
                    say(f"stopped after the bar of {stage.summary.last}; the same command goes on from there")
                say("[4] summary")
                say(fleet_table(stage.summary))
                say(agents_table(stage.summary.agents))
                say(verdict_on_evidence(stage.summary), markup=False)

    def _bar(self, stage: BarTraded) -> None:
        books = stage.books
        for event in stage.events:
            if (text := notable(event, books)) is not None:
                self.console.print(f"    {iso(books.time)}  {text}", markup=False)
        tenth = 10 * books.bars // max(self._total, 1)
        if tenth != self._tenth:
            self._tenth = tenth
            held = len(books.net_sizes())
            best = max((agent.evidence.wealth for agent in books.active_agents()), default=1.0)
            gain = books.equity - books.start.capital
            self.console.print(
                f"    {iso(books.time)}  {percent(books.bars / self._total, 0):>6}  equity {money(books.equity)} ({money(gain, signed=True)})  "
                f"{len(books.active_agents())} agents, {held} instruments held, best evidence {wealth(best)}",
                markup=False,
            )


def ledger_line(stage: Searched) -> str:
    """The count of trials, in words."""
    return (
        f"    {stage.new_trials:,} new trials, {stage.distinct_trials:,} distinct ones of {stage.distinct_strategies:,} strategies "
        "in the ledger; deflated: the chance that a Sharpe ratio is better than luck makes the best of so many"
    )


def paper_lines(stage: PaperBegan) -> list[str]:
    """How the paper run begins."""
    start = stage.run.books.start
    lines = [
        f"[3] paper: {start.slots} slots, account {money(start.capital)}, day's loss limit {money(start.day_loss_limit)}",
        f"    journal {stage.path}",
    ]
    if stage.run.resumed_bars:
        lines.append(
            f"    {stage.run.resumed_bars:,} bars are in the journal already, up to {iso(stage.run.books.time)}; every book adds up"
        )
    return lines


def notable(event: Event, books: Books) -> str | None:
    """An event that a person wants to hear of, in words; None for all others."""
    match event:
        case AgentHired():
            return f"hired {event.agent} {event.strategy}: capital {money(event.capital)}, needs evidence of {wealth(event.level)}"
        case AgentFired():
            return f"FIRED {event.agent} {books.agents[event.agent].strategy}: drawdown {percent(float(event.drawdown))}, limit {percent(float(event.limit))}"
        case HaltBegan():
            return f"HALTED: the day lost {money(event.loss)}, limit {money(event.limit)}; everything is closed"
        case HaltEnded():
            return "entries are allowed again"
        case _:
            return None
