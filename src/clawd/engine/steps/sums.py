"""What a sliding window keeps, rebuilt so that an error of rounding never outlives it.

A window slides by what enters and what leaves. It is rebuilt from its values whenever it is whole for the first time
after something missing, after eight times as many bars as it is long, and when what is left is so much smaller than
what was subtracted that its digits are gone (a window from which a spike has just left).
"""

from __future__ import annotations

from numba import njit

from clawd.core.panel import Floats

#: A window is rebuilt after this many times as many bars as it is long: then rebuilding costs next to nothing, and what
#: rounding has added up is still bounded.
LIVES = 8

#: Windows of fewer bars than this are looked at one by one, those of more side by side.
FEW = 8

#: A sum of squares below this share of its largest value since the last rebuilding has lost its digits.
LOST = 1e-7

#: A plain sum below this share of its largest size since the last rebuilding has lost its digits.
LOST_SUM = 1e-4


@njit(nogil=True, error_model="numpy")
def sum_of(x: Floats, first: int, w: int) -> float:
    total = 0.0
    for k in range(first, first + w):
        total += x[k]
    return total


@njit(nogil=True, error_model="numpy")
def mean_above(x: Floats, first: int, w: int, centre: float) -> float:
    """Mean of w values, less a centre: the nearer the centre, the less is lost to rounding."""
    total = 0.0
    for k in range(first, first + w):
        total += x[k] - centre
    return total / w


@njit(nogil=True, error_model="numpy")
def path_of(x: Floats, first: int, w: int) -> float:
    """The length of the way that w changes go, from a first value on."""
    path = 0.0
    for k in range(first + 1, first + w + 1):
        path += abs(x[k] - x[k - 1])
    return path


@njit(nogil=True, error_model="numpy")
def deviations(x: Floats, first: int, w: int, mean: float) -> float:
    """Sum of the absolute deviations of w values, four at a time: in the order of :func:`add_deviations`."""
    total = 0.0
    whole = w - w % 4
    for k in range(first, first + whole, 4):
        total += (abs(x[k] - mean) + abs(x[k + 1] - mean)) + (abs(x[k + 2] - mean) + abs(x[k + 3] - mean))
    for k in range(first + whole, first + w):
        total += abs(x[k] - mean)
    return total


@njit(nogil=True, error_model="numpy")
def add_deviations(x: Floats, w: int, means: Floats, out: Floats) -> None:
    """The same for a window at every bar t, of the w values from ``x[t + 1]`` on: bar beside bar, which is faster."""
    out[:] = 0.0
    whole = w - w % 4
    for k in range(1, whole + 1, 4):
        a, b, c, d = x[k:], x[k + 1 :], x[k + 2 :], x[k + 3 :]
        for t in range(out.size):
            mean = means[t]
            out[t] += (abs(a[t] - mean) + abs(b[t] - mean)) + (abs(c[t] - mean) + abs(d[t] - mean))
    for k in range(whole + 1, w + 1):
        a = x[k:]
        for t in range(out.size):
            out[t] += abs(a[t] - means[t])
