"""The stages of a run as JSON, one object a line, for programs."""

from __future__ import annotations

import json
import math
from typing import Any

import typer

from clawd.core.clock import duration, iso
from clawd.fleet.campaign import BarTraded, Compiling, Ended, MarketRead, PaperBegan, Searched, Stage, Tried

_QUIET = (
    "BarClosed",
    "BooksMarked",
    "IntentsProposed",
    "OrderMoved",
    "OrderSubmitted",
    "DayOpened",
    "OrderCancelled",
)


class JsonView:
    """Prints what happened; each line has a ``stage``."""

    def __enter__(self) -> JsonView:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def show(self, stage: Stage) -> None:
        """Print a stage."""
        match stage:
            case MarketRead():
                panel = stage.market.panel
                findings = [
                    {
                        "symbol": each.symbol,
                        "kind": each.kind,
                        "severity": each.severity,
                        "count": each.count,
                        "place": each.place,
                    }
                    for each in stage.market.findings
                ]
                _print(
                    "market",
                    symbols=list(panel.symbols),
                    series=sorted(panel.series),
                    bars=int(panel.times.size),
                    bar=duration(panel.bar),
                    first=iso(int(panel.times[0])),
                    paper_from=iso(int(panel.times[stage.first])),
                    last=iso(int(panel.times[-1])),
                    fingerprint=stage.market.fingerprint,
                    findings=findings,
                    notes=list(stage.market.notes),
                )
            case Compiling():
                _print("compiling")
            case Tried():
                candidate = stage.candidate
                figures = candidate.result.metrics.to_json() if candidate.result else None
                _print(
                    "tried",
                    strategy=candidate.strategy.name,
                    hash=candidate.strategy.content_hash,
                    metrics=figures,
                    done=stage.done,
                    total=stage.total,
                )
            case Searched():
                ranking = [
                    {
                        "strategy": candidate.strategy.name,
                        "hash": candidate.strategy.content_hash,
                        "sharpe": _number(candidate.sharpe),
                        "sharpe_at_double_costs": _number(candidate.stressed_sharpe),
                        "deflated_sharpe": _number(stage.deflated.get(candidate.strategy.content_hash, math.nan)),
                        "rejection": candidate.rejection,
                    }
                    for candidate in stage.candidates
                ]
                _print(
                    "searched",
                    ranking=ranking,
                    new_trials=stage.new_trials,
                    distinct_trials=stage.distinct_trials,
                    distinct_strategies=stage.distinct_strategies,
                )
            case PaperBegan():
                _print(
                    "paper",
                    run=stage.run.books.start.run,
                    journal=str(stage.path),
                    resumed_bars=stage.run.resumed_bars,
                    state=stage.ordered.switch.state,
                )
            case BarTraded():
                for event in stage.events:
                    if event.kind not in _QUIET:
                        _print(
                            "event",
                            time=iso(stage.books.time),
                            kind=event.kind,
                            **event.model_dump(mode="json", exclude={"time"}),
                        )
            case Ended():
                _print("summary", stopped=stage.stopped, **stage.summary.to_json())


def _print(stage: str, **fields: Any) -> None:
    typer.echo(json.dumps({"stage": stage, **fields}))


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
