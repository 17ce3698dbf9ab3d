"""The web face: what it costs to show two thousand agents to everybody who looks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import orjson

from benchmarks.measure import Result, seconds
from clawd.core.account_events import AccountOpened, AgentFunded
from clawd.core.event import Event
from clawd.core.events import BarClosed, OrderFilled, OrderSubmitted
from clawd.core.orders import Order, OrderKind
from clawd.core.reason import Reason
from clawd.server.live.hub import fleet_frame
from clawd.server.live.tale import Tale
from clawd.store.entry import Entry

_AGENTS, _BARS = 2_000, 10
_SYMBOLS = [f"S{number}" for number in range(8)]
_SECOND = 10**9


def web_frames() -> Result:
    """The frame of two thousand agents that have all changed, made once for everybody who looks.

    The peer is the bare encoder on the same values in plain lists, which would have to be made first.
    """
    entries = [
        Entry(number, event_time, event.kind, event.model_dump(mode="json"), "")
        for number, (event_time, event) in enumerate(_facts(), start=1)
    ]
    tale = Tale("many", Path("nowhere"))
    began = time.perf_counter()
    for entry in entries:
        tale.take(entry)
    folded = time.perf_counter() - began
    columns = tale.columns()
    assert columns.size == _AGENTS
    before = replace(columns, numbers=columns.numbers - 1.0)
    frame = fleet_frame(columns, 1, 0.0, columns.changed_since(before))
    lists = orjson.loads(frame)
    assert len(lists["index"]) == _AGENTS
    return Result(
        "web-frames",
        1e3 * seconds(lambda: fleet_frame(columns, 1, 0.0, columns.changed_since(before)), 30),
        "ms",
        "orjson, the same values in lists",
        1e3 * seconds(lambda: orjson.dumps(lists), 30),
        less_is_better=True,
        more={
            "frame_kb": len(frame) / 1e3,
            "columns_ms": 1e3 * seconds(tale.columns, 10),
            "fold_us_an_entry": 1e6 * folded / len(entries),
            "entries": len(entries),
        },
    )


def _facts() -> Iterator[tuple[int, Event]]:
    """An account of two thousand agents of whom each enters an instrument, and the bars after it."""
    step, lot = Decimal("0.01"), Decimal("0.001")
    count = len(_SYMBOLS)
    yield (
        0,
        AccountOpened(
            account="many",
            venue="paper",
            code="1",
            cash=Decimal(100) * _AGENTS,
            symbols=_SYMBOLS,
            ticks=[step] * count,
            lots=[lot] * count,
            fee=Decimal("0.0005"),
            slippage=Decimal(0),
            day_loss_limit=Decimal(_AGENTS),
            leverage=Decimal(2),
        ),
    )
    for number in range(_AGENTS):
        yield 0, AgentFunded(agent=f"a{number:04}", capital=Decimal(100))
    for number in range(_AGENTS):
        agent, symbol, size = f"a{number:04}", _SYMBOLS[number % count], Decimal(1) if number % 2 else Decimal(-1)
        order = Order(f"{agent}.1", agent, symbol, OrderKind.OPENING, size, Reason.ENTRY, stop_distance=Decimal(1))
        yield _SECOND, OrderSubmitted.of(order)
        yield (
            _SECOND,
            OrderFilled(
                order=order.id,
                agent=agent,
                symbol=symbol,
                order_kind=order.kind,
                time=_SECOND,
                size=size,
                price=Decimal(50),
                fee=Decimal("0.025"),
                slippage=Decimal(0),
                reason=Reason.ENTRY,
            ),
        )
    random = np.random.default_rng(1)
    for bar in range(_BARS):
        closes = np.round(50 + random.normal(size=count), 2).tolist()
        bars = {symbol: (close, close, close, close, 1.0) for symbol, close in zip(_SYMBOLS, closes, strict=True)}
        yield (bar + 2) * _SECOND, BarClosed(time=(bar + 1) * _SECOND, bars=bars)
