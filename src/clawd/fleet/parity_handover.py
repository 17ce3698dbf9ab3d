"""Parity of an account at a venue: a day is handed over from the backtester to what happened, bar by bar.

H(k) is the profit of the day whose first k bars are what happened, and whose others the backtester trades, from where
the agent really stood then. H(0) is the backtest, H(n) what happened, and every bar in which the two part costs
H(k) - H(k-1), with all that followed from it. Within such a bar the facts are imposed one class after the other, in an
order that never changes; each step is again a whole day. So everything adds up by construction.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clawd.core.account_events import UNATTRIBUTED
from clawd.core.costs import Costs
from clawd.core.money import cash_of_fill, fee_of_fill
from clawd.fleet.parity_account import AccountHistory, AgentHistory, Lived, span_of
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
from clawd.fleet.parity_orders import OrdersAtClose
from clawd.fleet.parity_replay import course_of
from clawd.fleet.parity_words import Cause, plain
from clawd.language.strategy import parse_json

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
        self.orders = OrdersAtClose(history, agent, onward.course)
        self.symbols = onward.panel.symbols
        self.bar = history.start.bar
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

    def _modelled(self, place: int) -> Decimal:
        """What the agent is worth at the end of the day where all behind a close is the backtester's."""
        return self._worth(self.orders.modelled(self.orders.working(place), place), place)

    def _worth(self, orders: NDArray[np.void], place: int) -> Decimal:
        standing = self.agent.standings[place]
        return standing.cash + self.onward.worth(orders, place, self._equity(place))[0]

    def _equity(self, place: int) -> Decimal:
        return self.agent.standings[place].worth(self.history.marks[place])

    # One bar is handed over.

    def _bar(self, place: int, at: Decimal) -> Decimal:
        """Hand the bar behind a close over: from the worth at the end of the day before to that after."""
        lived = self.agent.lived[place]
        orders = self.orders.modelled(self.orders.working(place), place)
        steps = list(self.orders.steps(place, orders))
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

    def _fills(self, lived: Lived, place: int, orders: NDArray[np.void], at: Decimal) -> Decimal:
        """Impose what filled in the bar behind a close: how much, at which price, with which exits, at which fee."""
        history, after = self.history, place + 1
        standing = self.agent.standings[place]
        model = self.onward.next_bar(orders, place, self._equity(place))
        parts = parts_of(model, lived.fills, self.symbols)
        closed = history.bars[place].time + self.bar
        real = self.orders.working(after)
        found = divergence(history, self.onward.panel, place, model, lived.fills, self.orders.ids(place))
        time = lived.fills[0].time if lived.fills else int(self.onward.panel.times[after])
        filled = orders.copy()

        def worth(cash: Decimal, positions: NDArray[np.void]) -> Decimal:
            onward = self.onward.worth(self.orders.modelled(positions, after), after, self._equity(after))
            return standing.cash + cash + onward[0]

        trades = at_models_prices(parts)
        cash = cash_of(trades, self.costs.fee)
        to = worth(cash, booked(filled, trades, real, self.onward.course, after, history))
        if found is not None:
            late = self.orders.late(place) if found.cause is Cause.LATENCY else ""
            self._tell(found.cause, found.symbol, found.time, found.words + late, to - at)
        else:
            self._tell(Cause.EXITS, "", time, "what is remembered of the orders", to - at)
        at = to
        trades = [(self.symbols.index(fill.symbol), fill, fill.size, fill.price) for fill in lived.fills]
        cash = cash_of(trades, self.costs.fee)
        to = worth(cash, booked(filled, trades, real, self.onward.course, after, history))
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
            symbol = lived.fills[0].symbol if len({fill.symbol for fill in lived.fills}) == 1 else ""
            self._tell(Cause.FEES, symbol, time, told_fee(lived.fills, self.costs.fee), modelled - paid)
        return at + modelled - paid
