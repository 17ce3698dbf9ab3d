"""The figures of a run against their plain definitions, and round trips by hand."""

from __future__ import annotations

import math
import statistics
from dataclasses import asdict
from decimal import Decimal

import numpy as np
import pytest

from clawd.core.instrument import Instrument
from clawd.core.panel import NANOSECONDS_PER_DAY, Panel
from clawd.core.reason import Reason
from clawd.engine.account import ACCOUNT
from clawd.engine.metrics import Metrics, drawdown, measure, metrics_of
from clawd.engine.trades import Fill, RoundTrip, fills_of, round_trips
from engine.plain_simulator import Far, Rules
from engine.test_simulate import Market, random_market, simulated


def fill(day: int, size: float, price: float, reason: Reason, fee: float = 0.0, symbol: str = "A") -> Fill:
    return Fill(day, symbol, Decimal(repr(size)), Decimal(repr(price)), fee, reason)


def test_a_round_trip_is_from_flat_to_flat() -> None:
    trips = round_trips(
        [
            fill(1, 4, 100, Reason.ENTRY, fee=1),
            fill(2, 2, 130, Reason.INCREASE, fee=1),
            fill(3, -3, 140, Reason.REDUCE, fee=1),
            fill(4, -3, 90, Reason.STOP, fee=1),
        ]
    )
    # 660 was paid for 6, so 110 each; 420 and 270 came back.
    assert trips == (RoundTrip("A", 1, opened=1, closed=4, entry=110, exit=115, size=6, profit=26, reason=Reason.STOP),)


def test_a_change_of_side_ends_one_trip_and_begins_another() -> None:
    closed, open_ = round_trips(
        [fill(1, -5, 100, Reason.ENTRY), fill(2, 5, 90, Reason.SIGNAL), fill(2, 4, 90, Reason.ENTRY, fee=2)]
    )
    assert (closed.side, closed.profit, closed.closed, closed.reason) == (-1, 50, 2, Reason.SIGNAL)
    assert (open_.side, open_.profit, open_.closed, open_.exit, open_.reason) == (1, -2, None, None, None)


def test_an_open_trip_shows_what_its_fills_have_realised() -> None:
    (trip,) = round_trips([fill(1, -10, 100, Reason.ENTRY), fill(2, 4, 80, Reason.REDUCE, fee=3)])
    assert (trip.side, trip.exit, trip.size, trip.profit) == (-1, 80, 10, 77)


def test_trips_come_in_the_order_of_their_end_and_open_ones_last() -> None:
    trips = round_trips(
        [
            fill(1, 1, 10, Reason.ENTRY, symbol="A"),
            fill(2, 1, 10, Reason.ENTRY, symbol="B"),
            fill(3, 1, 10, Reason.ENTRY, symbol="C"),
            fill(4, -1, 11, Reason.TAKE, symbol="C"),
            fill(5, -1, 9, Reason.STOP, symbol="B"),
        ]
    )
    assert [(trip.symbol, trip.closed) for trip in trips] == [("C", 4), ("B", 5), ("A", None)]


def test_the_size_of_the_smallest_lots_ends_a_trip_too() -> None:
    (trip,) = round_trips(
        [
            fill(1, 0.1, 1e-7, Reason.ENTRY),
            fill(2, 0.2, 1e-7, Reason.INCREASE),
            fill(3, -0.3, 2e-7, Reason.SIGNAL),
        ]
    )
    assert trip.closed == 3


def trip(profit: float) -> RoundTrip:
    return RoundTrip("A", 1, 1, 2, 100.0, 100.0 + profit, 1.0, profit, Reason.SIGNAL)


def figures(equity: list[float], profits: list[float] = (), fills: list[Fill] = (), **changes: float) -> Metrics:  # type: ignore[assignment]
    values = np.array(equity, np.float64)
    settings = {"capital": 100.0, "bars_per_year": 250.0, "slippage": 0.01, "funding": 0.0} | changes
    return measure(values, np.full(values.size, 0.5), list(fills), [trip(profit) for profit in profits], **settings)


