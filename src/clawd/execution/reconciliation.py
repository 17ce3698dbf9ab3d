"""Our books against what a venue says of the whole account: the way to start, and a watch that never ends.

Fills that were missed are booked by their trade ids, each once; orders are resolved or asked about; what is not ours is
adopted, and left alone. A difference that no trade explains is booked to the unattributed when it stands in two
reports, and nobody enters that instrument until a person has decided. What has been booked is no difference any more,
so doing all of it again enters nothing.
"""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import Final

from clawd.core.account_events import (
    AccountReconciled,
    DifferenceBooked,
    EntriesBlocked,
    EntriesUnblocked,
    TradeAdopted,
)
from clawd.core.event import Event
from clawd.core.events import OrderFilled
from clawd.core.money import cash_of_fill
from clawd.core.reports import AccountReport
from clawd.execution.account import Block
from clawd.execution.intake import Intake
from clawd.execution.life_cycle import OrderState
from clawd.execution.quotes import Quotes
from clawd.execution.timing import Timing
from clawd.execution.unknown import Outcomes
from clawd.execution.writer import Writer
from clawd.venues.venue import Cancel, ReportAccount

#: Why entries are blocked while a difference has been seen once.
DIFFERENCE: Final = "DIFFERENCE"

_ZERO: Final = Decimal(0)
_RECENT_FILLS: Final = 20_000
_THERE: Final = (OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED, OrderState.PENDING_CANCEL)


