"""The numerical proof: thousands of streams without an edge, and streams of hypotheses with some.

Each null is a stream whose mean given the past is zero, or below, by its construction. The gambler stops at the worst
moment: a promotion is one that was *ever* reached. What is counted is held against the binomial law at one chance in
100,000, so a true process fails for one seed in 100,000. The controls are the ways of cheating; the same count must
see each.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom

from clawd.core.costs import Costs
from clawd.core.instrument import Instrument
from clawd.core.panel import NANOSECONDS_PER_DAY, Panel
from clawd.engine.runtime import Decisions
from clawd.engine.stakes import stakes_of
from clawd.evidence.eprocess import EProcess, log_wealth
from clawd.evidence.levels import FALSE_DISCOVERY_RATE, wealth_to_reach
from clawd.language.strategy import parse_toml

Floats = NDArray[np.float64]
Streams = tuple[Floats, Floats]  # net returns and bounds, [streams, bars]
Null = Callable[[np.random.Generator, int, int], Streams]

STREAMS, BARS = 3_000, 600
LEVELS = (1 / wealth_to_reach(1, 0), 1 / wealth_to_reach(2, 0))  # 1/20 and 1/60


def promotions(streams: Streams, level: float) -> int:
    """How many ever reach 1/level."""
    return int((log_wealth(*streams).max(axis=1) >= -np.log(level)).sum())


def allowed(streams: int, level: float) -> int:
    return int(binom.ppf(1 - 1e-5, streams, level))


# Nulls


def even(rng: np.random.Generator, streams: int, bars: int) -> Streams:
    """Independent and normal, cut at ten deviations on both sides."""
    noise = np.clip(rng.standard_normal((streams, bars)), -10, 10)
    return 0.01 * noise, np.full(noise.shape, 0.1)


def clustering(rng: np.random.Generator, streams: int, bars: int) -> Streams:
    """GARCH(1, 1) with shocks of Student's t (4); what lies beyond the exposure is cut on both sides alike."""
    returns, variance = np.empty((streams, bars)), np.full(streams, 1e-4)
    for bar in range(bars):
        shock = rng.standard_t(4, streams) / np.sqrt(2)
        returns[:, bar] = np.clip(np.sqrt(variance) * shock, -0.5, 0.5)
        variance = 2e-6 + 0.12 * returns[:, bar] ** 2 + 0.86 * variance
    return returns, np.full(returns.shape, 0.5)


def regimes(rng: np.random.Generator, streams: int, bars: int) -> Streams:
    """Long calm and sudden storms; the strategy enlarges its book in the calm, by volatility, as people do."""
    stormy, returns, bounds = np.zeros(streams, bool), np.empty((streams, bars)), np.empty((streams, bars))
    for bar in range(bars):
        size = np.where(stormy, 0.1, 1.0)  # chosen before the bar
        stormy = np.where(stormy, rng.random(streams) < 0.9, rng.random(streams) < 0.01)
        market = np.where(stormy, 0.08, 0.004) * np.clip(rng.standard_normal(streams), -5, 5)
        returns[:, bar], bounds[:, bar] = size * market, size * 0.4
    return returns, bounds


def autoregressive(rng: np.random.Generator, streams: int, bars: int) -> Streams:
    """A fair market times an exposure that follows the past returns, with memory (AR): long runs of like bets."""
    mood, returns, bounds = np.zeros(streams), np.empty((streams, bars)), np.empty((streams, bars))
    for bar in range(bars):
        exposure = np.tanh(mood)
        market = rng.choice([-1.0, 1.0], streams) * 0.02
        returns[:, bar], bounds[:, bar] = exposure * market, np.abs(exposure)
        mood = 0.95 * mood + 20 * market + 0.1 * rng.standard_normal(streams)
    return returns, bounds


def penny_collector(rng: np.random.Generator, streams: int, bars: int) -> Streams:
    """A small gain on most bars and, after long calm, the loss of all of it: mean exactly zero."""
    chance, loss = 1 / 400, 0.4
    crash = rng.random((streams, bars)) < chance
    return np.where(crash, -loss, loss * chance / (1 - chance)), np.full(crash.shape, loss)


