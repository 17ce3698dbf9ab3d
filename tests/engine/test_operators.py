"""Every operator against a second computation: TA-Lib where it has one, else a loop written from its meaning."""

from __future__ import annotations

import datetime as dt
import math
import re
import statistics
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import talib

from clawd.core.panel import NANOSECONDS_PER_DAY
from clawd.engine.steps import STEPS
from clawd.language.operators import CLOCK_NAMES, OPERATORS
from engine.panels import START, evaluate, panel, random_panel, real_panel

NAN = math.nan
BARS_A_YEAR = 365.0

Series = list[float]
Oracle = Callable[[Series, Series], Series]


def missing(*values: float) -> bool:
    return any(math.isnan(value) for value in values)


# Oracles. Each takes the whole history of x and of y, oldest first, and says what the operator's meaning asks for.


def each(formula: Callable[[float, float], float]) -> Oracle:
    """Bar by bar; missing where x is."""
    return lambda x, y: [NAN if math.isnan(a) else formula(a, b) for a, b in zip(x, y, strict=True)]


def both(formula: Callable[[float, float], float]) -> Oracle:
    """Bar by bar; missing where x or y is."""
    return lambda x, y: [NAN if missing(a, b) else formula(a, b) for a, b in zip(x, y, strict=True)]


def windowed(w: int, formula: Callable[[Series], float]) -> Oracle:
    """Over the last w values of x; missing while any of them is."""

    def oracle(x: Series, y: Series) -> Series:
        windows = [x[t + 1 - w : t + 1] if t + 1 >= w else [NAN] for t in range(len(x))]
        return [NAN if missing(*window) else formula(window) for window in windows]

    return oracle


def paired(w: int, formula: Callable[[Series, Series], float]) -> Oracle:
    """Over the last w values of x and of y; missing while any of either is."""

    def oracle(x: Series, y: Series) -> Series:
        result = []
        for t in range(len(x)):
            a, b = x[max(t + 1 - w, 0) : t + 1], y[max(t + 1 - w, 0) : t + 1]
            result.append(NAN if len(a) < w or missing(*a, *b) else formula(a, b))
        return result

    return oracle


def lagged(w: int, formula: Callable[[float, float], float]) -> Oracle:
    """Of x now and x of w bars ago."""

    def oracle(x: Series, y: Series) -> Series:
        return [NAN if t < w or missing(x[t], x[t - w]) else formula(x[t], x[t - w]) for t in range(len(x))]

    return oracle


def exponential(weight: float, of: Callable[[float], float] = float, seed_bars: int = 1) -> Oracle:
    """An exponential mean that skips what is missing, seeded by the mean of its first values."""

    def oracle(x: Series, y: Series) -> Series:
        result, seeds, mean = [], [], NAN
        for value in x:
            if math.isnan(value):
                result.append(NAN)
                continue
            if len(seeds) < seed_bars:
                seeds.append(of(value))
                mean = math.fsum(seeds) / seed_bars if len(seeds) == seed_bars else NAN
            else:
                mean += weight * (of(value) - mean)
            result.append(mean)
        return result

    return oracle


def deviation(window: Series) -> float:
    return statistics.stdev(Fraction(value) for value in window)


def zscore(window: Series) -> float:
    spread = deviation(window)
    return (window[-1] - math.fsum(window) / len(window)) / spread if spread > 0 else NAN


def rank(window: Series) -> float:
    below = sum(value < window[-1] for value in window)
    equal = sum(value == window[-1] for value in window)
    return (below + (equal + 1) / 2) / len(window)


def sums(a: Series, b: Series) -> tuple[float, float, float]:
    """Sums of squared deviations of a, of b, and of their products."""
    mean_a, mean_b = sum(map(Fraction, a)) / len(a), sum(map(Fraction, b)) / len(b)
    da, db = [Fraction(value) - mean_a for value in a], [Fraction(value) - mean_b for value in b]
    products = (zip(da, da, strict=True), zip(db, db, strict=True), zip(da, db, strict=True))
    aa, bb, ab = (float(sum(p * q for p, q in pairs)) for pairs in products)
    return aa, bb, ab