def test_returns_are_shares_of_the_capital_and_add_up() -> None:
    found = figures([110, 99, 120])
    returns = [0.10, -0.11, 0.21]
    assert found.total_return == pytest.approx(0.20)
    assert found.annual_return == pytest.approx(statistics.fmean(returns) * 250)
    assert found.annual_volatility == pytest.approx(statistics.stdev(returns) * math.sqrt(250))
    assert found.sharpe == pytest.approx(statistics.fmean(returns) / statistics.stdev(returns) * math.sqrt(250))
    assert (found.bars, found.exposure) == (3, 0.5)


def test_drawdown_is_the_fall_from_the_highest_equity_so_far() -> None:
    np.testing.assert_allclose(drawdown(np.array([90.0, 120.0, 60.0, 150.0, 135.0]), 100.0), [0.1, 0.0, 0.5, 0.0, 0.1])
    assert figures([90, 120, 60, 150, 135]).max_drawdown == pytest.approx(0.5)
    assert figures([101, 102, 103]).max_drawdown == 0.0


def test_trades_are_counted_when_they_are_closed() -> None:
    found = figures([100], [10, -4, 6, -2, 0])
    assert found.trades == 5
    assert found.win_rate == pytest.approx(2 / 5)
    assert found.expectancy == pytest.approx(10 / 5 / 100)
    assert found.profit_factor == pytest.approx(16 / 6)


def test_what_does_not_exist_is_no_number() -> None:
    found = figures([100, 100])
    assert found.trades == 0
    for name in ("sharpe", "win_rate", "expectancy", "profit_factor"):
        assert math.isnan(getattr(found, name))
        assert found.to_json()[name] is None
    assert math.isnan(figures([100], [5, 6]).profit_factor)
    alone = figures([110])
    assert alone.annual_return == pytest.approx(0.1 * 250)
    assert math.isnan(alone.annual_volatility)
    assert math.isnan(alone.sharpe)
    empty = figures([])
    assert (empty.total_return, empty.max_drawdown, empty.turnover) == (0.0, 0.0, 0.0)


def test_returns_that_vary_by_their_rounding_alone_have_no_ratio() -> None:
    equity = np.cumsum(np.full(400, 0.1)) + 100.0
    assert 0 < np.std(np.diff(equity, prepend=100.0) / 100.0) < 1e-15
    assert math.isnan(figures(list(equity)).sharpe)


def test_turnover_is_the_notional_of_a_year() -> None:
    fills = [fill(1, 2, 100, Reason.ENTRY), fill(2, -2, 150, Reason.SIGNAL)]
    assert figures([100] * 125, fills=fills).turnover == pytest.approx((200 + 300) / 100 / 0.5)


def test_slippage_is_what_fills_gave_up_against_the_undisturbed_price() -> None:
    fills = [
        fill(1, 2, 101, Reason.ENTRY, fee=0.3),  # the open was 100
        fill(2, -1, 99, Reason.STOP, fee=0.2),  # the stop was at 100
        fill(3, -1, 120, Reason.TAKE, fee=0.1),  # a limit order does not slip
    ]
    found = figures([100] * 3, fills=fills, slippage=0.01)
    assert found.slippage == pytest.approx(2 * 1 + 1 * 1)
    assert found.fees == pytest.approx(0.6)


def panel_of(market: Market) -> Panel:
    steps = [(Decimal(repr(tick)), Decimal(repr(lot))) for tick, lot in zip(market.ticks, market.lots, strict=True)]
    return Panel(
        instruments=tuple(Instrument("ABC"[i], *step) for i, step in enumerate(steps)),
        bar=NANOSECONDS_PER_DAY,
        times=np.arange(market.close.shape[1]) * NANOSECONDS_PER_DAY,
        **{name: getattr(market, name) for name in ("open", "high", "low", "close", "volume", "funding")},
        bars_per_year=365.0,
    )


@pytest.mark.parametrize("seed", range(30))
def test_the_profits_of_all_trips_are_the_profit_of_the_run(seed: int) -> None:
    market = random_market(np.random.default_rng(7_000 + seed))
    run = simulated(market)
    equity, positions, funding = run.equity, run.positions, float(run.account["funding"])
    fills = fills_of(run.fills, panel_of(market))
    trips = round_trips(fills)
    marks = [row[~np.isnan(row)][-1] for row in market.close]
    unrealised = sum(
        float(position["lots"]) * lot * (mark - float(position["average"]))
        for position, lot, mark in zip(positions, market.lots, marks, strict=True)
    )
    profit = sum(trip.profit for trip in trips) + unrealised - funding
    capital = market.rules.capital
    assert profit == pytest.approx(equity[-1] - capital, abs=1e-7 * capital)
    assert sum(trip.closed is None for trip in trips) == sum(positions["lots"] != 0)


