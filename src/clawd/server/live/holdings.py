"""The positions, the orders that work and the alerts, alike for runs over bars and for accounts at a venue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from clawd.core.account_events import UNATTRIBUTED
from clawd.core.events import HeldUntil
from clawd.core.orders import Order, OrderKind
from clawd.execution.account import Account
from clawd.fleet.books import Books
from clawd.server.live.alerts import Alert
from clawd.server.live.tale import Tale


@dataclass(frozen=True, slots=True)
class Position:
    """What one agent holds in one instrument. Prices and money are in quote currency.

    Attributes:
        agent, symbol: whose and in what.
        size: signed, in units of the instrument.
        entry: average price, None where it is not known.
        mark: the last price, None before the first.
        stop: its level, None where nothing says one.
        targets: price and size, signed, of each level at which a part is closed.
        opened: when, by the market's clock, UTC nanoseconds; None where no fill of ours opened it.
    """

    agent: str
    symbol: str
    size: Decimal
    entry: Decimal | None
    mark: Decimal | None
    stop: Decimal | None
    targets: tuple[tuple[Decimal, Decimal], ...]
    opened: int | None

    @property
    def notional(self) -> Decimal | None:
        return None if self.mark is None else abs(self.size) * self.mark

    @property
    def unrealised(self) -> Decimal | None:
        """Profit at the mark, fees not counted."""
        return None if self.mark is None or self.entry is None else self.size * (self.mark - self.entry)


@dataclass(frozen=True, slots=True)
class Working:
    """An order that may still trade.

    Attributes:
        order: as the gate let it through.
        filled: how much of it has traded, signed.
        state: in words.
        since: when it was written down, UTC nanoseconds, None where that is not kept.
    """

    order: Order
    filled: Decimal
    state: str
    since: int | None


def positions_of(tale: Tale, agent: str | None = None) -> list[Position]:
    """The open positions of a run, of all agents or of one, in the order of the agents."""
    if tale.books is not None:
        return list(_of_books(tale.books, tale, agent))
    return [] if tale.account is None else list(_of_account(tale.account, tale, agent))


def orders_of(tale: Tale, agent: str | None = None) -> list[Working]:
    """The orders that may still trade, of all agents or of one."""
    found: list[Working] = []
    if tale.books is not None:
        found = [Working(order, Decimal(0), "resting", None) for order in tale.books.orders.values()]
    elif tale.account is not None:
        found = [
            Working(placed.order, placed.filled, placed.state.value.replace("_", " "), placed.submitted_at)
            for placed in tale.account.working()
        ]
        found += [
            Working(held.order, Decimal(0), f"waits for {_WAITS_FOR[held.until]}", None)
            for held in tale.account.held.values()
        ]
    return [each for each in found if agent in (None, each.order.agent)]


_WAITS_FOR = {HeldUntil.APPROVED: "approval", HeldUntil.TOUCHED: "its level"}


def alerts_of(tale: Tale) -> list[Alert]:
    """The alerts of a run that its facts make, without those whose matter the account says has ended."""
    account = tale.account
    if account is None:
        return list(tale.alerts.found.values())
    naked = {f"naked {agent} {symbol}" for agent, symbols in account.naked_since.items() for symbol in symbols}
    held = {f"held {order}" for order in account.held}
    return [
        alert
        for alert in tale.alerts.found.values()
        if (alert.kind != "naked" or alert.about in naked) and (alert.kind != "approval" or alert.about in held)
    ]


def _of_books(books: Books, tale: Tale, wanted: str | None) -> Iterator[Position]:
    exits: dict[tuple[str, str], list[Order]] = {}
    for order in books.orders.values():
        if order.kind in (OrderKind.STOP, OrderKind.TAKE):
            exits.setdefault((order.agent, order.symbol), []).append(order)
    for agent in books.agents.values():
        if wanted not in (None, agent.id):
            continue
        for symbol, size in agent.sizes.items():
            if not size:
                continue
            place = exits.get((agent.id, symbol), [])
            stops = [order.level for order in place if order.kind is OrderKind.STOP]
            takes = [order for order in place if order.kind is OrderKind.TAKE and order.level is not None]
            yield Position(
                agent.id,
                symbol,
                size,
                agent.average(symbol),
                books.marks.get(symbol),
                stops[0] if stops else None,
                tuple((order.level, order.size) for order in takes if order.level is not None),
                _opened(tale, agent.id, symbol),
            )


def _of_account(account: Account, tale: Tale, wanted: str | None) -> Iterator[Position]:
    for agent in account.agents.values():
        if wanted not in (None, agent.id):
            continue
        for symbol, holding in agent.holdings.items():
            exits = account.protection(agent.id, symbol)
            known = agent.id != UNATTRIBUTED
            yield Position(
                agent.id,
                symbol,
                holding.size,
                holding.average if known else None,
                tale.marks.get(symbol),
                holding.stop,
                tuple((target.level, target.size) for target in exits.targets) if exits is not None else (),
                _opened(tale, agent.id, symbol),
            )


def _opened(tale: Tale, agent: str, symbol: str) -> int | None:
    held = tale.held.get((agent, symbol))
    return None if held is None else held[1]
