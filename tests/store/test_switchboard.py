"""The switchboard: what a person ordered last holds, whoever asks and whenever."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clawd.core.account_events import TradingState
from clawd.core.errors import ClawdError
from clawd.store.lock import is_locked, take_lock
from clawd.store.switchboard import (
    NOTHING_ORDERED,
    PAPER_FLEET,
    SCHEMA,
    Answer,
    Pause,
    Switch,
    Switchboard,
    switchboard_path,
)


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


# Single agents.


def test_the_last_word_on_a_strategy_holds_on_its_desk_and_after_every_restart(tmp_path: Path) -> None:
    with Switchboard.open(tmp_path) as one, Switchboard.open(tmp_path) as other:
        assert one.pauses(PAPER_FLEET) == {}
        first, second = one.pause(PAPER_FLEET, ["x", "y", "x"], "ann", "too hot", 5, paused=True)
        assert first == Pause(1, 5, PAPER_FLEET, "x", True, "ann", "too hot")
        (third,) = other.pause("main", ["x"], "bob", "", 6, paused=True)
        (fourth,) = other.pause(PAPER_FLEET, ["y"], "bob", "", 3, paused=False)  # a clock that was set back
        assert one.pauses(PAPER_FLEET) == {"x": first, "y": fourth}
        assert (second.number, fourth.number) == (2, 4)
    with Switchboard.open(tmp_path) as again:
        assert again.pauses(PAPER_FLEET) == {"x": first, "y": fourth}
        assert again.pauses("main") == {"x": third}
        assert again.pauses("other") == {}
        assert again.standing() == NOTHING_ORDERED, "the house is another matter"


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.lists(
        st.tuples(
            st.sampled_from([PAPER_FLEET, "main"]),
            st.lists(st.sampled_from("xyz"), max_size=4),
            st.booleans(),
            st.integers(0, 9),
        ),
        max_size=12,
    )
)
def test_pauses_are_a_fold_of_all_that_was_said(
    tmp_path_factory: pytest.TempPathFactory, words: list[tuple[str, list[str], bool, int]]
) -> None:
    home = tmp_path_factory.mktemp("home")
    expected: dict[tuple[str, str], bool] = {}
    number = 0
    for desk, strategies, paused, now in words:
        with Switchboard.open(home) as switchboard:
            given_ = switchboard.pause(desk, strategies, "ann", "", now, paused=paused)
        assert [pause.strategy for pause in given_] == sorted(set(strategies), key=strategies.index)
        assert [pause.number for pause in given_] == list(range(number + 1, number + 1 + len(given_)))
        number += len(given_)
        expected |= {(desk, strategy): paused for strategy in strategies}
    with Switchboard.open(home) as switchboard:
        found = {
            (desk, strategy): pause.paused
            for desk in (PAPER_FLEET, "main")
            for strategy, pause in switchboard.pauses(desk).items()
        }
    assert found == expected


@pytest.mark.parametrize(
    "nonsense",
    ["paused = 2", "paused = -1", "paused = 'yes'", "paused = 0.5", "ts = 'soon'", "why = x'00'", "by = x'00'"],
)
def test_a_pause_that_this_version_does_not_know_stops_whoever_asks(tmp_path: Path, nonsense: str) -> None:
    with Switchboard.open(tmp_path) as switchboard:
        switchboard.pause(PAPER_FLEET, ["x"], "ann", "", 1, paused=True)
        switchboard.pause(PAPER_FLEET, ["y"], "ann", "", 1, paused=False)
        with sqlite3.connect(switchboard.path) as connection:
            connection.execute(f"UPDATE pause SET {nonsense} WHERE strategy = 'y'")
        connection.close()
        with pytest.raises(ClawdError, match=r"pause 2 is .* for 'y', which this version does not know"):
            switchboard.pauses(PAPER_FLEET)


def test_a_strategy_that_is_no_text_stops_whoever_asks(tmp_path: Path) -> None:
    with Switchboard.open(tmp_path) as switchboard:
        switchboard.pause("main", ["x"], "ann", "", 1, paused=True)
        with sqlite3.connect(switchboard.path) as connection:
            connection.execute("UPDATE pause SET strategy = x'ff'")
        connection.close()
        with pytest.raises(ClawdError, match="pause 1"):
            switchboard.pauses("main")
        assert switchboard.pauses(PAPER_FLEET) == {}, "another desk has nothing to do with it"


def test_several_are_paused_at_one_moment_or_none_is(tmp_path: Path) -> None:
    with Switchboard.open(tmp_path) as switchboard:
        with sqlite3.connect(switchboard.path) as connection:
            connection.execute(
                "CREATE TRIGGER full BEFORE INSERT ON pause WHEN NEW.strategy = 'z'"
                " BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
            )
        connection.close()
        with pytest.raises(sqlite3.IntegrityError):
            switchboard.pause(PAPER_FLEET, ["x", "y", "z"], "ann", "", 1, paused=True)
        assert switchboard.pauses(PAPER_FLEET) == {}


def test_a_switchboard_of_an_older_version_keeps_its_orders_and_learns_to_pause(tmp_path: Path) -> None:
    connection = sqlite3.connect(switchboard_path(tmp_path))
    for statement in SCHEMA.statements:
        connection.execute(statement)
    connection.execute("INSERT INTO command VALUES (1, 7, 'halt', 'ann', 'holidays')")
    connection.execute(f"PRAGMA application_id={SCHEMA.application_id}")
    connection.execute("PRAGMA user_version=1")
    connection.commit()
    connection.close()
    with Switchboard.open(tmp_path) as switchboard:
        assert switchboard.standing().switch is Switch.HALT
        (pause,) = switchboard.pause(PAPER_FLEET, ["x"], "ann", "", 8, paused=True)
    with Switchboard.open(tmp_path) as switchboard:
        assert switchboard.standing().why == "holidays"
        assert switchboard.pauses(PAPER_FLEET) == {"x": pause}


def test_pauses_given_at_once_by_many_processes_are_all_numbered(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from clawd.store.switchboard import Switchboard\n"
        "with Switchboard.open(Path(sys.argv[1])) as board:\n"
        "    for n in range(20): board.pause('', [sys.argv[2], str(n)], 'ann', '', 1, paused=n % 2 == 0)\n"
    )
    processes = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), f"s{n}"]) for n in range(3)]
    assert [process.wait(timeout=60) for process in processes] == [0, 0, 0]
    with Switchboard.open(tmp_path) as switchboard:
        assert max(pause.number for pause in switchboard.pauses(PAPER_FLEET).values()) == 120
        assert {name for name, pause in switchboard.pauses(PAPER_FLEET).items() if pause.paused} == {
            str(n) for n in range(0, 20, 2)
        }


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
