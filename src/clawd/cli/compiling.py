"""The wait for the compiler, which a person should know of: the first command of a new version takes longer."""

from __future__ import annotations

import os
import time

from rich.console import Console
from rich.live import Live
from rich.text import Text

from clawd.engine.compiled import is_warm
from clawd.engine.warm import warm_up

COMPILING = "compiling the engine for this machine, once: about a minute ..."

_FRAMES_PER_SECOND = 2


class Compiling:
    """The line, with the seconds that have gone by whenever it is drawn."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def __rich__(self) -> Text:
        return Text(f"{COMPILING} {time.monotonic() - self._began:.0f} s", "yellow", overflow="ellipsis")


def ready_engine() -> None:
    """Compile the engine where it is not compiled yet, and say so on standard error: standard output is for results."""
    if is_warm():
        return
    console = Console(stderr=True, highlight=False)
    if console.is_terminal and os.environ.get("TERM") != "dumb":
        with Live(Compiling(), console=console, transient=True, refresh_per_second=_FRAMES_PER_SECOND):
            warm_up()
    else:
        console.print(COMPILING, soft_wrap=True)
        warm_up()
