"""The compiled simulator against a plain one written from the rules, on thousands of random markets."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawd.core.reason import Reason
from clawd.engine.account import ACCOUNT
from clawd.engine.bar import FILL, MOST_FILLS
from clawd.engine.compiled import compiled
from clawd.engine.plan import PLAN
from clawd.engine.position import POSITION
from clawd.engine.simulate import Simulation, advance, simulate
from engine.plain_simulator import Account, Aim, Bar, Far, Rules
from engine.plain_simulator import run as trade_plainly

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
    ranges: np.ndarray
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
        ranges=_random_ranges(rng, close),
        ticks=ticks,
        lots=[float(rng.choice([1.0, 0.1, 0.001])) for _ in range(count)],
        rules=Rules(
            **_random_exits(rng),
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


#: Windows of average true ranges that a market has; the first two are small shares of the price, the others large.
RANGES = 5


def _random_ranges(rng: np.random.Generator, close: np.ndarray) -> np.ndarray:
    levels = np.nan_to_num(close, nan=1.0)
    shares = np.array([0.01, 0.05, 0.2, 0.95, 3.0])[:, np.newaxis, np.newaxis]
    ranges = shares * levels * rng.uniform(0.8, 1.2, (RANGES, *close.shape))
    ranges[rng.random(ranges.shape) < 0.03] = np.nan
    return ranges


def _random_exits(rng: np.random.Generator) -> dict[str, object]:
    def far() -> Far:
        if rng.random() < 0.5:
            return Far(float(rng.choice([0.01, 0.05, 0.2, 0.95])))
        return Far(float(rng.choice([1.0, 0.5, 2.0])), int(rng.integers(RANGES)))

    def perhaps() -> Far | None:
        return far() if rng.random() < 0.4 else None

    shares = [[], [1.0], [0.5, 0.5], [0.3], [0.29, 0.41, 0.3], [0.25, 0.25, 0.25, 0.25], [0.1, 0.2, 0.3, 0.2]]
    return {
        "stop": far(),
        "trail": perhaps(),
        "chandelier": Far(float(rng.choice([0.5, 1.0, 3.0])), int(rng.integers(3))) if rng.random() < 0.4 else None,
        "break_even": perhaps(),
        "take": [
            Aim(far(), share, int(rng.choice([0, 0, 1, 4, 20])))
            for share in shares[int(rng.choice(len(shares), p=[0.3, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1]))]
        ],
    }


def plan_from(rules: Rules) -> np.void:
    """The exits of the plain simulator as the compiled one reads them."""
    plan = np.zeros(1, PLAN)[0]
    singles = (rules.stop, rules.trail, rules.chandelier, rules.break_even)
    for place, far in enumerate((*singles, *(aim.far for aim in rules.take))):
        if far is not None:
            plan["size"][place], plan["window"][place] = far.size, -1 if far.window is None else far.window
    for place, aim in enumerate(rules.take):
        plan["share"][place], plan["decay"][place] = aim.share, aim.decay
    plan["targets"], plan["whole"] = len(rules.take), sum(aim.share for aim in rules.take) > 1 - 1e-9
    plan["time"], plan["cooldown"] = rules.time, rules.cooldown
    return plan


def columns_of(market: Market) -> tuple[np.ndarray, ...]:
    """What the simulator reads, [..., T] each."""
    prices = (market.open, market.high, market.low, market.close, market.volume, market.funding)
    return (*prices, market.present, market.targets, market.ranges)


def simulated(market: Market, **changes: object) -> Simulation:
    rules = replace(market.rules, **changes)  # type: ignore[arg-type]
    return simulate(
        *columns_of(market),
        plan_from(rules),
        rules.capital,
        rules.fee,
        rules.slippage,
        np.array(market.ticks),
        np.array(market.lots),
    )


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
            ranges = tuple(float(size) for size in market.ranges[:, i, t])
            bars[i].append(Bar(*values, ranges) if market.present[i, t] else None)
    return trade_plainly(bars, market.ticks, market.lots, market.rules)


@pytest.mark.parametrize("batch", range(20))
def test_the_compiled_simulator_trades_as_the_plain_one(batch: int) -> None:
    rng = np.random.default_rng(batch)
    for _ in range(MARKETS_A_BATCH):
        market = random_market(rng)
        run = simulated(market)
        fills = run.fills
        account = plainly(market)
        found = [(int(f["bar"]), int(f["instrument"]), float(f["lots"]), Reason(int(f["reason"])).word) for f in fills]
        assert found == [(bar, i, size, reason) for bar, i, size, _, _, reason in account.fills], market
        np.testing.assert_allclose(fills["price"], [fill[3] for fill in account.fills], rtol=1e-9)
        np.testing.assert_allclose(fills["fee"], [fill[4] for fill in account.fills], rtol=1e-9)
        np.testing.assert_allclose(run.equity, account.equity, rtol=0, atol=1e-9 * market.rules.capital)
        np.testing.assert_allclose(run.exposure, account.exposure, rtol=0, atol=1e-9)
        assert run.account["funding"] == pytest.approx(account.funding, rel=1e-9, abs=1e-9)


def test_the_random_markets_reach_every_rule() -> None:
    rng = np.random.default_rng(0)
    reasons: Counter[str] = Counter()
    for _ in range(300):
        reasons.update(Reason(int(reason)).word for reason in simulated(random_market(rng)).fills["reason"])
    reached = ("entry", "increase", "reduce", "signal", "stop", "trail", "take", "time", "ruin")
    reached += ("chandelier", "break_even")
    assert all(reasons[reason] >= 10 for reason in reached), reasons


@pytest.mark.parametrize("seed", range(40))
def test_equity_is_capital_plus_what_the_fills_paid_plus_the_marks(seed: int) -> None:
    market = random_market(np.random.default_rng(1_000 + seed))
    run = simulated(market)
    fills, equity, positions = run.fills, run.equity, run.positions
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
    assert run.account["funding"] == pytest.approx(paid.sum(), rel=1e-9, abs=1e-9)
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
            positions = simulated(until(market, last)).positions
            for position, tick in zip(positions, market.ticks, strict=True):
                seen += position["lots"] != 0
                if position["lots"] > 0:
                    assert position["stop"] >= tick * (1 - 1e-9)
                elif position["lots"] < 0:
                    assert 0 < position["stop"] <= 2 * position["average"] + tick
                else:
                    assert (
                        position["stop"] == position["trail"] == position["chandelier"] == position["break_even"] == 0
                    )
                    assert not position["take"].any()
    assert seen > 100


@pytest.mark.parametrize("seed", range(40))
def test_a_short_never_costs_more_than_its_margin_and_a_long_never_more_than_its_price(seed: int) -> None:
    market = random_market(np.random.default_rng(3_000 + seed))
    fills = simulated(market, fee=0.0).fills
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
        fills = simulated(alone, capital=1e9).fills
        others = together.fills[together.fills["instrument"] == i]
        for name in ("bar", "lots", "price", "fee", "reason"):
            np.testing.assert_array_equal(fills[name], others[name])


@pytest.mark.parametrize("seed", range(20))
def test_what_comes_later_changes_no_earlier_fill(seed: int) -> None:
    market = random_market(np.random.default_rng(5_000 + seed))
    run = simulated(market)
    for last in (1, 17, 50):
        earlier = simulated(until(market, last))
        np.testing.assert_array_equal(earlier.fills, run.fills[run.fills["bar"] < last])
        np.testing.assert_array_equal(earlier.equity, run.equity[:last])


def in_blocks(market: Market, cuts: list[int], recording: bool) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Positions, account, and fills and curves if recorded, of a market handed over piece by piece."""
    rules, columns = market.rules, columns_of(market)
    positions, account = np.zeros(len(market.ticks), POSITION), np.zeros(1, ACCOUNT)
    length = market.close.shape[1]
    fills, curves = [], []
    for first, last in pairwise([0, *cuts, length]):
        size = last - first if recording else 0
        room = np.empty(MOST_FILLS * len(market.ticks) * size, FILL)
        equity, exposure = np.empty(size), np.empty(size)
        count = advance(
            *(np.ascontiguousarray(column[..., first:last]) for column in columns),
            plan_from(rules),
            positions,
            account[0],
            rules.capital,
            rules.fee,
            rules.slippage,
            np.array(market.ticks),
            np.array(market.lots),
            room,
            equity,
            exposure,
        )
        rows = room[:count]
        rows["bar"] += first
        fills.append(rows)
        curves.append(np.array([equity, exposure]))
    return positions, account, [np.concatenate(fills), np.concatenate(curves, axis=1)]


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 80), max_size=8).map(sorted))
def test_blocks_of_any_size_give_what_one_call_gives_to_the_last_bit(seed: int, cuts: list[int]) -> None:
    market = random_market(np.random.default_rng(seed))
    whole = simulated(market)
    positions, account, (fills, curves) = in_blocks(market, cuts, recording=True)
    assert fills.tobytes() == whole.fills.tobytes()
    assert curves[0].tobytes() == whole.equity.tobytes()
    assert curves[1].tobytes() == whole.exposure.tobytes()
    assert positions.tobytes() == whole.positions.tobytes()
    assert account[0].tobytes() == whole.account.tobytes()
    silent = in_blocks(market, cuts[::2], recording=False)
    assert silent[0].tobytes() == positions.tobytes()
    assert silent[1].tobytes() == account.tobytes()


