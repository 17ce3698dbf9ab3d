"""Backtests side by side: their curves from the same start, what they were given, and what came of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from clawd.backtests.reading import Kept
from clawd.backtests.request import strategy_in
from clawd.backtests.run import Run
from clawd.core.clock import iso
from clawd.core.errors import ClawdError
from clawd.core.panel import Floats
from clawd.language.exits import Exits
from clawd.language.strategy import Strategy
from clawd.reports.thinning import MOST_POINTS, kept_places

#: How many may stand side by side.
FEWEST, MOST = 2, 6

Unit = Literal["share", "ratio", "count", "amount"]


@dataclass(frozen=True, eq=False)
class Curve:
    """The equity of a run over the common span, 100 at its start.

    Attributes:
        times: int64 [P], UTC nanoseconds.
        values: [P].
    """

    times: NDArray[np.int64]
    values: Floats


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that was given to the runs and is not the same for all.

    Attributes:
        what: its name.
        values: of each run, for people.
        text: the change in words.
    """

    what: str
    values: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """A figure of each run.

    Attributes:
        key, label, meaning: of the figure.
        unit: how it is written.
        values: None where it does not exist.
        best: the places of the best values; empty where there is no better and worse, or all are alike.
    """

    key: str
    label: str
    meaning: str
    unit: Unit
    values: tuple[float | None, ...]
    best: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Runs side by side.

    Attributes:
        start, end: the common span, UTC nanoseconds; None where there is none, and no curves then.
        curves: of each run; None where its equity at the start of the span was gone.
        differences: in what they were given.
        rows: what came of it, each over all of its own bars.
        warnings: why they may not be comparable.
    """

    start: int | None
    end: int | None
    curves: tuple[Curve | None, ...]
    differences: tuple[Difference, ...]
    rows: tuple[Row, ...]
    warnings: tuple[str, ...]


def compare(runs: Sequence[Run], results: Sequence[Mapping[str, Any]], kept: Sequence[Kept]) -> Comparison:
    """Put runs side by side.

    Args:
        runs: those that are done, ``FEWEST`` to ``MOST`` of them, all different.
        results: what is kept of each, in short.
        kept: and at length.
    """
    times = [each["times"] for each in kept]
    start, end = max(int(each[0]) for each in times), min(int(each[-1]) for each in times)
    curves: tuple[Curve | None, ...] = (None,) * len(runs)
    if start < end:
        curves = tuple(
            _rebased(own, each["equity"], start, end, MOST_POINTS) for own, each in zip(times, kept, strict=True)
        )
    return Comparison(
        start=start if start < end else None,
        end=end if start < end else None,
        curves=curves,
        differences=tuple(_differences(runs)),
        rows=tuple(_row(results, *row) for row in _ROWS),
        warnings=tuple(_warnings(runs, results, start, end, curves)),
    )


def _rebased(times: NDArray[np.int64], equity: Floats, start: int, end: int, most: int) -> Curve | None:
    """The equity within the span as a multiple of what it was at its start, times 100."""
    first = int(np.searchsorted(times, start, side="right")) - 1
    last = int(np.searchsorted(times, end, side="right"))
    base = float(equity[first])
    if base <= 0:
        return None
    values = equity[first:last] * (100.0 / base)
    places = kept_places([values], most)
    return Curve(np.maximum(times[first:last][places], start), values[places])


#: Key, label, meaning, unit, and whether more is better, less is, or neither.
_ROWS: tuple[tuple[str, str, str, Unit, bool | None], ...] = (
    ("total_return", "Total return", "profit over the capital", "share", True),
    ("annual_return", "Annual return", "a year's worth of the mean bar, not compounded", "share", True),
    ("annual_volatility", "Annual volatility", "standard deviation of returns, for a year", "share", False),
    ("sharpe", "Sharpe ratio", "annual return over annual volatility, no risk-free rate", "ratio", True),
    ("max_drawdown", "Max drawdown", "largest fall from a peak, as a share of that peak", "share", False),
    ("trades", "Closed trades", "positions from flat to flat", "count", None),
    ("win_rate", "Win rate", "closed trades that made money after fees", "share", True),
    ("expectancy", "Expectancy", "mean net profit of a closed trade, as a share of the capital", "share", True),
    ("profit_factor", "Profit factor", "money won over money lost", "ratio", True),
    ("turnover", "Turnover", "notional traded in a year over the capital", "ratio", None),
    ("exposure", "Exposure", "mean gross exposure over the capital", "share", None),
    ("fees", "Fees", "paid to the venue, quote currency", "amount", None),
    ("slippage", "Slippage", "given up by market and stop orders, quote currency", "amount", None),
    ("funding", "Funding", "paid for holding, quote currency; negative when received", "amount", None),
    ("bars", "Bars", "that were traded over", "count", None),
)


def _row(
    results: Sequence[Mapping[str, Any]], key: str, label: str, meaning: str, unit: Unit, more: bool | None
) -> Row:
    values = tuple(result["figures"][key] for result in results)
    known = [value for value in values if value is not None]
    best: tuple[int, ...] = ()
    if more is not None and len(known) > 1 and min(known) != max(known):
        wanted = max(known) if more else min(known)
        best = tuple(place for place, value in enumerate(values) if value == wanted)
    return Row(key, label, meaning, unit, values, best)


def _differences(runs: Sequence[Run]) -> Iterator[Difference]:
    strategies = [strategy_in(run.request.text) for run in runs]
    names = list(dict.fromkeys(name for each in strategies for name in each.let))
    parts: list[tuple[str, Callable[[int], str]]] = [
        *((f"part {name}", _part(strategies, name)) for name in names),
        ("position", lambda place: strategies[place].target_text or strategies[place].target.text),
    ]
    for name in (field.name for field in fields(Exits)):
        parts.append((f"exit {name.replace('_', ' ')}", _exit(strategies, name)))
    requests = [run.request for run in runs]
    parts += [
        ("instruments of the strategy", lambda place: ", ".join(strategies[place].universe or ()) or "all"),
        ("market", lambda place: requests[place].data),
        ("instruments", lambda place: requests[place].universe or "all"),
        ("bars", lambda place: requests[place].bar or "as the market has them"),
        ("from", lambda place: requests[place].start or "the first bar"),
        ("to", lambda place: requests[place].end or "the last bar"),
        ("capital", lambda place: f"{requests[place].capital:,f}"),
        ("fee", lambda place: _percent(float(requests[place].fee))),
        ("slippage", lambda place: _percent(float(requests[place].slippage))),
    ]
    for what, value in parts:
        values = tuple(value(place) for place in range(len(runs)))
        if len(set(values)) > 1:
            yield Difference(what, values, _in_words(what, values))


def _part(strategies: Sequence[Strategy], name: str) -> Callable[[int], str]:
    return lambda place: strategies[place].let.get(name, "none")


def _exit(strategies: Sequence[Strategy], name: str) -> Callable[[int], str]:
    def said(place: int) -> str:
        value = getattr(strategies[place].exits, name)
        parts = value if isinstance(value, tuple) else () if value is None else (value,)
        return "; ".join(map(str, parts)) or "none"

    return said


def _percent(share: float) -> str:
    return f"{share * 100:.6g}%"


def _in_words(what: str, values: Sequence[str]) -> str:
    """Such as ``part fast: 10 in run 1, 20 in runs 2 and 3``."""
    said = []
    for value in dict.fromkeys(values):
        places = [str(place + 1) for place, each in enumerate(values) if each == value]
        listed = places[0] if len(places) == 1 else f"{', '.join(places[:-1])} and {places[-1]}"
        said.append(f"{value} in run{'s' if len(places) > 1 else ''} {listed}")
    return f"{what}: {', '.join(said)}"


def _warnings(
    runs: Sequence[Run],
    results: Sequence[Mapping[str, Any]],
    start: int,
    end: int,
    curves: Sequence[Curve | None],
) -> Iterator[str]:
    figures = [result["figures"] for result in results]
    if len({tuple(each["symbols"]) for each in figures}) > 1 or len({run.request.data for run in runs}) > 1:
        yield "They traded different markets: a better figure may be a better market."
    elif len({result["fingerprint"] for result in results}) > 1:
        yield "Their bars are not the same: the market has changed between them, or they read another stretch of it."
    if len({each["bar"] for each in figures}) > 1:
        yield "Their bars are of different sizes."
    if len({(each["first"], each["last"]) for each in figures}) > 1:
        common = f"the curves show {iso(start)} to {iso(end)}, which all have" if start < end else "they share none"
        yield f"They cover different stretches of time: {common}; the figures are those of each run's own stretch."
    if len({(run.request.fee, run.request.slippage) for run in runs}) > 1:
        yield "They paid different costs."
    if len({run.request.capital for run in runs}) > 1:
        yield "They had different capital: amounts are not comparable, shares are."
    if len({run.content_hash for run in runs}) == 1:
        yield "They are the same strategy."
    for place, curve in enumerate(curves, start=1):
        if curve is None and start < end:
            yield f"Run {place} had lost its capital where the common stretch begins, so it has no curve."


def checked_count(count: int) -> None:
    """Refuse to compare too few or too many.

    Raises:
        ClawdError: naming how many may be compared.
    """
    if not FEWEST <= count <= MOST:
        raise ClawdError(f"{count} backtests cannot be compared", where="ids", hint=f"name {FEWEST} to {MOST}")


def known(value: float) -> float | None:
    """A number for JSON: None where it does not exist."""
    return value if math.isfinite(value) else None
