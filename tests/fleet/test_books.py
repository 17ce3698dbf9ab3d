"""The books are a fold of the journal: what one holds the other has, to the last digit, and a forged entry shows.

A property here is stated over made-up worlds (`fleet_worlds.worlds`): markets of runs and reversals, some with gaps,
missing bars, bars without volume and funding, and agents whose exposures come in steps.
"""

from __future__ import annotations

import copy
import json
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from decimal import Decimal
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fleet_worlds import (
    DAY,
    FreshClaims,
    Trading,
    World,
    begin,
    panel_of,
    run_whole,
    settings_of,
    start_of,
    strategy_of,
    walk,
    worlds,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from clawd.cli import journal as journal_command
from clawd.core.errors import ClawdError
from clawd.core.event import Event
from clawd.core.events import (
    AgentFired,
    AgentHired,
    AgentReleased,
    BooksMarked,
    FundingPaid,
    OrderCancelled,
    OrderFilled,
    OrderMoved,
    OrderSubmitted,
    VerdictGiven,
)
from clawd.core.orders import Order, OrderKind
from clawd.core.reason import Reason
from clawd.engine.plan import STOP
from clawd.engine.position import stop_level
from clawd.evidence.eprocess import EProcess
from clawd.fleet.books import Books
from clawd.fleet.figures import Figures
from clawd.fleet.run import begin_or_continue, journal_path, journals, replay
from clawd.store.journal import Journal
from examples import tried

EVERY_WORLD = st.one_of(
    worlds(), worlds(jump=150, torn=True), worlds(DAY, jump=60, torn=True), worlds(jump=60, sessions=True)
)

Record = tuple[int, str, dict[str, Any]]


# Figures that are kept.


@settings(max_examples=15, deadline=None)
@given(EVERY_WORLD)
def test_a_figure_that_is_kept_is_the_one_that_would_be_computed_anew(world: World) -> None:
    trading, apply = world.trading(), Books.apply

    def figures(books: Books) -> list[object]:
        rows = (None, *range(len(books.symbols)))
        of_agents = [
            (
                books.reserved_by(agent),
                *(books.exposure_of(agent, row) for row in rows),
                books.monitor_of(agent),
                books._evidence_after(agent, agent.value(books.marks)),
            )
            for agent in books.agents.values()
        ]
        return [books.cash, books.net_sizes(), books.reserved, of_agents]

    def watched(books: Books, event: Event) -> None:
        figures(books)
        apply(books, event)
        kept = figures(books)
        books._figures = Figures()
        assert kept == figures(books), event
        for agent in books.agents:
            resting = [order for order in books.orders.values() if order.agent == agent]
            assert books.has_orders(agent) is bool(resting)
            for symbol in books.symbols:
                assert books.orders_of(agent, symbol) == [order for order in resting if order.symbol == symbol]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Books, "apply", watched)
        for _ in trading.bars():
            pass


# Conservation.


@tried(12, 25, EVERY_WORLD)
def test_agents_and_venue_hold_the_same_to_the_last_digit_after_every_bar(world: World) -> None:
    trading = world.trading()
    books, venue = trading.books, trading.venue
    for _ in trading.bars():
        sizes: dict[str, Decimal] = defaultdict(Decimal)
        for agent in books.agents.values():
            for symbol, size in agent.sizes.items():
                sizes[symbol] += size
        assert {symbol: size for symbol, size in sizes.items() if size} == {
            symbol: size for symbol, size in venue.positions.items() if size
        }
        not_released = [agent for agent in books.agents.values() if not agent.released]
        assert books.unallotted + sum((agent.cash for agent in not_released), Decimal(0)) == venue.cash
        assert books.orders == venue.orders
        worth = venue.cash + sum((size * books.marks[symbol] for symbol, size in venue.positions.items()), Decimal(0))
        assert books.equity == worth
        assert books.unallotted + sum((agent.equity for agent in not_released), Decimal(0)) == worth


@tried(12, 25, EVERY_WORLD)
def test_an_agents_cash_is_its_capital_and_its_fills_less_fees_and_funding(world: World) -> None:
    trading = world.trading()
    cash: dict[str, Decimal] = {}
    for events in trading.bars():
        for event in events:
            match event:
                case AgentHired():
                    cash[event.agent] = event.capital
                case OrderFilled():
                    cash[event.agent] -= (event.size * event.price).quantize(Decimal("1e-10")) + event.fee
                    assert event.fee == (abs(event.size) * event.price * world.limits.fee).quantize(Decimal("1e-10"))
                case FundingPaid():
                    cash[event.agent] -= event.amount
        assert cash == {agent.id: agent.cash for agent in trading.books.agents.values()}


