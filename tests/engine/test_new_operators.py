"""Statistics, filters and powers against a second computation, written from the formulas and not from the steps."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import talib

from clawd.engine.steps import STEPS
from engine.panels import evaluate, panel, random_panel, real_panel
from engine.test_operators import (
    ALONG,
    HISTORIES,
    Oracle,
    Series,
    assert_same,
    both,
    computed,
    cross_section,
    each,
    held,
    missing,
    paired,
    sums,
    windowed,
)

NAN = math.nan
X, Y = 'ext("x")', 'ext("y")'
PX, PY = f"(close * {X})", f"(close * {Y})"  # the close is 1 here: x and y as prices
LONGEST_HALF_LIFE = 1_000.0
START_OF_REGRESSION = 1e4  # the variance of intercept and slope, in units of the noise's


# Oracles.


def power(x: float, y: float) -> float:
    base, exponent = held(x, 0.0, 1e6), held(y, -10.0, 10.0)
    if base == 0.0 and exponent < 0.0:
        return NAN
    return math.pow(base, exponent)


def waiting(x: Series, y: Series) -> Series:
    """Bars since x was last above 0."""
    last = -math.inf
    result = []
    for t, value in enumerate(x):
        last = t if value > 0 else last
        result.append(min(1_000.0, t - last))
    return result


def age_of(extreme: Callable[[Series], float]) -> Callable[[Series], float]:
    def age(window: Series) -> float:
        ages = [k for k, value in enumerate(reversed(window)) if value == extreme(window)]
        return ages[0] / (len(window) - 1)

    return age


def deviations(window: Series) -> list[float]:
    mean = sum(map(Fraction, window)) / len(window)
    return [float(Fraction(value) - mean) for value in window]


def moment(window: Series, power: int) -> float:
    return math.fsum(value**power for value in deviations(window)) / len(window)


def skewness(window: Series) -> float:
    """G1 of Joanes and Gill (1998)."""
    n, second = len(window), moment(window, 2)
    return math.sqrt(n * (n - 1)) / (n - 2) * moment(window, 3) / second**1.5 if second > 0 else NAN


def kurtosis(window: Series) -> float:
    """G2 of Joanes and Gill (1998)."""
    n, second = len(window), moment(window, 2)
    if second == 0:
        return NAN
    excess = moment(window, 4) / second**2 - 3
    return (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * excess + 6)


def line(a: Series, b: Series) -> tuple[float, float]:
    """Intercept and slope of the least-squares line of a on b, from a centred design matrix."""
    centred = np.array(deviations(b))
    design = np.column_stack([np.ones(len(b)), centred / np.abs(centred).max()])
    level, slope = np.linalg.lstsq(design, np.array(deviations(a)), rcond=None)[0]
    return float(level), float(slope) / float(np.abs(centred).max())


def residual(a: Series, b: Series) -> float:
    if len(set(b)) == 1:
        return NAN
    level, slope = line(a, b)
    return deviations(a)[-1] - level - slope * deviations(b)[-1]


def straightness(window: Series) -> float:
    if len(set(window)) == 1:
        return NAN
    times = [float(k) for k in range(len(window))]
    level, slope = line(window, times)
    left = [d - level - slope * k for d, k in zip(deviations(window), deviations(times), strict=True)]
    return 1 - math.fsum(r * r for r in left) / math.fsum(d * d for d in deviations(window))


def falling(window: Series) -> float:
    weights = range(1, len(window) + 1)
    return math.fsum(w * value for w, value in zip(weights, window, strict=True)) / sum(weights)


def half_life(window: Series) -> float:
    """Of w + 1 values: the slope of each on the one before."""
    before, after = window[:-1], window[1:]
    if len(set(before)) == 1:
        return NAN
    squares, _, products = sums(before, after)
    phi = products / squares
    if phi <= 0:
        return 0.0
    return min(LONGEST_HALF_LIFE, -math.log(2) / math.log(phi)) if phi < 1 else LONGEST_HALF_LIFE


def fractional(order: float) -> Callable[[Series], float]:
    """(1 - B)^order of log prices by the binomial series, cut off after the window."""

    def difference(window: Series) -> float:
        if min(window) <= 0:
            return NAN
        terms, binomial = [], Fraction(1)
        for k, price in enumerate(reversed(window)):
            terms.append((-1) ** k * float(binomial) * math.log(price))
            binomial *= (Fraction(order) - k) / (k + 1)
        return math.fsum(terms)

    return difference


def adaptive(w: int) -> Oracle:
    """Kaufman's mean begun as TA-Lib does, at the value of the bar before; a still window counts as a straight move."""

    def oracle(x: Series, y: Series) -> Series:
        result, mean = [], NAN
        for t in range(len(x)):
            window = x[t - w : t + 1] if t >= w else [NAN]
            if missing(*window):
                result.append(NAN)
                continue
            path = math.fsum(abs(after - before) for before, after in pairwise(window))
            ratio = abs(window[-1] - window[0]) / path if path > 0 else 1.0
            constant = (ratio * (2 / 3 - 2 / 31) + 2 / 31) ** 2
            mean = x[t - 1] if math.isnan(mean) else mean
            mean += constant * (x[t] - mean)
            result.append(mean)
        return result

    return oracle


