"""A person pauses single agents of a fleet: in the middle of a run, across restarts and runs, past forgetful code."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from fleet_worlds import (
    HOUR,
    MIDNIGHT,
    FreshClaims,
    Pausing,
    Trading,
    panel_of,
    settings_of,
    start_of,
    strategy_of,
    walk,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from test_switches import Hand, entries

from clawd.core.account_events import AgentPaused, AgentUnpaused, TradingState
from clawd.core.errors import ClawdError
from clawd.core.event import Event
from clawd.core.events import (
    AgentFired,
    AgentReleased,
    BooksMarked,
    OrderCancelled,
    OrderFilled,
    OrderSubmitted,
    VerdictGiven,
)
from clawd.core.orders import OrderKind
from clawd.fleet import fleet as fleet_module
from clawd.fleet.books import Books
from clawd.fleet.run import begin_or_continue, journal_path, replay
from clawd.fleet.summary import agent_summary
from clawd.risk.gate import Code
from clawd.store.journal import Journal
from clawd.store.switchboard import PAPER_FLEET, Switch, Switchboard

BARS = 120
#: Both want another position after nearly every bar.
FOLLOWS = strategy_of("long_short(sign(ret(close, 3)))", "stop = { percent = 4 }\ntake = { percent = 6 }", name="f")
FADES = strategy_of("long_short(-1 * sign(ret(close, 2)))", "stop = { percent = 4 }\ntake = { percent = 6 }", name="g")
F, G = FOLLOWS.content_hash, FADES.content_hash


@pytest.fixture(autouse=True)
def _nobody_is_fired_by_the_evidence(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("clawd.evidence.monitor.FALSE_FIRING", 1e-300)
    yield


def trading_of(words: Mapping[int, Mapping[str, bool]], seed: int = 3, **limits: object) -> Trading:
    panel = panel_of({"AAA": walk(seed, BARS), "BBB": walk(seed + 1, BARS)})
    return Trading([FOLLOWS, FADES], panel, settings_of(slots=2, **limits), paused=Pausing(words))


def traded(words: Mapping[int, Mapping[str, bool]], seed: int = 3, **limits: object) -> list[list[Event]]:
    return list(trading_of(words, seed, **limits).bars())


def of(agent: str, bars: list[list[Event]]) -> list[list[Event]]:
    """What is an agent's own, but for the verdicts: their numbers tell of the whole account."""
    return [
        [event for event in events if getattr(event, "agent", None) == agent and not isinstance(event, VerdictGiven)]
        for events in bars
    ]


def told(bars: list[list[Event]]) -> list[tuple[int, str, str, int]]:
    return [
        (bar, event.kind, event.agent, event.pause)
        for bar, events in enumerate(bars)
        for event in events
        if isinstance(event, AgentPaused | AgentUnpaused)
    ]


def test_a_paused_agent_enters_nothing_and_the_others_trade_as_if_nothing_had_been_said() -> None:
    free, bars = traded({}), traded({40: {F: True}, 80: {F: False}})
    assert told(bars) == [(40, "AgentPaused", "a001", 1), (80, "AgentUnpaused", "a001", 2)]
    assert of("a002", bars) == of("a002", free)
    mine, before = of("a001", bars), of("a001", free)
    assert mine[:40] == before[:40]
    assert [bar for bar in entries(before) if 40 <= bar < 80], "it would have entered"
    assert not [bar for bar in entries(mine) if 40 <= bar < 80]
    assert [bar for bar in entries(mine) if bar >= 80], "and it enters again"
    left = [
        event
        for events in mine[41:81]
        for event in events
        if isinstance(event, OrderFilled) and event.order_kind is not OrderKind.OPENING
    ]
    assert left, "what it held it left by its exits, or by its signal"
    assert not any(
        isinstance(event, OrderFilled) and event.order_kind is OrderKind.OPENING
        for events in mine[41:81]
        for event in events
    ), "and the entries that worked did not fill"