def slope(window: Series) -> float:
    return (
        sums(window, [float(k) for k in range(len(window))])[2]
        / sums([float(k) for k in range(len(window))], window)[0]
    )


def correlation(a: Series, b: Series) -> float:
    aa, bb, ab = sums(a, b)
    return ab / math.sqrt(aa * bb) if aa > 0 and bb > 0 else NAN


def beta(a: Series, b: Series) -> float:
    _, bb, ab = sums(a, b)
    return ab / bb if bb > 0 else NAN


def efficiency(window: Series) -> float:
    path = math.fsum(abs(after - before) for before, after in pairwise(window))
    return abs(window[-1] - window[0]) / path if path > 0 else NAN


def forecast(w: int) -> Oracle:
    def oracle(x: Series, y: Series) -> Series:
        returns, before = [], NAN
        for price in x:
            if not price > 0:
                returns.append(NAN)
                continue
            returns.append(math.log(price / before) if before > 0 else NAN)
            before = price
        squares = exponential(2 / (w + 1), lambda change: change * change)(returns, y)
        return [math.sqrt(square * BARS_A_YEAR) for square in squares]

    return oracle


def crossings(x: Series, y: Series) -> Series:
    result = [0.0]
    for t in range(1, len(x)):
        known = not missing(x[t], y[t], x[t - 1], y[t - 1])
        result.append(float(known and x[t] > y[t] and not x[t - 1] > y[t - 1]))
    return result


def share_above(w: int) -> Oracle:
    return lambda x, y: [
        sum(value > 0 for value in x[t + 1 - w : t + 1]) / w if t + 1 >= w else NAN for t in range(len(x))
    ]


def machine(step: Callable[[float, float, float, int], float], start: float = 0.0) -> Oracle:
    """An oracle that carries its last output along: step(last output, x, y, bars since it last changed its sign)."""

    def oracle(x: Series, y: Series) -> Series:
        result, last, age = [], start, 10**6
        for a, b in zip(x, y, strict=True):
            age += 1
            now = step(last, a, b, age)
            if np.sign(now) != np.sign(last):
                age = 0
            last = now
            result.append(now)
        return result

    return oracle


def known(value: float) -> float:
    return 0.0 if math.isnan(value) else value


def held(value: float, low: float, high: float) -> float:
    return max(low, min(high, value))


def latched(last: float, x: float, y: float, age: int) -> float:
    return 0.0 if y > 0 else 1.0 if x > 0 else last


def sided(last: float, x: float, y: float, age: int) -> float:
    if (x > 0) == (y > 0):
        return last
    return 1.0 if x > 0 else -1.0


def hysteretic(last: float, x: float, y: float, age: int) -> float:
    if math.isnan(x) or abs(x) < 0.3:
        return 0.0
    if abs(x) > 0.8:
        return math.copysign(1.0, x)
    return last if last * x >= 0 else 0.0


def patient(last: float, x: float, y: float, age: int) -> float:
    wanted = held(known(x), -1.0, 1.0)
    return last if last != 0 and np.sign(wanted) != np.sign(last) and age < 4 else wanted


def banded(last: float, x: float, y: float, age: int) -> float:
    wanted = held(known(x), -1.0, 1.0)
    return wanted if wanted == 0 or abs(wanted - last) > 0.4 else last


def seldom(x: Series, y: Series) -> Series:
    return [held(known(x[t - t % 5]), -1.0, 1.0) for t in range(len(x))]


def smoothed(x: Series, y: Series) -> Series:
    return exponential(2 / 6)([held(known(value), -1.0, 1.0) for value in x], y)


X, Y = 'ext("x")', 'ext("y")'
PX = f"(close * {X})"  # the close is 1 here: x as a price
LS = f"long_short({X})"