@tried(12, 25, EVERY_WORLD)
def test_what_the_journal_says_is_what_the_live_books_said(world: World) -> None:
    trading = world.trading()
    records = lived_records(trading)
    books, venue = folded(records)
    assert books.marked() == trading.books.marked()
    assert books.orders == trading.books.orders == venue.orders
    assert (venue.cash, dict(venue.positions)) == (trading.venue.cash, dict(trading.venue.positions))
    for agent, live in zip(books.agents.values(), trading.books.agents.values(), strict=True):
        assert agent.positions.tobytes() == live.positions.tobytes()
        assert agent.evidence == live.evidence
    assert books.equity_curve == trading.books.equity_curve


# Every order is let through, every position has its stop.


@tried(12, 25, EVERY_WORLD)
def test_every_order_that_opens_has_a_verdict_before_it_that_lets_through_just_that_much(world: World) -> None:
    let_through: dict[str, Decimal] = {}
    for events in world.trading().bars():
        for event in events:
            if isinstance(event, VerdictGiven):
                assert abs(event.allowed) <= abs(event.asked)
                assert event.allowed * event.asked >= 0
                let_through[event.order] = event.allowed
            elif isinstance(event, OrderSubmitted) and event.order_kind in (OrderKind.OPENING, OrderKind.CLOSING):
                assert let_through.pop(event.order) == event.size


@tried(12, 25, EVERY_WORLD)
def test_no_position_is_without_its_stop_at_the_end_of_a_bar(world: World) -> None:
    trading = world.trading()
    for _ in trading.bars():
        stops = {
            (order.agent, order.symbol): order.size
            for order in trading.venue.orders.values()
            if order.kind is OrderKind.STOP
        }
        held = {
            (agent.id, symbol): -size
            for agent in trading.books.agents.values()
            for symbol, size in agent.sizes.items()
            if size
        }
        assert stops == held
        for order in trading.venue.orders.values():
            if order.kind is OrderKind.STOP:
                agent, row = trading.books.agents[order.agent], trading.books.row(order.symbol)
                assert order.level is not None
                assert float(order.level) == pytest.approx(stop_level(agent.positions[row]), rel=1e-9)


def at_its_worst(size: Decimal, mark: Decimal, left_at: Decimal, world: World) -> Decimal:
    """What is lost from a mark by leaving at a price that slips, fee included."""
    side = 1 if size > 0 else -1
    price = left_at * (1 - side * world.limits.slippage)
    return size * (mark - price) + abs(size) * price * world.limits.fee


@tried(12, 25, EVERY_WORLD)
def test_what_is_reserved_covers_every_order_at_the_venue_and_every_stop(world: World) -> None:
    """All that is to be closed is closed at the last close; all that is to be entered is; then all goes to its stop."""
    trading = world.trading()
    books = trading.books
    for _ in trading.bars():
        lost: dict[str, Decimal] = defaultdict(Decimal)
        left = {(agent.id, symbol): size for agent in books.agents.values() for symbol, size in agent.sizes.items()}
        stops = {(order.agent, order.symbol): order.level for order in books.orders.values() if order.kind == "stop"}
        for order in books.orders.values():
            if order.kind is OrderKind.CLOSING:
                left[order.agent, order.symbol] += order.size
                mark = books.marks[order.symbol]
                lost[order.agent] += at_its_worst(-order.size, mark, mark, world)
        for (name, symbol), size in left.items():
            if size:
                mark, level = books.marks[symbol], stops[name, symbol]
                assert level is not None
                level = min(mark, level) if size > 0 else max(mark, level)  # one that was passed fills at the next open
                lost[name] += at_its_worst(size, mark, level, world)
        for order in books.orders.values():
            if order.kind is OrderKind.OPENING:
                assert order.reference is not None
                side = 1 if order.size > 0 else -1
                paid = order.reference * (1 + side * world.limits.slippage)
                position = books.agents[order.agent].positions[books.row(order.symbol)]
                if order.reason is Reason.INCREASE:
                    level = Decimal(repr(float(stop_level(position))))
                else:
                    # Stops here are shares of the entry price.
                    share = Decimal(repr(float(-position["distances"][STOP])))
                    level = paid * (1 - side * share)
                    level = level if side > 0 else min(level, 2 * paid)
                lost[order.agent] += at_its_worst(order.size, paid, level, world)
                lost[order.agent] += abs(order.size) * paid * world.limits.fee
        for agent in books.agents.values():
            assert lost[agent.id] <= books.reserved_by(agent) + Decimal("1e-6")


@tried(12, 25, EVERY_WORLD)
def test_an_exit_at_the_venue_never_moves_against_its_position(world: World) -> None:
    trading = world.trading()
    before: dict[str, Order] = {}
    for events in trading.bars():
        for event in events:
            if isinstance(event, OrderMoved) and event.order in before:
                order = before[event.order]
                if order.kind is OrderKind.STOP and order.size * event.size > 0:
                    assert order.level is not None
                    assert event.level >= order.level if order.size < 0 else event.level <= order.level
        before = dict(trading.venue.orders)


