"""Sums over all agents, kept up to date with each change: a question costs the instruments, not the agents.

The account's worst case is known without the market: a position that is left at its stop pays what its stop says,
wherever the price stands now. Only positions whose stop the price has passed already need a look one by one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from clawd.core.account_events import UNATTRIBUTED
from clawd.core.costs import Costs
from clawd.core.orders import OrderKind
from clawd.execution.holding import Holding
from clawd.execution.life_cycle import PlacedOrder
from clawd.execution.sub_account import SubAccount
from clawd.risk.reserve import entry_reserve_per_unit

_ZERO = Decimal(0)


def _amounts() -> defaultdict[str, Decimal]:
    return defaultdict(Decimal)


@dataclass(slots=True)
class Totals:
    """Running sums of an account.

    Attributes:
        costs: of leaving a position.
        cash: of the account.
        net, gross: size of each instrument over all books, signed and not.
        agents_net: the same as net without the unattributed book, which has no exits and is a person's own.
        at_stops: what leaving every position of an agent in an instrument at its stop would pay.
        bare_shorts: size, not signed, of the agents' shorts that nothing protects.
        entries: notional of the working entries of each instrument, at the worst price that they may fill at.
        entries_net: the same of all instruments, signed.
        entry_reserves: the worst case of all working entries.
    """

    costs: Costs
    cash: Decimal
    net: defaultdict[str, Decimal] = field(default_factory=_amounts)
    gross: defaultdict[str, Decimal] = field(default_factory=_amounts)
    agents_net: defaultdict[str, Decimal] = field(default_factory=_amounts)
    at_stops: defaultdict[str, Decimal] = field(default_factory=_amounts)
    bare_shorts: defaultdict[str, Decimal] = field(default_factory=_amounts)
    entries: defaultdict[str, Decimal] = field(default_factory=_amounts)
    entries_net: Decimal = _ZERO
    entry_reserves: Decimal = _ZERO
    _sizes: dict[tuple[str, str], tuple[Decimal, Decimal, Decimal | None]] = field(default_factory=dict)
    _holders: defaultdict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    _orders: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)
    _nearest: dict[str, tuple[Decimal | None, Decimal | None]] = field(default_factory=dict)

    def holders(self, symbol: str) -> list[str]:
        """The agents that hold an instrument."""
        return list(self._holders.get(symbol, ()))

    def paid(self, amount: Decimal) -> None:
        """Cash came in, or went out where negative."""
        self.cash += amount

    def held(self, agent: str, symbol: str, holding: Holding) -> None:
        """A holding is now this."""
        size, at_stop, stop = self._sizes.pop((agent, symbol), (_ZERO, _ZERO, None))
        self.net[symbol] += holding.size - size
        self.gross[symbol] += abs(holding.size) - abs(size)
        if agent != UNATTRIBUTED:
            now = holding.value_at_stop(self.costs)
            self.agents_net[symbol] += holding.size - size
            self.at_stops[symbol] += now - at_stop
            self.bare_shorts[symbol] += _bare_short(holding.size, holding.stop) - _bare_short(size, stop)
            if stop is not None:
                self._nearest.pop(symbol, None)
            elif symbol in self._nearest:
                self._nearest[symbol] = _nearer(self._nearest[symbol], holding)
            if holding.size:
                self._sizes[agent, symbol] = (holding.size, now, holding.stop)
                self._holders[symbol][agent] = None
            else:
                self._holders[symbol].pop(agent, None)
        elif holding.size:
            self._sizes[agent, symbol] = (holding.size, _ZERO, None)

    def ordered(self, placed: PlacedOrder) -> None:
        """An order is now this."""
        reserve, notional = self._orders.pop(placed.order.id, (_ZERO, _ZERO))
        self.entry_reserves -= reserve
        self.entries[placed.order.symbol] -= abs(notional)
        self.entries_net -= notional
        if placed.order.kind is OrderKind.OPENING and placed.state.working:
            reserve, notional = self.entry_reserve(placed), placed.rest * worst_entry(placed)
            self._orders[placed.order.id] = (reserve, notional)
            self.entry_reserves += reserve
            self.entries[placed.order.symbol] += abs(notional)
            self.entries_net += notional

    def entry_reserve(self, placed: PlacedOrder) -> Decimal:
        """The worst case of what is left of an entry, zero for an order that only makes a position smaller.

        Nothing is left for an entry without a stop or a price: the gate lets none through.
        """
        order = placed.order
        if order.kind is not OrderKind.OPENING or order.stop_distance is None or not placed.rest:
            return _ZERO
        side = 1 if order.size > 0 else -1
        per_unit = entry_reserve_per_unit(worst_entry(placed), order.stop_distance, side, self.costs)
        return abs(placed.rest) * per_unit

    def reserved(self, agents: Mapping[str, SubAccount], marks: Mapping[str, Decimal]) -> Decimal:
        """The worst case still to come of all positions and working entries at some marks.

        Raises:
            KeyError: for a position without a mark.
        """
        total = self.entry_reserves
        for symbol, holders in self._holders.items():
            if not holders:
                continue
            mark = marks[symbol]
            total += (self.agents_net[symbol] + 2 * self.bare_shorts[symbol]) * mark - self.at_stops[symbol]
            highest, lowest = self._nearest_stops(symbol, agents)
            if (highest is not None and mark < highest) or (lowest is not None and mark > lowest):
                for agent in holders:
                    total += agents[agent].holdings[symbol].beyond_stop(mark, self.costs)
        return total

    def held_by_agents(self) -> list[str]:
        """The instruments in which any agent holds something."""
        return [symbol for symbol, holders in self._holders.items() if holders]

    def has_entries(self) -> bool:
        """Whether any entry may still trade."""
        return bool(self._orders)

    def _nearest_stops(self, symbol: str, agents: Mapping[str, SubAccount]) -> tuple[Decimal | None, Decimal | None]:
        """The highest stop of a long and the lowest of a short."""
        if symbol not in self._nearest:
            nearest: tuple[Decimal | None, Decimal | None] = (None, None)
            for agent in self._holders[symbol]:
                nearest = _nearer(nearest, agents[agent].holdings[symbol])
            self._nearest[symbol] = nearest
        return self._nearest[symbol]


def worst_entry(placed: PlacedOrder) -> Decimal:
    """The worst price that an entry may fill at, before slippage: its limit, else what it was decided at."""
    order = placed.order
    prices = [price for price in (order.limit, order.level, order.reference) if price is not None]
    if order.size > 0:
        return order.limit if order.limit is not None else max(prices, default=_ZERO)
    return max(prices, default=_ZERO)


def _bare_short(size: Decimal, stop: Decimal | None) -> Decimal:
    return -size if stop is None and size < 0 else _ZERO


def _nearer(nearest: tuple[Decimal | None, Decimal | None], holding: Holding) -> tuple[Decimal | None, Decimal | None]:
    highest, lowest = nearest
    if holding.stop is None:
        return nearest
    if holding.size > 0:
        return (holding.stop if highest is None else max(highest, holding.stop)), lowest
    return highest, (holding.stop if lowest is None else min(lowest, holding.stop))
