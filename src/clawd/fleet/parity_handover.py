"""Parity of an account at a venue: a day is handed over from the backtester to what happened, bar by bar.

H(k) is the profit of the day whose first k bars are what happened, and whose others the backtester trades, from where
the agent really stood then. H(0) is the backtest, H(n) what happened, and every bar in which the two part costs
H(k) - H(k-1), with all that followed from it. Within such a bar the facts are imposed one class after the other, in an
order that never changes; each step is again a whole day. So everything adds up by construction.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clawd.core.account_events import UNATTRIBUTED, TradingState
from clawd.core.costs import Costs
from clawd.core.events import VerdictGiven, Wish
from clawd.core.money import booked_size, cash_of_fill, fee_of_fill, studied
from clawd.core.orders import OrderKind
from clawd.core.reason import Reason
from clawd.engine.decision import decide
from clawd.execution.order_ids import client_id
from clawd.fleet.parity_account import DECIDED, AccountHistory, AgentHistory, Lived, Standing, span_of
from clawd.fleet.parity_bar import (
    at_models_prices,
    booked,
    cash_of,
    divergence,
    parts_of,
    told_fee,
    told_slippage,
)
from clawd.fleet.parity_difference import AgentParity, DayParity, Difference
from clawd.fleet.parity_onward import Onward
from clawd.fleet.parity_replay import course_of
from clawd.fleet.parity_words import SPEAKS_FOR, Cause, of_verdict, plain
from clawd.fleet.venue_decision import decided
from clawd.fleet.wishes import enter_nothing, same, wish_of
from clawd.language.strategy import parse_json
from clawd.risk.verdict import Outcome

#: Nanoseconds after a close from which a bar was heard late.
_LATE: Final = 2_000_000_000

_ZERO: Final = Decimal(0)


def handed_over(history: AccountHistory, days: Sequence[int], *, agents: Sequence[str] = ()) -> Iterator[DayParity]:
    """Compare the days of an account with the backtester, one after the other.

    Args:
        history: of the account.
        days: since 1970, each with bars.
        agents: only these; all where empty.

    Raises:
        ClawdError: when the journal's strategies cannot be read.
    """
    panel, times = history.panel(), [bar.time for bar in history.bars]
    for day in days:
        span = span_of(times, day)
        first, last = span[0], span[-1]
        ends = last + 1 == len(times)
        found = []
        for agent in history.agents.values():
            if not agents or agent.agent in agents:
                strategy = parse_json(json.dumps(agent.about))
                traded = panel.symbols if strategy.universe is None else strategy.universe
                market = panel.select([symbol for symbol in panel.symbols if symbol in traded])
                course = course_of(strategy, market, times[0])
                marks = [history.marks[last].get(symbol, _ZERO) for symbol in course.panel.symbols]
                costs = Costs(history.start.fee, history.start.slippage)
                onward = Onward(course, agent.capital, costs, last, marks)
                found.append(_Handover(history, agent, onward, first, last, ends=ends).parity())
        real = history.equity[last] - history.equity[first]
        if (stranger := _unattributed(history, first, last)) is not None and not agents:
            found.append(stranger)
        after = sum((each.of(Cause.AFTER) for each in found), _ZERO)
        yield DayParity(day, tuple(found), real + after, not agents)


def _unattributed(history: AccountHistory, first: int, last: int) -> AgentParity | None:
    """What no agent has done: trades by hand, and what the venue could not explain."""
    real = history.unattributed[last] - history.unattributed[first]
    words = [each for place in range(first, last) for each in history.strangers.get(place, ())]
    if not real and not words:
        return None
    told = "; ".join(words) or "held from before, at other prices"
    time = history.bars[first].time + history.start.bar
    return AgentParity(UNATTRIBUTED, "", _ZERO, real, (Difference(Cause.OUTSIDE, UNATTRIBUTED, "", time, told, real),))


@dataclass(frozen=True, slots=True)
class _Step:
    """One more class of facts imposed at a close: the orders with it."""

    cause: Cause
    symbol: str
    words: str
    orders: NDArray[np.void]


class _Handover:
    """One agent's day.

    Args:
        history: of the account.
        agent: whose.
        onward: the backtester.
        first, last: places of the closes at which the day begins and ends.
        ends: whether the journal has no bar behind it.
    """

    def __init__(
        self, history: AccountHistory, agent: AgentHistory, onward: Onward, first: int, last: int, *, ends: bool
    ) -> None:
        self.history, self.agent, self.onward = history, agent, onward
        self.first, self.last, self.ends = first, last, ends
        self.course, self.panel = onward.course, onward.panel
        self.symbols = self.panel.symbols
        start = history.start
        self.rows = [start.symbols.index(symbol) for symbol in self.symbols]
        self.paid_whole = np.array([symbol in start.spot for symbol in self.symbols])
        self.bar = start.bar
        self.costs = onward.costs
        self.found: list[Difference] = []

    def parity(self) -> AgentParity:
        """The day, from the backtest to what happened."""
        history, agent, standings = self.history, self.agent, self.agent.standings
        opened = standings[self.first].worth(history.marks[self.first])
        closed = standings[self.last].worth(history.marks[self.last])
        at = self._modelled(self.first)
        replayed = at - opened
        for place in range(self.first, self.last):
            at = self._bar(place, at)
        real, left = closed - opened, closed - at
        if self.ends and (lived := agent.lived.get(self.last)) is not None and lived.fills:
            real += self._after(lived)
        if left:
            words = "the facts in the journal do not give the profit of its books"
            self._tell(Cause.UNEXPLAINED, "", history.bars[self.last].time + self.bar, words, left)
        return AgentParity(agent.agent, agent.strategy, replayed, real, tuple(self.found))

    def _after(self, lived: Lived) -> Decimal:
        """What filled after the last bar, against its close: no bar of the replay can have it."""
        marks, total = self.history.marks[self.last], _ZERO
        for fill in lived.fills:
            money = cash_of_fill(fill.size, fill.price) - fill.fee + fill.size * marks[fill.symbol]
            words = f"{fill.reason.word} of {plain(fill.size)} filled at {fill.price:f}, after the last bar closed"
            self._tell(Cause.AFTER, fill.symbol, fill.time, words, money)
            total += money
        return total

    def _tell(self, cause: Cause, symbol: str, time: int, words: str, money: Decimal) -> None:
        if money or cause is Cause.UNEXPLAINED:
            self.found.append(Difference(cause, self.agent.agent, symbol, time, words, money))

    # How the agent stood.

    def _positions(self, standing: Standing, place: int) -> NDArray[np.void]:
        """Its positions at a close, with what it wants, as its own decision sees them."""
        positions = standing.positions[self.rows].copy()
        positions["target"] = self.course.latest(place)
        marks = self.history.marks[place]
        positions["mark"] = [studied(marks.get(symbol, _ZERO)) for symbol in self.symbols]
        return positions

    def _with_working(self, standing: Standing, place: int) -> NDArray[np.void]:
        """The same with the orders that still worked, which the model fills at the next open.

        What is held without exits is closed at once.
        """
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

    def _modelled(self, place: int) -> Decimal:
        """What the agent is worth at the end of the day where all behind a close is the backtester's."""
        standing = self.agent.standings[place]
        orders = self._decided_by_model(self._with_working(standing, place), place)
        return self._worth(orders, place)

    def _worth(self, orders: NDArray[np.void], place: int) -> Decimal:
        standing = self.agent.standings[place]
        return standing.cash + self.onward.worth(orders, place, self._equity(place))[0]

    def _equity(self, place: int) -> Decimal:
        return self.agent.standings[place].worth(self.history.marks[place])

    def _decided_by_model(self, positions: NDArray[np.void], place: int) -> NDArray[np.void]:
        after, at = positions.copy(), slice(place, place + 1)
        close = np.ascontiguousarray(self.panel.close[:, at])
        ranges = np.ascontiguousarray(self.course.decisions.ranges[:, :, at])
        capital = self.agent.standings[place].capital[0]
        decide(after, self.course.plan, close, ~np.isnan(close), ranges, 0, capital, self.panel.lots, False)
        return after

    # One bar is handed over.

    def _bar(self, place: int, at: Decimal) -> Decimal:
        """Hand the bar behind a close over: from the worth at the end of the day before to that after."""
        standing, lived = self.agent.standings[place], self.agent.lived[place]
        orders = self._decided_by_model(self._with_working(standing, place), place)
        steps = list(self._decisions(standing, lived, place, orders))
        final = steps[-1].orders if steps else orders
        if not steps and not lived.fills and not self.onward.next_bar(final, place, self._equity(place)):
            return at
        closed = self.history.bars[place].time + self.bar
        at = self._to(Cause.EXITS, "", closed, "exits that remember otherwise than by the bar rules", orders, place, at)
        for step in steps:
            at = self._to(step.cause, step.symbol, closed, step.words, step.orders, place, at)
        return self._fills(lived, place, final, at)

    def _to(
        self, cause: Cause, symbol: str, time: int, words: str, orders: NDArray[np.void], place: int, at: Decimal
    ) -> Decimal:
        to = self._worth(orders, place)
        self._tell(cause, symbol, time, words, to - at)
        return to

    def _decisions(self, standing: Standing, lived: Lived, place: int, modelled: NDArray[np.void]) -> Iterator[_Step]:
        """The steps from the model's orders at a close to those that the gate let through."""
        before, working = self._positions(standing, place), self._with_working(standing, place)
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
                yield _Step(Cause.SPOT, "", _told_spot(orders, following, self.symbols), following)
            orders = following
        if standing.stopped is not None:
            targets = np.zeros(len(self.symbols))
            following = working.copy() if idle else decision(working)
            enter_nothing(working, following)
            if not _alike(orders, following):
                yield _Step(Cause.FIRED, "", f"stopped: {standing.stopped}", following)
            orders = following
        if waits.any():
            present[waits] = False
            following = decision(working)
            if standing.stopped is not None:
                enter_nothing(working, following)
            if not _alike(orders, following):
                names = ", ".join(symbol for symbol, wait in zip(self.symbols, waits, strict=True) if wait)
                words = f"decided nothing in {names}: an order was under way{self._late(standing)}"
                yield _Step(Cause.LATENCY, "", words, following)
            orders = following
        if standing.state is not TradingState.ACTIVE:
            following = orders.copy()
            enter_nothing(working, following)
            if not _alike(orders, following):
                yield _Step(Cause.HALT, "", f"{standing.state}: nothing is entered", following)
            orders = following
        expected = before.copy() if idle else decision(before)
        if standing.state is not TradingState.ACTIVE or standing.stopped is not None:
            enter_nothing(before, expected)
        wishes = {
            symbol: wish_of(symbol, expected[row])
            for row, symbol in enumerate(self.symbols)
            if not same(before[row], expected[row])
        }
        if wishes != lived.wishes:
            orders = self._as_written(working, lived)
            yield _Step(Cause.UNEXPLAINED, "", _told_otherwise(wishes, lived.wishes), orders)
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

    def _verdicts(self, lived: Lived, place: int, orders: NDArray[np.void]) -> Iterator[_Step]:
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
            yield _Step(cause, symbol, "; ".join(words), orders)

    def _order(self, symbol: str, place: int, kind: OrderKind) -> str:
        """Our id of the order that was decided at a close."""
        closed = self.history.bars[place].time + self.bar
        return client_id(self.history.start.account, self.agent.agent, symbol, closed, kind)

    def _late(self, standing: Standing) -> str:
        return f", and the close was heard {standing.late / 1e9:.0f} s late" if standing.late >= _LATE else ""

    def _fills(self, lived: Lived, place: int, orders: NDArray[np.void], at: Decimal) -> Decimal:
        """Impose what filled in the bar behind a close: how much, at which price, with which exits, at which fee."""
        history, after = self.history, place + 1
        standing, following = self.agent.standings[place], self.agent.standings[after]
        model = self.onward.next_bar(orders, place, self._equity(place))
        parts = parts_of(model, lived.fills, self.symbols)
        closed = history.bars[place].time + self.bar
        real = self._with_working(following, after)
        found = divergence(history, self.panel, place, model, lived.fills, self._ids(standing, lived, place))
        time = lived.fills[0].time if lived.fills else int(self.panel.times[after])
        filled = orders.copy()

        def worth(cash: Decimal, positions: NDArray[np.void]) -> Decimal:
            onward = self.onward.worth(self._decided_by_model(positions, after), after, self._equity(after))
            return standing.cash + cash + onward[0]

        trades = at_models_prices(parts)
        cash = cash_of(trades, self.costs.fee)
        to = worth(cash, booked(filled, trades, real, self.course, after, history))
        if found is not None:
            late = self._late(standing) if found.cause is Cause.LATENCY else ""
            self._tell(found.cause, found.symbol, found.time, found.words + late, to - at)
        else:
            self._tell(Cause.EXITS, "", time, "what is remembered of the orders", to - at)
        at = to
        trades = [(self.symbols.index(fill.symbol), fill, fill.size, fill.price) for fill in lived.fills]
        cash = cash_of(trades, self.costs.fee)
        to = worth(cash, booked(filled, trades, real, self.course, after, history))
        slipped = [part for part in parts if part.slipped]
        symbol = self.symbols[slipped[0].row] if len({part.row for part in slipped}) == 1 else ""
        words = told_slippage(slipped, closed) if slipped else "parts of an order, each rounded"
        self._tell(Cause.SLIPPAGE, symbol, time, words, to - at)
        at, to = to, worth(cash, real)
        words = "entered part of the way through the bar: its exits count from then on"
        self._tell(Cause.EXITS, "", time, words, to - at)
        at = to
        modelled = sum((fee_of_fill(size, price, self.costs.fee) for _, _, size, price in trades), _ZERO)
        paid = sum((fill.fee for fill in lived.fills), _ZERO)
        if lived.fills:
            self._tell(Cause.FEES, symbol, time, told_fee(lived.fills, self.costs.fee), modelled - paid)
        return at + modelled - paid

    def _ids(self, standing: Standing, lived: Lived, place: int) -> dict[tuple[int, OrderKind], str]:
        """Our ids of the market orders that the model fills: those that worked already, and those just decided."""
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