#: Operator: the expressions that show it, and what they must give.
ALONG: dict[str, dict[str, Oracle]] = {
    "add": {f"{X} + {Y}": both(lambda a, b: a + b)},
    "sub": {f"{X} - {Y}": both(lambda a, b: a - b)},
    "mul": {f"{X} * {Y}": both(lambda a, b: a * b)},
    "div": {f"{X} / {Y}": both(lambda a, b: a / b if abs(b) >= 1e-12 else NAN)},
    "neg": {f"-{X}": each(lambda a, _: -a)},
    "abs": {f"abs({X})": each(lambda a, _: abs(a))},
    "sign": {f"sign({X})": each(lambda a, _: float((a > 0) - (a < 0)))},
    "log": {f"log({X})": each(lambda a, _: math.log(a) if a > 0 else NAN)},
    "sqrt": {f"sqrt({X})": each(lambda a, _: math.copysign(math.sqrt(abs(a)), a))},
    "min2": {f"min2({X}, {Y})": both(min)},
    "max2": {f"max2({X}, {Y})": both(max)},
    "clip": {f"clip({X}, -0.5, 1)": each(lambda a, _: held(a, -0.5, 1.0))},
    "squash": {f"squash({X})": each(lambda a, _: math.tanh(a))},
    "gt": {
        f"{X} > {Y}": lambda x, y: [float(a > b) for a, b in zip(x, y, strict=True)],
        f"{X} < {Y}": lambda x, y: [float(a < b) for a, b in zip(x, y, strict=True)],
    },
    "between": {f"between({X}, -0.5, 0.5)": lambda x, y: [float(-0.5 <= a <= 0.5) for a in x]},
    "and": {f"{X} > 0 and {Y} > 0": lambda x, y: [float(a > 0 and b > 0) for a, b in zip(x, y, strict=True)]},
    "or": {f"{X} > 0 or {Y} > 0": lambda x, y: [float(a > 0 or b > 0) for a, b in zip(x, y, strict=True)]},
    "not": {f"not {X} > 0": lambda x, y: [float(not a > 0) for a in x]},
    "where": {f"where({X} > 0, {X}, {Y})": lambda x, y: [a if a > 0 else b for a, b in zip(x, y, strict=True)]},
    "cross_up": {f"cross_up({X}, {Y})": crossings},
    "count_true": {f"count_true({X} > 0, {w})": share_above(w) for w in (1, 4, 20)},
    "latch": {f"latch({X} > 0, {Y} > 0)": machine(latched)},
    "delay": {
        f"delay({X}, {w})": lambda x, y, w=w: [x[t - w] if t >= w else NAN for t in range(len(x))] for w in (1, 2, 20)
    },
    "delta": {f"delta({X}, {w})": lagged(w, lambda now, before: now - before) for w in (1, 7)},
    "ret": {
        f"ret({PX}, {w})": lagged(w, lambda now, before: now / before - 1 if abs(before) >= 1e-12 else NAN)
        for w in (1, 7)
    },
    "ts_sum": {f"ts_sum({X}, {w})": windowed(w, math.fsum) for w in (1, 5, 20)},
    "ts_mean": {f"ts_mean({X}, {w})": windowed(w, lambda v: math.fsum(v) / len(v)) for w in (1, 5, 20)},
    "ts_std": {f"ts_std({X}, {w})": windowed(w, deviation) for w in (2, 5, 20)},
    "ts_zscore": {f"ts_zscore({X}, {w})": windowed(w, zscore) for w in (2, 5, 20)},
    "ts_rank": {f"ts_rank({X}, {w})": windowed(w, rank) for w in (2, 5, 20)},
    "ts_min": {f"ts_min({X}, {w})": windowed(w, min) for w in (1, 2, 5, 20)},
    "ts_max": {f"ts_max({X}, {w})": windowed(w, max) for w in (1, 2, 5, 20)},
    "ts_slope": {f"ts_slope({X}, {w})": windowed(w, slope) for w in (2, 5, 20)},
    "ts_corr": {f"ts_corr({X}, {Y}, {w})": paired(w, correlation) for w in (2, 5, 20)},
    "ts_beta": {f"ts_beta({X}, {Y}, {w})": paired(w, beta) for w in (2, 5, 20)},
    "efficiency": {f"efficiency({PX}, {w})": windowed(w + 1, efficiency) for w in (1, 5, 20)},
    "ema": {f"ema({X}, {w})": exponential(2 / (w + 1)) for w in (2, 20)},
    "rma": {f"rma({X}, {w})": exponential(1 / w, seed_bars=w) for w in (1, 2, 20)},
    "ewm_std": {
        f"ewm_std({X}, {w})": lambda x, y, w=w: [
            math.sqrt(square) for square in exponential(2 / (w + 1), lambda a: a * a)(x, y)
        ]
        for w in (2, 20)
    },
    "vol_forecast": {f"vol_forecast({PX}, {w})": forecast(w) for w in (2, 20)},
    "long_short": {LS: lambda x, y: [held(known(a), -1.0, 1.0) for a in x]},
    "long_only": {f"long_only({X})": lambda x, y: [held(known(a), 0.0, 1.0) for a in x]},
    "signal_if": {f"signal_if({X} > 0, {Y} > 0)": machine(sided)},
    "hysteresis": {f"hysteresis({X}, 0.8, 0.3)": machine(hysteretic)},
    "gate": {
        f"gate({LS}, {Y} > 0, 0.25)": lambda x, y: [
            held(known(a), -1.0, 1.0) * (1.0 if b > 0 else 0.25) for a, b in zip(x, y, strict=True)
        ]
    },
    "blend": {
        f"blend({LS}, long_short({Y}), 0.7)": lambda x, y: [
            0.7 * held(known(a), -1.0, 1.0) + 0.3 * held(known(b), -1.0, 1.0) for a, b in zip(x, y, strict=True)
        ]
    },
    "smooth": {f"smooth({LS}, 5)": smoothed},
    "min_hold": {f"min_hold({LS}, 4)": machine(patient)},
    "rebalance": {f"rebalance({LS}, 5)": seldom},
    "no_trade_band": {f"no_trade_band({LS}, 0.4)": machine(banded)},
    "scale_to_vol": {
        f"scale_to_vol({LS}, {Y}, 0.5)": lambda x, y: [
            held(held(known(a), -1.0, 1.0) * 0.5 / b, -1.0, 1.0) if b > 0 else 0.0 for a, b in zip(x, y, strict=True)
        ]
    },
}


