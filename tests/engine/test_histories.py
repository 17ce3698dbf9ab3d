"""Where rows keep their histories: with room behind them, so that few live bars move any, and none moves all."""

from __future__ import annotations

import numpy as np
import pytest

from clawd.engine.evaluator import SHORTEST_ROOM, Evaluator
from clawd.engine.graph import lower
from engine.panels import program, random_panel


@pytest.mark.parametrize("instruments", [5, 8])
def test_few_histories_are_moved_at_a_bar_and_none_is_lost(instruments: int) -> None:
    """After history in full blocks, bars come one at a time; what they find behind them is what a plain mean finds."""
    rows, length = 64, 1_800
    bars = random_panel(1, instruments=instruments, bars=length, holes=0.0)
    # Sixty-four multiples of the close, at each of which a mean of twenty bars looks back.
    graph = lower([program(f"ts_mean(close * {row + 2}, 20)") for row in range(rows)], bars)
    evaluator = Evaluator(graph, instruments)
    groups, cursors = evaluator.memory[3:5]
    histories = np.bincount(groups[groups > 0], minlength=len(cursors))
    alone = 3 * max(SHORTEST_ROOM, evaluator.block)
    evaluator.advance(bars.between(0, length - alone), [])
    moved, found = np.empty(alone), np.empty((rows, instruments, alone))
    for bar in range(alone):
        before = cursors.copy()
        row = bars.between(length - alone + bar, length - alone + bar + 1)
        found[:, :, bar] = evaluator.advance(row, graph.roots)[:, :, 0]
        moved[bar] = histories[(cursors < before).any(axis=1)].sum()
    assert 2 * rows <= moved.sum() <= 8 * histories.sum()
    assert moved.max() <= histories.sum() // 8
    closes = bars.close[:, length - alone - 19 :] * np.arange(2, rows + 2)[:, np.newaxis, np.newaxis]
    windows = np.lib.stride_tricks.sliding_window_view(closes, 20, axis=2)
    np.testing.assert_allclose(found, windows.mean(axis=3), rtol=1e-12)
