"""The day's loss limit holds by arithmetic: what could be lost was reserved before it was risked.

The claim is measured on the venue's account alone, with no help of the books: what the account is worth at the closes of a
UTC day never lies further below what it was worth when the day began than the limit allows. The claim has one condition,
that prices do not jump between a close and the next open; where they do, the loss beyond is at most what the jumps cost.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from fleet_worlds import (
    DAY,
    HOUR,
    MIDNIGHT,
    Trading,
    account,
    begin,
    last_closes,
    panel_of,
    run_whole,
    settings_of,
    start_of,
    strategy_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from clawd.core.events import (
    AgentFired,
    DayOpened,
    Event,
    HaltBegan,
    HaltEnded,
    OrderCancelled,
    OrderFilled,
    OrderSubmitted,
    VerdictGiven,
)
from clawd.core.orders import OrderKind
from clawd.core.panel import Floats, Panel
from clawd.core.settings import Settings
from clawd.fleet.run import begin_or_continue
from clawd.language.strategy import Strategy
from clawd.store.journal import Journal

ROUNDING = Decimal("1e-6")


@dataclass(frozen=True)
class World:
    """A market, the agents on it, and the limits."""

    panel: Panel
    strategies: list[Strategy]
    limits: Settings

    def trading(self) -> Trading:
        return Trading(self.strategies, self.panel, self.limits)


@dataclass(frozen=True)
class Lived:
    """What a world came to.

    Attributes:
        losses: the deepest loss at a close of each UTC day, measured on the venue's account.
        jumps: what the account lost or won in the day on prices that moved between a close and the next open.
        events: of each bar.
    """

    trading: Trading
    losses: dict[int, Decimal]
    jumps: dict[int, Decimal]
    events: list[list[Event]]

    @property
    def worst(self) -> Decimal:
        return max(self.losses.values())


def lived(world: World) -> Lived:
    """Trade a world to its end, measuring the account beside it."""
    trading, panel = world.trading(), world.panel
    losses: dict[int, Decimal] = defaultdict(Decimal)
    jumps: dict[int, Decimal] = defaultdict(Decimal)
    events: list[list[Event]] = []
    opened = before = world.limits.capital
    day = -1
    exposed: dict[str, Decimal] = {}
    for bar in trading.bars():
        index = trading.fleet.next_bar - 1
        today = int(panel.times[index]) // DAY
        if today != day:
            day, opened = today, before
        jumps[day] += sum(
            (size * jump for symbol, size in exposed.items() if (jump := jump_of(panel, symbol, index))), Decimal(0)
        )
        before = account(trading.venue, last_closes(panel, index))
        losses[day] = max(losses[day], opened - before)
        exposed = exposures(trading)
        events.append(bar)
    return Lived(trading, losses, jumps, events)


def exposures(trading: Trading) -> dict[str, Decimal]:
    """What could be held at the next open, by symbol: positions and working entries of all agents, none netted."""
    sizes: dict[str, Decimal] = defaultdict(Decimal)
    for agent in trading.books.agents.values():
        for symbol, size in agent.sizes.items():
            sizes[symbol] += abs(size)
    for order in trading.venue.orders.values():
        if order.kind is OrderKind.OPENING:
            sizes[order.symbol] += abs(order.size)
    return sizes


def jump_of(panel: Panel, symbol: str, index: int) -> Decimal:
    """How far a bar's open lies from the close before it."""
    row = panel.symbols.index(symbol)
    return Decimal(repr(abs(float(panel.open[row, index] - panel.close[row, index - 1]))))


# Worlds.


def bars_from(moves: list[tuple[int, int, int]], jumps: list[int], price: float = 100.0) -> Floats:
    """[T, 5] bars from open to close, up and down within the bar, and from a close to the next open, all in permille."""
    bars = []
    for (move, up, down), jump in zip(moves, jumps, strict=True):
        first = price * (1 + jump / 1000)
        price = first * (1 + move / 1000)
        bars.append((first, max(first, price) * (1 + up / 1000), min(first, price) * (1 - down / 1000), price, 5.0))
    return np.array(bars)


def stretches(values: st.SearchStrategy[int], length: int) -> st.SearchStrategy[list[int]]:
    """Values that stay for some bars: runs and reversals, not noise."""
    pieces = st.lists(st.tuples(values, st.integers(1, 6)), min_size=1, max_size=length)
    return pieces.map(lambda parts: [value for value, bars in parts for _ in range(bars)]).map(
        lambda row: (row * length)[:length]
    )


DISTANCES = st.sampled_from([0.5, 1, 3, 8, 30, 80])


@st.composite
def agents(draw: st.DrawFn, length: int, symbols: list[str], series: dict[str, Floats]) -> list[Strategy]:
    found: dict[str, Strategy] = {}
    for number in range(draw(st.integers(1, 4))):
        levels = np.array(draw(stretches(st.sampled_from([-100, -30, 0, 5, 30, 60, 100]), length))) / 100
        series[f"s{number}"] = levels if draw(st.booleans()) else np.sort(np.abs(levels))
        target = draw(
            st.sampled_from(['ext("{0}")', 'ext("{0}") * sign(ret(close, 1))', '0.3 * ext("{0}") + 0.7 * squash(30 * ret(close, 2))'])
        ).format(f"s{number}")
        exits = [f"stop = {{ percent = {draw(DISTANCES)} }}"]
        if draw(st.booleans()):
            exits.append(f"trail = {{ percent = {draw(DISTANCES)} }}")
        if draw(st.booleans()):
            exits.append(f"take = {{ percent = {draw(DISTANCES)} }}")
        if draw(st.booleans()):
            exits.append(f"time = {draw(st.integers(1, 6))}")
        strategy = strategy_of(
            f"long_short({target})",
            "\n".join(exits),
            name=f"n{number}",
            universe=draw(st.sampled_from([None, symbols[:1]])),
        )
        found.setdefault(strategy.content_hash, strategy)
    return list(found.values())