@tried(12, 25, EVERY_WORLD)
def test_a_position_that_loses_is_never_ordered_larger(world: World) -> None:
    trading = world.trading()
    for events in trading.bars():
        for event in events:
            if isinstance(event, OrderSubmitted) and event.order_kind is OrderKind.OPENING:
                agent = trading.books.agents[event.agent]
                held = agent.sizes[event.symbol]
                if event.reason is Reason.INCREASE:
                    average = agent.average(event.symbol)
                    assert average is not None and held * event.size > 0
                    assert (trading.books.marks[event.symbol] - average) * held >= 0
                else:
                    assert held * event.size <= 0, "an entry never adds to what is held"


@tried(12, 25, EVERY_WORLD)
def test_no_fill_makes_more_than_was_asked_of_its_order_and_none_fills_twice(world: World) -> None:
    trading = world.trading()
    resting: dict[str, Decimal] = {}
    held: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for events in trading.bars():
        for event in events:
            match event:
                case OrderSubmitted():
                    assert event.order not in resting
                    resting[event.order] = event.size
                case OrderMoved():
                    resting[event.order] = event.size
                case OrderCancelled():
                    del resting[event.order]
                case OrderFilled():
                    assert resting.pop(event.order) == event.size
                    before = held[event.agent, event.symbol]
                    held[event.agent, event.symbol] += event.size
                    if event.order_kind is not OrderKind.OPENING:
                        after = held[event.agent, event.symbol]
                        assert before * event.size < 0, "what reduces stands against a position"
                        assert abs(after) < abs(before)
                        assert after * before >= 0


def entries_of_one_moment(limit: str, names: tuple[str, str] = ("AAA", "BBB")) -> dict[str, VerdictGiven]:
    """The verdicts on two entries of one agent at one close: a calm instrument, and one that moves a tenth a bar."""
    calm = [(100.0, 100.05, 99.95, 100.0, 5.0)] * 40
    wild = [(20.0, 21.0, 19.0, 20.0, 5.0)] * 40
    strategy = strategy_of("long_only(where(close > 0 * close, 0.5, 0))", "stop = { atr = 1, window = 2 }")
    limits = settings_of(capital=Decimal(100), day_loss_limit=Decimal(limit))
    trading = Trading([strategy], panel_of(dict(zip(names, map(np.array, (calm, wild)), strict=True))), limits, 20)
    events = next(trading.bars())
    return {event.symbol: event for event in events if isinstance(event, VerdictGiven)}


def test_entries_of_one_moment_that_fit_together_are_let_through_whole() -> None:
    """0.05 and 5.00 to their stops, and 0.14 % of 50 each for costs: 5.19, and nothing is taken off."""
    verdicts = entries_of_one_moment("5.2")
    assert {symbol: verdict.outcome for symbol, verdict in verdicts.items()} == {"AAA": "allow", "BBB": "allow"}
    assert "shrink" in {verdict.outcome for verdict in entries_of_one_moment("5.1").values()}


def test_entries_of_one_moment_are_shrunk_alike_whichever_comes_first() -> None:
    for names in (("AAA", "BBB"), ("BBB", "AAA")):
        shares = [verdict.allowed / verdict.asked for verdict in entries_of_one_moment("2.6", names).values()]
        assert [float(share) for share in shares] == pytest.approx([0.5, 0.5], abs=0.01)


# Firing, releasing, hiring, evidence.


@tried(12, 25, EVERY_WORLD)
def test_a_fired_agent_never_enters_again_and_is_flat_within_the_next_tradable_bar(world: World) -> None:
    trading, panel = world.trading(), world.panel
    fired_at: dict[str, int] = {}
    for events in trading.bars():
        index = trading.fleet.next_bar - 1
        for event in events:
            match event:
                case AgentFired():
                    assert event.agent not in fired_at
                    fired_at[event.agent] = index
                case OrderSubmitted() | OrderFilled():
                    assert event.order_kind is not OrderKind.OPENING or event.agent not in fired_at
                case AgentReleased():
                    assert event.agent in fired_at
        for name, since in fired_at.items():
            for row, symbol in enumerate(panel.symbols):
                volume = panel.volume[row, since + 1 : index + 1]
                if np.any((volume != 0.0) & ~np.isnan(panel.close[row, since + 1 : index + 1])):
                    assert trading.books.agents[name].sizes[symbol] == 0


@tried(12, 25, EVERY_WORLD)
def test_an_agent_is_fired_at_the_first_close_at_which_it_lies_its_limit_below_its_best(world: World) -> None:
    """Measured from the highest equity that it ever closed a bar with, as a share of the capital that it was given."""
    best: dict[str, Decimal] = {}
    trading = world.trading()
    for events in trading.bars():
        fired = {event.agent for event in events if isinstance(event, AgentFired)}
        (mark,) = [event for event in events if isinstance(event, BooksMarked)]
        for name, (worth, _) in mark.agents.items():
            agent = trading.books.agents[name]
            best[name] = max(best.get(name, agent.capital), worth)
            below = (best[name] - worth) / agent.capital
            if agent.fired is None:
                assert below < world.limits.max_drawdown
            elif name in fired:
                assert below >= world.limits.max_drawdown