def test_an_entry_that_waits_is_taken_off_by_a_pause_and_asked_for_again_after_it() -> None:
    def world(seed: int, words: Mapping[int, Mapping[str, bool]]) -> Trading:
        bars = walk(seed, BARS)
        bars[20:26] = np.nan
        panel = panel_of({"AAA": bars, "BBB": walk(seed + 1, BARS)})
        return Trading([FOLLOWS, FADES], panel, settings_of(slots=2), paused=Pausing(words))

    def waits(trading: Trading) -> set[str]:
        orders = trading.books.orders.values()
        return {each.agent for each in orders if each.kind is OrderKind.OPENING and each.symbol == "AAA"}

    # The first bar that is traded is the second of the market: after 21 of them AAA has had no bar for two.
    seed = next(
        seed
        for seed in range(999)
        if [waits(free) for free in [world(seed, {})] for _ in islice(free.bars(), 22)][21] == {"a001", "a002"}
    )
    trading = world(seed, {21: {F: True}, 24: {F: False}})
    bars = []
    for number, events in enumerate(trading.bars()):
        bars.append(events)
        if 21 <= number < 24:
            assert waits(trading) == {"a002"}, "that of another stays where it is"
    (cancelled,) = [each for each in bars[21] if isinstance(each, OrderCancelled) and each.symbol == "AAA"]
    assert (cancelled.agent, cancelled.order_kind, cancelled.why) == ("a001", OrderKind.OPENING, "PAUSED")
    again = [each for each in bars[25] if isinstance(each, OrderSubmitted) and each.symbol == "AAA"]
    assert [each.order_kind for each in again if each.agent == "a001"] == [OrderKind.OPENING], "and asked for again"


def test_what_a_pause_kept_from_being_entered_is_entered_when_it_ends() -> None:
    steady = strategy_of("long_only(sign(close))", "stop = { percent = 50 }")
    words = {0: {steady.content_hash: True}, 10: {steady.content_hash: False}}
    trading = Trading([steady], panel_of({"AAA": walk(3, BARS)}), settings_of(), paused=Pausing(words))
    assert entries(list(trading.bars()))[0] == 10, "though the strategy wants the same all the time"


def test_the_evidence_of_a_paused_agent_counts_every_bar() -> None:
    """Where it holds nothing there is nothing to win or to lose, and every bar is counted all the same."""
    trading = trading_of({30: {F: True}})
    wealth: list[float] = []
    for events in trading.bars():
        (mark,) = [event for event in events if isinstance(event, BooksMarked)]
        wealth.append(mark.agents["a001"][1])
    agent, other = trading.books.agents["a001"], trading.books.agents["a002"]
    assert agent.evidence.bars == other.evidence.bars == trading.books.bars
    held = [bar for bar in range(31, len(wealth)) if wealth[bar] != wealth[bar - 1]]
    assert held, "what it held when it was paused went on counting"
    assert wealth[held[-1] :] == [wealth[held[-1]]] * (len(wealth) - held[-1])
    assert agent.flat


def test_a_paused_agent_that_falls_too_far_is_fired_all_the_same() -> None:
    path = np.concatenate([np.full(5, 100.0), np.linspace(99, 60, 20), np.full(5, 60.0)])
    bars = np.stack([np.concatenate([[100.0], path[:-1]]), path, path, path, np.full(path.size, 5.0)], axis=1)
    bars[:, 1], bars[:, 2] = bars[:, [0, 3]].max(axis=1), bars[:, [0, 3]].min(axis=1)
    holds = strategy_of("long_only(1)", "stop = { percent = 80 }")
    trading = Trading(
        [holds],
        panel_of({"AAA": bars}),
        settings_of(max_drawdown=Decimal("0.2")),
        paused=Pausing({4: {holds.content_hash: True}, 28: {holds.content_hash: False}}),
    )
    found = list(trading.bars())
    kinds = [(bar, event.kind) for bar, events in enumerate(found) for event in events]
    (fired,) = [bar for bar, kind in kinds if kind == AgentFired.__name__]
    assert 4 < fired < 28
    assert [kind for _, kind in kinds if kind in (AgentReleased.__name__, "AgentUnpaused")] == [AgentReleased.__name__]
    assert trading.books.agents["a001"].paused, "who is gone is not written to any more"


def test_a_pause_is_said_in_the_summary() -> None:
    trading = trading_of({5: {G: True}})
    for _ in trading.bars():
        pass
    status = [agent_summary(agent, trading.books, 8760).status for agent in trading.books.agents.values()]
    assert status == ["trading", "paused"]


