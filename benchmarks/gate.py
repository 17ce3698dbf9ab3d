"""The way of an order through the gate in an account with many agents, beside the least that any check must do."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np

from benchmarks.measure import Result
from clawd.core.account_events import AccountOpened, AgentFunded, DayBegan, ProtectionChanged
from clawd.core.costs import Costs
from clawd.core.event import Event
from clawd.core.events import OrderCancelled, OrderFilled, OrderSubmitted
from clawd.core.instrument import Instrument
from clawd.core.orders import Order, OrderKind, OrderType
from clawd.core.reason import Reason
from clawd.core.reports import Quote
from clawd.execution.account import Account
from clawd.execution.verdicts import verdict_given
from clawd.execution.view import MarketNow, VenueNow, View
from clawd.risk.gate import Outcome, approve
from clawd.risk.limits import OPTIONAL, Limits
from clawd.store.journal import Journal
from clawd.venues.venue import Request, Submit

AGENTS, INSTRUMENTS, HELD, ORDERS = 2_000, 50, 5, 4_000
DAY, SECOND = 86_400 * 10**9, 10**9
NOW = 20_000 * DAY + SECOND
CASH = Decimal(100_000_000)
COSTS = Costs(Decimal("0.0005"), Decimal("0.0002"))
LIMITS = Limits(
    day_loss=Decimal(20_000_000),
    leverage=Decimal(5),
    costs=COSTS,
    longest_silence=60 * SECOND,
    price_band=Decimal("0.1"),
    order_notional=Decimal(10_000),
    instrument_gross=Decimal(50_000_000),
    venue_gross=Decimal(500_000_000),
    account_gross=Decimal(500_000_000),
    account_net=Decimal(500_000_000),
    equity_leverage=Decimal(5),
    concentration=Decimal(1),
    cluster_share=Decimal(2),
    agent_orders=1_000_000,
    venue_orders=1_000_000,
    depth_share=Decimal("0.5"),
    volume_share=Decimal("0.1"),
    margin_left=Decimal("0.1"),
    liquidation_distance=Decimal("0.05"),
    longest_skew=SECOND,
)


def gate_latency() -> Result:
    """From an agent's wish to the request handed to the venue: facts, verdict, seal, account, journal.

    2,000 agents hold five positions each in 50 instruments, each position with a stop and a target that rest, and every
    limit is set. Before each order the quote of an instrument moves. The verdict and the submission are in the journal,
    an SQLite file, before the request is handed over; ``gate_p99_ms`` is the part before that: facts, verdict, seal.
    The time on the clock is what counts, and what other programs take of it is in it; ``cpu_p99_ms`` is without them,
    and ``quietest_p99_ms`` that of the 500 orders in a row that they disturbed least.
    The peer is what no gate can do without: to copy one record, and to value 50 positions in Decimals.
    """
    assert all(getattr(LIMITS, name) is not None for name in OPTIONAL)
    view, rng = _view(), np.random.default_rng(7)
    wire: list[Request] = []
    ours: list[int] = []
    gate: list[int] = []
    processor: list[int] = []
    account, outcomes = view.account, {Outcome.ALLOW: 0, Outcome.SHRINK: 0, Outcome.REFUSE: 0}
    with tempfile.TemporaryDirectory() as folder, Journal.open(Path(folder) / "journal.sqlite") as journal:
        for number in range(ORDERS):
            now = NOW + number * SECOND // 100
            agent, symbol = f"a{rng.integers(AGENTS)}", f"S{rng.integers(INSTRUMENTS)}"
            _quote(view, symbol, view.markets[symbol].price or Decimal(100), now, float(rng.normal(0, 1e-4)))
            for market in view.markets.values():
                market.price_time = now  # the other feeds are alive as well
                if market.quote is not None:
                    market.quote = replace(market.quote, time=now)
            side = 1 if account.agents[agent].size(symbol) >= 0 else -1
            reference = view.markets[symbol].price
            order = _order(number, agent, symbol, OrderKind.OPENING, Decimal(side), reference, stop_distance=Decimal(5))
            begin, working = time.perf_counter_ns(), time.thread_time_ns()
            verdict, approved = approve(order, view.snapshot(order, now), view.limits)
            gate.append(time.perf_counter_ns() - begin)
            events: list[Event] = [verdict_given(order, verdict)]
            if approved is not None:
                events.append(OrderSubmitted.of(approved.order))
            for event in events:
                account.apply(event, now)
            journal.append([(now, event.kind, event.model_dump(mode="json")) for event in events])
            if approved is not None:
                wire.append(Submit(approved))
            ours.append(time.perf_counter_ns() - begin)
            processor.append(time.thread_time_ns() - working)
            outcomes[verdict.outcome] += 1
            if approved is not None and number % 2:
                account.apply(_cancelled(approved.order), now)
    assert outcomes[Outcome.ALLOW] > ORDERS // 2, outcomes
    sizes = [Decimal(k + 1) / 8 for k in range(INSTRUMENTS)]
    marks = [market.price or Decimal(0) for market in view.markets.values()]
    floor = [_timed(lambda: (replace(order), sum(a * b for a, b in zip(sizes, marks, strict=True)))) for _ in ours]
    more = {
        "gate_p99_ms": _at(gate, 99),
        "cpu_p99_ms": _at(processor, 99),
        "median_ms": _at(ours, 50),
        "gate_median_ms": _at(gate, 50),
        "quietest_p99_ms": min(_at(ours[start : start + 500], 99) for start in range(0, ORDERS, 500)),
        "p999_ms": _at(ours, 99.9),
        "cpu_worst_ms": max(processor) / 1e6,
        "allowed": outcomes[Outcome.ALLOW],
        "shrunk": outcomes[Outcome.SHRINK],
        "refused": outcomes[Outcome.REFUSE],
        "working_orders": len(list(account.working())),
    }
    peer = "a record copied and 50 positions valued"
    return Result("gate-latency", _at(ours, 99), "ms at p99", peer, _at(floor, 99), less_is_better=True, more=more)


def _timed(work: Callable[[], object]) -> int:
    begin = time.perf_counter_ns()
    work()
    return time.perf_counter_ns() - begin


def _at(nanoseconds: Sequence[int], percent: float) -> float:
    return float(np.percentile(nanoseconds, percent)) / 1e6


def _view() -> View:
    """The account: everything that its journal would say of such a morning, folded."""
    symbols = [f"S{k}" for k in range(INSTRUMENTS)]
    markets = {
        symbol: MarketNow(
            Instrument(symbol, Decimal("0.01"), Decimal("0.001"), Decimal("0.001"), Decimal(10**6), Decimal(1)),
            day_volume=Decimal(10**7),
            cluster=f"cluster {place % 7}",
        )
        for place, symbol in enumerate(symbols)
    }
    account = Account.begin(
        AccountOpened(
            account="bench",
            venue="paper",
            code="",
            cash=CASH,
            symbols=symbols,
            ticks=[Decimal("0.01")] * INSTRUMENTS,
            lots=[Decimal("0.001")] * INSTRUMENTS,
            fee=COSTS.fee,
            slippage=COSTS.slippage,
            day_loss_limit=LIMITS.day_loss,
            leverage=LIMITS.leverage,
        )
    )
    venue = VenueNow("paper", connected=True, clock_skew=0, margin=(Decimal("0.2"), Decimal("0.1")))
    view = View(account, markets, venue, LIMITS)
    for symbol in symbols:
        _quote(view, symbol, Decimal(100), NOW, 0.0)
    agents = [f"a{k}" for k in range(AGENTS)]
    for agent in agents:
        account.apply(AgentFunded(agent=agent, capital=CASH / AGENTS), NOW)
    values = dict.fromkeys(agents, CASH / AGENTS)
    account.apply(DayBegan(day=NOW // DAY, equity=CASH, agents=values, marks=view.marks()), NOW)
    for place, agent in enumerate(agents):
        for k in range(HELD):
            for event in _position(agent, f"S{(place * 7 + k * 11) % INSTRUMENTS}", 1 if (place + k) % 3 else -1):
                account.apply(event, NOW)
    return view


def _position(agent: str, symbol: str, side: int) -> list[Event]:
    """An entry that has filled, with its stop and its target at the venue."""
    size, price = Decimal(side * 3), Decimal(100 - side)
    entry = _order(0, agent, symbol, OrderKind.OPENING, size, price, stop_distance=Decimal(5))
    stop = _order(0, agent, symbol, OrderKind.STOP, -size, price, type=OrderType.STOP, level=price - 5 * side)
    take = _order(0, agent, symbol, OrderKind.TAKE, -size, price, type=OrderType.LIMIT, level=price + 9 * side)
    filled = OrderFilled(
        order=entry.id,
        agent=agent,
        symbol=symbol,
        order_kind=entry.kind,
        time=NOW,
        size=size,
        price=price,
        fee=Decimal("0.15"),
        slippage=Decimal(0),
        reason=entry.reason,
        trade=f"t.{entry.id}",
    )
    protected = ProtectionChanged(agent=agent, symbol=symbol, stop=price - 5 * side, targets=[], memory={})
    return [OrderSubmitted.of(entry), filled, protected, OrderSubmitted.of(stop), OrderSubmitted.of(take)]


def _order(
    number: int, agent: str, symbol: str, kind: OrderKind, size: Decimal, reference: Decimal | None, **more: object
) -> Order:
    name = f"{agent}.{symbol}.{number}.{kind}"
    return Order(name, agent, symbol, kind, size, Reason.ENTRY, reference=reference, **more)  # type: ignore[arg-type]


def _cancelled(order: Order) -> OrderCancelled:
    return OrderCancelled(order=order.id, agent=order.agent, symbol=order.symbol, order_kind=order.kind, why="REPLACED")


def _quote(view: View, symbol: str, price: Decimal, now: int, move: float) -> None:
    middle = (price * Decimal(repr(1 + move))).quantize(Decimal("0.01"))
    tick, depth = Decimal("0.01"), Decimal(5_000)
    view.markets[symbol].quoted(Quote(symbol, middle - tick, depth, middle + tick, depth, now, now))
