"""The programs of a fleet's strategies over one market: what each of them wants at every close."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from clawd.core.panel import Floats, Panel
from clawd.engine.plan import plan_of
from clawd.engine.runtime import Decisions, Runtime
from clawd.language.strategy import Strategy


class Programs:
    """Strategies at work on one market.

    Args:
        strategies: the strategies.
        panel: any bars of the market; only its instruments, series, groups and calendar are looked at.

    Attributes:
        rows: of each strategy, [I] places of its instruments in the market.
        plans: of each strategy, its exits as numbers.
        latest: of each strategy, [I] the last exposure that it wanted, NaN before the first.

    Raises:
        ClawdError: when a strategy names an instrument, group or series that the market does not have.
    """

    def __init__(self, strategies: Sequence[Strategy], panel: Panel) -> None:
        self.strategies = tuple(strategies)
        self.rows = [_rows_of(strategy, panel) for strategy in strategies]
        self.latest: list[Floats] = [np.full(len(rows), np.nan) for rows in self.rows]
        self._runtimes = _runtimes(strategies, panel, self.rows)
        self.plans = [_plan(strategy, index, self._runtimes) for index, strategy in enumerate(strategies)]

    def warm_up(self, panel: Panel) -> list[Decisions]:
        """Live through bars whose wishes nobody acts on and nobody remembers."""
        result: dict[int, Decisions] = {}
        for runtime, members, rows in self._runtimes:
            part = panel if len(rows) == len(panel.instruments) else panel.select([panel.symbols[row] for row in rows])
            result.update(zip(members, runtime.advance(part), strict=True))
        return [result[index] for index in range(len(self.strategies))]

    def advance(self, panel: Panel) -> list[Decisions]:
        """The decisions of each strategy on the bars that follow those before."""
        decisions = self.warm_up(panel)
        for latest, decision in zip(self.latest, decisions, strict=True):
            for row in range(latest.size):
                known = np.flatnonzero(~np.isnan(decision.targets[row]))
                if known.size:
                    latest[row] = decision.targets[row, known[-1]]
        return decisions


def _rows_of(strategy: Strategy, panel: Panel) -> NDArray[np.intp]:
    wanted = panel.symbols if strategy.universe is None else strategy.universe
    return np.array([row for row, symbol in enumerate(panel.symbols) if symbol in wanted], np.intp)


def _runtimes(
    strategies: Sequence[Strategy], panel: Panel, rows: Sequence[NDArray[np.intp]]
) -> list[tuple[Runtime, list[int], NDArray[np.intp]]]:
    """Strategies that share a universe share a graph: what they have in common is computed once."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for index, own in enumerate(rows):
        groups.setdefault(tuple(own.tolist()), []).append(index)
    return [
        (
            Runtime([strategies[member] for member in members], panel.select([panel.symbols[row] for row in own])),
            members,
            np.array(own, np.intp),
        )
        for own, members in groups.items()
    ]


def _plan(strategy: Strategy, index: int, runtimes: Sequence[tuple[Runtime, list[int], NDArray[np.intp]]]) -> np.void:
    runtime = next(runtime for runtime, members, _ in runtimes if index in members)
    return plan_of(strategy.exits, runtime.windows)
