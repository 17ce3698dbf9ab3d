"""Closing everything, until the venue says that it is closed."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from random import Random

from clawd.core.account_events import UNATTRIBUTED, FlatVerified, TradingState
from clawd.core.orders import Order, OrderKind, OrderType
from clawd.core.reason import Reason
from clawd.core.reports import AccountReport
from clawd.execution.life_cycle import OrderState, PlacedOrder
from clawd.execution.order_ids import client_id, is_ours
from clawd.execution.timing import Timing
from clawd.execution.writer import Writer
from clawd.risk.verdict import Outcome, Verdict

#: After so many attempts to close a position it is said out loud, every time.
_QUIET_ATTEMPTS = 2


class Flattening:
    """Takes entries off, closes every position of an agent with a market order, and then asks the venue.

    Exits stay until the position that they protect is closed. An order whose outcome is not known is waited for: a
    second one in its place could turn the position.

    Args:
        writer: of the account.
        propose: puts an order before the gate and sends it.
        cancel: takes an order off.
        ask: asks the venue for a report on the account.
    """

    def __init__(
        self,
        writer: Writer,
        propose: Callable[[Order], Verdict],
        cancel: Callable[[str, str], bool],
        ask: Callable[[], None],
        timing: Timing,
        random: Random,
    ) -> None:
        self._writer = writer
        self._propose = propose
        self._cancel = cancel
        self._ask = ask
        self._timing = timing
        self._random = random
        self._attempts: dict[tuple[str, str], tuple[int, int]] = {}
        self._asked: tuple[int, int] | None = None

    def work(self) -> None:
        """One more step, where there is one to be taken now."""
        account = self._writer.account
        if not account.flattening:
            if account.state is TradingState.ACTIVE:
                self._attempts.clear()
            else:
                self.take_off_entries(account.state.value.upper())
            self._asked = None
            return
        self.take_off_entries("FLATTEN")
        for placed in list(account.working()):
            order, book = placed.order, account.agents[placed.order.agent]
            waits_for_a_price = order.kind is OrderKind.CLOSING and order.type is not OrderType.MARKET
            if order.reduces and (waits_for_a_price or not book.size(order.symbol)):
                self._take_off(placed, "FLATTEN")
        for held in list(account.held.values()):
            if not held.order.reduces:  # an exit that is watched here stays with its position as well
                self._cancel(held.order.id, "FLATTEN")
        for agent in list(account.agents.values()):
            if agent.id != UNATTRIBUTED:
                for symbol, holding in list(agent.holdings.items()):
                    self.close(agent.id, symbol, holding.size, Reason.HALT)
        if self._closed():
            self._ask_whether_flat()

    def take_off_entries(self, why: str) -> None:
        """Take off every entry that works; one whose cancellation is refused is tried again, at growing intervals."""
        if self._writer.account.totals.has_entries():
            for placed in list(self._writer.account.working()):
                if not placed.order.reduces:
                    self._take_off(placed, why)

    def close(self, agent: str, symbol: str, size: Decimal, reason: Reason) -> None:
        """Close a position at the market, where it is not being closed already and it is time to try."""
        writer = self._writer
        account, now = writer.account, writer.clock.now()
        placed = (each.order for each in account.working_of(agent, symbol))
        working = [*account.leaving(agent, symbol), *placed]
        if any(order.kind is OrderKind.CLOSING and order.size * size < 0 for order in working):
            return
        attempts = self._attempt((agent, symbol), now)
        if attempts is None:
            return
        number = 0
        while (name := self._name(agent, symbol, now, number)) in account.orders:
            number += 1
        if attempts >= _QUIET_ATTEMPTS:
            writer.alarm(f"{size} {symbol} of {agent} would not close, attempt {attempts + 1}")
        verdict = self._propose(Order(name, agent, symbol, OrderKind.CLOSING, -size, reason))
        if verdict.outcome is Outcome.REFUSE:
            writer.alarm(f"{size} {symbol} of {agent} cannot be closed: {verdict.code}")

    def _take_off(self, placed: PlacedOrder, why: str) -> None:
        if not placed.cancel_why and self._attempt((placed.order.id, ""), self._writer.clock.now()) is not None:
            self._cancel(placed.order.id, why)

    def _attempt(self, key: tuple[str, str], now: int) -> int | None:
        """How often something has been tried before, where it may be tried now; None where it is too early."""
        attempts, due = self._attempts.get(key, (0, 0))
        if now < due <= now + self._timing.longest_query:  # a clock that was set back is not waited for
            return None
        wait = self._timing.backoff(attempts, self._random.random(), self._timing.close)
        self._attempts[key] = (attempts + 1, now + wait)
        return attempts

    def reported(self, report: AccountReport) -> None:
        """A report on the account came: whether it says that everything of ours is closed."""
        account = self._writer.account
        if not account.flattening or not self._closed() or report.venue_time < account.venue_time:
            return
        book, ours_are = account.agents.get(UNATTRIBUTED), account.start.symbols
        left = {symbol: holding.size for symbol, holding in book.holdings.items()} if book else {}
        there = {symbol: size for symbol, size in report.positions.items() if size and symbol in ours_are}
        ours = [order for order in report.orders if self._is_ours(order.order)]
        if there != left or ours:
            self._writer.alarm(f"the venue says it is not flat: {there or 'no positions'}, {len(ours)} orders of ours")
            return
        self._writer.enter(FlatVerified(venue_time=report.venue_time))
        if left:
            self._writer.alarm(f"flat, but for what is not ours: {left}")

    def _closed(self) -> bool:
        account = self._writer.account
        return not account.totals.held_by_agents() and not any(
            placed.state is not OrderState.FILLED for placed in account.working()
        )

    def _ask_whether_flat(self) -> None:
        now = self._writer.clock.now()
        attempt, due = self._asked or (0, 0)
        if now >= due or due - now > self._timing.longest_query:
            self._asked = (attempt + 1, now + self._timing.backoff(attempt, self._random.random(), self._timing.close))
            self._ask()

    def _is_ours(self, order: str | None) -> bool:
        account = self._writer.account
        return order is not None and (order in account.orders or is_ours(order, account.start.account))

    def _name(self, agent: str, symbol: str, now: int, number: int) -> str:
        return client_id(self._writer.account.start.account, agent, symbol, now, OrderKind.CLOSING, number)
