"""A replay of bars holds every limit that is set, after a restart too; those that it cannot judge let nothing in."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fleet_worlds import Trading, begin, panel_of, run_whole, settings_of, strategy_of, walk

from clawd.core.event import Event
from clawd.core.events import OrderSubmitted, VerdictGiven
from clawd.core.orders import OrderKind
from clawd.core.panel import Panel
from clawd.language.strategy import Strategy
from clawd.store.journal import Journal


def world() -> tuple[list[Strategy], Panel]:
    """Two agents that want all of two instruments, in and out."""
    bars = {"AAA": walk(3, 60), "BBB": walk(4, 60, price=20.0)}
    wanted = np.where(np.arange(60) % 12 < 8, 1.0, 0.0)
    panel = panel_of(bars, series={"wanted": wanted})
    strategies = [
        strategy_of('long_only(ext("wanted"))', "stop = { percent = 10 }", name="one"),
        strategy_of('long_only(0.9 * ext("wanted"))', "stop = { percent = 12 }", name="two"),
    ]
    return strategies, panel


def events_of(limits: dict[str, Any]) -> list[Event]:
    strategies, panel = world()
    trading = Trading(strategies, panel, settings_of(slots=2, **limits))
    return [event for bar in trading.bars() for event in bar]


def entries(events: list[Event]) -> list[VerdictGiven]:
    return [event for event in events if isinstance(event, VerdictGiven) and event.order_kind is OrderKind.OPENING]


FREE = events_of({})


def test_without_limits_everything_is_entered() -> None:
    asked = entries(FREE)
    assert len(asked) >= 16
    assert {verdict.code for verdict in asked} == {"WITHIN_LIMITS"}
    assert all(verdict.asked * price_of(verdict) > 200 for verdict in asked)


def price_of(verdict: VerdictGiven) -> Decimal:
    return Decimal(verdict.numbers["price"])


def test_no_entry_is_worth_more_than_its_limit() -> None:
    asked = entries(events_of({"order_notional": Decimal(40)}))
    assert {verdict.code for verdict in asked} == {"ORDER_NOTIONAL"}
    for verdict in asked:
        worth = verdict.allowed * price_of(verdict)
        assert Decimal(39) < worth <= 40


@pytest.mark.parametrize(
    ("name", "limit", "code"),
    [
        ("instrument_gross", Decimal(300), "INSTRUMENT_GROSS"),
        ("concentration", Decimal("0.3"), "CONCENTRATION"),
        ("venue_gross", Decimal(700), "VENUE_GROSS"),
        ("account_gross", Decimal(700), "ACCOUNT_GROSS"),
        ("account_net", Decimal(700), "ACCOUNT_NET"),
        ("equity_leverage", Decimal("0.7"), "EQUITY_LEVERAGE"),
        ("cluster_share", Decimal("0.7"), "CLUSTER_SHARE"),
    ],
)
def test_what_the_account_holds_stays_within_the_limit(name: str, limit: Decimal, code: str) -> None:
    """Held against the venue's own positions after each bar, at the closes that the gate saw."""
    strategies, panel = world()
    trading = Trading(strategies, panel, settings_of(slots=2, clusters="AAA,BBB", **{name: limit}))
    codes = set()
    for bar in trading.bars():
        codes |= {event.code for event in bar if isinstance(event, VerdictGiven)}
        marks, books = trading.books.marks, trading.books
        worth = {symbol: trading.venue.positions[symbol] * mark for symbol, mark in marks.items()}
        for order in trading.venue.orders.values():
            if order.kind is OrderKind.OPENING:
                worth[order.symbol] += order.size * marks[order.symbol]
        entered = any(isinstance(event, OrderSubmitted) and event.order_kind is OrderKind.OPENING for event in bar)
        if entered:
            most = limit * books.equity if limit < 10 else limit
            held = max(worth.values()) if name in {"instrument_gross", "concentration"} else sum(worth.values())
            assert held <= most
    assert code in codes


def test_instruments_that_stand_in_no_cluster_are_judged_alone() -> None:
    """Each of the two holds less than half of the equity, and both together more."""
    events = events_of({"cluster_share": Decimal("0.7")})
    assert {verdict.code for verdict in entries(events)} == {"WITHIN_LIMITS"}


def test_entries_come_no_faster_than_they_may() -> None:
    events = events_of({"agent_orders": 1, "order_window": 60})
    codes = [verdict.code for verdict in entries(events)]
    assert codes.count("WITHIN_LIMITS") == codes.count("AGENT_ORDERS") > 0
    whole = [verdict.code for verdict in entries(events_of({"venue_orders": 3, "order_window": 60}))]
    assert whole[:4] == ["WITHIN_LIMITS"] * 3 + ["VENUE_ORDERS"]


@pytest.mark.parametrize(
    "limits",
    [
        {"depth_share": Decimal(1)},
        {"volume_share": Decimal(1)},
        {"margin_left": Decimal("0.01")},
        {"liquidation_distance": Decimal("0.01")},
        {"agent_orders": 1000, "order_window": 7200},
    ],
    ids=str,
)
def test_a_limit_that_bars_cannot_judge_lets_nothing_in(limits: dict[str, Any]) -> None:
    events = events_of(limits)
    assert {verdict.code for verdict in entries(events)} == {"FIGURE_UNKNOWN"}
    assert not any(isinstance(event, OrderSubmitted) for event in events)


def test_limits_are_part_of_what_a_run_is_and_hold_after_a_restart(tmp_path: Path) -> None:
    strategies, panel = world()
    free, bound = settings_of(slots=2), settings_of(slots=2, order_notional=Decimal(40), agent_orders=1)
    whole = run_whole(tmp_path / "whole.sqlite", strategies, panel, bound)
    for number, steps in enumerate((5, 30)):
        path = tmp_path / f"torn{number}.sqlite"
        run = begin(path, strategies, panel, bound)
        with run.journal:
            for _, _ in zip(range(steps), run.steps(), strict=False):
                pass
        again = run_whole(path, strategies, panel, bound)
        assert again.books.equity == whole.books.equity
    assert whole.books.start.run != begin_name(tmp_path, strategies, panel, free)


def begin_name(tmp_path: Path, strategies: list[Strategy], panel: Panel, settings: Any) -> str:
    run = begin(tmp_path / "free.sqlite", strategies, panel, settings)
    with run.journal:
        return run.books.start.run


def test_a_journal_says_where_the_stop_of_an_entry_lies(tmp_path: Path) -> None:
    strategies, panel = world()
    run_whole(tmp_path / "run.sqlite", strategies, panel, settings_of(slots=2))
    with Journal.open(tmp_path / "run.sqlite") as journal:
        submitted = [entry.body for entry in journal.entries() if entry.kind == "OrderSubmitted"]
    for body in submitted:
        assert (body["stop_distance"] is not None) is (body["order_kind"] == "opening")
