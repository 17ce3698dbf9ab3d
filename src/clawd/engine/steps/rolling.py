"""Steps over a window of the last w bars, this one included: missing while any value in the window is."""

from __future__ import annotations

import numpy as np
from numba import njit

from clawd.core.panel import Floats
from clawd.engine.steps.arithmetic import SMALLEST_DIVISOR
from clawd.engine.steps.logarithm import log_of
from clawd.engine.steps.step import step, window
from clawd.engine.steps.stretch import stretch
from clawd.engine.steps.sums import (
    LIVES,
    LOST,
    LOST_SUM,
    add_deviations,
    add_places,
    count_below,
    deviations,
    mean_above,
    path_of,
    put_in,
    ranks_of,
    replaced,
    sum_of,
    take_out,
)

_LONGEST_HALFLIFE = 1_000.0

#: Windows of fewer bars than this are looked at one by one, those of more side by side.
FEW = 8

# What to make of a window's sums.
_DEVIATION, _ZSCORE = 0, 1
_CORRELATION, _COVARIANCE, _BETA, _RESIDUAL = 0, 1, 2, 3
_SKEW, _KURT = 0, 1
_SLOPE, _R2 = 0, 1


@step("delay", history=window, bounded=True)
def delay(x: Floats, out: Floats) -> None:
    for t in range(out.size):
        out[t] = x[t]


@step("delta", history=window)
def delta(p: Floats, x: Floats, out: Floats) -> None:
    now = x[int(p[0]) :]
    for t in range(out.size):
        out[t] = now[t] - x[t]


@step("ret", history=window)
def ret(p: Floats, x: Floats, out: Floats) -> None:
    now = x[int(p[0]) :]
    for t in range(out.size):
        out[t] = now[t] / x[t] - 1.0 if abs(x[t]) >= SMALLEST_DIVISOR else np.nan


@njit(nogil=True, error_model="numpy")
def _sums(s: Floats, w: int, x: Floats, divisor: float, out: Floats) -> None:
    # State: values since the last missing one, bars since the sum was rebuilt, run of equal values, sum, and its
    # largest size since rebuilt.
    clean, age, run, total, largest = int(s[0]), int(s[1]), int(s[2]), s[3], s[4]
    for t in range(out.size):
        v = x[t + w]
        if v != v:
            clean = 0
            out[t] = np.nan
            continue
        clean += 1
        run = run + 1 if v == x[t + w - 1] else 1
        if clean < w:
            out[t] = np.nan
            continue
        if clean > w:
            total += v - x[t]
            largest = max(largest, abs(total))
            age += 1
        if clean == w or age > LIVES * w or not LOST_SUM * largest <= abs(total) < np.inf:
            total, age = sum_of(x, t + 1, w), 0
            largest = abs(total)
        out[t] = v * (w / divisor) if run >= w else total / divisor
    s[0], s[1], s[2], s[3], s[4] = clean, age, run, total, largest