def histories() -> Iterator[tuple[str, Series, Series]]:
    """Pairs of series that have what data has."""
    rng = np.random.default_rng(7)
    noise = rng.normal(0.0, 1.0, (2, 160))
    holes = np.where(rng.random((2, 160)) < 0.07, np.nan, noise)
    gap = noise.copy()
    gap[0, 50:75] = np.nan
    gap[1, :30] = np.nan
    flat = np.round(noise)
    flat[:, 40:80] = 3.1
    flat[0, 100:130] = -0.7
    prices = real_panel().close[:, 2_000:2_160]
    for name, (x, y) in {
        "noise": noise,
        "holes": holes,
        "a gap": gap,
        "ties and constants": flat,
        "constants": np.array([[0.1] * 160, [0.0] * 160]),
        "stock indices": prices,
        "their returns": np.diff(np.log(prices), prepend=np.nan),
        "tiny": noise * 1e-7,
        "huge": noise * 1e9 + 5e9,
        "zeros among values": np.where(rng.random((2, 160)) < 0.5, 0.0, noise),
    }.items():
        yield name, list(map(float, x)), list(map(float, y))


HISTORIES = {name: (x, y) for name, x, y in histories()}
CASES = [
    pytest.param(expression, oracle, id=expression.replace('ext("x")', "x").replace('ext("y")', "y"))
    for expressions in ALONG.values()
    for expression, oracle in expressions.items()
]


def computed(expression: str, x: Series, y: Series) -> np.ndarray:
    bars = panel(np.ones(len(x)), series={"x": np.array(x), "y": np.array(y)}, bars_per_year=BARS_A_YEAR)
    return evaluate(expression, bars)[0]


def assert_same(found: np.ndarray, expected: Series, scale: float) -> None:
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected), err_msg="missing at other bars")
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11 * scale)


