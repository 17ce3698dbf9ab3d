"""Series for charts: floats by columns, at most 5,000 points, times in milliseconds since 1970."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from clawd.server.live.curves import drawdowns
from clawd.server.milliseconds import each_in_milliseconds


class EquityCurve(BaseModel):
    """Equity over time, of the account or of an agent. The columns are equally long."""

    currency: str
    capital: float = Field(description="what it began with")
    time: list[float] = Field(description="the market's clock, milliseconds since 1970")
    equity: list[float]
    drawdown: list[float] = Field(description="below the peak, share of the capital, not negative")
    benchmark: list[float] | None = Field(
        None, description="buying everything at the first open and holding it, fees and slippage included"
    )
    benchmark_missing: str | None = Field(None, description="why there is none")


def curve_of(currency: str, capital: float, times: NDArray[np.int64], values: NDArray[np.float64]) -> EquityCurve:
    """A curve from its points."""
    return EquityCurve(
        currency=currency,
        capital=capital,
        time=each_in_milliseconds(times),
        equity=values.tolist(),
        drawdown=drawdowns(values, capital).tolist(),
    )


def known(value: float) -> float | None:
    """A number, None where it does not exist."""
    return value if math.isfinite(value) else None
