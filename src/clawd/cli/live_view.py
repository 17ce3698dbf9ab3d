"""The stages of a run on a terminal: what is done scrolls up, what is happening stays below and moves."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from decimal import Decimal

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.panel import Panel as Frame
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from clawd import __version__
from clawd.cli.compiling import compiling_clock
from clawd.cli.formats import count, money, percent, price
from clawd.cli.grid import screen
from clawd.cli.plain_view import ledger_lines, notable, paper_lines, strategies
from clawd.cli.tables import (
    agents_table,
    findings_table,
    fleet_table,
    market_lines,
    ranking_table,
    verdict_on_evidence,
)
from clawd.core.clock import iso
from clawd.core.event import Event
from clawd.core.events import OrderFilled, VerdictGiven
from clawd.core.money import studied
from clawd.fleet.books import Books
from clawd.fleet.campaign import BarTraded, Compiling, Ended, MarketRead, PaperBegan, Searched, Stage, Tried
from clawd.fleet.summary import agent_summary

_FRAMES_PER_SECOND = 12
_FEWEST_AGENTS, _FEWEST_NEWS, _MOST_NEWS = 3, 4, 7
_LINES_AROUND = 12  # of the floor, beside the agents and the news
_MOST_HELD = 5
_STEPS = "▁▂▃▄▅▆▇█"


class LiveView:
    """Draws the run. Frames are drawn by the clock, not by the bar, so drawing never slows trading."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or screen()
        self._live = Live(console=self.console, refresh_per_second=1, transient=True)
        self._drawn = 0.0
        self._news: deque[tuple[str, Text]] = deque(maxlen=_MOST_NEWS)
        self._total = 0
        self._bars_per_year = 252.0

    def __enter__(self) -> LiveView:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.update(Text(""), refresh=True)
        self._live.stop()

    def show(self, stage: Stage) -> None:
        """Draw a stage."""
        say, width = self._live.console.print, self.console.width
        match stage:
            case MarketRead():
                self._bars_per_year = stage.market.panel.bars_per_year
                say(Text(f"clawd {__version__}", "bold").append("  paper only: no order can leave this machine", "dim"))
                say(_heading("1  Data"))
                for line in market_lines(stage):
                    say(Padding(Text(line), (0, 0, 0, 2)))
                if stage.market.findings:
                    say(Text(""), findings_table(stage.market.findings, width))
            case Compiling():
                self._draw(Padding(compiling_clock(self.console), (1, 0, 0, 2)))
            case Tried():
                if stage.done == 1:
                    say(_heading(f"2  Search: {strategies(stage.total)}"))
                self._draw(_progress(stage))
            case Searched():
                self._draw(Text(""))
                say(ranking_table(stage, width))
                for line in ledger_lines(stage):
                    say(Padding(Text(line, "dim"), (0, 0, 0, 2)))
            case PaperBegan():
                self._total = stage.run.books.bars + stage.run.bars_left
                heading, *lines = paper_lines(stage)
                say(_heading(f"3  Paper: {heading}"))
                for line in lines:
                    say(Padding(Text(line, "dim"), (0, 0, 0, 2)))
            case BarTraded():
                for event in stage.events:
                    self._note(event, stage.books)
                if time.monotonic() - self._drawn > 1 / _FRAMES_PER_SECOND:
                    self._draw(self.floor(stage.books))
            case Ended():
                self._draw(Text(""))
                say(_heading("4  Summary"))
                if stage.stopped:
                    message = f"stopped after the bar of {stage.summary.last}; the same command goes on from there"
                    say(Padding(Text(message, "yellow"), (0, 0, 0, 2)))
                say(fleet_table(stage.summary), Text(""), agents_table(stage.summary.agents, width), sep="\n")
                say(Text(f"\n{verdict_on_evidence(stage.summary)}", "bold"))

    def _draw(self, what: RenderableType) -> None:
        self._live.update(what, refresh=True)
        self._drawn = time.monotonic()

    def _note(self, event: Event, books: Books) -> None:
        text = notable(event, books)
        if text is not None:
            self._news.append((iso(books.time), Text(text, "bold yellow")))
        elif isinstance(event, OrderFilled):
            verb, style = ("buys", "green") if event.size > 0 else ("sells", "red")
            deal = f"{money(abs(event.size) * event.price):>9} at {price(event.price)}"
            self._deal(event, books, verb, deal, event.reason.word.replace("_", " "), style)
        elif isinstance(event, VerdictGiven) and event.outcome != "allow":
            mark = books.marks[event.symbol]
            deal = f"{money(abs(event.allowed) * mark):>9} of {money(abs(event.asked) * mark)}"
            verb = "shrunk" if event.allowed else "refused"
            self._deal(event, books, verb, deal, event.code.replace("_", " ").lower(), "yellow")

    def _deal(
        self, event: OrderFilled | VerdictGiven, books: Books, verb: str, deal: str, why: str, style: str
    ) -> None:
        widest = min(max(map(len, books.symbols)), 14)
        line = Text(f"{verb:<7}  {event.symbol:<{widest}}  {deal:<22}", style, no_wrap=True, overflow="ellipsis")
        line.append(f"  {books.agents[event.agent].strategy:<28}", "default").append(f"  {why}", "dim")
        self._news.append((iso(books.time), line))

    def floor(self, books: Books) -> Group:
        """The trading floor as it stands. It is as high in every frame as it can be, so that nothing jumps."""
        lines = self.console.height - _LINES_AROUND
        agents = books.active_agents()
        fired = [agent for agent in books.agents.values() if not agent.active]
        agents += fired[len(fired) - max(books.start.slots - len(agents), 0) :]
        rows = min(len(agents), max(lines - _FEWEST_NEWS, _FEWEST_AGENTS))
        news = max(_FEWEST_NEWS, min(_MOST_NEWS, lines - rows))
        table = agents_table(
            [agent_summary(agent, books, self._bars_per_year) for agent in agents[:rows]], self.console.width
        )
        rest = Text(f"  and {count(len(agents) - rows, 'more agent')}" if len(agents) > rows else "", "dim")
        return Group(Text(""), self._account(books), Text(""), table, rest, self._tape(news))

    def _account(self, books: Books) -> Padding:
        start = books.start
        used = books.day_loss + books.reserved
        gain = money(books.equity - start.capital, signed=True)
        width = max(12, min(48, self.console.width - 58))
        curve = books.equity_curve
        extremes = f"  range {money(Decimal(min(curve)))} to {money(Decimal(max(curve)))}" if curve else ""
        equity = Text(money(books.equity), "bold").append(f"  {gain}", "red" if gain.startswith("-") else "green")
        share = percent(books.bars / max(self._total, 1), 0)
        rows: tuple[tuple[str, RenderableType, Text], ...] = (
            (
                "time",
                _bar(books.bars, self._total, width),
                Text(iso(books.time), "bold").append(f"  bar {books.bars:,} of {self._total:,}, {share}", "dim"),
            ),
            ("equity", Text(_curve(curve, self._total, width), "cyan"), equity.append(extremes, "dim")),
            (
                "day's limit",
                _gauge(studied(used / start.day_loss_limit), width),
                Text(money(used)).append(f" of {money(start.day_loss_limit)} lost or at risk", "dim"),
            ),
        )
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(style="dim", no_wrap=True, min_width=11)
        table.add_column(no_wrap=True, min_width=width)
        table.add_column(no_wrap=True)
        for row in rows:
            table.add_row(*row)
        return Padding(Group(table, _holdings(books)), (0, 0, 0, 2))

    def _tape(self, news: int) -> Frame:
        latest = list(self._news)[-news:]
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(style="dim", no_wrap=True, min_width=max((len(moment) for moment, _ in latest), default=0))
        table.add_column(no_wrap=True, overflow="ellipsis")
        for moment, text in latest:
            table.add_row(moment, text)
        return Frame(table, title="tape", title_align="left", border_style="dim", height=news + 2)


