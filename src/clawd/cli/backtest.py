"""``clawd backtest``: run strategies over bars, count them, and report."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import Annotated, TextIO

import numpy as np
import typer
from rich.text import Text

from clawd.cli.compiling import ready_engine
from clawd.cli.formats import count, number, percent
from clawd.cli.grid import Column, grid, screen
from clawd.cli.market import read_market, unsealed, window
from clawd.cli.options import (
    BarOption,
    CapitalOption,
    DataOption,
    FromOption,
    JsonOption,
    ToOption,
    UniverseOption,
    read_amount,
    read_strategy,
    read_time,
)
from clawd.cli.settings import read_settings
from clawd.cli.tables import note_lines
from clawd.core.clock import SystemClock, duration, iso
from clawd.core.costs import Costs
from clawd.core.errors import ClawdError
from clawd.core.panel import Panel
from clawd.engine.backtest import Backtest, run_backtest
from clawd.engine.metrics import drawdown
from clawd.evidence.sharpe import sharpe_ratio
from clawd.reports.backtest_html import backtest_html
from clawd.reports.buy_and_hold import buy_and_hold
from clawd.reports.trades_csv import trades_csv
from clawd.research.backtests import count_backtests, summary_json
from clawd.store.ledger_file import ledger_path

_COLUMNS = (
    Column("strategy", left=True, least=20, most=40),
    Column("return"),
    Column("a year", matters=6),
    Column("Sharpe"),
    Column("drawdown", matters=8),
    Column("trades", matters=7),
    Column("win rate", matters=4),
    Column("expectancy", matters=2),
    Column("turnover", matters=3),
    Column("costs", matters=5),
    Column("exposure", matters=1),
)


def backtest(
    strategies: Annotated[list[str], typer.Argument(metavar="STRATEGY", help="files, or names of starter strategies")],
    data: DataOption = "sample",
    universe: UniverseOption = None,
    bar: BarOption = None,
    from_: FromOption = None,
    to: ToOption = None,
    capital: CapitalOption = "10000",
    as_json: JsonOption = False,
    trades: Annotated[
        Path | None, typer.Option("--trades", metavar="FILE", help="write every fill to this CSV file")
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="write a report to this file; it needs nothing else to open"),
    ] = None,
) -> None:
    """Backtest strategies on the sample market, the catalog, or a folder of bars.

    Each counts as a trial in the ledger.
    """
    settings = read_settings()
    money = read_amount(capital, "--capital")
    if (trades or html) and len(strategies) > 1:
        raise ClawdError("--trades and --html are for one strategy", hint="name one, or leave them out")
    if trades and html and trades.resolve() == html.resolve():
        raise ClawdError("--trades and --html name the same file", where=str(html))
    start, end = read_time(from_, "--from"), read_time(to, "--to")
    loaded = [read_strategy(name) for name in strategies]
    with output(trades, "--trades") as trades_file, output(html, "--html") as html_file:
        market, sealed = unsealed(read_market(data, universe, bar), start)
        first, last = window(market.panel, start, end)
        costs = Costs(settings.fee, settings.slippage)
        ready_engine()
        results = [run_backtest(strategy, market.panel, costs, money, first, last) for strategy in loaded]
        distinct = count_backtests(results, market, first, last, ledger_path(settings.home), SystemClock().now())
        if trades_file is not None:
            trades_file.write(trades_csv(results[0]))
        if html_file is not None:
            benchmark = buy_and_hold(results[0].panel, costs, money)
            html_file.write(backtest_html(results[0], benchmark=benchmark, market=data))
    if sealed:
        typer.echo(sealed, err=as_json)
    if as_json:
        typer.echo(json.dumps([summary_json(result) for result in results], indent=2))
        return
    shown = results[0].panel if len(results) == 1 else market.panel.between(first, last)
    _show(results, shown, costs, money, distinct, note_lines(market.notes))
    for target in (trades, html):
        if target is not None:
            typer.echo(f"written: {target}")


@contextmanager
def output(path: Path | None, option: str) -> Iterator[TextIO | None]:
    """A file that stands under its name, whole, when the block has ended well, and otherwise not at all.

    It is begun beside its place at once: where nothing can be written, nothing is computed and counted either.
    """
    if path is None:
        yield None
        return
    if path.is_dir():
        raise ClawdError("this is a folder, not a file", where=f"{option} {path}")
    if not path.resolve().parent.is_dir():
        raise ClawdError("the folder of the output does not exist", where=f"{option} {path}")
    scratch = path.with_name(f".{path.name}.{os.getpid()}{option}")
    try:
        with scratch.open("w", encoding="utf-8", newline="") as file:
            yield file
        scratch.replace(path)
    except OSError as error:
        raise ClawdError(f"cannot be written: {error.strerror}", where=f"{option} {path}") from None
    finally:
        with suppress(OSError):
            scratch.unlink()


def _show(
    results: Sequence[Backtest], panel: Panel, costs: Costs, capital: Decimal, distinct: int, notes: Sequence[str]
) -> None:
    console = screen()
    rows = [*(_row(result) for result in results), _benchmark(panel, costs, capital)]
    line = (
        f"{', '.join(panel.symbols)}; {count(panel.times.size, 'bar')} of {duration(panel.bar)}, "
        f"{iso(int(panel.times[0]))} to {iso(int(panel.times[-1]))}; capital {capital:,f}, not compounded"
    )
    said = [Text(each) for each in (line, *notes)]
    console.print(*said, "", grid(_COLUMNS, rows, console.width, rest=True), sep="\n")
    console.print(
        Text(
            f"\n{count(distinct, 'distinct trial')} in the ledger. The best of many looks better than it is: "
            "a backtest proves nothing.",
            "dim",
        )
    )


def _row(result: Backtest) -> tuple[Text | str, ...]:
    m = result.metrics
    return (
        Text(result.strategy.name),
        percent(m.total_return),
        percent(m.annual_return),
        number(m.sharpe),
        percent(m.max_drawdown),
        f"{m.trades:,}",
        percent(m.win_rate, 0),
        percent(m.expectancy, 2),
        f"{number(m.turnover, 1)}x",
        percent((m.fees + m.slippage + m.funding) / float(result.capital)),
        percent(m.exposure, 0),
    )


def _benchmark(panel: Panel, costs: Costs, capital: Decimal) -> tuple[Text | str, ...]:
    money = float(capital)
    equity = buy_and_hold(panel, costs, capital)
    returns = np.diff(equity, prepend=money) / money
    figures = (
        percent(float(returns.sum())),
        percent(float(returns.mean()) * panel.bars_per_year),
        number(sharpe_ratio(returns, panel.bars_per_year)),
        percent(float(drawdown(equity, money).max())),
    )
    return (Text("buy and hold", "dim"), *(Text(figure, "dim") for figure in figures), *([""] * 6))
