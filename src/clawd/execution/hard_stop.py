"""The day and its loss limit: when a UTC day begins, when everything is closed, and until when.

A day begins when our clock and the venue's both say so, and never twice: a clock set back opens no day again and resets
no loss, and a clock that jumps ahead lifts no halt. Loss is what the day has realised and not realised, at the last
marks. Where no fresh mark is known the last one that was stands for it, nothing is entered meanwhile, and after a
longer while everything is closed: a position that nobody can value is not kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from clawd.core.account_events import (
    AccountMarked,
    DayBegan,
    FlattenBegan,
    TradingState,
    TradingStateChanged,
)
from clawd.core.clock import utc_day
from clawd.core.errors import ClawdError
from clawd.execution.quotes import Quotes
from clawd.execution.timing import Timing
from clawd.execution.writer import Writer

#: Who changes the state of an account when no person does.
CLAWD: Final = "clawd"


class HardStop:
    """Watches the day and its loss.

    Args:
        writer: of the account.
        quotes: the market.
        timing: how long a mark may be silent.
        limit: what the account may lose in a UTC day, quote currency.
    """

    def __init__(self, writer: Writer, quotes: Quotes, timing: Timing, limit: Decimal) -> None:
        self._writer = writer
        self._quotes = quotes
        self._timing = timing
        self._limit = limit
        self._blind_since: int | None = None
        self._marked_at: int | None = None

    def marks(self) -> dict[str, Decimal] | None:
        """A mark for everything that is held; None where something never had one."""
        account = self._writer.account
        try:
            return self._quotes.marks(self._held(), account.marks)
        except KeyError:
            return None

    def blind(self) -> list[str]:
        """What is held and has no fresh mark."""
        return self._quotes.stale(self._held(), self._writer.clock.now(), self._timing.silence)

    def work(self) -> None:
        """Begin a day that has come, and look at the loss and at how old the marks are."""
        now = self._writer.clock.now()
        blind = self.blind()
        marks = self.marks()
        if marks is not None and not blind:
            self._begin_day(now, marks)
        self._look_for_blindness(now, blind)
        self.check()

    def check(self) -> None:
        """Stop everything when the day's loss has reached its limit. Costs the instruments, not the agents."""
        account = self._writer.account
        if account.flattening or account.day < 0 or not self._exposed():
            return
        if (marks := self.marks()) is None:
            return
        loss = account.day_loss(marks)
        if loss >= self._limit:
            self.stop("DAY_LOSS", f"the day's loss {loss.normalize():f} has reached its limit {self._limit}", marks)

    def stop(self, why: str, words: str, marks: Mapping[str, Decimal] | None) -> None:
        """Halt until the next day and close everything. A halt of a person's stays a person's."""
        writer, account = self._writer, self._writer.account
        if not (account.state is TradingState.HALTED and account.until_day is None):
            until = max(account.day, 0) + 1
            writer.enter(TradingStateChanged(state=TradingState.HALTED, by=CLAWD, why=why, until_day=until))
        if marks is not None:
            self._mark(marks)
        if not account.flattening:
            writer.enter(FlattenBegan(by=CLAWD, why=why))
        writer.alarm(f"halted, everything is being closed: {words}")

    def halt(self, by: str, why: str) -> None:
        """A person halts: nothing is entered until a person resumes."""
        self._change(TradingState.HALTED, by, why)

    def reduce(self, by: str, why: str) -> None:
        """A person lets positions only become smaller; on a day that is halted, from the next day on.

        Raises:
            ClawdError: while a person has it halted, which is more already.
        """
        account = self._writer.account
        if account.state is not TradingState.HALTED:
            self._change(TradingState.REDUCING, by, why)
        elif account.until_day is None:
            raise ClawdError("the account is halted, which allows less than reducing", hint="resume it first")
        elif account.standing is not TradingState.REDUCING:
            # Both facts are of one batch: the person's word stands, and the day stays halted.
            day, halted_why = account.until_day, account.state_why
            self._change(TradingState.REDUCING, by, why)
            halted = TradingStateChanged(state=TradingState.HALTED, by=CLAWD, why=halted_why, until_day=day)
            self._writer.enter(halted)

    def flatten(self, by: str, why: str) -> None:
        """A person has everything closed, and the account halted until a person resumes."""
        self.halt(by, why)
        if not self._writer.account.flattening:
            self._writer.enter(FlattenBegan(by=by, why=why))

    def resume(self, by: str) -> None:
        """A person lets the account trade again.

        Raises:
            ClawdError: while everything is being closed, and on the day whose limit was reached.
        """
        account = self._writer.account
        if account.flattening:
            raise ClawdError("everything is still being closed", hint="resume when the venue has said that it is flat")
        if account.until_day is not None and account.day < account.until_day:
            raise ClawdError(
                f"the account is halted until the next UTC day: {account.state_why}",
                hint="trading goes on by itself then",
            )
        marks = self.marks()
        if marks is not None and account.day >= 0 and account.day_loss(marks) >= self._limit:
            raise ClawdError("the day's loss has reached its limit", hint="resume on the next UTC day")
        self._change(TradingState.ACTIVE, by, "RESUMED")

    def _change(self, state: TradingState, by: str, why: str) -> None:
        account = self._writer.account
        if (account.state, account.until_day) != (state, None):
            self._writer.enter(TradingStateChanged(state=state, by=by, why=why, until_day=None))

    def _begin_day(self, now: int, marks: Mapping[str, Decimal]) -> None:
        account = self._writer.account
        day = min(utc_day(now), utc_day(account.venue_time))
        if day > account.day and account.venue_time > 0:
            self._writer.enter(
                DayBegan(
                    day=day,
                    equity=account.equity(marks),
                    agents={agent.id: agent.value(marks) for agent in account.agents.values()},
                    marks=dict(marks),
                )
            )
            self._marked_at = now
        elif self._marked_at is None or not 0 <= now - self._marked_at < self._timing.mark:
            self._mark(marks)
        over = account.until_day is not None and account.day >= account.until_day
        if account.state is TradingState.HALTED and over and not account.flattening:
            self._writer.enter(TradingStateChanged(state=account.standing, by=CLAWD, why="DAY_BEGAN"))

    def _mark(self, marks: Mapping[str, Decimal]) -> None:
        account = self._writer.account
        if account.day < 0:
            return
        now = self._writer.clock.now()
        self._marked_at = now
        self._writer.enter(
            AccountMarked(
                time=now,
                cash=account.totals.cash,
                equity=account.equity(marks),
                day_loss=account.day_loss(marks),
                reserved=account.reserved(marks),
                marks=dict(marks),
            )
        )

    def _look_for_blindness(self, now: int, blind: list[str]) -> None:
        if not blind:
            self._blind_since = None
        elif self._blind_since is None or now < self._blind_since:
            self._blind_since = now
            self._writer.alarm(f"no fresh price of {', '.join(blind)}, where positions are open: nothing is entered")
        elif now - self._blind_since >= self._timing.blind and not self._writer.account.flattening and self._exposed():
            self.stop("BLIND", f"{', '.join(blind)} had no price for too long", self.marks())

    def _held(self) -> list[str]:
        return [symbol for symbol, size in self._writer.account.totals.gross.items() if size]

    def _exposed(self) -> bool:
        totals = self._writer.account.totals
        return bool(totals.held_by_agents()) or totals.has_entries()
