"""What an account has lost in a day against what it may: the limit, and what the market ran beyond every reserve."""

from __future__ import annotations

from decimal import Decimal

from chaos_world import COSTS, INSTRUMENTS, World

from clawd.core.account_events import DayBegan, ProtectionChanged, ProtectionEnded
from clawd.core.event import Event
from clawd.core.events import OrderFilled
from clawd.core.orders import OrderKind

D = Decimal


class DayLoss:
    """Follows the facts of a world and keeps its own account of how much worse each trade was than was reserved for.

    For an entry that is the distance from its fill to its stop beyond the distance that was decided and the slippage
    that costs say; for whatever closes it is how far beyond the stop it traded, and the slippage again. A position that
    two exits have turned has no stop: it is to be closed at the price at which it was turned.

    Attributes:
        excess: of the day so far, quote currency.
        worst: the day's loss beyond the limit and the excess, where it was largest.
        largest: the day's loss, where it was largest.
    """

    def __init__(self, world: World) -> None:
        self.excess = self.worst = self.largest = D(0)
        self._stops: dict[tuple[str, str], Decimal] = {}
        self._turned: dict[tuple[str, str], Decimal] = {}
        self._entries: dict[tuple[str, str], list[OrderFilled]] = {}
        self._world = world
        world.started.append(self._follow)
        self._follow()

    def _follow(self) -> None:
        account = self._world.trader.account
        self._stops = {
            (agent, symbol): each.stop for agent, of in account.protections.items() for symbol, each in of.items()
        }
        self._entries.clear()
        self._world.trader.dealer.writer.observers.append(self._entered)

    def _entered(self, event: Event) -> None:
        match event:
            case DayBegan():
                self.excess = D(0)
            case OrderFilled(order_kind=OrderKind.OPENING):
                self._entries.setdefault((event.agent, event.symbol), []).append(event)
            case OrderFilled():
                place = event.agent, event.symbol
                level = self._stops.get(place, self._turned.pop(place, None))
                if level is not None:
                    beyond = (event.price - level) * (1 if event.size > 0 else -1)
                    self._add(beyond, level, event.size)
                if self._world.trader.account.agents[event.agent].size(event.symbol) * event.size > 0:
                    self._turned[place] = event.price
            case ProtectionChanged():
                self._stops[event.agent, event.symbol] = event.stop
                for fill in self._entries.pop((event.agent, event.symbol), ()):
                    order = self._world.trader.account.orders[fill.order].order
                    assert order.stop_distance is not None
                    self._add(abs(fill.price - event.stop) - order.stop_distance, fill.price, fill.size)
            case ProtectionEnded():
                self._stops.pop((event.agent, event.symbol), None)

    def _add(self, beyond: Decimal, price: Decimal, size: Decimal) -> None:
        self.excess += max(beyond - price * COSTS.slippage, D(0)) * abs(size)

    def look(self) -> None:
        """Compare, at the prices of now."""
        account, world = self._world.trader.account, self._world
        if account.day < 0:
            return
        marks = {symbol: price * INSTRUMENTS[symbol].tick for symbol, price in world.prices.items()}
        loss = account.day_loss(marks)
        beyond = D(0)
        for agent in account.agents.values():
            for symbol, holding in agent.holdings.items():
                stop = self._stops.get((agent.id, symbol), self._turned.get((agent.id, symbol)))
                if stop is not None:
                    past = (stop - marks[symbol]) * (1 if holding.size > 0 else -1)
                    beyond += max(past, D(0)) * abs(holding.size)
        self.largest = max(self.largest, loss)
        self.worst = max(self.worst, loss - world.day_loss - self.excess - beyond)
