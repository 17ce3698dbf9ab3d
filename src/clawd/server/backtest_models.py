"""What is said about backtests over HTTP: what is asked for, where one stands, and what came of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from clawd.backtests.run import Stage, State
from clawd.language.strategy import LARGEST_JSON_FILE


class BacktestOrder(BaseModel):
    """What is asked for. What is left out is as ``clawd backtest`` has it."""

    model_config = {"populate_by_name": True, "extra": "forbid"}

    text: str | None = Field(None, max_length=LARGEST_JSON_FILE, description="a strategy, TOML or JSON")
    name: str | None = Field(None, max_length=200, description="of a saved or a starter strategy")
    data: Literal["sample", "catalog"] = "sample"
    universe: list[Annotated[str, Field(min_length=1, max_length=100)]] | None = Field(
        None, min_length=1, max_length=500, description="instruments; all when left out"
    )
    bar: str | None = Field(None, max_length=10, description="size of the bars where there are several, such as 1h")
    start: str | None = Field(
        None, alias="from", max_length=40, description="first bar traded, a date or time, UTC; earlier bars warm up"
    )
    end: str | None = Field(
        None, alias="to", max_length=40, description="no bar that opens at or after this is read, UTC"
    )
    capital: Decimal = Field(Decimal(10_000), gt=0, le=10**9, max_digits=30, description="quote currency")
    fee: Decimal | None = Field(
        None, ge=0, lt=Decimal("0.1"), max_digits=30, description="per side, share of notional; else the setting"
    )
    slippage: Decimal | None = Field(
        None, ge=0, lt=Decimal("0.1"), max_digits=30, description="per side, share of price; else the setting"
    )


class BacktestError(BaseModel):
    """Why a backtest has no result."""

    what: str
    where: str | None
    hint: str | None


class BacktestSummary(BaseModel):
    """A backtest in a list. Figures are null until it is done."""

    id: str
    name: str = Field(description="of the strategy")
    content_hash: str
    state: State
    stage: Stage | None = Field(description="what is being done, while it runs")
    text: str = Field(description="where it stands, for people")
    progress: float = Field(description="0 to 1")
    place: int | None = Field(description="in the queue, from 1, while it waits")
    created: float = Field(description="milliseconds since 1970")
    seconds: float | None = Field(description="how long it ran")
    pinned: bool
    data: str
    universe: list[str] | None
    bar: str | None
    start: str | None = Field(alias="from", description="as it was asked for")
    end: str | None = Field(alias="to", description="as it was asked for")
    capital: str
    fee: str = Field(description="per side, share of notional")
    slippage: str = Field(description="per side, share of price")
    total_return: float | None
    sharpe: float | None
    max_drawdown: float | None
    trades: int | None
    error: BacktestError | None


class BacktestList(BaseModel):
    """Backtests, the newest first."""

    backtests: list[BacktestSummary]
    total: int = Field(description="those that fit, whether listed or not")
    kept: int = Field(description="all that are kept")
    most: int = Field(description="kept at most: the oldest that are not pinned make room for new ones")
    most_waiting: int
    engine: Stage | None = Field(description="what the engine is doing before it is ready; null when it is")
    engine_text: str | None


class MonthRow(BaseModel):
    """Net returns of a year, shares of the capital; they add up. Null where there are no bars."""

    year: int
    months: list[float | None]
    total: float
    held: float | None = Field(description="of buy and hold")


class ExitRow(BaseModel):
    """Closed trades by the reason of their exit."""

    reason: str
    text: str
    trades: int
    won: int
    profit: float = Field(description="net of fees, quote currency")


class TradedInstrument(BaseModel):
    """An instrument and what was earned on it."""

    symbol: str
    last: float | None
    trades: int
    won: int
    profit: float
    price_decimals: int
    size_decimals: int
    drawn: bool = Field(description="whether its bars are kept")


class Assumptions(BaseModel):
    """What the figures assume, under a title."""

    title: str
    lines: list[str]


class LuckSummary(BaseModel):
    """The backtest beside what luck alone would show."""

    trials: int = Field(description="distinct ones in the ledger, this one included")
    expected: float | None = Field(
        description="annual Sharpe ratio that the best of so many strategies without an edge is expected to show"
    )
    deflated: float | None = Field(description="confidence that this one's is more than that, 0 to 1")
    text: str


class BacktestResult(BaseModel):
    """What came of a backtest. Amounts are in the currency that is named."""

    currency: str = Field(description="in which the instruments are quoted, as far as their names say so")
    figures: dict[str, Any] = Field(description="as `clawd backtest --json` has them")
    held: dict[str, float | None] | None = Field(description="the same of buy and hold, as far as they mean something")
    equity: float = Field(description="at the last close")
    held_equity: float | None
    summary: str = Field(description="the equity chart in a sentence or three")
    bar: str
    first: float = Field(description="open of the first bar, milliseconds since 1970")
    last: float = Field(description="open of the last bar, milliseconds since 1970")
    money_decimals: int
    trades: int = Field(description="open ones included")
    months: list[MonthRow]
    months_total: float
    months_held: float | None
    exits: list[ExitRow]
    instruments: list[TradedInstrument]
    warnings: list[str]
    assumptions: list[Assumptions]
    luck: LuckSummary


class BacktestDetail(BacktestSummary):
    """A backtest, with what came of it once it is done."""

    strategy: str = Field(description="its text, as it was given")
    result: BacktestResult | None


class Pin(BaseModel):
    """Whether a backtest stays when the oldest have to go."""

    pinned: bool
