"""The dealer: the only one that sends anything to a venue, and the only one that says what came of it.

It does everything by small steps and waits for nothing. Whoever runs it calls `quote` when the market has moved,
`receive` when the venue may have said something, and `work` now and then, ten times a second or so; agents' orders go
through `propose`. Each of them is one batch: facts into the journal, then requests to the venue.
"""

from __future__ import annotations

import heapq
from dataclasses import replace
from decimal import Decimal
from random import Random

from clawd.core.account_events import (
    PAUSED,
    AgentPaused,
    AgentUnpaused,
    AnomalyFound,
    CancelRequested,
    OrderRejected,
    OutcomeLost,
)
from clawd.core.clock import Clock
from clawd.core.event import Event
from clawd.core.events import OrderFilled, OrderSubmitted, VerdictGiven
from clawd.core.orders import Order, TimeInForce
from clawd.core.reports import (
    AccountReport,
    ConnectionReport,
    FillReport,
    OrderReport,
    Quote,
    Report,
    RequestFailed,
)
from clawd.execution.account import Account
from clawd.execution.admission import objection
from clawd.execution.breaker import Breaker
from clawd.execution.flattening import Flattening
from clawd.execution.groups import Groups
from clawd.execution.hard_stop import HardStop
from clawd.execution.intake import Intake
from clawd.execution.life_cycle import OrderState
from clawd.execution.quotes import Quotes
from clawd.execution.reconciliation import Reconciliation
from clawd.execution.timing import Timing
from clawd.execution.unknown import NO_ANSWER, Outcomes
from clawd.execution.verdicts import verdict_given
from clawd.execution.view import View
from clawd.execution.waiting import Approvals, Waiting
from clawd.execution.writer import JournalPort, Writer
from clawd.risk.gate import ApprovedOrder, approve
from clawd.risk.verdict import Code, Outcome, Verdict
from clawd.venues.venue import Cancel, Submit, Venue


