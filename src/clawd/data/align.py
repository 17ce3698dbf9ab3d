"""Bars of several instruments, funding and outside series laid onto the union of the bars' times."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from clawd.core.errors import ClawdError
from clawd.core.instrument import Instrument
from clawd.core.panel import Floats, Panel
from clawd.data.columns import PRICES
from clawd.data.groups import label_codes
from clawd.data.market_hours import bars_per_year


@dataclass(frozen=True, eq=False)
class InstrumentBars:
    """What is known of one instrument.

    Attributes:
        symbol: its name, unique within a panel.
        bars: ``ts``, ``open``, ``high``, ``low``, ``close``, ``volume``, perhaps ``funding``; each time once.
        funding: ``ts`` (when a rate falls due) and ``rate``; it replaces a ``funding`` column of the bars.
    """

    symbol: str
    bars: pl.DataFrame
    funding: pl.DataFrame | None = None


@dataclass(frozen=True, eq=False)
class NamedSeries:
    """Values by their stamps, ``ts`` and ``value``, that become known `lag` nanoseconds later.

    Attributes:
        name: as in `Panel.series`.
        values: the stamps and values; a value that is NaN says that from then on it is not known.
        lag: nanoseconds.
        symbol: the instrument that they are of; None for the whole market.
    """

    name: str
    values: pl.DataFrame
    lag: int
    symbol: str | None = None


def align(
    instruments: Sequence[InstrumentBars],
    series: Sequence[NamedSeries],
    bar: int,
    groups: Mapping[str, Mapping[str, str]] | None = None,
) -> tuple[Panel, dict[str, int]]:
    """The panel of all instruments on the union of their times, sorted by symbol.

    A bar that an instrument lacks, and one whose high or low does not enclose its open and close, is missing:
    NaN in every field, never filled. Funding is the sum of the rates that fall due after a bar's open and not
    after its close. A series has the latest value whose stamp plus lag is not after a bar's close; of each name
    an instrument has its own series, or else that of the market, or else NaN.

    Args:
        instruments: at least one, with distinct symbols.
        series: each name once for the market and once for each instrument; those of other instruments do not
            matter.
        bar: duration of a bar in nanoseconds.
        groups: by classification, the labels by symbol; left out where no instrument has one.

    Returns:
        The panel, and for each symbol that had broken bars how many of them were dropped.

    Raises:
        ClawdError: a symbol is given twice, or an instrument has no bar left.
    """
    ordered = sorted(instruments, key=lambda each: each.symbol)
    symbols = [each.symbol for each in ordered]
    for symbol in symbols:
        if symbols.count(symbol) > 1:
            raise ClawdError("the instrument is given twice", where=symbol)
    whole = [each.bars.filter(encloses()).sort("ts") for each in ordered]
    dropped = {each.symbol: each.bars.height - bars.height for each, bars in zip(ordered, whole, strict=True)}
    for symbol, bars in zip(symbols, whole, strict=True):
        if bars.is_empty():
            raise ClawdError(
                "no bar is left: in none does the range from low to high hold open and close", where=symbol
            )
    times = pl.concat([bars["ts"] for bars in whole]).unique().sort().to_numpy()
    fields = {name: np.stack([_placed(times, bars, name) for bars in whole]) for name in (*PRICES, "volume")}
    weighted = any("vwap" in bars.columns for bars in whole)
    panel = Panel(
        instruments=tuple(
            Instrument.from_first_price(symbol, float(bars["open"][0]))
            for symbol, bars in zip(symbols, whole, strict=True)
        ),
        bar=bar,
        times=times,
        open=fields["open"],
        high=fields["high"],
        low=fields["low"],
        close=fields["close"],
        volume=fields["volume"],
        funding=np.stack([_funding(times, each, bars, bar) for each, bars in zip(ordered, whole, strict=True)]),
        bars_per_year=bars_per_year(times, bar),
        series=_laid(times + bar, symbols, series),
        groups={
            name: label_codes(symbols, labels)
            for name, labels in sorted((groups or {}).items())
            if any(symbol in labels for symbol in symbols)
        },
        vwap=np.stack([_placed(times, bars, "vwap") for bars in whole]) if weighted else None,
    )
    return panel, {symbol: count for symbol, count in dropped.items() if count}


def encloses() -> pl.Expr:
    """True for bars whose range from low to high holds their open and close."""
    highest = pl.max_horizontal("open", "close", "low")
    lowest = pl.min_horizontal("open", "close", "high")
    return (pl.col("high") >= highest) & (pl.col("low") <= lowest)


def fingerprint(panel: Panel) -> str:
    """16 hexadecimal digits that change when any value, time, symbol, group or the bar of the panel changes."""
    series, groups = sorted(panel.series), sorted(panel.groups)
    digest = hashlib.sha256(repr((panel.symbols, panel.bar, panel.times.size, series)).encode())
    digest.update(np.ascontiguousarray(panel.times).tobytes())
    fields = [panel.open, panel.high, panel.low, panel.close, panel.volume, panel.funding]
    per_instrument = [name for name in series if panel.series[name].ndim > 1]
    if per_instrument or groups or panel.vwap is not None:
        # Only panels that have these are marked, so that the prints of those without have stayed what they were.
        digest.update(repr((per_instrument, groups, panel.vwap is not None)).encode())
        for name in groups:
            digest.update(np.ascontiguousarray(panel.groups[name], np.int64).tobytes())
        fields += [] if panel.vwap is None else [panel.vwap]
    for values in (*fields, *(panel.series[name] for name in series)):
        # Zeros have two signs and NaN many patterns; equal panels have equal prints.
        digest.update(np.ascontiguousarray(np.where(np.isnan(values), np.nan, values + 0.0)).tobytes())
    return digest.hexdigest()[:16]


def _placed(times: NDArray[np.int64], bars: pl.DataFrame, name: str) -> Floats:
    row = np.full(times.size, np.nan)
    if name in bars.columns:
        row[np.searchsorted(times, bars["ts"].to_numpy())] = bars[name].fill_null(np.nan).to_numpy()
    return row


def _funding(times: NDArray[np.int64], instrument: InstrumentBars, bars: pl.DataFrame, bar: int) -> Floats:
    opens = bars["ts"].to_numpy()
    values = np.zeros(opens.size)
    if instrument.funding is not None:
        stamps, rates = instrument.funding["ts"].to_numpy(), instrument.funding["rate"].to_numpy()
        holder = np.searchsorted(opens, stamps, side="left") - 1
        held = (holder >= 0) & (stamps <= opens[holder] + bar)
        np.add.at(values, holder[held], rates[held])
    elif "funding" in bars.columns:
        values = bars["funding"].fill_null(0.0).to_numpy()
    row = np.full(times.size, np.nan)
    row[np.searchsorted(times, opens)] = values
    return row


def _laid(closes: NDArray[np.int64], symbols: Sequence[str], series: Sequence[NamedSeries]) -> dict[str, Floats]:
    """Each name's values at the closes: [T] where they are of the market alone, else [I, T]."""
    found: dict[str, Floats] = {}
    for name in sorted({each.name for each in series}):
        values = {each.symbol: _as_of(closes, each) for each in series if each.name == name}
        common = values.get(None, np.full(closes.size, np.nan))
        if any(symbol in values for symbol in symbols):
            found[name] = np.stack([values.get(symbol, common) for symbol in symbols])
        elif None in values:
            found[name] = common
    return found


def _as_of(closes: NDArray[np.int64], series: NamedSeries) -> Floats:
    values = series.values.sort("ts")
    latest = np.searchsorted(values["ts"].to_numpy() + series.lag, closes, side="right") - 1
    row = values["value"].to_numpy()[np.maximum(latest, 0)]
    return np.where(latest >= 0, row, np.nan)