def filtered(k: float) -> Oracle:
    """The local level model: state variance k, observation variance 1, begun at the first value with variance 1."""

    def oracle(x: Series, y: Series) -> Series:
        result, level, variance = [], NAN, 1.0
        for value in x:
            if math.isnan(value):
                result.append(NAN)
                continue
            if math.isnan(level):
                level = value
            else:
                predicted = variance + k
                gain = predicted / (predicted + 1.0)
                level, variance = level + gain * (value - level), (1 - gain) * predicted
            result.append(level)
        return result

    return oracle


def regression(k: float, start: float) -> Oracle:
    """The Kalman filter in matrices: log x on log y, both since their first bar, of coefficients that walk."""

    def oracle(x: Series, y: Series) -> Series:
        result: Series = []
        state, covariance, first = np.array([0.0, 1.0]), start * np.eye(2), None
        for a, b in zip(x, y, strict=True):
            if not (a > 0 and b > 0):
                result.append(NAN)
                continue
            first = first or (a, b)
            seen = np.array([1.0, math.log(b / first[1])])
            covariance = covariance + k * np.eye(2)
            innovation = math.log(a / first[0]) - seen @ state
            gain = covariance @ seen / (seen @ covariance @ seen + 1.0)
            state = state + gain * innovation
            # Joseph's form, which stays symmetric.
            keep = np.eye(2) - np.outer(gain, seen)
            covariance = keep @ covariance @ keep.T + np.outer(gain, gain)
            result.append(float(state[1]))
        return result

    return oracle


def cumulative(k: float) -> Oracle:
    def oracle(x: Series, y: Series) -> Series:
        result, up, down = [], 0.0, 0.0
        for value in x:
            if math.isnan(value):
                result.append(NAN)
                continue
            up, down = max(0.0, up + value - k), max(0.0, down - value - k)
            result.append(up - down)
        return result

    return oracle


def kelly(x: Series, y: Series) -> Series:
    """Half of the Kelly bet: x is the side, y the expected return, and 0.1 + |y| / 2 the deviation."""
    result = []
    for side, mean in zip(x, y, strict=True):
        if missing(side, mean):
            result.append(0.0)
            continue
        wanted = held(side, -1.0, 1.0)
        share = 0.5 * mean * np.sign(wanted) / (0.1 + abs(mean) / 2) ** 2
        result.append(wanted * held(share, 0.0, 1.0))
    return result


def quantile(q: float) -> Callable[[Series], float]:
    return lambda window: float(np.quantile(window, q))