def crash_after_long_calm(rng: np.random.Generator, streams: int, bars: int) -> Streams:
    """The same where a crash grows likelier with the calm, and the pennies with it: fair on every bar."""
    calm, returns = np.zeros(streams), np.empty((streams, bars))
    for bar in range(bars):
        chance = np.minimum(0.0005 + calm / 50_000, 0.02)
        crash = rng.random(streams) < chance
        returns[:, bar] = np.where(crash, -0.5, 0.5 * chance / (1 - chance))
        calm = np.where(crash, 0, calm + 1)
    return returns, np.full(returns.shape, 0.5)


def doubling(rng: np.random.Generator, streams: int, bars: int) -> Streams:
    """The martingale of the casinos: doubled after every loss until it is won back or the limit is reached."""
    stake, returns, bounds = np.full(streams, 0.01), np.empty((streams, bars)), np.empty((streams, bars))
    for bar in range(bars):
        won = rng.random(streams) < 0.5
        returns[:, bar], bounds[:, bar] = np.where(won, stake, -stake), stake
        stake = np.where(won, 0.01, np.where(stake > 0.5, 0.01, 2 * stake))
    return returns, bounds


def stops_when_ahead(rng: np.random.Generator, streams: int, bars: int) -> Streams:
    """Trades while behind, and rests for good once it is well ahead; at the worst moment it shows its record."""
    equity, returns, bounds = np.zeros(streams), np.empty((streams, bars)), np.empty((streams, bars))
    for bar in range(bars):
        size = np.where(equity > 0.3, 0.0, np.where(equity < 0, 1.0, 0.5))
        returns[:, bar] = size * 0.02 * np.clip(rng.standard_t(3, streams), -15, 15)
        bounds[:, bar] = size * 0.3
        equity += returns[:, bar]
    return returns, bounds


def after_costs(rng: np.random.Generator, streams: int, bars: int) -> Streams:
    """A fair market less costs: the mean is below zero."""
    returns, bounds = clustering(rng, streams, bars)
    return returns - 0.0002, bounds + 0.0002


NULLS: list[Null] = [
    even, clustering, regimes, autoregressive, penny_collector, crash_after_long_calm, doubling, stops_when_ahead,
    after_costs,
]  # fmt: skip


def judge(null: Null, seed: int, streams: int, bars: int) -> None:
    returns, bounds = null(np.random.default_rng(seed), streams, bars)
    assert (returns >= -bounds).all()
    for level in LEVELS:
        found, most = promotions((returns, bounds), level), allowed(streams, level)
        assert found <= most, f"{found} of {streams} reach {1 / level:g}, and {most} is the most that luck allows"


@pytest.mark.parametrize("null", NULLS, ids=lambda null: null.__name__)
def test_false_promotions_stay_under_the_level(null: Null) -> None:
    judge(null, 2026, STREAMS, BARS)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("null", NULLS, ids=lambda null: null.__name__)
def test_false_promotions_stay_under_the_level_over_years_of_daily_bars(null: Null, seed: int) -> None:
    judge(null, seed, 5_000, 2_000)


def test_the_count_is_sharp_enough_to_see_a_process_that_gives_a_little_away() -> None:
    """A tenth of a deviation of free drift a bar is found at once; a hundredth already shows."""
    returns, bounds = even(np.random.default_rng(3), STREAMS, BARS)
    assert promotions((returns + 0.001, bounds), LEVELS[0]) > 5 * allowed(STREAMS, LEVELS[0])


# Controls: broken on purpose


def test_losses_cut_short_promote_the_penny_collector() -> None:
    for null in (penny_collector, crash_after_long_calm):
        returns, _ = null(np.random.default_rng(4), STREAMS, BARS)
        cut = 0.02
        streams = np.maximum(returns, -cut), np.full_like(returns, cut)
        assert promotions(streams, LEVELS[0]) > 5 * allowed(STREAMS, LEVELS[0])


@pytest.mark.parametrize("null", [even, clustering, autoregressive], ids=lambda null: null.__name__)
def test_a_bound_that_has_seen_the_bar_promotes_noise(null: Null) -> None:
    returns, bounds = null(np.random.default_rng(5), STREAMS, BARS)
    peeked = np.where(returns > 0, bounds / 2, bounds)
    assert promotions((returns, peeked), LEVELS[0]) > 5 * allowed(STREAMS, LEVELS[0])


