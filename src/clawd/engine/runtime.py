"""Strategies at work: what each of them wants at the close of a bar. The same for a block of history and a live bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clawd.core.panel import Floats, Panel
from clawd.engine.evaluator import Evaluator
from clawd.engine.graph import lower
from clawd.language.exits import average_true_range
from clawd.language.strategy import Strategy


@dataclass(frozen=True, eq=False)
class Decisions:
    """What a strategy wanted at the close of each bar.

    Attributes:
        targets: [I, T], wanted exposure; 0 before the warm-up is over, NaN where the bar is missing.
        ranges: [K, I, T], average true ranges of the windows of its runtime, quote currency; shared by its strategies.
    """

    targets: Floats
    ranges: Floats

    def between(self, first: int, last: int) -> Decisions:
        """The bars with indices in [first, last)."""
        return Decisions(self.targets[:, first:last], self.ranges[:, :, first:last])


class Runtime:
    """Some strategies on the instruments of one panel, with everything they remember.

    Attributes:
        windows: of the average true ranges that the exits of the strategies use, rising.

    Args:
        strategies: the strategies.
        panel: any bars of the market; only its instruments, series and calendar are looked at.

    Raises:
        ClawdError: when a strategy names an instrument or series that the market does not have.
    """

    def __init__(self, strategies: Sequence[Strategy], panel: Panel) -> None:
        self.strategies = tuple(strategies)
        self.windows = tuple(sorted({window for strategy in strategies for window in strategy.exits.windows}))
        ranges = [average_true_range(window) for window in self.windows]
        graph = lower([*(strategy.target for strategy in self.strategies), *ranges], panel)
        self._targets = [graph.rows[strategy.target.text] for strategy in self.strategies]
        self._ranges = [graph.rows[node.text] for node in ranges]
        self._lookbacks = [strategy.lookback for strategy in self.strategies]
        self._wanted = sorted({*self._targets, *self._ranges})
        self._evaluator = Evaluator(graph, len(panel.instruments))

    def advance(self, panel: Panel) -> list[Decisions]:
        """The decisions of each strategy on the bars that follow those of the call before."""
        present = panel.present
        before = self._evaluator.seen[:, np.newaxis] + np.cumsum(present, axis=1) - present
        values = self._evaluator.advance(panel, self._wanted)
        place = {row: index for index, row in enumerate(self._wanted)}
        ranges = np.zeros((len(self.windows), *present.shape))
        for index, row in enumerate(self._ranges):
            ranges[index] = values[place[row]]
        result = []
        for lookback, row in zip(self._lookbacks, self._targets, strict=True):
            wanted = np.nan_to_num(np.clip(values[place[row]], -1.0, 1.0), nan=0.0)
            wanted = np.where(present, np.where(before >= lookback, wanted, 0.0), np.nan)
            result.append(Decisions(wanted, ranges))
        return result
