"""The quality report: what is wrong, or merely odd, about an instrument's bars."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from clawd.core.clock import duration, iso
from clawd.core.panel import NANOSECONDS_PER_DAY, Floats
from clawd.data.align import encloses
from clawd.data.columns import PRICES
from clawd.data.finding import Finding, Kind, Severity
from clawd.data.gaps import find_gaps

# The measures were set on real bars of crypto, equities and currencies, so that crashes, which do come back
# in part, are mostly left alone and misprints are not.
_SPIKE = 10.0  # robust deviations from close to close
_WICK = 30.0  # robust deviations that high or low stand off the body
_REVERSED = 0.7  # share of a spike that the next bar takes back
_LOCAL = 101  # bars around a bar that tell its usual move
_LONG_RUN = 20  # equal bars in a row
_LONG_RUN_LASTS = NANOSECONDS_PER_DAY // 2
_DEATH_LASTS = 2 * NANOSECONDS_PER_DAY


def check(frame: pl.DataFrame, symbol: str, bar: int) -> list[Finding]:
    """What is worth knowing about bars before trading on them, the gravest first.

    Args:
        frame: ``ts`` (int64, UTC nanoseconds), ``open``, ``high``, ``low``, ``close`` and ``volume``
            (float64, null where missing), raw: in any order, with duplicates and wrong values.
        symbol: of the instrument.
        bar: duration of a bar in nanoseconds.
    """
    bars = frame.select("ts", *PRICES, "volume")
    # What is wrong with values and rows is said once; everything after looks at what is left, in order.
    sound = bars.filter(pl.all_horizontal(pl.col(PRICES).is_finite().fill_null(False) & (pl.col(PRICES) > 0)))
    ordered = sound.sort("ts", maintain_order=True).unique("ts", keep="first", maintain_order=True)
    found = [*_values(bars, symbol), *_rows(bars, symbol)]
    if ordered.height > 1:
        found += [
            *_spacing(ordered, symbol, bar),
            *_shape(ordered, symbol),
            *_stillness(ordered, symbol, bar),
        ]
    severities = ("error", "warning", "note")
    return sorted(found, key=lambda finding: severities.index(finding.severity))


def _values(bars: pl.DataFrame, symbol: str) -> Iterator[Finding]:
    prices = pl.col(PRICES)
    wrongs: tuple[tuple[Kind, pl.Expr, str], ...] = (
        ("missing_value", pl.any_horizontal(prices.is_null() | prices.is_nan()), "a price is missing"),
        ("infinite", pl.any_horizontal(prices.is_infinite()), "a price is infinite"),
        (
            "negative",
            pl.any_horizontal(prices <= 0) | (pl.col("volume") < 0),
            "a price is not positive or a volume negative",
        ),
    )
    for kind, wrong, message in wrongs:
        times = bars.filter(wrong)["ts"]
        yield from _if_any(kind, "error", symbol, times, f"{_bars(len(times))}: {message}")


def _rows(bars: pl.DataFrame, symbol: str) -> Iterator[Finding]:
    backward = bars.filter(pl.col("ts").diff() < 0)["ts"]
    message = f"{_rows_of(len(backward))} before the row above in time; an import sorts them"
    yield from _if_any("disorder", "warning", symbol, backward, message)
    shared = bars.filter(pl.col("ts").is_duplicated())
    repeated = shared.filter(~pl.struct(pl.all()).is_first_distinct())["ts"]
    message = f"{_rows_of(len(repeated))} repeated; an import keeps one of each"
    yield from _if_any("duplicate", "warning", symbol, repeated, message)
    twins = shared.unique(maintain_order=True).filter(~pl.col("ts").is_first_distinct())["ts"]
    message = f"{_rows_of(len(twins))} at the time of another row with other values"
    yield from _if_any("duplicate", "error", symbol, twins, message)


def _spacing(bars: pl.DataFrame, symbol: str, bar: int) -> Iterator[Finding]:
    times = bars["ts"].to_numpy()
    close = bars["ts"].filter(bars["ts"].diff().fill_null(bar) < bar)
    message = f"{_bars(len(close))} opened before the bar above closed ({duration(bar)} bars)"
    yield from _if_any("overlap", "warning", symbol, close, message)
    gaps = find_gaps(times, bar)
    if gaps.missing.size:
        longest = int(np.argmax(gaps.missing))
        in_a_row = f" at most {gaps.missing[longest]:,} in a row," if gaps.missing[longest] > 1 else ""
        message = (
            f"{_counted(gaps.missing.size, 'gap')} with {_bars(int(gaps.missing.sum()))} missing,"
            f"{in_a_row} after {iso(int(gaps.after[longest]))}"
        )
        yield from _if_any("gap", "warning", symbol, pl.Series(gaps.after), message)


def _shape(bars: pl.DataFrame, symbol: str) -> Iterator[Finding]:
    broken = bars.filter(~encloses())["ts"]
    message = f"{_bars(len(broken))}: the range from low to high does not hold open and close; dropped from panels"
    yield from _if_any("ohlc", "warning", symbol, broken, message)
    whole = bars.filter(encloses())
    if whole.height < _LONG_RUN:
        return
    strange = whole.filter(_misprints(*(whole[role].to_numpy() for role in PRICES)))["ts"]
    message = f"{_bars(len(strange))} with a price far off and taken back at once: misprints or flash crashes"
    yield from _if_any("bad_tick", "warning", symbol, strange, message)


def _misprints(opened: Floats, high: Floats, low: Floats, close: Floats) -> NDArray[np.bool_]:
    """[n], true where the close leaps and is taken back, or high or low stand far off the body."""
    leaps = np.diff(np.log(close))
    moving = leaps[leaps != 0]
    if not moving.size:
        return np.zeros(close.size, dtype=np.bool_)
    usual = float(np.median(np.abs(moving)))
    local = pl.Series(np.abs(leaps)).rolling_median(_LOCAL, min_samples=_LONG_RUN, center=True).fill_null(0.0)
    deviation = 1.4826 * np.maximum(local.to_numpy(), usual)
    deviation = np.concatenate([deviation[:1], deviation])  # a bar's own, the first bar having none
    taken_back = np.abs(leaps[:-1] + leaps[1:]) <= (1 - _REVERSED) * np.abs(leaps[:-1])
    spike = np.zeros(close.size, dtype=np.bool_)
    spike[1:-1] = taken_back & (np.abs(leaps[:-1]) > _SPIKE * deviation[1:-1])
    wick = np.maximum(np.log(high / np.maximum(opened, close)), np.log(np.minimum(opened, close) / low))
    return spike | (wick > _WICK * deviation)


def _stillness(bars: pl.DataFrame, symbol: str, bar: int) -> Iterator[Finding]:
    prices = bars.select(PRICES)
    still = (prices == prices.shift(1)).select(pl.all_horizontal(pl.all()))["open"].fill_null(False).to_numpy()
    edges = np.flatnonzero(np.diff(np.concatenate([[0], still, [0]])))
    starts, ends = edges[::2] - 1, edges[1::2]  # of each run, from the first of the equal bars
    long = (ends - starts >= _LONG_RUN) & ((ends - starts) * bar >= _LONG_RUN_LASTS)
    starts, ends = starts[long], ends[long]
    times = bars["ts"]
    if ends.size and ends[-1] == bars.height and (ends[-1] - starts[-1]) * bar >= _DEATH_LASTS:
        first, price = int(starts[-1]), float(bars["close"][-1])
        count = int(ends[-1]) - first
        message = f"the price stands at {price:g} for {_bars(count)} to the end: it seems to have died"
        yield Finding("dead", "warning", symbol, iso(int(times[first])), count, message)
        starts, ends = starts[:-1], ends[:-1]
    lengths = ends - starts
    if lengths.size:
        longest = int(np.argmax(lengths))
        message = (
            f"{_counted(lengths.size, 'run')} of equal bars, at most {lengths[longest]:,} in a row,"
            f" from {iso(int(times[int(starts[longest])]))}"
        )
        yield from _if_any("constant_price", "warning", symbol, times.gather(starts.tolist()), message)
    idle = bars.filter(pl.col("volume") == 0)["ts"]
    message = f"{_bars(len(idle))} of {bars.height:,} without volume: orders do not fill there"
    yield from _if_any("zero_volume", "note", symbol, idle, message)


def _if_any(kind: Kind, severity: Severity, symbol: str, times: pl.Series, message: str) -> Iterator[Finding]:
    if len(times):
        shown = ", ".join(iso(int(time)) for time in times.head(3))
        yield Finding(kind, severity, symbol, shown + (", ..." if len(times) > 3 else ""), len(times), message)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _bars(count: int) -> str:
    return _counted(count, "bar")


def _rows_of(count: int) -> str:
    return f"{_counted(count, 'row')} {'is' if count == 1 else 'are'}"
