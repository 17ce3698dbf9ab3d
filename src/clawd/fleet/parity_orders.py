"""An agent's orders at a close: the backtester's, and step by step those that the gate really let through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clawd.core.account_events import TradingState
from clawd.core.events import VerdictGiven, Wish
from clawd.core.money import booked_size, studied
from clawd.core.orders import OrderKind
from clawd.core.reason import Reason
from clawd.engine.decision import decide
from clawd.execution.order_ids import client_id
from clawd.fleet.parity_account import DECIDED, AccountHistory, AgentHistory, Lived, Standing
from clawd.fleet.parity_replay import Course
from clawd.fleet.parity_words import SPEAKS_FOR, Cause, of_pause, of_verdict, plain
from clawd.fleet.venue_decision import decided
from clawd.fleet.wishes import enter_nothing, same, wish_of
from clawd.risk.verdict import Outcome

#: Nanoseconds after a close from which a bar was heard late.
_LATE: Final = 2_000_000_000

_ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Step:
    """One more class of facts imposed at a close: the orders with it."""

    cause: Cause
    symbol: str
    words: str
    orders: NDArray[np.void]


class OrdersAtClose:
    """The orders of an agent at each close of a day.

    Args:
        history: of the account.
        agent: whose.
        course: what its strategy wants at every close.
    """

    def __init__(self, history: AccountHistory, agent: AgentHistory, course: Course) -> None:
        self.history, self.agent, self.course, self.panel = history, agent, course, course.panel
        self.symbols = course.panel.symbols
        start = history.start
        self.bar = start.bar
        self.rows = [start.symbols.index(symbol) for symbol in self.symbols]
        self.paid_whole = np.array([symbol in start.spot for symbol in self.symbols])

    def _positions(self, standing: Standing, place: int) -> NDArray[np.void]:
        """Its positions at a close, with what it wants, as its own decision sees them."""
        positions = standing.positions[self.rows].copy()
        positions["target"] = self.course.latest(place)
        marks = self.history.marks[place]
        positions["mark"] = [studied(marks.get(symbol, _ZERO)) for symbol in self.symbols]
        return positions

    def working(self, place: int) -> NDArray[np.void]:
        """The same with the orders that still worked, which the model fills at the next open.

        What is held without exits is closed at once.
        """
        standing = self.agent.standings[place]
        positions = self._positions(standing, place)
        for symbol, position, instrument in zip(self.symbols, positions, self.panel.instruments, strict=True):
            lots = float(standing.sizes.get(symbol, _ZERO) / instrument.lot)
            if lots != position["lots"]:
                position["lots"], position["closing"], position["closing_reason"] = lots, -lots, float(Reason.STOP)
                position["average"] = position["entry"] = position["mark"]
        for order, lots in standing.working:
            if order.symbol not in self.symbols or not lots:
                continue
            position = positions[self.symbols.index(order.symbol)]
            if order.kind is OrderKind.CLOSING:
                position["closing"], position["closing_reason"] = lots, float(order.reason)
                continue
            position["opening"], position["opening_reason"] = lots, float(order.reason)
            position["reference"] = position["mark"] if order.reference is None else studied(order.reference)
            if (plan := self.history.plans.get(order.id)) is not None:
                position["distances"] = plan.distances
        return positions

    def modelled(self, positions: NDArray[np.void], place: int) -> NDArray[np.void]:
        """The orders that the backtester decides on positions at a close."""
        after, at = positions.copy(), slice(place, place + 1)
        close = np.ascontiguousarray(self.panel.close[:, at])
        ranges = np.ascontiguousarray(self.course.decisions.ranges[:, :, at])
        capital = self.agent.standings[place].capital[0]
        decide(after, self.course.plan, close, ~np.isnan(close), ranges, 0, capital, self.panel.lots, False)
        return after

    def steps(self, place: int, modelled: NDArray[np.void]) -> Iterator[Step]:
        """The steps from the model's orders at a close to those that the gate let through."""
        standing, lived = self.agent.standings[place], self.agent.lived[place]
        before, working = self._positions(standing, place), self.working(place)
        at = slice(place, place + 1)
        close = np.ascontiguousarray(self.panel.close[:, at])
        present, spot = ~np.isnan(close), self.paid_whole
        targets = before["target"].copy()
        waits = np.array([symbol in standing.waited_for for symbol in self.symbols])
        idle = standing.stopped is not None and not any(symbol in standing.sizes for symbol in self.symbols)
        orders = modelled

        def decision(positions: NDArray[np.void]) -> NDArray[np.void]:
            return decided(
                positions,
                self.course.plan,
                targets,
                spot if spot.any() else np.zeros(len(self.symbols), np.bool_),
                close,
                present,
                np.ascontiguousarray(self.course.decisions.ranges[:, :, at]),
                standing.capital[1 if spot.any() else 0],
                self.panel.lots,
            )

        if spot.any():
            following = decision(working)
            if not _alike(orders, following):
                yield Step(Cause.SPOT, "", _told_spot(orders, following, self.symbols), following)
            orders = following
        if standing.stopped is not None:
            targets = np.zeros(len(self.symbols))
            following = working.copy() if idle else decision(working)
            enter_nothing(working, following)
            if not _alike(orders, following):
                yield Step(Cause.FIRED, "", f"stopped: {standing.stopped}", following)
            orders = following
        if waits.any():
            present[waits] = False
            following = decision(working)
            if standing.stopped is not None:
                enter_nothing(working, following)
            if not _alike(orders, following):
                names = ", ".join(symbol for symbol, wait in zip(self.symbols, waits, strict=True) if wait)
                words = f"decided nothing in {names}: an order was under way{self.late(place)}"
                yield Step(Cause.LATENCY, "", words, following)
            orders = following
        if standing.state is not TradingState.ACTIVE:
            following = orders.copy()
            enter_nothing(working, following)
            if not _alike(orders, following):
                yield Step(Cause.HALT, "", f"{standing.state}: nothing is entered", following)
            orders = following
        if standing.paused is not None:
            following = orders.copy()
            enter_nothing(working, following)
            if not _alike(orders, following):
                yield Step(Cause.PAUSED, "", f"{of_pause(standing.paused)}: nothing is entered", following)
            orders = following
        expected = before.copy() if idle else decision(before)
        if not (standing.state is TradingState.ACTIVE and standing.stopped is None and standing.paused is None):
            enter_nothing(before, expected)
        wishes = {
            symbol: wish_of(symbol, expected[row])
            for row, symbol in enumerate(self.symbols)
            if not same(before[row], expected[row])
        }
        if wishes != lived.wishes:
            orders = self._as_written(working, lived)
            yield Step(Cause.UNEXPLAINED, "", _told_otherwise(wishes, lived.wishes), orders)
        yield from self._verdicts(lived, place, orders)

    def _as_written(self, working: NDArray[np.void], lived: Lived) -> NDArray[np.void]:
        """The orders that the journal says, whoever decided them."""
        orders = working.copy()
        for symbol, wish in lived.wishes.items():
            position = orders[self.symbols.index(symbol)]
            position["acted"] = np.nan if wish.exposure is None else wish.exposure
            for name in ("shut", "closing", "closing_reason", "opening", "opening_reason", "reference"):
                position[name] = getattr(wish, name)
            if wish.distances:
                position["distances"] = wish.distances
        return orders

    def _verdicts(self, lived: Lived, place: int, orders: NDArray[np.void]) -> Iterator[Step]:
        """The gate's answers to what was asked, those of one cause together."""
        found: dict[Cause, list[tuple[int, OrderKind, VerdictGiven | None]]] = {}
        for symbol, wish in lived.wishes.items():
            for kind, lots in ((OrderKind.CLOSING, wish.closing), (OrderKind.OPENING, wish.opening)):
                if not lots:
                    continue
                verdict = lived.verdicts.get(self._order(symbol, place, kind))
                row = self.symbols.index(symbol)
                if verdict is None:
                    found.setdefault(Cause.UNEXPLAINED, []).append((row, kind, None))
                elif verdict.outcome != Outcome.ALLOW:
                    found.setdefault(SPEAKS_FOR.get(verdict.code, Cause.GATE), []).append((row, kind, verdict))
        for cause, verdicts in found.items():
            orders = orders.copy()
            words = []
            for row, kind, verdict in verdicts:
                lots = float(orders[row][kind.value])
                lot = self.panel.instruments[row].lot
                allowed = 0.0 if verdict is None else abs(float(verdict.allowed / lot))
                orders[row][kind.value] = np.sign(lots) * min(abs(lots), allowed)
                size = plain(booked_size(lots, lot))
                words.append(
                    f"the journal has no verdict on {kind} of {size}" if verdict is None else of_verdict(verdict)
                )
            symbol = self.symbols[verdicts[0][0]] if len({row for row, _, _ in verdicts}) == 1 else ""
            yield Step(cause, symbol, "; ".join(words), orders)

    def _order(self, symbol: str, place: int, kind: OrderKind) -> str:
        """Our id of the order that was decided at a close."""
        closed = self.history.bars[place].time + self.bar
        return client_id(self.history.start.account, self.agent.agent, symbol, closed, kind)

    def late(self, place: int) -> str:
        """That a close was heard late, where it was."""
        standing = self.agent.standings[place]
        return f", and the close was heard {standing.late / 1e9:.0f} s late" if standing.late >= _LATE else ""

    def ids(self, place: int) -> dict[tuple[int, OrderKind], str]:
        """Our ids of the market orders that the model fills: those that worked already, and those just decided."""
        standing, lived = self.agent.standings[place], self.agent.lived[place]
        found = {
            (self.symbols.index(order.symbol), order.kind): order.id
            for order, _ in standing.working
            if order.symbol in self.symbols
        }
        for symbol, wish in lived.wishes.items():
            for kind in DECIDED:
                if getattr(wish, kind.value):
                    found[self.symbols.index(symbol), kind] = self._order(symbol, place, kind)
        return found