class Reconciliation:
    """Compares the account with the venue's, again and again.

    Attributes:
        agreed: whether the last report left nothing open, since the way to the venue was opened.
    """

    def __init__(self, writer: Writer, intake: Intake, outcomes: Outcomes, quotes: Quotes, timing: Timing) -> None:
        self.agreed = False
        self._writer = writer
        self._intake = intake
        self._outcomes = outcomes
        self._quotes = quotes
        self._timing = timing
        self._seen: dict[str | None, Decimal] = {}
        self._dead: set[str] = set()
        self._symbols = frozenset(writer.account.start.symbols)
        self._reported = 0
        self._asked_at: int | None = None
        self._noted_at: int | None = None
        self._fills: deque[tuple[int, str, str, Decimal, Decimal]] = deque(maxlen=_RECENT_FILLS)
        writer.observers.append(self._entered)

    def begin(self) -> None:
        """The way to the venue was opened: nothing is entered before the books agree."""
        self.agreed, self._noted_at, self._asked_at = False, None, None
        self.ask()

    def ask(self) -> None:
        """Ask the venue for everything."""
        self._asked_at = self._writer.clock.now()
        self._writer.ask(ReportAccount(self._intake.since()))

    def work(self) -> None:
        """Ask when it is time to."""
        now = self._writer.clock.now()
        every = self._timing.reconcile
        if not self.agreed or self._seen or self._intake.overdue():
            every = min(every, self._timing.answer)
        if self._asked_at is None or not 0 <= now - self._asked_at < every:
            self.ask()

    def take(self, report: AccountReport) -> None:
        """The venue said everything about the account."""
        for fill in report.fills:
            self._intake.fill(fill)
            self._writer.settle()  # what a fill has led to is judged before the next one is booked
        for order in report.orders:
            self._intake.order(order)
        if report.venue_time <= self._reported:
            return  # later ones have been looked at
        self._reported = report.venue_time
        self._intake.give_up_trades(report.venue_time)
        self._doubt(report)
        self._compare(report)

    def _doubt(self, report: AccountReport) -> None:
        """Orders of ours that should work and are not among the venue's are asked about."""
        named = {order.order for order in report.orders} | {order.venue_order for order in report.orders}
        for placed in list(self._writer.account.working()):
            if placed.state in _THERE and placed.order.id not in named and (placed.venue_order or "") not in named:
                self._outcomes.doubt(placed)
        self._take_off_the_dead(report)

    def _take_off_the_dead(self, report: AccountReport) -> None:
        """Orders of ours that have ended, and that two reports say are working: they are taken off."""
        orders = self._writer.account.orders
        dead = {
            order.order for order in report.orders if order.order in orders and not orders[order.order].state.working
        }
        for name in dead & self._dead:
            placed = orders[name]
            self._writer.anomaly("ENDED_ORDER_WORKS", f"it is {placed.state}", order=name, symbol=placed.order.symbol)
            self._writer.ask(Cancel(name, placed.order.symbol))
        self._dead = dead

    def _compare(self, report: AccountReport) -> None:
        sizes, cash = self._as_of(report)
        for symbol in report.positions.keys() - self._symbols:
            self._writer.anomaly("OTHER_INSTRUMENT", f"the venue's account holds {symbol}, which is not traded here")
        symbols = sizes.keys() | (report.positions.keys() & self._symbols)
        differences: dict[str | None, Decimal] = {
            symbol: report.positions.get(symbol, _ZERO) - sizes.get(symbol, _ZERO) for symbol in sorted(symbols)
        }
        differences[None] = report.cash - cash
        faulty = [place for place, size in differences.items() if not size.is_finite()]
        if faulty:
            self._writer.anomaly("ACCOUNT_REPORT_WRONG", f"figures of {faulty} are no numbers")
            self.agreed = False
            return
        differences = {place: size for place, size in differences.items() if size}
        for symbol in [place for place in self._seen if place is not None and place not in differences]:
            self._unblock(symbol)
        left: dict[str | None, Decimal] = {}
        for place, size in differences.items():
            settled = not self._outcomes.unresolved(place) and not self._intake.waits_for_trades(place)
            if self._seen.get(place) == size and settled:
                self._book(place, size)
            else:
                left[place] = size
                if place is not None and not self._blocked(place):
                    self._writer.enter(EntriesBlocked(symbol=place, agent=None, why=DIFFERENCE))
                    self._writer.alarm(f"the venue has {size} {place} more than the books")
        self._seen = left
        self.agreed = not left
        now = self._writer.clock.now()
        due = self._noted_at is None or not 0 <= now - self._noted_at < self._timing.reconciled
        if self.agreed and due and not self._intake.waits_for_trades():
            self._noted_at = now
            self._writer.enter(
                AccountReconciled(
                    venue_time=report.venue_time, orders=len(report.orders), positions=len(report.positions)
                )
            )

    def _as_of(self, report: AccountReport) -> tuple[dict[str, Decimal], Decimal]:
        """Our sizes and our cash as they were at the venue's time of a report: without what traded after it."""
        account = self._writer.account
        sizes, cash = account.sizes(), account.totals.cash
        told = {fill.trade for fill in report.fills}
        for venue_time, trade, symbol, size, flow in self._fills:
            if venue_time >= report.venue_time and trade not in told:
                sizes[symbol] = sizes.get(symbol, _ZERO) - size
                cash -= flow
        return sizes, cash

    def _book(self, symbol: str | None, size: Decimal) -> None:
        if symbol is None:
            self._writer.enter(DifferenceBooked(symbol=None, size=_ZERO, cash=size, why="CASH"))
            self._writer.alarm(f"the venue has {size} more cash than the books, and no trade explains it")
            return
        mark = self._quotes.mark(symbol) or self._writer.account.marks.get(symbol, _ZERO)
        self._writer.enter(DifferenceBooked(symbol=symbol, size=size, cash=_ZERO, why="POSITION", value=size * mark))
        self._writer.alarm(f"the venue has {size} {symbol} more than the books, and no trade explains it")
        self._intake.block(symbol)
        self._unblock(symbol)

    def _blocked(self, symbol: str) -> bool:
        return Block(symbol, None, DIFFERENCE) in self._writer.account.blocks

    def _unblock(self, symbol: str) -> None:
        if self._blocked(symbol):
            self._writer.enter(EntriesUnblocked(symbol=symbol, agent=None, why=DIFFERENCE))

    def _entered(self, event: Event) -> None:
        if isinstance(event, OrderFilled) and event.trade is not None:
            trade, when = event.trade, event.time
        elif isinstance(event, TradeAdopted):
            trade, when = event.trade.removesuffix("/excess"), event.venue_time
        else:
            return
        flow = cash_of_fill(event.size, event.price) - event.fee
        self._fills.append((when, trade, event.symbol, event.size, flow))
