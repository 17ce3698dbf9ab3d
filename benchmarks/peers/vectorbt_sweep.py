"""vectorbt's speed on EMA crossings; run by ema_sweep.py.

Usage: python vectorbt_sweep.py WORK.json BARS.npz
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import vectorbt as vbt


def sweep(close: pd.Series, pairs: list[tuple[int, int]], fee: float, cash: float) -> int:
    """All crossings in one call, as its users do; the number of positions closed."""
    windows = sorted({window for pair in pairs for window in pair})
    means = vbt.MA.run(close, windows, ewm=True).ma.to_numpy()
    fast = means[:, [windows.index(pair[0]) for pair in pairs]]
    slow = means[:, [windows.index(pair[1]) for pair in pairs]]
    settled = np.arange(len(close))[:, None] >= np.array([4 * pair[1] for pair in pairs])
    above = (fast > slow) & settled
    columns = pd.MultiIndex.from_tuples(pairs)
    portfolio = vbt.Portfolio.from_signals(
        close,
        pd.DataFrame(above, index=close.index, columns=columns),
        pd.DataFrame(~above & settled, index=close.index, columns=columns),
        size=1.0,
        fees=fee,
        init_cash=cash,
        freq="1min",
    )
    portfolio.total_return()
    return int(portfolio.trades.closed.count().sum())


def main() -> None:
    work, bars = json.loads(Path(sys.argv[1]).read_text()), np.load(sys.argv[2])
    close = pd.Series(bars["close"], index=pd.to_datetime(bars["times"]))
    pairs = [tuple(pair) for pair in work["pairs"]]
    sweep(close, pairs, work["fee"], work["cash"])
    start = time.perf_counter()
    closed = sweep(close, pairs, work["fee"], work["cash"])
    taken = time.perf_counter() - start
    print(json.dumps({"engine": f"vectorbt {vbt.__version__}", "seconds": taken, "closed": closed}))


if __name__ == "__main__":
    main()
