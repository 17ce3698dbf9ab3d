"""A fleet on an account at a simulated exchange: the books of both agree, whatever dies in between."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest
from venue_markets import BEGAN, SECOND, market, write_captures
from venue_place import CASH, RULES, Place

from clawd.cli.trade import _answer
from clawd.core.account_events import UNATTRIBUTED, TradingState
from clawd.core.clock import ReplayClock
from clawd.core.events import BarClosed, HeldUntil, OrderHeld, OrderSubmitted, read_event
from clawd.core.orders import Order, OrderKind
from clawd.core.reason import Reason
from clawd.data.capture import MarketEvent
from clawd.store.journal import Journal
from clawd.store.switchboard import Command, Switch, Switchboard


@pytest.fixture(scope="module")
def messages(tmp_path_factory: pytest.TempPathFactory) -> list[MarketEvent]:
    return market(tmp_path_factory.mktemp("market"))


@pytest.fixture(scope="module")
def whole(messages: list[MarketEvent], tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A run that nothing befell."""
    place = Place(tmp_path_factory.mktemp("whole"), messages)
    place.check(place.live())
    return place


def kinds(place: Place) -> Counter[str]:
    with Journal.open(place.folder / "journal.sqlite", read_only=True) as journal:
        return Counter(entry.kind for entry in journal.entries())


def reasons(place: Place) -> set[str]:
    with Journal.open(place.folder / "journal.sqlite", read_only=True) as journal:
        return {str(entry.body["reason"]) for entry in journal.entries() if entry.kind == "OrderFilled"}


def test_agents_trade_against_one_another_and_are_left_by_their_exits(whole: Place) -> None:
    counts = kinds(whole)
    assert counts["BarClosed"] == 59, "the last is not over when the messages end"
    assert reasons(whole) >= {"entry", "signal", "take"}
    assert reasons(whole) & {"stop", "trail"}
    assert counts["OrderRejected"] == 0, "what one agent's exit cannot reduce at the venue is not sent there"
    assert counts["AnomalyFound"] == 0


def test_a_run_left_at_any_moment_goes_on_with_the_same_bars_and_positions(
    whole: Place, messages: list[MarketEvent], tmp_path: Path
) -> None:
    place = Place(tmp_path, messages)
    for seconds in (3, 41, 42, 97, 160, 161, 230):
        place.live(BEGAN + seconds * SECOND)
    place.check(place.live())

    def bars(of: Place) -> list[BarClosed]:
        with Journal.open(of.folder / "journal.sqlite", read_only=True) as journal:
            return [
                event
                for entry in journal.entries()
                if isinstance(event := read_event(entry.kind, entry.body), BarClosed)
            ]

    assert bars(place) == bars(whole), "no bar is told twice or left out, and none is another"


def test_a_run_left_at_every_close_with_its_orders_under_way_ends_with_the_venues_books(
    messages: list[MarketEvent], tmp_path: Path
) -> None:
    """A position that is turned has two orders under way at once, and both fills are told in one report."""
    place = Place(tmp_path, messages)
    for seconds in range(5, 200, 5):
        place.live(BEGAN + seconds * SECOND, swallow=True)
    account = place.live()
    place.check(account)
    assert account.anomalies == 0
    assert kinds(place)["OutcomeLost"] > 10, "orders were under way"


def test_an_exchange_without_reduce_only_never_turns_a_position(messages: list[MarketEvent], tmp_path: Path) -> None:
    """Exits are taken off before agents leave, through kills at closes with orders and cancellations under way."""
    place = Place(tmp_path, messages, rules=replace(RULES, reduce_only=False))
    for seconds in (16, 17, 31, 32, 90, 91, 92, 131, 132, 170, 171):
        place.live(BEGAN + seconds * SECOND, swallow=seconds % 2 == 0)
    account = place.live()
    place.check(account)
    with Journal.open(place.folder / "journal.sqlite", read_only=True) as journal:
        events = [read_event(entry.kind, entry.body) for entry in journal.entries()]
    held = [event for event in events if isinstance(event, OrderHeld)]
    assert {event.until for event in held} == {HeldUntil.ALONE}
    assert {event.order_kind for event in held} == {OrderKind.CLOSING, OrderKind.OPENING}, (
        "to be turned is to wait twice"
    )
    sent = {event.order for event in events if isinstance(event, OrderSubmitted)}
    assert sum(event.order in sent for event in held) > 3
    assert account.anomalies == 0


