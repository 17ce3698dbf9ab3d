"""The notation of Z. Kakushadze, "101 Formulaic Alphas", arXiv 1601.00991 (2016), evaluated in plain numpy.

The functions are written from appendix A of the paper, one window at a time, and share nothing with clawd. What the
paper leaves open is settled as clawd settles it:

- a day of an instrument is a bar that it has: a window of d days is its last d bars, missing while a value in it is;
- rank and ts_rank are percentiles above 0 to 1 in which equals share their place, among those that have a value;
- ts_argmax and ts_argmin number the days of the window from 1, the oldest, to d, today, and take the latest of equals;
- stddev and covariance divide by d - 1; a correlation with what does not vary is missing;
- adv{d} is the mean of close times volume; where a bar has no vwap it is (high + low + close) / 3;
- a condition on something missing is false, and counts as 0; true counts as 1;
- a quotient by less than 1e-12 and a logarithm of nothing are missing; the exponent of a power is held within ±10.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

Values = np.ndarray
_TOKEN = re.compile(r"\s*(\d+\.?\d*|\.\d+|[A-Za-z_][\w.]*|\|\||==|[-+*/^<>?:(),])")


@dataclass
class Market:
    """What the formulas read: [I, T] each, NaN where an instrument has no bar.

    Attributes:
        open, high, low, close, volume, vwap: of the bars.
        cap: the market value of each company.
        groups: the group of each instrument by the name of the classification.
        disturbance: changes the results of sums [I, T], whose scale it is given, by very little. What such a change
            changes much hangs on rounding and means nothing.
    """

    open: Values
    high: Values
    low: Values
    close: Values
    volume: Values
    vwap: Values
    cap: Values
    groups: Mapping[str, Sequence[str]]
    disturbance: Callable[[Values, Values], Values] | None = None
    known: dict[str, Values] = field(default_factory=dict)

    @cached_property
    def bars(self) -> list[np.ndarray]:
        """Indices of the bars that each instrument has."""
        return [np.flatnonzero(~np.isnan(row)) for row in self.close]


# Functions of the last d bars of each instrument.


def windowed(market: Market, d: float, function: Callable[..., Values], *inputs: Values) -> Values:
    """A function of windows [N, d], newest last, given where nothing in them is missing."""
    days = int(d)
    result = np.full(market.close.shape, np.nan)
    for row, bars in enumerate(market.bars):
        if bars.size < days:
            continue
        windows = [np.lib.stride_tricks.sliding_window_view(values[row, bars], days) for values in inputs]
        whole = ~np.any([np.isnan(window).any(axis=1) for window in windows], axis=0)
        if whole.any():
            result[row, bars[days - 1 :][whole]] = function(*(window[whole] for window in windows))
    return result


def total(market: Market, d: float, function: Callable[..., tuple[Values, Values]], *inputs: Values) -> Values:
    """The same for a function that adds up, and also gives the scale of what it adds; a single day is no sum."""
    result = windowed(market, d, lambda *windows: function(*windows)[0], *inputs)
    if market.disturbance is None or int(d) == 1:
        return result
    return market.disturbance(result, windowed(market, d, lambda *windows: function(*windows)[1], *inputs))


def lagged(market: Market, x: Values, d: float) -> Values:
    result = np.full(x.shape, np.nan)
    for row, bars in enumerate(market.bars):
        result[row, bars[int(d) :]] = x[row, bars[: -int(d)]]
    return result


def weighted(market: Market, x: Values, d: float, weights: Values) -> Values:
    def of(window: Values) -> tuple[Values, Values]:
        return (window * weights).sum(axis=1), np.abs(window * weights).sum(axis=1)

    return total(market, d, of, x)


def summed(market: Market, x: Values, d: float) -> Values:
    return weighted(market, x, d, np.ones(int(d)))


def decay_linear(market: Market, x: Values, d: float) -> Values:
    weights = np.arange(1.0, int(d) + 1)
    return weighted(market, x, d, weights) / weights.sum()


def product(market: Market, x: Values, d: float) -> Values:
    return total(market, d, lambda window: (window.prod(axis=1), np.abs(window.prod(axis=1))), x)


def stddev(market: Market, x: Values, d: float) -> Values:
    def of(window: Values) -> tuple[Values, Values]:
        result = np.where(np.ptp(window, axis=1) > 0, window.std(axis=1, ddof=1), 0.0)
        return result, result

    return total(market, d, of, x)


def covariance(market: Market, x: Values, y: Values, d: float) -> Values:
    def of(a: Values, b: Values) -> tuple[Values, Values]:
        a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
        size = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
        return (a * b).sum(axis=1) / (int(d) - 1), size / (int(d) - 1)

    return total(market, d, of, x, y)


def correlation(market: Market, x: Values, y: Values, d: float) -> Values:
    def of_two(a: Values, b: Values) -> Values:
        result = np.sign((a[:, 1] - a[:, 0]) * (b[:, 1] - b[:, 0]))
        return np.where(result == 0, np.nan, result)

    def of(a: Values, b: Values) -> tuple[Values, Values]:
        varies = (np.ptp(a, axis=1) > 0) & (np.ptp(b, axis=1) > 0)
        a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            result = (a * b).sum(axis=1) / np.sqrt((a * a).sum(axis=1)) / np.sqrt((b * b).sum(axis=1))
        return np.where(varies, result, np.nan), np.ones(varies.size)

    return windowed(market, d, of_two, x, y) if int(d) == 2 else total(market, d, of, x, y)


def place(window: Values) -> Values:
    """Percentile of the last value of each window."""
    now = window[:, -1:]
    return (2 * (window < now).sum(axis=1) + (window == now).sum(axis=1) + 1) / (2 * window.shape[1])


def day_of(extreme: Callable[..., Values]) -> Callable[[Values], Values]:
    return lambda window: window.shape[1] - extreme(window[:, ::-1], axis=1).astype(float)


# Functions across the instruments of each bar.


def rank(market: Market, x: Values) -> Values:
    x = np.where(np.isnan(market.close), np.nan, x)
    below = (x[:, None] > x[None]).sum(axis=1)
    equal = (x[:, None] == x[None]).sum(axis=1)
    count = np.maximum((~np.isnan(x)).sum(axis=0), 1)
    return np.where(np.isnan(x), np.nan, (2 * below + equal + 1) / (2 * count))


def scale(market: Market, x: Values, a: float = 1.0) -> Values:
    x = np.where(np.isnan(market.close), np.nan, x)
    return quotient(a * x, np.broadcast_to(np.nansum(np.abs(x), axis=0), x.shape))


def indneutralize(market: Market, x: Values, groups: Sequence[str]) -> Values:
    x = np.where(np.isnan(market.close), np.nan, x)
    result = x.copy()
    for group in set(groups):
        members = [row for row, own in enumerate(groups) if own == group]
        known = ~np.isnan(x[members])
        count = np.maximum(known.sum(axis=0), 1)
        mean = np.broadcast_to(np.where(known, x[members], 0.0).sum(axis=0) / count, known.shape)
        if market.disturbance is not None:
            size = np.where(known, np.abs(x[members]), 0.0).max(axis=0)
            mean = np.where(count > 1, market.disturbance(mean, np.broadcast_to(size, known.shape)), mean)
        result[members] -= mean
    return result


# Arithmetic.


def quotient(x: Values, y: Values) -> Values:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.where(np.abs(y) < 1e-12, np.nan, np.divide(x, y))


def power(x: Values, y: Values) -> Values:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.where(np.isnan(x) | np.isnan(y), np.nan, np.power(x, np.clip(y, -10.0, 10.0)))


def logarithm(x: Values) -> Values:
    return np.log(np.where(x > 0, x, np.nan))


Function = Callable[..., Values]


def extreme(over_time: Callable[[Values], Values], of_two: Callable[[Values, Values], Values]) -> Function:
    """min and max: of two series, or over the last days where the second argument is a number of them."""

    def function(market: Market, x: Values, y: Values | float) -> Values:
        return windowed(market, y, over_time, x) if isinstance(y, float) else of_two(x, y)

    return function


FUNCTIONS: dict[str, Function] = {
    "abs": lambda market, x: np.abs(x),
    "log": lambda market, x: logarithm(x),
    "sign": lambda market, x: np.sign(x),
    "signedpower": lambda market, x, a: power(x, a),
    "rank": rank,
    "scale": scale,
    "indneutralize": indneutralize,
    "delay": lagged,
    "delta": lambda market, x, d: x - lagged(market, x, d),
    "correlation": correlation,
    "covariance": covariance,
    "decay_linear": decay_linear,
    "stddev": stddev,
    "sum": summed,
    "product": product,
    "ts_rank": lambda market, x, d: windowed(market, d, place, x),
    "ts_min": lambda market, x, d: windowed(market, d, lambda window: window.min(axis=1), x),
    "ts_max": lambda market, x, d: windowed(market, d, lambda window: window.max(axis=1), x),
    "ts_argmin": lambda market, x, d: windowed(market, d, day_of(np.argmin), x),
    "ts_argmax": lambda market, x, d: windowed(market, d, day_of(np.argmax), x),
    "min": extreme(lambda window: window.min(axis=1), np.minimum),
    "max": extreme(lambda window: window.max(axis=1), np.maximum),
}

SIGNS: dict[str, Callable[[Values, Values], Values]] = {
    "||": lambda x, y: np.where((x > 0) | (y > 0), 1.0, 0.0),
    "<": lambda x, y: np.where(x < y, 1.0, 0.0),
    ">": lambda x, y: np.where(x > y, 1.0, 0.0),
    "==": lambda x, y: np.where(x == y, 1.0, 0.0),
    "+": lambda x, y: x + y,
    "-": lambda x, y: x - y,
    "*": lambda x, y: x * y,
    "/": quotient,
    "^": power,
}
BINDING = {"||": 1, "<": 2, ">": 2, "==": 2, "+": 3, "-": 3, "*": 4, "/": 4, "^": 6}
_MINUS = 5


class Formula:
    """A formula of the paper, read by precedence climbing and evaluated as it is read."""

    def __init__(self, text: str, market: Market) -> None:
        self.tokens = _TOKEN.findall(text)
        assert "".join(self.tokens) == re.sub(r"\s", "", text), f"unknown signs in {text}"
        self.market = market
        self.at = 0

    def value(self) -> Values:
        """[I, T], missing where the instrument has no bar."""
        result = self._choice()
        assert self.at == len(self.tokens), f"something is left: {self.tokens[self.at :]}"
        return np.where(np.isnan(self.market.close), np.nan, result)

    def _next(self) -> str:
        self.at += 1
        return str(self.tokens[self.at - 1])

    def _take(self, sign: str) -> bool:
        found = self.at < len(self.tokens) and self.tokens[self.at] == sign
        self.at += found
        return found

    def _expect(self, sign: str) -> None:
        assert self._take(sign), f"expected {sign} before {self.tokens[self.at :]}"

    def _choice(self) -> Values | float:
        condition = self._binary(1)
        if not self._take("?"):
            return condition
        yes = self._choice()
        self._expect(":")
        no = self._choice()
        return np.where(condition > 0, yes, no)

    def _binary(self, loosest: int) -> Values | float:
        left = self._unary()
        while self.at < len(self.tokens) and BINDING.get(self.tokens[self.at], 0) >= loosest:
            sign = self._next()
            right = self._binary(BINDING[sign] + 1)
            both = SIGNS[sign](left, right)
            left = float(both) if isinstance(left, float) and isinstance(right, float) else both
        return left

    def _unary(self) -> Values | float:
        if self._take("-"):
            return -self._binary(_MINUS)
        if self._take("("):
            result = self._choice()
            self._expect(")")
            return result
        name = self._next()
        if name[0].isdigit() or name[0] == ".":
            return float(name)
        name = name.lower()
        if not self._take("("):
            return self._input(name)
        arguments = [self._choice()]
        while self._take(","):
            arguments.append(self._choice())
        self._expect(")")
        return FUNCTIONS[name](self.market, *arguments)

    def _input(self, name: str) -> Values:
        market = self.market
        if name.startswith("indclass."):
            return market.groups[name.partition(".")[2]]
        if name not in market.known:
            if name == "returns":
                value = quotient(market.close, lagged(market, market.close, 1)) - 1
            elif match := re.fullmatch(r"adv(\d+)", name):
                value = summed(market, market.close * market.volume, float(match[1])) / float(match[1])
            else:
                value = getattr(market, name)
            market.known[name] = value
        return market.known[name]
