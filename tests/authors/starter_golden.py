"""The golden runs of the starter library: each strategy over the whole sample market at the default costs.

Any change of behaviour shows here and must be explained where it is made. This writes the file anew::

    python tests/authors/starter_golden.py
"""

from __future__ import annotations

import json
from decimal import Decimal
from functools import cache
from pathlib import Path

from clawd.authors.starter import starter_library, starter_names
from clawd.core.costs import Costs
from clawd.core.panel import Panel
from clawd.data.market import load_market
from clawd.engine.backtest import Backtest, run_backtest
from clawd.language.strategy import Strategy

FILE = Path(__file__).with_name("golden.json")
COSTS = Costs(fee=Decimal("0.0005"), slippage=Decimal("0.0002"))
CAPITAL = Decimal(100)
STARTERS = dict(zip(starter_names(), starter_library(), strict=True))

Figures = dict[str, float | int]


@cache
def sample() -> Panel:
    """The sample market, 1999 to 2018."""
    return load_market("sample").panel


def run(strategy: Strategy, panel: Panel) -> Backtest:
    """A backtest at the costs and capital of the golden runs."""
    return run_backtest(strategy, panel, COSTS, CAPITAL)


@cache
def sample_run(name: str) -> Backtest:
    """The golden run of a starter, by the name of its file."""
    return run(STARTERS[name], sample())


def figures(backtest: Backtest) -> Figures:
    """What a golden run pins; fractions to nine significant digits."""
    metrics = backtest.metrics
    return {
        "bars_read": backtest.bars_read,
        "fills": len(backtest.fills),
        "trades": metrics.trades,
        "total_return": float(f"{metrics.total_return:.9g}"),
        "sharpe": float(f"{metrics.sharpe:.9g}"),
        "max_drawdown": float(f"{metrics.max_drawdown:.9g}"),
    }


def golden() -> dict[str, Figures]:
    """The pinned figures by name of strategy."""
    runs: dict[str, Figures] = json.loads(FILE.read_text(encoding="utf-8"))["runs"]
    return runs


def write() -> None:
    """Run everything and pin what comes out."""
    form = {
        "what": "the starter library over the sample market, fee 0.0005, slippage 0.0002, capital 100",
        "rewrite": "python tests/authors/starter_golden.py, and explain every change",
        "runs": {name: figures(sample_run(name)) for name in STARTERS},
    }
    FILE.write_text(json.dumps(form, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
