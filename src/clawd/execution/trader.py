"""An account that trades: the dealer, what the gate is shown, and the exits of every position, kept together.

Whoever runs it tells it of quotes and bars, lets it hear the venue, and gives it the time now and then; agents ask for
positions. Whatever happens to a position or to its orders, its exits are brought right in the same batch of facts.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, Final

from clawd.core.account_events import (
    UNATTRIBUTED,
    AdoptionDecided,
    CancelRefused,
    ExitsPlanned,
    OrderAccepted,
    OrderRejected,
    ProtectionChanged,
    ProtectionOverdue,
    TradingState,
)
from clawd.core.clock import Clock
from clawd.core.errors import ClawdError
from clawd.core.event import Event
from clawd.core.events import OrderFilled, OrderHeld
from clawd.core.orders import Order, OrderKind
from clawd.core.reports import Quote
from clawd.execution.account import Account
from clawd.execution.exit_manager import ExitManager, Requests
from clawd.execution.order_ids import client_id
from clawd.execution.recovery import Journal, recover
from clawd.execution.timing import Timing
from clawd.execution.view import MarketNow, View
from clawd.execution.waiting import Approvals
from clawd.execution.watch import WatchLimits
from clawd.risk.gate import Outcome, Verdict
from clawd.risk.limits import Limits
from clawd.store.switchboard import Command, Decision, Pause, Switch
from clawd.venues.venue import Venue

#: Nanoseconds between two looks at all positions: whether one is naked, and whether one's time is over.
LOOK_EVERY: Final = 1_000_000_000


class Trader:
    """An account at a venue, from the journal that it goes on from.

    Args:
        journal: of the account, open for writing.
        venue: where its orders are.
        limits: that the gate holds.
        markets: what is known of each instrument, by symbol.
        clock: the time.
        seed, timing: of the dealer.
        watch: how long a position may be without protection.
        account, after, approvals: as of :func:`~clawd.execution.recovery.recover`.

    Attributes:
        dealer: the only one that sends anything.
        exits: of the positions.

    Raises:
        ClawdError: when the journal cannot be replayed.
    """

    def __init__(
        self,
        journal: Journal,
        venue: Venue,
        limits: Limits,
        markets: Mapping[str, MarketNow],
        clock: Clock,
        *,
        seed: int = 0,
        timing: Timing | None = None,
        watch: WatchLimits | None = None,
        account: Account | None = None,
        after: int = 0,
        approvals: Callable[[View], Approvals] | None = None,
    ) -> None:
        self._markets = markets
        self._clock = clock
        self._looked_at: int | None = None
        self._flattened_for = 0
        self._touched: dict[tuple[str, str], None] = {}
        self.dealer = recover(
            journal,
            venue,
            markets,
            limits,
            clock,
            approvals=approvals,
            seed=seed,
            timing=timing,
            account=account,
            after=after,
        )
        instruments = {symbol: market.instrument for symbol, market in markets.items()}
        self.exits = ExitManager(
            self.account,
            instruments,
            venue.capabilities,
            watch or WatchLimits(),
            naming=partial(client_id, self.account.start.account),
        )
        self._writer = self.dealer.writer
        self._writer.observers.append(self._entered)
        with self._writer.batch():
            for fact in self.exits.reattached():
                self._writer.enter(fact)
            for agent in self.account.agents.values():
                for symbol in (*agent.holdings, *agent.orders):
                    self._touched[agent.id, symbol] = None
            self._keep()

    @property
    def account(self) -> Account:
        """What the journal says."""
        return self.dealer.account

    # What agents ask for.

    def enter(
        self,
        order: Order,
        exits: Mapping[str, Any] | None,
        distances: list[float],
        bar: int,
        part: Decimal = Decimal(1),
    ) -> Verdict:
        """Ask for a position with its exits; both are in the journal before anything is sent.

        Args:
            order: that opens or enlarges it.
            exits: of the strategy, as JSON; None for a plain stop at the order's distance.
            distances: of the decision, as :class:`~clawd.core.account_events.ExitsPlanned` has them.
            bar: duration of the bars that move the exits, nanoseconds.
            part: of what is free of the day's budget, the share that this order may use.
        """
        with self._writer.batch():
            if exits is not None and order.id not in self.account.plans:
                self._writer.enter(
                    ExitsPlanned(
                        order=order.id,
                        agent=order.agent,
                        symbol=order.symbol,
                        exits=dict(exits),
                        distances=distances,
                        bar=bar,
                    )
                )
            verdict = self.dealer.propose(order, part=part)
            self._settle()
        return verdict

    def leave(self, order: Order) -> Verdict:
        """Ask for a position to be made smaller or closed.

        At a venue that does not know reduce-only the order waits, in the journal, until the venue has said of each exit
        of the position that it is off: two of them could both fill.
        """
        with self._writer.batch():
            verdict = self.dealer.propose(order)
            self._settle()
        return verdict

    # What the world says.

    def quote(self, quote: Quote) -> None:
        """The market has moved: the day's loss, and the exits that are watched here, are looked at."""
        with self._writer.batch():
            self.dealer.quote(quote)
            market = self._markets.get(quote.symbol)
            if market is not None and market.quote is quote:
                self._carry_out(self.exits.on_quote(quote, self._clock.now()))
            self._settle()

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
        """A bar has closed: exits move. Arguments as of :meth:`ExitManager.after_bar`."""
        with self._writer.batch():
            for fact in self.exits.after_bar(symbol, bar, time, high, low, close, traded, ranges):
                self._writer.enter(fact)
            self._settle()

    def receive(self) -> int:
        """Take in what the venue has said; how many reports there were."""
        with self._writer.batch():
            count = self.dealer.receive()
            self._settle()
        return count

    def work(self) -> None:
        """Do what is due now; ten times a second or so."""
        with self._writer.batch():
            self.dealer.work()
            now = self._clock.now()
            if self._looked_at is None or not 0 <= now - self._looked_at < LOOK_EVERY:
                self._looked_at = now
                self._look(now)
            self._settle()

    def obey(self, command: Command) -> bool:
        """Bring the account to what a person has ordered; whether it is there.

        To be asked again and again: an order holds until another is given, whatever happens in between. What only the
        day's limit has stopped is stopped until the next day, whoever resumes.
        """
        account, by, why = self.account, command.by, command.why
        by_person = account.state is not TradingState.ACTIVE and account.until_day is None
        match command.switch:
            case Switch.RESUME:
                if by_person and not account.flattening:
                    # On a day that has lost its limit it waits for the next, and the trader goes on meanwhile.
                    with contextlib.suppress(ClawdError):
                        self.dealer.resume(by)
                return not by_person or account.state is TradingState.ACTIVE
            case Switch.REDUCE:
                if account.standing is TradingState.ACTIVE:
                    self.dealer.reduce(by, why)
            case Switch.HALT:
                if not (account.state is TradingState.HALTED and by_person):
                    self.dealer.halt(by, why)
            case Switch.FLATTEN:
                # After a restart it is begun again: it ends with a word of the venue, and that is asked for anew.
                # What the day's limit is closing already is a person's halt from now on: no new day ends that.
                if self._flattened_for != command.number:
                    self.dealer.flatten(by, why)
                self._flattened_for = command.number
                return not account.flattening
        return True

    def heed(self, pauses: Mapping[str, Pause]) -> None:
        """Pause and unpause agents as people have said last. To be asked again and again: it holds until unsaid.

        Args:
            pauses: the last word on each agent on which there is one.
        """
        for name, pause in pauses.items():
            if self.account.agents[name].paused is not pause.paused:
                change = self.dealer.pause if pause.paused else self.dealer.unpause
                with self._writer.batch():
                    change(name, pause.by, pause.why, pause.number)
                    self._settle()

    def adopt(self, decision: Decision) -> None:
        """A person has decided about what is unattributed in an instrument; once is enough."""
        if decision.number > self.account.decided:
            self.dealer.enter(AdoptionDecided(symbol=decision.symbol, by=decision.by, decision=decision.number))

    # Steps.

    def _look(self, now: int) -> None:
        """Look at every position: is it protected, is its time over, does the venue hold what it needs."""
        facts, requests = self.exits.on_naked(self._quotes(), now)
        for fact in facts:
            self._writer.enter(fact)
            if isinstance(fact, ProtectionOverdue):
                self._writer.alarm(f"nothing protects {fact.agent} in {fact.symbol}: the position is closed")
        self._carry_out(requests)
        self._carry_out(self.exits.on_time(now))
        for agent in self.account.agents.values():
            if agent.id != UNATTRIBUTED:
                for symbol in agent.holdings:
                    self._touched[agent.id, symbol] = None

    def _entered(self, event: Event) -> None:
        """Exits follow each fact about a position or its orders."""
        if isinstance(event, OrderFilled):
            for fact in self.exits.after_fill(event):
                self._writer.enter(fact)
            self._touched[event.agent, event.symbol] = None
            return
        if isinstance(event, ProtectionChanged):
            self._touched[event.agent, event.symbol] = None
            return
        if isinstance(event, OrderHeld):
            self._touched[event.agent, event.symbol] = None
            return
        name = getattr(event, "order", None)
        placed = self.account.orders.get(name) if name is not None else None
        if placed is None:
            return
        order, now = placed.order, self._clock.now()
        if order.kind is not OrderKind.OPENING:
            match event:
                case OrderRejected():
                    self.exits.refusals.note(order, now)
                case OrderAccepted():
                    self.exits.refusals.forget(order)
                case CancelRefused():
                    self.exits.refusals.note_cancel(order.id, now)
        self._touched[order.agent, order.symbol] = None

    def _settle(self) -> None:
        """Let everything that was entered be seen, and bring the exits right, until nothing is left to do."""
        self._writer.settle()
        while self._touched:
            self._keep()
            self._writer.settle()

    def _keep(self) -> None:
        touched, self._touched = self._touched, {}
        now, quotes = self._clock.now(), self._quotes()
        for agent, symbol in touched:
            leaving = bool(self.account.leaving(agent, symbol))
            self._carry_out(self.exits.keep(agent, symbol, quotes, now, leaving))

    def _carry_out(self, requests: Requests) -> None:
        for order, why in requests.cancel:
            self.dealer.cancel(order, why)
        for asked in requests.submit:
            verdict = self.dealer.propose(asked.order, replaces=asked.replaces)
            if verdict.outcome is Outcome.REFUSE:
                self.exits.refusals.note(asked.order, self._clock.now())
                self._writer.alarm(
                    f"an exit of {asked.order.agent} in {asked.order.symbol} was refused: {verdict.code}"
                )

    def _quotes(self) -> dict[str, Quote]:
        """The last quote of each instrument that had one."""
        return {symbol: market.quote for symbol, market in self._markets.items() if market.quote is not None}