def test_a_halt_stops_entries_and_a_flattening_ends_flat(messages: list[MarketEvent], tmp_path: Path) -> None:
    place = Place(tmp_path, messages)
    account = place.live(BEGAN + 60 * SECOND)
    halted = Command(1, 0, Switch.HALT, "ann", "")
    account = place.live(BEGAN + 120 * SECOND, lambda: halted)
    assert account.state is TradingState.HALTED
    before = kinds(place)["ExitsPlanned"]
    account = place.live(BEGAN + 180 * SECOND, lambda: Command(2, 0, Switch.FLATTEN, "ann", ""))
    assert not account.sizes()
    assert kinds(place)["FlatVerified"] == 1
    assert kinds(place)["ExitsPlanned"] == before, "nothing was entered"
    account = place.live(None, lambda: Command(3, 0, Switch.RESUME, "ann", ""))
    assert kinds(place)["ExitsPlanned"] > before
    place.check(account)


def test_the_days_limit_closes_everything_for_the_day(messages: list[MarketEvent], tmp_path: Path) -> None:
    place = Place(tmp_path, messages, day_loss=Decimal(4))
    account = place.live()
    place.check(account)
    worst = CASH - account.cash
    assert worst <= Decimal("4.4"), "the limit, and the slippage of leaving beyond what was reserved"
    assert kinds(place)["VerdictGiven"] > 5


def test_spot_is_paid_for_whole_and_never_sold_short(messages: list[MarketEvent], tmp_path: Path) -> None:
    place = Place(tmp_path, messages, leverage=None)
    account = place.live()
    place.check(account)
    counts = kinds(place)
    assert counts["OrderFilled"] > 5
    assert counts["OrderRejected"] == 0
    assert all(size > 0 for size in account.sizes().values())


def test_a_trade_by_hand_is_nobodys_until_a_person_decides(messages: list[MarketEvent], tmp_path: Path) -> None:
    place = Place(tmp_path, messages)
    place.live(BEGAN + 60 * SECOND)
    hand = Order("hand-1", "me", "BTCUSDT", OrderKind.OPENING, Decimal("0.020"), Reason.ENTRY)
    account = place.live(BEGAN + 120 * SECOND, by_hand=hand)
    assert account.agents[UNATTRIBUTED].size("BTCUSDT") == Decimal("0.020")
    assert [(block.symbol, block.agent, block.why) for block in account.blocks] == [("BTCUSDT", None, UNATTRIBUTED)]
    entered = kinds(place)["ExitsPlanned"]
    account = place.live(BEGAN + 150 * SECOND)
    with Journal.open(place.folder / "journal.sqlite", read_only=True) as journal:
        refused = [entry.body["code"] for entry in journal.entries() if entry.kind == "VerdictGiven"][-3:]
    assert "UNATTRIBUTED" in refused, "a restart decides nothing"
    with Switchboard.open(tmp_path) as switchboard:
        switchboard.decide("acc", "BTCUSDT", "ann", 1)
        account = place.live(None, decided=lambda after: switchboard.decisions("acc", after))
    assert not account.blocks
    assert kinds(place)["AdoptionDecided"] == 1
    assert kinds(place)["ExitsPlanned"] > entered
    assert account.agents[UNATTRIBUTED].size("BTCUSDT") == Decimal("0.020"), "and it is still theirs"
    assert account.cash == place.venue._exchange.account.cash


# From the command line.


def clawd(home: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "clawd", *words]


