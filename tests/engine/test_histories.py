"""Where rows keep their histories: moved in turn, so that no live bar waits for all instruments at once."""

from __future__ import annotations

import pytest

from clawd.engine.evaluator import Evaluator
from clawd.engine.graph import lower
from engine.panels import program, random_panel


@pytest.mark.parametrize("instruments", [3, 8])
def test_bars_one_at_a_time_find_the_histories_moved_one_after_the_other(instruments: int) -> None:
    """After history in full blocks the first bar has to move them all; after it, no bar moves more than one."""
    bars = random_panel(1, instruments=instruments, bars=2_600)
    evaluator = Evaluator(lower([program("ts_mean(close, 20)")], bars), instruments)
    cursors, start = evaluator.memory[4], 2_600 - 2 * evaluator.block
    evaluator.advance(bars.between(0, start), [])
    moved = []
    for bar in range(start, 2_600):
        before = cursors.copy()
        evaluator.advance(bars.between(bar, bar + 1), [])
        moved.append(int(((cursors <= before) & bars.present[:, bar]).sum()))
    assert max(moved[1:]) == 1
    assert sum(moved[-evaluator.block :]) >= instruments - 1  # but where one has no bar at its turn
