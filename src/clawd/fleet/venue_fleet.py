"""Agents on an account at a venue: what their strategies want at a closed bar becomes orders of the trader's.

The decisions are those of a replay of bars, by the same compiled rules. What differs is what follows: orders travel,
fill in parts or not at all, and the exits live at the venue.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np

from clawd.core.account_events import OrderDropped, OrderExpired, OrderMissing, OrderRejected, TradingState
from clawd.core.clock import Clock
from clawd.core.event import Event
from clawd.core.events import BarClosed, IntentsProposed, OrderCancelled, OrderHeld, Wish
from clawd.core.money import booked_float, booked_size
from clawd.core.orders import Order, OrderKind
from clawd.core.panel import Panel
from clawd.core.reason import Reason
from clawd.engine.plan import CHANDELIER
from clawd.engine.position import POSITION
from clawd.engine.runtime import Decisions
from clawd.execution.order_ids import client_id
from clawd.execution.stance import Stance
from clawd.execution.sub_account import SubAccount
from clawd.execution.trader import Trader
from clawd.fleet.agent_book import entry_stop_distance
from clawd.fleet.programs import Programs
from clawd.fleet.venue_decision import capital_of, decided, position_of
from clawd.fleet.wishes import enter_nothing, same, wish_of
from clawd.language.strategy import Strategy
from clawd.risk.reserve import entry_reserve_per_unit


class VenueFleet:
    """Strategies that trade an account.

    Args:
        trader: of the account.
        strategies: by agent; the agents have been funded.
        market: any bars of the market, or none: its instruments.
        clock: the time.
        spot: symbols that are paid for whole and never sold short.
    """

    def __init__(
        self,
        trader: Trader,
        strategies: Mapping[str, Strategy],
        market: Panel,
        clock: Clock,
        spot: Collection[str] = (),
    ) -> None:
        self.trader = trader
        self.agents = tuple(strategies)
        self.programs = Programs(list(strategies.values()), market)
        self._instruments = {instrument.symbol: instrument for instrument in market.instruments}
        self._symbols = market.symbols
        self._lots = market.lots
        self._bar = market.bar
        self._clock = clock
        self._spot = frozenset(spot)
        self._closes: dict[str, Decimal] = {}
        self._held = {name: held.order for name, held in trader.account.held.items()}
        trader.dealer.writer.observers.append(self._entered)

    def saw(self, bars: Panel) -> list[Decisions]:
        """The programs live through bars, and nobody acts on what they want."""
        decisions, present = self.programs.advance(bars), bars.present
        for place, symbol in enumerate(bars.symbols):
            if (columns := np.flatnonzero(present[place])).size:
                self._closes[symbol] = booked_float(float(bars.close[place, columns[-1]]))
        return decisions

    def bar_closed(self, row: Panel) -> None:
        """Live through a bar: exits move, and every agent decides. One that the journal has already only goes by."""
        time, account = int(row.times[0]), self.trader.account
        decisions = self.saw(row)
        if time <= account.bar_time:
            return
        ranges = self._ranges(decisions)
        with self.trader.dealer.writer.batch():
            self.trader.dealer.enter(BarClosed(time=time, bars=_values(row), ranges=ranges))
            for place, symbol in enumerate(row.symbols):
                if row.present[place, 0]:
                    high, low, close = (float(each[place, 0]) for each in (row.high, row.low, row.close))
                    traded = row.volume[place, 0] != 0.0
                    self.trader.bar(symbol, row.bar, time, high, low, close, traded, ranges.get(symbol, {}))
            for index, agent in enumerate(self.agents):
                self._decide(index, account.agents[agent], decisions[index], row)

    # Decisions.

    def _decide(self, index: int, agent: SubAccount, decisions: Decisions, row: Panel) -> None:
        rows = self.programs.rows[index]
        if agent.stopped is not None and not agent.holdings:
            return
        present = np.ascontiguousarray(row.present[rows])
        under_way = self._under_way(agent)
        before = np.zeros(len(rows), POSITION)
        for place, k in enumerate(rows):
            symbol = self._symbols[k]
            before[place] = self._position(agent, symbol)
            # What is under way is waited for: a decision is made on what is held, not on what may come.
            if (agent.id, symbol) in under_way:
                present[place] = False
        targets = np.zeros(len(rows)) if agent.stopped is not None else np.nan_to_num(self.programs.latest[index])
        paid_whole = np.array([self._symbols[row] in self._spot for row in rows])
        after = decided(
            before,
            self.programs.plans[index],
            targets,
            paid_whole,
            np.ascontiguousarray(row.close[rows]),
            present,
            np.ascontiguousarray(decisions.ranges),
            capital_of(agent, self.trader.account.costs, self._closes, bool(paid_whole.any())),
            self._lots[rows],
        )
        if self.trader.account.state is not TradingState.ACTIVE or agent.stopped is not None or agent.paused:
            enter_nothing(before, after)
        changed = [k for k in range(len(rows)) if not same(before[k], after[k])]
        if not changed:
            return
        wishes = {k: wish_of(self._symbols[rows[k]], after[k]) for k in changed}
        self.trader.dealer.enter(IntentsProposed(agent=agent.id, wishes=list(wishes.values())))
        close = int(row.times[0]) + row.bar
        for wish in wishes.values():
            if wish.closing:
                self.trader.leave(self._order(agent, wish, OrderKind.CLOSING, close))
        entries = [(self._entry(agent, wish, after[k], close), wish) for k, wish in wishes.items() if wish.opening]
        # Entries of one moment share what is free by what each would put at risk, so none depends on coming first.
        risks = [self._risk_of(order) for order, _ in entries]
        exits = self.programs.strategies[index].exits.to_json()
        for number, (order, wish) in enumerate(entries):
            rest = sum(risks[number:], Decimal(0))
            part = risks[number] / rest if rest else Decimal(1)
            self.trader.enter(order, exits, wish.distances, self._bar, part)

    def _under_way(self, agent: SubAccount) -> set[tuple[str, str]]:
        """Where an order of an agent's decision works, or waits to be sent."""
        account = self.trader.account
        working = [account.orders[order].order for ids in agent.orders.values() for order in ids]
        held = [each.order for each in account.held.values() if each.order.agent == agent.id]
        return {(order.agent, order.symbol) for order in (*working, *held) if _decided(order)}

    def _position(self, agent: SubAccount, symbol: str) -> np.void:
        """What the compiled rules know of a position: its exits' memory, and the agent's last word."""
        protection = self.trader.exits.protection(agent.id, symbol)
        return position_of(protection, agent.stances.get(symbol, Stance()), self._clock.now(), self._bar)

    def _order(self, agent: SubAccount, wish: Wish, kind: OrderKind, time: int) -> Order:
        opening = kind is OrderKind.OPENING
        lots, reason = (wish.opening, wish.opening_reason) if opening else (wish.closing, wish.closing_reason)
        return Order(
            id=client_id(self.trader.account.start.account, agent.id, wish.symbol, time, kind),
            agent=agent.id,
            symbol=wish.symbol,
            kind=kind,
            size=booked_size(lots, self._instruments[wish.symbol].lot),
            reason=Reason(reason),
            reference=self.trader.dealer.quotes.mark(wish.symbol),
        )

    def _entry(self, agent: SubAccount, wish: Wish, position: np.void, time: int) -> Order:
        order = self._order(agent, wish, OrderKind.OPENING, time)
        return replace(order, stop_distance=entry_stop_distance(position))

    def _risk_of(self, order: Order) -> Decimal:
        if order.reference is None or order.stop_distance is None:
            return Decimal(0)
        side = 1 if order.size > 0 else -1
        costs = self.trader.account.costs
        return abs(order.size) * entry_reserve_per_unit(order.reference, order.stop_distance, side, costs)

    def _entered(self, event: Event) -> None:
        """What the venue did not take, or what never came there, is asked for again at the next bar.

        Of an order that closes, that is so while what it was to close is still there.
        """
        if isinstance(event, OrderHeld):
            self._held[event.order] = event.to_order()
        if not isinstance(event, OrderRejected | OrderMissing | OrderExpired | OrderCancelled | OrderDropped):
            return
        placed = self.trader.account.orders.get(event.order)
        order = self._held.pop(event.order, None) if placed is None else placed.order
        if order is None:
            return
        agent = self.trader.account.agents[order.agent]
        if order.kind is OrderKind.OPENING:
            again = placed is None or not placed.filled
        else:
            again = order.reason in (Reason.SIGNAL, Reason.REDUCE) and agent.size(order.symbol) * order.size < 0
        if not again:
            return
        stance = agent.stances.get(order.symbol, Stance())
        wish = Wish(symbol=order.symbol, exposure=None, shut=stance.shut)
        self.trader.dealer.writer.enter(IntentsProposed(agent=order.agent, wishes=[wish]))

    def _ranges(self, decisions: Sequence[Decisions]) -> dict[str, dict[int, float]]:
        """The average true ranges at the close that exits hang by, where they are known."""
        found: dict[str, dict[int, float]] = {}
        for index, strategy in enumerate(self.programs.strategies):
            chandelier = strategy.exits.chandelier
            if chandelier is None or chandelier.window is None:
                continue
            window = self.programs.plans[index]["window"][CHANDELIER]
            values = decisions[index].ranges[window, :, 0]
            for row, value in zip(self.programs.rows[index], values, strict=True):
                if np.isfinite(value):
                    found.setdefault(self._symbols[row], {})[chandelier.window] = float(value)
        return found


def _decided(order: Order) -> bool:
    """Whether an order came of a decision, rather than of an exit."""
    return order.kind in (OrderKind.OPENING, OrderKind.CLOSING)


def _values(row: Panel) -> dict[str, tuple[float, float, float, float, float | None]]:
    found: dict[str, tuple[float, float, float, float, float | None]] = {}
    for place, symbol in enumerate(row.symbols):
        if row.present[place, 0]:
            volume = float(row.volume[place, 0])
            prices = (float(each[place, 0]) for each in (row.open, row.high, row.low, row.close))
            found[symbol] = (*prices, None if np.isnan(volume) else volume)  # type: ignore[assignment]
    return found
