"""The indicators that are macros: against TA-Lib on the stock market, and bar by bar on a market with holes."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import talib

from clawd.core.panel import Panel
from clawd.language.operators import OPERATORS
from engine.panels import evaluate, random_panel, real_panel

NAN = math.nan
Bars = dict[str, np.ndarray]


# TA-Lib, on the whole of the S&P 500 and the Nasdaq composite.


#: Expression: TA-Lib's computation, bars until its way of beginning is forgotten, and how exactly they agree then. It
#: begins Wilder's sums otherwise than `rma` does, a difference that shrinks by 13/14 a bar.
TALIB: dict[str, tuple[Callable[[Bars], np.ndarray], int, float]] = {
    "stoch_k(14)": (lambda b: talib.STOCHF(b["high"], b["low"], b["close"], 14, 1)[0], 0, 1e-9),
    "stoch_k(5)": (lambda b: talib.STOCHF(b["high"], b["low"], b["close"], 5, 1)[0], 0, 1e-9),
    "adx(14)": (lambda b: talib.ADX(b["high"], b["low"], b["close"], 14), 700, 1e-9),
    "adx(5)": (lambda b: talib.ADX(b["high"], b["low"], b["close"], 5), 300, 1e-9),
    "cci(20)": (lambda b: talib.CCI(b["high"], b["low"], b["close"], 20), 0, 1e-8),
    "mfi(14)": (lambda b: talib.MFI(b["high"], b["low"], b["close"], b["volume"], 14), 0, 1e-8),
    "adv(20)": (lambda b: talib.SMA(b["close"] * b["volume"], 20), 0, 1e-12),
}


@pytest.mark.parametrize("expression", TALIB)
def test_an_indicator_agrees_with_talib_on_the_stock_market(expression: str) -> None:
    formula, settled, tolerance = TALIB[expression]
    found = evaluate(expression, real_panel())
    for row in range(2):
        expected = formula({name: getattr(real_panel(), name)[row] for name in ("high", "low", "close", "volume")})
        np.testing.assert_array_equal(np.isnan(found[row, settled:]), np.isnan(expected[settled:]))
        scale = float(np.nanmax(np.abs(expected)))
        np.testing.assert_allclose(found[row, settled:], expected[settled:], rtol=tolerance, atol=tolerance * scale)


# Second computations: each takes the bars that one instrument has, oldest first.


def rolling(w: int, function: Callable[..., float], *columns: np.ndarray) -> np.ndarray:
    """A function of the last w values of some columns, missing while any of them is."""
    result = np.full(columns[0].size, np.nan)
    for t in range(w - 1, columns[0].size):
        windows = [column[t + 1 - w : t + 1] for column in columns]
        if not any(np.isnan(window).any() for window in windows):
            result[t] = function(*windows)
    return result


def wilder(x: np.ndarray, w: int) -> np.ndarray:
    """Wilder's mean of what is known, begun with the mean of its first w."""
    result, seeds, mean = np.full(x.size, np.nan), [], NAN
    for t, value in enumerate(x):
        if np.isnan(value):
            continue
        seeds.append(value)
        mean = float(np.mean(seeds)) if len(seeds) <= w else (mean * (w - 1) + value) / w
        result[t] = mean if len(seeds) >= w else NAN
    return result


def lagged(x: np.ndarray) -> np.ndarray:
    return np.concatenate([[np.nan], x[:-1]])


def typical(bars: Bars) -> np.ndarray:
    return (bars["high"] + bars["low"] + bars["close"]) / 3


def stochastic(bars: Bars) -> np.ndarray:
    highest, lowest = rolling(6, np.max, bars["high"]), rolling(6, np.min, bars["low"])
    return 100 * (bars["close"] - lowest) / (highest - lowest)


def directional(bars: Bars) -> np.ndarray:
    """Wilder (1978): the true range is in both directional indicators and cancels in DX."""
    plus, minus = np.full(bars["high"].size, np.nan), np.full(bars["high"].size, np.nan)
    for t in range(1, plus.size):
        up, down = bars["high"][t] - bars["high"][t - 1], bars["low"][t - 1] - bars["low"][t]
        plus[t] = up if up > down and up > 0 else 0.0
        minus[t] = down if down > up and down > 0 else 0.0
    above, below = wilder(plus, 5), wilder(minus, 5)
    with np.errstate(invalid="ignore"):
        index = np.where(above + below < 1e-12, np.nan, np.abs(above - below) / (above + below))
    return wilder(100 * index, 5)