@step("ts_sum", state=5, history=window)
def ts_sum(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    _sums(s, int(p[0]), x, 1.0, out)


@step("ts_mean", state=5, history=window)
def ts_mean(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    _sums(s, int(p[0]), x, p[0], out)


@njit(nogil=True, error_model="numpy")
def _moments(s: Floats, w: int, x: Floats, what: int, out: Floats) -> None:
    # State: values since the last missing one, bars since rebuilt, run of equal values, mean above a centre, sum of
    # squared deviations, its largest value since rebuilt, and the centre: the latest value when rebuilt.
    clean, age, run, mean, squares, largest, centre = int(s[0]), int(s[1]), int(s[2]), s[3], s[4], s[5], s[6]
    share, freedom = 1.0 / w, 1.0 / (w - 1)
    for t in range(out.size):
        v = x[t + w]
        if v != v:
            clean = 0
            out[t] = np.nan
            continue
        clean += 1
        run = run + 1 if v == x[t + w - 1] else 1
        if clean < w:
            out[t] = np.nan
            continue
        if run >= w:
            centre, mean, squares, largest, age = v, 0.0, 0.0, 0.0, 0
            out[t] = 0.0 if what == _DEVIATION else np.nan
            continue
        if clean > w:
            old = x[t]
            change, before = v - old, mean
            mean += change * share
            squares += change * (v - centre - mean + (old - centre - before))
            largest = max(largest, squares)
            age += 1
        if clean == w or age > LIVES * w or not squares > LOST * largest:
            centre, squares = v, 0.0
            mean = mean_above(x, t + 1, w, centre)
            for k in range(t + 1, t + w + 1):
                d = x[k] - centre - mean
                squares += d * d
            age, largest = 0, squares
        if what == _DEVIATION:
            out[t] = np.sqrt(squares * freedom)
        else:
            out[t] = (v - centre - mean) / np.sqrt(squares * freedom) if 0.0 < squares < np.inf else np.nan
    s[0], s[1], s[2], s[3], s[4], s[5], s[6] = clean, age, run, mean, squares, largest, centre


@step("ts_std", state=7, history=window)
def ts_std(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    _moments(s, int(p[0]), x, _DEVIATION, out)


@step("ts_zscore", state=7, history=window)
def ts_zscore(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    _moments(s, int(p[0]), x, _ZSCORE, out)


@step("ts_mad", state=5, history=window)
def ts_mad(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    w = int(p[0])
    if out.size < FEW:
        _sums(s, w, x, p[0], out)
        for t in range(out.size):
            out[t] = deviations(x, t + 1, w, out[t]) / w
        return
    means = np.empty(out.size)
    _sums(s, w, x, p[0], means)
    add_deviations(x, w, means, out)
    for t in range(out.size):
        out[t] /= w


@step("ts_rank", state=1, history=window, bounded=True)
def ts_rank(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    w = int(p[0])
    clean = int(s[0])
    if out.size >= FEW:
        add_places(x, w, out)
    for t in range(out.size):
        v = x[t + w]
        clean = clean + 1 if v == v else 0
        if clean < w:
            out[t] = np.nan
        elif out.size >= FEW:
            out[t] = 0.5 * (out[t] + 1.0) / w
        else:
            below, equal = count_below(x, t + 1, w, v)
            out[t] = (below + 0.5 * (equal + 1.0)) / w
    s[0] = clean


@njit(nogil=True, error_model="numpy")
def _extremes(s: Floats, w: int, x: Floats, side: float, out: Floats, ages: bool) -> None:
    """The largest (side 1) or smallest (side -1) of the window, or how long ago it was; the latest of equals.

    State: values since the last missing one, the extreme, bars since it. It is looked for only when it leaves.
    """
    clean, best, since = int(s[0]), s[1], int(s[2])
    for t in range(out.size):
        v = x[t + w]
        if v != v:
            clean = 0
            out[t] = np.nan
            continue
        clean += 1
        since += 1
        if clean > w and side * v >= side * best:
            best, since = v, 0
        elif clean == w or (clean > w and since >= w):
            best, since = v, 0
            for k in range(1, w):
                if side * x[t + w - k] > side * best:
                    best, since = x[t + w - k], k
        if clean < w:
            out[t] = np.nan
        else:
            out[t] = since / (w - 1.0) if ages else best
    s[0], s[1], s[2] = clean, best, since


@njit(nogil=True, error_model="numpy")
def _extreme_values(s: Floats, w: int, x: Floats, side: float, out: Floats) -> None:
    """The extremes of many windows: of pairs, of pairs of pairs, and so on; NaN wins over everything."""
    if out.size < FEW:
        _extremes(s, w, x, side, out, False)
        return
    size = out.size + w - 1
    best, other = np.empty(size), np.empty(size)
    for t in range(size):
        best[t] = side * x[t + 1]
    width = 1
    while 2 * width <= w:
        size -= width
        _larger(best, width, size, other)
        best, other = other, best
        width *= 2
    _larger(best, w - width, out.size, other)
    for t in range(out.size):
        out[t] = side * other[t]
    _go_on_from(s, w, x[out.size - 1 :], out[out.size - 1])


@njit(nogil=True, error_model="numpy")
def _larger(best: Floats, width: int, size: int, out: Floats) -> None:
    """Of each value and the one some bars later, the larger."""
    after = best[width:]
    for t in range(size):
        a, b = best[t], after[t]
        out[t] = a if (a > b) | (a != a) else b


@njit(nogil=True, error_model="numpy")
def _extreme_ages(s: Floats, w: int, x: Floats, side: float, out: Floats) -> None:
    """How long ago they were, in the same way: each carries the bar where it was."""
    if out.size < FEW:
        _extremes(s, w, x, side, out, True)
        return
    size = out.size + w - 1
    best, other, bar, bar_after = np.empty(size), np.empty(size), np.empty(size), np.empty(size)
    for t in range(size):
        best[t] = side * x[t + 1]
        bar[t] = t
    width = 1
    while 2 * width <= w:
        size -= width
        _later(best, bar, width, size, other, bar_after)
        best, other, bar, bar_after = other, best, bar_after, bar
        width *= 2
    _later(best, bar, w - width, out.size, other, bar_after)
    for t in range(out.size):
        out[t] = (t + (w - 1.0) - bar_after[t]) / (w - 1.0) if other[t] == other[t] else np.nan
    last = out.size - 1
    _go_on_from(s, w, x[last:], side * other[last])


@njit(nogil=True, error_model="numpy")
def _later(best: Floats, bar: Floats, width: int, size: int, out: Floats, where: Floats) -> None:
    """Of each value and the one some bars later, the larger, and of equals the later, with the bar where it was."""
    after, bar_after = best[width:], bar[width:]
    for t in range(size):
        a, b, c, d = best[t], after[t], bar[t], bar_after[t]
        stays = (a > b) | (a != a)
        out[t] = a if stays else b
        where[t] = c if stays else d


@njit(nogil=True, error_model="numpy")
def _go_on_from(s: Floats, w: int, last: Floats, best: float) -> None:
    """Leave the state that :func:`_extremes` would have left after the last window, which follows ``last[0]``."""
    clean, since = 0, 0
    for k in range(1, w + 1):
        clean = clean + 1 if last[k] == last[k] else 0
        since = 0 if last[k] == best else since + 1
    s[0], s[1], s[2] = clean + (1 if clean == w else 0), best, since


@step("ts_min", state=3, history=window, bounded=True)
def ts_min(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    _extreme_values(s, int(p[0]), x, -1.0, out)


@step("ts_max", state=3, history=window, bounded=True)
def ts_max(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    _extreme_values(s, int(p[0]), x, 1.0, out)


@step("ts_argmin", state=3, history=window, bounded=True)
def ts_argmin(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    _extreme_ages(s, int(p[0]), x, -1.0, out)


@step("ts_argmax", state=3, history=window, bounded=True)
def ts_argmax(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    _extreme_ages(s, int(p[0]), x, 1.0, out)


@njit(nogil=True, error_model="numpy")
def _few_quantiles(s: Floats, w: int, q: float, x: Floats, out: Floats) -> None:
    """The same where the window stays where it is kept: for a single bar, that costs less than two copies of it."""
    low, high, share = ranks_of(q, w)
    for t in range(out.size):
        v = x[t + w]
        if v != v:
            s[0] = 0.0
            out[t] = np.nan
            continue
        s[0] += 1.0
        if s[0] > w:
            take_out(s, w, x[t])
            put_in(s, w - 1, v)
        else:
            put_in(s, int(s[0]) - 1, v)
        out[t] = s[low + 1] + share * (s[high + 1] - s[low + 1]) if s[0] >= w else np.nan


@step("ts_quantile", state=lambda p: 1 + int(p[0]), history=window)
def ts_quantile(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    # The window is kept sorted behind the count of values since the last missing one.
    w = int(p[0])
    if out.size < FEW:
        _few_quantiles(s, w, p[1], x, out)
        return
    low, high, share = ranks_of(p[1], w)
    clean = int(s[0])
    # Two copies, each framed by infinities: a bar makes the one from the other. Arrays that change names would be
    # counted at every bar, stretches are not.
    copies, here, there = np.empty(2 * (w + 2)), 0, w + 2
    ordered = stretch(copies, here, w + 2)
    for k in range(w):
        ordered[k + 1] = s[k + 1]
    for first in (here, there):
        copies[first], copies[first + w + 1] = -np.inf, np.inf
    for t in range(out.size):
        v = x[t + w]
        if v != v:
            clean = 0
            out[t] = np.nan
            continue
        clean += 1
        if clean > w:
            here, there = there, here
            replaced(ordered, x[t], v, stretch(copies, here, w + 2))
            ordered = stretch(copies, here, w + 2)
        else:
            put_in(ordered, clean - 1, v)
        out[t] = ordered[low + 1] + share * (ordered[high + 1] - ordered[low + 1]) if clean >= w else np.nan
    for k in range(w):
        s[k + 1] = ordered[k + 1]
    s[0] = clean


@njit(nogil=True, error_model="numpy")
def _powers(s: Floats, w: int, x: Floats, what: int, out: Floats) -> None:
    # Sums of the first four powers of deviations from a centre, which follows the window when they are rebuilt. State:
    # values since the last missing one, bars since rebuilt, run of equal values, centre, the four sums, and the largest
    # sum of squared deviations since rebuilt.
    clean, age, run, centre = int(s[0]), int(s[1]), int(s[2]), s[3]
    one, two, three, four, largest = s[4], s[5], s[6], s[7], s[8]
    skew = w * np.sqrt(w - 1.0) / (w - 2.0)
    scale = w * (w + 1.0) * (w - 1.0) / ((w - 2.0) * (w - 3.0))
    share = 1.0 / w
    normal = 3.0 * (w - 1.0) ** 2 / ((w - 2.0) * (w - 3.0))
    for t in range(out.size):
        v = x[t + w]
        if v != v:
            clean = 0
            out[t] = np.nan
            continue
        clean += 1
        run = run + 1 if v == x[t + w - 1] else 1
        if clean < w:
            out[t] = np.nan
            continue
        if run >= w:
            centre, one, two, three, four, age = v, 0.0, 0.0, 0.0, 0.0, 0
            out[t] = np.nan
            continue
        whole = False
        if clean > w and age < LIVES * w:
            new, old = v - centre, x[t] - centre
            new2, old2 = new * new, old * old
            one += new - old
            two += new2 - old2
            three += new2 * new - old2 * old
            four += new2 * new2 - old2 * old2
            age += 1
            # Near the centre and with no value gone that dwarfed the rest, the sums have kept their digits.
            spread = two - one * one * share
            largest = max(largest, spread)
            whole = one * one < 9.0 * w * spread and largest < 100.0 * spread
        if not whole:
            centre, one, two, three, four, age = sum_of(x, t + 1, w) * share, 0.0, 0.0, 0.0, 0.0, 0
            for k in range(t + 1, t + w + 1):
                d = x[k] - centre
                one += d
                two += d * d
                three += d * d * d
                four += d * d * d * d
            largest = two - one * one * share
        mean = one * share
        second = two - w * mean * mean
        if not 0.0 < second < np.inf:
            out[t] = np.nan
        elif what == _SKEW:
            third = three - 3.0 * mean * two + 2.0 * w * mean * mean * mean
            out[t] = third / (second * np.sqrt(second)) * skew
        else:
            fourth = four - 4.0 * mean * three + 6.0 * mean * mean * two - 3.0 * w * mean * mean * mean * mean
            out[t] = scale * fourth / (second * second) - normal
    s[0], s[1], s[2], s[3] = clean, age, run, centre
    s[4], s[5], s[6], s[7], s[8] = one, two, three, four, largest


@step("ts_skew", state=9, history=window)
def ts_skew(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    _powers(s, int(p[0]), x, _SKEW, out)


@step("ts_kurt", state=9, history=window)
def ts_kurt(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    _powers(s, int(p[0]), x, _KURT, out)


@step("ts_prod", history=window)
def ts_prod(p: Floats, x: Floats, out: Floats) -> None:
    # Something missing makes the product missing by itself.
    w = int(p[0])
    if out.size < FEW:
        for t in range(out.size):
            product = 1.0
            for k in range(t + 1, t + w + 1):
                product *= x[k]
            out[t] = product
        return
    out[:] = 1.0
    whole = w - w % 4
    for k in range(1, whole + 1, 4):
        a, b, c, d = x[k:], x[k + 1 :], x[k + 2 :], x[k + 3 :]
        for t in range(out.size):
            out[t] = out[t] * a[t] * b[t] * c[t] * d[t]
    for k in range(whole + 1, w + 1):
        a = x[k:]
        for t in range(out.size):
            out[t] *= a[t]


@njit(nogil=True, error_model="numpy")
def _pairs(s: Floats, w: int, x: Floats, y: Floats, what: int, out: Floats) -> None:
    # State: pairs since one was missing, bars since rebuilt, runs of equal x and of equal y, both means above their
    # centres, sums of squares of x and of y, sum of products, the largest of the sums of squares since rebuilt, and the
    # centres: the latest pair when rebuilt.
    clean, age, run_x, run_y = int(s[0]), int(s[1]), int(s[2]), int(s[3])
    mean_x, mean_y, xx, yy, xy, most_x, most_y = s[4], s[5], s[6], s[7], s[8], s[9], s[10]
    centre_x, centre_y = s[11], s[12]
    share, freedom = 1.0 / w, 1.0 / (w - 1)
    for t in range(out.size):
        v, u = x[t + w], y[t + w]
        if v != v or u != u:
            clean = 0
            out[t] = np.nan
            continue
        clean += 1
        run_x = run_x + 1 if v == x[t + w - 1] else 1
        run_y = run_y + 1 if u == y[t + w - 1] else 1
        if clean < w:
            out[t] = np.nan
            continue
        if clean > w:
            change_x, change_y = v - x[t], u - y[t]
            shift_x, shift_y = change_x * share, change_y * share
            # Of the new pair and the one that leaves, deviations from the means before, added up, less the shift.
            both_x = (v - centre_x - mean_x) + (x[t] - centre_x - mean_x) - shift_x
            both_y = (u - centre_y - mean_y) + (y[t] - centre_y - mean_y) - shift_y
            # The three sums are made alike, so that a series on itself has a slope of exactly one.
            xx += change_x * both_x
            yy += change_y * both_y
            xy += 0.5 * (change_x * both_y + change_y * both_x)
            mean_x += shift_x
            mean_y += shift_y
            most_x, most_y = max(most_x, xx), max(most_y, yy)
            age += 1
        flat_x, flat_y = run_x >= w, run_y >= w
        if flat_x:
            centre_x, mean_x, xx, xy, most_x = v, 0.0, 0.0, 0.0, 0.0
        if flat_y:
            centre_y, mean_y, yy, xy, most_y = u, 0.0, 0.0, 0.0, 0.0
        kept = (flat_x or xx > LOST * most_x) and (flat_y or yy > LOST * most_y)
        if clean == w or age > LIVES * w or not kept:
            centre_x, centre_y = v, u
            mean_x, mean_y = mean_above(x, t + 1, w, v), mean_above(y, t + 1, w, u)
            xx, yy, xy = 0.0, 0.0, 0.0
            for k in range(t + 1, t + w + 1):
                a, b = x[k] - centre_x - mean_x, y[k] - centre_y - mean_y
                xx += a * a
                yy += b * b
                xy += a * b
            age, most_x, most_y = 0, xx, yy
        if what == _COVARIANCE:
            out[t] = 0.0 if flat_x or flat_y else xy * freedom
        elif flat_y or not (0.0 < yy < np.inf and xx < np.inf):
            out[t] = np.nan
        elif what == _CORRELATION:
            # The root of a square is exact, so a series is correlated with itself by exactly one.
            product = xx * yy
            root = np.sqrt(product) if 1e-290 < product < 1e300 else np.sqrt(xx) * np.sqrt(yy)
            out[t] = min(1.0, max(-1.0, xy / root)) if root > 0.0 and not flat_x else np.nan
        elif what == _BETA:
            out[t] = 0.0 if flat_x else xy / yy
        else:
            out[t] = 0.0 if flat_x else v - centre_x - mean_x - xy / yy * (u - centre_y - mean_y)
    s[0], s[1], s[2], s[3] = clean, age, run_x, run_y
    s[4], s[5], s[6], s[7], s[8], s[9], s[10] = mean_x, mean_y, xx, yy, xy, most_x, most_y
    s[11], s[12] = centre_x, centre_y


@step("ts_corr", state=13, history=window, bounded=True)
def ts_corr(s: Floats, p: Floats, x: Floats, y: Floats, out: Floats) -> None:
    _pairs(s, int(p[0]), x, y, _CORRELATION, out)


@step("ts_cov", state=13, history=window)
def ts_cov(s: Floats, p: Floats, x: Floats, y: Floats, out: Floats) -> None:
    _pairs(s, int(p[0]), x, y, _COVARIANCE, out)


@step("ts_beta", state=13, history=window)
def ts_beta(s: Floats, p: Floats, x: Floats, y: Floats, out: Floats) -> None:
    _pairs(s, int(p[0]), x, y, _BETA, out)


@step("ts_resid", state=13, history=window)
def ts_resid(s: Floats, p: Floats, x: Floats, y: Floats, out: Floats) -> None:
    _pairs(s, int(p[0]), x, y, _RESIDUAL, out)


@step("ou_halflife", state=13, history=lambda p: int(p[0]) + 1, bounded=True)
def ou_halflife(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    # Pairs of a value with the one before it: the slope of the first on the second is the coefficient of an AR(1).
    _pairs(s, int(p[0]), x[1:], x, _BETA, out)
    for t in range(out.size):
        phi = out[t]
        halflife = -np.log(2.0) / log_of(phi)
        halflife = halflife if (phi < 1.0) & (halflife < _LONGEST_HALFLIFE) else _LONGEST_HALFLIFE
        halflife = halflife if phi > 1e-12 else 0.0
        out[t] = halflife if phi == phi else np.nan


@njit(nogil=True, error_model="numpy")
def _line(s: Floats, w: int, x: Floats, what: int, out: Floats) -> None:
    # Sums of deviations from a centre, plain, by age, and squared. State: values since the last missing one, bars since
    # rebuilt, run of equal values, centre, the three sums, and the largest sum of squared deviations since rebuilt.
    clean, age, run, centre = int(s[0]), int(s[1]), int(s[2]), s[3]
    plain, aged, squared, largest = s[4], s[5], s[6], s[7]
    ages = w * (float(w) * w - 1.0) / 12.0
    share, per_age = 1.0 / w, 1.0 / ages
    for t in range(out.size):
        v = x[t + w]
        if v != v:
            clean = 0
            out[t] = np.nan
            continue
        clean += 1
        run = run + 1 if v == x[t + w - 1] else 1
        if clean < w:
            out[t] = np.nan
            continue
        if run >= w:
            centre, plain, aged, squared, largest, age = v, 0.0, 0.0, 0.0, 0.0, 0
            out[t] = 0.0 if what == _SLOPE else np.nan
            continue
        whole = False
        if clean > w and age < LIVES * w:
            new, old = v - centre, x[t] - centre
            aged += (w - 1) * new - (plain - old)
            plain += new - old
            squared += new * new - old * old
            age += 1
            spread = squared - plain * plain * share
            largest = max(largest, spread)
            whole = plain * plain < 10.0 * w * spread and largest < 1e6 * spread
        if not whole:
            centre, plain, aged, squared, age = sum_of(x, t + 1, w) * share, 0.0, 0.0, 0.0, 0
            for k in range(w):
                d = x[t + 1 + k] - centre
                plain += d
                aged += k * d
                squared += d * d
            largest = squared - plain * plain * share
        common = aged - 0.5 * (w - 1) * plain
        if what == _SLOPE:
            out[t] = common * per_age
        else:
            spread = squared - plain * plain * share
            out[t] = min(1.0, common * common / (ages * spread)) if 0.0 < spread < np.inf else np.nan
    s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7] = clean, age, run, centre, plain, aged, squared, largest


@step("ts_slope", state=8, history=window)
def ts_slope(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    _line(s, int(p[0]), x, _SLOPE, out)


@step("ts_r2", state=8, history=window)
def ts_r2(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    _line(s, int(p[0]), x, _R2, out)


@step("decay_linear", state=6, history=window)
def decay_linear(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    # State: values since the last missing one, bars since rebuilt, run of equal values, plain sum, weighted sum, and
    # the largest size of that since rebuilt.
    w = int(p[0])
    clean, age, run, total, weighted, largest = int(s[0]), int(s[1]), int(s[2]), s[3], s[4], s[5]
    weights = 0.5 * w * (w + 1.0)
    for t in range(out.size):
        v = x[t + w]
        if v != v:
            clean = 0
            out[t] = np.nan
            continue
        clean += 1
        run = run + 1 if v == x[t + w - 1] else 1
        if clean < w:
            out[t] = np.nan
            continue
        if clean > w:
            weighted += w * v - total
            total += v - x[t]
            largest = max(largest, abs(weighted))
            age += 1
        if clean == w or age > LIVES * w or not LOST_SUM * largest <= abs(weighted) < np.inf:
            total, weighted, age = 0.0, 0.0, 0
            for k in range(1, w + 1):
                total += x[t + k]
                weighted += k * x[t + k]
            largest = abs(weighted)
        out[t] = v if run >= w else weighted / weights
    s[0], s[1], s[2], s[3], s[4], s[5] = clean, age, run, total, weighted, largest


@step("efficiency", state=4, history=lambda p: int(p[0]) + 1)
def efficiency(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    # State: values since the last missing one, bars since the path was rebuilt, its length, the longest since.
    w = int(p[0])
    clean, age, path, longest = int(s[0]), int(s[1]), s[2], s[3]
    for t in range(out.size):
        v = x[t + w + 1]
        if v != v:
            clean = 0
            out[t] = np.nan
            continue
        clean += 1
        if clean <= w:
            out[t] = np.nan
            continue
        net = abs(v - x[t + 1])
        if clean > w + 1:
            path += abs(v - x[t + w]) - abs(x[t + 1] - x[t])
            longest = max(longest, path)
            age += 1
        if clean == w + 1 or age > LIVES * w or not LOST * longest < path < np.inf:
            path, age = path_of(x, t + 1, w), 0
            longest = path
        out[t] = min(1.0, net / path) if 0.0 < path < np.inf else np.nan
    s[0], s[1], s[2], s[3] = clean, age, path, longest


@step("frac_diff", state=lambda p: int(p[1]))
def frac_diff(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    # The weights follow the order and the window among the parameters, the newest value's first. The state is how many
    # values have been seen, at most w - 1, and the logarithms of the last w - 1.
    w = int(p[1])
    weights, before = p[2:], s[1:]
    logs = np.empty(w - 1 + out.size)
    seen = int(s[0])
    for k in range(w - 1):
        logs[k] = before[k] if k >= w - 1 - seen else np.nan
    now = logs[w - 1 :]
    for t in range(out.size):
        now[t] = log_of(x[t])
    if out.size < FEW:
        for t in range(out.size):
            total = 0.0
            for k in range(w):
                total += weights[k] * logs[w - 1 - k + t]
            out[t] = total
    else:
        out[:] = 0.0
        whole = w - w % 4
        for k in range(0, whole, 4):
            a, b, c, d = logs[w - 1 - k :], logs[w - 2 - k :], logs[w - 3 - k :], logs[w - 4 - k :]
            to_a, to_b, to_c, to_d = weights[k], weights[k + 1], weights[k + 2], weights[k + 3]
            for t in range(out.size):
                out[t] = out[t] + to_a * a[t] + to_b * b[t] + to_c * c[t] + to_d * d[t]
        for k in range(whole, w):
            a, to_a = logs[w - 1 - k :], weights[k]
            for t in range(out.size):
                out[t] += to_a * a[t]
    for k in range(w - 1):
        before[k] = logs[out.size + k]
    s[0] = min(seen + out.size, w - 1)