def test_an_order_that_came_while_another_was_obeyed_is_not_answered_yet(tmp_path: Path) -> None:
    with Switchboard.open(tmp_path) as switchboard:
        halted = switchboard.give(Switch.HALT, "ann", "", 1)
        flattened = switchboard.give(Switch.FLATTEN, "ann", "", 2)
        account = SimpleNamespace(totals=SimpleNamespace(held_by_agents=lambda: ()), state=TradingState.HALTED)
        run = SimpleNamespace(
            command=halted, obeyed=True, trader=SimpleNamespace(account=account), clock=ReplayClock(3)
        )
        _answer(switchboard, run, "acc")  # type: ignore[arg-type]
        assert [answer.done for answer in switchboard.answers(halted)] == [True]
        assert not list(switchboard.answers(flattened))


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    captures = [str(path) for path in write_captures(tmp_path, 200)]
    (tmp_path / "f.toml").write_text(
        'name = "f"\n[position]\ntarget = "long_short(sign(ret(close, 3)))"\n[exits]\nstop = { percent = 0.05 }\n'
    )
    return ["trade", *captures, "--strategy", str(tmp_path / "f.toml"), "--perpetual", "10"]


def test_a_killed_command_goes_on_from_there(files: list[str], tmp_path: Path) -> None:
    environment = os.environ | {
        "CLAWD_HOME": str(tmp_path / "home"),
        "CLAWD_CAPITAL": "10000",
        "CLAWD_DAY_LOSS_LIMIT": "100",
    }
    journal = tmp_path / "home" / "accounts" / "captures" / "journal.sqlite"
    for length in (60, 160):
        process = subprocess.Popen(clawd(tmp_path, *files), env=environment, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < deadline:
            if journal.exists():
                try:
                    with Journal.open(journal, read_only=True) as opened:
                        if opened.head[0] > length:
                            break
                except Exception:
                    pass
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
    done = subprocess.run(
        clawd(tmp_path, *files, "--json"), env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[0]["stage"] == "began"
    assert lines[-1]["stage"] == "ended"
    assert lines[-1]["anomalies"] == 0
    again = subprocess.run(
        clawd(tmp_path, *files, "--bar", "1s"), env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert again.returncode == 2
    assert "begun with other captures, fees, delays, bars or capital" in again.stderr


def test_entries_are_only_ever_asked_for_by_opening_orders(whole: Place) -> None:
    with Journal.open(whole.folder / "journal.sqlite", read_only=True) as journal:
        events = [read_event(entry.kind, entry.body) for entry in journal.entries()]
    planned = {event.order for event in events if event.kind == "ExitsPlanned"}  # type: ignore[attr-defined]
    opened = {
        event.order for event in events if isinstance(event, OrderSubmitted) and event.order_kind is OrderKind.OPENING
    }
    assert opened <= planned, "no entry is sent whose exits were not written down before"


def test_a_script_of_faults_is_played_and_the_books_still_agree(files: list[str], tmp_path: Path) -> None:
    environment = os.environ | {
        "CLAWD_HOME": str(tmp_path / "home"),
        "CLAWD_CAPITAL": "10000",
        "CLAWD_DAY_LOSS_LIMIT": "100",
    }
    script = tmp_path / "faults.json"
    script.write_text(
        '[{"fault":"server_error","message":"Submit","first":2},'
        '{"fault":"drop","message":"FillReport","first":3,"times":2},'
        '{"fault":"disconnect_before","message":"Submit","first":5,"lasts":4000000000}]'
    )
    done = subprocess.run(
        clawd(tmp_path, *files, "--json", "--faults", str(script)),
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    with Journal.open(tmp_path / "home" / "accounts" / "captures" / "journal.sqlite", read_only=True) as journal:
        entries = list(journal.entries())
    lost = [entry for entry in entries if entry.kind == "OutcomeLost"]
    assert {entry.body["why"] for entry in lost} >= {"503", "DISCONNECTED"}
    fills = [entry.body["trade"] for entry in entries if entry.kind == "OrderFilled"]
    assert fills and len(set(fills)) == len(fills)
    script.write_text('[{"fault":"bite"}]')
    refused = subprocess.run(
        clawd(tmp_path, *files, "--faults", str(script)), env=environment, capture_output=True, text=True, check=False
    )
    assert refused.returncode == 2
    assert "no script of faults" in refused.stderr