@pytest.mark.parametrize(("expression", "oracle"), CASES)
def test_an_operator_computes_its_meaning(expression: str, oracle: Oracle) -> None:
    for name, (x, y) in HISTORIES.items():
        scale = float(np.nanmax(np.abs([x, y])))
        found = computed(expression, x, y)
        expected = oracle(x, y)
        try:
            assert_same(found, expected, scale)
        except AssertionError as error:
            raise AssertionError(f"on {name}: {error}") from None


def test_every_operator_has_a_second_computation() -> None:
    across = {"cs_rank", "cs_zscore", "cs_demean", "cs_mean", "asset", "xs_portfolio", "share_by"}
    assert set(ALONG) | across <= set(STEPS)  # test_new_operators.py has the rest
    assert all(ALONG.values())
    for name, operator in OPERATORS.items():
        if operator.expansion is not None:
            words = re.findall(r"[a-z_]\w*(?=\()", operator.expansion)
            assert set(words) <= set(STEPS), f"the macro {name} is built of something unknown"
        else:
            assert name in STEPS or operator.group == "inputs", f"{name} has no step"


# TA-Lib, on the whole of the S&P 500.


def sp500() -> dict[str, np.ndarray]:
    bars = real_panel()
    return {name: getattr(bars, name)[0] for name in ("open", "high", "low", "close", "volume")}


def _unbiased(w: int) -> float:
    return math.sqrt(w / (w - 1))


def _bands(close: np.ndarray) -> np.ndarray:
    upper, middle, _ = talib.BBANDS(close, 20, 1.0, 1.0)
    return (close - middle) / ((upper - middle) * _unbiased(20))


#: Expression: TA-Lib's computation of the same, bars that it needs to settle, and how exactly they agree.
TALIB: dict[str, tuple[Callable[..., np.ndarray], int, float]] = {
    "ts_mean(close, 20)": (lambda b: talib.SMA(b["close"], 20), 0, 1e-12),
    "ts_sum(volume, 20)": (lambda b: talib.SUM(b["volume"], 20), 0, 1e-12),
    "ts_min(low, 30)": (lambda b: talib.MIN(b["low"], 30), 0, 0.0),
    "ts_max(high, 30)": (lambda b: talib.MAX(b["high"], 30), 0, 0.0),
    "ts_std(close, 20)": (lambda b: talib.STDDEV(b["close"], 20) * _unbiased(20), 0, 1e-7),
    "ts_slope(close, 14)": (lambda b: talib.LINEARREG_SLOPE(b["close"], 14), 0, 1e-8),
    "ts_corr(close, high, 30)": (lambda b: talib.CORREL(b["close"], b["high"], 30), 0, 1e-6),
    "delta(close, 10)": (lambda b: talib.MOM(b["close"], 10), 0, 0.0),
    "ret(close, 10)": (lambda b: talib.ROCP(b["close"], 10), 0, 1e-10),
    "ema(close, 20)": (lambda b: talib.EMA(b["close"], 20), 400, 1e-12),
    "rsi(close, 14)": (lambda b: talib.RSI(b["close"], 14), 0, 1e-10),
    "atr(14)": (lambda b: talib.ATR(b["high"], b["low"], b["close"], 14), 0, 1e-12),
    "macd(close, 12, 26, 9)": (lambda b: talib.MACD(b["close"], 12, 26, 9)[2] / b["close"], 600, 1e-9),
    "donchian_pos(14)": (lambda b: 1 + talib.WILLR(b["high"], b["low"], b["close"], 14) / 100, 0, 1e-9),
    "bb_z(close, 20)": (lambda b: _bands(b["close"]), 0, 1e-6),
    "log(close)": (lambda b: talib.LN(b["close"]), 0, 1e-14),
    "sqrt(volume)": (lambda b: talib.SQRT(b["volume"]), 0, 1e-14),
    "squash(close / open)": (lambda b: talib.TANH(b["close"] / b["open"]), 0, 1e-14),
}