NEW: dict[str, dict[str, Oracle]] = {
    "signed_pow": {
        f"signed_pow({X}, {k})": each(lambda a, _, k=k: math.copysign(abs(a) ** k, a)) for k in (0.5, 1, 2, 3, 4, 5)
    },
    "pow": {
        f"pow({X}, {Y})": both(power),
        f"pow(abs({X}), {Y} / 3)": both(lambda a, b: power(abs(a), b / 3)),
        f"pow(abs({X}), -8 * {Y})": both(lambda a, b: power(abs(a), -8 * b)),
    },
    "as_num": {f"as_num({PX})": each(lambda a, _: a)},
    "bars_since": {
        f"bars_since({X} > 0)": waiting,
        f"bars_since({X} > 1.5)": lambda x, y: waiting([a - 1.5 for a in x], y),
    },
    "ts_argmin": {f"ts_argmin({X}, {w})": windowed(w, age_of(min)) for w in (2, 5, 20)},
    "ts_argmax": {f"ts_argmax({X}, {w})": windowed(w, age_of(max)) for w in (2, 5, 20)},
    "ts_quantile": {
        f"ts_quantile({X}, {w}, {q})": windowed(w, quantile(q))
        for w, q in ((1, 0.3), (2, 0.25), (5, 0.5), (20, 0.9), (20, 0.05), (7, 0), (7, 1))
    },
    "ts_skew": {f"ts_skew({X}, {w})": windowed(w, skewness) for w in (3, 5, 20)},
    "ts_kurt": {f"ts_kurt({X}, {w})": windowed(w, kurtosis) for w in (4, 5, 20)},
    "ts_prod": {f"ts_prod({X}, {w})": windowed(w, math.prod) for w in (1, 2, 5, 20)},
    "ts_cov": {f"ts_cov({X}, {Y}, {w})": paired(w, lambda a, b: sums(a, b)[2] / (len(a) - 1)) for w in (2, 5, 20)},
    "ts_resid": {f"ts_resid({X}, {Y}, {w})": paired(w, residual) for w in (3, 5, 20)},
    "ts_r2": {f"ts_r2({X}, {w})": windowed(w, straightness) for w in (3, 5, 20)},
    "decay_linear": {f"decay_linear({X}, {w})": windowed(w, falling) for w in (1, 2, 5, 20)},
    "ts_mad": {
        f"ts_mad({X}, {w})": windowed(w, lambda v: math.fsum(map(abs, deviations(v))) / len(v)) for w in (2, 5, 20)
    },
    "kama": {f"kama({PX}, {w})": adaptive(w) for w in (2, 5, 10)},
    "kalman_level": {f"kalman_level({X}, {k})": filtered(k) for k in (1e-4, 0.05, 1.0, 50.0)},
    "kalman_beta": {f"kalman_beta({PX}, {PY}, {k})": regression(k, START_OF_REGRESSION) for k in (1e-4, 0.01, 1.0)},
    # A half-life below 0.05 bars is that of a slope below a millionth, where nothing and rounding are not told apart.
    "ou_halflife": {
        f"max2(ou_halflife({X}, {w}), 0.05)": windowed(w + 1, lambda v: max(half_life(v), 0.05)) for w in (3, 5, 20)
    },
    "frac_diff": {
        f"frac_diff({PX}, {k}, {w})": windowed(w, fractional(k)) for k, w in ((0.4, 5), (0.4, 20), (1, 5), (1.7, 20))
    },
    "cusum": {f"cusum({X}, {k})": cumulative(k) for k in (0, 0.5)},
    "kelly": {f"kelly(long_short({X}), {Y}, 0.1 + abs({Y}) / 2, 0.5)": kelly},
}
ACROSS = {"cs_scale", "cs_winsor", "cs_group_demean", "cs_resid", "cs_top", "spread_position"}
CASES = [
    pytest.param(expression, oracle, id=expression.replace(X, "x").replace(Y, "y"))
    for expressions in NEW.values()
    for expression, oracle in expressions.items()
]


@pytest.mark.parametrize(("expression", "oracle"), CASES)
def test_a_new_operator_computes_its_meaning(expression: str, oracle: Oracle) -> None:
    for name, (x, y) in HISTORIES.items():
        expected = oracle(x, y)
        scale = float(np.nanmax(np.abs(expected), initial=0.0))
        try:
            assert_same(computed(expression, x, y), expected, max(scale, 1e-12))
        except AssertionError as error:
            raise AssertionError(f"on {name}: {error}") from None


def test_every_operator_has_a_second_computation_here_or_there() -> None:
    there = {"cs_rank", "cs_zscore", "cs_demean", "cs_mean", "asset", "xs_portfolio", "share_by"}
    assert set(ALONG) | set(NEW) | ACROSS | there == set(STEPS)
    assert all(NEW.values())


# TA-Lib, on the whole of the S&P 500.