def _heading(text: str) -> Text:
    return Text(f"\n{text}", "bold cyan")


def _progress(stage: Tried) -> Padding:
    line = Table.grid(padding=(0, 2, 0, 0))
    line.add_row(
        _bar(stage.done, stage.total, 40),
        Text(f"{stage.done} of {stage.total}: {stage.candidate.strategy.name}", "dim"),
    )
    return Padding(line, (0, 0, 0, 2))


def _bar(done: int, total: int, width: int) -> ProgressBar:
    return ProgressBar(total=total, completed=done, width=width, complete_style="cyan", finished_style="cyan")


def _holdings(books: Books) -> Text:
    held = {symbol: size * books.marks[symbol] for symbol, size in books.net_sizes().items()}
    largest = sorted(held, key=lambda symbol: abs(held[symbol]), reverse=True)[:_MOST_HELD]
    line = Text("holds        ", "dim", no_wrap=True, overflow="ellipsis")
    if not held:
        return line.append("nothing", "default")
    for symbol in sorted(largest):
        line.append(f"{symbol} ", "not dim").append(f"{money(held[symbol], signed=True)}  ", "not dim")
    return line.append(f"and {len(held) - _MOST_HELD} more" if len(held) > _MOST_HELD else "")


def _curve(values: Sequence[float], total: int, width: int) -> str:
    """A curve that grows to the right as the run goes on: each place stands for the same bars in every frame."""
    reached = range(min(width, -(-len(values) * width // max(total, 1))))
    shown = [values[min((place + 1) * total // width, len(values)) - 1] for place in reached]
    if not shown:
        return ""
    low, high = min(shown), max(shown)
    scale = (len(_STEPS) - 1) / (high - low) if high > low else 0.0
    return "".join(_STEPS[round((value - low) * scale)] for value in shown)


def _gauge(share: float, width: int) -> Text:
    filled = min(width, round(max(share, 0.0) * width))
    style = "red" if share > 0.95 else "yellow" if share > 0.7 else "green"
    return Text("━" * filled, style).append("─" * (width - filled), "dim")