def test_a_bound_from_volatility_promotes_who_takes_the_risk_of_a_crash() -> None:
    """What the bar usually loses is no bound; that the process ends at the crash comes too late."""
    returns, _ = penny_collector(np.random.default_rng(6), STREAMS, BARS)
    usual = np.full_like(returns, 0.01)
    assert promotions((returns, usual), LEVELS[0]) > 5 * allowed(STREAMS, LEVELS[0])


def test_many_streams_at_once_are_what_the_class_says() -> None:
    for null in NULLS:
        returns, bounds = null(np.random.default_rng(7), 4, 200)
        bounds[0, 50:60] = 0.0
        returns[0, 50:60] = 0.0
        bounds[1, 100:110] = np.inf
        returns[2, 150] = -2 * bounds[2, 150]  # broken
        paths = np.exp(log_wealth(returns, bounds))
        for stream in range(4):
            process = EProcess()
            for bar in range(200):
                process = process.after(float(returns[stream, bar]), float(bounds[stream, bar]))
                assert process.wealth == pytest.approx(paths[stream, bar], rel=1e-9)
    for bad in ((np.nan, 1.0), (np.inf, 1.0), (0.1, -1.0), (0.1, np.nan)):
        with pytest.raises(ValueError, match="must"):
            log_wealth(np.array([bad[0]]), np.array([bad[1]]))


# Through the simulator: a market that is a martingale, and strategies that trade it for nothing


def fair_market(rng: np.random.Generator, length: int, *, pennies: bool) -> Panel:
    """A price with a fair next bar: of changing volatility, or small gains with a crash of a third now and then."""
    if pennies:
        chance, crash = 1 / 150, -1 / 3
        moves = np.where(rng.random(length) < chance, crash, -crash * chance / (1 - chance))
    else:
        deviation = 0.02 * np.exp(np.cumsum(rng.normal(0, 0.05, length)).clip(-1, 1))
        moves = deviation * np.clip(rng.standard_t(4, length), -8, 8)
    close = np.round(100 * np.cumprod(1 + moves), 9)[np.newaxis]
    opened = np.concatenate([[[100.0]], close[:, :-1]], axis=1)
    return Panel(
        instruments=(Instrument("A", Decimal("1e-9"), Decimal("1e-6")),),
        bar=NANOSECONDS_PER_DAY,
        times=np.arange(length, dtype=np.int64) * NANOSECONDS_PER_DAY,
        open=opened,
        high=np.maximum(opened, close),
        low=np.minimum(opened, close),
        close=close,
        volume=np.ones_like(close),
        funding=np.zeros_like(close),
        bars_per_year=365.0,
    )


def test_strategies_that_trade_a_fair_market_for_nothing_are_promoted_no_more_often_than_stated() -> None:
    """The whole way: decisions, fills, net returns, bounds, wealth. The stop is so far off that only a gap meets it."""
    rng = np.random.default_rng(8)
    free = Costs(Decimal(0), Decimal(0))
    strategy = parse_toml('name = "s"\n[position]\ntarget = "long_short(0)"\n[exits]\nstop = { percent = 95 }\n')
    streams, length = 1_500, 400
    returns, bounds = np.empty((streams, length)), np.empty((streams, length))
    for stream in range(streams):
        panel = fair_market(rng, length, pennies=stream % 2 == 0)
        past = np.sign(np.diff(panel.close, prepend=100.0))  # decided at the close, traded at the next open
        style = stream % 3
        targets = 0.5 * (past if style == 0 else -past if style == 1 else np.ones_like(past))
        found = stakes_of(strategy, (), Decisions(targets, np.empty((0, 1, length))), panel, free, Decimal(10_000))
        returns[stream], bounds[stream] = found.net_returns, found.bounds
    assert (bounds > 0).mean() > 0.8
    for level in LEVELS:
        assert promotions((returns, bounds), level) <= allowed(streams, level)


# The whole stream of hypotheses: e-LOND


