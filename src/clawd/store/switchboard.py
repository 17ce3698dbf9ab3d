"""The switchboard: what a person has ordered for everything that trades from a home, and which run has obeyed.

It is a file of its own, so that an order can be given while a run is at work, while none is, and before the next one
starts. An order holds until another is given: no restart, day or clock ends a person's halt. What a method has returned
survives ``kill -9``. Single agents are paused and unpaused here as well, by their strategies, so that it holds for
whoever trades the same strategy in the next run.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from clawd.core.account_events import TradingState
from clawd.core.clock import iso
from clawd.core.errors import ClawdError
from clawd.store.database import Schema, connect, lay_out, mendable, transaction
from clawd.store.lock import is_locked, take_lock

SCHEMA: Final = Schema(
    noun="switchboard",
    application_id=0x434C5357,  # "CLSW"
    statements=(
        """
        CREATE TABLE command(
            number INTEGER PRIMARY KEY,
            ts INTEGER NOT NULL,
            switch TEXT NOT NULL,
            by TEXT NOT NULL,
            why TEXT NOT NULL
        )
        """,
        """
        CREATE TABLE decision(
            number INTEGER PRIMARY KEY,
            ts INTEGER NOT NULL,
            account TEXT NOT NULL,
            symbol TEXT NOT NULL,
            by TEXT NOT NULL
        )
        """,
        """
        CREATE TABLE answer(
            command INTEGER NOT NULL REFERENCES command(number),
            run TEXT NOT NULL,
            ts INTEGER NOT NULL,
            text TEXT NOT NULL,
            done INTEGER NOT NULL
        )
        """,
    ),
    migrations=(
        (
            """
            CREATE TABLE pause(
                number INTEGER PRIMARY KEY,
                ts INTEGER NOT NULL,
                desk TEXT NOT NULL,
                strategy TEXT NOT NULL,
                paused INTEGER NOT NULL,
                by TEXT NOT NULL,
                why TEXT NOT NULL
            )
            """,
            "CREATE INDEX pause_of ON pause(desk, strategy, number)",
        ),
    ),
    readable_from=1,  # who only looks sees that a halt stands, also before anybody has brought the file up to date
)


def switchboard_path(home: Path) -> Path:
    """Where the switchboard of a home lies, once an order was given."""
    return home / "switchboard.sqlite"


class Switch(StrEnum):
    """What a person can order."""

    RESUME = "resume"  # everything that the gate allows
    REDUCE = "reduce"  # no entries, until told otherwise; for a while, or to wind down
    HALT = "halt"  # no entries, and those that wait are cancelled; exits live on
    FLATTEN = "flatten"  # a halt, and everything is cancelled and closed

    @property
    def state(self) -> TradingState:
        """What an account may do under it."""
        return _STATES[self]


_STATES: Final = {
    Switch.RESUME: TradingState.ACTIVE,
    Switch.REDUCE: TradingState.REDUCING,
    Switch.HALT: TradingState.HALTED,
    Switch.FLATTEN: TradingState.HALTED,
}


@dataclass(frozen=True, slots=True)
class Command:
    """An order of a person.

    Attributes:
        number: counted from 1; 0 for what holds before any was given.
        ts: when it was given, UTC nanoseconds.
        switch: what was ordered.
        by, why: who ordered it, and their reason, which may be empty.
    """

    number: int
    ts: int
    switch: Switch
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a run says to a command: that it has heard it, and what it has done about it.

    Attributes:
        run: which.
        ts: when, UTC nanoseconds.
        text: in words.
        done: whether nothing of it is left to do.
    """

    run: str
    ts: int
    text: str
    done: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """A person has decided that what is unattributed in an instrument of an account is theirs.

    Attributes:
        number: counted from 1.
        ts: when, UTC nanoseconds.
        symbol: of the instrument.
        by: who decided.
    """

    number: int
    ts: int
    symbol: str
    by: str


@dataclass(frozen=True, slots=True)
class Pause:
    """A person has paused the agents of a strategy, or unpaused them. A paused agent enters nothing; its exits live on.

    Attributes:
        number: counted from 1, over all desks.
        ts: when, UTC nanoseconds.
        desk: where the agents trade: the name of an account, or :data:`PAPER_FLEET`.
        strategy: the content hash of theirs.
        paused: whether they are, from now on.
        by, why: who said so, and their reason, which may be empty.
    """

    number: int
    ts: int
    desk: str
    strategy: str
    paused: bool
    by: str
    why: str