@settings(max_examples=15, deadline=None)
@given(
    words=st.dictionaries(
        st.integers(0, BARS - 2), st.dictionaries(st.sampled_from([F, G]), st.booleans(), min_size=1), max_size=6
    ),
    orders=st.dictionaries(st.integers(0, BARS - 2), st.sampled_from(Switch), max_size=4),
    seed=st.integers(0, 50),
    limit=st.sampled_from([Decimal(4), Decimal(10**9)]),
)
def test_nobody_enters_whom_a_person_forbids_it_whatever_else_is_ordered(
    words: dict[int, dict[str, bool]], orders: dict[int, Switch], seed: int, limit: Decimal
) -> None:
    panel = panel_of({"AAA": walk(seed, BARS), "BBB": walk(seed + 1, BARS)})
    limits = settings_of(slots=2, day_loss_limit=limit)
    trading = Trading([FOLLOWS, FADES], panel, limits, ordered=Hand(orders), paused=Pausing(words))
    names, paused, allowed = {F: "a001", G: "a002"}, {"a001": False, "a002": False}, True
    told_again = Books.begin(trading.start)
    for bar, events in enumerate(trading.bars()):
        paused |= {names[strategy]: word for strategy, word in words.get(bar, {}).items()}
        allowed = orders.get(bar, Switch.RESUME if allowed else Switch.HALT) is Switch.RESUME
        for event in events:
            told_again.apply(event)
            if isinstance(event, OrderSubmitted | VerdictGiven) and event.order_kind is OrderKind.OPENING:
                assert allowed and not paused[event.agent]
        assert {agent.id: agent.paused for agent in trading.books.agents.values()} == paused
        working = {each.agent for each in trading.books.orders.values() if each.kind is OrderKind.OPENING}
        assert not working & {agent for agent, is_so in paused.items() if is_so}
        assert (trading.books.state is TradingState.ACTIVE) is allowed
    assert {agent.id: agent.paused for agent in told_again.agents.values()} == paused
    assert told_again.equity == trading.books.equity


# Where the code that decides has forgotten it.


def test_the_gate_refuses_what_a_paused_agent_asks_for_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet_module, "enter_nothing", lambda before, after: None)
    bars = traded({40: {F: True}, 80: {F: False}})
    verdicts = [
        event
        for events in bars[40:80]
        for event in events
        if isinstance(event, VerdictGiven) and event.order_kind is OrderKind.OPENING and event.agent == "a001"
    ]
    assert verdicts
    assert {verdict.code for verdict in verdicts} == {Code.AGENT_PAUSED}
    assert not [bar for bar in entries(of("a001", bars)) if 40 <= bar < 80]
    assert [bar for bar in entries(of("a002", bars)) if 40 <= bar < 80], "others are let through"


# What the journal says.


def test_a_journal_that_contradicts_itself_is_refused() -> None:
    trading = trading_of({3: {F: True}})
    steps = trading.bars()
    for _ in range(5):
        next(steps)
    books = trading.books
    word = AgentPaused(agent="a001", by="ann", why="", pause=9)
    with pytest.raises(ClawdError, match="agent a001 is paused already: a AgentPaused cannot stand here"):
        books.apply(word)
    with pytest.raises(ClawdError, match="agent a002 is not paused already: a AgentUnpaused cannot stand here"):
        books.apply(AgentUnpaused(agent="a002", by="ann", why="", pause=9))
    books.agents["a002"].released = True
    with pytest.raises(ClawdError, match="agent a002 is released already"):
        books.apply(word.model_copy(update={"agent": "a002"}))
    with pytest.raises(KeyError):
        books.apply(word.model_copy(update={"agent": "a009"}))


def test_a_pause_outlives_restarts_and_days_and_is_written_once(tmp_path: Path) -> None:
    panel = panel_of({"AAA": walk(3, BARS), "BBB": walk(4, BARS)}, bar=HOUR, start=MIDNIGHT)
    start, path = start_of([FOLLOWS, FADES], panel, settings_of(slots=2)), tmp_path / "journal.sqlite"
    with Switchboard.open(tmp_path) as switchboard:
        for stop in (30, 31, 50, None):
            with Journal.open(path) as journal:
                run = begin_or_continue(journal, start, panel, FreshClaims(), switchboard)
                for number, _ in enumerate(run.steps(), start=run.resumed_bars):
                    if number == 20:
                        switchboard.pause(PAPER_FLEET, [F], "ann", "enough", 1, paused=True)
                    if number == stop:
                        break
            if stop == 31:  # said while nobody is at work
                switchboard.pause("main", [G], "bob", "another desk", 2, paused=True)
                switchboard.pause(PAPER_FLEET, [F], "bob", "still", 3, paused=True)
    with Journal.open(path) as journal:
        found: list[Event] = []
        books, _ = replay(journal, lambda _, event: found.append(event))
    assert books.agents["a001"].paused
    assert not books.agents["a002"].paused
    (paused,) = [event for event in found if isinstance(event, AgentPaused)]
    assert paused == AgentPaused(agent="a001", by="ann", why="enough", pause=1)
    at = found.index(paused)
    own = [event for event in found[at:] if isinstance(event, OrderSubmitted) and event.order_kind is OrderKind.OPENING]
    assert {event.agent for event in own} == {"a002"}


