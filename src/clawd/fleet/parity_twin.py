"""An agent's day traded once more, bar by bar, with some of the facts of the real day imposed on it.

Without a fact it is the backtest; with all of them it is what happened, as far as the journal explains it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clawd.core.clock import iso
from clawd.core.events import AgentFired, OrderFilled
from clawd.core.money import booked_price, booked_size, fee_of_fill, studied
from clawd.core.orders import OrderKind
from clawd.core.panel import NANOSECONDS_PER_DAY
from clawd.core.reason import Reason
from clawd.engine.plan import CHANDELIER
from clawd.engine.position import (
    after_bar,
    book_closing,
    book_opening,
    book_target,
    next_target,
    stop_level,
    stop_reason,
    target_after,
    target_lots,
)
from clawd.engine.prices import closing_price, grid_of, in_band, market_price, stop_price, take_price
from clawd.fleet.parity_facts import BEFORE, Facts, Halt, Order
from clawd.fleet.parity_replay import Ledger, Stretch
from clawd.fleet.parity_words import Cause, moment, of_verdict, plain, told
from clawd.risk.gate import Outcome

#: Where a fact stands: index of the bar, of the instrument, and the phase within the bar. A fact bears on what comes
#: after it, never before.
Key = tuple[int, int, int]
NONE: Final[Key] = (-1, -1, -1)
ALL: Final[Key] = (sys.maxsize, 0, 0)

_CLOSING, _AT_OPEN, _OPENING, _WITHIN, _OTHERWISE = range(5)
_EXITS = (OrderKind.STOP, OrderKind.TAKE)

#: What `decide` may change; where one of them has changed, orders are new.
_DECIDED: Final = ("acted", "shut", "closing", "closing_reason", "opening", "opening_reason")

#: The classes of facts that a replay can have imposed on it, in the order in which they are.
IMPOSED: Final = (
    Cause.GATE,
    Cause.RESERVE,
    Cause.HALT,
    Cause.FIRED,
    Cause.SLIPPAGE,
    Cause.LATENCY,
    Cause.PARTIAL,
    Cause.LATE_SLIPPAGE,
)

#: A code of the gate that speaks for another cause than the gate.
_SPEAKS_FOR: Final = {"HALTED": Cause.HALT, "REDUCING": Cause.HALT, "AGENT_NOT_ACTIVE": Cause.FIRED}


@dataclass(frozen=True, slots=True)
class Note:
    """A fact that changed something.

    Attributes:
        key: where it stands.
        cause: its class.
        symbol: instrument, empty for all.
        time: UTC nanoseconds.
        words: what happened.
    """

    key: Key
    cause: Cause
    symbol: str
    time: int
    words: str


@dataclass(slots=True)
class _State:
    """Everything that is remembered from bar to bar."""

    positions: NDArray[np.void]
    ledger: Ledger
    placed: dict[tuple[int, OrderKind], str | None]
    touched: dict[tuple[int, OrderKind], Key]
    ruined: Key | None = None

    def same(self, other: _State) -> bool:
        """Whether what follows is the same."""
        return (
            self.ledger.sizes == other.ledger.sizes
            and self.working() == other.working()
            and self.touched == other.touched
            and self.ruined == other.ruined
            and self.positions.tobytes() == other.positions.tobytes()
        )

    def working(self) -> dict[tuple[int, OrderKind], str | None]:
        """Which real orders the working ones are."""
        return {place: order for place, order in self.placed.items() if self.positions[place[0]][place[1].value] != 0.0}

    def with_cash(self, cash: Decimal) -> _State:
        ledger = copy(self.ledger)
        ledger.cash = cash
        return replace(self, ledger=ledger)

    def copy(self) -> _State:
        return _State(self.positions.copy(), self.ledger.copy(), dict(self.placed), dict(self.touched), self.ruined)


@dataclass(slots=True)
class Replay:
    """A day as it would have been.

    Attributes:
        profit: quote currency.
        notes: the facts that changed something, by bar.
        fees: real fee less modelled, by bar, of each fill that was imposed with its price.
        states: at the start of each bar, to go on from.
        funding: modelled, by open of the bar and instrument.
        lowest: equity at any close.
    """

    profit: Decimal = Decimal(0)
    notes: dict[int, list[Note]] = field(default_factory=dict)
    fees: dict[int, list[tuple[OrderFilled, Decimal]]] = field(default_factory=dict)
    states: dict[int, _State] = field(default_factory=dict)
    funding: dict[tuple[int, str], Decimal] = field(default_factory=dict)
    lowest: Decimal = Decimal(0)

    def of(self, cause: Cause) -> list[Note]:
        """The facts of a cause, in the order in which they bear on one another."""
        return sorted((note for notes in self.notes.values() for note in notes if note.cause is cause), key=_key)


def _key(note: Note) -> Key:
    return note.key


class Twin:
    """Replays of one agent's day.

    Args:
        stretch: the day.
        symbols: of the run.
        facts: what really happened to the agent.
    """

    def __init__(self, stretch: Stretch, symbols: Sequence[str], facts: Facts) -> None:
        self.stretch, self.symbols, self.facts = stretch, symbols, facts
        course = stretch.course
        self.panel, self.plan = course.panel, course.plan
        self.names = course.panel.symbols
        self.grids = [grid_of(studied(instrument.tick)) for instrument in self.panel.instruments]
        self.slippage = studied(stretch.costs.slippage)
        window = int(self.plan["window"][CHANDELIER]) if self.plan["size"][CHANDELIER] > 0.0 else -1
        self.ranges = None if window < 0 else course.decisions.ranges[window]
        self.columns = stretch.columns
        self.times = self.panel.times
        self.fills: dict[tuple[int, str], list[OrderFilled]] = {}
        self.by_order: dict[str, list[tuple[int, OrderFilled]]] = {}
        for column in self.columns:
            time = int(self.times[column])
            for fill in facts.fills.get(time, ()):
                self.fills.setdefault((time, fill.symbol), []).append(fill)
                self.by_order.setdefault(fill.order, []).append((column, fill))
        self.held = self._held()

    def _held(self) -> dict[tuple[int, str], Decimal]:
        """The real size after each bar in which it changed, and when the day opened."""
        opening = self.stretch.opening
        found: dict[tuple[int, str], Decimal] = {}
        for row, symbol in enumerate(self.names):
            position = opening.positions[self.symbols.index(symbol)]
            size = booked_size(float(position["lots"]), self.panel.instruments[row].lot)
            found[BEFORE, symbol] = size
            for column in self.columns:
                time = int(self.times[column])
                size += sum((fill.size for fill in self.fills.get((time, symbol), ())), Decimal(0))
                found[time, symbol] = size
        return found

    def exits_after(self, column: int, row: int, kind: OrderKind) -> list[OrderFilled]:
        """The real fills of a kind of exit after a bar, as long as the position was the same."""
        found: list[OrderFilled] = []
        for later in range(column + 1, self.columns.stop):
            for fill in self.fills.get((int(self.times[later]), self.names[row]), ()):
                if fill.reason is Reason.ENTRY:
                    return found
                if fill.order_kind is kind:
                    found.append(fill)
        return found

    def real_size(self, column: int, symbol: str) -> Decimal:
        """The real size at the close of a bar."""
        return self.held.get((int(self.times[column]), symbol), self.held[BEFORE, symbol])

    def replay(self, cuts: Mapping[Cause, Key], before: Replay | None = None, since: int = 0) -> Replay:
        """Trade the day with the facts imposed that stand no later than their cause's cut.

        Args:
            cuts: by cause; one that is left out is not imposed.
            before: a replay that is the same up to the bar ``since``.
            since: index of the first bar that may differ.
        """
        run = _Run(self, cuts)
        first = self.columns.start - 1 if self.stretch.decides_first else self.columns.start
        if before is not None and since in before.states:
            run.result.states = {column: state for column, state in before.states.items() if column < since}
            run.result.notes = {column: notes for column, notes in before.notes.items() if column < since}
            run.result.fees = {column: fees for column, fees in before.fees.items() if column < since}
            run.state = before.states[since].copy()
            run.lowest = before.lowest
            first = since
        for column in range(first, self.columns.stop):
            if before is not None and column > since and self._goes_on(run, before, column):
                return run.result
            run.result.states[column] = run.state.copy()
            run.live(column)
        run.result.profit = run.state.ledger.profit
        run.result.funding = run.state.ledger.funding
        run.result.lowest = run.lowest
        return run.result

    def _goes_on(self, run: _Run, before: Replay, column: int) -> bool:
        """Take over what follows from the replay before, where both stand alike but for the cash.

        Decisions do not look at cash, but for ruin; so where neither comes near that, all that follows is the same.
        """
        state, other = run.state, before.states[column]
        if not state.same(other):
            return False
        more = state.ledger.cash - other.ledger.cash
        if state.ruined is not None or min(run.lowest, before.lowest + min(more, Decimal(0))) <= 0:
            return False
        result, time = run.result, int(self.times[column])
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
    """One replay in hand."""

    def __init__(self, twin: Twin, cuts: Mapping[Cause, Key]) -> None:
        self.twin, self.cuts, self.result = twin, cuts, Replay()
        self.final = all(cuts.get(cause) == ALL for cause in IMPOSED)
        positions = twin.stretch.positions(twin.symbols)
        placed: dict[tuple[int, OrderKind], str | None] = {
            (row, kind): twin.stretch.opening.orders.get((symbol, kind))
            for row, symbol in enumerate(twin.names)
            for kind in (OrderKind.CLOSING, OrderKind.OPENING)
        }
        self.state = _State(positions, Ledger(twin.stretch, positions), placed, {})
        self.column = 0
        self.lowest = twin.stretch.opening.worth
        self.pending: list[OrderFilled] = []

    def imposes(self, cause: Cause, key: Key) -> bool:
        return key <= self.cuts.get(cause, NONE)

    def note(self, key: Key, cause: Cause, row: int | None, words: str, *, at_close: bool) -> None:
        time = int(self.twin.times[self.column]) + (self.twin.panel.bar if at_close else 0)
        symbol = "" if row is None else self.twin.names[row]
        self.result.notes.setdefault(self.column, []).append(Note(key, cause, symbol, time, words))

    def live(self, column: int) -> None:
        """One bar: it trades, it closes, and what is wanted of the next is decided."""
        self.column = column
        if column >= self.twin.columns.start:
            for row in range(len(self.twin.names)):
                self._trade(row)
            self._close()
        if column < self.twin.columns.stop - 1:
            self._decide()

    # The bar trades.

    def _trade(self, row: int) -> None:
        twin, panel, column = self.twin, self.twin.panel, self.column
        position = self.state.positions[row]
        time, symbol = int(twin.times[column]), twin.names[row]
        self.pending = list(twin.fills.get((time, symbol), ()))
        if not np.isnan(panel.close[row, column]) and panel.volume[row, column] != 0.0:
            self._closing(row, position)
            self._exits(row, position, at_open=True)
            self._opening(row, position)
            self._exits(row, position, at_open=False)
        for fill in self.pending:
            self._otherwise(row, position, fill)
        self.pending = []
        order = self.state.placed.get((row, OrderKind.OPENING))
        why = None if order is None else twin.facts.cancels.get((time, order))
        if why is not None and position["opening"] != 0.0:
            position["opening"] = 0.0
            if why == "PRICE_BAND":
                position["acted"] = np.nan

    def _ahead(self, row: int, position: np.void, kinds: Sequence[OrderKind]) -> bool:
        """Impose the real fills that came before those of an order that is about to fill; whether there were any."""
        places = [
            place for place, fill in enumerate(self.pending) if any(self._is_of(fill, row, kind) for kind in kinds)
        ]
        if not places or not places[0] or not self.imposes(Cause.LATENCY, (self.column, row, _OTHERWISE)):
            return False
        ahead, self.pending = self.pending[: places[0]], self.pending[places[0] :]
        for fill in ahead:
            self._otherwise(row, position, fill)
        return True

    def _open_price(self, row: int) -> float:
        return float(self.twin.panel.open[row, self.column])

    def _closing(self, row: int, position: np.void) -> None:
        left = 0.0
        if position["closing"] != 0.0:
            self._ahead(row, position, (OrderKind.CLOSING,))
        if position["closing"] != 0.0 and position["lots"] != 0.0:
            lots = float(np.sign(position["closing"]) * min(abs(position["closing"]), abs(position["lots"])))
            left = self._execute(row, OrderKind.CLOSING, lots, self._market_price(row, lots), _CLOSING)
        position["closing"] = left

    def _opening(self, row: int, position: np.void) -> None:
        if position["opening"] != 0.0:
            self._ahead(row, position, (OrderKind.OPENING,))
        lots = float(position["opening"])
        if lots == 0.0:
            return
        if position["opening_reason"] == Reason.INCREASE and (position["lots"] == 0.0 or position["taken"] > 0.0):
            position["opening"] = 0.0
        elif in_band(self._open_price(row), position["reference"]):
            position["opening"] = self._execute(row, OrderKind.OPENING, lots, self._market_price(row, lots), _OPENING)
        elif not self._fills_all_the_same(row):
            position["opening"] = 0.0
            position["acted"] = np.nan

    def _fills_all_the_same(self, row: int) -> bool:
        """Whether an entry that the price has run away from filled in spite of it, now or later."""
        order = self.state.placed.get((row, OrderKind.OPENING))
        after = [fill for column, fill in self.twin.by_order.get(order or "", ()) if column >= self.column]
        return bool(after) and self.imposes(Cause.LATENCY, (self.column, row, _OPENING))

    def _market_price(self, row: int, lots: float) -> float:
        """The modelled price of a market order in this bar."""
        twin, position = self.twin, self.state.positions[row]
        open_price, grid = self._open_price(row), twin.grids[row]
        if position["lots"] * lots < 0.0:
            return float(closing_price(open_price, position["lots"], position["average"], twin.slippage, grid))
        return float(market_price(open_price, float(np.sign(lots)), twin.slippage, grid))

    def _exits(self, row: int, position: np.void, *, at_open: bool) -> None:
        if position["lots"] == 0.0:
            return
        twin, column = self.twin, self.column
        side, phase = float(np.sign(position["lots"])), _AT_OPEN if at_open else _WITHIN
        high, low = float(twin.panel.high[row, column]), float(twin.panel.low[row, column])
        price = stop_price(
            stop_level(position),
            side,
            position["average"],
            self._open_price(row),
            at_open,
            low if side > 0.0 else high,
            twin.slippage,
            twin.grids[row],
        )
        if not np.isnan(price):
            if self._ahead(row, position, (OrderKind.STOP,)):
                self._exits(row, position, at_open=at_open)
                return
            self._execute(row, OrderKind.STOP, -float(position["lots"]), price, phase)
            return
        place = target_after(position, twin.plan, -1) if twin.plan["targets"] else -1
        while place >= 0:
            along = high if side > 0.0 else low
            price = take_price(
                float(position["take"][place]), side, self._open_price(row), at_open, along, twin.grids[row]
            )
            if np.isnan(price):
                return
            if self._ahead(row, position, (OrderKind.TAKE,)):
                self._exits(row, position, at_open=at_open)
                return
            following = target_after(position, twin.plan, place)
            lots = -side * float(target_lots(position, twin.plan, place))
            if lots != 0.0 and self._execute(row, OrderKind.TAKE, lots, price, phase, place) != 0.0:
                return
            place = following if position["lots"] != 0.0 else -1

    def _execute(self, row: int, kind: OrderKind, lots: float, price: float, phase: int, place: int = -1) -> float:
        """Fill an order that the model fills in this bar; returns the signed lots that go on working.

        What really filled in this bar has its real price. What really filled later, and what never did, goes on
        working, where that is imposed; else it fills now as modelled.
        """
        twin, state = self.twin, self.state
        key = (self.column, row, phase)
        first = state.touched.get((row, kind))
        lot, tick = twin.panel.instruments[row].lot, twin.panel.instruments[row].tick
        side, rest = float(np.sign(lots)), round(abs(lots))
        modelled = booked_price(price, tick)
        level = float(state.positions[row]["take"][place]) if place >= 0 else 0.0
        later, exists = self._real(row, kind)
        plainly = 0
        for fill in [fill for fill in self.pending if self._is_of(fill, row, kind) and fill.size * round(side) > 0]:
            if rest == 0:  # what is left of them is of the next target
                break
            self.pending.remove(fill)
            count = min(round(abs(fill.size / lot)), rest)
            if count and self.imposes(Cause.SLIPPAGE if first is None else Cause.LATE_SLIPPAGE, key):
                self._fill(row, kind, side * count, fill, modelled, key, place, late=first is not None)
                rest -= count
            elif count:  # at the model's price it is one fill with the rest
                plainly += count
                rest -= count
        late = min(round(later / lot), rest)
        never = rest - late if exists else 0
        origin = first or key
        kept_late = late if self.imposes(Cause.LATENCY, origin) else 0
        kept_never = never if self.imposes(Cause.PARTIAL, origin) else 0
        if now := plainly + rest - kept_late - kept_never:
            self._book(row, kind, side * now, modelled, place)
        if first is None:
            if kept_late:
                self.note(key, Cause.LATENCY, row, self._told_late(row, kind, lots, kept_late), at_close=False)
            if kept_never:
                self.note(key, Cause.PARTIAL, row, self._told_never(row, kind, lots, kept_never), at_close=False)
        kept = side * (kept_late + kept_never)
        if kept != 0.0:
            state.touched.setdefault((row, kind), key)
            if level and state.positions[row]["lots"] != 0.0:
                state.positions[row]["take"][place] = level
        return kept

    def _is_of(self, fill: OrderFilled, row: int, kind: OrderKind) -> bool:
        return fill.order_kind is kind and (kind in _EXITS or fill.order == self.state.placed.get((row, kind)))

    def _real(self, row: int, kind: OrderKind) -> tuple[Decimal, bool]:
        """What the real order filled in later bars, not signed, and whether there was one."""
        twin, symbol = self.twin, self.twin.names[row]
        if kind in _EXITS:
            later = [abs(fill.size) for fill in twin.exits_after(self.column, row, kind)]
            held = twin.real_size(self.column - 1, symbol) if self.column > twin.columns.start else None
            held = twin.held[BEFORE, symbol] if held is None else held
            entered = any(
                fill.order_kind is OrderKind.OPENING
                for fill in twin.fills.get((int(twin.times[self.column]), symbol), ())
            )
            return sum(later, Decimal(0)), bool(held) or entered
        order = self.state.placed.get((row, kind))
        fills = twin.by_order.get(order or "", ())
        return sum((abs(fill.size) for column, fill in fills if column > self.column), Decimal(0)), order is not None

    def _fill(
        self,
        row: int,
        kind: OrderKind,
        lots: float,
        fill: OrderFilled,
        modelled: Decimal,
        key: Key,
        place: int,
        *,
        late: bool,
    ) -> None:
        """Book what really filled, at its real price where that is imposed."""
        cause = Cause.LATE_SLIPPAGE if late else Cause.SLIPPAGE
        price = modelled
        if self.imposes(cause, key):
            price = fill.price
            if price != modelled:
                words = f"{kind} of {plain(fill.size)} filled at {price}, the model says {modelled}"
                self.note(key, cause, row, words, at_close=False)
            size = booked_size(lots, self.twin.panel.instruments[row].lot)
            if size == fill.size:
                surplus = fill.fee - fee_of_fill(fill.size, fill.price, self.twin.stretch.costs.fee)
                self.result.fees.setdefault(self.column, []).append((fill, surplus))
        self._book(row, kind, lots, price, place)

    def _book(self, row: int, kind: OrderKind, lots: float, price: Decimal, place: int) -> None:
        position = self.state.positions[row]
        if kind is OrderKind.OPENING:
            book_opening(position, lots, studied(price), self.twin.grids[row])
        elif kind is OrderKind.TAKE and place >= 0:
            book_target(position, place, lots)
        elif kind is OrderKind.CLOSING:
            book_closing(position, lots, float(position["closing_reason"]))
        else:
            book_closing(position, lots, float(stop_reason(position)))
        self.state.ledger.fill(row, booked_size(lots, self.twin.panel.instruments[row].lot), price)
        if position["lots"] == 0.0:
            for exit_ in _EXITS:
                self.state.touched.pop((row, exit_), None)

    def _otherwise(self, row: int, position: np.void, fill: OrderFilled) -> None:
        """A real fill where the model has none: it is imposed where the order is there to fill."""
        kind, key = fill.order_kind, (self.column, row, _OTHERWISE)
        lot = self.twin.panel.instruments[row].lot
        if kind in _EXITS:
            working = -float(position["lots"])
        else:
            found = self.state.placed.get((row, kind)) == fill.order
            working = float(position[kind.value]) if found else 0.0
        lots = float(fill.size / lot)
        if working * lots <= 0.0:
            words = f"{kind} of {plain(fill.size)} filled at {fill.price}, which the replay has no order for"
            self.note(key, Cause.UNEXPLAINED, row, words, at_close=False)
            return
        first = self.state.touched.get((row, kind))
        if not self.imposes(Cause.LATENCY, first or key):
            return
        lots = float(np.sign(lots)) * min(abs(lots), abs(working))
        if first is None:
            words = f"{kind} of {plain(fill.size)} filled, which the model fills in another bar or not at all"
            self.note(key, Cause.LATENCY, row, words, at_close=False)
        place = next_target(position, self.twin.plan) if kind is OrderKind.TAKE else -1
        modelled = self._modelled(row, position, kind, lots, place, fill)
        self._fill(row, kind, lots, fill, modelled, key, place, late=True)
        if kind not in _EXITS:
            position[kind.value] = working - lots

    def _modelled(
        self, row: int, position: np.void, kind: OrderKind, lots: float, place: int, fill: OrderFilled
    ) -> Decimal:
        """What the model would pay in this bar, had the order filled in it."""
        open_price, grid = self._open_price(row), self.twin.grids[row]
        if np.isnan(open_price):
            return fill.price
        if kind is OrderKind.TAKE:
            price = float(position["take"][place]) if place >= 0 else open_price
        elif kind is OrderKind.STOP and (self.state.touched.get((row, kind)) is None):
            level, side = float(stop_level(position)), -float(np.sign(lots))
            reached = min(level, open_price) if side > 0.0 else max(level, open_price)
            price = float(market_price(reached, -side, self.twin.slippage, grid))
        else:
            price = self._market_price(row, lots)
        return booked_price(price, self.twin.panel.instruments[row].tick)

    def _told_late(self, row: int, kind: OrderKind, lots: float, late: int) -> str:
        twin = self.twin
        size = booked_size(lots, twin.panel.instruments[row].lot)
        part = booked_size(float(np.sign(lots)) * late, twin.panel.instruments[row].lot)
        if kind in _EXITS:
            fills = twin.exits_after(self.column, row, kind)
        else:
            order = self.state.placed.get((row, kind)) or ""
            fills = [fill for column, fill in twin.by_order.get(order, ()) if column > self.column]
        when = moment(fills[0].time) if fills else "later"
        return f"{kind} of {plain(size)}: {plain(part)} of it filled later than modelled, at {when}"

    def _told_never(self, row: int, kind: OrderKind, lots: float, never: int) -> str:
        instrument = self.twin.panel.instruments[row]
        size, part = booked_size(lots, instrument.lot), booked_size(float(np.sign(lots)) * never, instrument.lot)
        order = self.state.placed.get((row, kind))
        whys = [why for (_, name), why in self.twin.facts.cancels.items() if name == order and kind not in _EXITS]
        return f"{kind} of {plain(size)}: {plain(part)} of it did not fill{f' ({whys[0]})' if whys else ''}"

    # The bar closes.

    def _close(self) -> None:
        twin, column = self.twin, self.column
        panel = twin.panel
        for row, position in enumerate(self.state.positions):
            if np.isnan(panel.close[row, column]):
                continue
            if position["lots"] != 0.0 or position["shut"] != 0.0:
                average_range = np.nan if twin.ranges is None else float(twin.ranges[row, column])
                traded = bool(panel.volume[row, column] != 0.0)
                high, low = float(panel.high[row, column]), float(panel.low[row, column])
                after_bar(position, twin.plan, high, low, traded, average_range, twin.grids[row])
            position["target"] = twin.stretch.course.decisions.targets[row, column]
            position["mark"] = panel.close[row, column]
        ledger = self.state.ledger
        ledger.close(column)
        equity = twin.stretch.opening.worth + ledger.profit
        self.lowest = min(self.lowest, equity)
        if self.state.ruined is None and equity <= 0:
            self.state.ruined = (column, -1, 1)

    # What is wanted of the next bar is decided.

    def _decide(self) -> None:
        column, state = self.column, self.state
        time = int(self.twin.times[column])
        idle = self._idle(time)
        flattening, entering = self._obey(time)
        ruined = state.ruined is not None and not self.imposes(Cause.FIRED, state.ruined)
        asked: set[tuple[str, OrderKind]] = set()
        if not idle and not flattening:
            before = state.positions.copy()
            self.twin.stretch.decide(state.positions, column, ruined)
            if not entering:
                _enter_nothing(before, state.positions)
            for row, position in enumerate(state.positions):
                if not _same(before[row], position):
                    for kind in (OrderKind.CLOSING, OrderKind.OPENING):
                        if position[kind.value] != 0.0:
                            asked.add((self.twin.names[row], kind))
                            self._ask(row, position, kind, time)
        if self.final:
            for (when, symbol, kind), verdict in self.twin.facts.verdicts.items():
                if when == time and symbol in self.twin.names and (symbol, kind) not in asked:
                    words = f"{of_verdict(verdict)}, which the replay does not ask for"
                    row = self.twin.names.index(symbol)
                    self.note((column, row, 0), Cause.UNEXPLAINED, row, words, at_close=True)
        for row, position in enumerate(state.positions):
            self._cut(row, position, time)

    def _idle(self, time: int) -> bool:
        """Impose halts and the firing. Returns whether the agent decides nothing at this close."""
        facts, column = self.twin.facts, self.column
        first, idle = self._first(), False
        for halt in facts.halts:
            if not halt.since <= time or (halt.until is not None and time >= halt.until):
                continue
            key = (max(int(np.searchsorted(self.twin.times, halt.since)), first), -1, 0)
            if not self.imposes(Cause.HALT, key):
                continue
            idle = True
            if halt.since == time:
                self._close_all(Reason.HALT, time)
            if key[0] == column:
                self.note(key, Cause.HALT, None, _told_halt(halt), at_close=True)
        if facts.fired is not None and facts.fired[0] <= time:
            key = (max(int(np.searchsorted(self.twin.times, facts.fired[0])), first), -1, 0)
            if self.imposes(Cause.FIRED, key):
                idle = True
                if facts.fired[0] == time:
                    self._close_all(Reason.FIRED, time)
                if key[0] == column:
                    words = _told_fired(facts.fired[1])
                    self.note(key, Cause.FIRED, None, words, at_close=True)
        return idle

    def _obey(self, time: int) -> tuple[bool, bool]:
        """Impose what a person ordered. Returns whether all is being closed, and whether entries are allowed."""
        flattening, entering = False, True
        for order in self.twin.facts.ordered:
            if not order.since <= time or (order.until is not None and time >= order.until):
                continue
            key = (max(int(np.searchsorted(self.twin.times, order.since)), self._first()), -1, 1)
            if not self.imposes(Cause.HALT, key):
                continue
            entering = False
            if order.since == time:
                for position in self.state.positions:
                    if position["opening"] != 0.0:
                        position["opening"], position["acted"] = 0.0, np.nan
            if key[0] == self.column:
                self.note(key, Cause.HALT, None, _told_order(order), at_close=True)
            if order.flatten and (order.flat is None or time <= order.flat):
                self._close_all(Reason.HALT, time)
                flattening = order.flat is None or time < order.flat
        return flattening, entering

    def _first(self) -> int:
        """The first bar at whose close something is decided."""
        return self.twin.columns.start - 1 if self.twin.stretch.decides_first else self.twin.columns.start

    def _close_all(self, reason: Reason, time: int) -> None:
        for row, position in enumerate(self.state.positions):
            if position["lots"] != 0.0 or position["opening"] != 0.0:
                position["acted"] = np.nan
            position["opening"] = 0.0
            position["closing"] = -position["lots"]
            if position["lots"] != 0.0:
                position["closing_reason"] = float(reason)
                self._placed(row, OrderKind.CLOSING, time)

    def _placed(self, row: int, kind: OrderKind, time: int) -> None:
        """A new order: which of the real ones it is."""
        self.state.placed[row, kind] = self.twin.facts.orders.get((time, self.twin.names[row], kind))
        self.state.touched.pop((row, kind), None)

    def _ask(self, row: int, position: np.void, kind: OrderKind, time: int) -> None:
        """Take an order of the strategy to the gate, as far as its answers are imposed."""
        self._placed(row, kind, time)
        lot = self.twin.panel.instruments[row].lot
        lots = float(position[kind.value])
        verdict = self.twin.facts.verdicts.get((time, self.twin.names[row], kind))
        key = (self.column, row, 0)
        size = booked_size(lots, lot)
        if verdict is None and self.state.placed[row, kind] is not None:
            return  # a closing that was imposed before it and has not filled yet
        if verdict is None or verdict.asked != size:
            if self.final:
                real = "the journal has no such order" if verdict is None else f"the journal has {plain(verdict.asked)}"
                words = f"the replay asks for {kind} of {plain(size)}, {real}"
                self.note(key, Cause.UNEXPLAINED, row, words, at_close=True)
            if verdict is None:
                return
        if verdict.outcome == Outcome.ALLOW:
            return
        cause = _SPEAKS_FOR.get(verdict.code, Cause.GATE)
        if self.imposes(cause, key):
            allowed = abs(float(verdict.allowed / lot))
            position[kind.value] = float(np.sign(lots)) * min(abs(lots), allowed)
            self.note(key, cause, row, of_verdict(verdict), at_close=True)

    def _cut(self, row: int, position: np.void, time: int) -> None:
        """Make a position smaller where the reserve did."""
        symbol, key = self.twin.names[row], (self.column, row, 1)
        closing = self.twin.facts.cuts.get((time, symbol))
        if closing is None or not self.imposes(Cause.RESERVE, key):
            return
        lot = self.twin.panel.instruments[row].lot
        held = float(self.twin.real_size(self.column, symbol) / lot)
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
        self.note(key, Cause.RESERVE, row, words, at_close=True)


def _enter_nothing(before: NDArray[np.void], after: NDArray[np.void]) -> None:
    """Take the entries out of what was decided, as the fleet does while a person allows none."""
    entering = after["opening"] != 0.0
    after["opening"][entering] = 0.0
    after["opening_reason"][entering] = before["opening_reason"][entering]
    after["acted"][entering] = np.nan


def _same(before: np.void, after: np.void) -> bool:
    return all(before[name] == after[name] or (np.isnan(before[name]) and np.isnan(after[name])) for name in _DECIDED)


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
