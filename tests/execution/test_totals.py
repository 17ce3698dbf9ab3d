"""The running sums of an account are the plain sums over its agents, after any facts."""

from __future__ import annotations

from decimal import Decimal

from account_facts import Action, actions, played, prices
from dealer_worlds import D
from hypothesis import given, settings

from clawd.core.account_events import UNATTRIBUTED
from clawd.core.orders import OrderKind
from clawd.execution.account import Account
from clawd.execution.totals import worst_entry
from clawd.risk.reserve import entry_reserve_per_unit, position_reserve


def close(one: Decimal, other: Decimal) -> bool:
    """Equal but for what is beyond the precision of a division."""
    return abs(one - other) < D("1e-40")


def plain_reserve(account: Account, marks: dict[str, Decimal]) -> Decimal:
    total = D(0)
    for agent in account.agents.values():
        if agent.id == UNATTRIBUTED:
            continue
        for symbol, holding in agent.holdings.items():
            if holding.stop is None:
                total += abs(holding.size) * marks[symbol]
                continue
            total += position_reserve_signed(holding.size, marks[symbol], holding.stop, account)
    return total + plain_entries(account)


def position_reserve_signed(size: Decimal, mark: Decimal, stop: Decimal, account: Account) -> Decimal:
    """As the bar fleet reserves it."""
    return position_reserve(size, mark, stop, account.costs)


def plain_entries(account: Account) -> Decimal:
    total = D(0)
    for placed in account.orders.values():
        order = placed.order
        if order.kind is OrderKind.OPENING and placed.state.working and order.stop_distance is not None:
            side = 1 if order.size > 0 else -1
            per_unit = entry_reserve_per_unit(worst_entry(placed), order.stop_distance, side, account.costs)
            total += abs(order.size - placed.filled) * per_unit
    return total


@settings(max_examples=300, deadline=None)
@given(actions, prices, prices)
def test_the_running_sums_are_the_plain_sums(script: list[Action], first: Decimal, second: Decimal) -> None:
    account, _ = played(script)
    marks = {"BTC": first, "ETH": second}
    books = account.agents.values()
    for symbol in marks:
        held = [(book.id, book.size(symbol)) for book in books]
        assert account.totals.net[symbol] == sum((size for _, size in held), D(0))
        assert account.totals.gross[symbol] == sum((abs(size) for _, size in held), D(0))
        assert account.totals.agents_net[symbol] == sum((size for name, size in held if name != UNATTRIBUTED), D(0))
        entries = [
            placed
            for placed in account.orders.values()
            if placed.order.symbol == symbol and placed.order.kind is OrderKind.OPENING and placed.state.working
        ]
        notional = sum((abs(each.rest) * worst_entry(each) for each in entries), D(0))
        assert account.totals.entries[symbol] == notional
        held_by_agents = any(size for name, size in held if name != UNATTRIBUTED)
        assert (symbol in account.totals.held_by_agents()) == held_by_agents
    assert account.totals.has_entries() == any(
        placed.state.working and placed.order.kind is OrderKind.OPENING for placed in account.orders.values()
    )
    assert account.totals.cash == account.cash
    assert account.totals.entry_reserves == plain_entries(account)
    assert account.equity(marks) == account.unallotted + sum((book.value(marks) for book in books), D(0))
    assert close(account.reserved(marks), plain_reserve(account, marks))
    assert close(
        account.reserved(marks),
        sum((account.reserved_by(book, marks) for book in books), D(0)),
    )


@settings(max_examples=100, deadline=None)
@given(actions, prices, prices)
def test_the_worst_case_is_asked_for_again_and_again_while_facts_come(
    script: list[Action], first: Decimal, second: Decimal
) -> None:
    """The nearest stops are remembered between two questions: asking in between must change no answer."""
    marks = {"BTC": first, "ETH": second}
    account, facts = played([])
    for event, time in played(script)[1]:
        account.apply(event, time)
        assert account.totals.cash == account.cash
        assert close(account.reserved(marks), plain_reserve(account, marks))
    assert account.totals.cash == account.cash
    assert facts == []