def test_what_is_said_while_nobody_is_at_work_is_obeyed_before_the_next_decision(tmp_path: Path) -> None:
    panel = panel_of({"AAA": walk(3, BARS), "BBB": walk(4, BARS)})
    start, path = start_of([FOLLOWS, FADES], panel, settings_of(slots=2)), tmp_path / "journal.sqlite"
    with Switchboard.open(tmp_path) as switchboard:
        with Journal.open(path) as journal:
            for number, _ in enumerate(begin_or_continue(journal, start, panel, FreshClaims(), switchboard).steps()):
                if number == 30:
                    break
            head, _ = journal.head
        switchboard.pause(PAPER_FLEET, [F, G], "ann", "", 1, paused=True)
        with Journal.open(path) as journal:
            for _ in begin_or_continue(journal, start, panel, FreshClaims(), switchboard).steps():
                pass
            after = list(journal.entries(head))
    kinds = [entry.kind for entry in after]
    assert kinds.count("AgentPaused") == 2
    assert kinds.index("AgentPaused") < kinds.index("BooksMarked")
    entered = [e for e in after if e.kind == "OrderSubmitted" and e.body["order_kind"] == OrderKind.OPENING]
    assert entered == []


def test_whoever_trades_the_same_strategy_in_the_next_run_is_paused_before_its_first_decision(tmp_path: Path) -> None:
    panel = panel_of({"AAA": walk(3, BARS), "BBB": walk(4, BARS)})
    with Switchboard.open(tmp_path) as switchboard:
        switchboard.pause(PAPER_FLEET, [G], "ann", "", 1, paused=True)
        for number, limits in enumerate((settings_of(slots=2), settings_of(slots=2, capital=Decimal(2_000)))):
            start = start_of([FOLLOWS, replace(FADES, name="renamed")], panel, limits)
            with Journal.open(tmp_path / f"{number}.sqlite") as journal:
                run = begin_or_continue(journal, start, panel, FreshClaims(), switchboard)
                for _ in run.steps():
                    pass
                sent = {e.body["agent"] for e in journal.entries() if e.kind == "OrderSubmitted"}
            assert run.books.agents["a002"].paused
            assert sent == {"a001"}


def test_a_switchboard_that_says_nonsense_stops_the_run_before_it_trades(tmp_path: Path) -> None:
    panel = panel_of({"AAA": walk(3, BARS)})
    with Switchboard.open(tmp_path) as switchboard, Journal.open(tmp_path / "journal.sqlite") as journal:
        switchboard.pause(PAPER_FLEET, [F], "ann", "", 1, paused=True)
        switchboard._connection.execute("UPDATE pause SET paused = 'perhaps'")
        start = start_of([FOLLOWS], panel, settings_of())
        run = begin_or_continue(journal, start, panel, FreshClaims(), switchboard)
        with pytest.raises(ClawdError, match="pause 1 is 'perhaps'"):
            next(run.steps())
        assert [entry.kind for entry in journal.entries()] == ["RunStarted"]


# From the command line.


def clawd(home: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "clawd", *words],
        env=os.environ | {"CLAWD_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_run_at_work_says_in_its_journal_that_it_has_heard(tmp_path: Path) -> None:
    panel = panel_of({"AAA": walk(3, BARS), "BBB": walk(4, BARS)})
    start = start_of([FOLLOWS, FADES], panel, settings_of(slots=2))
    with Switchboard.open(tmp_path) as switchboard, Journal.open(journal_path(tmp_path, start.run)) as journal:
        run = begin_or_continue(journal, start, panel, FreshClaims(), switchboard)
        steps = run.steps()
        next(steps)

        def hears(*words: str) -> tuple[int, str, str]:
            """The command waits until the run has lived through another bar."""
            before = {each.number for each in switchboard.pauses(PAPER_FLEET).values()}
            process = clawd(tmp_path, *words)
            while process.poll() is None:
                if {each.number for each in switchboard.pauses(PAPER_FLEET).values()} != before:
                    next(steps)
                    break
                time.sleep(0.01)
            out, err = process.communicate(timeout=120)
            return process.returncode, out, err

        code, out, err = hears("pause", "g", "a001", "--why", "news", "--wait", "100")
        assert (code, err) == (0, "")
        assert f"waiting for {start.run}" in out
        assert f"{start.run}: paused a002, by" in out
        assert f"{start.run}: paused a001, by" in out
        assert [agent.paused for agent in run.books.agents.values()] == [True, True]
        code, out, err = hears("pause", "a001", "--wait", "100")
        assert (code, err) == (0, "")
        assert "waiting" not in out, "it is paused already"
        code, out, err = hears("unpause", "a002", "--wait", "100")
        assert (code, err) == (0, "")
        assert f"{start.run}: unpaused a002, by" in out
        assert [agent.paused for agent in run.books.agents.values()] == [True, False]
        process = clawd(tmp_path, "unpause", "a001", "--wait", "0.2")
        out, err = process.communicate(timeout=120)
        assert process.returncode == 2
        assert "no word that it has heard, within 0.2 seconds and before it ended, of a001" in err
        assert "what was said stands" in err
