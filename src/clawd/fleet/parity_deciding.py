"""What is wanted of the next bar is decided in a replay: by the strategy, as far as the facts let it."""

from __future__ import annotations

import numpy as np

from clawd.core.clock import iso
from clawd.core.events import AgentFired
from clawd.core.money import booked_size
from clawd.core.orders import OrderKind
from clawd.core.panel import NANOSECONDS_PER_DAY
from clawd.core.reason import Reason
from clawd.fleet.parity_facts import Halt, Order
from clawd.fleet.parity_hand import Hand
from clawd.fleet.parity_words import SPEAKS_FOR, Cause, of_pause, of_verdict, plain, told
from clawd.fleet.wishes import enter_nothing, same
from clawd.risk.gate import Outcome


class Deciding:
    """The decisions of a replay, close by close.

    Args:
        hand: the replay.
    """

    def __init__(self, hand: Hand) -> None:
        self.hand, self.day = hand, hand.day

    def decide(self) -> None:
        """Decide at the close of the bar at hand."""
        column, state = self.hand.column, self.hand.state
        time = int(self.day.times[column])
        idle = self._idle(time)
        flattening, entering = self._obey(time)
        entering = self._unpaused(time) and entering
        ruined = state.ruined is not None and not self.hand.imposes(Cause.FIRED, state.ruined)
        asked: set[tuple[str, OrderKind]] = set()
        if not idle and not flattening:
            before = state.positions.copy()
            self.day.stretch.decide(state.positions, column, ruined)
            if not entering:
                enter_nothing(before, state.positions)
            for row, position in enumerate(state.positions):
                if not same(before[row], position):
                    for kind in (OrderKind.CLOSING, OrderKind.OPENING):
                        if position[kind.value] != 0.0:
                            asked.add((self.day.names[row], kind))
                            self._ask(row, position, kind, time)
        if self.hand.final:
            for (when, symbol, kind), verdict in self.day.facts.verdicts.items():
                if when == time and symbol in self.day.names and (symbol, kind) not in asked:
                    words = f"{of_verdict(verdict)}, which the replay does not ask for"
                    row = self.day.names.index(symbol)
                    self.hand.note((column, row, 0), Cause.UNEXPLAINED, row, words, at_close=True)
        for row, position in enumerate(state.positions):
            self._cut(row, position, time)

    def _idle(self, time: int) -> bool:
        """Impose halts and the firing. Returns whether the agent decides nothing at this close."""
        facts, column = self.day.facts, self.hand.column
        first, idle = self.day.first, False
        for halt in facts.halts:
            if not halt.since <= time or (halt.until is not None and time >= halt.until):
                continue
            key = (max(int(np.searchsorted(self.day.times, halt.since)), first), -1, 0)
            if not self.hand.imposes(Cause.HALT, key):
                continue
            idle = True
            if halt.since == time:
                self._close_all(Reason.HALT, time)
            if key[0] == column:
                self.hand.note(key, Cause.HALT, None, _told_halt(halt), at_close=True)
        if facts.fired is not None and facts.fired[0] <= time:
            key = (max(int(np.searchsorted(self.day.times, facts.fired[0])), first), -1, 0)
            if self.hand.imposes(Cause.FIRED, key):
                idle = True
                if facts.fired[0] == time:
                    self._close_all(Reason.FIRED, time)
                if key[0] == column:
                    words = _told_fired(facts.fired[1])
                    self.hand.note(key, Cause.FIRED, None, words, at_close=True)
        return idle

    def _obey(self, time: int) -> tuple[bool, bool]:
        """Impose what a person ordered. Returns whether all is being closed, and whether entries are allowed."""
        flattening, entering = False, True
        for order in self.day.facts.ordered:
            if not order.since <= time or (order.until is not None and time >= order.until):
                continue
            key = (max(int(np.searchsorted(self.day.times, order.since)), self.day.first), -1, 1)
            if not self.hand.imposes(Cause.HALT, key):
                continue
            entering = False
            if order.since == time:
                self._take_entries_off()
            if key[0] == self.hand.column:
                self.hand.note(key, Cause.HALT, None, _told_order(order), at_close=True)
            if order.flatten and (order.flat is None or time <= order.flat):
                self._close_all(Reason.HALT, time)
                flattening = order.flat is None or time < order.flat
        return flattening, entering

    def _unpaused(self, time: int) -> bool:
        """Impose the pauses of the agent. Returns whether entries are allowed."""
        entering = True
        for pause in self.day.facts.pauses:
            if not pause.since <= time or (pause.until is not None and time >= pause.until):
                continue
            key = (max(int(np.searchsorted(self.day.times, pause.since)), self.day.first), -1, 1)
            if not self.hand.imposes(Cause.PAUSED, key):
                continue
            entering = False
            if pause.since == time:
                self._take_entries_off()
            if key[0] == self.hand.column:
                self.hand.note(key, Cause.PAUSED, None, of_pause(pause.event), at_close=True)
        return entering

    def _take_entries_off(self) -> None:
        for position in self.hand.state.positions:
            if position["opening"] != 0.0:
                position["opening"], position["acted"] = 0.0, np.nan

    def _close_all(self, reason: Reason, time: int) -> None:
        for row, position in enumerate(self.hand.state.positions):
            if position["lots"] != 0.0 or position["opening"] != 0.0:
                position["acted"] = np.nan
            position["opening"] = 0.0
            position["closing"] = -position["lots"]
            if position["lots"] != 0.0:
                position["closing_reason"] = float(reason)
                self._placed(row, OrderKind.CLOSING, time)

    def _placed(self, row: int, kind: OrderKind, time: int) -> None:
        """A new order: which of the real ones it is."""
        self.hand.state.placed[row, kind] = self.day.facts.orders.get((time, self.day.names[row], kind))
        self.hand.state.touched.pop((row, kind), None)

    def _ask(self, row: int, position: np.void, kind: OrderKind, time: int) -> None:
        """Take an order of the strategy to the gate, as far as its answers are imposed."""
        self._placed(row, kind, time)
        lot = self.day.panel.instruments[row].lot
        lots = float(position[kind.value])
        verdict = self.day.facts.verdicts.get((time, self.day.names[row], kind))
        key = (self.hand.column, row, 0)
        size = booked_size(lots, lot)
        if verdict is None and self.hand.state.placed[row, kind] is not None:
            return  # a closing that was imposed before it and has not filled yet
        if verdict is None or verdict.asked != size:
            if self.hand.final:
                real = "the journal has no such order" if verdict is None else f"the journal has {plain(verdict.asked)}"
                words = f"the replay asks for {kind} of {plain(size)}, {real}"
                self.hand.note(key, Cause.UNEXPLAINED, row, words, at_close=True)
            if verdict is None:
                return
        if verdict.outcome == Outcome.ALLOW:
            return
        cause = SPEAKS_FOR.get(verdict.code, Cause.GATE)
        if self.hand.imposes(cause, key):
            allowed = abs(float(verdict.allowed / lot))
            position[kind.value] = float(np.sign(lots)) * min(abs(lots), allowed)
            self.hand.note(key, cause, row, of_verdict(verdict), at_close=True)

    def _cut(self, row: int, position: np.void, time: int) -> None:
        """Make a position smaller where the reserve did."""
        symbol, key = self.day.names[row], (self.hand.column, row, 1)
        closing = self.day.facts.cuts.get((time, symbol))
        if closing is None or not self.hand.imposes(Cause.RESERVE, key):
            return
        lot = self.day.panel.instruments[row].lot
        held = float(self.day.real_size(self.hand.column, symbol) / lot)
        lots = float(position["lots"])
        if lots * held <= 0.0:
            return
        less = abs(lots) - abs(held + closing)
        position["opening"] = 0.0
        if less > abs(position["closing"]):
            position["closing"] = -float(np.sign(lots)) * less
            position["closing_reason"] = float(Reason.BUDGET)
        self._placed(row, OrderKind.CLOSING, time)
        size, rest = booked_size(held, lot), booked_size(held + closing, lot)
        words = f"held {plain(size)}, cut to {plain(rest)}: the worst case no longer fitted its share of the day"
        self.hand.note(key, Cause.RESERVE, row, words, at_close=True)


def _told_fired(event: AgentFired | None) -> str:
    if event is None:
        return "not active"
    return f"fired ({event.why}: drawdown {told(event.drawdown * 100)} %, limit {told(event.limit * 100)} %)"


def _told_order(order: Order) -> str:
    what = "flattened" if order.flatten else order.event.state.value
    return f"{what} by {order.event.by}{f': {order.event.why}' if order.event.why else ''}"


def _told_halt(halt: Halt) -> str:
    if halt.event is None:
        return "halted"
    until = iso(halt.event.until_day * NANOSECONDS_PER_DAY)
    return f"halted until {until}: the day's loss of {plain(halt.event.loss)} reached {plain(halt.event.limit)}"
