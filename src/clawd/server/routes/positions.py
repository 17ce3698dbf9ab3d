"""Open positions and working orders."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from clawd.server.caller import Scope, needs
from clawd.server.live.asked import AtFollower, OfRun
from clawd.server.live.currency import currency_in
from clawd.server.live.holdings import Position, Working, orders_of, positions_of
from clawd.server.milliseconds import milliseconds

router = APIRouter(tags=["positions"], dependencies=[needs(Scope.READ)])

#: For the signature of a route.
OfAgent = Annotated[str | None, Query(alias="agent", max_length=120, description="only of this agent")]
Start = Annotated[int, Query(ge=0, le=1_000_000)]
Limit = Annotated[int, Query(ge=1, le=500)]


class TargetView(BaseModel):
    """A level at which a part of a position is closed."""

    level: str
    size: str


class PositionView(BaseModel):
    """What an agent holds in one instrument. Amounts are decimal text in the page's currency, null where not known."""

    agent: str
    name: str = Field(description="of its strategy, empty where there is none")
    symbol: str
    size: str = Field(description="signed, units of the instrument")
    entry: str | None = Field(description="average price")
    mark: str | None = Field(description="the last price")
    notional: str | None
    unrealised: str | None = Field(description="profit at the mark, fees not counted")
    stop: str | None
    targets: list[TargetView]
    opened: float | None = Field(description="the market's clock, milliseconds since 1970")


class PositionPage(BaseModel):
    """Some open positions, of all."""

    run: str
    currency: str
    total: int
    positions: list[PositionView]


class OrderView(BaseModel):
    """An order that may still trade. Amounts are decimal text in the page's currency, null where there is none."""

    id: str
    agent: str
    name: str = Field(description="of its strategy, empty where there is none")
    symbol: str
    kind: str = Field(description="closing, opening, stop or take")
    type: str = Field(description="market, limit, stop, stop limit or trailing stop")
    size: str = Field(description="signed, units of the instrument")
    filled: str = Field(description="how much of it has traded, signed")
    level: str | None
    limit: str | None
    reason: str
    state: str
    since: float | None = Field(description="when it was written down, the market's clock, milliseconds since 1970")


class OrderPage(BaseModel):
    """Some working orders, of all."""

    run: str
    currency: str
    total: int
    orders: list[OrderView]


@router.get("/positions")
def list_positions(
    follower: AtFollower, run: OfRun = None, agent: OfAgent = None, start: Start = 0, limit: Limit = 200
) -> PositionPage:
    """The open positions of a run."""
    with follower.tale(run) as tale:
        found = positions_of(tale, agent)
        views = [position_view(each, tale.names) for each in found[start : start + limit]]
        return PositionPage(run=tale.run, currency=currency_in(tale), total=len(found), positions=views)


@router.get("/orders")
def list_orders(
    follower: AtFollower, run: OfRun = None, agent: OfAgent = None, start: Start = 0, limit: Limit = 200
) -> OrderPage:
    """The orders of a run that may still trade."""
    with follower.tale(run) as tale:
        found = orders_of(tale, agent)
        views = [order_view(each, tale.names) for each in found[start : start + limit]]
        return OrderPage(run=tale.run, currency=currency_in(tale), total=len(found), orders=views)


def position_view(position: Position, names: dict[str, str]) -> PositionView:
    """A position as a page wants it."""
    return PositionView(
        agent=position.agent,
        name=names.get(position.agent, ""),
        symbol=position.symbol,
        size=text(position.size),
        entry=text_or_none(position.entry),
        mark=text_or_none(position.mark),
        notional=text_or_none(position.notional),
        unrealised=text_or_none(position.unrealised),
        stop=text_or_none(position.stop),
        targets=[TargetView(level=text(level), size=text(size)) for level, size in position.targets],
        opened=milliseconds(position.opened),
    )


def order_view(working: Working, names: dict[str, str]) -> OrderView:
    """An order as a page wants it."""
    order = working.order
    return OrderView(
        id=order.id,
        agent=order.agent,
        name=names.get(order.agent, ""),
        symbol=order.symbol,
        kind=order.kind.value,
        type=order.type.value.replace("_", " "),
        size=text(order.size),
        filled=text(working.filled),
        level=text_or_none(order.level),
        limit=text_or_none(order.limit),
        reason=order.reason.word.replace("_", " "),
        state=working.state,
        since=milliseconds(working.since),
    )


def text(amount: Decimal) -> str:
    """A booked amount as it travels: without an exponent, and no longer than it is exact to twelve digits."""
    exponent = amount.as_tuple().exponent
    rounded = round(amount, 12) if isinstance(exponent, int) and exponent < -12 else amount
    plain = f"{rounded:f}"
    return (plain.rstrip("0").rstrip(".") or "0") if "." in plain else plain


def text_or_none(amount: Decimal | None) -> str | None:
    """The same, None for what is not known."""
    return None if amount is None else text(amount)
