"""A person's hand: halt, reduce, flatten and resume, in the middle of a run, across restarts, from the command line."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from fleet_worlds import DAY, HOUR, MIDNIGHT, FreshClaims, Trading, panel_of, settings_of, start_of, strategy_of, walk
from hypothesis import given, settings
from hypothesis import strategies as st

from clawd.core.account_events import FlattenBegan, FlatVerified, TradingState, TradingStateChanged
from clawd.core.event import Event
from clawd.core.events import OrderCancelled, OrderFilled, OrderSubmitted, VerdictGiven
from clawd.core.orders import OrderKind
from clawd.fleet.run import Run, begin_or_continue, replay
from clawd.store.journal import Journal
from clawd.store.switchboard import NOTHING_ORDERED, Command, Switch, Switchboard

BARS = 120
#: It wants another position after nearly every bar.
RESTLESS = strategy_of("long_short(sign(ret(close, 3)))", "stop = { percent = 4 }\ntake = { percent = 6 }")


class Hand:
    """A person who gives orders at chosen bars."""

    def __init__(self, orders: dict[int, Switch]) -> None:
        self.orders = orders
        self.bar = 0
        self.standing = NOTHING_ORDERED

    def __call__(self) -> Command:
        if (switch := self.orders.get(self.bar)) is not None:
            self.standing = Command(self.standing.number + 1, self.bar, switch, "ann", "")
        self.bar += 1
        return self.standing


def traded(orders: dict[int, Switch], seed: int = 3, **limits: object) -> tuple[Trading, list[list[Event]]]:
    panel = panel_of({"AAA": walk(seed, BARS), "BBB": walk(seed + 1, BARS)})
    trading = Trading([RESTLESS], panel, settings_of(**limits), ordered=Hand(orders))
    return trading, list(trading.bars())


def entries(bars: list[list[Event]]) -> list[int]:
    """The bars after which an entry was submitted."""
    return [
        n
        for n, events in enumerate(bars)
        if any(isinstance(each, OrderSubmitted) and each.order_kind is OrderKind.OPENING for each in events)
    ]


def test_a_halt_enters_nothing_and_leaves_positions_their_exits() -> None:
    _, free = traded({})
    trading, bars = traded({40: Switch.HALT, 80: Switch.RESUME})
    assert [n for n in entries(free) if 40 <= n < 80], "it would have entered"
    assert [n for n in entries(bars) if n < 40] == [n for n in entries(free) if n < 40]
    assert not [n for n in entries(bars) if 40 <= n < 80]
    assert [n for n in entries(bars) if n >= 80], "and it enters again"
    exits = [
        each
        for events in bars[41:80]
        for each in events
        if isinstance(each, OrderFilled) and each.order_kind is not OrderKind.OPENING
    ]
    assert exits, "what was held was left by its exits, or by its signal"
    assert not any(
        isinstance(each, OrderFilled) and each.order_kind is OrderKind.OPENING
        for events in bars[41:81]
        for each in events
    )
    assert trading.books.state is TradingState.ACTIVE


def test_an_entry_that_waits_is_cancelled_by_a_halt_and_asked_for_again_after_it() -> None:
    def world(seed: int, orders: dict[int, Switch]) -> Trading:
        bars = walk(seed, BARS)
        bars[20:26] = np.nan
        return Trading(
            [RESTLESS], panel_of({"AAA": bars, "BBB": walk(seed + 1, BARS)}), settings_of(), ordered=Hand(orders)
        )

    def waits(trading: Trading) -> bool:
        return any(each.kind is OrderKind.OPENING and each.symbol == "AAA" for each in trading.books.orders.values())

    # The first bar that is traded is the second of the market: after 21 of them AAA has had no bar for two.
    seed = next(seed for seed in range(99) if [waits(free) for free in [world(seed, {})] for _ in free.bars()][21])
    trading = world(seed, {21: Switch.HALT, 24: Switch.RESUME})
    bars = []
    for number, events in enumerate(trading.bars()):
        bars.append(events)
        assert number < 21 or number >= 24 or not waits(trading)
    (cancelled,) = [each for each in bars[21] if isinstance(each, OrderCancelled)]
    assert (cancelled.symbol, cancelled.order_kind, cancelled.why) == ("AAA", OrderKind.OPENING, "HALT")
    assert any(isinstance(each, OrderSubmitted) and each.symbol == "AAA" for each in bars[25]), "and asked for again"


def test_what_a_halt_kept_from_being_entered_is_entered_when_it_ends() -> None:
    steady = strategy_of("long_only(sign(close))", "stop = { percent = 50 }")
    trading = Trading(
        [steady],
        panel_of({"AAA": walk(3, BARS)}),
        settings_of(),
        ordered=Hand({0: Switch.HALT, 10: Switch.RESUME}),
    )
    assert entries(list(trading.bars()))[0] == 10, "though the strategy wants the same all the time"


def test_flatten_closes_everything_and_says_so_when_the_venue_does() -> None:
    trading, bars = traded({50: Switch.FLATTEN})
    assert any(isinstance(each, FlattenBegan) for each in bars[50])
    verified = [n for n, events in enumerate(bars) for each in events if isinstance(each, FlatVerified)]
    assert len(verified) == 1
    assert 50 <= verified[0] <= 52
    assert not trading.venue.orders
    assert not any(trading.venue.positions.values())
    assert not [n for n in entries(bars) if n >= 50]


def test_flatten_goes_on_while_an_instrument_does_not_trade() -> None:
    holes = walk(3, BARS)
    panel = panel_of({"AAA": holes, "BBB": walk(4, BARS)})
    held = Trading([RESTLESS], panel, settings_of())
    when = next(n for n, _ in enumerate(held.bars()) if n > 20 and held.venue.positions["AAA"])
    holes[when + 2 : when + 12] = np.nan  # the first bar is the one after which the fleet begins
    panel = panel_of({"AAA": holes, "BBB": walk(4, BARS)})
    trading = Trading([RESTLESS], panel, settings_of(), ordered=Hand({when: Switch.FLATTEN}))
    bars = list(trading.bars())
    (verified,) = [n for n, events in enumerate(bars) for each in events if isinstance(each, FlatVerified)]
    assert verified >= when + 10
    assert not any(trading.venue.positions.values())


def test_no_day_and_no_limit_ends_a_persons_halt() -> None:
    panel = panel_of({"AAA": walk(3, BARS)}, bar=HOUR, start=MIDNIGHT)
    trading = Trading([RESTLESS], panel, settings_of(day_loss_limit=Decimal(3)), ordered=Hand({30: Switch.HALT}))
    bars = list(trading.bars())
    assert panel.times[-1] - panel.times[30] > 3 * DAY
    assert trading.books.state is TradingState.HALTED
    assert not [n for n in entries(bars) if n >= 30]


@settings(max_examples=25, deadline=None)
@given(
    orders=st.dictionaries(st.integers(0, BARS - 2), st.sampled_from(Switch), min_size=1, max_size=5),
    seed=st.integers(0, 50),
    limit=st.sampled_from([Decimal(2), Decimal(10**9)]),
)
def test_nothing_is_entered_while_a_person_forbids_it(orders: dict[int, Switch], seed: int, limit: Decimal) -> None:
    trading, bars = traded(orders, seed, day_loss_limit=limit)
    allowed = True
    for bar, events in enumerate(bars):
        if bar in orders:
            allowed = orders[bar] is Switch.RESUME
        if not allowed:
            assert bar not in entries(bars)
            assert not any(isinstance(each, VerdictGiven) and each.order_kind is OrderKind.OPENING for each in events)
    if not allowed and orders[max(orders)] is Switch.FLATTEN and max(orders) < BARS - 5:
        assert not any(trading.venue.positions.values())


def test_a_halt_is_in_the_journal_and_outlives_a_restart(tmp_path: Path) -> None:
    panel = panel_of({"AAA": walk(3, BARS)})
    start = start_of([RESTLESS], panel, settings_of())
    path = tmp_path / "journal.sqlite"
    with Switchboard.open(tmp_path) as switchboard:
        with Journal.open(path) as journal:
            run = begin_or_continue(journal, start, panel, FreshClaims(), switchboard)
            for number, _ in enumerate(run.steps()):
                if number == 30:
                    command = switchboard.give(Switch.HALT, "ann", "enough", 1)
                if number == 40:
                    break
        (answer,) = switchboard.answers(command)
        assert (answer.run, answer.done) == (start.run, True)
        with Journal.open(path) as journal:
            books, _ = replay(journal)
            assert books.state is TradingState.HALTED
            run = begin_or_continue(journal, start, panel, FreshClaims(), switchboard)
            for _ in run.steps():
                pass
            changes = [entry for entry in journal.entries() if entry.kind == TradingStateChanged.__name__]
        assert len(changes) == 1, "a restart does not order it again"
        assert len(list(switchboard.answers(command))) <= 2
        (by, why) = (changes[0].body["by"], changes[0].body["why"])
        assert (by, why) == ("ann", "enough")


# From the command line.


def clawd(home: Path, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "clawd", *words],
        env=os.environ | {"CLAWD_HOME": str(home)},
        input=typed,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_what_starts_after_a_halt_begins_halted_until_the_word_is_typed(tmp_path: Path) -> None:
    halted = clawd(tmp_path, "halt", "--why", "holidays")
    assert halted.returncode == 0
    assert "nothing is running; whatever starts next begins halted" in halted.stdout
    for typed in ("", "resume\n", "yes\n", "RESUM\n"):
        refused = clawd(tmp_path, "resume", typed=typed)
        assert refused.returncode == 2
        assert "that was not RESUME: nothing has changed" in refused.stderr
    resumed = clawd(tmp_path, "resume", typed="RESUME\n")
    assert resumed.returncode == 0
    assert "free to trade" in resumed.stdout
    assert clawd(tmp_path, "resume").stdout == "nothing is halted\n"


def test_a_run_at_work_answers(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "clawd", "up", "--plain", "--slots", "2"],
        env=os.environ | {"CLAWD_HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("runs/*/journal.sqlite-wal")) and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    flattened = clawd(tmp_path, "flatten", "--wait", "60")
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")
    assert flattened.returncode == 0, flattened.stdout + flattened.stderr
    assert "flat: the venue has no order and no position" in flattened.stdout
    assert "everything is being closed, by" in out
    assert "HALTED by" in out
    again = clawd(tmp_path, "up", "--plain", "--slots", "2", "--fresh")
    assert "nothing is entered until `clawd resume`" in again.stdout
    (newest,) = [path for path in tmp_path.glob("runs/*/journal.sqlite") if "-until-" not in path.parent.name]
    with Journal.open(newest, read_only=True) as journal:
        kinds = [entry.body["order_kind"] for entry in journal.entries() if entry.kind == OrderSubmitted.__name__]
    assert kinds == []


def test_a_resumption_is_not_said_to_free_what_the_days_limit_halts(tmp_path: Path) -> None:
    books = SimpleNamespace(
        command=1, flattening=False, halted_until=20_000, net_sizes=dict, start=SimpleNamespace(run="r")
    )
    fleet = SimpleNamespace(books=books, clock=SimpleNamespace(now=lambda: 1))
    with Switchboard.open(tmp_path) as switchboard:
        command = switchboard.give(Switch.RESUME, "ann", "", 1)
        Run(None, fleet, 0, switchboard)._answer()  # type: ignore[arg-type]
        books.halted_until = None
        Run(None, fleet, 0, switchboard)._answer()  # type: ignore[arg-type]
        limited, free = [answer.text for answer in switchboard.answers(command)]
    assert limited == "resumed; the day's limit still halts it until 2024-10-04"
    assert free == "may enter positions again"
