"""Wealth is evidence: no stream without an edge makes the gambler rich more often than Ville allows."""

from __future__ import annotations

import json
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from clawd.core.errors import ClawdError
from clawd.evidence.eprocess import FRACTIONS, EProcess

Floats = NDArray[np.float64]
Streams = tuple[Floats, Floats]  # net returns and bounds, [streams, bars]

STREAMS, BARS, WEALTH = 3_000, 1_000, 20.0
# Four standard errors of a share of 1/20 over 3,000 independent streams: a true process fails once in 30,000
# seeds.
ALLOWED = 1 / WEALTH + 4 * math.sqrt(1 / WEALTH * (1 - 1 / WEALTH) / STREAMS)


def oracle(returns: Floats, bounds: Floats) -> Floats:
    """E of the design's formula by plain products, [streams, bars]; knows nothing of the class."""
    wealth = np.zeros_like(returns)
    for fraction in (0.25, 1, 4, 16, 64, 256):
        with np.errstate(divide="ignore"):
            stake = np.where(bounds > 0, np.minimum(fraction, 1 / bounds), 0.0)
        wealth += np.cumprod(1 + stake * returns, axis=1) / 6
    return wealth


def share_that_ever_reaches(wealth: Floats) -> float:
    """Stopped at the worst moment: at the first bar on which the wealth is high enough."""
    return float((wealth.max(axis=1) >= WEALTH).mean())


def fold(returns: Floats, bounds: Floats) -> list[EProcess]:
    processes = [EProcess()]
    for net_return, bound in zip(returns.tolist(), bounds.tolist(), strict=True):
        processes.append(processes[-1].after(net_return, bound))
    return processes[1:]


# Streams without an edge: the mean of every bar given the past is zero, or below


def changing_volatility(rng: np.random.Generator) -> Streams:
    """Gaussian, with variance that follows the last bar (GARCH); cut symmetrically at five deviations."""
    returns, bounds = np.empty((STREAMS, BARS)), np.empty((STREAMS, BARS))
    variance = np.full(STREAMS, 1e-4)
    for bar in range(BARS):
        bounds[:, bar] = 5 * np.sqrt(variance)
        draw = np.sqrt(variance) * rng.standard_normal(STREAMS)
        returns[:, bar] = np.clip(draw, -bounds[:, bar], bounds[:, bar])
        variance = 2e-6 + 0.13 * returns[:, bar] ** 2 + 0.85 * variance
    return returns, bounds


def dependent_sizes(rng: np.random.Generator) -> Streams:
    """Fair signs of sizes that hang on the signs before: winning calms the market, losing stirs it."""
    returns, bounds = np.empty((STREAMS, BARS)), np.empty((STREAMS, BARS))
    mood = np.zeros(STREAMS)
    for bar in range(BARS):
        bounds[:, bar] = 0.01 * np.exp(-0.3 * mood)
        sign = rng.choice([-1.0, 1.0], STREAMS)
        returns[:, bar] = sign * bounds[:, bar]
        mood = np.clip(0.9 * mood + sign, -5, 5)
    return returns, bounds


def penny_collector(rng: np.random.Generator) -> Streams:
    """A tenth of a percent on most bars and, once in 300, the loss of all of it: mean exactly zero."""
    chance, loss = 1 / 300, 0.3
    crash = rng.random((STREAMS, BARS)) < chance
    return np.where(crash, -loss, loss * chance / (1 - chance)), np.full(crash.shape, loss)


def lottery(rng: np.random.Generator) -> Streams:
    """A small loss on most bars, the whole of the bound, and a rare great gain: mean exactly zero."""
    chance, loss = 1 / 100, 0.02
    win = rng.random((STREAMS, BARS)) < chance
    return np.where(win, loss * (1 - chance) / chance, -loss), np.full(win.shape, loss)


def heavy_tails(rng: np.random.Generator) -> Streams:
    """Student's t with 2.5 degrees of freedom, cut symmetrically at the bound."""
    bound = 0.1
    return np.clip(0.01 * rng.standard_t(2.5, (STREAMS, BARS)), -bound, bound), np.full((STREAMS, BARS), bound)


def bets_chosen_by_the_past(rng: np.random.Generator) -> Streams:
    """A skewed market of mean zero, traded by doubling after losses, resting after wins, changing sides."""
    returns, bounds = np.empty((STREAMS, BARS)), np.empty((STREAMS, BARS))
    size, side = np.full(STREAMS, 0.1), np.ones(STREAMS)
    for bar in range(BARS):
        market = np.where(rng.random(STREAMS) < 0.2, -0.08, 0.02)
        resting = size > 0.9
        position = np.where(resting, 0.0, side * size)
        returns[:, bar] = position * market
        bounds[:, bar] = np.where(position > 0, 0.08, 0.02) * np.abs(position)
        lost = returns[:, bar] < 0
        size = np.where(lost, 2 * size, 0.1)
        side = np.where(lost, -side, side)
    return returns, bounds


