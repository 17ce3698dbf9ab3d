"""A backtest from what was asked for to what is kept of it."""

from __future__ import annotations

import gzip
import json
import math
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clawd.backtests.request import Request, strategy_in
from clawd.backtests.result import arrays, figures_json, with_drawn
from clawd.backtests.run import Stage
from clawd.core.clock import Clock
from clawd.core.costs import Costs
from clawd.engine.backtest import decide, traded
from clawd.engine.stop_lines import stop_lines
from clawd.engine.trades import Fills
from clawd.engine.warm import warm_up
from clawd.reports.backtest_html import backtest_html
from clawd.reports.buy_and_hold import buy_and_hold
from clawd.reports.view import View
from clawd.research.backtests import count_backtests, luck_of
from clawd.research.market import named_market, unsealed, window
from clawd.store.ledger_file import ledger_path

#: Told the stage and which share of it is done.
Say = Callable[[Stage, float], None]


def study(request: Request, home: Path, folder: Path, clock: Clock, say: Say, may_show: Callable[[], bool]) -> bool:
    """Run a backtest and write what came of it into a folder.

    It is counted in the ledger when it is certain that it will be shown, and before it is.

    Args:
        request: what was asked for.
        home: where the catalog and the ledger lie.
        folder: to be made and written; not there yet.
        clock: stamps the trial.
        say: told of the progress.
        may_show: asked once, when all is worked out; false ends it with nothing counted or written.

    Returns:
        Whether it was counted and written.

    Raises:
        ClawdError: when the strategy or the market cannot be had, or do not fit.
    """
    strategy, (start, end) = strategy_in(request.text), request.span
    say("compiling", 0.0)
    warm_up()
    say("reading", 0.0)
    ledger = ledger_path(home)
    market, sealed = unsealed(named_market(request.data, request.universe, request.size, home), start, ledger)
    first, last = window(market.panel, start, end)
    costs, capital = Costs(request.fee, request.slippage), request.capital
    decided = decide(strategy, market.panel, first, last, say)
    result = traded(decided, costs, capital, say)
    say("measuring", 0.0)
    assert isinstance(result.fills, Fills)
    stops = stop_lines(decided, costs, capital, result.fills.rows)
    view = View(result, buy_and_hold(result.panel, costs, capital))
    kept = arrays(view, stops)
    figures = with_drawn(figures_json(view), kept)
    say("measuring", 0.5)
    report = backtest_html(result, benchmark=view.benchmark, market=request.data)
    if not may_show():
        return False
    say("writing", 0.0)
    folder.mkdir()
    _write_arrays(folder / "arrays.npz", kept)
    (folder / "report.html.gz").write_bytes(gzip.compress(report.encode(), 1, mtime=0))
    distinct = count_backtests([result], market, first, last, ledger, clock.now())
    luck = luck_of(result, market, ledger)
    found = {
        **figures,
        "sealed": sealed,
        "notes": list(market.notes),
        "fingerprint": market.fingerprint,
        "distinct_trials": distinct,
        "luck": {"trials": luck.trials, "expected": _known(luck.expected), "deflated": _known(luck.deflated)},
    }
    (folder / "result.json").write_text(json.dumps(found, allow_nan=False), encoding="utf-8")
    return True


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _write_arrays(path: Path, named: Mapping[str, NDArray[Any]]) -> None:
    """As ``numpy.savez_compressed`` does, with the quickest compression: prices hardly shrink further."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, values in named.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.ascontiguousarray(values), allow_pickle=False)