@compiled
def _population(
    open_: np.ndarray,
    high: np.ndarray,
    low: np.ndarray,
    close: np.ndarray,
    volume: np.ndarray,
    funding: np.ndarray,
    present: np.ndarray,
    targets: np.ndarray,
    ranges: np.ndarray,
    plans: np.ndarray,
    positions: np.ndarray,
    accounts: np.ndarray,
    tick: np.ndarray,
    lot: np.ndarray,
    fills: np.ndarray,
    curve: np.ndarray,
) -> None:
    bars = (open_, high, low, close, volume, funding, present)
    for k in range(plans.size):
        plan, account = plans[k], accounts[k]
        advance(*bars, targets[k], ranges, plan, positions[k], account, 1e3, 1e-3, 1e-3, tick, lot, fills, curve, curve)


@pytest.mark.parametrize("instruments", [1, 2])
def test_many_strategies_in_one_compiled_loop_trade_as_each_does_alone(instruments: int) -> None:
    rng = np.random.default_rng(77)
    market = random_market(rng, instruments)
    rules = [Rules(1e3, fee=1e-3, slippage=1e-3, **_random_exits(rng)) for _ in range(30)]  # type: ignore[arg-type]
    shape = market.targets.shape
    targets = np.array([[_random_targets(rng, shape[1]) for _ in range(shape[0])] for _ in rules])
    positions, accounts = np.zeros((len(rules), instruments), POSITION), np.zeros(len(rules), ACCOUNT)
    _population(
        *columns_of(market)[:7],
        targets,
        market.ranges,
        np.array([plan_from(each) for each in rules]),
        positions,
        accounts,
        np.array(market.ticks),
        np.array(market.lots),
        np.empty(0, FILL),
        np.empty(0),
    )
    assert (accounts["fills"] > 0).all()
    for k, each in enumerate(rules):
        alone = simulated(replace(market, targets=targets[k], rules=each))
        assert alone.account.tobytes() == accounts[k].tobytes()
        assert alone.positions.tobytes() == positions[k].tobytes()


