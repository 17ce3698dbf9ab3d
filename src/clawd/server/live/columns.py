"""The fleet as columns of numbers: what the pages of all agents show, from the fold of a journal and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, get_args

import numpy as np
from numpy.typing import NDArray

from clawd.core.account_events import UNATTRIBUTED, TradingState
from clawd.core.money import studied
from clawd.core.orders import OrderKind
from clawd.execution.account import Account
from clawd.execution.sub_account import SubAccount
from clawd.fleet.agent_book import AgentBook
from clawd.fleet.books import Books
from clawd.server.frames import AgentState
from clawd.store.switchboard import PAPER_FLEET

STATES: Final[tuple[AgentState, ...]] = get_args(AgentState)
_CODE: Final = {state: code for code, state in enumerate(STATES)}

#: The numbers of an agent, in the order of their rows; what is not known is NaN.
NUMBERS: Final = ("equity", "profit", "total", "drawdown", "exposure", "risk", "wealth")


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """All agents of a run at one moment.

    Attributes:
        run: its name, None where there is none.
        ids, names, markets: [N] of each agent, its strategy, and the instruments that it may trade, by commas.
        strategies: [N] content hashes, by which a person pauses them; empty where this version cannot read one.
        state: [N] places in :data:`STATES`.
        numbers: [7, N] in the order of :data:`NUMBERS`. Money is in quote currency; ``profit`` of the day,
            ``total`` since it was hired, ``drawdown`` below its peak as a share of its capital, ``risk`` what is lost
            or reserved as a share of its part of the day's limit.
        desk: where they trade, as the switchboard knows it.
    """

    run: str | None
    ids: tuple[str, ...]
    names: tuple[str, ...]
    markets: tuple[str, ...]
    strategies: tuple[str, ...]
    state: NDArray[np.int8]
    numbers: NDArray[np.float64]
    desk: str = PAPER_FLEET

    @property
    def size(self) -> int:
        return len(self.ids)

    def number(self, name: str) -> NDArray[np.float64]:
        """[N] one of :data:`NUMBERS`."""
        column: NDArray[np.float64] = self.numbers[NUMBERS.index(name)]
        return column

    def state_of(self, row: int) -> AgentState:
        return STATES[int(self.state[row])]

    def same_agents(self, other: Columns) -> bool:
        """Whether these are the rows of another moment of the same run, in the same order."""
        return self.run == other.run and self.ids == other.ids

    def changed_since(self, other: Columns) -> NDArray[np.int64]:
        """The rows that are not what they were, for the same agents."""
        same = (self.numbers == other.numbers) | (np.isnan(self.numbers) & np.isnan(other.numbers))
        rows: NDArray[np.int64] = np.flatnonzero(~same.all(axis=0) | (self.state != other.state))
        return rows


def no_agents(run: str | None = None) -> Columns:
    """Nobody."""
    return Columns(run, (), (), (), (), np.zeros(0, np.int8), np.zeros((len(NUMBERS), 0)))


def columns_of_books(books: Books, run: str, opened_with: Mapping[str, float]) -> Columns:
    """The agents of a run over bars, as they were at its last mark: the end of its last bar.

    Args:
        books: the fold, at the end of a bar.
        run: the name under which it is kept.
        opened_with: by agent, its equity before the day of the last bar, quote currency. Who is not there was hired on
            that day, or released before it.
    """
    markets = markets_of_finalists(books)
    entering = {order.agent for order in books.orders.values() if order.kind is OrderKind.OPENING}
    standing = _standing(books.state, books.flattening or books.halted_until is not None)
    rows = [
        (
            agent.id,
            agent.strategy,
            markets[agent.content_hash],
            agent.content_hash,
            *_of_book(agent, books, standing, opened_with.get(agent.id), agent.id in entering),
        )
        for agent in books.agents.values()
    ]
    return _columns(run, rows, PAPER_FLEET)


def _of_book(
    agent: AgentBook, books: Books, standing: AgentState, opened_with: float | None, entering: bool
) -> tuple[AgentState, list[float]]:
    equity, capital = agent.equity, agent.capital
    held = not agent.flat
    exposure = agent.exposure(books.marks) if held else Decimal(0)
    reserved = books.reserved_by(agent) if held or entering else Decimal(0)
    lost = max(agent.day_equity - equity, Decimal(0))
    part = books.start.day_loss_limit * capital / books.start.capital
    state: AgentState = "released" if agent.released else _of_one(agent.fired, agent.paused, standing)
    if opened_with is None:
        opened_with = studied(equity if agent.released else capital)
    return state, [
        studied(equity),
        studied(equity) - opened_with,
        studied(equity - capital),
        studied((agent.peak - equity) / capital),
        studied(exposure),
        studied((lost + reserved) / part),
        agent.evidence.wealth,
    ]


def markets_of_finalists(books: Books) -> dict[str, str]:
    """By content hash, the instruments that each finalist of a run may trade."""
    everything = ",".join(books.symbols)
    return {
        str(finalist["content_hash"]): _universe(finalist["strategy"]) or everything
        for finalist in books.start.finalists
    }


def columns_of_account(
    account: Account, marks: Mapping[str, Decimal], peaks: Mapping[str, float], strategies: Mapping[str, str]
) -> Columns:
    """The agents of an account at a venue, the book of what no agent has done left out.

    Args:
        account: the fold.
        marks: the last price by symbol; an agent with a position that has none is worth what nobody knows.
        peaks: the highest value so far by agent, quote currency; its capital where there is none.
        strategies: content hashes by agent, of those that this version can read.
    """
    everything = ",".join(account.start.symbols)
    standing = _standing(account.state, account.flattening)
    rows = [
        (
            agent.id,
            str(agent.about.get("name", agent.id)),
            _universe(agent.about) or everything,
            strategies.get(agent.id, ""),
            *_of_sub_account(agent, account, marks, peaks.get(agent.id), standing),
        )
        for agent in account.agents.values()
        if agent.id != UNATTRIBUTED
    ]
    return _columns(account.start.account, rows, account.start.account)


def _of_sub_account(
    agent: SubAccount, account: Account, marks: Mapping[str, Decimal], peak: float | None, standing: AgentState
) -> tuple[AgentState, list[float]]:
    state = _of_one(agent.stopped, agent.paused, standing)
    if any(symbol not in marks for symbol in agent.holdings):
        return state, [np.nan] * len(NUMBERS)
    value, capital = agent.value(marks), agent.capital
    day_value = agent.day_value if account.day >= 0 else capital
    exposure = sum((abs(each.size) * marks[symbol] for symbol, each in agent.holdings.items()), Decimal(0))
    part = account.start.day_loss_limit * capital / account.start.cash
    at_risk = max(day_value - value, Decimal(0)) + account.reserved_by(agent, marks)
    worth = studied(value)
    return state, [
        worth,
        studied(value - day_value),
        studied(value - capital),
        max(max(peak or 0.0, studied(capital)) - worth, 0.0) / studied(capital) if capital else np.nan,
        studied(exposure),
        studied(at_risk / part) if part else np.nan,
        np.nan,  # an account keeps no evidence
    ]


def _universe(strategy: Mapping[str, Any]) -> str:
    return ",".join(str(symbol) for symbol in strategy.get("universe") or ())


def _standing(state: TradingState, stopped: bool) -> AgentState:
    if stopped or state is TradingState.HALTED:
        return "halted"
    return "reducing" if state is TradingState.REDUCING else "active"


def _of_one(ended: str | None, paused: bool, standing: AgentState) -> AgentState:
    """Of one agent: what is its own goes before what holds for all, which the header of every page says."""
    return "fired" if ended is not None else "paused" if paused else standing


def _columns(run: str, rows: Iterable[tuple[str, str, str, str, AgentState, list[float]]], desk: str) -> Columns:
    table = list(rows)
    if not table:
        return no_agents(run)
    ids, names, markets, strategies, states, numbers = zip(*table, strict=True)
    codes = np.array([_CODE[state] for state in states], np.int8)
    return Columns(run, ids, names, markets, strategies, codes, np.array(numbers, np.float64).T.copy(), desk)
