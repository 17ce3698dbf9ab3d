"""Strategies at work: what each of them wants at the close of a bar. The same for a block of history and a live bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clawd.core.panel import Floats, Panel
from clawd.engine.evaluator import Evaluator
from clawd.engine.graph import lower
from clawd.language.node import Node
from clawd.language.strategy import Strategy


@dataclass(frozen=True, eq=False)
class Decisions:
    """What a strategy wanted at the close of each bar.

    Attributes:
        targets: [I, T], wanted exposure; 0 before the warm-up is over, NaN where the bar is missing.
        distances: [3, I, T], of stop, trail and take; see :func:`clawd.engine.position.decide`.
    """

    targets: Floats
    distances: Floats

    def between(self, first: int, last: int) -> Decisions:
        """The bars with indices in [first, last)."""
        return Decisions(self.targets[:, first:last], self.distances[:, :, first:last])


class Runtime:
    """Some strategies on the instruments of one panel, with everything they remember.

    Args:
        strategies: the strategies.
        panel: any bars of the market; only its instruments, series and calendar are looked at.

    Raises:
        ClawdError: when a strategy names an instrument or series that the market does not have.
    """

    def __init__(self, strategies: Sequence[Strategy], panel: Panel) -> None:
        self.strategies = tuple(strategies)
        programs = [_programs(strategy) for strategy in self.strategies]
        graph = lower([node for nodes in programs for node in nodes if node is not None], panel)
        self._rows = [[None if node is None else graph.rows[node.text] for node in nodes] for nodes in programs]
        self._lookbacks = [strategy.lookback for strategy in self.strategies]
        self._wanted = sorted({row for rows in self._rows for row in rows if row is not None})
        self._evaluator = Evaluator(graph, len(panel.instruments))

    def advance(self, panel: Panel) -> list[Decisions]:
        """The decisions of each strategy on the bars that follow those of the call before."""
        present = panel.present
        before = self._evaluator.seen[:, np.newaxis] + np.cumsum(present, axis=1) - present
        values = self._evaluator.advance(panel, self._wanted)
        place = {row: index for index, row in enumerate(self._wanted)}
        result = []
        for strategy, lookback, rows in zip(self.strategies, self._lookbacks, self._rows, strict=True):
            target, *ranges = [None if row is None else values[place[row]] for row in rows]
            assert target is not None
            wanted = np.nan_to_num(np.clip(target, -1.0, 1.0), nan=0.0)
            wanted = np.where(present, np.where(before >= lookback, wanted, 0.0), np.nan)
            distances = np.zeros((3, *present.shape))
            for index, (distance, values_) in enumerate(zip(strategy.exits.distances, ranges, strict=True)):
                if distance is not None:
                    distances[index] = -distance.size / 100.0 if values_ is None else distance.size * values_
            result.append(Decisions(wanted, distances))
        return result


def _programs(strategy: Strategy) -> list[Node | None]:
    ranges = [None if distance is None else distance.atr for distance in strategy.exits.distances]
    return [strategy.target, *ranges]