def channel(bars: Bars) -> np.ndarray:
    def of(window: np.ndarray) -> float:
        deviation = np.abs(window - window.mean()).mean()
        return float((window[-1] - window.mean()) / (0.015 * deviation)) if deviation > 0 else NAN

    return rolling(8, of, typical(bars))


def balance(bars: Bars) -> np.ndarray:
    flow = np.sign(bars["close"] - lagged(bars["close"])) * bars["volume"]
    sums = rolling(6, np.sum, flow)
    return rolling(6, lambda v: (v[-1] - v.mean()) / v.std(ddof=1) if np.ptp(v) > 0 else NAN, sums)


def money_flow(bars: Bars) -> np.ndarray:
    price = typical(bars)
    change, flow = price - lagged(price), price * bars["volume"]

    def of(changes: np.ndarray, flows: np.ndarray) -> float:
        rising, moving = flows[changes > 0].sum(), flows[changes != 0].sum()
        return float(100 * rising / moving) if moving >= 1e-12 else NAN

    return rolling(6, of, change, flow)


def range_volatility(bars: Bars) -> np.ndarray:
    squares = np.log(bars["high"] / bars["low"]) ** 2
    return np.sqrt(rolling(6, np.mean, squares) / (4 * math.log(2)))


def dollars(bars: Bars) -> np.ndarray:
    return rolling(6, np.mean, bars["close"] * bars["volume"])


def cointegration(bars: Bars) -> np.ndarray:
    """The last residual of an ordinary regression in deviations of all of them, taken about their mean of zero."""

    def of(x: np.ndarray, y: np.ndarray) -> float:
        design = np.column_stack([np.ones(x.size), y])
        residuals = x - design @ np.linalg.lstsq(design, x, rcond=None)[0]
        return float(residuals[-1] / residuals.std(ddof=1))

    return rolling(12, of, bars["close"], bars["open"])


ORACLES: dict[str, tuple[str, Callable[[Bars], np.ndarray]]] = {
    "stoch_k": ("stoch_k(6)", stochastic),
    "adx": ("adx(5)", directional),
    "cci": ("cci(8)", channel),
    "obv_z": ("obv_z(6)", balance),
    "mfi": ("mfi(6)", money_flow),
    "parkinson": ("parkinson(6)", range_volatility),
    "adv": ("adv(6)", dollars),
    "coint_z": ("coint_z(close, open, 12)", cointegration),
}


def compared(expression: str, oracle: Callable[[Bars], np.ndarray], bars: Panel) -> int:
    found, count = evaluate(expression, bars), 0
    for row in range(len(bars.instruments)):
        own = bars.present[row]
        expected = oracle({n: getattr(bars, n)[row, own] for n in ("open", "high", "low", "close", "volume")})
        np.testing.assert_array_equal(np.isnan(found[row, own]), np.isnan(expected))
        np.testing.assert_allclose(found[row, own], expected, rtol=1e-8, atol=1e-9)
        assert np.isnan(found[row, ~own]).all()
        count += int((~np.isnan(expected)).sum())
    return count


@pytest.mark.parametrize("name", ORACLES)
def test_an_indicator_is_its_formula_on_a_market_with_holes(name: str) -> None:
    expression, oracle = ORACLES[name]
    assert compared(expression, oracle, random_panel(11)) > 100


def test_an_indicator_is_its_formula_on_the_stock_market() -> None:
    for expression, oracle in ORACLES.values():
        assert compared(expression, oracle, real_panel().between(1_000, 1_600)) > 1_000


def test_every_macro_has_a_second_computation_here_or_there() -> None:
    there = {"vol_target", "inv_vol", "atr", "rsi", "macd", "bb_z", "donchian_pos", "tsmom"}
    assert set(ORACLES) | there == {name for name, operator in OPERATORS.items() if operator.expansion is not None}
