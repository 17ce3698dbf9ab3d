"""Real bars: the exits of a backtest's positions, traded as orders at a venue, fill where the backtest says they do."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from exit_venue import Bench, capabilities_of

from clawd.core.money import booked_price, booked_size
from clawd.core.orders import Order, OrderKind, OrderType
from clawd.core.panel import Panel
from clawd.core.reason import Reason
from clawd.data.market import load_market
from clawd.engine.plan import DISTANCES, plan_of
from clawd.engine.runtime import Runtime
from clawd.engine.simulate import simulate
from clawd.language.exits import Exits
from clawd.language.strategy import parse_toml

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
D = Decimal
needs_real_bars = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared folder of real crypto bars is not here")

EVERY_EXIT = (
    "stop = { atr = 3, window = 14 }\ntrail = { percent = 0.8 }\nchandelier = { atr = 4, window = 20 }\n"
    "break_even = { percent = 0.4 }\ntime = 40\ncooldown = 5\n"
    "take = [{ percent = 0.5, share = 0.5 }, { atr = 6, window = 14, share = 0.3, decay = 30 }]"
)
FEW_EXITS = "stop = { percent = 0.7 }\ntake = { percent = 0.9 }\ntime = 60"


@dataclass(frozen=True)
class Line:
    """One fill."""

    bar: int
    size: Decimal
    price: Decimal
    opens: bool


def walked(bench: Bench, to: Decimal) -> None:
    """Go to a price; whatever rests on the way fills at its level."""
    venue = bench.venue
    for _ in range(20):
        due = [order for order in venue.live.values() if _lies_on_the_way(order, venue.price, to)]
        if not due:
            break
        nearest = min(due, key=lambda order: abs((order.level or D(0)) - venue.price))
        assert nearest.level is not None
        venue.price = nearest.level
        venue.match(nearest.id)
        bench.settle()
    venue.price = to


def _lies_on_the_way(order: Order, start: Decimal, end: Decimal) -> bool:
    if order.level is None or not order.reduces:
        return False
    waits_for_a_fall = (order.size < 0) == (order.type is OrderType.STOP)
    return end <= order.level <= start if waits_for_a_fall else start <= order.level <= end


def simulated_and_traded(panel: Panel, target: str, exits: str, slots: int | None) -> tuple[list[Line], list[Line]]:
    """The fills of the simulator, and those of the same entries with the exit manager at a venue."""
    strategy = parse_toml(f'name = "s"\n[position]\ntarget = "{target}"\n[exits]\n{exits}\n')
    runtime = Runtime([strategy], panel)
    decisions = runtime.advance(panel)[0]
    plan, capital = plan_of(strategy.exits, runtime.windows), 100_000.0
    columns = (panel.open, panel.high, panel.low, panel.close, panel.volume, np.zeros_like(panel.open), panel.present)
    run = simulate(*columns, decisions.targets, decisions.ranges, plan, capital, 0.0, 0.0, panel.ticks, panel.lots)
    instrument = panel.instruments[0]
    expected = [
        Line(
            int(fill["bar"]),
            booked_size(fill["lots"], instrument.lot),
            booked_price(fill["price"], instrument.tick),
            Reason(int(fill["reason"])).opens,
        )
        for fill in run.fills
    ]
    traded = _traded(panel, strategy.exits, plan, decisions.ranges, run.fills, slots)
    return expected, traded


def _traded(
    panel: Panel, exits: Exits, plan: np.void, ranges: np.ndarray, fills: np.ndarray, slots: int | None
) -> list[Line]:
    instrument, lines, heard = panel.instruments[0], [], 0
    bench = Bench(capabilities_of(slots), instrument)
    windows = {distance.window: k for distance, k in zip(exits.distances, [0] * 9, strict=False)}
    windows = {window: k for k, window in enumerate(sorted({each for each in windows if each is not None}))}
    for t, time in enumerate(panel.times):
        bench.now = int(time)
        open_, high, low, close = (
            booked_price(column[0, t], instrument.tick) for column in (panel.open, panel.high, panel.low, panel.close)
        )
        asked = [
            (booked_size(fill["lots"], instrument.lot), Reason(int(fill["reason"])))
            for fill in fills[fills["bar"] == t]
        ]
        # What the agent asked for at the close before; the exits are the manager's.
        bench.venue.fill_at = lambda order, price: price
        bench.venue.price = open_
        bench.do(bench.manager.on_time(bench.now))
        for size, reason in asked:
            if reason in (Reason.SIGNAL, Reason.REDUCE):
                bench.close(str(size), reason=reason)
        bench.settle()
        bench.venue.move(open_)
        bench.settle()
        for size, reason in asked:
            if reason.opens:
                distances = [0.0] * DISTANCES
                for place in range(DISTANCES):
                    multiple, window = float(plan["size"][place]), int(plan["window"][place])
                    distances[place] = -multiple if window < 0 else multiple * float(ranges[window, 0, t - 1])
                bench.open(str(size), exits.to_json(), distances, reason=reason, bar=panel.bar)
                bench.settle()
        if bench.size:
            for price in (low, high) if bench.size > 0 else (high, low):
                walked(bench, price)
        bench.venue.price = close
        for _, order, size, price in bench.venue.trades[heard:]:
            lines.append(Line(t, size, price, bench.account.orders[order].order.kind is OrderKind.OPENING))
        heard = len(bench.venue.trades)
        bench.now += panel.bar - 1
        if bench.size:
            known = {window: float(ranges[k, 0, t]) for window, k in windows.items()}
            for fact in bench.manager.after_bar(
                instrument.symbol,
                panel.bar,
                int(time),
                float(panel.high[0, t]),
                float(panel.low[0, t]),
                float(panel.close[0, t]),
                panel.volume[0, t] != 0.0,
                known,
            ):
                bench.enter(fact)  # and the venue hears of it at the next open
    return lines


@needs_real_bars
@pytest.mark.parametrize("market", ["binanceusdm_BTCUSDT_5m", "binanceusdm_ETHUSDT_5m"])
@pytest.mark.parametrize(
    ("target", "exits"),
    [
        ("signal_if(ret(close, 6) > 0.002, ret(close, 6) < -0.002)", EVERY_EXIT),
        ("long_short(-1 * squash(ts_zscore(close, 24)))", FEW_EXITS),
    ],
)
def test_exits_at_a_venue_fill_where_the_simulator_fills_them(market: str, target: str, exits: str) -> None:
    whole = load_market(SHARED, [market]).panel
    panel = whole.between(30_000, 30_700)
    assert panel.present.all() and (panel.volume > 0).all()
    expected, traded = simulated_and_traded(panel, target, exits, None)
    assert sum(not line.opens for line in expected) > 30
    assert traded == expected