class Dealer:
    """An account at a venue, from the decision of an agent to the verified end of its orders.

    Args:
        view: the account as the journal says, its markets and limits: what the gate is shown.
            :func:`~clawd.execution.recovery.recover` makes a dealer of a journal.
        journal: where facts are kept.
        venue: where the orders go.
        clock: the time.
        approvals: whom large orders wait for, None where none do.
        seed: of the jitter of what is asked again.
        timing: how long to wait for what.

    Attributes:
        writer: the account, its journal and the way to its venue, for whoever enters facts beside the dealer's.
        quotes: the market as it was last seen.
        breaker: of the venue.
        reconciliation: whether the books agree with the venue.
    """

    def __init__(
        self,
        view: View,
        journal: JournalPort,
        venue: Venue,
        clock: Clock,
        *,
        approvals: Approvals | None = None,
        seed: int = 0,
        timing: Timing | None = None,
    ) -> None:
        timing = timing or Timing()
        random = Random(seed)
        account = view.account
        self.writer = Writer(account, journal, venue, clock)
        self.quotes = Quotes(view.markets)
        self.breaker = Breaker()
        self.outcomes = Outcomes(self.writer, timing, random)
        self.intake = Intake(self.writer, self.outcomes, timing)
        self.reconciliation = Reconciliation(self.writer, self.intake, self.outcomes, self.quotes, timing)
        self.hard_stop = HardStop(self.writer, self.quotes, timing, view.limits.day_loss)
        self.flattening = Flattening(self.writer, self.propose, self.cancel, self.reconciliation.ask, timing, random)
        self.groups = Groups(self.writer, self.cancel, self.flattening.close)
        self.waiting = Waiting(self.writer, self.quotes, approvals, self._judge, self._send_held)
        self._view = view
        self._venue = venue
        self._clock = clock
        self._timing = timing
        self._after_cancel: dict[str, Order] = {}
        self._expiries: list[tuple[int, str]] = []
        for placed in account.working():
            self._watch_expiry(placed.order)
        self.writer.observers.append(self._entered)

    @property
    def account(self) -> Account:
        """What the journal says."""
        return self.writer.account

    @property
    def alarms(self) -> list[tuple[int, str]]:
        """What a person has to see, ``(UTC nanoseconds, text)``; whoever shows them takes them out."""
        return self.writer.alarms

    @property
    def ready(self) -> bool:
        """Whether entries may be asked for: the books agree, the way is open, a day is open and prices are known."""
        return (
            self.reconciliation.agreed
            and self.writer.queue.open
            and self.account.day >= 0
            and not self.hard_stop.blind()
        )

    def begin(self) -> None:
        """After a replay: find out what became of everything that was under way."""
        with self.writer.batch():
            self.outcomes.begin()
            self.groups.begin()
            self.reconciliation.begin()

    # What agents and exits ask for.

    def enter(self, event: Event) -> None:
        """Take a fact that others found into the account and the journal."""
        with self.writer.batch():
            self.writer.enter(event)

    def propose(self, order: Order, *, part: Decimal = Decimal(1), replaces: str | None = None) -> Verdict:
        """Put an order before the gate, and send what it approves.

        Args:
            order: what is asked for. An id that was sent before is refused, whatever became of it.
            part: of what is free of the day's budget, the share that this order may use.
            replaces: our id of a working order whose place it takes, at a venue that can do that.

        Returns:
            The verdict, which is in the journal.
        """
        with self.writer.batch():
            if order.id in self.account.held:
                verdict, approved = _refused(Code.DUPLICATE), None
            else:
                verdict, approved = self._approve(order, part, replaces)
            self._give(order, verdict)
            if approved is not None:
                if (until := self.waiting.reason(approved.order)) is not None:
                    self.waiting.hold(approved.order, until)
                else:
                    self._submit(approved, replaces)
        return verdict

    def cancel(self, order: str, why: str) -> bool:
        """Have an order taken off; whether there was anything to be done."""
        if order in self.account.held:
            with self.writer.batch():
                return self.waiting.drop(order, why)
        placed = self.account.orders.get(order)
        if placed is None or not placed.state.working or placed.cancel_why:
            return False
        with self.writer.batch():
            if not self._give_up(order):
                self.writer.enter(CancelRequested(order=order, why=why))
                self.writer.ask(Cancel(order, placed.order.symbol))
        return True

    def replace(self, order: str, by: Order) -> Verdict | None:
        """Have an order take another's place.

        Where the venue can, there is no moment between them. Elsewhere the old one is taken off, and the new one is
        proposed when the venue has said that it is off and nothing of it has filled: what protects a position must not
        be replaced like that.

        Returns:
            The verdict; None where the new order waits for the old one to be off.
        """
        placed = self.account.orders.get(order)
        if placed is None or not placed.state.working:
            return self.propose(by)
        if self._venue.capabilities.replace and placed.venue_order is not None:
            return self.propose(by, replaces=order)
        with self.writer.batch():
            self._after_cancel[order] = by
            self.cancel(order, "REPLACED")
        return None

    # What the world says.

    def quote(self, quote: Quote) -> None:
        """The market has moved."""
        if self.quotes.take(quote):
            with self.writer.batch():
                self._check_loss()
                self.waiting.quote(quote)

    def receive(self) -> int:
        """Take in what the venue has said; how many reports there were."""
        reports = self._venue.receive()
        if reports:
            with self.writer.batch():
                for report in reports:
                    self._take(report)
                    self.writer.settle()
                self.waiting.release()
                self._check_loss()
        return len(reports)

    def work(self) -> None:
        """Do what is due now."""
        with self.writer.batch():
            now = self._clock.now()
            for order in self.writer.queue.overdue_entries(now, self._timing.entry):
                self._give_up(order)
            self._expire(now)
            self.waiting.work()
            self.hard_stop.work()
            self.outcomes.work()
            self.reconciliation.work()
            self.writer.settle()
            self.flattening.work()

    def _check_loss(self) -> None:
        before = self.account.flattening
        self.hard_stop.check()
        if self.account.flattening and not before:
            self.writer.settle()
            self.flattening.work()

    def _take(self, report: Report) -> None:
        if report.venue != self._venue.name:
            self.writer.anomaly("OTHER_VENUE", f"a report of {report.venue} came from {self._venue.name}")
            return
        match report:
            case OrderReport():
                self.intake.order(report)
            case FillReport():
                self.intake.fill(report)
            case RequestFailed():
                if not report.refused:
                    self._failed()
                self.intake.failed(report)
            case AccountReport():
                self._view.venue.clock_skew = report.venue_time - report.time
                report = replace(report, venue_time=self.intake.moment(report.venue_time))
                self.reconciliation.take(report)
                self.flattening.reported(report)
            case ConnectionReport(connected=connected):
                self.writer.queue.open = connected
                if connected:  # what was decided before the way broke is decided anew
                    for order in self.writer.queue.orders():
                        self._give_up(order.id)
                    self.reconciliation.begin()
                else:
                    self._failed()
                    self.reconciliation.agreed = False
                    self.outcomes.connection_lost()

    def _failed(self) -> None:
        """Something that the venue, or the way to it, should not have done."""
        if self.breaker.failed(self._clock.now()):
            self.writer.alarm(f"{self._venue.name} fails too often: nothing is entered there for a while")

    # What people ask for.

    def halt(self, by: str, why: str = "PERSON") -> None:
        """Nothing is entered any more, and entries that work are taken off; exits live on. Ends with `resume` only."""
        with self.writer.batch():
            self.hard_stop.halt(by, why)
            self._cancel_entries("HALT")

    def reduce(self, by: str, why: str = "PERSON") -> None:
        """Positions only become smaller. Raises ClawdError while halted."""
        with self.writer.batch():
            self.hard_stop.reduce(by, why)
            self._cancel_entries("REDUCING")

    def flatten(self, by: str, why: str = "PERSON") -> None:
        """Everything is cancelled and closed until the venue says that it is; then the account stays halted."""
        with self.writer.batch():
            self.hard_stop.flatten(by, why)
            self.writer.settle()
            self.flattening.work()

    def resume(self, by: str) -> None:
        """The account may trade again.

        Raises:
            ClawdError: while everything is being closed, or on the day whose loss limit was reached.
        """
        with self.writer.batch():
            self.hard_stop.resume(by)

    def pause(self, agent: str, by: str, why: str, number: int) -> None:
        """An agent enters nothing any more, and its entries that work or wait are taken off; its exits live on.

        Args:
            agent: that is not paused yet.
            by, why: who said so and, possibly empty, their reason.
            number: of what they said, on the switchboard.
        """
        with self.writer.batch():
            self.writer.enter(AgentPaused(agent=agent, by=by, why=why, pause=number))
            self._cancel_entries(PAUSED, agent)

    def unpause(self, agent: str, by: str, why: str, number: int) -> None:
        """A paused agent may enter again. Arguments as of :meth:`pause`."""
        self.enter(AgentUnpaused(agent=agent, by=by, why=why, pause=number))

    # Steps.

    def _approve(
        self, order: Order, part: Decimal = Decimal(1), replaces: str | None = None
    ) -> tuple[Verdict, ApprovedOrder | None]:
        """What the gate says of an order now."""
        ready = order.reduces or self.ready
        code = objection(order, replaces, self.account, self._venue.capabilities, ready=ready)
        if code is not None:
            return _refused(code), None
        self._view.venue.connected = self.writer.queue.open and self.reconciliation.agreed
        self._view.venue.breaker_open = self.breaker.is_open(self._clock.now())
        return approve(order, self._view.snapshot(order, self._clock.now(), part, replaces), self._view.limits)

    def _judge(self, order: Order) -> Verdict:
        return self._approve(order)[0]

    def _send_held(self, order: Order) -> Verdict:
        """An order that was held is judged once more, and sent."""
        verdict, approved = self._approve(order)
        self._give(order, verdict)
        if approved is not None:
            self._submit(approved, None)
        return verdict

    def _give(self, order: Order, verdict: Verdict) -> None:
        self.writer.enter(verdict_given(order, verdict))

    def _submit(self, approved: ApprovedOrder, replaces: str | None) -> None:
        self.writer.enter(OrderSubmitted.of(approved.order, replaces))
        self.writer.ask(Submit(approved, replaces, self._reduces_net(approved.order)))
        self._watch_expiry(approved.order)

    def _reduces_net(self, order: Order) -> bool:
        """Whether the venue can see to it that an order only reduces: it makes the account's net position smaller."""
        net = self.account.totals.net.get(order.symbol, Decimal(0))
        able = self._venue.capabilities.reduce_only
        return able and order.reduces and net * order.size < 0 and abs(order.size) <= abs(net)

    def _never_sent(self, order: str) -> None:
        self.writer.enter(OrderRejected(order=order, code="NOT_SENT", venue_time=None))

    def _cancel_entries(self, why: str, agent: str | None = None) -> None:
        for placed in list(self.account.working()):
            if not placed.order.reduces and agent in (None, placed.order.agent):
                self.cancel(placed.order.id, why)
        self.waiting.drop_entries(why, agent)

    def _give_up(self, order: str) -> bool:
        """Give an order up that still waits to be sent; whether it did."""
        waits = self.writer.queue.withdraw(order)
        if waits:
            self._never_sent(order)
        return waits

    def _watch_expiry(self, order: Order) -> None:
        if order.expires is not None:
            heapq.heappush(self._expiries, (order.expires, order.id))

    def _expire(self, now: int) -> None:
        """Take off what should have ended by itself: a venue that knows the time in force has had time to do it."""
        knows = TimeInForce.GTD in self._venue.capabilities.times_in_force
        grace = self._timing.answer if knows else 0
        while self._expiries and self._expiries[0][0] + grace <= now:
            self.cancel(heapq.heappop(self._expiries)[1], "EXPIRED")

    def _entered(self, event: Event) -> None:
        """What waits for the end of another order is proposed now; what waits to close what is closed is not sent."""
        if isinstance(event, AnomalyFound) or (isinstance(event, OutcomeLost) and event.why == NO_ANSWER):
            self._failed()
        if isinstance(event, OrderFilled):
            for order in self.writer.queue.orders():
                size = self.account.agents[order.agent].size(order.symbol)
                if order.reduces and (size * order.size >= 0 or abs(order.size) > abs(size)):
                    self._give_up(order.id)
        name = getattr(event, "order", None)
        if name is None or name not in self._after_cancel or isinstance(event, VerdictGiven):
            return
        placed = self.account.orders[name]
        if placed.state.working:
            return
        by = self._after_cancel.pop(name)
        if placed.state is OrderState.CANCELLED and not placed.filled:
            self.propose(by)


def _refused(code: Code) -> Verdict:
    return Verdict(Outcome.REFUSE, code, Decimal(0), {})
