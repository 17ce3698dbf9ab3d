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


@njit(nogil=True, error_model="numpy")
def add_places(x: Floats, w: int, out: Floats) -> None:
    """Of the latest of w values at every bar, two for each value below it and one for each that is equal."""
    now = x[w:]
    out[:] = 0.0
    whole = w - w % 4
    for k in range(1, whole + 1, 4):
        a, b, c, d = x[k:], x[k + 1 :], x[k + 2 :], x[k + 3 :]
        for t in range(out.size):
            v = now[t]
            below = (1.0 if a[t] < v else 0.0) + (1.0 if b[t] < v else 0.0)
            below += (1.0 if c[t] < v else 0.0) + (1.0 if d[t] < v else 0.0)
            upto = (1.0 if a[t] <= v else 0.0) + (1.0 if b[t] <= v else 0.0)
            upto += (1.0 if c[t] <= v else 0.0) + (1.0 if d[t] <= v else 0.0)
            out[t] += below + upto
    for k in range(whole + 1, w + 1):
        a = x[k:]
        for t in range(out.size):
            out[t] += (1.0 if a[t] < now[t] else 0.0) + (1.0 if a[t] <= now[t] else 0.0)


@njit(nogil=True, error_model="numpy")
def ranks_of(q: float, w: int) -> tuple[int, int, float]:
    """The two places of w sorted values between which a quantile lies, and how far on from the first."""
    place = q * (w - 1)
    low = min(int(place), w - 1)
    return low, min(low + 1, w - 1), place - low


@njit(nogil=True, error_model="numpy")
def put_in(row: Floats, size: int, v: float) -> None:
    """Put v among the ``size`` sorted values that follow the first of a row, which has room for one more."""
    k = size
    while k > 0 and row[k] > v:
        row[k + 1] = row[k]
        k -= 1
    row[k + 1] = v


@njit(nogil=True, error_model="numpy")
def take_out(row: Floats, size: int, v: float) -> None:
    """Take v out of the ``size`` sorted values that follow the first of a row."""
    k = 1
    while k < size and row[k] != v:
        k += 1
    for j in range(k, size):
        row[j] = row[j + 1]


@njit(nogil=True, error_model="numpy")
def replaced(ordered: Floats, old: float, v: float, out: Floats) -> None:
    """A sorted row with v in the place of old, and both ends framed by an infinity: every value in its turn, without a
    search or a branch to guess wrong."""
    last = ordered.size - 1
    here, below, above = ordered[1:last], ordered[: last - 1], ordered[2:]
    inside = out[1:last]
    if v >= old:
        for k in range(inside.size):
            moved = above[k] if above[k] < v else v
            moved = here[k] if here[k] > moved else moved
            inside[k] = here[k] if here[k] < old else moved
    else:
        for k in range(inside.size):
            moved = below[k] if below[k] > v else v
            moved = here[k] if here[k] < moved else moved
            inside[k] = here[k] if here[k] > old else moved
