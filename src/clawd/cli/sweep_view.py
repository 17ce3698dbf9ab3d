"""What a sweep came to, for people and for programs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from rich.text import Text

from clawd.authors.parameter_grid import Variant
from clawd.cli.formats import count, number, percent
from clawd.cli.grid import Column, grid, screen
from clawd.cli.tables import note_lines
from clawd.cluster.best import Ranking
from clawd.cluster.study import Result, Study
from clawd.core.clock import duration, iso

_SHOWN = 10
_FIGURES = (
    Column("return"),
    Column("a year", matters=6),
    Column("Sharpe"),
    Column("drawdown", matters=8),
    Column("trades", matters=7),
    Column("win rate", matters=4),
    Column("turnover", matters=3),
    Column("exposure", matters=1),
)


@dataclass(frozen=True, eq=False)
class Swept:
    """A sweep that ended or was stopped.

    Attributes:
        study: what was asked for: one market, one window.
        variants: by the identity of their strategy.
        results: those that there are, each once, in the order asked for.
        ranked: the same by their Sharpe ratio.
        deflated: the deflated Sharpe ratio of the best, NaN where there is none.
        distinct: trials in the ledger.
        notes: what was decided, repaired and dropped when the market was read.
    """

    study: Study
    variants: Mapping[str, Variant]
    results: tuple[Result, ...]
    ranked: Ranking
    deflated: float
    distinct: int
    notes: tuple[str, ...]

    @property
    def missing(self) -> int:
        """How many results have not come."""
        return len(set(self.study.keys)) - len(self.results)

    @property
    def failures(self) -> list[Result]:
        return [result for result in self.results if result.failure is not None]

    def values(self, result: Result) -> Mapping[str, str]:
        """The parameters of a result."""
        return self.variants[result.key.strategy].values

    @property
    def span(self) -> tuple[str, str]:
        """The opens of the first and the last bar traded."""
        panel, (traded,) = self.study.markets[0], self.study.windows
        return iso(int(panel.times[traded.first])), iso(int(panel.times[traded.last - 1]))


def sweep_json(swept: Swept) -> dict[str, object]:
    """The sweep for programs: the best, the failures, and what luck would have shown."""
    study, ranked = swept.study, swept.ranked
    panel = study.markets[0]
    first, last = swept.span
    return {
        "first": first,
        "last": last,
        "bar": duration(panel.bar),
        "symbols": list(panel.symbols),
        "capital": f"{study.capital:f}",
        "combinations": len(study.strategies),
        "trials": ranked.trials,
        "missing": swept.missing,
        "failures": [{"parameters": swept.values(each), "reason": each.failure} for each in swept.failures],
        "distinct_trials": swept.distinct,
        "sharpe_spread": _or_none(ranked.spread),
        "best_sharpe_by_luck": _or_none(ranked.by_luck),
        "best_deflated_sharpe": _or_none(swept.deflated),
        "best": [
            {
                "parameters": swept.values(each),
                "content_hash": swept.variants[each.key.strategy].strategy.content_hash,
                **each.metrics.to_json(),
            }
            for each in ranked.results[:_SHOWN]
            if each.metrics is not None
        ],
    }


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value


def show_sweep(swept: Swept) -> None:
    """Print the best, the failures, and what the best of so many is worth."""
    console = screen()
    study, results = swept.study, swept.ranked.results
    panel, (traded,) = study.markets[0], study.windows
    line = (
        f"{', '.join(panel.symbols)}; {count(traded.last - traded.first, 'bar')} of {duration(panel.bar)}, "
        f"{' to '.join(swept.span)}; capital {study.capital:,f}, not compounded"
    )
    console.print(*(Text(each) for each in (line, *note_lines(swept.notes))), "", sep="\n")
    if results:
        columns = (*(Column(name) for name in swept.values(results[0])), *_FIGURES)
        rows = [_row(swept, each) for each in results[:_SHOWN]]
        console.print(grid(columns, rows, console.width, rest=True), "", sep="\n")
    failures = swept.failures
    for each in failures[:_SHOWN]:
        said = ", ".join(f"{name}={value}" for name, value in swept.values(each).items())
        console.print(Text(f"failed: {said}: {each.failure}", "red"), soft_wrap=True)
    if len(failures) > _SHOWN:
        console.print(Text(f"... and {len(failures) - _SHOWN:,} more failed", "red"))
    for text in _verdict(swept):
        console.print(Text(text), soft_wrap=True)
    console.print(Text(f"{count(swept.distinct, 'distinct trial')} in the ledger. A backtest proves nothing.", "dim"))


def _row(swept: Swept, result: Result) -> tuple[str, ...]:
    m = result.metrics
    assert m is not None
    return (
        *swept.values(result).values(),
        percent(m.total_return),
        percent(m.annual_return),
        number(m.sharpe),
        percent(m.max_drawdown),
        f"{m.trades:,}",
        percent(m.win_rate, 0),
        f"{number(m.turnover, 1)}x",
        percent(m.exposure, 0),
    )


def _verdict(swept: Swept) -> list[str]:
    """What the best of so many is worth."""
    study, ranked = swept.study, swept.ranked
    lines = []
    same = len(study.strategies) - len(set(study.identities))
    if same:
        lines.append(f"{count(same, 'combination')} mean the same as others, and are counted with them")
    if not ranked.results:
        return [*lines, "none of them has a Sharpe ratio"]
    best = ranked.results[0].metrics
    assert best is not None
    if not math.isnan(ranked.by_luck):
        lines += [
            f"best Sharpe ratio {number(best.sharpe)}, the highest of {count(ranked.trials, 'trial')}; were none of "
            f"them better than nothing, luck alone would show a best of about {number(ranked.by_luck)} "
            f"(standard deviation between the trials {number(ranked.spread)})",
            f"deflated: {percent(swept.deflated, 0)}, the chance that a Sharpe ratio is better than luck makes the "
            "best of all trials in the ledger",
        ]
    return lines