def pennies_after_costs(rng: np.random.Generator) -> Streams:
    """The penny collector paying fees: the mean is below zero."""
    returns, bounds = penny_collector(rng)
    return returns - 0.0002, bounds + 0.0002


def all_or_nothing(rng: np.random.Generator) -> Streams:
    """A bound of four times the capital makes every account stake all; one first bar in twenty pays 19 to 1.

    Ville's inequality is an equality here: a process that gave away anything at all would fail.
    """
    first = np.where(rng.random(STREAMS) < 1 / WEALTH, 4 * (WEALTH - 1), -4.0)
    returns = np.zeros((STREAMS, BARS))
    returns[:, 0] = first
    return returns, np.full((STREAMS, BARS), 4.0)


NULLS: list[Callable[[np.random.Generator], Streams]] = [
    changing_volatility,
    dependent_sizes,
    penny_collector,
    lottery,
    heavy_tails,
    bets_chosen_by_the_past,
    pennies_after_costs,
    all_or_nothing,
]


@pytest.mark.parametrize("null", NULLS, ids=lambda null: null.__name__)
def test_without_an_edge_wealth_is_ever_reached_no_more_often_than_ville_allows(
    null: Callable[[np.random.Generator], Streams],
) -> None:
    returns, bounds = null(np.random.default_rng(2024))
    assert (returns >= -bounds).all()
    errors = returns.std() / math.sqrt(returns.size)
    assert returns.mean() < 4 * errors  # it is a null
    wealth = oracle(returns, bounds)
    assert (wealth >= 0).all()
    assert share_that_ever_reaches(wealth) <= ALLOWED
    for stream in range(0, STREAMS, STREAMS // 8):  # and the class is what was judged
        processes = fold(returns[stream], bounds[stream])
        got = [process.wealth for process in processes]
        np.testing.assert_allclose(got, wealth[stream], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(processes[-1].peak, max(1.0, wealth[stream].max()), rtol=1e-9)
        almost = WEALTH * (1 - 1e-12)  # logarithms round
        assert processes[-1].reached(almost) == (wealth[stream].max() >= almost)


def test_ville_is_attained_where_it_can_be() -> None:
    share = share_that_ever_reaches(oracle(*all_or_nothing(np.random.default_rng(2024))))
    assert abs(share - 1 / WEALTH) <= ALLOWED - 1 / WEALTH


# Controls: the same judge must see each way of cheating


def test_losses_cut_short_would_make_pennies_look_like_an_edge() -> None:
    returns, _ = penny_collector(np.random.default_rng(1))
    usual = 0.01
    assert share_that_ever_reaches(oracle(np.maximum(returns, -usual), np.full_like(returns, usual))) > 0.5


def test_a_bound_that_has_seen_the_bar_would_make_pennies_look_like_an_edge() -> None:
    returns, bounds = penny_collector(np.random.default_rng(2))
    peeked = np.where(returns < 0, bounds, 0.01)
    assert share_that_ever_reaches(oracle(returns, peeked)) > 2 * ALLOWED


def test_a_bound_that_can_be_broken_would_make_pennies_look_like_an_edge() -> None:
    """Falling to 0 at the crash is too late: much was decided before. The bound must be true, not usual."""
    returns, _ = penny_collector(np.random.default_rng(3))
    returns, usual = returns[:200], 0.01
    decided = 0
    for stream in returns:
        wealth = [process.wealth for process in fold(stream, np.full(BARS, usual))]
        decided += max(wealth) >= WEALTH
    assert decided / len(returns) > 2 * ALLOWED


# Power


def drifting(rng: np.random.Generator, streams: int, ratio: float) -> Streams:
    """Deviation 1 %, at most 12 % lost in a bar, and a Sharpe ratio per bar that is given."""
    noise = np.clip(rng.standard_normal((streams, BARS)), -10, 10)
    return 0.01 * (noise + ratio), np.full((streams, BARS), 0.12)


def test_an_edge_is_found() -> None:
    returns, bounds = drifting(np.random.default_rng(4), 1_000, ratio=0.15)
    assert share_that_ever_reaches(oracle(returns, bounds)) > 0.95


def test_a_weaker_edge_is_found_less_often_and_a_loss_never() -> None:
    rng = np.random.default_rng(5)
    found = [share_that_ever_reaches(oracle(*drifting(rng, 1_000, ratio))) for ratio in (0.15, 0.1, 0.05, -0.1)]
    assert found == sorted(found, reverse=True)
    assert found[1] > 0.5
    assert found[-1] <= 0.005


# The class itself


def test_it_starts_at_one() -> None:
    start = EProcess()
    assert (start.wealth, start.peak, start.bars, start.broken) == (1.0, 1.0, 0, False)
    assert len(start.log_wealth) == len(FRACTIONS) == 6


def test_one_bar_by_hand() -> None:
    after = EProcess().after(0.1, 0.5)  # stakes 0.25, 1, and four times 2
    assert after.wealth == pytest.approx((1.025 + 1.1 + 4 * 1.2) / 6)
    assert after.after(-0.5, 0.5).wealth == pytest.approx((1.025 * 0.875 + 1.1 * 0.5) / 6)
    wide = EProcess().after(0.1, 0.01)  # a book of a hundredth of the capital: stakes 0.25, 1, 4, 16, 64, 100
    assert wide.wealth == pytest.approx((1.025 + 1.1 + 1.4 + 2.6 + 7.4 + 11) / 6)


def test_the_loss_of_the_whole_bound_is_exactly_ruin_of_who_staked_it() -> None:
    for bound in np.random.default_rng(6).uniform(0.125, 3, 1_000).tolist():
        after = EProcess().after(-bound, bound)
        assert not after.broken
        for fraction, wealth in zip(FRACTIONS, after.log_wealth, strict=True):
            assert (wealth == -math.inf) == (fraction * bound >= 1)


def test_the_ruined_stay_ruined_and_the_others_go_on() -> None:
    process = EProcess().after(-0.5, 0.5)
    for _ in range(100):
        process = process.after(0.5, 0.5)
    assert process.log_wealth[2:] == (-math.inf,) * 4
    assert process.wealth == pytest.approx(sum((1 - f / 2) * (1 + f / 2) ** 100 for f in (0.25, 1)) / 6)


def test_a_bar_without_a_position_is_counted_and_not_bet_on() -> None:
    process = EProcess().after(0.1, 0.5)
    rested = process.after(0.0, 0.0).after(0.25, 0.0)
    assert (rested.log_wealth, rested.bars) == (process.log_wealth, 3)


def test_a_loss_without_limit_is_not_bet_on() -> None:
    assert EProcess().after(0.3, math.inf).after(-5.0, math.inf).wealth == 1.0


@pytest.mark.parametrize("bound", [0.0, 0.1, 1.0])
def test_a_broken_bound_ends_it_at_zero_for_good(bound: float) -> None:
    process = EProcess().after(1.0, 0.1)
    broken = process.after(-math.nextafter(bound, 2), bound)
    assert (broken.wealth, broken.broken, broken.bars) == (0.0, True, 2)
    assert broken.peak == process.peak > 2
    later = broken.after(5.0, 0.1).after(0.0, 0.0)
    assert (later.wealth, later.broken, later.bars) == (0.0, True, 4)
    assert process.reached(2)
    assert not later.reached(0)


@pytest.mark.parametrize(
    ("net_return", "bound"),
    [
        (math.nan, 0.1),
        (math.inf, 0.1),
        (-math.inf, 0.1),
        (1e308, 0.1),
        (0.1, math.nan),
        (0.1, -0.1),
        (-0.2, -0.1),
    ],
)
def test_what_is_no_bar_is_refused(net_return: float, bound: float) -> None:
    with pytest.raises(ValueError, match="must"):
        EProcess().after(net_return, bound)


def test_huge_and_tiny_wealth_stay_in_range() -> None:
    process = EProcess()
    for _ in range(2_000):
        process = process.after(0.9, 1.0)
    assert (process.wealth, process.peak) == (math.inf, math.inf)
    assert process.log_peak == pytest.approx(2_000 * math.log(1.9) + math.log(5 / 6))
    for _ in range(30_000):
        process = process.after(-0.9, 1.0)
    assert process.wealth == 0.0
    assert process.log_wealth[0] > -math.inf
    assert process.peak == math.inf


def test_the_peak_is_the_highest_wealth_up_to_now() -> None:
    returns, bounds = drifting(np.random.default_rng(7), 1, ratio=0.05)
    highest = 1.0
    for process in fold(returns[0], bounds[0]):
        highest = max(highest, process.wealth)
        assert process.peak == highest


bars = st.lists(st.floats(0, 2).flatmap(lambda bound: st.tuples(st.floats(-bound, 3), st.just(bound))), max_size=30)


@given(bars, st.integers(0, 30))
def test_folding_again_or_from_a_saved_state_gives_the_same_bits(seen: list[tuple[float, float]], cut: int) -> None:
    once, again = EProcess(), EProcess()
    for number, (net_return, bound) in enumerate(seen):
        if number == cut:
            again = EProcess.from_json(json.loads(json.dumps(again.to_json(), allow_nan=False)))
        once, again = once.after(net_return, bound), again.after(net_return, bound)
    assert once == again
    assert EProcess.from_json(once.to_json()) == once
    assert 0 <= once.wealth <= once.peak
    assert not once.broken


def test_a_state_of_other_fractions_is_refused() -> None:
    saved = EProcess().to_json() | {"fractions": [1.0, 2.0]}
    with pytest.raises(ClawdError, match="fold it anew"):
        EProcess.from_json(saved)
