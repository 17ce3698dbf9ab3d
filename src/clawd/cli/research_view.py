"""How far a search is, with the best that it has: it moves on a terminal, and is lines elsewhere."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

from rich.console import Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bars
from rich.text import Text

from clawd.authors.evolution.archive import HOLDING, Member
from clawd.cli.formats import number
from clawd.cli.grid import Column, grid, screen
from clawd.research.search import SearchStep
from clawd.research.tune import TuneStep

_SHOWN = 8
_COLUMNS = (
    Column("Sharpe"),
    Column("beside the book", matters=4),
    Column("whole", matters=3),
    Column("nodes", matters=6),
    Column("turnover", matters=7),
    Column("held", matters=5, left=True),
    Column("side", matters=2, left=True),
    Column("family", matters=8, left=True),
    Column("strategy", left=True, most=60),
)


class Speed:
    """How many a second, since it was made.

    Args:
        clock: seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()

    def of(self, count: int) -> str:
        """In words, empty as long as there is nothing to say."""
        seconds = self._clock() - self._began
        return f"{count / seconds:,.0f} trials/s" if count and seconds > 0 else ""


class MovingSearch:
    """A bar with the speed, and the front below it; it leaves nothing behind.

    Args:
        noun: what is counted.
    """

    def __init__(self, noun: str) -> None:
        self._console = screen()
        self._speed = Speed()
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[said]}"),
            console=self._console,
            expand=True,
        )
        self._task = self._bars.add_task(noun, total=None, said="")
        self._live = Live(console=self._console, refresh_per_second=4, transient=True)

    def __enter__(self) -> MovingSearch:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, step: SearchStep | TuneStep) -> None:
        """Draw how far it is."""
        self._bars.update(self._task, total=_total(step), completed=_done(step), said=self._speed.of(_fresh(step)))
        parts: list[RenderableType] = [self._bars.get_renderable()]
        if isinstance(step, SearchStep) and step.front:
            parts += [Text(""), members_table(step.front[:_SHOWN], self._console.width)]
        elif isinstance(step, TuneStep) and not math.isnan(step.best):
            parts.append(Text(f"best of {step.tried:,}: median Sharpe ratio {number(step.best)}", "dim"))
        self._live.update(Group(*parts), refresh=True)


class PlainSearch:
    """A line for each tenth.

    Args:
        noun: what is counted.
    """

    def __init__(self, noun: str) -> None:
        self._noun = noun
        self._speed = Speed()
        self._console = screen()
        self._tenth = -1

    def __enter__(self) -> PlainSearch:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def show(self, step: SearchStep | TuneStep) -> None:
        """Print how far it is, where that is worth a line."""
        tenth = 10 * _done(step) // max(_total(step), 1)
        if tenth == self._tenth:
            return
        self._tenth = tenth
        parts = [f"{_done(step):,} of {_total(step):,} {self._noun}", self._speed.of(_fresh(step))]
        if isinstance(step, SearchStep) and step.front:
            parts.append(
                f"{len(step.front)} on the front, best median Sharpe {number(step.front[0].objectives.sharpe)}"
            )
        elif isinstance(step, TuneStep) and not math.isnan(step.best):
            parts.append(f"best median Sharpe {number(step.best)}")
        self._console.print(Text("; ".join(part for part in parts if part)), soft_wrap=True)


def members_table(members: Sequence[Member], width: int) -> Padding:
    """Members of an archive, a line each."""
    return grid(_COLUMNS, [_row(member) for member in members], width, rest=True)


def _row(member: Member) -> tuple[str, ...]:
    worth = member.objectives
    bounds = ("0", *(f"{edge:.0f}" for edge in HOLDING))
    held = bounds[member.cell.holding]
    until = bounds[member.cell.holding + 1] if member.cell.holding + 1 < len(bounds) else ""
    return (
        number(worth.sharpe),
        number(worth.marginal),
        number(worth.whole),
        f"{worth.size}",
        f"{number(worth.turnover, 1)}x",
        f"{held} to {until} bars" if until else f"{held} bars and more",
        member.cell.side,
        member.cell.family,
        member.strategy.target.text,
    )


def _done(step: SearchStep | TuneStep) -> int:
    return step.strategies if isinstance(step, SearchStep) else step.tried


def _total(step: SearchStep | TuneStep) -> int:
    return step.budget if isinstance(step, SearchStep) else step.trials


def _fresh(step: SearchStep | TuneStep) -> int:
    """Evaluations made, those that were remembered left out."""
    return (step.trials if isinstance(step, SearchStep) else step.tried) - step.remembered
