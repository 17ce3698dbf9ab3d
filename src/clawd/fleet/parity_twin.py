"""An agent's day traded once more, bar by bar, with some of the facts of the real day imposed on it.

Without a fact it is the backtest; with all of them it is what happened, as far as the journal explains it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import numpy as np

from clawd.engine.position import after_bar
from clawd.fleet.parity_deciding import Deciding
from clawd.fleet.parity_facts import Facts
from clawd.fleet.parity_hand import Hand
from clawd.fleet.parity_real import RealDay
from clawd.fleet.parity_record import Key, Replay
from clawd.fleet.parity_replay import Stretch
from clawd.fleet.parity_trading import Trading
from clawd.fleet.parity_words import Cause


class Twin:
    """Replays of one agent's day.

    Args:
        stretch: the day.
        symbols: of the run.
        facts: what really happened to the agent.
    """

    def __init__(self, stretch: Stretch, symbols: Sequence[str], facts: Facts) -> None:
        self.day = RealDay(stretch, symbols, facts)

    def replay(self, cuts: Mapping[Cause, Key], before: Replay | None = None, since: int = 0) -> Replay:
        """Trade the day with the facts imposed that stand no later than their cause's cut.

        Args:
            cuts: by cause; one that is left out is not imposed.
            before: a replay that is the same up to the bar ``since``.
            since: index of the first bar that may differ.
        """
        run = _Run(self.day, cuts)
        first = self.day.first
        if before is not None and since in before.states:
            run.hand.result.states = {column: state for column, state in before.states.items() if column < since}
            run.hand.result.notes = {column: notes for column, notes in before.notes.items() if column < since}
            run.hand.result.fees = {column: fees for column, fees in before.fees.items() if column < since}
            run.hand.state = before.states[since].copy()
            run.lowest = before.lowest
            first = since
        for column in range(first, self.day.columns.stop):
            if before is not None and column > since and self._goes_on(run, before, column):
                return run.hand.result
            run.hand.result.states[column] = run.hand.state.copy()
            run.live(column)
        run.hand.result.profit = run.hand.state.ledger.profit
        run.hand.result.funding = run.hand.state.ledger.funding
        run.hand.result.lowest = run.lowest
        return run.hand.result

    def _goes_on(self, run: _Run, before: Replay, column: int) -> bool:
        """Take over what follows from the replay before, where both stand alike but for the cash.

        Decisions do not look at cash, but for ruin; so where neither comes near that, all that follows is the same.
        """
        state, other = run.hand.state, before.states[column]
        if not state.same(other):
            return False
        more = state.ledger.cash - other.ledger.cash
        if state.ruined is not None or min(run.lowest, before.lowest + min(more, Decimal(0))) <= 0:
            return False
        result, time = run.hand.result, int(self.day.times[column])
        for later, notes in before.notes.items():
            if later >= column:
                result.notes[later] = notes
        for later, fees in before.fees.items():
            if later >= column:
                result.fees[later] = fees
        for later, each in before.states.items():
            if later >= column:
                result.states[later] = each.with_cash(each.ledger.cash + more)
        result.profit = before.profit + more
        own = state.ledger.funding.items()
        after = before.funding.items()
        result.funding = {place: paid for place, paid in own if place[0] < time}
        result.funding |= {place: paid for place, paid in after if place[0] >= time}
        result.lowest = min(run.lowest, before.lowest + min(more, Decimal(0)))
        return True


class _Run:
    """One replay from bar to bar."""

    def __init__(self, day: RealDay, cuts: Mapping[Cause, Key]) -> None:
        self.day, self.hand = day, Hand(day, cuts)
        self.trading, self.deciding = Trading(self.hand), Deciding(self.hand)
        self.lowest = day.stretch.opening.worth

    def live(self, column: int) -> None:
        """One bar: it trades, it closes, and what is wanted of the next is decided."""
        self.hand.column = column
        if column >= self.day.columns.start:
            for row in range(len(self.day.names)):
                self.trading.trade(row)
            self._close()
        if column < self.day.columns.stop - 1:
            self.deciding.decide()

    def _close(self) -> None:
        day, column = self.day, self.hand.column
        panel = day.panel
        for row, position in enumerate(self.hand.state.positions):
            if np.isnan(panel.close[row, column]):
                continue
            if position["lots"] != 0.0 or position["shut"] != 0.0:
                average_range = np.nan if day.ranges is None else float(day.ranges[row, column])
                traded = bool(panel.volume[row, column] != 0.0)
                high, low = float(panel.high[row, column]), float(panel.low[row, column])
                after_bar(position, day.plan, high, low, traded, average_range, day.grids[row])
            position["target"] = day.stretch.course.decisions.targets[row, column]
            position["mark"] = panel.close[row, column]
        ledger = self.hand.state.ledger
        ledger.close(column)
        equity = day.stretch.opening.worth + ledger.profit
        self.lowest = min(self.lowest, equity)
        if self.hand.state.ruined is None and equity <= 0:
            self.hand.state.ruined = (column, -1, 1)
