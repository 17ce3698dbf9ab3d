"""The stages of a run as plain lines, where there is no terminal."""

from __future__ import annotations

from rich.text import Text

from clawd.cli.compiling import COMPILING
from clawd.cli.formats import count, money, percent
from clawd.cli.grid import screen
from clawd.cli.tables import (
    agents_table,
    findings_table,
    fleet_table,
    market_lines,
    ranking_table,
    verdict_on_evidence,
)
from clawd.core.account_events import (
    AgentPaused,
    AgentUnpaused,
    FlattenBegan,
    FlatVerified,
    TradingState,
    TradingStateChanged,
)
from clawd.core.clock import iso
from clawd.core.event import Event
from clawd.core.events import AgentFired, AgentHired, HaltBegan, HaltEnded, HypothesisProven
from clawd.evidence.monitor import FALSE_FIRING
from clawd.fleet.books import Books
from clawd.fleet.campaign import BarTraded, Compiling, Ended, MarketRead, PaperBegan, Searched, Stage, Tried
from clawd.reports.fact_words import fact_words
from clawd.reports.formats import wealth
from clawd.store.switchboard import Switch


class PlainView:
    """Prints lines, never moves the cursor; about twenty lines of progress whatever the length of the run."""

    def __init__(self) -> None:
        self.console = screen()
        self._total = 0
        self._tenth = -1

    def __enter__(self) -> PlainView:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def show(self, stage: Stage) -> None:
        """Print a stage."""
        show, width = self.console.print, self.console.width
        match stage:
            case MarketRead():
                self._say("[1] data")
                for line in market_lines(stage):
                    self._say(f"  {line}")
                if stage.market.findings:
                    show(findings_table(stage.market.findings, width))
            case Compiling():
                self._say(f"  {COMPILING}")
            case Tried():
                if stage.done == 1:
                    self._say(f"[2] search: {strategies(stage.total)}")
            case Searched():
                show(ranking_table(stage, width))
                for line in ledger_lines(stage):
                    self._say(f"  {line}")
            case PaperBegan():
                self._total = stage.run.books.bars + stage.run.bars_left
                heading, *lines = paper_lines(stage)
                self._say(f"[3] paper: {heading}")
                for line in lines:
                    self._say(f"  {line}")
            case BarTraded():
                self._bar(stage)
            case Ended():
                self._say("[4] summary")
                if stage.stopped:
                    self._say(f"  stopped after the bar of {stage.summary.last}; the same command goes on from there")
                show(fleet_table(stage.summary), "", agents_table(stage.summary.agents, width), sep="\n")
                self._say(verdict_on_evidence(stage.summary))

    def _say(self, line: str) -> None:
        self.console.print(Text(line), soft_wrap=True)

    def _bar(self, stage: BarTraded) -> None:
        books = stage.books
        for event in stage.events:
            if (text := notable(event, books)) is not None:
                self._say(f"  {iso(books.time)}  {text}")
        tenth = 10 * books.bars // max(self._total, 1)
        if tenth != self._tenth:
            self._tenth = tenth
            active = books.active_agents()
            best = max((agent.evidence.wealth for agent in active), default=1.0)
            gain = money(books.equity - books.start.capital, signed=True)
            self._say(
                f"  {iso(books.time)}  {percent(books.bars / self._total, 0):>5}  "
                f"equity {money(books.equity)} ({gain})  "
                f"{count(len(active), 'agent')}, {count(len(books.net_sizes()), 'instrument')} held, "
                f"best evidence {wealth(best)}"
            )


def strategies(number: int) -> str:
    """How many strategies."""
    return "1 strategy" if number == 1 else f"{number:,} strategies"


def ledger_lines(stage: Searched) -> list[str]:
    """The count of trials, in words."""
    return [
        f"{count(stage.new_trials, 'new trial')}; the ledger has {stage.distinct_trials:,} distinct ones of "
        f"{strategies(stage.distinct_strategies)}",
        "deflated: the chance that a Sharpe ratio is better than luck makes the best of so many",
    ]


def paper_lines(stage: PaperBegan) -> list[str]:
    """How the paper run begins."""
    start, run = stage.run.books.start, stage.run
    lines = [
        f"{count(start.slots, 'slot')}, account {money(start.capital)}, day's loss limit {money(start.day_loss_limit)}",
        f"journal {stage.path}",
    ]
    if stage.ordered.switch is not Switch.RESUME:
        lines.append(
            f"{stage.ordered.switch.state.upper()} by {stage.ordered.by} since {iso(stage.ordered.ts)}: nothing is "
            "entered until `clawd resume`"
        )
    if paused := [f"{agent.id} {agent.strategy}" for agent in run.books.active_agents() if agent.paused]:
        lines.append(f"paused, so entering nothing until `clawd unpause`: {', '.join(paused)}")
    if run.resumed_bars:
        lines.append(
            f"{count(run.resumed_bars, 'bar')} in the journal already, up to {iso(run.books.time)}; every book adds up"
        )
        lines.append(
            f"going on with {count(run.bars_left, 'bar')}"
            if run.bars_left
            else "no bar is left to trade, nothing was added; --fresh begins anew"
        )
    return lines


def notable(event: Event, books: Books) -> str | None:
    """An event that a person wants to hear of, in words; None for all others."""
    match event:
        case AgentHired() | HaltEnded() | FlattenBegan():
            return fact_words(event).text
        case AgentPaused() | AgentUnpaused():
            return fact_words(event, {event.agent: books.agents[event.agent].strategy}).text
        case AgentFired(why="EVIDENCE"):
            lost = f"evidence that it loses {wealth(event.wealth or 0.0)}, limit {wealth(1 / FALSE_FIRING)}"
            return f"FIRED {event.agent} {books.agents[event.agent].strategy}: {lost}"
        case AgentFired():
            fell = f"drawdown {percent(float(event.drawdown))}, limit {percent(float(event.limit))}"
            return f"FIRED {event.agent} {books.agents[event.agent].strategy}: {fell}"
        case HypothesisProven():
            name = books.agents[event.agent].strategy
            reached = f"evidence {wealth(event.wealth)}, needed {wealth(event.level)}"
            return f"PROVEN {event.agent} {name}: {reached}; waiting for you"
        case HaltBegan():
            return f"HALTED: the day lost {money(event.loss)}, limit {money(event.limit)}; everything is closed"
        case TradingStateChanged(state=TradingState.ACTIVE):
            return f"resumed by {event.by}: entries are allowed again"
        case TradingStateChanged():
            return f"{event.state.upper()} by {event.by}: nothing is entered until `clawd resume`"
        case FlatVerified():
            return "flat: the venue has no order and no position"
        case _:
            return None
