"""Stopping and resuming: what a person may order, what it would touch, and what the runs have said to it."""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

from clawd.core.clock import Clock
from clawd.core.errors import ClawdError
from clawd.server.at_stake import Stake, Stakes
from clawd.server.problem import ConflictError
from clawd.store.switchboard import RESUME_WORD, Answer, Command, Switch, Switchboard, runs_at_work
from clawd.store.whole_file import write_whole

#: Seconds that an order waits for the answers of the runs before its caller is answered.
HEAR_FOR: Final = 0.6
_LOOK_EVERY: Final = 0.05
_KEPT: Final = 1_000
#: In the home: which runs were at work when the last order was given.
_ASKED: Final = "asked.json"


class Level(StrEnum):
    """How trading is stopped. See docs/stopping.md."""

    STOP_ENTRIES = "stop_entries"  # positions may only become smaller
    FLATTEN = "flatten"  # everything is closed, until the venue says that it is
    HALT = "halt"  # everything is left as it is

    @property
    def switch(self) -> Switch:
        """What is ordered of the switchboard."""
        return _SWITCHES[self]

    @property
    def word(self) -> str | None:
        """What has to be typed, None where a click is enough."""
        return _WORDS[self]


_SWITCHES: Final = {Level.STOP_ENTRIES: Switch.REDUCE, Level.FLATTEN: Switch.FLATTEN, Level.HALT: Switch.HALT}
_WORDS: Final = {Level.STOP_ENTRIES: None, Level.FLATTEN: "FLATTEN", Level.HALT: "HALT"}


def level_of(switch: Switch) -> Level | None:
    """The level of an order, None for a resumption."""
    return next((level for level in Level if level.switch is switch), None)


def plain(why: str) -> str:
    """A reason as it is kept. No letter of it is refused; but terminals show it, and nothing in it moves a cursor."""
    return "".join(letter if letter.isprintable() else " " for letter in why)


class Consequence(NamedTuple):
    """What an order of a level would do now, over all runs.

    Attributes:
        agents: may enter nothing any more.
        cancelled: entries that work or wait, and are taken off.
        closed, kept: positions.
        notional: of the positions by currency; unlike currencies are never added. None where a price is not known.
    """

    level: Level
    agents: int
    cancelled: int
    closed: int
    kept: int
    notional: dict[str, Decimal | None]


def consequences(stakes: Iterable[Stake]) -> list[Consequence]:
    """What each level would do. Who is not at work does nothing before it starts again, and is not counted."""
    at_stake = [stake for stake in stakes if stake.at_work]
    positions = sum(stake.positions for stake in at_stake)
    notional: dict[str, Decimal | None] = {}
    for stake in at_stake:
        before = notional.get(stake.currency, Decimal(0))
        known = before is not None and stake.notional is not None
        notional[stake.currency] = before + stake.notional if known else None  # type: ignore[operator]
    return [
        Consequence(
            level,
            sum(stake.agents for stake in at_stake),
            sum(stake.entries for stake in at_stake),
            positions if level is Level.FLATTEN else 0,
            0 if level is Level.FLATTEN else positions,
            notional,
        )
        for level in Level
    ]


class RunAnswer(NamedTuple):
    """Where a run stands with an order.

    Attributes:
        answer: the last thing that it said to it, None before the first.
        at_work: whether a process trades it now. A run that ended before it was done will not do it.
    """

    run: str
    answer: Answer | None
    at_work: bool

    @property
    def done(self) -> bool:
        return self.answer is not None and self.answer.done


class Heard(NamedTuple):
    """An order and what came of it.

    Attributes:
        holds: whether it is the order that holds now.
    """

    command: Command
    runs: list[RunAnswer]
    holds: bool

    @property
    def done(self) -> bool:
        """Whether every run that it concerns has said that nothing of it is left to do."""
        return all(run.done for run in self.runs)