def test_an_agent_that_won_and_gives_it_back_is_fired_although_it_has_lost_nothing() -> None:
    path = np.concatenate([np.full(3, 100.0), np.linspace(100, 150, 10), np.linspace(149, 110, 20)])
    bars = np.stack([np.concatenate([[100.0], path[:-1]]), path, path, path, np.full(path.size, 5.0)], axis=1)
    bars[:, 1], bars[:, 2] = bars[:, [0, 3]].max(axis=1), bars[:, [0, 3]].min(axis=1)
    limits = settings_of(max_drawdown=Decimal("0.2"))
    trading = Trading([strategy_of("long_only(1)", "stop = { percent = 50 }")], panel_of({"AAA": bars}), limits)
    fired = [event for events in trading.bars() for event in events if isinstance(event, AgentFired)]
    assert [event.agent for event in fired] == ["a001"]
    assert Decimal("0.2") <= fired[0].drawdown < Decimal("0.24")
    assert trading.books.agents["a001"].cash > limits.capital


@tried(12, 25, EVERY_WORLD)
def test_the_capital_of_the_fired_comes_back_and_no_more_agents_trade_than_there_are_slots(world: World) -> None:
    trading = world.trading()
    free = world.limits.capital
    hired: dict[str, Decimal] = {}
    for events in trading.bars():
        for event in events:
            match event:
                case AgentHired():
                    assert event.capital <= free
                    free -= event.capital
                    hired[event.agent] = event.capital
                    assert len(hired) <= world.limits.slots
                case AgentReleased():
                    agent = trading.books.agents[event.agent]
                    assert event.capital == agent.cash
                    free += event.capital
                    del hired[event.agent]
        assert trading.books.unallotted == free
        assert trading.books.equity == free + sum(
            (trading.books.agents[name].value(trading.books.marks) for name in hired), Decimal(0)
        )


def firing_world() -> World:
    """One slot; the first agent holds through a crash and is fired, the second and third come after it."""
    bars = walk(3, 80, volatility=0.01)
    bars[20:25, :4] *= np.linspace(0.97, 0.85, 5)[:, np.newaxis]
    bars[25:, :4] *= 0.85
    other = walk(4, 80, volatility=0.01)
    strategies = [
        strategy_of("long_only(1)", "stop = { percent = 50 }", name="holds", universe=["AAA"]),
        strategy_of("long_short(squash(60 * ret(close, 3)))", "stop = { percent = 2 }", name="follows"),
        strategy_of("long_short(squash(-60 * ret(close, 3)))", "stop = { percent = 2 }", name="fades"),
    ]
    limits = settings_of(capital=Decimal(100), max_drawdown=Decimal("0.08"))
    return World(panel_of({"AAA": bars, "BBB": other}), strategies, limits)


def test_the_best_finalist_that_was_never_hired_takes_the_slot_that_a_fired_agent_left() -> None:
    trading = firing_world().trading()
    story: list[tuple[int, str, str]] = []
    for events in trading.bars():
        story += [
            (trading.fleet.next_bar - 1, event.kind, event.agent)
            for event in events
            if isinstance(event, AgentHired | AgentFired | AgentReleased)
        ]
    assert [(kind, agent) for _, kind, agent in story][:4] == [
        ("AgentHired", "a001"),
        ("AgentFired", "a001"),
        ("AgentReleased", "a001"),
        ("AgentHired", "a002"),
    ]
    fired, released, hired = story[1][0], story[2][0], story[3][0]
    assert 20 <= fired <= 25
    assert released == hired == fired + 1, "flat at the next open, and the slot is taken at that bar's close"
    agents = list(trading.books.agents.values())
    assert [agent.strategy for agent in agents[:2]] == ["holds", "follows"]
    assert agents[0].released
    assert agents[1].capital == agents[0].cash, "what the first has left is what the second gets"


def test_evidence_counts_only_from_the_bar_after_hiring() -> None:
    trading = firing_world().trading()
    wealth: dict[str, list[float]] = defaultdict(list)
    worth: dict[str, list[Decimal]] = defaultdict(list)
    bounds: dict[str, list[float]] = defaultdict(list)
    for events in trading.bars():
        (mark,) = [event for event in events if isinstance(event, BooksMarked)]
        for name, (equity, evidence) in mark.agents.items():
            wealth[name].append(evidence)
            worth[name].append(equity)
            bounds[name].append(trading.books.agents[name].bound)
    late = trading.books.agents["a002"]
    assert late.hired_at > 0
    assert worth["a002"][0] == late.capital
    assert wealth["a002"][0] == 1.0
    assert len(wealth["a002"]) > 30
    evidence = EProcess()
    for before, after, bound, said in zip(
        worth["a002"], worth["a002"][1:], bounds["a002"], wealth["a002"][1:], strict=False
    ):
        evidence = evidence.after(float((after - before) / late.capital), bound)
        assert evidence.wealth == said
    assert late.evidence.bars == len(wealth["a002"]) - 1
    assert late.evidence.wealth != 1.0


