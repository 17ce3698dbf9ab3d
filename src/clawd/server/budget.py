"""What the gate leaves: the day's budget of the account and of each agent, and how far each limit is used."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from clawd.core.account_events import UNATTRIBUTED
from clawd.core.orders import OrderKind
from clawd.execution.account import Account
from clawd.execution.sub_account import SubAccount
from clawd.execution.totals import worst_entry
from clawd.fleet.books import Books

_ZERO = Decimal(0)


class Budget(NamedTuple):
    """A part of the day's limit, quote currency. None for what is not known.

    Attributes:
        name: of the agent; ``account`` for all of them.
        strategy: the agent's, as it was named.
        capital: what it is given, of which the part follows.
        limit: the most that it may lose in this UTC day.
        lost: realised and unrealised.
        reserved: the worst case still to come of its positions and working entries.
        free: what it may still put at risk.
        active: whether it may enter.
    """

    name: str
    strategy: str
    capital: Decimal
    limit: Decimal
    lost: Decimal | None
    reserved: Decimal | None
    free: Decimal | None
    active: bool


def budgets(fold: Books | Account, marks: Mapping[str, Decimal]) -> list[Budget]:
    """The account's budget, and then that of each agent.

    Args:
        fold: the books; those of a run over bars have their own marks.
        marks: the last price by symbol, for an account.
    """
    return _of_books(fold) if isinstance(fold, Books) else _of_account(fold, marks)


def _of_books(books: Books) -> list[Budget]:
    start, lost, reserved = books.start, books.day_loss, books.reserved
    free = max(start.day_loss_limit - lost - reserved, _ZERO)
    found = [
        Budget("account", "", start.capital, start.day_loss_limit, lost, reserved, free, books.halted_until is None)
    ]
    for agent in books.agents.values():
        if agent.released:
            continue
        share = start.day_loss_limit * agent.capital / start.capital
        own_loss, own = agent.day_loss(books.marks), books.reserved_by(agent)
        left = max(min(share - own_loss - own, free), _ZERO)
        found.append(Budget(agent.id, agent.strategy, agent.capital, share, own_loss, own, left, agent.active))
    return found


def _of_account(account: Account, marks: Mapping[str, Decimal]) -> list[Budget]:
    start = account.start
    lost: Decimal | None
    reserved: Decimal | None
    free: Decimal | None
    try:
        lost, reserved = account.day_loss(marks), account.reserved(marks)
        free = max(start.day_loss_limit - lost - reserved, _ZERO)
    except KeyError:  # a position without a mark
        lost = reserved = free = None
    limit = start.day_loss_limit
    found = [Budget("account", "", start.cash, limit, lost, reserved, free, account.until_day is None)]
    for agent in account.agents.values():
        if agent.id != UNATTRIBUTED:
            found.append(_of_sub_account(account, agent, free, marks))
    return found


def _of_sub_account(account: Account, agent: SubAccount, free: Decimal | None, marks: Mapping[str, Decimal]) -> Budget:
    share = account.start.day_loss_limit * agent.capital / account.start.cash
    lost: Decimal | None
    reserved: Decimal | None
    left: Decimal | None
    try:
        lost, reserved = agent.day_loss(marks), account.reserved_by(agent, marks)
        left = None if free is None else max(min(share - lost - reserved, free), _ZERO)
    except KeyError:
        lost = reserved = left = None
    name = str(agent.about.get("name", ""))
    return Budget(agent.id, name, agent.capital, share, lost, reserved, left, agent.stopped is None)


class Use(NamedTuple):
    """How far a limit of a run is used now. None where that cannot be said of it, or is not known.

    Attributes:
        limit: in force in the run, in the unit of the setting; None where there is none.
        used: in the same unit.
    """

    limit: Decimal | None
    used: Decimal | None


def uses(fold: Books | Account, marks: Mapping[str, Decimal]) -> dict[str, Use]:
    """By the name of the setting, each limit that a run holds itself to. Of an account only some are in its journal.

    Arguments as of :func:`budgets`.
    """
    budget = budgets(fold, marks)[0]
    lost_or_reserved = None if budget.lost is None or budget.reserved is None else budget.lost + budget.reserved
    gross = _gross(fold, marks)
    if isinstance(fold, Account):
        return {
            "day_loss_limit": Use(fold.start.day_loss_limit, lost_or_reserved),
            "leverage": Use(fold.start.leverage, _largest_multiple(fold, marks)),
            "fee": Use(fold.start.fee, None),
            "slippage": Use(fold.start.slippage, None),
            "account_gross": Use(None, _total(gross)),
            "instrument_gross": Use(None, _most(gross)),
            "venue_gross": Use(None, _total(gross)),
        }
    limits, equity = fold.start.limits, fold.equity
    total, most = _total(gross), _most(gross)
    found = {
        "day_loss_limit": Use(fold.start.day_loss_limit, lost_or_reserved),
        "leverage": Use(fold.start.leverage, _largest_multiple(fold, marks)),
        "max_drawdown": Use(fold.start.max_drawdown, _deepest(fold)),
        "price_band": Use(fold.start.price_band, None),
        "fee": Use(fold.start.fee, None),
        "slippage": Use(fold.start.slippage, None),
        "instrument_gross": Use(limits.get("instrument_gross"), most),
        "venue_gross": Use(limits.get("venue_gross"), total),
        "account_gross": Use(limits.get("account_gross"), total),
        "account_net": Use(limits.get("account_net"), _net(fold)),
        "equity_leverage": Use(limits.get("equity_leverage"), _share(total, equity)),
        "concentration": Use(limits.get("concentration"), _share(most, equity)),
        "cluster_share": Use(limits.get("cluster_share"), _share(_most(_by_cluster(fold, gross)), equity)),
    }
    return found | {name: Use(limit, None) for name, limit in limits.items() if name not in found}


def _gross(fold: Books | Account, marks: Mapping[str, Decimal]) -> dict[str, Decimal] | None:
    """Notional by instrument, positions and working entries, none netted."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    if isinstance(fold, Books):
        for row, symbol in enumerate(fold.symbols):
            found[symbol] = sum((fold.exposure_of(agent, row) for agent in fold.agents.values()), _ZERO)
        return dict(found)
    for symbol, size in fold.totals.gross.items():
        if size and symbol not in marks:
            return None
        found[symbol] = size * marks.get(symbol, _ZERO) + fold.totals.entries[symbol]
    return dict(found)


