"""``clawd backtest``: run strategies over bars, count them, and report."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from clawd.cli.formats import number, percent
from clawd.cli.options import BarOption, DataOption, UniverseOption, read_market, read_strategy, read_time
from clawd.core.clock import SystemClock, duration, iso
from clawd.core.costs import Costs
from clawd.core.errors import ClawdError
from clawd.core.panel import Panel
from clawd.core.settings import Settings
from clawd.engine.backtest import Backtest, run_backtest
from clawd.engine.metrics import drawdown, sharpe_ratio
from clawd.fleet.search import trial_of
from clawd.reports.backtest_html import backtest_html
from clawd.reports.buy_and_hold import buy_and_hold
from clawd.reports.trades_csv import trades_csv
from clawd.store.ledger import Ledger


def backtest(
    strategies: Annotated[
        list[str], typer.Argument(metavar="STRATEGY...", help="files, or names of starter strategies")
    ],
    data: DataOption = "sample",
    universe: UniverseOption = None,
    bar: BarOption = None,
    from_: Annotated[
        str | None, typer.Option("--from", help="first bar traded, a date or time, UTC; earlier bars warm up")
    ] = None,
    to: Annotated[str | None, typer.Option("--to", help="no bar that opens at or after this is read")] = None,
    capital: Annotated[
        float,
        typer.Option("--capital", min=1e-6, max=1e12, help="quote currency; exposures are shares of it"),
    ] = 10_000.0,
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
    trades: Annotated[Path | None, typer.Option("--trades", help="write every fill to this CSV file")] = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="write a report to this file; it needs nothing else to open")
    ] = None,
) -> None:
    """Backtest strategies on the sample market, the catalog, or a folder of bars. Each counts as a trial in the ledger."""
    settings = Settings()
    if (trades or html) and len(strategies) > 1:
        raise ClawdError("--trades and --html are for one strategy", hint="name one, or leave them out")
    for target in (trades, html):
        if target is not None and not target.resolve().parent.is_dir():
            raise ClawdError("the folder of the output does not exist", where=str(target))
    loaded = [read_strategy(name) for name in strategies]
    market = read_market(data, universe, bar)
    first, last = _window(market.panel, read_time(from_, "--from"), read_time(to, "--to"))
    costs = Costs(settings.fee, settings.slippage)
    money = Decimal(repr(capital))
    results = [run_backtest(strategy, market.panel, costs, money, first, last) for strategy in loaded]
    with Ledger.open(settings.home / "ledger.sqlite") as ledger:
        ledger.record([trial_of(result, market.fingerprint, "person", SystemClock().now()) for result in results])
        distinct = ledger.distinct()
    if trades is not None:
        _write(trades, trades_csv(results[0]))
    if html is not None:
        benchmark = buy_and_hold(results[0].panel, costs, money)
        _write(html, backtest_html(results[0], benchmark=benchmark, market=data))
    if as_json:
        typer.echo(json.dumps([_json(result) for result in results], indent=2))
    else:
        _show(results, costs, money, distinct)
        for target in (trades, html):
            if target is not None:
                typer.echo(f"written: {target}")


def _window(panel: Panel, start: int | None, end: int | None) -> tuple[int, int]:
    first = 0 if start is None else int(np.searchsorted(panel.times, start))
    last = panel.times.size if end is None else int(np.searchsorted(panel.times, end))
    if first >= last:
        span = f"{iso(int(panel.times[0]))} to {iso(int(panel.times[-1]))}"
        raise ClawdError("there is no bar between --from and --to", hint=f"the market has bars from {span}")
    return first, last


def _write(path: Path, text: str) -> None:
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        scratch.write_text(text, encoding="utf-8")
        scratch.replace(path)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise ClawdError(f"cannot be written: {error.strerror}", where=str(path)) from None


def _json(result: Backtest) -> dict[str, object]:
    return {
        "strategy": result.strategy.name,
        "content_hash": result.strategy.content_hash,
        "first": iso(int(result.panel.times[0])),
        "last": iso(int(result.panel.times[-1])),
        "bar": duration(result.panel.bar),
        "symbols": list(result.panel.symbols),
        "capital": f"{result.capital:f}",
        "fills": len(result.fills),
        "bars_read": result.bars_read,
        **result.metrics.to_json(),
    }


def _show(results: list[Backtest], costs: Costs, capital: Decimal, distinct: int) -> None:
    console = Console()
    panel = results[0].panel
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("strategy", no_wrap=True)
    for name in (
        "return",
        "a year",
        "Sharpe",
        "drawdown",
        "trades",
        "win rate",
        "expectancy",
        "turnover",
        "costs",
        "exposure",
    ):
        table.add_column(name, justify="right", no_wrap=True)
    for result in results:
        m = result.metrics
        paid = (m.fees + m.slippage + m.funding) / float(capital)
        table.add_row(
            Text(result.strategy.name),
            percent(m.total_return),
            percent(m.annual_return),
            number(m.sharpe),
            percent(m.max_drawdown),
            f"{m.trades:,}",
            percent(m.win_rate, 0),
            percent(m.expectancy, 2),
            f"{number(m.turnover, 1)}x",
            percent(paid),
            percent(m.exposure, 0),
        )
    equity = buy_and_hold(panel, costs, capital)
    money = float(capital)
    returns = np.diff(equity, prepend=money) / money
    years = equity.size / panel.bars_per_year
    table.add_section()
    table.add_row(
        Text("buy and hold", "dim"),
        percent(float(returns.sum())),
        percent(float(returns.sum()) / years),
        number(sharpe_ratio(returns, panel.bars_per_year)),
        percent(float(drawdown(equity, money).max())),
        *([""] * 6),
    )
    console.print(
        Text(
            f"{', '.join(panel.symbols)} · {panel.times.size:,} bars of {duration(panel.bar)} · "
            f"{iso(int(panel.times[0]))} to {iso(int(panel.times[-1]))} · capital {capital:,.0f}, not compounded"
        )
    )
    console.print(table)
    console.print(
        Text(
            f"{distinct:,} distinct trials in the ledger. The best of many looks better than it is: a backtest proves nothing.",
            "dim",
        )
    )
