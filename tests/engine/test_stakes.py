"""No bar ever loses more than the bound that was known before it, and the bound is no wider than it has to be."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

import numpy as np
import pytest

from clawd.authors.starter import starter_library
from clawd.core.costs import Costs
from clawd.core.instrument import Instrument
from clawd.core.panel import NANOSECONDS_PER_DAY, Panel
from clawd.data.market import load_market
from clawd.engine.backtest import run_backtest
from clawd.engine.runtime import Decisions
from clawd.engine.stakes import MOST_FUNDING, Stakes, most_funding, stakes, stakes_of
from clawd.language.strategy import Strategy, parse_toml
from engine.panels import START

CAPITAL = Decimal(1_000)
COSTS = Costs(Decimal("0.002"), Decimal("0.003"))
FREE = Costs(Decimal(0), Decimal(0))

#: Moves of a price from one bar to the next: a wild market has crashes, doublings, and the edges of the rules.
JUMPS = [0.0, 1e-6, 0.05, 0.5, 0.79, 0.8, 0.81, 0.99, 1.0, 1.0, 1.0, 1.01, 1.19, 1.2, 1.21, 1.5, 1.99, 2.0, 2.01, 7.0]


def exits_of(rng: np.random.Generator) -> str:
    """Random exits in percent: from close to beyond the whole price."""
    far = [0.5, 3, 10, 40, 95]
    lines = [f"stop = {{ percent = {rng.choice(far)} }}"]
    for name in ("trail", "break_even"):
        if rng.random() < 0.3:
            lines.append(f"{name} = {{ percent = {rng.choice(far)} }}")
    if rng.random() < 0.4:
        shares = [[1.0], [0.3], [0.5, 0.5], [0.2, 0.2, 0.2, 0.4]][rng.integers(4)]
        targets = (f"{{ percent = {rng.choice(far)}, share = {share} }}" for share in shares)
        lines.append(f"take = [{', '.join(targets)}]")
    if rng.random() < 0.3:
        lines.append(f"time = {rng.integers(1, 6)}\ncooldown = {rng.integers(1, 4)}")
    return "\n".join(lines)


def strategy_of(exits: str) -> Strategy:
    return parse_toml(f'name = "s"\n[position]\ntarget = "long_short(0)"\n[exits]\n{exits}\n')


def wild_market(rng: np.random.Generator, length: int = 80) -> Panel:
    """Gaps, holes, crashes to the last tick, doublings, silent bars, and as much funding as a bound allows for."""
    instruments = int(rng.integers(1, 4))
    shape = (instruments, length)
    tick = rng.choice([0.01, 0.05, 1e-6], (instruments, 1))
    wild = rng.choice([0.02, 0.2, 0.6])

    def moves() -> np.ndarray:
        return np.where(rng.random(shape) < wild, rng.choice(JUMPS, shape), np.exp(rng.normal(0, 0.02, shape)))

    open_, close = np.empty(shape), np.empty(shape)
    price = np.full(instruments, 100.0)
    gaps, bars = moves(), moves()
    for t in range(length):
        for where, move in ((open_, gaps), (close, bars)):
            price = np.clip(np.round(price * move[:, t] / tick[:, 0]), 1, 1e12) * tick[:, 0]
            where[:, t] = price
        price = np.where(price < 2 * tick[:, 0], 100.0, price)  # a new listing takes the place of what is dead
    top = np.maximum(open_, close) * (1 + rng.exponential(0.02, shape))
    bottom = np.maximum(np.minimum(open_, close) * (1 - np.minimum(rng.exponential(0.02, shape), 0.9)), tick)
    volume = np.ones(shape)
    for t in range(1, length):  # where nothing trades the price stays
        silent = rng.random(instruments) < 0.05
        for column in (open_, top, bottom, close):
            column[silent, t] = close[silent, t - 1]
        volume[silent, t] = 0.0
    missing = rng.random(shape) < 0.05
    missing[:, 1:] &= volume[:, 1:] > 0  # nor does it move between a hole and a silent bar
    missing[:, :-1] &= volume[:, 1:] > 0
    columns = [np.where(missing, np.nan, column) for column in (open_, top, bottom, close, volume)]
    funding = np.where(rng.random(shape) < 0.3, rng.uniform(-MOST_FUNDING, MOST_FUNDING, shape), 0.0)
    funding[rng.random(shape) < 0.1] = -MOST_FUNDING
    return panel_of(columns, np.where(missing, 0.0, funding), tick[:, 0])


def panel_of(columns: list[np.ndarray], funding: np.ndarray, ticks: np.ndarray, lot: str = "0.001") -> Panel:
    return Panel(
        instruments=tuple(
            Instrument("ABC"[row], Decimal(repr(float(tick))), Decimal(lot)) for row, tick in enumerate(ticks)
        ),
        bar=NANOSECONDS_PER_DAY,
        times=START + np.arange(columns[0].shape[1]) * NANOSECONDS_PER_DAY,
        open=columns[0],
        high=columns[1],
        low=columns[2],
        close=columns[3],
        volume=columns[4],
        funding=funding,
        bars_per_year=365.0,
    )


def steps(rng: np.random.Generator, panel: Panel) -> np.ndarray:
    """Targets [I, T] that stay, change, turn, or jump every bar."""
    shape = panel.close.shape
    levels = rng.choice([-1.0, -0.5, -0.1, 0.0, 0.2, 0.6, 1.0], shape)
    if rng.random() < 0.3:
        levels = rng.choice([-1.0, 1.0], shape)
    changes = rng.random(shape) < rng.choice([0.1, 0.5, 1.0])
    last = np.maximum.accumulate(np.where(changes, np.arange(shape[1]), 0), axis=1)
    return np.take_along_axis(levels, last, axis=1)


def run(panel: Panel, targets: np.ndarray, exits: str, costs: Costs = COSTS) -> Stakes:
    decisions = Decisions(np.where(panel.present, targets, np.nan), np.empty((0, *panel.close.shape)))
    return stakes_of(strategy_of(exits), (), decisions, panel, costs, CAPITAL)


def test_no_bar_of_two_thousand_random_strategies_on_wild_markets_loses_more_than_its_bound() -> None:
    rng = np.random.default_rng(7)
    closest, held, bars = 0.0, 0, 0
    for _ in range(400):
        panel = wild_market(rng)
        for _ in range(5):
            found = run(panel, steps(rng, panel), exits_of(rng))
            losses, bounds = -found.net_returns, found.bounds
            assert (losses <= bounds).all()
            assert not found.net_returns[bounds == 0].any(), "a bar on which nothing was held made and lost nothing"
            closest = max(closest, float((losses[bounds > 1e-6] / bounds[bounds > 1e-6]).max(initial=0.0)))
            held, bars = held + int((bounds > 0).sum()), bars + bounds.size
    assert held > 0.5 * bars
    assert closest > 0.999, "some bar loses all that it may: the bound is not wider than it has to be"


@pytest.mark.parametrize("seed", range(20))
def test_later_bars_do_not_change_earlier_bounds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    panel, other = wild_market(np.random.default_rng(seed)), wild_market(np.random.default_rng(seed))
    assert np.array_equal(panel.close, other.close, equal_nan=True)
    targets, exits = steps(rng, panel), exits_of(rng)
    cut = 40
    for name in ("open", "high", "low", "close"):
        getattr(other, name)[:, cut:] *= 3.0  # a jump, and other prices from there on
    other.funding[:, cut:] = MOST_FUNDING
    before, after = run(panel, targets, exits), run(other, targets, exits)
    assert np.array_equal(before.bounds[: cut + 1], after.bounds[: cut + 1])
    assert np.array_equal(before.net_returns[:cut], after.net_returns[:cut])
    if before.bounds[cut] > 0:
        assert before.net_returns[cut] != after.net_returns[cut]
    shorter = run(panel.between(0, cut), targets[:, :cut], exits)
    assert np.array_equal(shorter.bounds, before.bounds[:cut])


def test_net_returns_are_those_of_the_backtest_to_the_last_bit() -> None:
    panel = load_market("sample").panel
    costs = Costs(Decimal("0.0005"), Decimal("0.0002"))
    for strategy in starter_library():
        found = stakes(strategy, panel, costs, CAPITAL, 100, 900)
        assert np.array_equal(found.net_returns, run_backtest(strategy, panel, costs, CAPITAL, 100, 900).net_returns)
        assert (found.net_returns >= -found.bounds).all()


# Worked by hand: one instrument, capital 1,000, costless unless said otherwise; decided on bar 0 at a close of 100,
# entered at the open of bar 1. Ticks of 1e-6 change nothing that shows.


def one(prices: list[tuple[float, float, float, float]], funding: dict[int, float] | None = None) -> Panel:
    columns = [np.array([[bar[k] for bar in prices]]) for k in range(4)]
    paid = np.zeros((1, len(prices)))
    for bar, rate in (funding or {}).items():
        paid[0, bar] = rate
    return panel_of([*columns, np.ones((1, len(prices)))], paid, np.array([1e-6]))


def flat(price: float) -> tuple[float, float, float, float]:
    return (price,) * 4


WIDE = "stop = { percent = 95 }"


def test_a_long_position_may_go_to_nothing_and_costs_come_out_of_what_is_left() -> None:
    found = run(one([flat(100), flat(100), flat(120), (1e-6,) * 4]), np.array([[0.5, 0.5, 0.5, 0.5]]), WIDE, FREE)
    assert found.bounds == pytest.approx([0, 0.6, 0.5, 0.6], rel=1e-6)  # 5 units: at the band's edge, then at the mark
    assert found.net_returns == pytest.approx([0, 0, 0.1, -0.6], abs=1e-7)
    dear = run(
        one([flat(100), flat(100), flat(120)]), np.array([[0.5] * 3]), WIDE, Costs(Decimal("0.1"), Decimal("0.05"))
    )
    assert dear.bounds == pytest.approx([0, 5 * 120 * 1.05 * 1.1 / 1000, 0.5], rel=1e-6)


def test_a_short_position_may_lose_its_margin_and_funding_on_top() -> None:
    prices = [flat(100), flat(100), flat(80), flat(190), (300.0,) * 4]
    found = run(one(prices, {3: -MOST_FUNDING}), np.array([[-0.5] * 5]), WIDE, FREE)
    loss = 1 + MOST_FUNDING
    # 5 units sold at 100 are closed out at 200 at the worst; at the entry the fill may lie a fifth higher.
    at_entry = 5 * (2 * 120 * loss - 120) / 1000
    assert found.bounds == pytest.approx(
        [0, at_entry, 5 * (200 * loss - 100) / 1000, 5 * (200 * loss - 80) / 1000, 5 * (200 * loss - 190) / 1000],
        rel=1e-6,
    )
    # bar 3: from 80 to 190, and funding on top; bar 4 opens beyond the margin, which is all that is lost
    assert found.net_returns[3:] == pytest.approx([-5 * (110 + 0.03 * 190) / 1000, -5 * (200 - 190) / 1000])


def test_where_a_position_turns_the_old_side_and_the_new_one_do_not_both_lose_everything() -> None:
    found = run(one([flat(100), flat(100), flat(100), flat(100)]), np.array([[0.5, -0.5, 0.5, 0.5]]), WIDE, FREE)
    # bar 2: 5 units sold and 5 sold short at one open p in [80, 120], to be closed out at 2 p (1 + 3 %):
    # 5 (100 - p) + 5 (1.06 p), most at the dearest
    assert found.bounds[2] == pytest.approx(5 * (100 + 0.06 * 120) / 1000, rel=1e-6)
    # bar 3: 5 bought back and 5 bought: 5 (p - 100) + 5 p at 120; less than the gap in which no entry fills and the old
    # side is closed out at 200 (1 + 3 %)
    assert found.bounds[3] == pytest.approx(5 * max(20 + 120, 2 * 100 * (1 + MOST_FUNDING) - 100) / 1000, rel=1e-6)


def test_nothing_held_and_nothing_wanted_is_no_bet() -> None:
    found = run(one([flat(100)] * 4), np.zeros((1, 4)), WIDE, FREE)
    assert not found.bounds.any()
    assert not found.net_returns.any()


def test_instruments_close_their_doors_together() -> None:
    bars = [np.full((2, 3), 100.0) for _ in range(4)]
    bars[0][:, 2] = bars[1][:, 2] = bars[2][:, 2] = bars[3][:, 2] = 1e-6
    panel = panel_of([*bars, np.ones((2, 3))], np.zeros((2, 3)), np.array([1e-6, 1e-6]))
    found = run(panel, np.array([[0.5] * 3, [0.3] * 3]), WIDE, FREE)
    assert found.bounds == pytest.approx([0, 0.96, 0.8], rel=1e-6)
    assert found.net_returns[2] == pytest.approx(-0.8, abs=1e-7)


def test_funding_is_allowed_for_by_the_day() -> None:
    day = NANOSECONDS_PER_DAY
    assert [most_funding(bar) for bar in (day // 24, day, 2 * day, 7 * day)] == pytest.approx([0.03, 0.03, 0.06, 0.21])
    panel = dataclasses.replace(one([flat(100), flat(100), flat(100)]), bar=7 * day)
    found = run(panel, np.array([[-0.5] * 3]), WIDE, FREE)
    assert found.bounds[2] == pytest.approx(5 * (200 * 1.21 - 100) / 1000, rel=1e-6)