@pytest.mark.parametrize("seed", range(30))
def test_the_figures_are_their_definitions(seed: int) -> None:
    market = random_market(np.random.default_rng(8_000 + seed))
    run = simulated(market)
    rows, equity, exposure, funding = run.fills, run.equity, run.exposure, float(run.account["funding"])
    fills = fills_of(rows, panel_of(market))
    trips = round_trips(fills)
    capital = market.rules.capital
    found = measure(equity, exposure, fills, trips, capital, 365.0, market.rules.slippage, funding)

    returns, before, peak, deepest = [], capital, capital, 0.0
    for value in equity:
        returns.append((value - before) / capital)
        peak = max(peak, value)
        deepest = max(deepest, (peak - value) / peak)
        before = value
    profits = [trip.profit for trip in trips if trip.closed is not None]
    least = 1e-12 * capital  # what rounding leaves of a position that was left where it was entered is no profit
    wins, losses = [p for p in profits if p > least], [p for p in profits if p < -least]
    notional = sum(abs(float(f.size) * float(f.price)) for f in fills)
    expected = {
        "total_return": math.fsum(returns),
        "max_drawdown": deepest,
        "trades": len(profits),
        "turnover": notional / capital / (len(equity) / 365.0),
        "fees": notional * market.rules.fee,
        "exposure": statistics.fmean(exposure),
        "funding": funding,
    }
    if profits:
        expected |= {"win_rate": len(wins) / len(profits), "expectancy": statistics.fmean(profits) / capital}
    if losses:
        expected["profit_factor"] = sum(wins) / -sum(losses)
    if statistics.stdev(returns) > 0:
        expected["sharpe"] = statistics.fmean(returns) / statistics.stdev(returns) * math.sqrt(365.0)
    for name, value in expected.items():
        assert getattr(found, name) == pytest.approx(value, rel=1e-9, abs=1e-12), name


def test_slippage_of_a_run_is_the_distance_of_its_fills_from_the_open() -> None:
    market = random_market(np.random.default_rng(1), instruments=1)
    market.rules = Rules(1_000.0, Far(0.95), slippage=0.01)
    market.ticks[0] = 1e-9
    run = simulated(market)
    rows, equity, exposure, funding = run.fills, run.equity, run.exposure, float(run.account["funding"])
    fills = fills_of(rows, panel_of(market))
    orders = [row for row in rows if Reason(int(row["reason"])) is not Reason.STOP]
    assert len(orders) == len(rows) > 5
    given_up = sum(row["lots"] * market.lots[0] * (row["price"] - market.open[0, row["bar"]]) for row in orders)
    found = measure(equity, exposure, fills, round_trips(fills), market.rules.capital, 365.0, 0.01, funding)
    assert found.slippage == pytest.approx(given_up, rel=1e-6)


@pytest.mark.parametrize("seed", range(300))
def test_the_running_sums_give_the_figures_that_the_curves_and_fills_give(seed: int) -> None:
    market = random_market(np.random.default_rng(9_000 + seed))
    run = simulated(market)
    capital, slippage = market.rules.capital, market.rules.slippage
    fills = fills_of(run.fills, panel_of(market))
    funding = float(run.account["funding"])
    expected = asdict(measure(run.equity, run.exposure, fills, round_trips(fills), capital, 365.0, slippage, funding))
    found = asdict(metrics_of(run.account, capital, 365.0))
    for name, value in expected.items():
        if name in ("bars", "trades", "win_rate"):
            assert found[name] == value or (math.isnan(found[name]) and math.isnan(value)), name
        else:
            assert found[name] == pytest.approx(value, rel=1e-9, abs=1e-12, nan_ok=True), name


def test_an_account_that_has_not_begun_has_the_figures_of_no_bars() -> None:
    empty = figures([])
    found = metrics_of(np.zeros(1, ACCOUNT)[0], 100.0, 250.0)
    np.testing.assert_equal(asdict(found), asdict(empty))