def mixed_campaigns(rng: np.random.Generator, campaigns: int, hypotheses: int, bars: int) -> tuple[Streams, NDArray]:
    """Campaigns whose hypotheses all trade one market, some with an edge: streams [campaigns * hypotheses, bars]."""
    edge = rng.random((campaigns, hypotheses, 1)) < 0.3
    common = rng.standard_t(4, (campaigns, 1, bars)) / np.sqrt(2)
    side = rng.choice([-1.0, 1.0], (campaigns, hypotheses, 1))
    own = rng.standard_normal((campaigns, hypotheses, bars))
    noise = 0.01 * (0.7 * side * common + 0.7 * own)
    returns = np.clip(noise, -0.15, 0.15) + np.where(edge, 0.0025, 0.0)
    # Every other one without an edge collects pennies before a crash that all of its campaign share.
    crash = rng.random((campaigns, 1, bars)) < 1 / 400
    collector = ~edge & (np.arange(hypotheses)[:, np.newaxis] % 2 == 0)
    returns = np.where(collector, np.where(crash, -0.2, 0.2 / 399), returns)
    shape = (campaigns * hypotheses, bars)
    return (returns.reshape(shape), np.full(shape, 0.2)), edge[:, :, 0]


def discoveries(streams: Streams, edge: NDArray, apart: int) -> tuple[Floats, Floats]:
    """By campaign the share of the promoted that have no edge, and of those with one that are promoted.

    Hypotheses are registered ``apart`` bars from one another and bet on from then on, each at the level of its moment.
    """
    campaigns, hypotheses = edge.shape
    returns, bounds = (values.reshape(campaigns, hypotheses, -1) for values in streams)
    bars = returns.shape[2]
    promoted_at = np.full((campaigns, hypotheses), np.inf)
    for k in range(hypotheses):
        registered = k * apart
        path = log_wealth(returns[:, k, registered:], bounds[:, k, registered:])
        before = (promoted_at < registered).sum(axis=1)
        needed = np.log([wealth_to_reach(k + 1, int(count)) for count in before])[:, np.newaxis]
        reached = path >= needed
        promoted_at[:, k] = np.where(reached.any(axis=1), registered + reached.argmax(axis=1), np.inf)
        assert path.shape[1] == bars - registered
    promoted = np.isfinite(promoted_at)
    false = (promoted & ~edge).sum(axis=1) / np.maximum(promoted.sum(axis=1), 1)
    return false, (promoted & edge).sum(axis=1) / np.maximum(edge.sum(axis=1), 1)


CAMPAIGNS, HYPOTHESES, LIFE, APART = 150, 20, 900, 15


def test_of_the_promoted_at_most_a_tenth_have_no_edge() -> None:
    streams, edge = mixed_campaigns(np.random.default_rng(9), CAMPAIGNS, HYPOTHESES, LIFE)
    false, found = discoveries(streams, edge, APART)
    error = false.std(ddof=1) / np.sqrt(CAMPAIGNS)
    assert false.mean() + 4 * error <= FALSE_DISCOVERY_RATE
    assert found.mean() > 0.2, "who promotes nobody makes no mistake"


def test_without_any_edge_hardly_a_campaign_promotes_anything() -> None:
    (returns, bounds), edge = mixed_campaigns(np.random.default_rng(10), CAMPAIGNS, HYPOTHESES, LIFE)
    returns = returns - np.where(edge.reshape(-1, 1), 0.0025, 0.0)
    false, _ = discoveries((returns, bounds), np.zeros_like(edge), APART)
    assert (false > 0).sum() <= allowed(CAMPAIGNS, FALSE_DISCOVERY_RATE)


def test_with_losses_cut_short_most_of_the_promoted_would_have_no_edge() -> None:
    (returns, _), edge = mixed_campaigns(np.random.default_rng(9), CAMPAIGNS, HYPOTHESES, LIFE)
    cut = np.maximum(returns, -0.02), np.full_like(returns, 0.02)
    false, _ = discoveries(cut, edge, APART)
    assert false.mean() > 3 * FALSE_DISCOVERY_RATE


def test_with_a_bound_that_has_seen_the_bar_too() -> None:
    (returns, bounds), edge = mixed_campaigns(np.random.default_rng(9), CAMPAIGNS, HYPOTHESES, LIFE)
    false, _ = discoveries((returns, np.where(returns > 0, bounds / 8, bounds)), edge, APART)
    assert false.mean() > 3 * FALSE_DISCOVERY_RATE
