"""The equity of the account, and the prices of an instrument with what was traded on them."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from clawd.core.money import studied
from clawd.server.caller import Scope, needs
from clawd.server.live.asked import AtFollower, OfRun
from clawd.server.live.benchmark import benchmark_of
from clawd.server.live.currency import currency_in
from clawd.server.live.tale import EQUITY, Tale
from clawd.server.milliseconds import milliseconds
from clawd.server.problem import MissingError
from clawd.server.routes.positions import OfAgent
from clawd.server.routes.series import EquityCurve, curve_of, known

router = APIRouter(tags=["charts"], dependencies=[needs(Scope.READ)])

#: Fills and stop lines on one chart.
_MOST_MARKERS: Final = 500
_MOST_LINES: Final = 20


class RunEquity(EquityCurve):
    """The equity of the account of a run."""

    run: str


class FillMarker(BaseModel):
    """An order that filled."""

    seq: int = Field(description="its entry in the journal")
    time: float = Field(description="the market's clock, milliseconds since 1970")
    agent: str
    size: float = Field(description="signed, units of the instrument")
    price: float
    kind: str = Field(description="closing, opening, stop or take")
    reason: str


class StopLine(BaseModel):
    """The stop of one agent's positions as it moved: from each time on, the level; null from where there is none."""

    agent: str
    time: list[float] = Field(description="milliseconds since 1970")
    level: list[float | None]


class Prices(BaseModel):
    """Bars of an instrument as the journal tells them, at most 5,000, by columns; and what was traded on them."""

    run: str
    symbol: str
    currency: str
    time: list[float] = Field(description="open of each bar, milliseconds since 1970")
    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]
    volume: list[float | None]
    merged: int = Field(description="how many bars of the market each of them is made of, about")
    fills: list[FillMarker] = Field(description="the newest 500, oldest first")
    fills_total: int = Field(description="of all that are kept")
    stops: list[StopLine] = Field(description="of at most 20 agents, those that hold something first")


@router.get("/equity")
def read_equity(follower: AtFollower, run: OfRun = None) -> RunEquity:
    """The equity of the account of a run, with its drawdown and what buying and holding would have made."""
    with follower.tale(run) as tale:
        times, values = tale.curves.of(EQUITY)
        curve = curve_of(currency_in(tale), _capital(tale), times, values)
        benchmark, missing = benchmark_of(tale, times)
        if benchmark is not None:
            curve.benchmark = benchmark.tolist()
        curve.benchmark_missing = missing
        return RunEquity(run=tale.run, **curve.model_dump())


@router.get("/prices/{symbol}")
def read_prices(
    follower: AtFollower,
    symbol: Annotated[str, Path(max_length=120)],
    run: OfRun = None,
    agent: OfAgent = None,
    points: Annotated[int, Query(ge=10, le=5_000)] = 5_000,
) -> Prices:
    """The bars of an instrument, with the fills and the stops of a run, of all agents or of one."""
    with follower.tale(run) as tale:
        series = tale.bars.get(symbol)
        if series is None:
            known_ = ", ".join(list(tale.bars)[:10]) or "none yet"
            raise MissingError(f"the journal has no bar of {symbol[:60]!r}", where=tale.run, hint=f"there is {known_}")
        bars = series.latest(points)
        fills = [fill for fill in tale.fills if fill.symbol == symbol and agent in (None, fill.agent)]
        return Prices(
            run=tale.run,
            symbol=symbol,
            currency=currency_in(tale),
            time=[milliseconds(bar.opened) for bar in bars],
            open=[bar.open for bar in bars],
            high=[bar.high for bar in bars],
            low=[bar.low for bar in bars],
            close=[bar.close for bar in bars],
            volume=[known(bar.volume) for bar in bars],
            merged=series.merged * max(-(-len(series.rows) // max(len(bars), 1)), 1),
            fills=[
                FillMarker(
                    seq=fill.seq,
                    time=milliseconds(fill.time),
                    agent=fill.agent,
                    size=float(fill.size),
                    price=float(fill.price),
                    kind=fill.kind.value,
                    reason=fill.reason.replace("_", " "),
                )
                for fill in fills[-_MOST_MARKERS:]
            ],
            fills_total=len(fills),
            stops=_stops(tale, symbol, agent),
        )


def _stops(tale: Tale, symbol: str, agent: str | None) -> list[StopLine]:
    found = [
        StopLine(agent=name, time=[milliseconds(time) for time, _ in steps], level=[level for _, level in steps])
        for (name, of), steps in tale.stops.items()
        if of == symbol and agent in (None, name)
    ]
    # A line that ends in a level belongs to a position that is open.
    return sorted(found, key=lambda line: line.level[-1] is None)[:_MOST_LINES]


def _capital(tale: Tale) -> float:
    if tale.books is not None:
        return studied(tale.books.start.capital)
    return studied(tale.account.start.cash) if tale.account is not None else 0.0
