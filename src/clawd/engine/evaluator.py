"""Runs a graph over bars, many at a time for study or one at a time for trading, with the same compiled steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from clawd.core.panel import Floats, Panel
from clawd.engine import kernel
from clawd.engine.graph import Graph
from clawd.engine.inputs import values_of
from clawd.engine.rows import align, load, make_room

#: Values of a row in one block, over all instruments: few enough to stay in the processor's cache.
ROW = 2_048
SHORTEST_BLOCK = 32
#: Rows with histories take turns: each group has room for a few bars more behind its histories than the one before, so
#: that no single bar has to move them all. The instruments of a row move together: neighbours at even distances are
#: fetched ahead.
GROUPS, APART = 32, 2
#: Bars that fit behind a history at least.
SHORTEST_ROOM = 128


class Evaluator:
    """A graph with everything it remembers while it walks through time.

    Each row holds the bars that an instrument has, one after the other without holes. A row at which steps look back
    has its history before the bars of the block; the others share places.

    Attributes:
        graph: the graph.
        block: how many bars are computed at once.
        seen: int64 [I], how many bars of its own each instrument has had.
        counts: int64 [I], how many it has in the block at hand.
        place: int64 [I, T], which of its own bars in the block each bar is, -1 where it has none.
    """

    def __init__(self, graph: Graph, instruments: int) -> None:
        self.graph = graph
        self.block = max(SHORTEST_BLOCK, ROW // instruments)
        self._rooms = max(SHORTEST_ROOM, self.block) + APART * np.arange(-1, GROUPS)
        self.seen = np.zeros(instruments, np.int64)
        self.counts = np.zeros(instruments, np.int64)
        self.place = np.zeros((instruments, 0), np.int64)
        self._state = np.zeros(int(graph.state_at[-1]) * instruments)  # of each row, one instrument after the other
        # Of each group, how many bars have passed behind the histories; group 0 is of the rows without.
        self._cursor = np.zeros((self._rooms.size, instruments), np.int64)
        self._lay_out(instruments)

    def _lay_out(self, instruments: int) -> None:
        """Give each row its place: where it starts, how far apart its instruments are, and its group."""
        graph, block = self.graph, self.block
        size = len(graph.nodes)
        at, stride, group = np.zeros(size, np.int64), np.zeros(size, np.int64), np.zeros(size, np.int64)
        end = int(graph.slots.max(initial=-1) + 1) * instruments * block
        constants: list[tuple[int, int, float]] = []
        turn = 0
        for row in np.flatnonzero(graph.slots < 0):
            need, node = int(graph.needs[row]), graph.nodes[row]
            if node.constant is not None and need == 0:
                at[row], stride[row] = end, 0
                constants.append((end, end + block * instruments, node.constant))
                end += block * instruments
            else:
                turn = turn % GROUPS + 1
                length = need + int(self._rooms[turn])
                at[row], stride[row], group[row] = end + need, length, turn
                end += length * instruments
        self._arena = np.full(end, np.nan)
        for first, last, value in constants:
            self._arena[first:last] = value
        self._at, self._stride, self._group = at, stride, group
        self._shared, self._bars = np.flatnonzero(graph.slots >= 0), 0
        # A constant at which a step looks back was not there before the first bar either.
        given = [leaf.constant is None or graph.needs[row] > 0 for row, leaf in enumerate(graph.nodes[: graph.leaves])]
        self._loaded = np.flatnonzero(given)

    @property
    def memory(self) -> tuple[NDArray[np.generic], ...]:
        """Arena, starts, strides, groups, cursors and places: where the compiled functions find a row."""
        return self._arena, self._at, self._stride, self._group, self._cursor, self.place

    @property
    def arrays(self) -> tuple[NDArray[np.generic], ...]:
        """What :func:`clawd.engine.kernel.run` takes after the rows to run."""
        graph = self.graph
        fixed = (graph.codes, graph.inputs, graph.backs, graph.parameters, graph.parameter_at)
        where = (self._arena, self._at, self._stride, self._group, self._cursor)
        return (*fixed, self._state, graph.state_at, *where, self.counts, self.place)

    def blocks(self, panel: Panel) -> Iterator[tuple[int, int]]:
        """Walk through the bars that follow those of the call before, block by block.

        Yields:
            The block [first, last), once its inputs are in place. The steps are to be run by whoever asked.
        """
        present = panel.present
        for first in range(0, panel.times.size, self.block):
            last = min(first + self.block, panel.times.size)
            part = np.ascontiguousarray(present[:, first:last])
            self.place = np.where(part, np.cumsum(part, axis=1) - 1, -1)
            self.counts = part.sum(axis=1)
            arena, at, stride, group, cursor, place = self.memory
            if last - first != self._bars:
                # Shared places are as long as the block, so that what one bar of all instruments needs lies together.
                self._bars = last - first
                at[self._shared] = self.graph.slots[self._shared] * self.place.size
                stride[self._shared] = self._bars
            make_room(arena, at, stride, group, self.graph.needs, cursor, self.counts, self._rooms)
            bars = panel.between(first, last)
            values = np.empty((self._loaded.size, *part.shape))
            for own, row in zip(values, self._loaded, strict=True):
                leaf = self.graph.nodes[row]
                own[:] = values_of(leaf, bars) if leaf.constant is None else leaf.constant
            load(values, self._loaded, arena, at, stride, group, cursor, place)
            yield first, last
            self._cursor[1:] += self.counts
            self.seen += self.counts

    def advance(self, panel: Panel, rows: Sequence[int]) -> Floats:
        """Walk through the next bars and return what some rows were.

        Args:
            panel: the bars that follow those of the call before, [I, T].
            rows: which rows to return; each the row of a program that the graph keeps.

        Returns:
            float64 [len(rows), I, T].
        """
        result = np.empty((len(rows), *panel.close.shape))
        for first, last in self.blocks(panel):
            kernel.run(self.graph.leaves, len(self.graph.nodes), *self.arrays)
            for index, row in enumerate(rows):
                align(row, *self.memory, result[index, :, first:last])
        return result
