"""What a sliding window keeps, rebuilt so that an error of rounding never outlives it.

A window slides by what enters and what leaves. It is rebuilt from its values whenever it is whole for the first time
after something missing, after as many bars as it is long, and when what is left is so much smaller than what was
subtracted that its digits are gone (a window from which a spike has just left).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from clawd.core.panel import Floats

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


@njit(nogil=True, error_model="numpy", fastmath={"reassoc", "nsz"})
def count_below(x: Floats, first: int, w: int, v: float) -> tuple[int, int]:
    """How many of w values are below v, and how many equal to it."""
    below, equal = 0, 0
    for k in range(first, first + w):
        below += x[k] < v
        equal += x[k] == v
    return below, equal


@njit(nogil=True, error_model="numpy", fastmath={"reassoc", "nsz"})
def absolute_deviations(x: Floats, first: int, w: int) -> float:
    """Sum of the absolute deviations of w values from their mean."""
    total = 0.0
    for k in range(first, first + w):
        total += x[k]
    mean, deviations = total / w, 0.0
    for k in range(first, first + w):
        deviations += abs(x[k] - mean)
    return deviations


@njit(nogil=True, error_model="numpy", fastmath={"reassoc", "nsz"})
def product_of(x: Floats, first: int, w: int) -> float:
    product = 1.0
    for k in range(first, first + w):
        product *= x[k]
    return product


@njit(nogil=True, error_model="numpy", fastmath={"reassoc", "nsz"})
def dot(x: Floats, first: int, weights: Floats) -> float:
    """Sum of products with weights of which the first belongs to the newest value."""
    total, last = 0.0, first + weights.size - 1
    for k in range(weights.size):
        total += weights[k] * x[last - k]
    return total


@njit(nogil=True, error_model="numpy")
def insert(ordered: Floats, size: int, v: float) -> None:
    """Put v into ``ordered[:size]``, which is sorted and has room for one more."""
    k = size
    while k > 0 and ordered[k - 1] > v:
        ordered[k] = ordered[k - 1]
        k -= 1
    ordered[k] = v


@njit(nogil=True, error_model="numpy")
def replace(ordered: Floats, old: float, v: float) -> None:
    """Take old out of a sorted row and put v in."""
    below = np.searchsorted(ordered, old)
    if v >= old:
        while below + 1 < ordered.size and ordered[below + 1] < v:
            ordered[below] = ordered[below + 1]
            below += 1
    else:
        while below > 0 and ordered[below - 1] > v:
            ordered[below] = ordered[below - 1]
            below -= 1
    ordered[below] = v
