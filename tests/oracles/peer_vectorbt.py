"""vectorbt's account of a moving-average crossing; run by test_peers.py in an environment of its own.

Usage: python peer_vectorbt.py WORKLOAD.json BARS.npz
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import vectorbt as vbt


def main(workload: dict[str, float], bars: dict[str, np.ndarray]) -> dict[str, object]:
    close = pd.Series(bars["close"], index=pd.to_datetime(bars["times"]))
    fast = vbt.MA.run(close, int(workload["fast"]), ewm=True).ma
    slow = vbt.MA.run(close, int(workload["slow"]), ewm=True).ma
    settled = np.arange(len(close)) >= workload["first"]
    above, below = (fast > slow) & settled, ~(fast > slow) & settled
    short = {"short_entries": below, "upon_opposite_entry": "reverse"} if workload["short"] else {"exits": below}
    portfolio = vbt.Portfolio.from_signals(
        close,
        above,
        **short,
        size=workload["size"],
        fees=workload["fee"],
        init_cash=workload["cash"],
        freq="1min",
    )
    orders = portfolio.orders.records
    signed = np.where(orders["side"] == 0, orders["size"], -orders["size"])
    return {
        "engine": f"vectorbt {vbt.__version__}",
        "final_value": float(portfolio.final_value()),
        "fills": list(zip(orders["idx"].tolist(), signed.tolist(), orders["price"].tolist(), strict=True)),
    }


if __name__ == "__main__":
    print(json.dumps(main(json.loads(Path(sys.argv[1]).read_text()), dict(np.load(sys.argv[2])))))