#: Expression: TA-Lib's computation of the same from the close and the volume, and how exactly they agree.
TALIB: dict[str, tuple[Callable[[np.ndarray, np.ndarray], np.ndarray], float]] = {
    "kama(close, 10)": (lambda close, _: talib.KAMA(close, 10), 1e-10),
    "kama(close, 30)": (lambda close, _: talib.KAMA(close, 30), 1e-10),
    "decay_linear(close, 20)": (lambda close, _: talib.WMA(close, 20), 1e-10),
    "ts_r2(close, 30)": (lambda close, _: talib.CORREL(close, np.arange(1.0, close.size + 1), 30) ** 2, 1e-5),
    "ts_quantile(close, 21, 0)": (lambda close, _: talib.MIN(close, 21), 0.0),
    "ts_argmax(close * volume, 20) * 19": (lambda close, volume: ages(talib.MAXINDEX(close * volume, 20), 19), 1e-12),
    "ts_argmin(close * volume, 20) * 19": (lambda close, volume: ages(talib.MININDEX(close * volume, 20), 19), 1e-12),
    "ts_resid(close, volume, 20)": (lambda close, volume: line_of(close, volume, 20), 1e-5),
}


def ages(places: np.ndarray, settled: int) -> np.ndarray:
    bars = np.arange(places.size)
    return np.where(bars < settled, np.nan, bars - places)


def line_of(close: np.ndarray, volume: np.ndarray, w: int) -> np.ndarray:
    """The residual of a regression from means, deviations and the correlation."""
    slope = talib.CORREL(close, volume, w) * talib.STDDEV(close, w) / talib.STDDEV(volume, w)
    return close - talib.SMA(close, w) - slope * (volume - talib.SMA(volume, w))


@pytest.mark.parametrize("expression", TALIB)
def test_a_new_operator_agrees_with_talib_on_the_stock_market(expression: str) -> None:
    formula, tolerance = TALIB[expression]
    found = evaluate(expression, real_panel())[0]
    expected = formula(real_panel().close[0], real_panel().volume[0])
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * float(np.nanmax(np.abs(expected))))


# Operators across instruments.


def test_cs_scale_makes_sizes_add_up_to_one() -> None:
    def scaled(v: dict[int, float]) -> dict[int, float]:
        gross = math.fsum(map(abs, v.values()))
        return {i: value / gross for i, value in v.items()} if gross > 0 else {}

    cross_section("cs_scale(ret(close, 3))", "ret(close, 3)", scaled)


@pytest.mark.parametrize("q", [0.05, 0.25, 0.4, 0.9])
def test_cs_winsor_holds_between_quantiles(q: float) -> None:
    def winsorised(v: dict[int, float]) -> dict[int, float]:
        low, high = sorted(float(np.quantile(list(v.values()), share)) for share in (q, 1 - q))
        return {i: held(value, low, high) for i, value in v.items()}

    cross_section(f"cs_winsor(ret(close, 3), {q})", "ret(close, 3)", winsorised)


def test_cs_group_demean_takes_away_the_mean_of_the_group() -> None:
    bars = replace(random_panel(5, instruments=6, bars=120, holes=0.2), groups={"kind": np.array([0, 1, 0, -1, 1, -1])})
    found, inputs = evaluate('cs_group_demean(ret(close, 3), "kind")', bars), evaluate("ret(close, 3)", bars)
    for members in ([0, 2], [1, 4], [3, 5]):  # those without a group are one
        for t in range(120):
            known = [float(inputs[i, t]) for i in members if not math.isnan(inputs[i, t])]
            for i in members:
                wanted = inputs[i, t] - math.fsum(known) / len(known) if known else NAN
                assert found[i, t] == pytest.approx(wanted, rel=1e-12, abs=1e-15, nan_ok=True), (i, t)


