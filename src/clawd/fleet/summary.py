"""What came out of a run, from its books alone."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Final

import numpy as np

from clawd.core.clock import iso
from clawd.core.money import studied
from clawd.engine.metrics import drawdown
from clawd.evidence.sharpe import sharpe_ratio
from clawd.fleet.agent_book import AgentBook
from clawd.fleet.books import Books

#: The status of an agent that a person has paused.
PAUSED: Final = "paused"

#: The status of an agent that trades on, its evidence at its level.
PROVEN: Final = "proven, waiting for you"


@dataclass(frozen=True, slots=True)
class AgentSummary:
    """One agent. Money is in quote currency, shares are of the agent's capital, NaN where a figure does not exist.

    Attributes:
        hypothesis: its number in the home's registry.
        status: trading, proven, paused, or why it was fired.
        exposure: signed, of its open positions at the last mark.
        wealth, peak_wealth: of its e-process now and at its highest, from ``bars`` bars, earlier runs included.
        level: the wealth that would let it knock at the door of HOT.
        proven: whether it ever reached the level.
    """

    agent: str
    strategy: str
    rank: int
    hired: str
    hypothesis: int
    status: str
    capital: Decimal
    profit: Decimal
    trades: int
    win_rate: float
    expectancy: float
    max_drawdown: float
    turnover: float
    costs: Decimal
    exposure: float
    refusals: int
    wealth: float
    peak_wealth: float
    level: float
    proven: bool
    bars: int


@dataclass(frozen=True, slots=True)
class FleetSummary:
    """The account. Returns are shares of its capital, drawdown of the peak.

    Attributes:
        turnover: notional traded in a year over the capital.
        worst_beyond: the largest loss of a day beyond its limit: gaps that no reserve covers.
        buy_and_hold: return of the capital split over the instruments, bought at the first open and held, after costs.
    """

    run: str
    first: str
    last: str
    bars: int
    capital: Decimal
    equity: Decimal
    profit: Decimal
    total_return: float
    sharpe: float
    max_drawdown: float
    trades: int
    win_rate: float
    expectancy: float
    turnover: float
    exposure: float
    fees: Decimal
    slippage: Decimal
    funding: Decimal
    halts: int
    worst_beyond: Decimal
    refused: int
    shrunk: int
    buy_and_hold: float
    buy_and_hold_drawdown: float
    agents: tuple[AgentSummary, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON: amounts as text, None where a figure does not exist."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def summarise(books: Books, bars_per_year: float, benchmark: np.ndarray[Any, np.dtype[np.float64]]) -> FleetSummary:
    """The summary of a run so far.

    Args:
        books: the fold of its journal.
        bars_per_year: of the market.
        benchmark: [T] equity of buying and holding the market over the same bars.
    """
    start = books.start
    capital = studied(start.capital)
    equity = np.array(books.equity_curve)
    returns = np.diff(equity, prepend=capital) / capital
    years = max(books.bars, 1) / bars_per_year
    agents = list(books.agents.values())
    profits = [profit for agent in agents for profit in agent.profits]
    held = benchmark[: equity.size]
    return FleetSummary(
        run=start.run,
        first=iso(start.first),
        last=iso(books.time),
        bars=books.bars,
        capital=start.capital,
        equity=books.equity,
        profit=books.equity - start.capital,
        total_return=studied(books.equity / start.capital - 1),
        sharpe=sharpe_ratio(returns, bars_per_year),
        max_drawdown=float(drawdown(equity, capital).max()) if equity.size else 0.0,
        trades=len(profits),
        win_rate=_share_won(profits),
        expectancy=_mean(profits) / capital,
        turnover=studied(sum((agent.traded for agent in agents), Decimal(0))) / capital / years,
        exposure=float(np.mean(books.exposure_curve)) if books.exposure_curve else 0.0,
        fees=sum((agent.fees for agent in agents), Decimal(0)),
        slippage=sum((agent.slippage for agent in agents), Decimal(0)),
        funding=sum((agent.funding for agent in agents), Decimal(0)),
        halts=books.halts,
        worst_beyond=books.beyond,
        refused=books.outcomes.get("refuse", 0),
        shrunk=books.outcomes.get("shrink", 0),
        buy_and_hold=float(held[-1]) / capital - 1.0 if held.size else math.nan,
        buy_and_hold_drawdown=float(drawdown(held, capital).max()) if held.size else math.nan,
        agents=tuple(agent_summary(agent, books, bars_per_year) for agent in agents),
    )


def agent_summary(agent: AgentBook, books: Books, bars_per_year: float) -> AgentSummary:
    """The summary of one agent so far."""
    signed = sum((size * books.marks[symbol] for symbol, size in agent.sizes.items() if size), Decimal(0))
    years = max(agent.monitor.against.bars, 1) / bars_per_year  # its evidence may have other bars
    return AgentSummary(
        agent=agent.id,
        strategy=agent.strategy,
        rank=agent.rank,
        hired=iso(agent.hired_at) if agent.hired_at >= 0 else iso(books.start.first),
        hypothesis=agent.hypothesis,
        status=_status(agent),
        capital=agent.capital,
        profit=agent.profit,
        trades=len(agent.profits),
        win_rate=_share_won(agent.profits),
        expectancy=_mean(agent.profits) / studied(agent.capital),
        max_drawdown=studied(agent.deepest),
        turnover=studied(agent.traded / agent.capital) / years,
        costs=agent.fees + agent.slippage + agent.funding,
        exposure=studied(signed / agent.capital),
        refusals=agent.refusals,
        wealth=agent.evidence.wealth,
        peak_wealth=agent.evidence.peak,
        level=agent.level,
        proven=agent.proven,
        bars=agent.evidence.bars,
    )


def _status(agent: AgentBook) -> str:
    if agent.fired is not None:
        return f"fired: {agent.fired.lower()}"
    if agent.paused:
        return PAUSED
    return PROVEN if agent.proven else "trading"


def _share_won(profits: list[Decimal]) -> float:
    return sum(profit > 0 for profit in profits) / len(profits) if profits else math.nan


def _mean(profits: list[Decimal]) -> float:
    return studied(sum(profits, Decimal(0))) / len(profits) if profits else math.nan


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {key: _plain(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_plain(inner) for inner in value]
        case Decimal():
            return f"{value:f}"
        case float():
            return value if math.isfinite(value) else None
        case _:
            return value