@tried(12, 25, st.one_of(worlds(jump=190), worlds(DAY, jump=190)))
def test_no_bar_loses_more_than_the_bound_that_the_evidence_rests_on(world: World) -> None:
    trading = world.trading()
    for _ in trading.bars():
        assert not any(agent.evidence.broken for agent in trading.books.agents.values())


# Verification: a forged entry shows although the chain of hashes was made anew.


def lived_records(trading: Trading) -> list[Record]:
    """What the journal of a run holds, as read back from it."""
    records: list[Record] = [(trading.start.first, "RunStarted", trading.start.model_dump(mode="json"))]
    while trading.fleet.next_bar < trading.panel.times.size:
        records += copy.deepcopy(trading.fleet.step())
    plain: list[list[Any]] = json.loads(json.dumps(records))
    return [(ts, kind, body) for ts, kind, body in plain]


def folded(records: Iterable[Record]) -> tuple[Any, Any]:
    """Books and venue of records that are in no file."""

    class Entries:
        def entries(self) -> Iterable[Any]:
            from clawd.store.journal import Entry  # noqa: PLC0415

            return (Entry(seq, ts, kind, body, "") for seq, (ts, kind, body) in enumerate(records, start=1))

    return replay(Entries())  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def honest() -> list[Record]:
    """A journal with an entry of every kind but those of a halt, which another test forges."""
    length = 60
    funding = {"AAA": np.where(np.arange(length) % 8 == 0, 0.001, 0.0)}
    bars = {"AAA": walk(1, length, volatility=0.01, gap=0.004), "BBB": walk(2, length, volatility=0.01, gap=0.004)}
    bars["AAA"][30:, :4] *= 0.9
    strategies = [
        strategy_of(
            "long_short(squash(60 * ret(close, 3)))",
            "stop = { percent = 1 }\ntrail = { percent = 1 }\ntake = { percent = 3 }",
            name="follows",
        ),
        strategy_of("long_short(squash(-60 * ret(close, 3)))", "stop = { percent = 1 }", name="fades"),
        strategy_of("long_only(1)", "stop = { percent = 5 }", name="holds"),
        strategy_of("long_only(0.5)", "stop = { percent = 5 }", name="holds half"),
    ]
    limits = settings_of(capital=Decimal(100), day_loss_limit=Decimal(1), slots=3, max_drawdown=Decimal("0.03"))
    trading = Trading(strategies, panel_of(bars, funding=funding), limits)
    return lived_records(trading)


def verdict(home: Path, records: list[Record]) -> str | None:
    """What `clawd journal verify` finds wrong with a journal of these records, chained anew; None where nothing."""
    path = journal_path(home, "forged")
    with Journal.open(path) as journal:
        journal.append(records)
    outcome = CliRunner().invoke(journal_command.app, ["verify"], env={"CLAWD_HOME": str(home)})
    if outcome.exception is None:
        assert "every book adds up" in outcome.output
        return None
    assert isinstance(outcome.exception, ClawdError), outcome.exception
    return str(outcome.exception)


def test_an_honest_journal_is_verified_and_has_what_the_forgeries_forge(tmp_path: Path, honest: list[Record]) -> None:
    assert verdict(tmp_path, honest) is None
    kinds = Counter(kind for _, kind, _ in honest)
    assert all(kinds[kind] > 0 for kind, _, _ in FORGERIES)


def more(amount: str) -> str:
    """Another amount, by a little."""
    return str(Decimal(amount) * Decimal("1.0001") + Decimal("0.0001"))


Change = Callable[[dict[str, Any]], dict[str, Any]]


def with_a_fee_hidden_in_the_price(body: dict[str, Any]) -> dict[str, Any]:
    """The cash stays the same to the last digit."""
    size, price, fee = (Decimal(body[name]) for name in ("size", "price", "fee"))
    other = price + Decimal("0.0001")
    hidden = (size * other).quantize(Decimal("1e-10")) - (size * price).quantize(Decimal("1e-10"))
    return body | {"price": str(other), "fee": str(fee - hidden)}


def with_(**changes: Callable[[Any], Any]) -> Change:
    return lambda body: body | {name: change(body[name]) for name, change in changes.items()}


def without_an_agent(body: dict[str, Any]) -> dict[str, Any]:
    return body | {"agents": dict(list(body["agents"].items())[1:])}


def with_other_evidence(body: dict[str, Any]) -> dict[str, Any]:
    return body | {"agents": {name: [worth, wealth * 1.01] for name, (worth, wealth) in body["agents"].items()}}


