"""The switchboard: what a person ordered last holds, whoever asks and whenever."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from clawd.core.account_events import TradingState
from clawd.core.errors import ClawdError
from clawd.store.lock import is_locked, take_lock
from clawd.store.switchboard import NOTHING_ORDERED, Answer, Switch, Switchboard


def test_where_nothing_was_ordered_everything_is_allowed(tmp_path: Path) -> None:
    with Switchboard.open(tmp_path) as switchboard:
        assert switchboard.standing() == NOTHING_ORDERED
        assert NOTHING_ORDERED.switch.state is TradingState.ACTIVE


def test_the_last_order_holds_in_every_process_and_after_every_restart(tmp_path: Path) -> None:
    with Switchboard.open(tmp_path) as one, Switchboard.open(tmp_path) as other:
        one.give(Switch.REDUCE, "ann", "", 5)
        halted = other.give(Switch.HALT, "bob", "it looks wrong", 3)  # a clock that was set back changes nothing
        assert one.standing() == halted
    with Switchboard.open(tmp_path) as again:
        assert again.standing() == halted
        assert halted.number == 2
        assert halted.switch.state is TradingState.HALTED


def test_answers_belong_to_their_command(tmp_path: Path) -> None:
    with Switchboard.open(tmp_path) as switchboard:
        first = switchboard.give(Switch.FLATTEN, "ann", "", 1)
        switchboard.answer(first, "r1", "closing 2 instruments", 2, done=False)
        switchboard.answer(first, "r1", "flat", 3, done=True)
        second = switchboard.give(Switch.RESUME, "ann", "", 4)
        assert list(switchboard.answers(first)) == [
            Answer("r1", 2, "closing 2 instruments", False),
            Answer("r1", 3, "flat", True),
        ]
        assert not list(switchboard.answers(second))


def test_decisions_are_numbered_and_belong_to_an_account(tmp_path: Path) -> None:
    with Switchboard.open(tmp_path) as switchboard:
        first = switchboard.decide("one", "AAA", "ann", 1)
        switchboard.decide("two", "AAA", "ann", 2)
        third = switchboard.decide("one", "BBB", "bob", 3)
        assert switchboard.decisions("one", 0) == [first, third]
        assert switchboard.decisions("one", first.number) == [third]
        assert switchboard.decisions("one", third.number) == []


def test_an_order_that_this_version_does_not_know_stops_whoever_asks(tmp_path: Path) -> None:
    with Switchboard.open(tmp_path) as switchboard:
        switchboard.give(Switch.HALT, "ann", "", 1)
        with sqlite3.connect(switchboard.path) as connection:
            connection.execute("UPDATE command SET switch = 'hedge'")
        connection.close()
        with pytest.raises(ClawdError, match="command 1 orders to 'hedge', which this version does not know"):
            switchboard.standing()


def test_orders_given_at_once_by_many_processes_are_all_numbered(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from clawd.store.switchboard import Switch, Switchboard\n"
        "with Switchboard.open(Path(sys.argv[1])) as board:\n"
        "    for _ in range(20): board.give(Switch.HALT, sys.argv[2], '', 1)\n"
    )
    processes = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), str(n)]) for n in range(3)]
    assert [process.wait(timeout=60) for process in processes] == [0, 0, 0]
    with Switchboard.open(tmp_path) as switchboard:
        assert switchboard.standing().number == 60


def test_a_file_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "switchboard.sqlite"
    path.write_bytes(b"not ours" * 100)
    with pytest.raises(ClawdError):
        Switchboard.open(tmp_path)
    assert path.read_bytes() == b"not ours" * 100


def test_looking_whether_a_lock_is_held_never_takes_it(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    assert not is_locked(path)
    assert not list(tmp_path.iterdir()), "looking leaves nothing behind"
    with take_lock(path, "journal"):
        assert is_locked(path)
    assert not is_locked(path)
