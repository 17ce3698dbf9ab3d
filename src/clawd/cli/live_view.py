"""The stages of a run on a terminal: what is done scrolls up, what is happening stays below and moves."""

from __future__ import annotations

import time
from collections import deque

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel as Frame
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from clawd import __version__
from clawd.cli.formats import money, percent
from clawd.cli.plain_view import ledger_line, notable
from clawd.cli.tables import (
    agents_table,
    findings_table,
    fleet_table,
    market_lines,
    ranking_table,
    verdict_on_evidence,
)
from clawd.core.clock import iso
from clawd.core.events import Event, OrderFilled, VerdictGiven
from clawd.core.money import studied
from clawd.fleet.books import Books
from clawd.fleet.campaign import BarTraded, Compiling, Ended, MarketRead, PaperBegan, Searched, Stage, Tried
from clawd.fleet.summary import agent_summary

_FRAMES_PER_SECOND = 12
_NEWS = 7


class LiveView:
    """Draws the run. Frames are drawn by the clock, not by the bar, so drawing never slows trading."""

    def __init__(self) -> None:
        self.console = Console(highlight=False)
        self._live = Live(console=self.console, auto_refresh=False, transient=True)
        self._drawn = 0.0
        self._news: deque[Text] = deque(maxlen=_NEWS)
        self._total = 0
        self._bars_per_year = 252.0

    def __enter__(self) -> LiveView:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, stage: Stage) -> None:
        """Draw a stage."""
        say = self._live.console.print
        match stage:
            case MarketRead():
                self._bars_per_year = stage.market.panel.bars_per_year
                say(Text(f"clawd {__version__}", "bold").append("  paper only: no order can leave this machine", "dim"))
                say(_heading("1  Data"))
                for line in market_lines(stage):
                    say(Text(f"   {line}"))
                if stage.market.findings:
                    say(findings_table(stage.market.findings))
            case Compiling():
                self._draw(Text("   compiling the engine for this machine, once: about 20 seconds ...", "yellow"))
            case Tried():
                if stage.done == 1:
                    say(_heading("2  Search"))
                self._draw(_bar(stage.done, stage.total, f"tried {stage.candidate.strategy.name}"))
            case Searched():
                say(ranking_table(stage))
                say(Text(ledger_line(stage), "dim"))
            case PaperBegan():
                say(_heading("3  Paper"))
                self._total = stage.run.books.bars + stage.run.bars_left
                say(Text(f"   journal {stage.path}", "dim"))
                if stage.run.resumed_bars:
                    say(
                        Text(
                            f"   {stage.run.resumed_bars:,} bars are in the journal already, up to {iso(stage.run.books.time)}; every book adds up"
                        )
                    )
            case BarTraded():
                for event in stage.events:
                    self._note(event, stage.books)
                if time.monotonic() - self._drawn > 1 / _FRAMES_PER_SECOND:
                    self._draw(self._floor(stage.books))
            case Ended():
                self._draw(Text(""))
                say(_heading("4  Summary"))
                if stage.stopped:
                    say(
                        Text(
                            f"   stopped after the bar of {stage.summary.last}; the same command goes on from there",
                            "yellow",
                        )
                    )
                say(fleet_table(stage.summary))
                say(agents_table(stage.summary.agents))
                say(Text(verdict_on_evidence(stage.summary), "bold"))

    def _draw(self, what: Text | Group | Table) -> None:
        self._live.update(what, refresh=True)
        self._drawn = time.monotonic()

    def _note(self, event: Event, books: Books) -> None:
        text = notable(event, books)
        style = "bold yellow"
        if text is None and isinstance(event, OrderFilled):
            side = "buys" if event.size > 0 else "sells"
            agent = books.agents[event.agent]
            text = (
                f"{agent.strategy} {side} {abs(event.size)} {event.symbol} at {event.price:,.2f}: {event.reason.word}"
            )
            style = "green" if event.size > 0 else "red"
        elif text is None and isinstance(event, VerdictGiven) and event.outcome != "allow":
            agent = books.agents[event.agent]
            text = f"the gate {event.outcome}s {agent.strategy} in {event.symbol}: {event.code}, asked {abs(event.asked)}, allowed {abs(event.allowed)}"
            style = "yellow"
        if text is not None:
            self._news.append(Text(f"{iso(books.time)}  ", "dim").append(text, style))

    def _floor(self, books: Books) -> Group:
        """The trading floor as it stands."""
        start = books.start
        gain = books.equity - start.capital
        limit = start.day_loss_limit
        used = books.day_loss + books.reserved
        account = Table.grid(padding=(0, 3))
        account.add_row(
            Text(iso(books.time), "bold"),
            Text("equity ").append(money(books.equity), "bold"),
            Text("P&L ").append(money(gain, signed=True), "green" if gain >= 0 else "red"),
            Text("day's limit ")
            .append_text(_gauge(studied(used / limit)))
            .append(f" {money(used)} of {money(limit)} lost or at risk", "dim"),
        )
        agents = [agent_summary(agent, books, self._bars_per_year) for agent in books.agents.values()]
        shown = [agent for agent in agents if agent.status == "trading"] + [
            agent for agent in agents if agent.status != "trading"
        ][-3:]
        height = max(4, self.console.height - 16)
        news = Group(*self._news) if self._news else Text("nothing has happened yet", "dim")
        return Group(
            _bar(books.bars, self._total, percent(books.bars / max(self._total, 1), 0)),
            account,
            agents_table(shown[:height]),
            Frame(news, title="tape", title_align="left", border_style="dim", height=_NEWS + 2),
        )


def _heading(text: str) -> Text:
    return Text(f"\n{text}", "bold cyan")


def _bar(done: int, total: int, text: str) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_row(ProgressBar(total=total, completed=done, width=40), Text(text, "dim"))
    return grid


def _gauge(share: float, width: int = 16) -> Text:
    filled = min(width, round(max(share, 0.0) * width))
    style = "red" if share > 0.95 else "yellow" if share > 0.7 else "green"
    return Text("█" * filled, style).append("░" * (width - filled), "dim")
