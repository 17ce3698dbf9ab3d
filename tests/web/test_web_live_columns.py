"""What the fleet's columns say is what the facts of the journal say, computed another way."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from live_world import World, capture_account, small_run

from clawd.server.live.columns import Columns
from clawd.server.live.holdings import positions_of
from clawd.server.live.tale import EQUITY, Tale
from clawd.server.live.trades import trades_of
from clawd.store.journal import Entry

_DAY = 86_400 * 10**9


class Facts:
    """The same figures from the facts alone, in floats and without the fold."""

    def __init__(self) -> None:
        self.capital: dict[str, float] = {}
        self.sizes: dict[tuple[str, str], float] = defaultdict(float)
        self.cash: dict[str, float] = {}
        self.marks: dict[str, float] = {}
        self.equity: dict[str, float] = {}
        self.wealth: dict[str, float] = {}
        self.peak: dict[str, float] = {}
        self.before_day: dict[str, float] = {}
        self.fired: set[str] = set()
        self.released: set[str] = set()
        self.left_with: dict[str, float] = {}
        self.reserved = 0.0
        self.day = -1
        self.day_value: dict[str, float] = {}
        self.limit = self.cash_of_account = 0.0

    def take(self, entry: Entry) -> None:
        body = entry.body
        match entry.kind:
            case "RunStarted":
                self.limit, self.cash_of_account = float(body["day_loss_limit"]), float(body["capital"])
            case "AccountOpened":
                self.limit, self.cash_of_account = float(body["day_loss_limit"]), float(body["cash"])
            case "AgentHired" | "AgentFunded":
                name, capital = str(body["agent"]), float(body["capital"])
                self.capital[name] = self.cash[name] = self.equity[name] = self.peak[name] = capital
                self.day_value[name] = capital
                self.wealth[name] = 1.0
            case "OrderFilled":
                self.sizes[body["agent"], body["symbol"]] += float(body["size"])
                self.cash[body["agent"]] -= float(body["size"]) * float(body["price"]) + float(body["fee"])
            case "FundingPaid":
                self.cash[body["agent"]] -= float(body["amount"])
            case "BarClosed":
                self.marks |= {symbol: bar[3] for symbol, bar in body["bars"].items()}
                self.peak |= {name: max(self.peak[name], self.worth(name)) for name in self.capital if self.known()}
            case "AccountMarked" | "DayBegan":
                self.marks |= {symbol: float(mark) for symbol, mark in body["marks"].items()}
                self.peak |= {name: max(self.peak[name], self.worth(name)) for name in self.capital if self.known()}
                if entry.kind == "DayBegan":
                    self.day_value |= {name: float(value) for name, value in body["agents"].items()}
            case "AgentFired":
                self.fired.add(str(body["agent"]))
            case "AgentReleased":
                self.released.add(str(body["agent"]))
                self.left_with[str(body["agent"])] = float(body["capital"])
            case "DayOpened":
                self.day_value = {name: self.worth(name) for name in self.capital}
            case "BooksMarked":
                if body["time"] // _DAY != self.day:
                    self.day, self.before_day = body["time"] // _DAY, dict(self.equity)
                self.reserved = float(body["reserved"])
                self.equity |= self.left_with
                for name, (equity, wealth) in body["agents"].items():
                    self.equity[name], self.wealth[name] = float(equity), wealth
                    self.peak[name] = max(self.peak[name], float(equity))

    def known(self) -> bool:
        return all(symbol in self.marks for (_, symbol), size in self.sizes.items() if abs(size) > 1e-12)

    def worth(self, agent: str) -> float:
        held = (size * self.marks[symbol] for (name, symbol), size in self.sizes.items() if name == agent and size)
        return self.cash[agent] + sum(held)

    def exposure(self, agent: str) -> float:
        held = ((abs(size), symbol) for (name, symbol), size in self.sizes.items() if name == agent)
        return sum(size * self.marks[symbol] for size, symbol in held if size > 1e-12)


def check(columns: Columns, facts: Facts, values: dict[str, float], opened_with: dict[str, float]) -> None:
    assert list(columns.ids) == list(facts.capital)
    for row, name in enumerate(columns.ids):
        capital, value = facts.capital[name], values[name]
        of = {each: float(columns.number(each)[row]) for each in ("equity", "profit", "total", "drawdown", "exposure")}
        assert of["equity"] == pytest.approx(value, abs=1e-7)
        assert of["total"] == pytest.approx(value - capital, abs=1e-7)
        assert of["profit"] == pytest.approx(value - opened_with.get(name, capital), abs=1e-7)
        assert of["drawdown"] == pytest.approx(max(facts.peak[name] - value, 0.0) / capital, abs=1e-7)
        assert of["exposure"] == pytest.approx(facts.exposure(name), abs=1e-6)


def test_of_a_run_over_bars() -> None:
    parts = small_run().bars()
    tale, facts = Tale("run", Path("nowhere")), Facts()
    moments = set(np.random.default_rng(1).choice(len(parts), 60, replace=False).tolist()) | {1, len(parts) - 1}
    seen: set[str] = set()
    for place, part in enumerate(parts):
        for entry in part:
            tale.take(entry)
            facts.take(entry)
        if place not in moments or part[-1].kind != "BooksMarked":
            continue
        columns = tale.columns()
        check(columns, facts, facts.equity, facts.before_day)
        for row, name in enumerate(columns.ids):
            state = "released" if name in facts.released else "fired" if name in facts.fired else "active"
            seen.add(state)
            assert columns.state_of(row) == state
            assert columns.number("wealth")[row] == pytest.approx(facts.wealth[name])
        parts_of_limit = [facts.limit * facts.capital[name] / facts.cash_of_account for name in columns.ids]
        lost = [max(facts.day_value[name] - facts.equity[name], 0.0) for name in columns.ids]
        reserved = sum(columns.number("risk") * parts_of_limit) - sum(lost)
        assert reserved == pytest.approx(facts.reserved, abs=1e-6)
    assert seen >= {"active", "released"}


def test_of_an_account_at_a_venue() -> None:
    tale, facts, held = Tale("captures", Path("nowhere")), Facts(), 0
    for entry in capture_account().entries:
        tale.take(entry)
        facts.take(entry)
        columns = tale.columns()
        if facts.known():
            check(columns, facts, {name: facts.worth(name) for name in columns.ids}, facts.day_value)
            held += bool(tale.held)
        assert np.isnan(columns.number("wealth")).all(), "an account keeps no evidence"
    assert held > 50


def test_an_agent_that_nobody_can_value_is_worth_what_nobody_knows() -> None:
    tale = Tale("captures", Path("nowhere"))
    for entry in capture_account().entries:
        tale.take(entry)
        if tale.held:
            break
    tale.marks.clear()
    columns = tale.columns()
    (row,) = [row for row, name in enumerate(columns.ids) if any(agent == name for agent, _ in tale.held)]
    assert np.isnan(columns.numbers[:, row]).all()


@pytest.mark.parametrize("world", [small_run, capture_account], ids=["bars", "account"])
def test_what_has_changed_is_what_differs(world: Callable[[], World]) -> None:
    tale = Tale("run", Path("nowhere"))
    before: Columns | None = None
    for part in world().bars()[:200]:
        for entry in part:
            tale.take(entry)
        columns = tale.columns()
        if before is not None and columns.same_agents(before):
            rows = set(columns.changed_since(before).tolist())
            for row in range(columns.size):
                was, is_ = before.numbers[:, row].tolist(), columns.numbers[:, row].tolist()
                same = all(a == b or (math.isnan(a) and math.isnan(b)) for a, b in zip(was, is_, strict=True))
                assert (row in rows) != (same and bool(before.state[row] == columns.state[row]))
        before = columns


@pytest.mark.parametrize("world", [small_run, capture_account], ids=["bars", "account"])
def test_positions_and_trades_are_those_of_the_fills(world: Callable[[], World]) -> None:
    tale = Tale("run", Path("nowhere"))
    sizes: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for place, entry in enumerate(world().entries):
        tale.take(entry)
        if entry.kind == "OrderFilled":
            sizes[entry.body["agent"], entry.body["symbol"]] += Decimal(str(entry.body["size"]))
        if place % 97 == 0:
            found = {(each.agent, each.symbol): each.size for each in positions_of(tale)}
            assert found == {place: size for place, size in sizes.items() if size}
            assert {place: size for place, (size, _) in tale.held.items()} == found
    trades = trades_of(tale.fills)
    closed = [trade for trade in trades if trade.closed is not None]
    assert {(trade.agent, trade.symbol) for trade in trades if trade.closed is None} == set(tale.held)
    assert len(closed) > 10
    if tale.books is not None:
        for agent in tale.books.agents.values():
            profits = [trade.profit for trade in closed if trade.agent == agent.id]
            assert sorted(profits) == sorted(agent.profits)
    else:
        assert tale.account is not None
        for sub_account in tale.account.agents.values():
            profits = [trade.profit for trade in closed if trade.agent == sub_account.id]
            assert sum(profits, Decimal(0)) == sub_account.realised


def test_curves_hold_what_was_marked() -> None:
    tale = Tale("run", Path("nowhere"))
    marked: list[tuple[int, float, dict[str, float]]] = []
    for entry in small_run().entries:
        tale.take(entry)
        if entry.kind == "BooksMarked":
            agents = {name: float(equity) for name, (equity, _) in entry.body["agents"].items()}
            marked.append((entry.ts, float(str(entry.body["equity"])), agents))
    times, values = tale.curves.of(EQUITY)
    assert times.tolist() == [time for time, _, _ in marked]
    assert values == pytest.approx([equity for _, equity, _ in marked])
    for name in ("a001", "a004", "a008"):
        times, values = tale.curves.of(name)
        expected = [(time, agents[name]) for time, _, agents in marked if name in agents]
        assert times.tolist() == [time for time, _ in expected]
        assert values == pytest.approx([value for _, value in expected])
