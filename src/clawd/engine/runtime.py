"""Strategies at work: what each of them wants at the close of a bar. The same for a block of history and a live bar."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from clawd.core.panel import Floats, Panel
from clawd.engine import kernel
from clawd.engine.evaluator import Evaluator
from clawd.engine.graph import lower
from clawd.engine.rows import align, wanted
from clawd.language.exits import average_true_range, windows_of
from clawd.language.node import Node
from clawd.language.strategy import Strategy

#: Strategies times instruments from which on two threads share the work of a bar.
LARGE_FLEET = 10_000


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
        self.windows = windows_of(strategy.exits for strategy in strategies)
        ranges = [average_true_range(window) for window in self.windows]
        # A large fleet is two halves, so that both cores work on a bar; its like programs stay together.
        order = sorted(range(len(strategies)), key=lambda index: strategies[index].target.text)
        halves = 2 if len(strategies) * len(panel.instruments) >= LARGE_FLEET else 1
        parts = [[int(index) for index in part] for part in np.array_split(order, halves)]
        self._parts = [
            _Part([self.strategies[index] for index in part], ranges if number == 0 else [], panel, part)
            for number, part in enumerate(parts)
        ]
        self._pool = ThreadPoolExecutor(1) if halves > 1 else None

    def advance(self, panel: Panel, progress: Callable[[float], None] | None = None) -> list[Decisions]:
        """The decisions of each strategy on the bars that follow those of the call before.

        Args:
            panel: these bars.
            progress: told after every block of them which share is done.
        """
        targets, ranges = self.targets(panel, progress)
        return [Decisions(own, ranges) for own in targets]

    def targets(self, panel: Panel, progress: Callable[[float], None] | None = None) -> tuple[Floats, Floats]:
        """The same as two arrays: wanted exposures [N, I, T], and the ranges [K, I, T] that all share."""
        targets = np.empty((len(self.strategies), *panel.close.shape))
        ranges = np.empty((len(self.windows), *panel.close.shape))
        # The other half is computed while this thread puts the inputs of its own in place. All that is Python is done
        # here, so that neither waits for the other's lock: compiled code does not need it.
        pools = (self._pool, None) if self._pool else (None,)
        walks = [part.blocks(panel, targets, ranges, pool) for part, pool in zip(self._parts, pools, strict=True)]
        for block, begun in enumerate(zip(*walks, strict=True), start=1):
            for each in begun:
                if each is not None:
                    each.result()
            if progress is not None:
                progress(min(block * self._parts[0].evaluator.block / panel.times.size, 1.0))
        return targets, ranges


class _Part:
    """Some of the strategies, as one graph.

    Args:
        strategies: the strategies.
        ranges: programs of the average true ranges that it has to compute for all.
        panel: of the market.
        members: the places of the strategies among all.
    """

    def __init__(
        self, strategies: Sequence[Strategy], ranges: Sequence[Node], panel: Panel, members: Sequence[int]
    ) -> None:
        graph = lower([*ranges, *(strategy.target for strategy in strategies)], panel)
        self.ranges, self.targets = graph.roots[: len(ranges)], graph.roots[len(ranges) :]
        self.lookbacks = np.array([strategy.lookback for strategy in strategies], np.int64)
        self.members = np.array(members, np.int64)
        self.evaluator = Evaluator(graph, len(panel.instruments))

    def blocks(
        self, panel: Panel, targets: Floats, ranges: Floats, pool: Executor | None
    ) -> Iterator[Future[None] | None]:
        """Compute block by block. In a pool, a block has only been begun; it is to be done before the next."""
        for first, last in self.evaluator.blocks(panel):
            if pool is not None:
                yield pool.submit(self._compute, first, last, targets, ranges)
            else:
                self._compute(first, last, targets, ranges)
                yield None

    def _compute(self, first: int, last: int, targets: Floats, ranges: Floats) -> None:
        evaluator = self.evaluator
        kernel.run(evaluator.graph.leaves, len(evaluator.graph.nodes), *evaluator.arrays)
        for index, row in enumerate(self.ranges):
            align(row, *evaluator.memory, ranges[index, :, first:last])
        programs = self.targets, self.lookbacks, self.members
        wanted(*programs, evaluator.seen, *evaluator.memory, targets, first)