def test_cs_resid_is_what_a_line_through_the_instruments_leaves() -> None:
    bars = random_panel(5, instruments=6, bars=200, holes=0.2)
    x, y = evaluate("ret(close, 3)", bars), evaluate("ret(close, 8)", bars)
    found = evaluate("cs_resid(ret(close, 3), ret(close, 8))", bars)
    for t in range(200):
        both_known = ~np.isnan(x[:, t]) & ~np.isnan(y[:, t])
        assert np.isnan(found[~both_known, t]).all()
        if both_known.sum() >= 2:
            design = np.column_stack([np.ones(both_known.sum()), y[both_known, t]])
            fitted = design @ np.linalg.lstsq(design, x[both_known, t], rcond=None)[0]
            np.testing.assert_allclose(found[both_known, t], x[both_known, t] - fitted, atol=1e-13)
        else:
            assert np.isnan(found[:, t]).all()


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5, 0.75, 1])
def test_cs_top_is_true_for_the_top_share(share: float) -> None:
    def top(v: dict[int, float]) -> dict[int, float]:
        return {i: float(sum(w > value for w in v.values()) < share * len(v)) for i, value in v.items()}

    bars = random_panel(5, instruments=4, bars=120, holes=0.2)
    found, inputs = evaluate(f"where(cs_top(ret(close, 3), {share}), 1, 0)", bars), evaluate("ret(close, 3)", bars)
    for t in range(120):
        values = {i: float(inputs[i, t]) for i in range(4) if not math.isnan(inputs[i, t])}
        expected = dict.fromkeys(range(4), 0.0) | top(values)
        for i in range(4):
            assert math.isnan(found[i, t]) if not bars.present[i, t] else found[i, t] == expected[i], (i, t)


def test_cs_top_takes_equals_together() -> None:
    bars = panel(np.array([[1.0], [2.0], [2.0], [3.0]]))
    score = 'close / asset(close, "A")'
    for share, wanted in ((0.25, [0, 0, 0, 1]), (0.5, [0, 1, 1, 1]), (0.75, [0, 1, 1, 1]), (0.76, [1, 1, 1, 1])):
        found = evaluate(f"where(cs_top({score}, {share}), 1, 0)", bars)[:, 0]
        np.testing.assert_array_equal(found, wanted)


def test_spread_position_is_neutral_by_the_hedge_ratio_and_flat_elsewhere() -> None:
    bars = random_panel(5, instruments=3, bars=150, holes=0.2)
    side, ratio = "long_short(20 * ret(close, 2))", "1 + 10 * ret(close, 4)"
    found = evaluate(f'spread_position({side}, {ratio}, "B", "A")', bars)
    wanted, hedge = evaluate(side, bars), evaluate(ratio, bars)
    for t in range(150):
        a, b, other = found[1, t], found[0, t], found[2, t]
        if bars.present[2, t]:
            assert other == 0
        if not (bars.present[0, t] and bars.present[1, t]) or math.isnan(hedge[1, t]):
            assert a == 0 or not bars.present[1, t]
            assert b == 0 or not bars.present[0, t]
            continue
        assert abs(a) + abs(b) == pytest.approx(abs(wanted[1, t]))
        assert b == pytest.approx(-hedge[1, t] * a)
        assert a * wanted[1, t] >= 0


# Inputs.


def test_vwap_is_the_typical_price_where_a_bar_has_none() -> None:
    bars = random_panel(1)
    typical = (bars.high + bars.low + bars.close) / 3
    np.testing.assert_allclose(evaluate("vwap", bars), typical, rtol=1e-15)
    known = np.where(bars.present & (np.arange(bars.times.size) % 3 == 0), bars.low, np.nan)
    mixed = evaluate("vwap", replace(bars, vwap=known))
    np.testing.assert_allclose(mixed, np.where(np.isnan(known), typical, known), rtol=1e-15)


@pytest.mark.parametrize(("word", "kind"), [("ext", ""), ("book", "book:"), ("deriv", "deriv:"), ("model", "model:")])
def test_a_series_is_that_of_its_kind_for_the_market_or_for_each_instrument(word: str, kind: str) -> None:
    bars = random_panel(1, instruments=2, bars=50)
    rng = np.random.default_rng(2)
    common, own = rng.normal(0, 1, 50), rng.normal(0, 1, (2, 50))
    own[0, :5] = np.nan
    names = {f"{other}{name}": np.zeros(50) for other in ("", "book:", "deriv:", "model:") for name in ("c", "o")}
    series = {**names, f"{kind}c": common, f"{kind}o": own}
    bars = replace(bars, series=series)
    np.testing.assert_array_equal(evaluate(f'{word}("c")', bars), np.where(bars.present, common, np.nan))
    np.testing.assert_array_equal(evaluate(f'{word}("o")', bars), np.where(bars.present, own, np.nan))