@pytest.mark.parametrize("expression", TALIB)
def test_an_operator_agrees_with_talib_on_the_stock_market(expression: str) -> None:
    formula, settled, tolerance = TALIB[expression]
    found = evaluate(expression, real_panel())[0][settled:]
    expected = formula(sp500())[settled:]
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    scale = float(np.nanmax(np.abs(expected)))
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * scale * 1e-3)


# Operators across instruments.


def cross_section(expression: str, inside: str, oracle: Callable[[dict[int, float]], dict[int, float]]) -> None:
    """Compare an expression with an oracle over those instruments of each bar that have a value inside."""
    bars = random_panel(5, instruments=4, bars=120, holes=0.2)
    found, inputs = evaluate(expression, bars), evaluate(inside, bars)
    for t in range(120):
        values = {i: float(inputs[i, t]) for i in range(4) if bars.present[i, t] and not math.isnan(inputs[i, t])}
        expected = oracle(values) if values else {}
        for i in range(4):
            wanted = expected.get(i, NAN) if bars.present[i, t] else NAN
            assert found[i, t] == pytest.approx(wanted, rel=1e-12, abs=1e-14, nan_ok=True), (i, t)


def test_cs_rank_is_the_percentile_among_those_that_have_a_value() -> None:
    def ranked(v: dict[int, float]) -> dict[int, float]:
        return {i: (sum(w < v[i] for w in v.values()) + 1) / len(v) for i in v}

    cross_section("cs_rank(close)", "close", ranked)


def test_cs_rank_shares_ties() -> None:
    bars = panel(np.array([[1.0], [2.0], [2.0], [3.0]]))
    np.testing.assert_array_equal(evaluate("cs_rank(close)", bars)[:, 0], [0.25, 0.625, 0.625, 1.0])


def test_an_instrument_without_a_bar_takes_no_part_even_where_the_value_is_known() -> None:
    bars = panel(np.array([[1.0, 1.0], [1.0, np.nan]]), series={"mood": np.array([5.0, 5.0])})
    np.testing.assert_array_equal(evaluate('cs_rank(ext("mood"))', bars), [[0.75, 1.0], [0.75, np.nan]])


def test_cs_mean_is_given_to_every_instrument_with_a_bar() -> None:
    bars = panel(np.array([[1.0, 4.0], [3.0, np.nan]]))
    np.testing.assert_array_equal(evaluate("cs_mean(close)", bars), [[2.0, 4.0], [2.0, np.nan]])
    moved = evaluate("cs_mean(delta(close, 1))", bars)
    np.testing.assert_array_equal(moved, [[np.nan, 3.0], [np.nan, np.nan]])


def test_cs_demean_and_cs_zscore_are_of_those_that_have_a_value() -> None:
    def demeaned(v: dict[int, float]) -> dict[int, float]:
        return {i: v[i] - statistics.fmean(v.values()) for i in v}

    def standardised(v: dict[int, float]) -> dict[int, float]:
        spread = statistics.stdev(v.values()) if len(v) > 1 else 0.0
        return {i: value / spread for i, value in demeaned(v).items()} if spread > 0 else {}

    cross_section("cs_demean(ret(close, 3))", "ret(close, 3)", demeaned)
    cross_section("cs_zscore(ret(close, 3))", "ret(close, 3)", standardised)


def test_asset_is_that_of_one_instrument_where_it_has_a_bar() -> None:
    bars = panel(np.array([[1.0, 2.0, 3.0], [5.0, np.nan, 7.0], [np.nan, 8.0, 9.0]]))
    np.testing.assert_array_equal(
        evaluate('asset(close, "B")', bars), [[5.0, np.nan, 7.0], [5.0, np.nan, 7.0], [np.nan, np.nan, 7.0]]
    )


def test_xs_portfolio_is_neutral_with_a_gross_of_one() -> None:
    bars = random_panel(5, instruments=4, bars=120, holes=0.2)
    weights = evaluate("xs_portfolio(ret(close, 3))", bars)
    scores = evaluate("ret(close, 3)", bars)
    for t in range(120):
        live = ~np.isnan(scores[:, t])
        present = bars.present[:, t]
        np.testing.assert_array_equal(weights[present & ~live, t], 0.0)
        if live.sum() > 1:
            assert weights[live, t].sum() == pytest.approx(0.0, abs=1e-12)
            assert np.abs(weights[live, t]).sum() == pytest.approx(1.0)
            assert np.array_equal(np.argsort(weights[live, t]), np.argsort(scores[live, t]))
        else:
            np.testing.assert_array_equal(weights[live, t], 0.0)


