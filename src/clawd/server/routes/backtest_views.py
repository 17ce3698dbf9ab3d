"""What is drawn of a backtest: its curves, its trades, prices with the trades on them, and several side by side."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Path, Query
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from clawd.backtests.comparison import MOST, checked_count, compare
from clawd.backtests.reading import FILL_WORDS, FillLine, TradeLine, opened
from clawd.backtests.shelf import is_id
from clawd.core.errors import ClawdError, suggestion
from clawd.reports.thinning import MOST_POINTS
from clawd.server.backtest_desk import ADoneRun, AtDesk, missing, result_of
from clawd.server.caller import Scope, needs
from clawd.server.milliseconds import MILLISECOND, each_in_milliseconds, milliseconds
from clawd.server.problem import ConflictError, MissingError, Problem

router = APIRouter(tags=["backtests"], dependencies=[needs(Scope.READ)])

_REFUSED: dict[int | str, dict[str, Any]] = {409: {"model": Problem}, 404: {"model": Problem}}
_Millis = Annotated[float | None, Query(ge=-1e13, le=1e13, description="milliseconds since 1970")]


class BacktestSeries(BaseModel):
    """Curves of a backtest by columns. Amounts are in quote currency, shares are of the capital."""

    t: list[float] = Field(description="opens of the bars, milliseconds since 1970")
    equity: list[float] = Field(description="at the closes")
    held: list[float] | None = Field(description="the same of buy and hold")
    drawdown: list[float] = Field(description="below the peak, a share of it, not negative")
    exposure: list[float] = Field(description="gross, share of the capital")
    bars: int = Field(description="from how many bars these points were taken; lows and highs are among them")


class FillOut(BaseModel):
    """A fill."""

    t: float = Field(description="open of its bar, milliseconds since 1970")
    side: Literal["buy", "sell"]
    size: float
    price: float
    fee: float
    reason: str
    text: str = Field(description="the reason in words")
    trade: int


class TradeOut(BaseModel):
    """A trade, from flat to flat. What is unknown while it is open is null."""

    number: int = Field(description="in the order of their ends, from 0")
    symbol: str
    side: Literal["long", "short"]
    opened: float = Field(description="milliseconds since 1970")
    closed: float | None = Field(description="milliseconds since 1970")
    bars: int = Field(description="held")
    size: float = Field(description="largest")
    entry: float = Field(description="average price")
    exit: float | None = Field(description="average price")
    profit: float = Field(description="net of fees, quote currency; of an open one at the last close")
    share: float = Field(description="profit, share of the capital")
    fees: float
    reason: str | None
    text: str = Field(description="why it was closed, in words")
    best: float = Field(description="most favourable excursion, share of the entry price")
    worst: float = Field(description="most adverse excursion, share of the entry price, not positive")


class BacktestTradePage(BaseModel):
    """Some of the trades, the latest to open first."""

    trades: list[TradeOut]
    total: int


class TradeDetail(TradeOut):
    """A trade with its fills."""

    fills: list[FillOut]
    drawn: bool = Field(description="whether the bars of its instrument are kept")


class PriceSeries(BaseModel):
    """Bars of an instrument with what was traded on them, by columns. Null where a bar is missing."""

    symbol: str
    t: list[float] = Field(description="opens of the bars, milliseconds since 1970")
    open: list[float | None]
    high: list[float | None]
    low: list[float | None]
    close: list[float | None]
    stop: list[float | None] = Field(description="level of the stop within the bar; null where nothing was held")
    width: int = Field(description="bars of the run that one bar here stands for")
    fills: list[FillOut]
    left_out: int = Field(description="earlier fills in view that are not listed")
    first: float = Field(description="open of the first bar that is kept, milliseconds since 1970")
    last: float = Field(description="open of the last bar that is kept, milliseconds since 1970")
    decimals: int


class ComparedRun(BaseModel):
    """A backtest in a comparison, with its equity, 100 at the start of the common span."""

    id: str
    name: str
    t: list[float] | None = Field(description="milliseconds since 1970; null where there is no common span")
    value: list[float] | None


class ComparedDifference(BaseModel):
    """Something that was given to the runs and is not the same for all."""

    what: str
    values: list[str]
    text: str


class ComparedFigure(BaseModel):
    """A figure of each run, over all of its own bars."""

    key: str
    label: str
    meaning: str
    unit: Literal["share", "ratio", "count", "amount"]
    values: list[float | None]
    best: list[int] = Field(description="places of the best values; none where there is no better and worse")


class BacktestComparison(BaseModel):
    """Backtests side by side."""

    runs: list[ComparedRun]
    start: float | None = Field(description="of the common span, milliseconds since 1970")
    end: float | None
    differences: list[ComparedDifference]
    figures: list[ComparedFigure]
    warnings: list[str]


@router.get("/backtests/compare", responses=_REFUSED)
def compare_backtests(
    desk: AtDesk, ids: Annotated[str, Query(max_length=40 * MOST, description="2 to 6 of them, by commas")]
) -> BacktestComparison:
    """Backtests side by side: curves from the same start, differences in what they were given, figures."""
    wanted = list(dict.fromkeys(part.strip() for part in ids.split(",") if part.strip()))
    checked_count(len(wanted))
    runs = []
    for id in wanted:
        run = desk.find(id) if is_id(id) else None
        if run is None:
            raise missing()
        if run.state != "done":
            raise ConflictError(f"a backtest has no result: it is {run.state}", where=run.name)
        runs.append(run)
    with ExitStack() as stack:
        kept = [stack.enter_context(opened(desk.shelf.arrays(run.id))) for run in runs]
        found = compare(runs, [result_of(desk, run) for run in runs], kept)
    return BacktestComparison(
        runs=[
            ComparedRun(
                id=run.id,
                name=run.name,
                t=None if curve is None else each_in_milliseconds(curve.times),
                value=None if curve is None else curve.values.tolist(),
            )
            for run, curve in zip(runs, found.curves, strict=True)
        ],
        start=milliseconds(found.start),
        end=milliseconds(found.end),
        differences=[ComparedDifference(what=d.what, values=list(d.values), text=d.text) for d in found.differences],
        figures=[
            ComparedFigure(
                key=row.key,
                label=row.label,
                meaning=row.meaning,
                unit=row.unit,
                values=list(row.values),
                best=list(row.best),
            )
            for row in found.rows
        ],
        warnings=list(found.warnings),
    )


@router.get("/backtests/{id}/series", responses=_REFUSED)
def read_backtest_series(
    run: ADoneRun, desk: AtDesk, points: Annotated[int, Query(ge=50, le=MOST_POINTS)] = MOST_POINTS
) -> BacktestSeries:
    """The curves of a backtest, at most so many points of each."""
    with opened(desk.shelf.arrays(run.id)) as kept:
        curves = kept.curves(points)
    return BacktestSeries(
        t=each_in_milliseconds(curves.times),
        equity=curves.equity.tolist(),
        held=None if curves.held is None else curves.held.tolist(),
        drawdown=curves.drawdown.tolist(),
        exposure=curves.exposure.tolist(),
        bars=curves.bars,
    )


@router.get("/backtests/{id}/trades", responses=_REFUSED)
def list_backtest_trades(
    run: ADoneRun,
    desk: AtDesk,
    symbol: Annotated[str | None, Query(max_length=100)] = None,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> BacktestTradePage:
    """Trades, the latest to open first."""
    symbols = _symbols(result_of(desk, run))
    with opened(desk.shelf.arrays(run.id)) as kept:
        numbers = kept.trades_of(None if symbol is None else _row(symbols, symbol))
        lines = kept.trades(numbers[offset : offset + limit])
    return BacktestTradePage(
        trades=[TradeOut(**_trade(line, symbols, run.request.capital)) for line in lines], total=numbers.size
    )


@router.get("/backtests/{id}/trades/{number}", responses=_REFUSED)
def read_backtest_trade(run: ADoneRun, desk: AtDesk, number: Annotated[int, Path(ge=0, le=10_000_000)]) -> TradeDetail:
    """A trade with its fills and the reason of each."""
    symbols = _symbols(result_of(desk, run))
    with opened(desk.shelf.arrays(run.id)) as kept:
        if number >= kept["trip_row"].size:
            raise MissingError("there is no such trade", hint=f"it has {kept['trip_row'].size}")
        (line,) = kept.trades(np.array([number]))
        fills = kept.fills_of_trade(number)
        drawn = f"close/{line.row}" in kept
    return TradeDetail(**_trade(line, symbols, run.request.capital), fills=[_fill(each) for each in fills], drawn=drawn)


@router.get("/backtests/{id}/prices", responses=_REFUSED)
def read_backtest_prices(
    run: ADoneRun,
    desk: AtDesk,
    symbol: Annotated[str, Query(max_length=100)],
    start: Annotated[_Millis, Query(alias="from")] = None,
    end: Annotated[_Millis, Query(alias="to")] = None,
    points: Annotated[int, Query(ge=50, le=MOST_POINTS)] = MOST_POINTS,
) -> PriceSeries:
    """Bars of an instrument within a stretch of time, the fills on them and the line of the stop while it was held."""
    found = result_of(desk, run)
    row = _row(_symbols(found), symbol)
    with opened(desk.shelf.arrays(run.id)) as kept:
        prices = kept.prices(row, _nanos(start), _nanos(end), points)
    return PriceSeries(
        symbol=symbol,
        t=each_in_milliseconds(prices.times),
        open=_known(prices.open),
        high=_known(prices.high),
        low=_known(prices.low),
        close=_known(prices.close),
        stop=_known(prices.stop),
        width=prices.width,
        fills=[_fill(each) for each in prices.fills],
        left_out=prices.left_out,
        first=milliseconds(prices.first),
        last=milliseconds(prices.last),
        decimals=found["instruments"][row]["price_decimals"],
    )


def _symbols(found: dict[str, Any]) -> list[str]:
    return [each["symbol"] for each in found["instruments"]]


def _row(symbols: Sequence[str], symbol: str) -> int:
    if symbol not in symbols:
        raise ClawdError("the backtest has no such instrument", where="symbol", hint=suggestion(symbol, symbols))
    return symbols.index(symbol)


def _trade(line: TradeLine, symbols: Sequence[str], capital: Any) -> dict[str, Any]:
    return {
        "number": line.number,
        "symbol": symbols[line.row],
        "side": "long" if line.side > 0 else "short",
        "opened": milliseconds(line.opened),
        "closed": milliseconds(line.closed),
        "bars": line.bars,
        "size": line.size,
        "entry": line.entry,
        "exit": line.exit,
        "profit": line.profit,
        "share": line.profit / float(capital),
        "fees": line.fees,
        "reason": None if line.reason is None else line.reason.word,
        "text": "Still open" if line.reason is None else FILL_WORDS.get(line.reason, line.reason.word),
        "best": line.best,
        "worst": line.worst,
    }


def _fill(fill: FillLine) -> FillOut:
    return FillOut(
        t=milliseconds(fill.time),
        side="buy" if fill.size > 0 else "sell",
        size=abs(fill.size),
        price=fill.price,
        fee=fill.fee,
        reason=fill.reason.word,
        text=FILL_WORDS.get(fill.reason, fill.reason.word),
        trade=fill.trade,
    )


def _nanos(millis: float | None) -> int | None:
    return None if millis is None else int(millis * MILLISECOND)


def _known(values: NDArray[np.float64]) -> list[float | None]:
    known = ~np.isnan(values)
    return [value if there else None for value, there in zip(values.tolist(), known.tolist(), strict=True)]
