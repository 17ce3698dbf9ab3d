"""The engine is compiled once on each machine, and whoever waits for it is told."""

from __future__ import annotations

import os

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from clawd.engine.compiled import is_warm
from clawd.engine.warm import warm_up

COMPILING = "compiling the engine for this machine, once: about a minute ..."


def ready_engine() -> None:
    """Compile the engine where that is not done yet, and say so on standard error: standard output is for results."""
    if is_warm():
        return
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    if console.is_terminal and os.environ.get("TERM") != "dumb":
        with compiling_clock(console):
            warm_up()
    else:
        console.print(COMPILING)
        warm_up()


def compiling_clock(console: Console) -> Progress:
    """The line with the time that has passed, for a terminal; it leaves nothing behind."""
    clock = Progress(SpinnerColumn(), TextColumn(COMPILING), TimeElapsedColumn(), console=console, transient=True)
    clock.add_task("", total=None)
    return clock