#: The desk of the fleet of `clawd up`. That of an account is the account's name, which is never empty.
PAPER_FLEET: Final = ""

#: What a person types to let the fleet enter positions again.
RESUME_WORD: Final = "RESUME"

#: What holds where nobody has ordered anything.
NOTHING_ORDERED: Final = Command(0, 0, Switch.RESUME, "", "")


class Switchboard:
    """An open switchboard. Any number of processes may write; each command and answer is one transaction."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    @classmethod
    def open(cls, home: Path) -> Switchboard:
        """The switchboard of a home, made where there is none.

        Raises:
            ClawdError: when the file cannot be opened or is not a switchboard.
        """
        path = switchboard_path(home)
        connection = connect(path, SCHEMA)
        try:
            with take_lock(path, SCHEMA.noun, wait=True):
                lay_out(connection, path, SCHEMA)
        except BaseException:
            connection.close()
            raise
        return cls(path, connection)

    def __enter__(self) -> Switchboard:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def give(self, switch: Switch, by: str, why: str, now: int) -> Command:
        """Order something, in place of whatever was ordered before.

        Args:
            switch: what.
            by, why: who orders it and, possibly empty, their reason.
            now: UTC nanoseconds.
        """
        with mendable(self.path), transaction(self._connection):
            (last,) = self._connection.execute("SELECT COALESCE(MAX(number), 0) FROM command").fetchone()
            command = Command(last + 1, now, switch, by, why)
            self._connection.execute(
                "INSERT INTO command VALUES (?, ?, ?, ?, ?)", (command.number, now, str(switch), by, why)
            )
        return command

    def standing(self) -> Command:
        """The order that holds: the last that was given.

        Raises:
            ClawdError: when the file says what this version does not know; whoever trades must then not go on.
        """
        with mendable(self.path):
            row = self._connection.execute(
                "SELECT number, ts, switch, by, why FROM command ORDER BY number DESC LIMIT 1"
            ).fetchone()
        if row is None:
            return NOTHING_ORDERED
        number, ts, switch, by, why = row
        try:
            return Command(number, ts, Switch(switch), by, why)
        except ValueError:
            raise ClawdError(
                f"command {number} orders to {switch!r}, which this version does not know",
                where=str(self.path),
                hint=f"one of {', '.join(Switch)}",
            ) from None

    def commands(self, last: int) -> list[Command]:
        """The orders that were given last, the newest first; those that this version does not know are left out."""
        known = tuple(str(switch) for switch in Switch)
        with mendable(self.path):
            rows = self._connection.execute(
                f"SELECT number, ts, switch, by, why FROM command WHERE switch IN ({', '.join('?' * len(known))})"
                " ORDER BY number DESC LIMIT ?",
                (*known, last),
            ).fetchall()
        return [Command(number, ts, Switch(switch), by, why) for number, ts, switch, by, why in rows]

    def command(self, number: int) -> Command | None:
        """The order of a number, None where there is none that this version knows."""
        with mendable(self.path):
            row = self._connection.execute(
                "SELECT number, ts, switch, by, why FROM command WHERE number = ?", (number,)
            ).fetchone()
        if row is None or row[2] not in tuple(Switch):
            return None
        return Command(row[0], row[1], Switch(row[2]), row[3], row[4])

    def adoptions(self, last: int) -> list[tuple[str, Decision]]:
        """What people have adopted last, the newest first: the account and the decision."""
        with mendable(self.path):
            rows = self._connection.execute(
                "SELECT account, number, ts, symbol, by FROM decision ORDER BY number DESC LIMIT ?", (last,)
            ).fetchall()
        return [(account, Decision(*row)) for account, *row in rows]

    def decide(self, account: str, symbol: str, by: str, now: int) -> Decision:
        """Say that what is unattributed in an instrument of an account is a person's."""
        with mendable(self.path), transaction(self._connection):
            (last,) = self._connection.execute("SELECT COALESCE(MAX(number), 0) FROM decision").fetchone()
            decision = Decision(last + 1, now, symbol, by)
            self._connection.execute(
                "INSERT INTO decision VALUES (?, ?, ?, ?, ?)", (decision.number, now, account, symbol, by)
            )
        return decision

    def decisions(self, account: str, after: int) -> list[Decision]:
        """The decisions on an account behind a number, in order."""
        with mendable(self.path):
            rows = self._connection.execute(
                "SELECT number, ts, symbol, by FROM decision WHERE account = ? AND number > ? ORDER BY number",
                (account, after),
            ).fetchall()
        return [Decision(*row) for row in rows]

    def pause(self, desk: str, strategies: Sequence[str], by: str, why: str, now: int, *, paused: bool) -> list[Pause]:
        """Pause the agents of some strategies, or unpause them; all of them at one moment.

        Args:
            desk: where they trade.
            strategies: their content hashes.
            by, why: who says so and, possibly empty, their reason.
            now: UTC nanoseconds.
            paused: whether they are, from now on.

        Returns:
            What was written down, a word for each strategy, in their order.
        """
        with mendable(self.path), transaction(self._connection):
            (last,) = self._connection.execute("SELECT COALESCE(MAX(number), 0) FROM pause").fetchone()
            given = [
                Pause(number, now, desk, strategy, paused, by, why)
                for number, strategy in enumerate(dict.fromkeys(strategies), start=last + 1)
            ]
            self._connection.executemany(
                "INSERT INTO pause VALUES (?, ?, ?, ?, ?, ?, ?)",
                [(each.number, now, desk, each.strategy, int(paused), by, why) for each in given],
            )
        return given

    def pauses(self, desk: str) -> dict[str, Pause]:
        """The last word on each strategy of a desk that was ever paused there, by its content hash.

        Raises:
            ClawdError: when the file says what this version does not know; whoever trades must then not go on.
        """
        with mendable(self.path):
            rows = self._connection.execute(
                "SELECT number, ts, desk, strategy, paused, by, why FROM pause"
                " WHERE number IN (SELECT MAX(number) FROM pause WHERE desk = ? GROUP BY strategy) ORDER BY number",
                (desk,),
            ).fetchall()
        return {pause.strategy: pause for pause in (self._read_pause(row) for row in rows)}

    def _read_pause(self, row: tuple[Any, ...]) -> Pause:
        number, ts, desk, strategy, paused, by, why = row
        match ts, desk, strategy, paused, by, why:
            case int(), str(), str(), 0 | 1, str(), str():
                return Pause(number, ts, desk, strategy, paused == 1, by, why)
        raise ClawdError(
            f"pause {number} is {paused!r} for {strategy!r}, which this version does not know",
            where=str(self.path),
            hint="1 for paused or 0 for unpaused, and the content hash of a strategy",
        )

    def answer(self, command: Command, run: str, text: str, now: int, *, done: bool) -> None:
        """Say what a run has done about a command."""
        with mendable(self.path), transaction(self._connection):
            self._connection.execute(
                "INSERT INTO answer VALUES (?, ?, ?, ?, ?)", (command.number, run, now, text, int(done))
            )

    def answers(self, command: Command) -> Iterator[Answer]:
        """What the runs have said to a command, in order."""
        with mendable(self.path):
            rows = self._connection.execute(
                "SELECT run, ts, text, done FROM answer WHERE command = ? ORDER BY rowid", (command.number,)
            ).fetchall()
        for run, ts, text, done in rows:
            yield Answer(run, ts, text, bool(done))


def runs_at_work(home: Path) -> list[str]:
    """The names of the runs of a home that a process is at work on; each will hear what is ordered."""
    journals = sorted(home.glob("runs/*/journal.sqlite")) + sorted(home.glob("accounts/*/journal.sqlite"))
    return [journal.parent.name for journal in journals if is_locked(journal)]


def as_state(switch: Switch) -> str:
    """How what starts under an order begins."""
    return {
        Switch.RESUME: "free to trade",
        Switch.REDUCE: "reducing",
        Switch.HALT: "halted",
        Switch.FLATTEN: "halted, and closes what it holds",
    }[switch]


def in_words(command: Command) -> str:
    """An order, and who has given it, for people."""
    words = {
        Switch.RESUME: "resumed",
        Switch.REDUCE: "reducing: positions may only become smaller",
        Switch.HALT: "halted: nothing is entered",
        Switch.FLATTEN: "flatten: close everything, and stay halted",
    }[command.switch]
    return f"{words} (by {command.by}, {iso(command.ts)}{f': {command.why}' if command.why else ''})"