def with_other_worth(body: dict[str, Any]) -> dict[str, Any]:
    return body | {"agents": {name: [more(worth), wealth] for name, (worth, wealth) in body["agents"].items()}}


def with_another_close(body: dict[str, Any]) -> dict[str, Any]:
    return body | {"bars": {symbol: [o, h, lo, c * 1.01, v] for symbol, (o, h, lo, c, v) in body["bars"].items()}}


FORGERIES: list[tuple[str, str, Change | None]] = [
    ("OrderFilled", "price", with_(price=more)),
    ("OrderFilled", "size", with_(size=more)),
    ("OrderFilled", "fee", with_(fee=more)),
    ("OrderFilled", "fee and price together", with_(fee=more, price=more)),
    ("OrderFilled", "fee hidden in the price", with_a_fee_hidden_in_the_price),
    ("OrderFilled", "time", with_(time=lambda time: time + 1)),
    ("OrderFilled", "reason", with_(reason=lambda reason: "take" if reason != "take" else "stop")),
    ("OrderFilled", "agent", with_(agent=lambda agent: "a001" if agent != "a001" else "a002")),
    ("OrderFilled", "dropped", None),
    ("OrderFilled", "twice", lambda body: body),
    ("OrderSubmitted", "size", with_(size=more)),
    ("OrderSubmitted", "dropped", None),
    ("OrderSubmitted", "twice", lambda body: body),
    ("OrderMoved", "size", with_(size=more)),
    ("OrderMoved", "level", with_(level=more)),
    ("OrderMoved", "dropped", None),
    ("VerdictGiven", "allowed", with_(allowed=more)),
    ("VerdictGiven", "outcome", with_(outcome=lambda outcome: "shrink" if outcome != "shrink" else "allow")),
    ("BooksMarked", "cash", with_(cash=more)),
    ("BooksMarked", "equity", with_(equity=more)),
    ("BooksMarked", "day_loss", with_(day_loss=more)),
    ("BooksMarked", "reserved", with_(reserved=more)),
    ("BooksMarked", "worth of agents", with_other_worth),
    ("BooksMarked", "evidence", with_other_evidence),
    ("BooksMarked", "an agent fewer", without_an_agent),
    ("BooksMarked", "dropped", None),
    ("BooksMarked", "twice", lambda body: body),
    ("BarClosed", "closes", with_another_close),
    ("BarClosed", "dropped", None),
    ("FundingPaid", "amount", with_(amount=more)),
    ("FundingPaid", "dropped", None),
    ("AgentHired", "capital", with_(capital=more)),
    ("AgentHired", "level", with_(level=lambda level: level / 2)),
    ("AgentHired", "promotions before", with_(promotions_before=lambda before: before + 1)),
    ("AgentHired", "what counts", with_(counts_from=lambda _: 2**62)),
    ("AgentHired", "evidence", with_(evidence=lambda _: EProcess().after(0.1, 0.2).to_json())),
    ("AgentHired", "hypothesis", with_(hypothesis=lambda hypothesis: hypothesis + 1)),
    ("AgentHired", "dropped", None),
    ("AgentFired", "drawdown", with_(drawdown=more)),
    ("AgentFired", "why", with_(why=lambda _: "EVIDENCE")),
    ("AgentFired", "wealth", with_(wealth=lambda wealth: wealth + 1)),
    ("AgentFired", "dropped", None),
    ("AgentReleased", "capital", with_(capital=more)),
    ("AgentReleased", "dropped", None),
    ("DayOpened", "equity", with_(equity=more)),
    ("RunStarted", "day_loss_limit", with_(day_loss_limit=more)),
    ("RunStarted", "finalists", with_(finalists=lambda finalists: finalists[1:])),
    ("RunStarted", "dropped", None),
    ("RunFinished", "equity", with_(equity=more)),
]