def test_too_little_room_for_the_fills_is_refused_before_any_is_written() -> None:
    market = random_market(np.random.default_rng(0), instruments=2)
    short = np.empty(MOST_FILLS * 2 * market.close.shape[1] - 1, FILL)
    positions, account, none = np.zeros(2, POSITION), np.zeros(1, ACCOUNT)[0], np.empty(0)
    steps = np.array(market.ticks), np.array(market.lots)
    with pytest.raises(ValueError, match="too little room"):
        advance(
            *columns_of(market), plan_from(market.rules), positions, account, 1e3, 0.0, 0.0, *steps, short, none, none
        )


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_market_beside_one_that_never_trades_trades_as_it_does_alone(seed: int) -> None:
    """A single instrument takes a shorter way through its quiet bars, and must come out at the same place."""
    market = random_market(np.random.default_rng(seed), instruments=1)
    beside = replace(
        market,
        **{
            name: np.concatenate([value, np.zeros_like(value) if name == "targets" else value], axis=-2)
            for name, value in vars(market).items()
            if isinstance(value, np.ndarray)
        },
    )
    beside.ticks, beside.lots = market.ticks * 2, market.lots * 2
    alone, both = simulated(market), simulated(beside)
    assert both.fills.tobytes() == alone.fills.tobytes()
    assert both.equity.tobytes() == alone.equity.tobytes()
    assert both.exposure.tobytes() == alone.exposure.tobytes()
    assert both.account.tobytes() == alone.account.tobytes()
    assert both.positions[0].tobytes() == alone.positions[0].tobytes()


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_targets_outside_their_range_are_held_to_it_and_those_that_are_no_numbers_are_flat(seed: int) -> None:
    rng = np.random.default_rng(seed)
    market = random_market(rng)
    wild = np.where(rng.random(market.targets.shape) < 0.2, rng.choice([np.nan, 7.0, -np.inf, 1e300]), market.targets)
    tame = np.clip(np.nan_to_num(wild, nan=0.0, posinf=1.0, neginf=-1.0), -1.0, 1.0)
    wild[~market.present] = rng.choice([np.nan, -3.0])
    fills = simulated(replace(market, targets=tame)).fills
    assert simulated(replace(market, targets=wild)).fills.tobytes() == fills.tobytes()
