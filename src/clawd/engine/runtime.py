"""Strategies at work: what each of them wants at the close of a bar. The same for a block of history and a live bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clawd.core.panel import Floats, Panel
from clawd.engine import kernel
from clawd.engine.evaluator import Evaluator
from clawd.engine.graph import lower
from clawd.engine.rows import align, wanted
from clawd.language.exits import average_true_range
from clawd.language.strategy import Strategy


@dataclass(frozen=True, eq=False)
class Decisions:
    """What a strategy wanted at the close of each bar.

    Attributes:
        targets: [I, T], wanted exposure; 0 before the warm-up is over, NaN where the bar is missing.
        ranges: [K, I, T], average true ranges at each close, of the K windows that the runtime's exits use.
    """

    targets: Floats
    ranges: Floats

    def between(self, first: int, last: int) -> Decisions:
        """The bars with indices in [first, last)."""
        return Decisions(self.targets[:, first:last], self.ranges[:, :, first:last])


class Runtime:
    """Some strategies on the instruments of one panel, with everything they remember.

    Args:
        strategies: the strategies.
        panel: any bars of the market; only its instruments, series, groups and calendar are looked at.

    Attributes:
        windows: of the average true ranges that the exits use, rising.

    Raises:
        ClawdError: when a strategy names an instrument, group or series that the market does not have.
    """

    def __init__(self, strategies: Sequence[Strategy], panel: Panel) -> None:
        self.strategies = tuple(strategies)
        self.windows = tuple(sorted({window for strategy in strategies for window in strategy.exits.windows}))
        ranges = [average_true_range(window) for window in self.windows]
        graph = lower([*ranges, *(strategy.target for strategy in self.strategies)], panel)
        self._ranges, self._targets = graph.roots[: len(ranges)], graph.roots[len(ranges) :]
        self._lookbacks = np.array([strategy.lookback for strategy in self.strategies], np.int64)
        self._evaluator = Evaluator(graph, len(panel.instruments))

    def advance(self, panel: Panel) -> list[Decisions]:
        """The decisions of each strategy on the bars that follow those of the call before."""
        targets, ranges = self.targets(panel)
        return [Decisions(own, ranges) for own in targets]

    def targets(self, panel: Panel) -> tuple[Floats, Floats]:
        """The same as two arrays: wanted exposures [N, I, T], and the ranges [K, I, T] that all share."""
        evaluator = self._evaluator
        targets = np.empty((len(self.strategies), *panel.close.shape))
        ranges = np.empty((len(self.windows), *panel.close.shape))
        for first, last in evaluator.blocks(panel):
            kernel.run(evaluator.graph.leaves, len(evaluator.graph.nodes), *evaluator.arrays)
            for index, row in enumerate(self._ranges):
                align(row, *evaluator.memory, ranges[index, :, first:last])
            wanted(self._targets, self._lookbacks, evaluator.seen, *evaluator.memory, targets[:, :, first:last])
        return targets, ranges