def test_share_by_shares_the_position_among_those_that_hold_one() -> None:
    prices = np.array([[1.0, 1.0], [2.0, 2.0], [3.0, np.nan]])
    bars = panel(prices, volume=np.array([[1.0, 1.0], [1.0, 0.0], [2.0, 2.0]]))
    everyone = evaluate("share_by(long_only(1), volume / delay(volume, 1) * 0 + close / close)", bars)
    np.testing.assert_array_equal(everyone[:, 0], [0.0, 0.0, 0.0])  # no weight is known on the first bar
    shares = evaluate("share_by(long_only(close / close), close * volume / (close * 1) / volume * 1)", bars)
    np.testing.assert_allclose(shares, [[1 / 3, 1.0], [1 / 3, 0.0], [1 / 3, np.nan]])
    by_price = evaluate('share_by(long_short(3 - 2 * (close / asset(close, "A"))), close / asset(close, "A"))', bars)
    # Targets 1, -1, -1 with weights 1, 2, 3 of 6 in all; on bar 2 the third has gone: 1 and 2 of 3.
    np.testing.assert_allclose(by_price, [[1 / 6, 1 / 3], [-2 / 6, -2 / 3], [-3 / 6, np.nan]])


# Macros that TA-Lib does not have.


def test_vol_target_scales_to_the_wanted_volatility_and_never_above_one() -> None:
    bars = random_panel(3, instruments=1, bars=200, holes=0.0)
    volatility = evaluate("vol_forecast(close, 10)", bars)
    found = evaluate("vol_target(long_only(1), 0.3, 10)", bars)
    expected = np.where(volatility > 0, np.minimum(0.3 / volatility, 1.0), 0.0)
    np.testing.assert_allclose(found[bars.present], expected[bars.present])
    assert 0 < (found < 1).mean() < 1


def test_inv_vol_shares_one_capital_and_gives_the_calmer_more() -> None:
    bars = random_panel(3, instruments=3, bars=200, holes=0.0)
    shares, volatility = evaluate("inv_vol(long_only(1), 10)", bars), evaluate("vol_forecast(close, 10)", bars)
    settled = np.all(volatility > 0, axis=0)
    np.testing.assert_allclose(shares[:, settled].sum(axis=0), 1.0)
    np.testing.assert_allclose((shares * volatility)[:, settled] / (shares * volatility)[0, settled], 1.0)


def test_tsmom_is_the_sign_of_the_return() -> None:
    bars = panel(np.array([1.0, 2.0, 3.0, 2.0, 1.0, 1.0]))
    np.testing.assert_array_equal(evaluate("tsmom(2)", bars)[0], [np.nan, np.nan, 1.0, 0.0, -1.0, -1.0])


# Inputs.


def test_the_inputs_are_the_columns_of_the_bars() -> None:
    bars = random_panel(1)
    for name in ("open", "high", "low", "close", "volume"):
        np.testing.assert_array_equal(evaluate(name, bars), getattr(bars, name))


