"""A bar trades in a replay: what the model fills, at the model's prices or as it really was."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import numpy as np

from clawd.core.events import OrderFilled
from clawd.core.money import booked_price, booked_size, fee_of_fill, studied
from clawd.core.orders import OrderKind
from clawd.core.reason import Reason
from clawd.engine.position import (
    book_closing,
    book_opening,
    book_target,
    next_target,
    stop_level,
    stop_reason,
    target_after,
    target_lots,
)
from clawd.engine.prices import closing_price, in_band, market_price, stop_price, take_price
from clawd.fleet.parity_facts import BEFORE
from clawd.fleet.parity_hand import Hand
from clawd.fleet.parity_record import Key
from clawd.fleet.parity_words import Cause, moment, plain

#: The phases of a bar, in the order in which they come.
_CLOSING, _AT_OPEN, _OPENING, _WITHIN, _OTHERWISE = range(5)
_EXITS: Final = (OrderKind.STOP, OrderKind.TAKE)


class Trading:
    """The trades of a replay, bar by bar.

    Args:
        hand: the replay.
    """

    def __init__(self, hand: Hand) -> None:
        self.hand, self.day = hand, hand.day
        self.pending: list[OrderFilled] = []

    def trade(self, row: int) -> None:
        """Trade the bar at hand in one instrument."""
        day, panel, column = self.day, self.day.panel, self.hand.column
        position = self.hand.state.positions[row]
        time, symbol = int(day.times[column]), day.names[row]
        self.pending = list(day.fills.get((time, symbol), ()))
        if not np.isnan(panel.close[row, column]) and panel.volume[row, column] != 0.0:
            self._closing(row, position)
            self._exits(row, position, at_open=True)
            self._opening(row, position)
            self._exits(row, position, at_open=False)
        for fill in self.pending:
            self._otherwise(row, position, fill)
        self.pending = []
        order = self.hand.state.placed.get((row, OrderKind.OPENING))
        why = None if order is None else day.facts.cancels.get((time, order))
        if why is not None and position["opening"] != 0.0:
            position["opening"] = 0.0
            if why == "PRICE_BAND":
                position["acted"] = np.nan

    def _ahead(self, row: int, position: np.void, kinds: Sequence[OrderKind]) -> bool:
        """Impose the real fills that came before those of an order that is about to fill; whether there were any."""
        places = [
            place for place, fill in enumerate(self.pending) if any(self._is_of(fill, row, kind) for kind in kinds)
        ]
        if not places or not places[0] or not self.hand.imposes(Cause.LATENCY, (self.hand.column, row, _OTHERWISE)):
            return False
        ahead, self.pending = self.pending[: places[0]], self.pending[places[0] :]
        for fill in ahead:
            self._otherwise(row, position, fill)
        return True

    def _open_price(self, row: int) -> float:
        return float(self.day.panel.open[row, self.hand.column])

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
        order = self.hand.state.placed.get((row, OrderKind.OPENING))
        after = [fill for column, fill in self.day.by_order.get(order or "", ()) if column >= self.hand.column]
        return bool(after) and self.hand.imposes(Cause.LATENCY, (self.hand.column, row, _OPENING))

    def _market_price(self, row: int, lots: float) -> float:
        """The modelled price of a market order in this bar."""
        day, position = self.day, self.hand.state.positions[row]
        open_price, grid = self._open_price(row), day.grids[row]
        if position["lots"] * lots < 0.0:
            return float(closing_price(open_price, position["lots"], position["average"], day.slippage, grid))
        return float(market_price(open_price, float(np.sign(lots)), day.slippage, grid))

    def _exits(self, row: int, position: np.void, *, at_open: bool) -> None:
        if position["lots"] == 0.0:
            return
        day, column = self.day, self.hand.column
        side, phase = float(np.sign(position["lots"])), _AT_OPEN if at_open else _WITHIN
        high, low = float(day.panel.high[row, column]), float(day.panel.low[row, column])
        price = stop_price(
            stop_level(position),
            side,
            position["average"],
            self._open_price(row),
            at_open,
            low if side > 0.0 else high,
            day.slippage,
            day.grids[row],
        )
        if not np.isnan(price):
            if self._ahead(row, position, (OrderKind.STOP,)):
                self._exits(row, position, at_open=at_open)
                return
            self._execute(row, OrderKind.STOP, -float(position["lots"]), price, phase)
            return
        place = target_after(position, day.plan, -1) if day.plan["targets"] else -1
        while place >= 0:
            along = high if side > 0.0 else low
            price = take_price(
                float(position["take"][place]), side, self._open_price(row), at_open, along, day.grids[row]
            )
            if np.isnan(price):
                return
            if self._ahead(row, position, (OrderKind.TAKE,)):
                self._exits(row, position, at_open=at_open)
                return
            following = target_after(position, day.plan, place)
            lots = -side * float(target_lots(position, day.plan, place))
            if lots != 0.0 and self._execute(row, OrderKind.TAKE, lots, price, phase, place) != 0.0:
                return
            place = following if position["lots"] != 0.0 else -1

    def _execute(self, row: int, kind: OrderKind, lots: float, price: float, phase: int, place: int = -1) -> float:
        """Fill an order that the model fills in this bar; returns the signed lots that go on working.

        What really filled in this bar has its real price. What really filled later, and what never did, goes on
        working, where that is imposed; else it fills now as modelled.
        """
        day, state = self.day, self.hand.state
        key = (self.hand.column, row, phase)
        first = state.touched.get((row, kind))
        lot, tick = day.panel.instruments[row].lot, day.panel.instruments[row].tick
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
            if count and self.hand.imposes(Cause.SLIPPAGE if first is None else Cause.LATE_SLIPPAGE, key):
                self._fill(row, kind, side * count, fill, modelled, key, place, late=first is not None)
                rest -= count
            elif count:  # at the model's price it is one fill with the rest
                plainly += count
                rest -= count
        late = min(round(later / lot), rest)
        never = rest - late if exists else 0
        origin = first or key
        kept_late = late if self.hand.imposes(Cause.LATENCY, origin) else 0
        kept_never = never if self.hand.imposes(Cause.PARTIAL, origin) else 0
        if now := plainly + rest - kept_late - kept_never:
            self._book(row, kind, side * now, modelled, place)
        if first is None:
            if kept_late:
                self.hand.note(key, Cause.LATENCY, row, self._told_late(row, kind, lots, kept_late), at_close=False)
            if kept_never:
                self.hand.note(key, Cause.PARTIAL, row, self._told_never(row, kind, lots, kept_never), at_close=False)
        kept = side * (kept_late + kept_never)
        if kept != 0.0:
            state.touched.setdefault((row, kind), key)
            if level and state.positions[row]["lots"] != 0.0:
                state.positions[row]["take"][place] = level
        return kept

    def _is_of(self, fill: OrderFilled, row: int, kind: OrderKind) -> bool:
        return fill.order_kind is kind and (kind in _EXITS or fill.order == self.hand.state.placed.get((row, kind)))

    def _real(self, row: int, kind: OrderKind) -> tuple[Decimal, bool]:
        """What the real order filled in later bars, not signed, and whether there was one."""
        day, symbol = self.day, self.day.names[row]
        if kind in _EXITS:
            later = [abs(fill.size) for fill in day.exits_after(self.hand.column, row, kind)]
            held = day.real_size(self.hand.column - 1, symbol) if self.hand.column > day.columns.start else None
            held = day.held[BEFORE, symbol] if held is None else held
            entered = any(
                fill.order_kind is OrderKind.OPENING
                for fill in day.fills.get((int(day.times[self.hand.column]), symbol), ())
            )
            return sum(later, Decimal(0)), bool(held) or entered
        order = self.hand.state.placed.get((row, kind))
        fills = day.by_order.get(order or "", ())
        return sum(
            (abs(fill.size) for column, fill in fills if column > self.hand.column), Decimal(0)
        ), order is not None

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
        if self.hand.imposes(cause, key):
            price = fill.price
            if price != modelled:
                words = f"{kind} of {plain(fill.size)} filled at {price}, the model says {modelled}"
                self.hand.note(key, cause, row, words, at_close=False)
            size = booked_size(lots, self.day.panel.instruments[row].lot)
            if size == fill.size:
                surplus = fill.fee - fee_of_fill(fill.size, fill.price, self.day.stretch.costs.fee)
                self.hand.result.fees.setdefault(self.hand.column, []).append((fill, surplus))
        self._book(row, kind, lots, price, place)

    def _book(self, row: int, kind: OrderKind, lots: float, price: Decimal, place: int) -> None:
        position = self.hand.state.positions[row]
        if kind is OrderKind.OPENING:
            book_opening(position, lots, studied(price), self.day.grids[row])
        elif kind is OrderKind.TAKE and place >= 0:
            book_target(position, place, lots)
        elif kind is OrderKind.CLOSING:
            book_closing(position, lots, float(position["closing_reason"]))
        else:
            book_closing(position, lots, float(stop_reason(position)))
        self.hand.state.ledger.fill(row, booked_size(lots, self.day.panel.instruments[row].lot), price)
        if position["lots"] == 0.0:
            for exit_ in _EXITS:
                self.hand.state.touched.pop((row, exit_), None)

    def _otherwise(self, row: int, position: np.void, fill: OrderFilled) -> None:
        """A real fill where the model has none: it is imposed where the order is there to fill."""
        kind, key = fill.order_kind, (self.hand.column, row, _OTHERWISE)
        lot = self.day.panel.instruments[row].lot
        if kind in _EXITS:
            working = -float(position["lots"])
        else:
            found = self.hand.state.placed.get((row, kind)) == fill.order
            working = float(position[kind.value]) if found else 0.0
        lots = float(fill.size / lot)
        if working * lots <= 0.0:
            words = f"{kind} of {plain(fill.size)} filled at {fill.price}, which the replay has no order for"
            self.hand.note(key, Cause.UNEXPLAINED, row, words, at_close=False)
            return
        first = self.hand.state.touched.get((row, kind))
        if not self.hand.imposes(Cause.LATENCY, first or key):
            return
        lots = float(np.sign(lots)) * min(abs(lots), abs(working))
        if first is None:
            words = f"{kind} of {plain(fill.size)} filled, which the model fills in another bar or not at all"
            self.hand.note(key, Cause.LATENCY, row, words, at_close=False)
        place = next_target(position, self.day.plan) if kind is OrderKind.TAKE else -1
        modelled = self._modelled(row, position, kind, lots, place, fill)
        self._fill(row, kind, lots, fill, modelled, key, place, late=True)
        if kind not in _EXITS:
            position[kind.value] = working - lots

    def _modelled(
        self, row: int, position: np.void, kind: OrderKind, lots: float, place: int, fill: OrderFilled
    ) -> Decimal:
        """What the model would pay in this bar, had the order filled in it."""
        open_price, grid = self._open_price(row), self.day.grids[row]
        if np.isnan(open_price):
            return fill.price
        if kind is OrderKind.TAKE:
            price = float(position["take"][place]) if place >= 0 else open_price
        elif kind is OrderKind.STOP and (self.hand.state.touched.get((row, kind)) is None):
            level, side = float(stop_level(position)), -float(np.sign(lots))
            reached = min(level, open_price) if side > 0.0 else max(level, open_price)
            price = float(market_price(reached, -side, self.day.slippage, grid))
        else:
            price = self._market_price(row, lots)
        return booked_price(price, self.day.panel.instruments[row].tick)

    def _told_late(self, row: int, kind: OrderKind, lots: float, late: int) -> str:
        day = self.day
        size = booked_size(lots, day.panel.instruments[row].lot)
        part = booked_size(float(np.sign(lots)) * late, day.panel.instruments[row].lot)
        if kind in _EXITS:
            fills = day.exits_after(self.hand.column, row, kind)
        else:
            order = self.hand.state.placed.get((row, kind)) or ""
            fills = [fill for column, fill in day.by_order.get(order, ()) if column > self.hand.column]
        when = moment(fills[0].time) if fills else "later"
        return f"{kind} of {plain(size)}: {plain(part)} of it filled later than modelled, at {when}"

    def _told_never(self, row: int, kind: OrderKind, lots: float, never: int) -> str:
        instrument = self.day.panel.instruments[row]
        size, part = booked_size(lots, instrument.lot), booked_size(float(np.sign(lots)) * never, instrument.lot)
        order = self.hand.state.placed.get((row, kind))
        whys = [why for (_, name), why in self.day.facts.cancels.items() if name == order and kind not in _EXITS]
        return f"{kind} of {plain(size)}: {plain(part)} of it did not fill{f' ({whys[0]})' if whys else ''}"
