"""How far a sweep is: a bar that moves on a terminal, lines elsewhere."""

from __future__ import annotations

import math

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bars
from rich.text import Text

from clawd.cli.grid import screen
from clawd.cluster.run import Progress


class MovingProgress:
    """A bar with the rate and the time left; it leaves nothing behind."""

    def __init__(self) -> None:
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[speed]}"),
            console=screen(),
            transient=True,
            expand=True,
        )
        self._task = self._bars.add_task("sweep", total=None, speed="")

    def __enter__(self) -> MovingProgress:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def show(self, progress: Progress) -> None:
        """Draw how far it is."""
        self._bars.update(self._task, total=progress.total, completed=progress.done, speed=speed(progress))


class PlainProgress:
    """A line for each tenth."""

    def __init__(self) -> None:
        self._console = screen()
        self._tenth = -1

    def __enter__(self) -> PlainProgress:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def show(self, progress: Progress) -> None:
        """Print how far it is, where that is worth a line."""
        tenth = 10 * progress.done // max(progress.total, 1)
        if tenth != self._tenth:
            self._tenth = tenth
            said = speed(progress)
            self._say(f"{progress.done:,} of {progress.total:,}{'; ' if said else ''}{said}")

    def _say(self, line: str) -> None:
        self._console.print(Text(line), soft_wrap=True)


def speed(progress: Progress) -> str:
    """The rate and the time left, empty before the first result."""
    if not progress.rate > 0:
        return ""
    over = progress.done == progress.total or math.isnan(progress.seconds_left)
    left = "" if over else f", {_time(progress.seconds_left)} left"
    rate = f"{progress.rate / 1e6:,.1f} million" if progress.rate >= 1e5 else f"{progress.rate:,.0f}"
    return f"{rate} strategy-bars/s{left}"


def _time(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    hours, minutes = divmod(-(-whole // 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
