"""backtesting.py's account of a moving-average crossing; run by test_peers.py in an environment of its own.

Usage: python peer_backtesting.py WORKLOAD.json BARS.npz
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path

import backtesting
import numpy as np
import pandas as pd

backtesting.backtesting._tqdm = lambda bars, **_: bars


def ema(values: pd.Series, window: int) -> pd.Series:
    return pd.Series(values).ewm(span=window, adjust=False).mean()


def main(workload: dict[str, float], bars: dict[str, np.ndarray]) -> dict[str, object]:
    first, size, short = int(workload["first"]), int(workload["size"]), bool(workload["short"])

    class Crossing(backtesting.Strategy):
        def init(self) -> None:
            self.fast = self.I(ema, self.data.Close, int(workload["fast"]))
            self.slow = self.I(ema, self.data.Close, int(workload["slow"]))

        def next(self) -> None:
            if len(self.data) <= first:
                return
            if self.fast[-1] > self.slow[-1]:
                if not self.position.is_long:
                    self.position.close()
                    self.buy(size=size)
            elif not self.position.is_short:
                self.position.close()
                if short:
                    self.sell(size=size)

    frame = pd.DataFrame(
        {name.capitalize(): bars[name] for name in ("open", "high", "low", "close", "volume")},
        index=pd.to_datetime(bars["times"]),
    )
    test = backtesting.Backtest(
        frame, Crossing, cash=workload["cash"], commission=workload["fee"], trade_on_close=True, finalize_trades=False
    )
    stats = test.run()
    strategy = stats["_strategy"]
    fills = []
    for trade in (*strategy.closed_trades, *strategy.trades):
        fills.append((trade.entry_bar, trade.size, trade.entry_price))
        if trade.exit_bar is not None:
            fills.append((trade.exit_bar, -trade.size, trade.exit_price))
    return {
        "engine": f"backtesting.py {version('backtesting')}",
        "final_value": float(stats["Equity Final [$]"]),
        "fills": sorted((int(bar), float(size), float(price)) for bar, size, price in fills),
    }


if __name__ == "__main__":
    print(json.dumps(main(json.loads(Path(sys.argv[1]).read_text()), dict(np.load(sys.argv[2])))))
