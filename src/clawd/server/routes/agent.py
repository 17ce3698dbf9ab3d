"""One agent in full: who it is, what it holds, how it has done, and why it did what it did."""

from __future__ import annotations

import json
from typing import Annotated, Any, Final

import numpy as np
from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from clawd.core.account_events import UNATTRIBUTED
from clawd.core.errors import ClawdError
from clawd.core.money import studied
from clawd.fleet.agent_book import AgentBook
from clawd.language.explain import explain
from clawd.language.strategy import Strategy, parse_json
from clawd.server.caller import Scope, needs
from clawd.server.frames import AgentState, FeedLine
from clawd.server.live.asked import AtFollower, OfRun
from clawd.server.live.currency import currency_in
from clawd.server.live.holdings import orders_of, positions_of
from clawd.server.live.journal_page import lines_at
from clawd.server.live.orders import pauses_of
from clawd.server.live.tale import Tale
from clawd.server.live.trades import Trade, trades_of
from clawd.server.milliseconds import milliseconds
from clawd.server.problem import MissingError
from clawd.server.routes.agents import AgentSummary, columns_asked_for, summary_of
from clawd.server.routes.positions import (
    OrderView,
    PositionView,
    order_view,
    position_view,
    text,
    text_or_none,
)
from clawd.server.routes.series import EquityCurve, curve_of, known
from clawd.server.site import AtSite
from clawd.store.switchboard import Pause

router = APIRouter(tags=["agents"], dependencies=[needs(Scope.READ)])

#: For the signature of a route.
Id = Annotated[str, Path(max_length=120, description="of the agent, such as a001")]

#: What an agent decided and what became of it, in the order in which it happened.
_WHY: Final = frozenset(
    {
        "IntentsProposed",
        "VerdictGiven",
        "OrderFilled",
        "OrderHeld",
        "AgentHired",
        "AgentFunded",
        "AgentFired",
        "AgentStopped",
        "AgentPaused",
        "AgentUnpaused",
        "HypothesisProven",
        "ProtectionOverdue",
        "ProtectionLapsed",
    }
)
_MOST_LINES: Final = 30


class StrategyView(BaseModel):
    """What the agent trades by."""

    name: str
    content_hash: str
    text: str | None = Field(description="as a file, null where this version cannot read it")
    explanation: str | None = Field(description="in plain English")
    unreadable: str | None = Field(description="why it cannot be read")


class EvidenceView(BaseModel):
    """The bet on an agent, where the run keeps one."""

    hypothesis: int = Field(description="its number among all that this home has ever hired")
    wealth: float | None
    peak: float | None
    level: float = Field(description="wealth that it must reach")
    bars: int = Field(description="that have counted")
    counts_from: float = Field(description="bars that open earlier are no evidence, milliseconds since 1970")
    proven: bool


class PauseView(BaseModel):
    """The last word of a person on whether an agent is paused; it holds for its strategy in the next run as well."""

    paused: bool
    by: str
    why: str
    at: float = Field(description="our clock, milliseconds since 1970")


class AgentDetail(BaseModel):
    """One agent. Amounts are in ``currency``."""

    run: str
    currency: str
    summary: AgentSummary
    state: AgentState
    state_why: str | None = Field(description="why it was fired or stopped")
    pause: PauseView | None = Field(description="null where nobody has ever paused it")
    capital: str = Field(description="decimal text")
    rank: int | None
    hired: float | None = Field(description="the market's clock, milliseconds since 1970")
    trades: int | None = Field(description="positions that were opened and closed again, of those that are kept")
    refusals: int | None = Field(description="orders that the gate refused")
    fees: str = Field(description="decimal text")
    funding: str = Field(description="decimal text; negative where it was received")
    strategy: StrategyView
    evidence: EvidenceView | None
    equity: EquityCurve
    positions: list[PositionView]
    orders: list[OrderView]
    why: list[FeedLine] = Field(description="what it decided and what became of it, newest first")


class TradeView(BaseModel):
    """A position from its first fill to its last. Amounts are decimal text in the page's currency."""

    agent: str
    symbol: str
    side: str = Field(description="long or short")
    opened: float = Field(description="the market's clock, milliseconds since 1970")
    closed: float | None = Field(description="likewise, null while it is open")
    size: str = Field(description="units that were bought into it or sold short, not signed")
    entry: str = Field(description="average price")
    exit: str | None = Field(description="average price of what was closed")
    profit: str | None = Field(description="fees included, funding not; null while it is open")
    fees: str
    opened_for: str
    closed_for: str | None
    fills: list[int] = Field(description="their entries in the journal, at most 100")


class TradePage(BaseModel):
    """Some trades, newest first, of all that are kept."""

    run: str
    currency: str
    total: int
    trades: list[TradeView]