def _alike(one: NDArray[np.void], other: NDArray[np.void]) -> bool:
    return all(same(mine, theirs) for mine, theirs in zip(one, other, strict=True))


def _told_spot(before: NDArray[np.void], after: NDArray[np.void], symbols: Sequence[str]) -> str:
    parts = []
    for mine, theirs, symbol in zip(before, after, symbols, strict=True):
        if mine["opening"] < 0.0 and not theirs["opening"]:
            parts.append(f"{symbol} is not sold short")
        elif not same(mine, theirs):
            parts.append(f"{symbol} is paid from what there is, and its costs as well")
    return "; ".join(parts)


def _told_otherwise(expected: dict[str, Wish], written: dict[str, Wish]) -> str:
    parts = []
    for symbol in sorted({*expected, *written}):
        mine, theirs = expected.get(symbol), written.get(symbol)
        if mine != theirs:
            parts.append(f"{symbol}: the replay decides {_told_wish(mine)}, the journal has {_told_wish(theirs)}")
    return "; ".join(parts)


def _told_wish(wish: Wish | None) -> str:
    if wish is None:
        return "nothing"
    orders = [f"{kind} of {getattr(wish, kind.value):+g} lots" for kind in DECIDED if getattr(wish, kind.value)]
    return " and ".join(orders) or f"exposure {wish.exposure} without an order"