def _net(books: Books) -> Decimal:
    """As the gate counts it: positions, and entries that work."""
    entries = (order for order in books.orders.values() if order.kind is OrderKind.OPENING)
    total = sum((order.size * books.marks[order.symbol] for order in entries), _ZERO)
    return abs(total + sum((size * books.marks[symbol] for symbol, size in books.net_sizes().items()), _ZERO))


def _by_cluster(books: Books, gross: dict[str, Decimal] | None) -> dict[str, Decimal]:
    found: dict[str, Decimal] = defaultdict(Decimal)
    for symbol, notional in (gross or {}).items():
        found[books.start.clusters.get(symbol, symbol)] += notional
    return dict(found)


def _largest_multiple(fold: Books | Account, marks: Mapping[str, Decimal]) -> Decimal | None:
    """Of the agents' books, the largest multiple of its agent's capital."""
    multiples = []
    if isinstance(fold, Books):
        multiples = [fold.exposure_of(agent) / agent.capital for agent in fold.agents.values() if not agent.released]
    else:
        for agent in fold.agents.values():
            if agent.id == UNATTRIBUTED or not agent.capital:
                continue
            if any(symbol not in marks for symbol in agent.holdings):
                return None
            held = sum((abs(each.size) * marks[symbol] for symbol, each in agent.holdings.items()), _ZERO)
            working = [fold.orders[order] for ids in agent.orders.values() for order in ids]
            held += sum((abs(each.rest) * worst_entry(each) for each in working if not each.order.reduces), _ZERO)
            multiples.append(held / agent.capital)
    return max(multiples, default=_ZERO)


def _deepest(books: Books) -> Decimal:
    return max((agent.drawdown(books.marks) for agent in books.active_agents()), default=_ZERO)


def _total(gross: dict[str, Decimal] | None) -> Decimal | None:
    return None if gross is None else sum(gross.values(), _ZERO)


def _most(gross: dict[str, Decimal] | None) -> Decimal | None:
    return None if gross is None else max(gross.values(), default=_ZERO)


def _share(amount: Decimal | None, equity: Decimal) -> Decimal | None:
    return None if amount is None or equity <= 0 else amount / equity
