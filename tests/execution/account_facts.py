"""Random but possible facts of an account, and its figures computed the long way."""

from __future__ import annotations

from decimal import Decimal

from dealer_worlds import D, opened
from hypothesis import strategies as st

from clawd.core.account_events import (
    UNATTRIBUTED,
    AccountOpened,
    AgentFunded,
    AgentPaused,
    AgentStopped,
    AgentUnpaused,
    CancelRequested,
    DayBegan,
    DifferenceBooked,
    EntriesBlocked,
    OrderAccepted,
    OrderExpired,
    OrderMissing,
    OrderRejected,
    OutcomeLost,
    ProtectionChanged,
    TradeAdopted,
)
from clawd.core.event import Event
from clawd.core.events import FundingPaid, OrderCancelled, OrderFilled, OrderSubmitted
from clawd.core.money import cash_of_fill
from clawd.core.orders import Order, OrderKind, OrderType
from clawd.core.reason import Reason
from clawd.execution.account import Account
from clawd.execution.life_cycle import Trigger, after, after_fill

AGENTS = ["a", "b", "c"]
SYMBOLS = ["BTC", "ETH"]
FIRST_DAY = 20_000

sizes = st.integers(-30, 30).filter(bool).map(lambda lots: D(lots) / 10)
prices = st.integers(8_000, 12_000).map(lambda ticks: D(ticks) / 100)
actions = st.lists(
    st.tuples(st.integers(0, 15), st.sampled_from(AGENTS), st.sampled_from(SYMBOLS), sizes, prices, st.integers(0, 99)),
    max_size=60,
)
Action = tuple[int, str, str, Decimal, Decimal, int]


def begun() -> Account:
    start = opened()
    return Account.begin(AccountOpened.model_validate_json(start.model_dump_json()))


def fact_of(account: Account, action: Action, number: int) -> Event | None:
    """The fact that an action is in the state in which the account is, None where it can be none."""
    what, name, symbol, size, price, pick = action
    agent = account.agents.get(name)
    if agent is None:
        return AgentFunded(agent=name, capital=D(1000))
    orders = [placed for placed in account.orders.values() if placed.order.agent == name]
    placed = orders[pick % len(orders)] if orders else None
    match what:
        case 0 | 1:
            kind = OrderKind.OPENING if what == 0 else OrderKind.STOP
            order = Order(
                f"o{number}",
                name,
                symbol,
                kind,
                size,
                Reason.ENTRY,
                level=None if what == 0 else price,
                reference=price,
                type=OrderType.LIMIT if pick % 2 else OrderType.MARKET,
                limit=price if pick % 2 else None,
                stop_distance=D(pick + 1) / 4 if what == 0 else None,
            )
            return OrderSubmitted.of(order)
        case 2 | 3 | 4 | 5 if placed is not None:
            part = placed.order.size - placed.filled if pick % 2 else size
            if after_fill(placed, part) is None:
                return None
            return OrderFilled(
                order=placed.order.id,
                agent=name,
                symbol=placed.order.symbol,
                order_kind=placed.order.kind,
                time=FIRST_DAY * 86_400 * 10**9 + number,
                size=part,
                price=price,
                fee=abs(part) * price / 1000,
                slippage=D(0),
                reason=Reason.ENTRY,
                trade=f"t{number}",
            )
        case 6 | 7 | 8 if placed is not None:
            endings: list[tuple[Trigger, Event]] = [
                (Trigger.ACCEPTED, OrderAccepted(order=placed.order.id, venue_order=f"v{number}", venue_time=number)),
                (Trigger.REJECTED, OrderRejected(order=placed.order.id, code="NO", venue_time=None)),
                (Trigger.EXPIRED, OrderExpired(order=placed.order.id, venue_time=None)),
                (Trigger.CANCEL_REQUESTED, CancelRequested(order=placed.order.id, why="w")),
                (Trigger.OUTCOME_LOST, OutcomeLost(order=placed.order.id, why="w")),
                (Trigger.MISSING, OrderMissing(order=placed.order.id)),
                (
                    Trigger.CANCELLED,
                    OrderCancelled(
                        order=placed.order.id,
                        agent=name,
                        symbol=placed.order.symbol,
                        order_kind=placed.order.kind,
                        why="w",
                    ),
                ),
            ]
            trigger, event = endings[pick % len(endings)]
            return event if after(placed, trigger) is not None else None
        case 9 | 10 if agent.size(symbol):
            return ProtectionChanged(agent=name, symbol=symbol, stop=price, targets=[], memory={"x": 1.5})
        case 11:
            return TradeAdopted(trade=f"t{number}", symbol=symbol, size=size, price=price, fee=D("0.01"), venue_time=1)
        case 12:
            return DifferenceBooked(symbol=symbol if pick % 2 else None, size=size, cash=price - 100, why="POSITION")
        case 13:
            return FundingPaid(agent=name, symbol=symbol, rate=0.001, amount=size)
        case 14:
            marks = dict.fromkeys(SYMBOLS, price)
            return DayBegan(
                day=max(account.day + 1, FIRST_DAY),
                equity=account.equity(marks),
                agents={each.id: each.value(marks) for each in account.agents.values()},
                marks=marks,
            )
        case 15 if pick % 3 == 0:
            return AgentStopped(agent=name, why="w")
        case 15 if pick % 3 == 1:
            kind = AgentUnpaused if agent.paused else AgentPaused
            return kind(agent=name, by="p", why="", pause=number)
        case 15:
            return EntriesBlocked(symbol=symbol, agent=None if pick % 2 else name, why=UNATTRIBUTED)
    return None


def played(script: list[Action]) -> tuple[Account, list[tuple[Event, int]]]:
    """An account after some facts, and the facts."""
    account, facts = begun(), []
    for number, action in enumerate(script):
        if (event := fact_of(account, action, number)) is not None:
            account.apply(event, 1000 + number)
            facts.append((event, 1000 + number))
    return account, facts


def plain_cash(facts: list[tuple[Event, int]]) -> Decimal:
    """The cash of the account from its facts alone."""
    cash = opened().cash
    for event, _ in facts:
        if isinstance(event, OrderFilled | TradeAdopted):
            cash += cash_of_fill(event.size, event.price) - event.fee
        elif isinstance(event, DifferenceBooked):
            cash += event.cash
        elif isinstance(event, FundingPaid):
            cash -= event.amount
    return cash


def plain_sizes(facts: list[tuple[Event, int]]) -> dict[str, Decimal]:
    """The net size of each instrument from its facts alone."""
    sizes: dict[str, Decimal] = {}
    for event, _ in facts:
        if isinstance(event, OrderFilled | TradeAdopted | DifferenceBooked) and event.symbol is not None:
            sizes[event.symbol] = sizes.get(event.symbol, D(0)) + event.size
    return {symbol: size for symbol, size in sizes.items() if size}