@dataclass(slots=True)
class Hand:
    """A person's hand on everything that trades from a home. Used by any thread.

    Attributes:
        home: whose switchboard it is.
        stakes: what the runs have in the market.
    """

    home: Path
    stakes: Stakes
    clock: Clock
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _given: OrderedDict[str, tuple[Switch, int]] = field(default_factory=OrderedDict)
    _asked: OrderedDict[int, list[str]] = field(default_factory=OrderedDict)

    def stop(self, level: Level, word: str, why: str, by: str, once: str | None) -> tuple[Heard, bool]:
        """Order a stop.

        Args:
            level: which.
            word: what was typed.
            why, by: the reason, which may be empty, and who orders it.
            once: a name of this very wish: asked for again, it is the order that there is.

        Returns:
            The order, and whether it is a new one.

        Raises:
            ConflictError: when the word is another; nothing has changed.
        """
        if level.word is not None and word != level.word:
            raise ConflictError(
                f"that was not {level.word}: nothing has changed", where="word", hint=f"type {level.word}"
            )
        return self._give(level.switch, why, by, once)

    def resume(self, word: str, why: str, by: str, once: str | None) -> tuple[Heard, bool]:
        """Let entries be made again. Arguments, result and errors as of :meth:`stop`; also where nothing is stopped."""
        if word != RESUME_WORD:
            raise ConflictError(
                f"that was not {RESUME_WORD}: nothing has changed", where="word", hint=f"type {RESUME_WORD}"
            )
        return self._give(Switch.RESUME, why, by, once)

    def standing(self) -> Command:
        """The order that holds."""
        with Switchboard.open(self.home) as switchboard:
            return switchboard.standing()

    def heard(self, number: int) -> Heard | None:
        """What came of an order, None where there is none of this number."""
        with Switchboard.open(self.home) as switchboard:
            command = switchboard.command(number)
            return None if command is None else self._heard(switchboard, command)

    def history(self, last: int) -> list[Command]:
        """The last orders, the newest first."""
        with Switchboard.open(self.home) as switchboard:
            return switchboard.commands(last)

    def _give(self, switch: Switch, why: str, by: str, once: str | None) -> tuple[Heard, bool]:
        with self._lock, Switchboard.open(self.home) as switchboard:
            known = None if once is None else self._given.get(f"{by}\0{once}")
            if known is not None:
                ordered, number = known
                command = switchboard.command(number)
                if ordered is not switch or command is None:
                    raise ConflictError("this wish was used for another order", where="once", hint="name it anew")
                return self._heard(switchboard, command), False
            if switch is Switch.RESUME and switchboard.standing().switch is Switch.RESUME:
                raise ConflictError("nothing is halted", where="resume")
            command = switchboard.give(switch, by, plain(why), self.clock.now())
            if once is not None:
                self._given[f"{by}\0{once}"] = (switch, command.number)
            self._asked[command.number] = runs_at_work(self.home)
            self._remember(command.number)
            for kept in (self._given, self._asked):
                while len(kept) > _KEPT:
                    kept.popitem(last=False)
        with Switchboard.open(self.home) as switchboard:
            return self._listen(switchboard, command), True

    def _remember(self, number: int) -> None:
        """Whom the last order concerns is kept over a restart: one that dies before it has answered has not obeyed."""
        with suppress(ClawdError):  # a stop is refused for no disk
            write_whole(self.home / _ASKED, json.dumps({"order": number, "runs": self._asked[number]}) + "\n")

    def _concerned(self, number: int) -> list[str]:
        if number in self._asked:
            return self._asked[number]
        try:
            kept = json.loads((self.home / _ASKED).read_text(encoding="utf-8"))
            return [str(run) for run in kept["runs"]] if kept["order"] == number else []
        except (OSError, ValueError, KeyError, TypeError):
            return []

    def _listen(self, switchboard: Switchboard, command: Command) -> Heard:
        """What is heard until all have answered, or it has been waited for long enough."""
        deadline = time.monotonic() + HEAR_FOR
        while not (heard := self._heard(switchboard, command)).done and time.monotonic() < deadline:
            time.sleep(_LOOK_EVERY)
        return heard

    def _heard(self, switchboard: Switchboard, command: Command) -> Heard:
        said = {answer.run: answer for answer in switchboard.answers(command)}
        at_work, holds = set(runs_at_work(self.home)), switchboard.standing().number == command.number
        concerned = {*self._concerned(command.number), *said, *(at_work if holds else ())}
        return Heard(command, [RunAnswer(run, said.get(run), run in at_work) for run in sorted(concerned)], holds)