def round_the_clock(length: int, bar: int) -> NDArray[np.int64]:
    return MIDNIGHT + bar * np.arange(length, dtype=np.int64)


def in_sessions(length: int, bar: int) -> NDArray[np.int64]:
    """Seven bars a day from 14:00 on, as a stock exchange has them."""
    days, hours = np.divmod(np.arange(length, dtype=np.int64), 7)
    return MIDNIGHT + days * DAY + (14 + hours) * bar


@st.composite
def worlds(draw: st.DrawFn, bar: int = HOUR, jump: int = 0, sessions: bool = False) -> World:
    length = draw(st.sampled_from([20, 40]))
    symbols = ["AAA", "BBB"][: draw(st.integers(1, 2))]
    bars = {}
    for symbol in symbols:
        moves = draw(stretches(st.sampled_from([-90, -30, -10, -1, 0, 1, 10, 30, 90]), length))
        wicks = draw(stretches(st.sampled_from([0, 0, 5, 40]), length))
        gaps = draw(stretches(st.integers(-jump, jump), length)) if jump else [0] * length
        bars[symbol] = bars_from(list(zip(moves, wicks, reversed(wicks), strict=True)), gaps)
    series: dict[str, Floats] = {}
    strategies = draw(agents(length, symbols, series))
    times = in_sessions(length, bar) if sessions else round_the_clock(length, bar)
    limits = settings_of(
        capital=Decimal(100),
        day_loss_limit=draw(st.sampled_from([Decimal("0.5"), Decimal(2), Decimal(10)])),
        leverage=draw(st.sampled_from([Decimal(1), Decimal(10)])),
        slots=draw(st.integers(1, len(strategies))),
        max_drawdown=draw(st.sampled_from([Decimal("0.01"), Decimal("0.1"), Decimal(1)])),
        fee=draw(st.sampled_from([Decimal(0), Decimal("0.0005"), Decimal("0.01")])),
        slippage=draw(st.sampled_from([Decimal(0), Decimal("0.0002"), Decimal("0.01")])),
    )
    return World(panel_of(bars, bar=bar, times=times, series=series), strategies, limits)


# The claim.


@pytest.mark.parametrize(("bar", "sessions"), [(HOUR, False), (6 * HOUR, False), (DAY, False), (HOUR, True)])
def test_no_day_loses_more_than_the_limit_where_prices_do_not_jump(bar: int, sessions: bool) -> None:
    @settings(max_examples=100, deadline=None)
    @given(worlds(bar=bar, sessions=sessions))
    def holds(world: World) -> None:
        outcome = lived(world)
        assert outcome.worst <= world.limits.day_loss_limit + ROUNDING
        assert outcome.trading.books.beyond <= ROUNDING

    holds()


@settings(max_examples=100, deadline=None)
@given(worlds(jump=40))
def test_where_prices_jump_a_day_loses_at_most_the_jumps_beyond_the_limit(world: World) -> None:
    outcome = lived(world)
    for day, loss in outcome.losses.items():
        assert loss <= world.limits.day_loss_limit + outcome.jumps[day] + ROUNDING


@settings(max_examples=60, deadline=None)
@given(worlds(jump=150))
def test_the_books_report_the_largest_loss_beyond_the_limit(world: World) -> None:
    outcome = lived(world)
    beyond = max(outcome.worst - world.limits.day_loss_limit, Decimal(0))
    assert abs(outcome.trading.books.beyond - beyond) <= ROUNDING


@settings(max_examples=60, deadline=None)
@given(worlds(jump=150), st.sampled_from([HOUR, DAY]))
def test_after_a_halt_nothing_is_entered_until_the_next_day_and_everything_is_closed_at_the_next_open(
    world: World, bar: int
) -> None:
    outcome = lived(World(panel_of_bar(world.panel, bar), world.strategies, world.limits))
    until: int | None = None
    tradable_since = 0
    for index, events in enumerate(outcome.events, start=1):
        close = int(outcome.trading.panel.times[index]) + bar
        for event in events:
            if isinstance(event, HaltBegan):
                until, tradable_since = event.until_day, index
                assert event.until_day == close // DAY + 1
                assert event.loss >= event.limit
            elif isinstance(event, HaltEnded):
                assert until is not None and event.day >= until
                until = None
            elif until is not None and isinstance(event, OrderSubmitted):
                assert event.order_kind is not OrderKind.OPENING
            elif until is not None and isinstance(event, OrderFilled):
                assert event.order_kind is not OrderKind.OPENING
        if until is not None and index > tradable_since:
            assert not any(outcome.trading.books.net_sizes() if index == len(outcome.events) else ())
    if until is not None and tradable_since < len(outcome.events):
        assert all(agent.flat for agent in outcome.trading.books.agents.values())


def panel_of_bar(panel: Panel, bar: int) -> Panel:
    """The same bars, each of another duration."""
    rows = zip(panel.symbols, panel.open, panel.high, panel.low, panel.close, panel.volume, strict=True)
    bars = {symbol: np.stack(fields, axis=1) for symbol, *fields in rows}
    return panel_of(bars, bar=bar, series=panel.series)
