"""The exit manager at work: its facts go into the journal, and its orders before the gate and to the venue.

It sees every fact that is entered and answers within the same batch, so a fill and the exits that follow from it are
written down together or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import Final, Protocol

from clawd.core.account_events import (
    UNATTRIBUTED,
    CancelRefused,
    ExitsPlanned,
    OrderAccepted,
    OrderExpired,
    OrderMissing,
    OrderRejected,
    OutcomeLost,
    ProtectionChanged,
    ProtectionOverdue,
)
from clawd.core.clock import Clock
from clawd.core.event import Event
from clawd.core.events import OrderCancelled, OrderFilled
from clawd.core.instrument import Instrument
from clawd.core.orders import Order
from clawd.core.reports import Quote
from clawd.execution.account import Account
from clawd.execution.exit_manager import ExitManager, Naming, Requests, plain_id
from clawd.execution.watch import WatchLimits
from clawd.language.exits import Exits
from clawd.risk.verdict import Outcome, Verdict
from clawd.venues.venue import Capabilities

#: Positions are looked at again this often even while nothing happens to them, nanoseconds.
EVERY: Final = 2_000_000_000

#: What is entered when an order was taken back before it was sent: the venue has not refused it.
NOT_SENT: Final = "NOT_SENT"


class Writing(Protocol):
    """Enters facts in batches, and shows each to its observers within the batch."""

    @property
    def account(self) -> Account: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def observers(self) -> list[Callable[[Event], None]]: ...

    def batch(self) -> AbstractContextManager[None]: ...

    def enter(self, event: Event) -> None: ...

    def alarm(self, text: str) -> None: ...


class Dealing(Protocol):
    """Puts orders before the gate, and sends what it approves."""

    @property
    def writer(self) -> Writing: ...

    def propose(self, order: Order, *, part: Decimal = ..., replaces: str | None = None) -> Verdict: ...

    def cancel(self, order: str, why: str) -> bool: ...


class ExitDesk:
    """Keeps the exits of an account right, through a dealer.

    Args:
        dealer: of the account.
        instruments: by symbol.
        capabilities: of the venue.
        limits: of the watch.
        naming: our ids of orders, as for :class:`ExitManager`.

    Attributes:
        manager: what decides.
        quotes: the last of each instrument.
    """

    def __init__(
        self,
        dealer: Dealing,
        instruments: Mapping[str, Instrument],
        capabilities: Capabilities,
        limits: WatchLimits | None = None,
        naming: Naming = plain_id,
    ) -> None:
        self._dealer = dealer
        self._writer = dealer.writer
        self.manager = ExitManager(
            self._writer.account, instruments, capabilities, limits or WatchLimits(), naming=naming
        )
        self.quotes: dict[str, Quote] = {}
        self._looked_at: int | None = None
        self._writer.observers.append(self._entered)

    def begin(self) -> None:
        """After a replay: exits are bound to their positions again, before the venue has said anything."""
        with self._writer.batch():
            for fact in self.manager.reattached():
                self._writer.enter(fact)

    def enter_position(
        self, order: Order, exits: Exits, distances: Sequence[float], bar: int, *, part: Decimal = Decimal(1)
    ) -> Verdict:
        """Put an entry before the gate, its exits written down with it.

        Args:
            order: that opens or enlarges a position.
            exits: of the strategy.
            distances: of the decision, by place in :data:`~clawd.engine.plan.PLAN`.
            bar: duration of the bars that move the exits, nanoseconds.
            part: as in the dealer's ``propose``.
        """
        plan = ExitsPlanned(
            order=order.id,
            agent=order.agent,
            symbol=order.symbol,
            exits=exits.to_json(),
            distances=[float(distance) for distance in distances],
            bar=bar,
        )
        with self._writer.batch():
            self._writer.enter(plan)
            return self._dealer.propose(order, part=part)

    def quote(self, quote: Quote) -> None:
        """The market has moved: what is watched here may have to act."""
        last = self.quotes.get(quote.symbol)
        if not 0 < quote.bid <= quote.ask or (last is not None and quote.venue_time < last.venue_time):
            return
        self.quotes[quote.symbol] = quote
        with self._writer.batch():
            self._ask(self.manager.on_quote(quote, self._writer.clock.now()))

    def bar(
        self,
        symbol: str,
        bar: int,
        time: int,
        high: float,
        low: float,
        close: float,
        traded: bool,
        ranges: Mapping[int, float],
    ) -> None:
        """A bar has closed: levels move, time runs. Arguments as for :meth:`ExitManager.after_bar`."""
        with self._writer.batch():
            for fact in self.manager.after_bar(symbol, bar, time, high, low, close, traded, ranges):
                self._writer.enter(fact)
            self._ask(self.manager.on_time(self._writer.clock.now()))

    def work(self) -> None:
        """Look whether any position is naked, and now and then whether every exit is where it belongs."""
        now, account = self._writer.clock.now(), self._writer.account
        with self._writer.batch():
            facts, requests = self.manager.on_naked(self.quotes, now)
            for fact in facts:
                self._writer.enter(fact)
                if isinstance(fact, ProtectionOverdue):
                    self._writer.alarm(f"{fact.symbol} of {fact.agent} was naked for {fact.seconds:g} s, and is closed")
            self._ask(requests)
            # A clock that was set back is not waited for.
            if self._looked_at is None or not 0 <= now - self._looked_at < EVERY:
                self._looked_at = now
                self._ask(self.manager.on_time(now))
                for agent in list(account.agents.values()):
                    for symbol in {*agent.holdings, *agent.orders}:
                        self._keep(agent.id, symbol)

    def _entered(self, event: Event) -> None:
        """Answer a fact."""
        manager, now = self.manager, self._writer.clock.now()
        match event:
            case OrderFilled():
                for fact in manager.after_fill(event):
                    self._writer.enter(fact)
            case OrderAccepted():
                manager.refusals.forget(manager.account.orders[event.order].order)
            case OrderRejected(code=code):
                if code != NOT_SENT:
                    manager.refusals.note(manager.account.orders[event.order].order, now)
            case CancelRefused():
                manager.refusals.note_cancel(event.order, now)
            case ProtectionChanged():
                self._keep(event.agent, event.symbol)
                return
            case OrderCancelled() | OrderExpired() | OrderMissing() | OutcomeLost():
                pass
            case _:
                return
        order = manager.account.orders[event.order].order
        self._keep(order.agent, order.symbol)

    def _keep(self, agent: str, symbol: str) -> None:
        if agent != UNATTRIBUTED:
            self._ask(self.manager.keep(agent, symbol, self.quotes, self._writer.clock.now()))

    def _ask(self, requests: Requests) -> None:
        for order, why in requests.cancel:
            self._dealer.cancel(order, why)
        for asked in requests.submit:
            verdict = self._dealer.propose(asked.order, replaces=asked.replaces)
            if verdict.outcome is Outcome.REFUSE:
                self.manager.refusals.note(asked.order, self._writer.clock.now())
                self._writer.alarm(
                    f"an exit of {asked.order.agent} in {asked.order.symbol} was refused: {verdict.code}"
                )
