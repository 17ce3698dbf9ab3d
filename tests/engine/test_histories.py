"""Where rows keep their histories: moved in turn, so that no live bar waits for all instruments at once."""

from __future__ import annotations

import pytest

from clawd.engine.evaluator import Evaluator
from clawd.engine.graph import lower
from engine.panels import program, random_panel


@pytest.mark.parametrize("instruments", [3, 50])
def test_bars_one_at_a_time_find_the_histories_moved_one_after_the_other(instruments: int) -> None:
    """No bar waits for the histories of all instruments to be moved."""
    bars = random_panel(1, instruments=instruments, bars=1_500)
    graph = lower([program("ts_mean(close, 20)")], bars)
    evaluator = Evaluator(graph, instruments)
    cursors = evaluator.memory[4]
    start = 1_500 - 2 * evaluator.block
    evaluator.advance(bars.between(0, start), [])
    moved = []
    for bar in range(start, 1_500):
        before = cursors.copy()
        evaluator.advance(bars.between(bar, bar + 1), [])
        moved.append(int((cursors <= before).sum()))
    each = -(-instruments // evaluator.block)
    assert max(moved[1:]) <= each + int((~bars.present[:, start:]).sum(axis=0).max())
    assert sum(moved[evaluator.block :]) >= instruments
