"""The compiled simulator against a plain one written from the rules, on thousands of random markets."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import pytest

from clawd.core.reason import Reason
from clawd.engine.simulate import simulate
from engine.plain_simulator import Account, Bar, Rules, run

MARKETS_A_BATCH = 100


@dataclass
class Market:
    """Random bars on the grid of their ticks, with gaps, holes, and bars that nobody traded on."""

    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    volume: np.ndarray
    funding: np.ndarray
    targets: np.ndarray
    distances: np.ndarray
    ticks: list[float]
    lots: list[float]
    rules: Rules

    @property
    def present(self) -> np.ndarray:
        return ~np.isnan(self.close)


def random_market(rng: np.random.Generator, instruments: int | None = None) -> Market:
    count, length = instruments or int(rng.integers(1, 4)), 80
    ticks = [float(rng.choice([0.01, 0.05, 0.25, 0.4, 2.0])) for _ in range(count)]
    rows = [_random_prices(rng, tick, length) for tick in ticks]
    open_, high, low, close = (np.array([row[k] for row in rows]) for k in range(4))
    shape = (count, length)
    volume = rng.choice([10.0, 0.0, np.nan], shape, p=[0.87, 0.08, 0.05])
    missing = rng.random(shape) < 0.06
    for column in (open_, high, low, close, volume):
        column[missing] = np.nan
    funding = np.where(rng.random(shape) < 0.15, rng.normal(0.0, 0.01, shape), 0.0)
    targets = np.array([_random_targets(rng, length) for _ in range(count)])
    targets[missing] = np.nan
    return Market(
        open=open_,
        high=high,
        low=low,
        close=close,
        volume=volume,
        funding=np.where(missing, 0.0, funding),
        targets=targets,
        distances=_random_distances(rng, close),
        ticks=ticks,
        lots=[float(rng.choice([1.0, 0.1, 0.001])) for _ in range(count)],
        rules=Rules(
            capital=float(rng.choice([100.0, 1_000.0, 25_000.0])),
            fee=float(rng.choice([0.0, 0.001, 0.02])),
            slippage=float(rng.choice([0.0, 0.0007, 0.01])),
            time=int(rng.choice([0, 0, 1, 2, 5])),
            cooldown=int(rng.choice([0, 0, 1, 3])),
        ),
    )


def _random_prices(rng: np.random.Generator, tick: float, length: int) -> list[np.ndarray]:
    volatility = rng.choice([0.003, 0.03, 0.1])
    jumps = np.where(rng.random(length) < 0.04, rng.choice([-0.7, -0.25, 0.3, 1.1], length), 0.0)
    steps = rng.normal(0.0, volatility, length) + np.log1p(jumps)
    opens = 100.0 * np.exp(np.cumsum(steps) - 0.5 * np.cumsum(np.log1p(jumps)))
    closes = opens * np.exp(rng.normal(0.0, volatility, length))
    wick = 1.0 + np.abs(rng.normal(0.0, volatility, (2, length)))
    grid = [
        np.maximum(np.round(price / tick), 1.0)
        for price in (opens, np.maximum(opens, closes) * wick[0], np.minimum(opens, closes) / wick[1], closes)
    ]
    return [np.array([float(f"{steps * tick:.10g}") for steps in row]) for row in grid]


def _random_targets(rng: np.random.Generator, length: int) -> np.ndarray:
    targets, current = np.empty(length), 0.0
    for t in range(length):
        if rng.random() < 0.3:
            current = float(rng.choice([0.0, 0.3, -0.3, 0.5, -0.5, 1.0, -1.0, rng.uniform(-1, 1)]))
        targets[t] = current
    return targets


def _random_distances(rng: np.random.Generator, close: np.ndarray) -> np.ndarray:
    levels = np.nan_to_num(close, nan=1.0)
    result = np.zeros((3, *close.shape))
    for kind, chance in enumerate((1.0, 0.5, 0.5)):
        share = rng.choice([0.01, 0.05, 0.2, 0.95, 3.0])
        if rng.random() < chance:
            if share < 1 and rng.random() < 0.5:
                result[kind] = -share
            else:
                result[kind] = share * levels * rng.uniform(0.8, 1.2, close.shape)
    result[0][rng.random(close.shape) < 0.03] = np.nan
    return result


def simulated(market: Market, **changes: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float]:
    rules = {**vars(market.rules), **changes}
    result: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float] = simulate(
        market.open,
        market.high,
        market.low,
        market.close,
        market.volume,
        market.funding,
        market.present,
        market.targets,
        market.distances,
        float(rules["time"]),
        float(rules["cooldown"]),
        rules["capital"],
        rules["fee"],
        rules["slippage"],
        np.array(market.ticks),
        np.array(market.lots),
    )
    return result


def plainly(market: Market) -> Account:
    bars: list[list[Bar | None]] = []
    for i in range(len(market.ticks)):
        bars.append([])
        for t in range(market.close.shape[1]):
            columns = (
                market.open,
                market.high,
                market.low,
                market.close,
                market.volume,
                market.funding,
                market.targets,
            )
            values = [float(column[i, t]) for column in columns]
            distances = tuple(float(size) for size in market.distances[:, i, t])
            bars[i].append(Bar(*values, distances) if market.present[i, t] else None)
    return run(bars, market.ticks, market.lots, market.rules)


@pytest.mark.parametrize("batch", range(20))
def test_the_compiled_simulator_trades_as_the_plain_one(batch: int) -> None:
    rng = np.random.default_rng(batch)
    for _ in range(MARKETS_A_BATCH):
        market = random_market(rng)
        fills, equity, exposure, _, funding = simulated(market)
        account = plainly(market)
        found = [(int(f["bar"]), int(f["instrument"]), float(f["lots"]), Reason(int(f["reason"])).word) for f in fills]
        assert found == [(bar, i, size, reason) for bar, i, size, _, _, reason in account.fills], market
        np.testing.assert_allclose(fills["price"], [fill[3] for fill in account.fills], rtol=1e-9)
        np.testing.assert_allclose(fills["fee"], [fill[4] for fill in account.fills], rtol=1e-9)
        np.testing.assert_allclose(equity, account.equity, rtol=0, atol=1e-9 * market.rules.capital)
        np.testing.assert_allclose(exposure, account.exposure, rtol=0, atol=1e-9)
        assert funding == pytest.approx(account.funding, rel=1e-9, abs=1e-9)


def test_the_random_markets_reach_every_rule() -> None:
    rng = np.random.default_rng(0)
    reasons: Counter[str] = Counter()
    for _ in range(300):
        reasons.update(Reason(int(reason)).word for reason in simulated(random_market(rng))[0]["reason"])
    reached = ("entry", "increase", "reduce", "signal", "stop", "trail", "take", "time", "ruin")
    assert all(reasons[reason] >= 10 for reason in reached), reasons


@pytest.mark.parametrize("seed", range(40))
def test_equity_is_capital_plus_what_the_fills_paid_plus_the_marks(seed: int) -> None:
    market = random_market(np.random.default_rng(1_000 + seed))
    fills, equity, _, positions, funding = simulated(market)
    lots = np.array(market.lots)
    size = fills["lots"] * lots[fills["instrument"]]
    flows = -size * fills["price"] - fills["fee"]
    held = np.zeros_like(market.close)
    cash = np.full(market.close.shape[1], market.rules.capital)
    for fill, amount, flow in zip(fills, size, flows, strict=True):
        held[fill["instrument"], fill["bar"] :] += amount
        cash[fill["bar"] :] += flow
    marks = np.zeros_like(market.close)
    for i, row in enumerate(market.close):
        latest = 0.0
        for t, price in enumerate(row):
            latest = latest if np.isnan(price) else price
            marks[i, t] = latest
    paid = np.where(market.present, held * marks * market.funding, 0.0).sum(axis=0)
    expected = cash - np.cumsum(paid) + (held * marks).sum(axis=0)
    np.testing.assert_allclose(equity, expected, rtol=0, atol=1e-9 * market.rules.capital)
    assert funding == pytest.approx(paid.sum(), rel=1e-9, abs=1e-9)
    np.testing.assert_allclose(positions["lots"] * lots, held[:, -1], rtol=0, atol=1e-9)


def until(market: Market, last: int) -> Market:
    """The first bars of a market."""
    return replace(
        market,
        **{
            name: np.ascontiguousarray(value[..., :last])
            for name, value in vars(market).items()
            if isinstance(value, np.ndarray)
        },
    )


def test_no_position_is_ever_without_a_stop() -> None:
    seen = 0
    for seed in range(40):
        market = random_market(np.random.default_rng(2_000 + seed))
        for last in range(2, market.close.shape[1], 7):
            positions = simulated(until(market, last))[3]
            for position, tick in zip(positions, market.ticks, strict=True):
                seen += position["lots"] != 0
                if position["lots"] > 0:
                    assert position["stop"] >= tick * (1 - 1e-9)
                elif position["lots"] < 0:
                    assert 0 < position["stop"] <= 2 * position["average"] + tick
                else:
                    assert position["stop"] == position["take"] == position["trail"] == 0
    assert seen > 100


@pytest.mark.parametrize("seed", range(40))
def test_a_short_never_costs_more_than_its_margin_and_a_long_never_more_than_its_price(seed: int) -> None:
    market = random_market(np.random.default_rng(3_000 + seed))
    fills = simulated(market, fee=0.0)[0]
    for i, tick in enumerate(market.ticks):
        size, paid = 0.0, 0.0
        for fill in fills[fills["instrument"] == i]:
            if size * fill["lots"] < 0:
                average = paid / size
                profit = np.sign(size) * (fill["price"] - average)
                assert profit >= -average - tick
                paid += average * fill["lots"]
            else:
                paid += fill["lots"] * fill["price"]
            size += fill["lots"]


@pytest.mark.parametrize("seed", range(20))
def test_instruments_do_not_touch_each_other_while_their_targets_fit(seed: int) -> None:
    rng = np.random.default_rng(4_000 + seed)
    market = random_market(rng, instruments=2)
    market.targets /= 4.0
    together = simulated(market, capital=1e9)
    for i in range(2):
        alone = replace(
            market,
            **{
                name: np.ascontiguousarray(value[..., [i], :])
                for name, value in vars(market).items()
                if isinstance(value, np.ndarray)
            },
        )
        alone.ticks, alone.lots = [market.ticks[i]], [market.lots[i]]
        fills = simulated(alone, capital=1e9)[0]
        others = together[0][together[0]["instrument"] == i]
        for name in ("bar", "lots", "price", "fee", "reason"):
            np.testing.assert_array_equal(fills[name], others[name])


@pytest.mark.parametrize("seed", range(20))
def test_what_comes_later_changes_no_earlier_fill(seed: int) -> None:
    market = random_market(np.random.default_rng(5_000 + seed))
    fills, equity, *_ = simulated(market)
    for last in (1, 17, 50):
        earlier, equity_earlier, *_ = simulated(until(market, last))
        np.testing.assert_array_equal(earlier, fills[fills["bar"] < last])
        np.testing.assert_array_equal(equity_earlier, equity[:last])