@pytest.mark.parametrize("hours", [1, 7, 24])
def test_the_clock_is_the_calendar_at_the_open(hours: int) -> None:
    times = START + np.arange(800) * hours * (NANOSECONDS_PER_DAY // 24)
    bars = panel(np.ones(800), times=times)
    found = {name: evaluate(f'delay(clock("{name}"), 1)', bars)[0][1:] for name in CLOCK_NAMES}
    for k, time in enumerate(times[:-1]):
        moment = dt.datetime.fromtimestamp(int(time) // 10**9, dt.UTC)
        turn = moment.day <= 3 or (moment + dt.timedelta(days=5)).month != moment.month
        end = moment + dt.timedelta(days=1)  # the panel's bars last a day, whatever lies between their opens
        midnight = end.replace(hour=0, minute=0) + dt.timedelta(days=end.hour > 0)
        left = (midnight - end).total_seconds() / 60
        expected = {"hour": moment.hour, "weekday": moment.weekday(), "month_day": moment.day, "month": moment.month}
        expected |= {"minutes_to_close": left, "is_month_turn": float(turn)}
        assert {name: found[name][k] for name in CLOCK_NAMES} == expected, moment


# What data does to operators.

WINDOWED = [
    *(f"{name}({X}, 10)" for name in ("ts_mean", "ts_sum", "ts_std", "ts_zscore", "ts_min", "ts_max", "ts_slope")),
    *(f"{name}({X}, {Y}, 10)" for name in ("ts_corr", "ts_beta")),
    *(f"{name}({Y}, {X}, 10)" for name in ("ts_beta",)),
    f"ts_rank({X}, 10)",
    f"efficiency({PX}, 10)",
    f"delta({X}, 10)",
]


@pytest.mark.parametrize("spike", [1e12, -1e12, 1e300])
@pytest.mark.parametrize("expression", WINDOWED)
def test_a_spike_is_forgotten_a_window_after_it_has_left(expression: str, spike: float) -> None:
    x, y = (list(map(float, row)) for row in np.random.default_rng(3).normal(0.0, 1.0, (2, 120)))
    clean = computed(expression, x, y)
    x[50] = spike
    found = computed(expression, x, y)
    gone = 50 + 11 + 10  # the window of w + 1 values that efficiency looks at, and one more of w
    np.testing.assert_array_equal(found[:50], clean[:50])
    np.testing.assert_allclose(found[gone:], clean[gone:], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["ema", "rma", "ewm_std"])
def test_a_value_too_large_to_square_is_skipped_by_a_recursion_or_fades(name: str) -> None:
    x = [1.0] * 400
    x[50] = 1e200
    found = computed(f"{name}({X}, 3)", x, x)
    assert np.isfinite(found[51:]).all()
    assert found[-1] == pytest.approx(1.0) if name == "ewm_std" else found[-1] < 1e150


@pytest.mark.parametrize("window", [3, 20])
def test_an_unmoved_price_has_no_efficiency_at_any_price(window: int) -> None:
    for price in (1e-9, 1.0, 60_000.0, 1e9):
        rng = np.random.default_rng(0)
        moving = price * (1 + np.cumsum(rng.normal(0.0, 0.01, 57)))
        close = np.concatenate([moving, np.full(60, moving[-1])])
        found = evaluate(f"efficiency(close, {window})", panel(close))[0]
        assert np.isfinite(found[window:57]).all(), price
        assert np.isnan(found[57 + window :]).all(), price


def test_zero_volume_is_a_value_and_unknown_volume_is_missing() -> None:
    bars = panel(np.ones(6), volume=np.array([2.0, 0.0, 4.0, np.nan, 6.0, 8.0]))
    np.testing.assert_array_equal(evaluate("ts_mean(volume, 2)", bars)[0], [np.nan, 1.0, 2.0, np.nan, np.nan, 7.0])
    np.testing.assert_array_equal(evaluate("close / volume", bars)[0], [0.5, np.nan, 0.25, np.nan, 1 / 6, 0.125])


def test_no_operator_yields_an_infinity() -> None:
    for expression in (f"{X} * {X}", f"{X} + {X}", f"{X} / 0.000001", f"ts_sum({X}, 3)", f"ewm_std({X}, 3)"):
        found = computed(expression, [1e308, 1e308, 1e308, 1.0], [0.0] * 4)
        assert not np.isinf(found).any(), expression


def test_rolling_values_stay_true_over_a_long_history() -> None:
    close = real_panel().close[0]
    for expression, formula in (("ts_mean(close, 7)", np.mean), ("ts_std(close, 7)", lambda v: np.std(v, ddof=1))):
        found = evaluate(expression, real_panel())[0]
        expected = [formula(close[t - 6 : t + 1]) for t in range(6, close.size)]
        np.testing.assert_allclose(found[6:], expected, rtol=1e-11)
