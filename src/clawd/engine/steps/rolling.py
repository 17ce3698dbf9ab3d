"""Steps over a window of the last w bars, this one included: missing while any value in the window is."""

from __future__ import annotations

import numpy as np
from numba import njit

from clawd.core.panel import Floats
from clawd.engine.steps.arithmetic import SMALLEST_DIVISOR
from clawd.engine.steps.step import step, window
from clawd.engine.steps.sums import (
    LOST,
    add_deviations,
    count_below,
    deviations,
    insert,
    moments_of,
    replaced,
    sum_of,
)

_LONGEST_HALFLIFE = 1_000.0

#: Windows of fewer bars than this are looked at one by one, those of more side by side.
FEW = 8

# What to make of a window's sums.
_DEVIATION, _ZSCORE = 0, 1
_CORRELATION, _COVARIANCE, _BETA, _RESIDUAL, _HALFLIFE = 0, 1, 2, 3, 4
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
    # State: values since the last missing one, bars since the sum was rebuilt, run of equal values, sum.
    clean, age, run, total = int(s[0]), int(s[1]), int(s[2]), s[3]
    for t in range(out.size):
        v = x[t + w]
        if v != v:
            clean = 0
            out[t] = np.nan
            continue
        clean += 1
        run = run + 1 if v == x[t + w - 1] else 1
        if clean > w and age < w:
            total += v - x[t]
            age += 1
        elif clean >= w:
            total, age = sum_of(x, t + 1, w), 0
        if clean < w:
            out[t] = np.nan
        elif run >= w:
            out[t] = v * (w / divisor)
        else:
            out[t] = total / divisor
    s[0], s[1], s[2], s[3] = clean, age, run, total


