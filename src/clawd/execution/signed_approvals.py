"""Large orders wait for signatures: the desk of approvals, as the dealer asks it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from clawd.core.errors import ClawdError
from clawd.core.orders import Order
from clawd.execution.view import View
from clawd.execution.waiting import Consent
from clawd.risk.approvals import Mark, State, needs_approval
from clawd.store.approval_desk import ApprovalDesk

#: Signatures are looked for this often, nanoseconds.
_EVERY: Final = 1_000_000_000


class SignedApprovals:
    """Asks a desk of approvals, at the prices and with the equity of this moment. In doubt an order waits.

    Args:
        desk: of the home.
        view: the account and its markets.
    """

    def __init__(self, desk: ApprovalDesk, view: View) -> None:
        self._desk = desk
        self._view = view
        self._requests: dict[str, str] = {}
        self._asked: dict[str, tuple[int, Consent]] = {}

    def reasons(self, order: Order) -> Sequence[str]:
        """Why an order has to wait; nothing where it has not."""
        market = self._view.markets.get(order.symbol)
        try:
            policy = self._desk.policy()
        except ClawdError as error:
            return (f"what approvals it needs cannot be told: {error}",)
        price, volume = (None, None) if market is None else (market.price, market.day_volume)
        return needs_approval(order, price, self._equity(), volume, policy)

    def consent(self, order: Order, now: int) -> Consent:
        """Where an order stands. The first time this asks for approvals."""
        asked_at, before = self._asked.get(order.id, (now - _EVERY, Consent.WAITING))
        if 0 <= now - asked_at < _EVERY:
            return before
        consent = self._consent(order, now)
        self._asked[order.id] = (now, consent)
        return consent

    def use(self, order: Order, now: int) -> bool:
        """Use the approval up, for exactly this order; whether it was there to be used."""
        self._asked.pop(order.id, None)
        request = self._requests.pop(order.id, None)
        if request is None:
            return False
        try:
            self._desk.use(request, order, now, self._mark(order.symbol))
        except ClawdError:
            return False
        return True

    def _consent(self, order: Order, now: int) -> Consent:
        mark = self._mark(order.symbol)
        try:
            if order.id not in self._requests:
                if mark is None:
                    return Consent.WAITING
                reasons = self.reasons(order) or ("it was above a limit when it was decided",)
                self._requests[order.id] = self._desk.request(order, reasons, mark.price, now)
            if mark is not None:
                self._desk.note_mark(self._requests[order.id], mark)
        except ClawdError:
            return Consent.WAITING
        standing = self._desk.state(self._requests[order.id], now, mark)
        if standing.state is State.GRANTED:
            return Consent.GIVEN
        return Consent.REFUSED if standing.state.final else Consent.WAITING

    def _mark(self, symbol: str) -> Mark | None:
        market = self._view.markets.get(symbol)
        if market is None or market.price is None or market.price_time is None:
            return None
        return Mark(market.price, market.price_time)

    def _equity(self) -> Decimal | None:
        try:
            return self._view.account.equity(self._view.marks())
        except KeyError:
            return None
