"""Where rows keep their histories: with room behind them, so that few live bars have to move them to the front."""

from __future__ import annotations

import numpy as np
import pytest

from clawd.engine.evaluator import SHORTEST_ROOM, Evaluator
from clawd.engine.graph import lower
from engine.panels import program, random_panel


@pytest.mark.parametrize("instruments", [3, 8])
def test_few_bars_move_histories_and_none_is_lost(instruments: int) -> None:
    """After history in full blocks, bars come one at a time; what they find behind them is what a plain mean finds."""
    length, alone = 1_800, 2 * SHORTEST_ROOM
    bars = random_panel(1, instruments=instruments, bars=length, holes=0.0)
    graph = lower([program("ts_mean(close, 20)")], bars)
    evaluator = Evaluator(graph, instruments)
    cursors, (root,) = evaluator.memory[4], graph.roots
    evaluator.advance(bars.between(0, length - alone), [])
    moved, found = 0, np.empty((instruments, alone))
    for bar in range(alone):
        before = cursors.copy()
        row = bars.between(length - alone + bar, length - alone + bar + 1)
        found[:, bar] = evaluator.advance(row, [root])[0, :, 0]
        moved += int((cursors <= before).any())
    assert moved <= alone // SHORTEST_ROOM + 1
    windows = np.lib.stride_tricks.sliding_window_view(bars.close[:, length - alone - 19 :], 20, axis=1)
    np.testing.assert_allclose(found, windows.mean(axis=2), rtol=1e-12)