@router.get("/agents/{agent}")
def read_agent(site: AtSite, follower: AtFollower, agent: Id, run: OfRun = None) -> AgentDetail:
    """One agent in full."""
    shown = columns_asked_for(site, follower, run)
    with follower.tale(run) as tale:
        columns = tale.columns()
        if agent not in columns.ids:
            raise MissingError(f"there is no agent {agent[:60]!r}", where=tale.run, hint="GET /api/agents has all")
        summary = summary_of(columns, columns.ids.index(agent))
        if agent in shown.ids:  # as every page shows it: as ordered, whether or not it is obeyed yet
            summary.state = shown.state_of(shown.ids.index(agent))
        book = None if tale.books is None else tale.books.agents[agent]
        sub_account = None if tale.account is None else tale.account.agents[agent]
        one = book or sub_account
        assert one is not None
        times, values = tale.curves.of(agent)
        capital = studied(one.capital)
        equity = curve_of(currency_in(tale), capital, times, values)
        detail = AgentDetail(
            run=tale.run,
            currency=currency_in(tale),
            summary=summary,
            state=summary.state,
            pause=_pause(pauses_of(site.home, columns.desk).get(columns.strategies[columns.ids.index(agent)])),
            state_why=book.fired if book is not None else sub_account.stopped if sub_account is not None else None,
            capital=text(one.capital),
            rank=None if book is None else book.rank,
            hired=_hired(tale, book, times),
            trades=sum(trade.closed is not None for trade in trades_of(_fills(tale, agent))),
            refusals=None if book is None else book.refusals,
            fees=text(one.fees),
            funding=text(one.funding),
            strategy=_strategy(tale, agent),
            evidence=None if book is None else _evidence(book),
            equity=equity,
            positions=[position_view(each, tale.names) for each in positions_of(tale, agent)],
            orders=[order_view(each, tale.names) for each in orders_of(tale, agent)[:200]],
            why=[],
        )
        seqs, names, path = tale.entries_of(agent, _WHY)[-_MOST_LINES:][::-1].tolist(), dict(tale.names), tale.path
    detail.why = lines_at(path, seqs, names)
    return detail


@router.get("/agents/{agent}/trades")
def list_trades(
    follower: AtFollower,
    agent: Id,
    run: OfRun = None,
    start: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> TradePage:
    """The trades of an agent, newest first."""
    with follower.tale(run) as tale:
        if agent not in tale.columns().ids and agent != UNATTRIBUTED:
            raise MissingError(f"there is no agent {agent[:60]!r}", where=tale.run, hint="GET /api/agents has all")
        fills, name, currency = _fills(tale, agent), tale.run, currency_in(tale)
    trades = trades_of(fills)[::-1]
    return TradePage(
        run=name, currency=currency, total=len(trades), trades=[_trade(each) for each in trades[start : start + limit]]
    )


def _pause(pause: Pause | None) -> PauseView | None:
    if pause is None:
        return None
    return PauseView(paused=pause.paused, by=pause.by, why=pause.why, at=milliseconds(pause.ts))


def _fills(tale: Tale, agent: str) -> list[Any]:
    return [fill for fill in tale.fills if fill.agent == agent]


def _trade(trade: Trade) -> TradeView:
    last = trade.fills[-1]
    return TradeView(
        agent=trade.agent,
        symbol=trade.symbol,
        side="long" if trade.side > 0 else "short",
        opened=milliseconds(trade.opened),
        closed=milliseconds(trade.closed),
        size=text(trade.entered),
        entry=text(trade.entry),
        exit=text_or_none(trade.exit),
        profit=text_or_none(trade.profit),
        fees=text(trade.fees),
        opened_for=trade.fills[0].reason.replace("_", " "),
        closed_for=None if trade.closed is None else last.reason.replace("_", " "),
        fills=[fill.seq for fill in trade.fills[:100]],
    )


def _hired(tale: Tale, book: AgentBook | None, times: np.ndarray[Any, Any]) -> float | None:
    if book is not None and tale.books is not None:
        return milliseconds(book.hired_at if book.hired_at >= 0 else tale.books.start.first)
    return milliseconds(int(times[0])) if times.size else None


def _evidence(book: AgentBook) -> EvidenceView:
    return EvidenceView(
        hypothesis=book.hypothesis,
        wealth=known(book.evidence.wealth),
        peak=known(book.evidence.peak),
        level=book.level,
        bars=book.evidence.bars,
        counts_from=milliseconds(book.counts_from),
        proven=book.proven,
    )


def _strategy(tale: Tale, agent: str) -> StrategyView:
    if tale.books is not None:
        finalist = tale.books.start.finalists[tale.books.agents[agent].row]
        form, name, content = finalist["strategy"], str(finalist["name"]), str(finalist["content_hash"])
    else:
        assert tale.account is not None
        form = tale.account.agents[agent].about
        name, content = str(form.get("name", agent)), ""
    try:
        strategy: Strategy = parse_json(json.dumps(form))
    except ClawdError as error:
        return StrategyView(name=name, content_hash=content, text=None, explanation=None, unreadable=str(error))
    return StrategyView(
        name=name,
        content_hash=strategy.content_hash,
        text=strategy.to_toml(),
        explanation=explain(strategy),
        unreadable=None,
    )
