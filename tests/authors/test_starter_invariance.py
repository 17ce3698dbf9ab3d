"""What should not matter does not: the future, the unit of prices, the order of instruments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from starter_golden import STARTERS, run, sample, sample_run

from clawd.core.instrument import Instrument
from clawd.core.panel import NANOSECONDS_PER_DAY, Panel
from clawd.engine.trades import Fill

PRICES = ("open", "high", "low", "close")
FIELDS = (*PRICES, "volume", "funding")
CUTS = (300, 777, 1500, 2604, 4441)

every = pytest.mark.parametrize("name", STARTERS)


def before(fills: Sequence[Fill], time: int) -> list[Fill]:
    return [fill for fill in fills if fill.time < time]


def reordered(panel: Panel, rows: Sequence[int]) -> Panel:
    """The same instruments in another order."""
    fields = {field: getattr(panel, field)[list(rows)] for field in FIELDS}
    return replace(panel, instruments=tuple(panel.instruments[row] for row in rows), **fields)


def repriced(panel: Panel, factor: int) -> Panel:
    """The same market quoted in a smaller unit of currency."""
    instruments = tuple(Instrument(each.symbol, each.tick * factor, each.lot / factor) for each in panel.instruments)
    return replace(panel, instruments=instruments, **{field: getattr(panel, field) * factor for field in PRICES})


def garbled(panel: Panel, after: int, seed: int) -> Panel:
    """The same market up to a bar, and noise from it on."""
    rng = np.random.default_rng(seed)
    shape = panel.close[:, after:].shape
    corners = np.exp(rng.normal(5, 1, (4, *shape)))
    fields = {field: getattr(panel, field).copy() for field in (*PRICES, "volume")}
    for field, values in zip(PRICES, (corners[0], corners.max(axis=0), corners.min(axis=0), corners[1]), strict=True):
        fields[field][:, after:] = values
    fields["volume"][:, after:] = rng.lognormal(10, 2, shape)
    return replace(panel, **fields)


def by_instrument(fills: Sequence[Fill]) -> dict[str, list[tuple[int, str, Decimal, Decimal]]]:
    found: dict[str, list[tuple[int, str, Decimal, Decimal]]] = {}
    for fill in fills:
        found.setdefault(fill.symbol, []).append((fill.time, fill.reason.word, fill.size, fill.price))
    return found


def world(seed: int, instruments: int = 7, bars: int = 1500) -> Panel:
    """Random walks with a common part, fat tails and prices of every magnitude, on every day of the week."""
    rng = np.random.default_rng(seed)
    steps = 0.006 * rng.standard_t(4, bars) + 0.01 * rng.standard_t(4, (instruments, bars))
    close = np.geomspace(3, 3000, instruments)[:, np.newaxis] * np.exp(np.cumsum(steps, axis=1))
    open_ = np.roll(close, 1, axis=1) * np.exp(rng.normal(0, 0.002, close.shape))
    open_[:, 0] = close[:, 0]
    return Panel(
        instruments=tuple(Instrument.from_first_price(f"X{row}", close[row, 0]) for row in range(instruments)),
        bar=NANOSECONDS_PER_DAY,
        times=(10_957 + np.arange(bars)) * NANOSECONDS_PER_DAY,
        open=open_,
        high=np.maximum(open_, close) * np.exp(np.abs(rng.normal(0, 0.004, close.shape))),
        low=np.minimum(open_, close) * np.exp(-np.abs(rng.normal(0, 0.004, close.shape))),
        close=close,
        volume=rng.lognormal(10, 0.5, close.shape),
        funding=np.zeros_like(close),
        bars_per_year=365.25,
    )


@every
@pytest.mark.parametrize("cut", CUTS)
def test_the_past_is_the_same_without_the_future(name: str, cut: int) -> None:
    panel = sample()
    shorter = run(STARTERS[name], panel.between(0, cut))
    assert list(shorter.fills) == before(sample_run(name).fills, panel.times[cut])
    assert np.array_equal(shorter.equity, sample_run(name).equity[:cut])


@every
@pytest.mark.parametrize("cut", CUTS)
def test_the_past_is_the_same_whatever_the_future(name: str, cut: int) -> None:
    panel = sample()
    other = run(STARTERS[name], garbled(panel, cut, seed=cut))
    assert before(other.fills, panel.times[cut]) == before(sample_run(name).fills, panel.times[cut])
    assert np.array_equal(other.equity[:cut], sample_run(name).equity[:cut])
    assert not np.array_equal(other.equity, sample_run(name).equity), "or the noise was never looked at"


@every
def test_the_unit_of_prices_does_not_matter(name: str) -> None:
    fills = sample_run(name).fills
    scaled = run(STARTERS[name], repriced(sample(), 1_000)).fills
    assert [(fill.time, fill.symbol, fill.reason) for fill in scaled] == [
        (fill.time, fill.symbol, fill.reason) for fill in fills
    ]
    # A size is rounded down to lots after a division, so it may differ by one, worth a millionth of a dollar.
    lots = {instrument.symbol: float(instrument.lot) for instrument in sample().instruments}
    for one, other in zip(fills, scaled, strict=True):
        assert float(other.size) * 1_000 == pytest.approx(float(one.size), rel=0, abs=2.5 * lots[one.symbol])
        assert float(other.price) / 1_000 == pytest.approx(float(one.price), rel=1e-8)
        assert other.fee == pytest.approx(one.fee, rel=1e-5)


@every
def test_the_order_of_instruments_does_not_matter(name: str) -> None:
    reverse = run(STARTERS[name], reordered(sample(), [1, 0]))
    assert by_instrument(reverse.fills) == by_instrument(sample_run(name).fills)


@every
@pytest.mark.parametrize("order", [(6, 5, 4, 3, 2, 1, 0), (3, 0, 6, 1, 5, 2, 4)])
def test_the_order_of_many_instruments_does_not_matter(name: str, order: tuple[int, ...]) -> None:
    panel = world(seed=1)
    one, other = run(STARTERS[name], panel), run(STARTERS[name], reordered(panel, order))
    assert [(fill.time, fill.reason) for fill in one.fills]
    for symbol, fills in by_instrument(one.fills).items():
        others = by_instrument(other.fills)[symbol]
        assert [fill[:2] for fill in others] == [fill[:2] for fill in fills]
        lot = float(panel.instruments[panel.symbols.index(symbol)].lot)
        sizes = np.array([[float(a[2]), float(b[2])] for a, b in zip(fills, others, strict=True)])
        assert np.abs(sizes[:, 0] - sizes[:, 1]).max() < 2.5 * lot


@every
def test_the_unit_of_many_prices_does_not_matter(name: str) -> None:
    panel = world(seed=2)
    one, other = run(STARTERS[name], panel), run(STARTERS[name], repriced(panel, 1_000))
    assert [(fill.time, fill.symbol, fill.reason) for fill in other.fills] == [
        (fill.time, fill.symbol, fill.reason) for fill in one.fills
    ]
