"""What the routes say of agents, equity, prices, journal and alerts is what the journal and the books say."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from live_world import World, capture_account, small_run, write, written
from web_server import served

from clawd.core.account_events import (
    AccountOpened,
    AgentFunded,
    AgentStopped,
    DifferenceBooked,
    FlattenBegan,
    FlatVerified,
    OrderDropped,
    OrderRejected,
    ProtectionLapsed,
    ProtectionOverdue,
    ProtectionRestored,
    TradeAdopted,
    TradingState,
    TradingStateChanged,
)
from clawd.core.clock import ReplayClock, SystemClock
from clawd.core.costs import Costs
from clawd.core.event import Event
from clawd.core.events import EVENTS, HeldUntil, HypothesisProven, OrderHeld, RunStarted, VerdictGiven
from clawd.core.instrument import Instrument
from clawd.core.orders import Order, OrderKind
from clawd.core.panel import NANOSECONDS_PER_DAY, Panel
from clawd.core.reason import Reason
from clawd.core.settings import Settings
from clawd.data.market import load_market
from clawd.fleet.books import Books
from clawd.fleet.run import replay
from clawd.reports.buy_and_hold import buy_and_hold
from clawd.reports.fact_words import fact_words
from clawd.server.live.alerts import GATE_REFUSALS, GRACE, VENUE_REFUSALS, Alerts, standing_alerts
from clawd.server.live.follower import Follower
from clawd.server.live.status import mode_of
from clawd.server.live.tale import Tale
from clawd.server.site import Site
from clawd.store.access import open_access
from clawd.store.api_keys import Scope
from clawd.store.entry import Entry
from clawd.store.journal import Journal


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx2.Client, World, Books]]:
    """A server whose run has ended, and the books of its journal."""
    world = small_run()
    site = Site(Settings(home=tmp_path_factory.mktemp("home")), SystemClock())
    path = written(world, site.home)
    with Journal.open(path, read_only=True) as journal:
        books, _ = replay(journal)
    with served(site) as web, web.client() as client:
        while client.get("/api/status").json()["phase"] != "ended":
            time.sleep(0.1)
        yield client, world, books


def test_an_agent_is_what_its_book_says(told: tuple[httpx2.Client, World, Books]) -> None:
    client, world, books = told
    for name, book in books.agents.items():
        agent = client.get(f"/api/agents/{name}").json()
        assert agent["run"] == world.run
        assert Decimal(agent["capital"]) == book.capital
        assert Decimal(agent["fees"]) == book.fees
        assert agent["trades"] == len(book.profits)
        assert agent["refusals"] == book.refusals
        assert agent["state_why"] == book.fired
        assert agent["strategy"]["content_hash"] == book.content_hash
        assert agent["strategy"]["explanation"].startswith(book.strategy)
        assert agent["evidence"]["wealth"] == pytest.approx(book.evidence.wealth)
        assert (agent["evidence"]["level"], agent["evidence"]["bars"]) == (book.level, book.evidence.bars)
        assert agent["equity"]["equity"][-1] == pytest.approx(float(book.equity)) or book.released
        assert len(agent["equity"]["time"]) == len(agent["equity"]["drawdown"]) <= 5_000
        assert max(agent["equity"]["drawdown"]) == pytest.approx(float(book.deepest), abs=1e-9)
        sizes = {each["symbol"]: Decimal(each["size"]) for each in agent["positions"]}
        assert sizes == {symbol: size for symbol, size in book.sizes.items() if size}
        for each in agent["positions"]:
            average = book.average(each["symbol"])
            assert average is not None
            assert float(each["entry"]) == pytest.approx(float(average))
            stop = next(o for o in books.orders_of(name, each["symbol"]) if o.kind is OrderKind.STOP)
            assert Decimal(each["stop"]) == stop.level
        assert {order["id"] for order in agent["orders"]} == {o.id for o in books.orders.values() if o.agent == name}
        assert agent["why"] == sorted(agent["why"], key=lambda line: -line["seq"]) != []
        assert {line["agent"] for line in agent["why"]} == {name}


def test_trades_come_newest_first_and_in_pages(told: tuple[httpx2.Client, World, Books]) -> None:
    client, _, books = told
    profits = []
    for start in range(0, 100, 7):
        page = client.get("/api/agents/a001/trades", params={"start": start, "limit": 7}).json()
        assert page["total"] >= len(books.agents["a001"].profits)
        profits += [Decimal(trade["profit"]) for trade in page["trades"] if trade["profit"] is not None]
        opened = [trade["opened"] for trade in page["trades"]]
        assert opened == sorted(opened, reverse=True)
    assert sorted(profits) == sorted(books.agents["a001"].profits)


def test_equity_stands_beside_buying_and_holding(told: tuple[httpx2.Client, World, Books]) -> None:
    client, world, books = told
    curve = client.get("/api/equity").json()
    assert curve["equity"] == pytest.approx(books.equity_curve)
    assert curve["time"] == [entry.ts / 1e6 for entry in world.entries if entry.kind == "BooksMarked"]
    bars = [entry.body["bars"] for entry in world.entries if entry.kind == "BarClosed"]
    values = np.array([[bar[symbol] for bar in bars] for symbol in books.symbols])
    panel = Panel(
        instruments=tuple(map(Instrument, books.symbols, books.start.ticks, books.start.lots)),
        bar=NANOSECONDS_PER_DAY,
        times=np.arange(len(bars)),
        open=values[:, :, 0],
        high=values[:, :, 1],
        low=values[:, :, 2],
        close=values[:, :, 3],
        volume=values[:, :, 4],
        funding=np.zeros(values.shape[:2]),
        bars_per_year=365.0,
    )
    held = buy_and_hold(panel, Costs(books.start.fee, books.start.slippage), books.start.capital)
    assert curve["benchmark"] == pytest.approx(held.tolist())
    assert curve["benchmark_missing"] is None
    peak = np.maximum.accumulate(np.maximum(books.equity_curve, 100.0))
    assert curve["drawdown"] == pytest.approx(((peak - books.equity_curve) / 100.0).tolist())


def test_there_is_no_benchmark_where_positions_pay_funding(tmp_path: Path) -> None:
    world = capture_account()
    site = Site(Settings(home=tmp_path), SystemClock())
    path = written(world, site.home)
    with Journal.open(path) as journal:
        paid = {"agent": "a001", "symbol": "BTCUSDT", "rate": 0.0001, "amount": "0.5"}
        journal.append([(world.entries[-1].ts, "FundingPaid", paid)])
    with served(site) as web, web.client() as client:
        answer = client.get("/api/equity", params={"run": world.run})
        while answer.status_code == 404:
            time.sleep(0.1)
            answer = client.get("/api/equity", params={"run": world.run})
    curve = answer.json()
    assert curve["benchmark"] is None
    assert "funding" in curve["benchmark_missing"]


def test_prices_carry_the_fills_and_the_stop_as_it_moved(told: tuple[httpx2.Client, World, Books]) -> None:
    client, world, _ = told
    symbol = "A"
    prices = client.get(f"/api/prices/{symbol}").json()
    bars = [entry.body for entry in world.entries if entry.kind == "BarClosed" and symbol in entry.body["bars"]]
    assert prices["time"] == [bar["time"] / 1e6 for bar in bars]
    for place, column in enumerate(("open", "high", "low", "close", "volume")):
        assert prices[column] == [bar["bars"][symbol][place] for bar in bars]
    fills = [entry for entry in world.entries if entry.kind == "OrderFilled" and entry.body["symbol"] == symbol]
    assert prices["fills_total"] == len(fills)
    assert [fill["seq"] for fill in prices["fills"]] == [entry.seq for entry in fills][-500:]
    one = client.get(f"/api/prices/{symbol}", params={"agent": "a001"}).json()
    (line,) = one["stops"]
    expected: list[float | None] = []
    stops: set[str] = set()
    for entry in world.entries:
        body: Any = entry.body
        if entry.kind == "OrderSubmitted" and body["order_kind"] == "stop" and body["agent"] == "a001":
            if body["symbol"] == symbol:
                stops.add(body["order"])
                expected.append(float(body["level"]))
        elif entry.kind == "OrderMoved" and body["order"] in stops:
            expected.append(float(body["level"]))
        elif entry.kind in ("OrderFilled", "OrderCancelled") and body["order"] in stops:
            expected.append(None)
    assert line["level"] == [level for place, level in enumerate(expected) if not place or expected[place - 1] != level]
    few = client.get(f"/api/prices/{symbol}", params={"points": 10}).json()
    assert (
        len(few["time"]) <= 10 and max(few["high"]) == max(prices["high"]) and few["close"][-1] == prices["close"][-1]
    )


def test_the_journal_comes_in_pages_and_by_agent_and_kind(told: tuple[httpx2.Client, World, Books]) -> None:
    client, world, _ = told
    asked: list[dict[str, Any]] = [{}, {"agent": "a001"}, {"kind": ["OrderFilled", "VerdictGiven"], "agent": "a002"}]
    for wish in asked:
        expected = [
            entry.seq
            for entry in world.entries
            if wish.get("agent") in (None, entry.body.get("agent")) and entry.kind in wish.get("kind", EVENTS)
        ][::-1]
        found: list[int] = []
        before: int | None = None
        while len(found) < 450:
            params = {**wish, "limit": 150, **({} if before is None else {"before": before})}
            page = client.get("/api/journal", params=params).json()
            assert page["total"] == len(expected)
            found += [line["seq"] for line in page["lines"]]
            before = page["before"]
            if before is None:
                break
        assert found == expected[: len(found)]
        assert before is not None or found == expected
    entry = world.entries[1234]
    one = client.get(f"/api/journal/{entry.seq}").json()
    assert (one["body"], one["hash"]) == (entry.body, entry.hash)
    assert client.get("/api/journal", params={"kind": "NoSuchKind"}).status_code == 404


def test_every_kind_of_fact_has_words(told: tuple[httpx2.Client, World, Books]) -> None:
    client, world, _ = told
    seen = {entry.kind: entry.seq for entry in [*world.entries]}
    for kind, seq in seen.items():
        text = client.get(f"/api/journal/{seq}").json()["line"]["text"]
        assert text and kind not in text
    for entry in capture_account().entries:
        assert entry.kind not in fact_words(EVENTS[entry.kind].model_validate(entry.body)).text


# Alerts.

_AT = 10**18


class Facts:
    """Facts as a journal would have them."""

    def __init__(self) -> None:
        self.alerts, self.seq = Alerts(), 0

    def tell(self, *events: Event) -> list[str]:
        """The kinds of the alerts that there are then."""
        for event in events:
            self.seq += 1
            digest = hashlib.sha256(str(self.seq).encode()).hexdigest()
            entry = Entry(self.seq, _AT, event.kind, event.model_dump(mode="json"), digest)
            self.alerts.take(event, entry, {})
        return [alert.kind for alert in self.alerts.found.values()]


def _verdict(outcome: str) -> VerdictGiven:
    return VerdictGiven(
        order="o",
        agent="a001",
        symbol="A",
        order_kind=OrderKind.OPENING,
        outcome=outcome,
        code="DAY_BUDGET",
        asked=Decimal(1),
        allowed=Decimal(0),
        numbers={},
    )


def test_facts_become_alerts() -> None:
    halt = TradingStateChanged(state=TradingState.HALTED, by="clawd", why="DAY_LIMIT", until_day=3)
    by_hand = TradingStateChanged(state=TradingState.HALTED, by="me", why="")
    assert Facts().tell(halt) == ["day_limit"]
    assert Facts().tell(by_hand) == [], "who has halted it himself knows it"
    assert Facts().tell(AgentStopped(agent="a001", why="DRAWDOWN")) == ["agent_fired"]
    assert Facts().tell(HypothesisProven(agent="a001", hypothesis=1, wealth=21.0, level=20.0)) == ["agent_proven"]
    difference = DifferenceBooked(symbol=None, size=Decimal(0), cash=Decimal(3), why="CASH")
    assert Facts().tell(difference) == ["reconciliation"]
    overdue = ProtectionOverdue(agent="a001", symbol="A", seconds=9.0)
    assert Facts().tell(overdue) == ["protection_overdue"]
    price = Decimal(5)
    trade = TradeAdopted(trade="1", symbol="A", size=price, price=price, fee=price, venue_time=1)
    assert Facts().tell(trade, trade.model_copy(update={"trade": "2"})) == ["unattributed"], "once an instrument"


def test_what_goes_on_is_over_when_it_ends() -> None:
    order = Order("o1", "a001", "A", OrderKind.OPENING, Decimal(1), Reason.ENTRY)
    held = OrderHeld.of(order, HeldUntil.APPROVED)
    assert Facts().tell(held) == ["approval"]
    assert Facts().tell(held, OrderDropped(order="o1", why="EXPIRED")) == []
    assert Facts().tell(OrderHeld.of(order, HeldUntil.TOUCHED)) == []
    naked = ProtectionLapsed(agent="a001", symbol="A", why="LOST")
    assert Facts().tell(naked) == ["naked"]
    assert Facts().tell(naked, ProtectionRestored(agent="a001", symbol="A")) == []
    assert Facts().tell(naked, ProtectionRestored(agent="a001", symbol="B")) == ["naked"]


def test_refusals_in_a_row() -> None:
    refused, let = _verdict("refuse"), _verdict("allow")
    assert Facts().tell(*[refused] * (GATE_REFUSALS - 1)) == []
    assert Facts().tell(*[refused] * (GATE_REFUSALS - 1), let, refused) == []
    assert Facts().tell(*[refused] * (2 * GATE_REFUSALS - 1)) == ["refused_in_a_row"]
    rejected = OrderRejected(order="o", code="MARGIN", venue_time=1)
    assert Facts().tell(*[rejected] * VENUE_REFUSALS) == ["refused_in_a_row"]


def test_a_flattening_silence_and_a_process_that_is_gone_have_to_last() -> None:
    facts = Facts()
    assert facts.tell(FlattenBegan(by="me", why="")) == []

    def said(**more: Any) -> list[str]:
        given: dict[str, Any] = {
            "held": 1,
            "gone_for": None,
            "silent_for": None,
            "usual": 0.0,
            "flattening": facts.alerts.flattening,
            "flattening_for": 0.0,
        }
        return [alert.kind for alert in standing_alerts("run", 1, "x", _AT, **{**given, **more})]

    assert said() == said(flattening_for=GRACE - 1) == []
    assert said(flattening_for=GRACE) == ["flatten_unverified"]
    assert said(gone_for=GRACE) == ["process_gone"]
    assert said(gone_for=GRACE, held=0) == said(gone_for=GRACE - 1) == []
    assert said(silent_for=GRACE) == ["silent"]
    assert said(silent_for=GRACE, usual=2 * GRACE) == [], "bars that take their time are no silence"
    facts.tell(FlatVerified(venue_time=1))
    assert said(flattening_for=GRACE) == []


def test_an_alert_keeps_its_id_and_what_was_seen_stays_seen(tmp_path: Path) -> None:
    world = small_run()
    site = Site(Settings(home=tmp_path), SystemClock())
    written(world, site.home)
    fired = [entry for entry in world.entries if entry.kind == "AgentFired"]
    ids: list[list[str]] = []
    for attempt in range(2):
        with served(site) as web, web.client() as client:
            alerts = client.get("/api/alerts", params={"run": world.run}).json()
            while client.get("/api/status").json()["phase"] != "ended":
                time.sleep(0.1)
            alerts = client.get("/api/alerts").json()
            assert sorted(each["seq"] for each in alerts["alerts"]) == [entry.seq for entry in fired]
            assert alerts["open"] == len(fired) - attempt
            assert client.get("/api/status").json()["alerts"] == len(fired) - attempt
            ids.append(sorted(each["id"] for each in alerts["alerts"]))
            if attempt == 0:
                chosen = alerts["alerts"][0]["id"]
                answer = client.post(f"/api/alerts/{chosen}/acknowledge")
                assert answer.status_code == 200 and answer.json()["acknowledged_at"] is not None
                first = answer.json()["acknowledged_at"]
                again = client.post(f"/api/alerts/{chosen}/acknowledge").json()
                assert again["acknowledged_at"] == first, "the first stays"
                assert client.post("/api/alerts/nonsense/acknowledge").status_code == 404
            else:
                (seen,) = [each for each in alerts["alerts"] if each["acknowledged_at"] is not None]
                assert (seen["id"], seen["acknowledged_at"]) == (chosen, first)
    assert ids[0] == ids[1]
    with Journal.open(site.home / "audit.sqlite", read_only=True) as audit:
        entries = [entry for entry in audit.entries() if entry.kind == "AlertAcknowledged"]
    assert [entry.body["alert"] for entry in entries] == [chosen]


def test_a_position_that_nobody_trades_is_an_alert_after_a_while(tmp_path: Path) -> None:
    """By the follower itself, with a clock that the test sets."""
    world = small_run()
    path = world.path(tmp_path)
    clock = ReplayClock(0)
    follower = Follower(Settings(home=tmp_path), clock)
    with Journal.open(path) as journal:
        for part in world.bars()[:30]:
            write(journal, part)
        clock.set(path.stat().st_mtime_ns + 10**9)
        _look(follower)
        clock.set(clock.now() + int((GRACE - 5) * 10**9))
        _look(follower)
        assert "silent" not in _kinds(follower)
        clock.set(clock.now() + 10 * 10**9)
        _look(follower)
        assert _kinds(follower).count("silent") == 1
        silent = next(alert.id for alert in follower.alerts()[1] if alert.kind == "silent")
        _look(follower)
        assert silent in [alert.id for alert in follower.alerts()[1]]
        write(journal, world.bars()[30])
        _look(follower)
        assert "silent" not in _kinds(follower)
    clock.set(clock.now() + int(2 * GRACE * 10**9))
    _look(follower)
    assert "process_gone" in _kinds(follower)
    assert follower.picture().status.alerts == len(follower.alerts()[1])


def _look(follower: Follower) -> None:
    """What its thread does."""
    while follower.step(0.0, look=True)[1]:
        pass


def _kinds(follower: Follower) -> list[str]:
    return [alert.kind for alert in follower.alerts()[1]]


def test_an_account_is_begun_with_what_no_agent_has(tmp_path: Path) -> None:
    """Facts made by hand: an account that has just been opened has agents, no marks and no curve."""
    opened = AccountOpened(
        account="new",
        venue="paper",
        code="1",
        cash=Decimal(100),
        symbols=["A"],
        ticks=[Decimal("0.1")],
        lots=[Decimal("0.1")],
        fee=Decimal(0),
        slippage=Decimal(0),
        day_loss_limit=Decimal(2),
        leverage=Decimal(2),
    )
    site = Site(Settings(home=tmp_path), SystemClock())
    with Journal.open(tmp_path / "accounts" / "new" / "journal.sqlite") as journal:
        journal.append([(_AT, each.kind, each.model_dump(mode="json")) for each in (opened,)])
        journal.append([(_AT, "AgentFunded", AgentFunded(agent="a001", capital=Decimal(50)).model_dump(mode="json"))])
    with served(site) as web, web.client() as client:
        agent = client.get("/api/agents/a001", params={"run": "new"})
        assert agent.status_code == 200, agent.text
        body = agent.json()
        assert body["strategy"]["text"] is None and body["strategy"]["unreadable"]
        assert body["equity"]["time"] == []
        assert client.get("/api/equity", params={"run": "new"}).json()["benchmark_missing"]


def test_only_the_market_that_comes_with_the_program_is_the_sample() -> None:
    start = RunStarted.model_validate(small_run().entries[0].body)
    market = load_market("sample")
    of_sample = {"symbols": list(market.panel.symbols), "bar": market.panel.bar, "market": market.fingerprint}
    assert mode_of(Tale("run", Path("nowhere"), books=Books.begin(start.model_copy(update=of_sample)))) == "sample"
    changes: list[dict[str, Any]] = [{"market": "another"}, {"bar": 1}, {"symbols": ["A", "B"]}]
    for change in changes:
        books = Books.begin(start.model_copy(update={**of_sample, **change}))
        assert mode_of(Tale("run", Path("nowhere"), books=books)) == "paper"


def test_the_client_of_the_documentation_works(tmp_path: Path) -> None:
    """The text of docs/web-live.md, with a key of its own, beside a run that goes on."""
    text = Path(__file__).parents[2].joinpath("docs", "web-live.md").read_text()
    code = text.split("```python\n")[1].split("```")[0]
    assert len(code.strip().splitlines()) <= 18
    world = small_run()
    site = Site(Settings(home=tmp_path), SystemClock())
    with served(site) as web:
        with open_access(site.home) as access:
            _, key = access.keys.new("watch", frozenset({Scope.READ}), None, time.time_ns())
        process = subprocess.Popen(
            [sys.executable, "-c", code, web.url.replace("http", "ws", 1)],
            env={**os.environ, "CLAWD_KEY": key},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            said = iter(process.stdout)
            assert next(said) == "0 agents, 0 today\n"
            with Journal.open(world.path(site.home)) as journal:
                for part in world.bars()[:40]:
                    write(journal, part)
                    time.sleep(0.02)
                while not (line := next(said)).startswith("8 agents"):
                    pass
                with web.client() as client:
                    profits = [agent["profit"] for agent in client.get("/api/agents").json()["agents"]]
                while line != f"8 agents, {round(sum(profits), 2)} today\n":
                    line = next(said)
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
