"""backtesting.py's speed on EMA crossings; run by ema_sweep.py.

Usage: python backtesting_sweep.py WORK.json BARS.npz
"""

from __future__ import annotations

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path

import backtesting
import numpy as np
import pandas as pd

backtesting.backtesting._tqdm = lambda bars, **_: bars


def ema(values: pd.Series, window: int) -> pd.Series:
    return pd.Series(values).ewm(span=window, adjust=False).mean()


def crossing(frame: pd.DataFrame, fast: int, slow: int, fee: float, cash: float) -> int:
    """One crossing; the number of positions closed."""

    class Crossing(backtesting.Strategy):
        def init(self) -> None:
            self.fast = self.I(ema, self.data.Close, fast)
            self.slow = self.I(ema, self.data.Close, slow)

        def next(self) -> None:
            if len(self.data) <= 4 * slow:
                return
            if self.fast[-1] > self.slow[-1]:
                if not self.position:
                    self.buy(size=1)
            elif self.position:
                self.position.close()

    test = backtesting.Backtest(frame, Crossing, cash=cash, commission=fee, trade_on_close=True, finalize_trades=False)
    return len(test.run()["_strategy"].closed_trades)


def main() -> None:
    work, bars = json.loads(Path(sys.argv[1]).read_text()), np.load(sys.argv[2])
    frame = pd.DataFrame(
        {name.capitalize(): bars[name] for name in ("open", "high", "low", "close")},
        index=pd.to_datetime(bars["times"]),
    )
    frame["Volume"] = 1.0
    crossing(frame.head(1_000), 5, 50, work["fee"], work["cash"])
    start = time.perf_counter()
    closed = sum(crossing(frame, fast, slow, work["fee"], work["cash"]) for fast, slow in work["pairs"])
    taken = time.perf_counter() - start
    print(json.dumps({"engine": f"backtesting.py {version('backtesting')}", "seconds": taken, "closed": closed}))


if __name__ == "__main__":
    main()
