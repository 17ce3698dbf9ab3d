"""Runs a graph over bars, many at a time for study or one at a time for trading, with the same compiled steps."""

from __future__ import annotations

import numpy as np

from clawd.core.panel import Floats, Panel
from clawd.engine import kernel
from clawd.engine.graph import Graph, leaf_values

BLOCK = 2_048


class Evaluator:
    """The memory of a graph while it walks through time.

    Attributes:
        state: float64 [I, S], everything that the programs remember. It can be saved and put back.
        seen: int64 [I], how many bars of its own each instrument has had.
    """

    def __init__(self, graph: Graph, instruments: int) -> None:
        self.graph = graph
        self.state = np.zeros((instruments, int(graph.state_at[-1])))
        self.seen = np.zeros(instruments, np.int64)

    def advance(self, panel: Panel, rows: list[int]) -> Floats:
        """Walk through the next bars and return what some rows were.

        Args:
            panel: the bars that follow those of the call before, [I, T].
            rows: which rows of the graph's values to return.

        Returns:
            float64 [len(rows), I, T].
        """
        instruments, length = panel.close.shape
        result = np.empty((len(rows), instruments, length))
        present = panel.present
        for first in range(0, length, BLOCK):
            last = min(first + BLOCK, length)
            values = np.empty((self.graph.size, instruments, last - first))
            block = panel.between(first, last)
            for row, leaf in enumerate(self.graph.leaves):
                values[row] = leaf_values(leaf, block)
            kernel.run(
                self.graph.codes,
                self.graph.inputs,
                self.graph.parameters,
                self.graph.parameter_at,
                self.state,
                self.graph.state_at,
                values,
                len(self.graph.leaves),
                np.ascontiguousarray(present[:, first:last]),
            )
            result[:, :, first:last] = values[rows]
        self.seen += present.sum(axis=1)
        return result