@pytest.mark.parametrize(("kind", "what", "change"), FORGERIES, ids=[f"{kind}, {what}" for kind, what, _ in FORGERIES])
def test_a_forged_entry_is_found(
    tmp_path: Path, honest: list[Record], kind: str, what: str, change: Change | None
) -> None:
    places = [index for index, record in enumerate(honest) if record[1] == kind]
    place = places[len(places) // 2]
    ts, _, body = honest[place]
    forged = [] if change is None else [(ts, kind, change(body))]
    kept = [honest[place]] if what == "twice" else []
    assert forged != [honest[place]] or kept, "the forgery changes something"
    assert verdict(tmp_path, honest[:place] + kept + forged + honest[place + 1 :]) is not None


def test_every_fill_counts(honest: list[Record]) -> None:
    """Not only one in the middle: whichever fill is dropped, doubled or priced otherwise, the books do not add up."""
    places = [index for index, record in enumerate(honest) if record[1] == "OrderFilled"]
    assert len(places) > 50
    for place in places[::4]:
        ts, kind, body = honest[place]
        for forged in ([], [honest[place], honest[place]], [(ts, kind, body | {"price": more(body["price"])})]):
            with pytest.raises(ClawdError):
                folded(honest[:place] + forged + honest[place + 1 :])


def test_the_level_of_a_stop_that_lived_for_less_than_a_bar_counts(honest: list[Record]) -> None:
    """Sent after the entry and touched on the same bar: no end of a bar ever saw it rest."""
    filled_in_the_bar: list[int] = []
    sent: dict[str, int] = {}
    for place, (_, kind, body) in enumerate(honest):
        if kind == "BarClosed":
            sent = {}
        elif kind == "OrderSubmitted" and body["order_kind"] == "stop":
            sent[body["order"]] = place
        elif kind == "OrderFilled" and body["order"] in sent:
            filled_in_the_bar.append(sent[body["order"]])
    assert filled_in_the_bar
    for place in filled_in_the_bar:
        ts, kind, body = honest[place]
        with pytest.raises(ClawdError, match="level"):
            folded([*honest[:place], (ts, kind, body | {"level": more(body["level"])}), *honest[place + 1 :]])


@pytest.fixture(scope="module")
def hanging() -> list[Record]:
    """The journal of an agent whose stop hangs by the range of each bar, and that takes its profit in parts."""
    strategy = strategy_of(
        "long_short(squash(60 * ret(close, 3)))",
        "stop = { percent = 8 }\nchandelier = { atr = 3, window = 3 }\n"
        "take = [{ percent = 1, share = 0.5, decay = 9 }, { percent = 3, share = 0.3 }]",
    )
    panel = panel_of({"AAA": walk(3, 120, volatility=0.01, gap=0.004)})
    return lived_records(Trading([strategy], panel, settings_of(capital=Decimal(100))))


def test_the_ranges_that_a_stop_hangs_by_count(hanging: list[Record]) -> None:
    folded(hanging)
    places = [place for place, (_, kind, body) in enumerate(hanging) if kind == "BarClosed" and body["ranges"]]
    assert len(places) > 30
    for place in places[::3]:
        ts, kind, body = hanging[place]
        ranges = {
            symbol: {window: size / 100 for window, size in own.items()} for symbol, own in body["ranges"].items()
        }
        for forged in ({}, ranges):
            records = [*hanging[:place], (ts, kind, body | {"ranges": forged}), *hanging[place + 1 :]]
            if forged or _moves_later_in_the_bar(hanging, place, ".stop"):
                with pytest.raises(ClawdError):
                    folded(records)


def _moves_later_in_the_bar(records: list[Record], place: int, order: str) -> bool:
    """Whether an order whose id ends like this is moved before the end of the bar that an entry is of."""
    rest = takewhile(lambda record: record[1] != "BooksMarked", records[place + 1 :])
    return any(kind == "OrderMoved" and body["order"].endswith(order) for _, kind, body in rest)


def test_every_part_that_a_target_takes_counts(hanging: list[Record]) -> None:
    places = [
        place
        for place, (_, kind, body) in enumerate(hanging)
        if kind in ("OrderFilled", "OrderSubmitted", "OrderMoved") and ".take" in body["order"]
    ]
    assert len(places) > 40
    for place in places[::3]:
        ts, kind, body = hanging[place]
        changes: list[list[Record]] = [[(ts, kind, body | {"size": more(body["size"])})]]
        if kind != "OrderMoved" or not _moves_later_in_the_bar(hanging, place, body["order"]):
            changes.append([])
        if kind != "OrderFilled":
            changes.append([(ts, kind, body | {"level": more(body["level"])})])
        for forged in changes:
            with pytest.raises(ClawdError):
                folded(hanging[:place] + forged + hanging[place + 1 :])


def test_a_journal_of_version_0_1_is_read_as_it_was_meant(honest: list[Record]) -> None:
    """It named three distances in a wish, a closed bar had no ranges, and hypotheses were numbered by run."""
    added = {
        "BarClosed": ("ranges",),
        "AgentHired": ("promotions_before", "counts_from", "evidence"),
        "AgentFired": ("wealth",),
    }

    def as_before(kind: str, body: dict[str, Any]) -> dict[str, Any]:
        if kind in added:
            return {name: value for name, value in body.items() if name not in added[kind]}
        if kind != "IntentsProposed":
            return body
        wishes = []
        for wish in body["wishes"]:
            distances = wish["distances"] or [0.0] * 8
            places = {"stop_distance": distances[0], "trail_distance": distances[1], "take_distance": distances[4]}
            wishes.append({name: value for name, value in wish.items() if name != "distances"} | places)
        return body | {"wishes": wishes}

    before = [(ts, kind, as_before(kind, body)) for ts, kind, body in honest if kind != "KnowledgeNoted"]
    assert before != honest
    (books, venue), (expected, expected_venue) = folded(before), folded(honest)
    assert books.equity_curve == expected.equity_curve
    assert (venue.cash, venue.positions, venue.orders) == (
        expected_venue.cash,
        expected_venue.positions,
        expected_venue.orders,
    )


def test_a_forged_halt_is_found() -> None:
    bars = np.array([(100.0, 100.0, 100.0, 100.0, 5.0)] * 6 + [(80.0, 80.0, 80.0, 80.0, 5.0)] * 24)
    limits = settings_of(capital=Decimal(100), day_loss_limit=Decimal(2))
    trading = Trading([strategy_of("long_only(1)", "stop = { percent = 1 }")], panel_of({"AAA": bars}), limits)
    records = lived_records(trading)
    (place,) = [index for index, record in enumerate(records) if record[1] == "HaltBegan"]
    folded(records)
    ts, kind, body = records[place]
    for name in ("loss", "limit", "beyond"):
        with pytest.raises(ClawdError, match=r"loss|limit"):
            folded([*records[:place], (ts, kind, body | {name: more(body[name])}), *records[place + 1 :]])


def test_an_entry_of_an_agent_that_does_not_exist_is_an_error_that_names_its_place(
    tmp_path: Path, honest: list[Record]
) -> None:
    place = next(index for index, record in enumerate(honest) if record[1] == "FundingPaid")
    ts, kind, body = honest[place]
    found = verdict(tmp_path, [*honest[:place], (ts, kind, body | {"agent": "a999"}), *honest[place + 1 :]])
    assert found is not None
    assert f"entry {place + 1}" in found
    assert "a999" in found


# Restarts.


@settings(max_examples=8, deadline=None)
@given(world=st.one_of(worlds(jump=100, torn=True), worlds(DAY, jump=60)), data=st.data())
def test_a_run_that_is_continued_writes_what_an_uninterrupted_one_would(
    tmp_path_factory: pytest.TempPathFactory, world: World, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("continued")
    run_whole(folder / "whole.sqlite", world.strategies, world.panel, world.limits)
    length = int(world.panel.times.size)
    cuts = sorted(set(data.draw(st.lists(st.integers(2, length - 1), min_size=1, max_size=3))))
    run = begin(folder / "cut.sqlite", world.strategies, world.panel, world.limits)
    for cut in [*cuts, length]:
        with run.journal:
            while run.fleet.next_bar < cut:
                run.journal.append(run.fleet.step())
        if cut < length:
            journal = Journal.open(folder / "cut.sqlite")
            run = begin_or_continue(
                journal, start_of(world.strategies, world.panel, world.limits), world.panel, FreshClaims()
            )
            assert run.resumed_bars == cut - 1
    with (
        Journal.open(folder / "cut.sqlite", read_only=True) as cut_one,
        Journal.open(folder / "whole.sqlite", read_only=True) as whole,
    ):
        assert list(cut_one.entries()) == list(whole.entries())


def test_a_journal_of_another_run_is_not_continued(tmp_path: Path) -> None:
    world = firing_world()
    run_whole(tmp_path / "j.sqlite", world.strategies, world.panel, world.limits)
    other = settings_of(capital=Decimal(101), max_drawdown=Decimal("0.08"))
    with (
        Journal.open(tmp_path / "j.sqlite") as journal,
        pytest.raises(ClawdError, match="belongs to run"),
    ):
        begin_or_continue(journal, start_of(world.strategies, world.panel, other), world.panel, FreshClaims())


def test_the_journal_that_was_written_to_last_comes_first_also_while_it_is_open(tmp_path: Path) -> None:
    """What is in the write-ahead log alone counts: a run that was resumed and killed is the one that is meant."""
    for seconds, run in enumerate(("first", "second"), start=1_000):
        with Journal.open(journal_path(tmp_path, run)) as journal:
            journal.append([(0, "Note", {})])
        os.utime(journal_path(tmp_path, run), (seconds, seconds))
    assert [path.parent.name for path in journals(tmp_path)] == ["second", "first"]
    with Journal.open(journal_path(tmp_path, "first")) as journal:
        journal.append([(0, "Note", {})])
        os.utime(journal_path(tmp_path, "first"), (0, 0))
        assert [path.parent.name for path in journals(tmp_path)] == ["first", "second"]


def test_every_setting_and_every_strategy_is_part_of_a_runs_name() -> None:
    world = firing_world()
    names = {start_of(world.strategies, world.panel, world.limits).run}
    for changed in (
        {"capital": Decimal(101)},
        {"day_loss_limit": Decimal(3)},
        {"leverage": Decimal(3)},
        {"slots": 2},
        {"fee": Decimal("0.001")},
        {"slippage": Decimal("0.001")},
        {"max_drawdown": Decimal("0.5")},
    ):
        limits = world.limits.model_copy(update=changed)
        names.add(start_of(world.strategies, world.panel, limits).run)
    names.add(start_of(world.strategies[1:], world.panel, world.limits).run)
    names.add(start_of(world.strategies, world.panel, world.limits, first=2).run)
    assert len(names) == 10
