"""Surrogates keep what a market is like and nothing by which it could be foretold."""

from __future__ import annotations

import math
from decimal import Decimal
from random import Random

import numpy as np
import pytest
from surrogate_checks import sample_rows

from clawd.core.costs import Costs
from clawd.core.errors import ClawdError
from clawd.core.panel import NANOSECONDS_PER_DAY, Floats
from clawd.data.market import load_market
from clawd.engine.population import evaluate_in_segments
from clawd.language.grow import random_population
from clawd.language.strategy import Strategy, parse_toml
from clawd.language.vocabulary import Vocabulary
from clawd.research.worlds import surrogates
from clawd.research.worlds.surrogates import Rows, block_shuffled, blocks, phase_randomised, with_random_phases

KINDS = [block_shuffled, phase_randomised]
FREE, CAPITAL = Costs(Decimal(0), Decimal(0)), Decimal(10_000)


def correlation(x: Floats, y: Floats) -> float:
    return float(np.corrcoef(x, y)[0, 1])


# What stays.


@pytest.mark.parametrize("kind", KINDS)
def test_bars_enclose_what_happened_in_them_and_days_rise(kind: surrogates.Surrogate) -> None:
    world = kind(sample_rows(), 6_000, 3).panel()
    assert world.close.shape == (4, 6_000)
    assert world.symbols == ("NASDAQ", "SP500", "NASDAQ2", "SP5002")
    for prices in (world.open, world.high, world.low, world.close, world.volume):
        assert np.isfinite(prices).all()
        assert (prices > 0).all()
    assert (world.high >= np.maximum(world.open, world.close)).all()
    assert (world.low <= np.minimum(world.open, world.close)).all()
    assert (np.diff(world.times) > 0).all()
    weekdays = (world.times // NANOSECONDS_PER_DAY + 3) % 7  # the first of 1970 was a Thursday
    assert set(weekdays.tolist()) == {0, 1, 2, 3, 4}
    assert world.bars_per_year == 252


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_is_the_same_world_and_another_is_another(kind: surrogates.Surrogate) -> None:
    first, again, other = (kind(sample_rows(), 500, seed).panel() for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.close, again.close)
    np.testing.assert_array_equal(first.high, again.high)
    assert (first.close != other.close).mean() > 0.99


@pytest.mark.parametrize("kind", KINDS)
def test_volatility_correlation_and_volume_are_those_of_the_source(kind: surrogates.Surrogate) -> None:
    rows = sample_rows()
    draws = kind(rows, 200_000, 5)
    world = draws.panel()
    body = world.close / world.open - 1
    gap = world.open[:, 1:] / world.close[:, :-1] - 1
    annual = np.sqrt(252 * (np.mean(body**2, axis=1) + np.mean(gap**2, axis=1)))
    np.testing.assert_allclose(annual, surrogates.VOLATILITY, rtol=0.08)
    # Within a copy as in the source, between copies nothing.
    standard = np.log(world.close / world.open) / draws.volatility
    assert correlation(standard[0], standard[1]) == pytest.approx(rows.correlation[0, 1], abs=0.02)
    assert abs(correlation(standard[0], standard[2])) < 0.01
    # Loud days trade more, as they did.
    there = correlation(np.log(rows.volatility[1]), np.log(rows.volume[1]))
    here = correlation(np.log(world.high / world.low)[1], np.log(world.volume[1]))
    assert here == pytest.approx(there, abs=0.12)
    # Volatility is remembered, also after a month.
    loud = np.log(world.high / world.low)[0]
    assert correlation(loud[:-1], loud[1:]) > 0.2
    assert correlation(loud[:-20], loud[20:]) > 0.1


def test_blocks_follow_the_source_and_are_of_the_mean_length_asked_for() -> None:
    picked = blocks(1_000, 200_000, np.random.default_rng(1), mean=50)
    seams = np.flatnonzero((np.diff(picked) - 1) % 1_000 != 0)
    assert np.diff(seams).mean() == pytest.approx(50, rel=0.05)
    counts = np.bincount(picked, minlength=1_000)
    assert counts.size == 1_000
    assert counts.mean() == 200
    assert counts.std() < 200  # every row about as often as every other: blocks go round at the end


@pytest.mark.parametrize("length", [800, 801])
def test_random_phases_keep_every_spectrum_and_cross_spectrum(length: int) -> None:
    random = np.random.default_rng(7)
    common = np.cumsum(random.normal(size=length))
    values = np.stack([common + random.normal(size=length), np.roll(common, 3), random.normal(size=length)])
    surrogate = with_random_phases(values, random)
    before, after = np.fft.rfft(values, axis=1), np.fft.rfft(surrogate, axis=1)
    for i in range(3):
        for j in range(3):
            np.testing.assert_allclose(
                after[i] * np.conj(after[j]), before[i] * np.conj(before[j]), rtol=1e-6, atol=1e-6
            )
    np.testing.assert_allclose(surrogate.mean(axis=1), values.mean(axis=1), atol=1e-9)
    assert abs(correlation(np.diff(surrogate[0]), np.diff(values[0]))) < 0.2


def test_the_spectrum_of_log_volatility_is_that_of_the_source() -> None:
    rows = sample_rows()
    length = rows.volatility.shape[1]
    draws = phase_randomised(rows, length, 11)
    before, after = (np.abs(np.fft.rfft(np.log(each), axis=1)) ** 2 for each in (rows.volatility, draws.volatility[:2]))
    np.testing.assert_allclose(after[:, 1:], before[:, 1:], rtol=1e-6)  # the level is set by the mean square instead
    np.testing.assert_allclose((draws.volatility[:2] ** 2).mean(axis=1), (rows.volatility**2).mean(axis=1))


# What does not.


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_in_the_past_foretells_a_return(kind: surrogates.Surrogate) -> None:
    """Returns over their known volatility, against what came before: every mean within its sampling error of zero."""
    draws = kind(sample_rows(), 400_000, 13)
    world = draws.panel()
    body = (world.close / world.open - 1) / draws.volatility
    gap = world.open[:, 1:] / world.close[:, :-1] - 1
    past = {
        "always": np.ones_like(body),
        "return": np.sign(body),
        "other": np.sign(body[::-1]),
        "gap": np.sign(np.concatenate([np.zeros((4, 1)), gap], axis=1)),
        "volatility": np.sign(draws.volatility - np.median(draws.volatility, axis=1, keepdims=True)),
        "volume": np.sign(world.volume - 1),
        "wick": np.sign(np.log(world.high / world.close) - np.log(world.close / world.low)),
    }
    for name, signal in past.items():
        for coming in (body[:, 1:], gap):
            gains = signal[:, :-1] * coming
            z = gains.mean(axis=1) / gains.std(axis=1) * math.sqrt(gains.shape[1])
            assert np.abs(z).max() < 4.5, name
    inside = body[:, 1:] * np.sign(gap)  # nor does the open say where the day will go
    assert np.abs(inside.mean(axis=1) / inside.std(axis=1) * math.sqrt(inside.shape[1])).max() < 4.5


@pytest.mark.parametrize("kind", KINDS)
def test_a_touched_level_is_worth_what_it_costs(kind: surrogates.Surrogate) -> None:
    """E[(close - level) 1{touched}] = 0: neither a stop nor a target gains anything, at any level."""
    draws = kind(sample_rows(), 400_000, 17)
    world = draws.panel()
    close, high, low = (prices / world.open - 1 for prices in (world.close, world.high, world.low))
    for multiple in (0.05, 0.25, 0.5, 1.0, 2.0):
        level = multiple * draws.volatility
        for touched, at in ((high >= level, level), (low <= -level, -level)):
            gains = (close - at) / draws.volatility * touched
            assert touched.mean() > 0.02
            assert np.abs(gains.mean(axis=1) / gains.std(axis=1) * math.sqrt(gains.shape[1])).max() < 4.5


TIGHT = [
    parse_toml(f"name = 'tight'\n[position]\ntarget = '{target}'\n[exits]\n{exits}\ncooldown = 1\n")
    for target in ("long_only(1)", "long_short(sign(ret(close, 1)))", "long_short(-sign(ret(close, 5)))")
    for exits in (
        "stop = { percent = 1 }",
        "stop = { percent = 4 }\ntake = { percent = 1 }",
        "stop = { percent = 1 }\ntake = { percent = 4 }",
        "stop = { percent = 4 }\ntrail = { percent = 2 }",
    )
]


def _z(strategies: list[Strategy], worlds: int, kind: surrogates.Surrogate) -> Floats:
    """The gain of each strategy before costs, over several worlds, in its sampling errors."""
    gain, square = np.zeros(len(strategies)), np.zeros(len(strategies))
    for seed in range(worlds):
        world = kind(sample_rows(), 4_000, 100 + seed).panel()
        for index, each in enumerate(evaluate_in_segments(strategies, world, FREE, CAPITAL, segments=1)):
            gain[index] += each.returns[0]
            square[index] += each.squares[0]
    return gain / np.sqrt(np.maximum(square, 1e-12))


@pytest.mark.parametrize("kind", KINDS)
def test_no_strategy_gains_before_costs(kind: surrogates.Surrogate) -> None:
    """A hundred strategies by chance with all their exits, and some that live from stops and targets alone."""
    rows = sample_rows()
    random = random_population(Random(5), 100, Vocabulary(instruments=block_shuffled(rows, 10, 0).panel().symbols))
    z = _z([*TIGHT, *random], 10, kind)
    assert np.count_nonzero(z) > 80
    assert z.max() < 4.0
    # Were it 0.1 of a standard error per world too good on average, this would see it.
    traded = z[z != 0]
    assert traded.mean() < 4.0 / math.sqrt(20)  # strategies are alike: some twenty independent ones among them


# What is refused.


def test_too_few_days_and_a_price_that_stands_still_are_refused() -> None:
    panel = load_market("sample").panel
    with pytest.raises(ClawdError, match="more than 250 days"):
        Rows.of(panel.between(0, 250))
    still = panel.between(0, 600)
    still.high[0, :100] = still.low[0, :100] = still.open[0, :100] = still.close[0, :100] = 5.0
    with pytest.raises(ClawdError, match="stands still"):
        Rows.of(still)
