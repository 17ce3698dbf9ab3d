"""The floor: an EMA crossover with every exit, written by hand for this one rule. What a general engine cannot beat."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
from numpy.typing import NDArray

from clawd.core.panel import Floats, Panel


@numba.njit(nogil=True)
def one_rule(
    open_: Floats, high: Floats, low: Floats, close: Floats, cash: float, fee: float, slip: float, fast: int, slow: int
) -> float:
    """Final equity of one crossover over bars [T]: reversal at the next open, stop, trail, target and time exit."""
    quick = lazy = close[0]
    lots = entry = best = 0.0
    held, wanted, shut = 0, 0.0, 0.0
    for t in range(close.size):
        if wanted != np.sign(lots):
            price = open_[t] * (1 + slip * np.sign(wanted - lots))
            size = wanted * cash / close[t - 1]
            cash -= (size - lots) * price + abs(size - lots) * price * fee
            lots, entry, best, held = size, price, price, 0
        if lots != 0.0:
            side = np.sign(lots)
            stop = max(entry * 0.99, best * 0.992) if side > 0 else min(entry * 1.01, best * 1.008)
            take = entry * (1 + 0.02 * side)
            price = 0.0
            if (low[t] <= stop) if side > 0 else (high[t] >= stop):
                price = min(open_[t], stop) if side > 0 else max(open_[t], stop)
                price *= 1 - slip * side
            elif (high[t] >= take) if side > 0 else (low[t] <= take):
                price = take
            held += 1
            if price > 0.0 or held >= 600:
                price = close[t] if price == 0.0 else price
                cash += lots * price - abs(lots) * price * fee
                lots, shut = 0.0, side
            best = max(best, high[t]) if side > 0 else min(best, low[t])
        quick += 2.0 / (fast + 1.0) * (close[t] - quick)
        lazy += 2.0 / (slow + 1.0) * (close[t] - lazy)
        wanted = 1.0 if quick > lazy else -1.0
        if wanted == shut:
            wanted = 0.0
        else:
            shut = 0.0
    return cash + lots * close[-1]


@numba.njit(nogil=True)
def _many(open_: Floats, high: Floats, low: Floats, close: Floats, pairs: NDArray[np.int64], results: Floats) -> None:
    for n in range(pairs.shape[0]):
        results[n] = one_rule(open_, high, low, close, 10_000.0, 0.001, 0.0002, pairs[n, 0], pairs[n, 1])


def many_rules(panel: Panel, count: int, threads: int = 2) -> Floats:
    """Final equity of ``count`` crossovers with different windows, on the first instrument of a panel."""
    columns = [np.ascontiguousarray(field[0]) for field in (panel.open, panel.high, panel.low, panel.close)]
    pairs = np.array([(5 + n % 40, 50 + n % 200) for n in range(count)], np.int64)
    results = np.empty(count)
    with ThreadPoolExecutor(threads) as pool:
        parts = zip(np.array_split(pairs, threads), np.array_split(results, threads), strict=True)
        list(pool.map(lambda part: _many(*columns, *part), parts))
    return results
