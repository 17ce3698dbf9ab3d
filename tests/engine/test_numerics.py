"""Windows that slide for ever keep their digits: against exact sums, on series made to lose them.

Every float is a whole number times a power of two, so a window is summed exactly in whole numbers. An error is allowed
in proportion to the unit of rounding, the length of the window, and the window's own scale: not that of a spike which
has left it, but for the part in 10^7 at which a window is rebuilt.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from clawd.engine.steps.sums import LIVES, LOST, LOST_SUM
from engine.panels import evaluate, evaluate_nodes, panel, program

UNIT = 2.0**-53
BARS, LONG = 100_000, 1_000_000
WINDOWS = (5, 20, 250)


def offset(rng: np.random.Generator, bars: int) -> np.ndarray:
    return 1e9 + rng.normal(0.0, 1e-3, bars)


def spikes(rng: np.random.Generator, bars: int) -> np.ndarray:
    values = rng.normal(1.0, 1e-3, bars)
    values[rng.random(bars) < 1.0 / 600] = 1e12
    return values


def walk(rng: np.random.Generator, bars: int) -> np.ndarray:
    return 1e4 + np.cumsum(rng.normal(0.0, 1.0, bars))


def scales(rng: np.random.Generator, bars: int) -> np.ndarray:
    scale = np.repeat(10.0 ** rng.integers(-6, 7, bars // 100 + 1), 100)[:bars]
    return scale * (1.0 + rng.random(bars))


def flats(rng: np.random.Generator, bars: int) -> np.ndarray:
    lengths = rng.integers(1, 700, bars)
    return np.repeat(100.0 * np.exp(rng.normal(0.0, 0.1, bars)), lengths)[:bars]


def signs(rng: np.random.Generator, bars: int) -> np.ndarray:
    """Steps up and down that often add up to nothing, and now and then a large one."""
    return rng.choice([-1.0, 1.0, -1.0, 1.0, -1e6, 1e6], bars, p=[0.249, 0.249, 0.249, 0.249, 0.002, 0.002])


SERIES: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    each.__name__: each for each in (offset, spikes, walk, scales, flats, signs)
}


@cache
def pair(name: str, bars: int) -> tuple[np.ndarray, np.ndarray]:
    """A series, and another like it that is related to it."""
    rng = np.random.default_rng(sorted(SERIES).index(name))
    x = SERIES[name](rng, bars)
    y = SERIES[name](rng, bars)
    if name in ("walk", "offset"):
        y = 0.5 * x + 0.5 * y
    return x, y


class Exact:
    """A window of two series in whole numbers, each times one power of two.

    Args:
        x, y: w values each, the last of them the newest.
    """

    def __init__(self, x: Sequence[float], y: Sequence[float]) -> None:
        self.w = len(x)
        self.x, self.unit_x = _whole(x)
        self.y, self.unit_y = _whole(y)
        # Deviations from the mean, times w.
        self.dx = [self.w * value - sum(self.x) for value in self.x]
        self.dy = [self.w * value - sum(self.y) for value in self.y]

    @property
    def deviations(self) -> tuple[tuple[list[int], Fraction], tuple[list[int], Fraction]]:
        return (self.dx, self.unit_x), (self.dy, self.unit_y)

    def _moment(self, power: int) -> int:
        return sum(d**power for d in self.dx)

    def mean(self) -> float:
        return float(Fraction(sum(self.x), self.w) * self.unit_x)

    def total(self) -> float:
        return float(sum(self.x) * self.unit_x)

    def std(self) -> float:
        return math.sqrt(Fraction(self._moment(2), self.w**2 * (self.w - 1)) * self.unit_x**2)

    def zscore(self) -> float:
        square = Fraction(self.dx[-1] ** 2 * (self.w - 1), self._moment(2)) if self._moment(2) else math.nan
        return math.copysign(math.sqrt(square), self.dx[-1])

    def _products(self) -> int:
        return sum(a * b for a, b in zip(self.dx, self.dy, strict=True))

    def cov(self) -> float:
        return float(Fraction(self._products(), self.w**2 * (self.w - 1)) * self.unit_x * self.unit_y)

    def corr(self) -> float:
        both = self._moment(2) * sum(d * d for d in self.dy)
        return math.copysign(math.sqrt(Fraction(self._products() ** 2, both)), self._products()) if both else math.nan

    def beta(self) -> float:
        square = sum(d * d for d in self.dy)
        return float(Fraction(self._products(), square) * self.unit_x / self.unit_y) if square else math.nan

    def _trend(self) -> int:
        return sum((2 * k - self.w + 1) * d for k, d in enumerate(self.dx))  # times 2 w

    def slope(self) -> float:
        return float(Fraction(6 * self._trend(), self.w**2 * (self.w**2 - 1)) * self.unit_x)

    def r2(self) -> float:
        square = self._moment(2) * self.w * (self.w**2 - 1)
        return float(Fraction(3 * self._trend() ** 2, square)) if square else math.nan

    def skew(self) -> float:
        w, second = self.w, self._moment(2)
        return self._moment(3) / second**1.5 * w * math.sqrt(w - 1.0) / (w - 2.0) if second else math.nan

    def kurt(self) -> float:
        w, second = self.w, self._moment(2)
        if not second:
            return math.nan
        whole = Fraction(w * (w + 1) * (w - 1) * self._moment(4), (w - 2) * (w - 3) * second**2)
        return float(whole - Fraction(3 * (w - 1) ** 2, (w - 2) * (w - 3)))

    def decay(self) -> float:
        weighted = sum(k * value for k, value in enumerate(self.x, 1))
        return float(Fraction(2 * weighted, self.w * (self.w + 1)) * self.unit_x)

    def path(self) -> Fraction:
        return sum(abs(b - a) for a, b in pairwise(self.x)) * self.unit_x


def _whole(values: Sequence[float]) -> tuple[list[int], Fraction]:
    parts = [float(value).as_integer_ratio() for value in values]
    divisor = max(below for _, below in parts)  # powers of two: the largest is a multiple of all
    return [above * (divisor // below) for above, below in parts], Fraction(1, divisor)


def allowed(exact: Exact, x: np.ndarray, y: np.ndarray, found: dict[str, float]) -> dict[str, float]:
    """How far each figure of a window may be off: sums over at most LIVES w slides, each rounded a few times.

    Args:
        exact: the window.
        x, y: the (LIVES + 1) w + 1 values up to its end: what the sums may remember since they were rebuilt.
        found: the exact figures.
    """
    w = exact.w
    some = 8 * UNIT * LIVES  # the roundings of one slide, of as many slides as a window has bars at each of its lives
    large, memory = np.abs(x[-w:]).max(), np.abs(x).max()
    squares = [float(sum(d * d for d in each) * unit**2) / w**2 for each, unit in exact.deviations]
    relative = [1.0, 1.0]
    for index, values in enumerate((x, y)):
        if squares[index]:
            # Means above the centre are off by w roundings of the range, and squares by the same at each slide. What
            # was more than 1 / LOST of what is left has been given up.
            remembered = min(np.ptp(values) ** 2 / squares[index], 1.0 / LOST)
            relative[index] = some * w * (4.0 + w * remembered)
    both = relative[0] + relative[1]
    root = math.sqrt(squares[0])
    reach = min(np.ptp(x), 1e3 * root) / root if root else 0.0  # of a value that a line remembers, in deviations
    near = max(1.0, min(np.ptp(x) / root, 10.0)) if root else 0.0  # the same for powers
    plain = some * w * (w * large + min(w * memory, abs(found["ts_sum"]) / LOST_SUM))
    return {
        "ts_sum": plain,
        "ts_mean": plain / w,
        "decay_linear": some * w * (large + min(memory, abs(found["decay_linear"]) / LOST_SUM)),
        "ts_std": found["ts_std"] * relative[0],
        "ts_zscore": math.sqrt(w) * (relative[0] + some * w * min(np.ptp(x) / root, LOST**-0.5)) if root else 0.0,
        "ts_cov": both * math.sqrt(squares[0] * squares[1]) / (w - 1),
        "ts_corr": both,
        "ts_beta": both * root / math.sqrt(squares[1]) if squares[1] else 0.0,
        "ts_slope": 12 * some * reach * root,
        "ts_r2": some * (20.0 * w**1.5 * reach + w * w * max(1.0, reach) ** 2),
        "ts_skew": some * w**2.5 * near**3,
        "ts_kurt": some * w**3 * near**4,
    }


EXACT: dict[str, Callable[[Exact], float]] = {
    "ts_sum": Exact.total,
    "ts_mean": Exact.mean,
    "decay_linear": Exact.decay,
    "ts_std": Exact.std,
    "ts_zscore": Exact.zscore,
    "ts_cov": Exact.cov,
    "ts_corr": Exact.corr,
    "ts_beta": Exact.beta,
    "ts_slope": Exact.slope,
    "ts_r2": Exact.r2,
    "ts_skew": Exact.skew,
    "ts_kurt": Exact.kurt,
}
PAIRED = ("ts_cov", "ts_corr", "ts_beta")


def ends(x: np.ndarray, w: int) -> list[int]:
    """The windows to look at: the last ones, those that the largest jumps have just left, and some anywhere."""
    rng = np.random.default_rng(w)
    jumps = np.argsort(np.abs(np.diff(x)))[-400:]
    left = [int(jump) + w + after for jump in rng.choice(jumps, 15) for after in (0, 1, 2, 9)]
    oldest = (LIVES + 2) * w
    anywhere = rng.integers(oldest, x.size, 25)
    chosen = {*range(x.size - 25, x.size), *left, *(int(end) for end in anywhere)}
    return sorted(end for end in chosen if oldest <= end < x.size)


lengths = pytest.mark.parametrize("bars", [BARS, pytest.param(LONG, marks=pytest.mark.long)])


@lengths
@pytest.mark.parametrize("w", WINDOWS)
@pytest.mark.parametrize("name", SERIES)
def test_a_window_has_its_digits_after_any_number_of_bars(name: str, w: int, bars: int) -> None:
    """A million bars: `pytest -m long tests/engine/test_numerics.py`."""
    x, y = pair(name, bars)
    inputs = {each: """ext("x"), ext("y")""" if each in PAIRED else """ext("x")""" for each in EXACT}
    programs = [f"{each}({inputs[each]}, {w})" for each in EXACT]
    market = panel(np.ones(bars), series={"x": x, "y": y})
    values = evaluate_nodes([program(text) for text in programs], market)[:, 0]
    for end in ends(x, w):
        here = slice(end - w + 1, end + 1)
        exact = Exact(x[here].tolist(), y[here].tolist())
        wanted = {each: figure(exact) for each, figure in EXACT.items()}
        before = slice(end - (LIVES + 1) * w, end + 1)
        limits = allowed(exact, x[before], y[before], wanted)
        for row, each in enumerate(EXACT):
            found, right = values[row, end], wanted[each]
            assert math.isnan(found) == math.isnan(right), (each, end, found, right)
            assert math.isnan(right) or abs(found - right) <= limits[each], (each, end, found, right, limits[each])


@lengths
@pytest.mark.parametrize("w", WINDOWS)
@pytest.mark.parametrize("name", SERIES)
def test_the_way_that_prices_went_has_its_digits(name: str, w: int, bars: int) -> None:
    x, _ = pair(name, bars)
    found = evaluate(f'efficiency(close * ext("x"), {w})', panel(np.ones(bars), series={"x": x}))[0]
    for end in ends(x, w):
        way = Exact(x[end - w : end + 1].tolist(), [0.0]).path()
        if way == 0:
            assert math.isnan(found[end])
            continue
        right = float(abs(Fraction(x[end]) - Fraction(x[end - w])) / way)
        remembered = min(np.abs(np.diff(x[end - (LIVES + 1) * w - 1 : end + 1])).sum() / float(way), 1.0 / LOST)
        assert abs(found[end] - right) <= 8 * UNIT * LIVES * w * (1.0 + remembered) * right, end


@lengths
@pytest.mark.parametrize("w", WINDOWS)
@pytest.mark.parametrize("name", SERIES)
def test_an_exponential_mean_has_its_digits(name: str, w: int, bars: int) -> None:
    """Each bar rounds by a few units of what was there, and forgets as the mean itself forgets."""
    x, _ = pair(name, bars)
    found = evaluate(f'ema(ext("x"), {w})', panel(np.ones(bars), series={"x": x}))[0]
    alpha, length = 2.0 / (w + 1.0), 40 * w
    weights = alpha * (1.0 - alpha) ** np.arange(length)
    weights[-1] /= alpha  # what is older is worth no more than 1e-34 of what is here
    for end in ends(x, w):
        if end < length:
            continue
        past = x[end - length + 1 : end + 1][::-1]
        right = math.fsum(weights * past)
        assert abs(found[end] - right) <= 8 * UNIT * w * np.abs(past).max(), end


def kaufman(x: np.ndarray, w: int) -> list[float]:
    """The adaptive mean with every way added up anew."""
    level, result = x[w - 1], []
    for end in range(w, x.size):
        way = math.fsum(abs(b - a) for a, b in pairwise(x[end - w : end + 1].tolist()))
        net = abs(x[end] - x[end - w])
        speed = (net / way if way > net else 1.0) * (2.0 / 3.0 - 2.0 / 31.0) + 2.0 / 31.0
        level += speed * speed * (x[end] - level)
        result.append(level)
    return result


@pytest.mark.parametrize("w", (5, 20))
def test_an_adaptive_mean_keeps_its_way_after_a_spike(w: int) -> None:
    rng = np.random.default_rng(3)
    x = 100.0 + rng.normal(0.0, 0.01, 400)
    x[50] = 1e12
    x[200:260] = x[200]
    found = evaluate(f"kama(close, {w})", panel(x))[0, w:]
    np.testing.assert_allclose(found, kaufman(x, w), rtol=1e-9)


HUGE = (
    "ts_mean",
    "ts_sum",
    "ts_std",
    "ts_zscore",
    "ts_skew",
    "ts_kurt",
    "ts_slope",
    "ts_r2",
    "decay_linear",
    "efficiency",
)


@pytest.mark.parametrize("size", (1e150, 1e200, 1e308))
@pytest.mark.parametrize(
    "text", [*(f"{name}(close, 7)" for name in HUGE), *(f"{name}(close, volume, 7)" for name in PAIRED)]
)
def test_a_window_that_overflows_is_missing_and_forgets_it(text: str, size: float) -> None:
    """A figure of a window with huge values is right or missing, and that of the next window without them is right."""
    rng = np.random.default_rng(5)
    close, volume = 100.0 + rng.random(80), 1.0 + rng.random(80)
    clean = evaluate(text, panel(close, volume=volume))[0]
    close[30:33] *= size / 100.0 * np.array([1.0, 0.5, 1.0])
    found = evaluate(text, panel(close, volume=volume))[0]
    np.testing.assert_allclose(found[41:], clean[41:], rtol=1e-9)
    # Scaled down by a power of two, nothing overflows; figures without a unit stay what they are.
    small = evaluate(text, panel(close * 2.0**-980 if size > 1e200 else close * 2.0**-600, volume=volume))[0]
    for end in range(30, 39):
        if not math.isnan(found[end]) and text.startswith(("ts_zscore", "ts_skew", "ts_kurt", "ts_r2", "ts_corr")):
            assert found[end] == pytest.approx(small[end], rel=1e-6, abs=1e-9), end


@pytest.mark.parametrize("text", ["rma(close, 5)", "ema(close - open, 5)", "kalman_level(close - open, 0.5)", "atr(5)"])
def test_a_smoothed_value_that_overflowed_begins_anew(text: str) -> None:
    close = 100.0 + np.random.default_rng(6).random(60)
    opened = close.copy()
    close[:6], opened[6:9] = 1.7e308, 1.7e308
    found = evaluate(text, panel(close, open_=opened, high=np.maximum(close, opened), low=np.full(60, 1.0)))[0]
    assert np.isfinite(found[40:]).all()