@step("ts_sum", state=4, history=window)
def ts_sum(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    _sums(s, int(p[0]), x, 1.0, out)


@step("ts_mean", state=4, history=window)
def ts_mean(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    _sums(s, int(p[0]), x, p[0], out)


@njit(nogil=True, error_model="numpy")
def _moments(s: Floats, w: int, x: Floats, what: int, out: Floats) -> None:
    # State: values since the last missing one, bars since rebuilt, run of equal values, mean, sum of squared
    # deviations, and its largest value since rebuilt.
    clean, age, run, mean, squares, largest = int(s[0]), int(s[1]), int(s[2]), s[3], s[4], s[5]
    share = 1.0 / w
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
            mean, squares, largest, age = v, 0.0, 0.0, 0
            out[t] = 0.0 if what == _DEVIATION else np.nan
            continue
        if clean > w:
            old = x[t]
            change, before = v - old, mean
            mean += change * share
            squares += change * (v - mean + (old - before))
            largest = max(largest, squares)
            age += 1
        if clean == w or age > w or not squares > LOST * largest:
            mean, squares = moments_of(x, t + 1, w)
            age, largest = 0, squares
        if what == _DEVIATION:
            out[t] = np.sqrt(squares / (w - 1))
        else:
            out[t] = (v - mean) / np.sqrt(squares / (w - 1)) if squares > 0.0 else np.nan
    s[0], s[1], s[2], s[3], s[4], s[5] = clean, age, run, mean, squares, largest


@step("ts_std", state=6, history=window)
def ts_std(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    _moments(s, int(p[0]), x, _DEVIATION, out)


@step("ts_zscore", state=6, history=window)
def ts_zscore(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    _moments(s, int(p[0]), x, _ZSCORE, out)


@step("ts_mad", state=4, history=window)
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
        # Twice the place, bar beside bar: two for each value below, one for each that is equal.
        now = x[w:]
        out[:] = 0.0
        for k in range(1, w + 1):
            then = x[k:]
            for t in range(out.size):
                out[t] += (1.0 if then[t] < now[t] else 0.0) + (1.0 if then[t] <= now[t] else 0.0)
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
    best = np.empty(size)
    for t in range(size):
        best[t] = side * x[t + 1]
    width = 1
    while 2 * width <= w:
        later = best[width:]
        for t in range(size - width):
            best[t] = best[t] if best[t] > later[t] or best[t] != best[t] else later[t]
        size -= width
        width *= 2
    later = best[w - width :]
    for t in range(out.size):
        out[t] = side * (best[t] if best[t] > later[t] or best[t] != best[t] else later[t])
    # What a single bar goes on from: the last window as _extremes would have left it.
    last = x[out.size - 1 :]
    clean, since = 0, 0
    for k in range(1, w + 1):
        clean = clean + 1 if last[k] == last[k] else 0
        since = 0 if last[k] == out[out.size - 1] else since + 1
    s[0], s[1], s[2] = clean + (1 if clean == w else 0), out[out.size - 1], since


@step("ts_min", state=3, history=window, bounded=True)
def ts_min(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    _extreme_values(s, int(p[0]), x, -1.0, out)


@step("ts_max", state=3, history=window, bounded=True)
def ts_max(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    _extreme_values(s, int(p[0]), x, 1.0, out)


@step("ts_argmin", state=3, history=window, bounded=True)
def ts_argmin(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    _extremes(s, int(p[0]), x, -1.0, out, True)


@step("ts_argmax", state=3, history=window, bounded=True)
def ts_argmax(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    _extremes(s, int(p[0]), x, 1.0, out, True)


@step("ts_quantile", state=lambda p: 1 + int(p[0]), history=window)
def ts_quantile(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    # The window is kept sorted behind the count of values since the last missing one.
    w = int(p[0])
    clean = int(s[0])
    ordered, other = np.empty(w + 2), np.empty(w + 2)
    ordered[0] = other[0] = -np.inf
    ordered[w + 1] = other[w + 1] = np.inf
    for k in range(w):
        ordered[k + 1] = s[k + 1]
    place = p[1] * (w - 1)
    low = min(int(place), w - 1)
    high = min(low + 1, w - 1)
    share = place - low
    for t in range(out.size):
        v = x[t + w]
        if v != v:
            clean = 0
            out[t] = np.nan
            continue
        clean += 1
        if clean > w:
            replaced(ordered, x[t], v, other)
            ordered, other = other, ordered
        else:
            insert(ordered[1:], clean - 1, v)
        if clean < w:
            out[t] = np.nan
        else:
            out[t] = ordered[low + 1] + share * (ordered[high + 1] - ordered[low + 1])
    for k in range(w):
        s[k + 1] = ordered[k + 1]
    s[0] = clean


@njit(nogil=True, error_model="numpy")
def _powers(s: Floats, w: int, x: Floats, what: int, out: Floats) -> None:
    # Sums of the first four powers of deviations from a centre, which follows the window when they are rebuilt. State:
    # values since the last missing one, bars since rebuilt, run of equal values, centre, the four sums.
    clean, age, run, centre = int(s[0]), int(s[1]), int(s[2]), s[3]
    one, two, three, four = s[4], s[5], s[6], s[7]
    skew = w * np.sqrt(w - 1.0) / (w - 2.0)
    scale = w * (w + 1.0) * (w - 1.0) / ((w - 2.0) * (w - 3.0))
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
        if clean > w and age < w:
            new, old = v - centre, x[t] - centre
            new2, old2 = new * new, old * old
            one += new - old
            two += new2 - old2
            three += new2 * new - old2 * old
            four += new2 * new2 - old2 * old2
            age += 1
            # Near the centre and without a value that dwarfs the rest, the sums have kept their digits.
            spread = two - one * one / w
            whole = one * one < 9.0 * w * spread and max(new2, old2) < 100.0 * spread
        if not whole:
            centre, one, two, three, four, age = sum_of(x, t + 1, w) / w, 0.0, 0.0, 0.0, 0.0, 0
            for k in range(t + 1, t + w + 1):
                d = x[k] - centre
                one += d
                two += d * d
                three += d * d * d
                four += d * d * d * d
        mean = one / w
        second = two - w * mean * mean
        if not second > 0.0:
            out[t] = np.nan
        elif what == _SKEW:
            third = three - 3.0 * mean * two + 2.0 * w * mean * mean * mean
            out[t] = third / (second * np.sqrt(second)) * skew
        else:
            fourth = four - 4.0 * mean * three + 6.0 * mean * mean * two - 3.0 * w * mean * mean * mean * mean
            out[t] = scale * fourth / (second * second) - normal
    s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7] = clean, age, run, centre, one, two, three, four


@step("ts_skew", state=8, history=window)
def ts_skew(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    _powers(s, int(p[0]), x, _SKEW, out)


@step("ts_kurt", state=8, history=window)
def ts_kurt(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    _powers(s, int(p[0]), x, _KURT, out)


@step("ts_prod", history=window)
def ts_prod(p: Floats, x: Floats, out: Floats) -> None:
    # Bar beside bar; something missing makes the product missing by itself.
    out[:] = 1.0
    for k in range(1, int(p[0]) + 1):
        then = x[k:]
        for t in range(out.size):
            out[t] *= then[t]


@njit(nogil=True, error_model="numpy")
def _pairs(s: Floats, w: int, x: Floats, y: Floats, what: int, out: Floats) -> None:
    # State: pairs since one was missing, bars since rebuilt, runs of equal x and of equal y, both means, sums of
    # squares of x and of y, sum of products, and the largest of the sums of squares since rebuilt.
    clean, age, run_x, run_y = int(s[0]), int(s[1]), int(s[2]), int(s[3])
    mean_x, mean_y, xx, yy, xy, most_x, most_y = s[4], s[5], s[6], s[7], s[8], s[9], s[10]
    share = 1.0 / w
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
            # Of the new pair and the one that leaves, deviations from the means before.
            new_x, new_y, old_x, old_y = v - mean_x, u - mean_y, x[t] - mean_x, y[t] - mean_y
            shift_x, shift_y = (v - x[t]) * share, (u - y[t]) * share
            # The three sums are made alike, so that a series on itself has a slope of exactly one.
            xx += new_x * new_x - old_x * old_x - w * (shift_x * shift_x)
            yy += new_y * new_y - old_y * old_y - w * (shift_y * shift_y)
            xy += new_x * new_y - old_x * old_y - w * (shift_x * shift_y)
            mean_x += shift_x
            mean_y += shift_y
            most_x, most_y = max(most_x, xx), max(most_y, yy)
            age += 1
        flat_x, flat_y = run_x >= w, run_y >= w
        if flat_x:
            mean_x, xx, xy, most_x = v, 0.0, 0.0, 0.0
        if flat_y:
            mean_y, yy, xy, most_y = u, 0.0, 0.0, 0.0
        kept = (flat_x or xx > LOST * most_x) and (flat_y or yy > LOST * most_y)
        if clean == w or age > w or not kept:
            mean_x, mean_y = sum_of(x, t + 1, w) / w, sum_of(y, t + 1, w) / w
            xx, yy, xy = 0.0, 0.0, 0.0
            for k in range(t + 1, t + w + 1):
                a, b = x[k] - mean_x, y[k] - mean_y
                xx += a * a
                yy += b * b
                xy += a * b
            age, most_x, most_y = 0, xx, yy
        if what == _COVARIANCE:
            out[t] = 0.0 if flat_x or flat_y else xy / (w - 1)
        elif flat_y or not yy > 0.0:
            out[t] = np.nan
        elif what == _CORRELATION:
            # The root of a square is exact, so a series is correlated with itself by exactly one.
            product = xx * yy
            root = np.sqrt(product) if 1e-290 < product < 1e300 else np.sqrt(xx) * np.sqrt(yy)
            out[t] = min(1.0, max(-1.0, xy / root)) if root > 0.0 and not flat_x else np.nan
        elif what == _BETA:
            out[t] = 0.0 if flat_x else xy / yy
        elif what == _RESIDUAL:
            out[t] = 0.0 if flat_x else v - mean_x - xy / yy * (u - mean_y)
        else:
            phi = xy / yy
            out[t] = _LONGEST_HALFLIFE
            if phi <= 1e-12:
                out[t] = 0.0
            elif phi < 1.0:
                out[t] = min(_LONGEST_HALFLIFE, -np.log(2.0) / np.log(phi))
    s[0], s[1], s[2], s[3] = clean, age, run_x, run_y
    s[4], s[5], s[6], s[7], s[8], s[9], s[10] = mean_x, mean_y, xx, yy, xy, most_x, most_y


@step("ts_corr", state=11, history=window, bounded=True)
def ts_corr(s: Floats, p: Floats, x: Floats, y: Floats, out: Floats) -> None:
    _pairs(s, int(p[0]), x, y, _CORRELATION, out)


@step("ts_cov", state=11, history=window)
def ts_cov(s: Floats, p: Floats, x: Floats, y: Floats, out: Floats) -> None:
    _pairs(s, int(p[0]), x, y, _COVARIANCE, out)


@step("ts_beta", state=11, history=window)
def ts_beta(s: Floats, p: Floats, x: Floats, y: Floats, out: Floats) -> None:
    _pairs(s, int(p[0]), x, y, _BETA, out)


@step("ts_resid", state=11, history=window)
def ts_resid(s: Floats, p: Floats, x: Floats, y: Floats, out: Floats) -> None:
    _pairs(s, int(p[0]), x, y, _RESIDUAL, out)


@step("ou_halflife", state=11, history=lambda p: int(p[0]) + 1, bounded=True)
def ou_halflife(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    # Pairs of a value with the one before it: the slope of the first on the second is the coefficient of an AR(1).
    _pairs(s, int(p[0]), x[1:], x, _HALFLIFE, out)


@njit(nogil=True, error_model="numpy")
def _line(s: Floats, w: int, x: Floats, what: int, out: Floats) -> None:
    # Sums of deviations from a centre, plain, by age, and squared. State: values since the last missing one, bars since
    # rebuilt, run of equal values, centre, the three sums.
    clean, age, run, centre = int(s[0]), int(s[1]), int(s[2]), s[3]
    plain, aged, squared = s[4], s[5], s[6]
    ages = w * (float(w) * w - 1.0) / 12.0
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
            centre, plain, aged, squared, age = v, 0.0, 0.0, 0.0, 0
            out[t] = 0.0 if what == _SLOPE else np.nan
            continue
        whole = False
        if clean > w and age < w:
            new, old = v - centre, x[t] - centre
            aged += (w - 1) * new - (plain - old)
            plain += new - old
            squared += new * new - old * old
            age += 1
            spread = squared - plain * plain / w
            whole = plain * plain < 10.0 * w * spread and max(new * new, old * old) < 1e6 * spread
        if not whole:
            centre, plain, aged, squared, age = sum_of(x, t + 1, w) / w, 0.0, 0.0, 0.0, 0
            for k in range(w):
                d = x[t + 1 + k] - centre
                plain += d
                aged += k * d
                squared += d * d
        common = aged - 0.5 * (w - 1) * plain
        if what == _SLOPE:
            out[t] = common / ages
        else:
            spread = squared - plain * plain / w
            out[t] = min(1.0, common * common / (ages * spread)) if spread > 0.0 else np.nan
    s[0], s[1], s[2], s[3], s[4], s[5], s[6] = clean, age, run, centre, plain, aged, squared


@step("ts_slope", state=7, history=window)
def ts_slope(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    _line(s, int(p[0]), x, _SLOPE, out)


@step("ts_r2", state=7, history=window)
def ts_r2(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    _line(s, int(p[0]), x, _R2, out)


@step("decay_linear", state=5, history=window)
def decay_linear(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    # State: values since the last missing one, bars since rebuilt, run of equal values, plain sum, weighted sum.
    w = int(p[0])
    clean, age, run, total, weighted = int(s[0]), int(s[1]), int(s[2]), s[3], s[4]
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
        if clean > w and age < w:
            weighted += w * v - total
            total += v - x[t]
            age += 1
        else:
            total, weighted, age = 0.0, 0.0, 0
            for k in range(1, w + 1):
                total += x[t + k]
                weighted += k * x[t + k]
        out[t] = v if run >= w else weighted / weights
    s[0], s[1], s[2], s[3], s[4] = clean, age, run, total, weighted


@step("efficiency", state=3, history=lambda p: int(p[0]) + 1)
def efficiency(s: Floats, p: Floats, x: Floats, out: Floats) -> None:
    # State: values since the last missing one, bars since the path was rebuilt, its length.
    w = int(p[0])
    clean, age, path = int(s[0]), int(s[1]), s[2]
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
        if clean > w + 1 and age < w:
            path += abs(v - x[t + w]) - abs(x[t + 1] - x[t])
            age += 1
        if clean == w + 1 or age >= w or path < 1e-7 * v:
            path, age = 0.0, 0
            for k in range(t + 2, t + w + 2):
                path += abs(x[k] - x[k - 1])
        out[t] = min(1.0, net / path) if path > 0.0 else np.nan
    s[0], s[1], s[2] = clean, age, path


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
        now[t] = np.log(x[t]) if x[t] > 0.0 else np.nan
    out[:] = 0.0
    for k in range(w):
        then = logs[w - 1 - k :]
        weight = weights[k]
        for t in range(out.size):
            out[t] += weight * then[t]
    for k in range(w - 1):
        before[k] = logs[out.size + k]
    s[0] = min(seen + out.size, w - 1)
