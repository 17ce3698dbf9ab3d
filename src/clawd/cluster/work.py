"""What a worker does, in whatever process on whatever machine."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import numba
import numpy as np

from clawd import __version__
from clawd.cluster.task import Outcome, Task
from clawd.core.errors import ClawdError
from clawd.core.panel import Panel
from clawd.engine.population import evaluate, evaluate_in_segments
from clawd.engine.warm import load_rules, load_steps, warm_up
from clawd.language.strategy import Strategy

Work = Callable[[Task, Panel], Sequence[Outcome]]

_RESULTS_DEPEND_ON: Final = ("core", "language", "engine", "cluster")


def outcomes(task: Task, panel: Panel) -> tuple[Outcome, ...]:
    """The figures of every strategy of a task, or the reason why one has none. A faulty one spoils no other."""
    return _outcomes(task, panel, task.strategies)


def _outcomes(task: Task, panel: Panel, strategies: Sequence[Strategy]) -> tuple[Outcome, ...]:
    where = (panel, task.costs, task.capital, task.window.first, task.window.last)
    try:
        if task.segments:
            return evaluate_in_segments(strategies, *where, segments=task.segments, threads=1)
        return evaluate(strategies, *where, threads=1)
    except Exception as error:  # whatever it is, the other strategies go on
        if len(strategies) == 1:
            said = str(error) if isinstance(error, ClawdError) else f"{type(error).__name__}: {error}"
            return (" ".join(said.split()),)
    middle = len(strategies) // 2
    return _outcomes(task, panel, strategies[:middle]) + _outcomes(task, panel, strategies[middle:])


@cache
def code_version() -> str:
    """The release, and a digest of all that results depend on: sources, NumPy, Numba."""
    digest = hashlib.sha256(f"{numba.__version__} {np.__version__}".encode())
    package = Path(__file__).parents[1]
    for name in _RESULTS_DEPEND_ON:
        for source in sorted((package / name).rglob("*.py")):
            digest.update(source.read_bytes())
    return f"{__version__}+{digest.hexdigest()[:12]}"


def make_ready() -> None:
    """Load the compiled code; where there is none, one process of this machine compiles and the others wait for it."""
    warm_up()
    load_steps()
    load_rules()
