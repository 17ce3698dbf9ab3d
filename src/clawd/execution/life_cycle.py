"""The life of an order, as one table: what may happen to it in which state, and what it is then.

The unpleasant ones are in it as well: a fill after a cancellation, a fill before the acknowledgement, a rejection after
a part has filled, an order that turns up after it was thought never to have arrived. What is not in the table does not
change the order; it is an anomaly, and is entered as one.

States and triggers follow NautilusTrader's order state machine (docs/concepts/orders, LGPL-3; read, not copied), with
two differences: an order whose outcome is not known is UNKNOWN until the venue answers, never resolved by a timeout;
and a part that has filled is a figure of the order, not another set of states while it is being cancelled.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Final

from clawd.core.orders import Order


class OrderState(StrEnum):
    """Where an order stands."""

    SUBMITTED = "submitted"  # written down and sent; no answer yet
    UNKNOWN = "unknown"  # sent, and nobody knows what became of it
    ACCEPTED = "accepted"  # works at the venue
    PARTIALLY_FILLED = "partially_filled"  # works, and a part of it has traded
    PENDING_CANCEL = "pending_cancel"  # works until the venue says that it is off
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    MISSING = "missing"  # the venue says that it never had it

    @property
    def working(self) -> bool:
        """Whether it may still trade, as far as anyone knows."""
        return self in _WORKING


class Trigger(StrEnum):
    """What happens to an order."""

    ACCEPTED = "accepted"
    FILLED_IN_PART = "filled in part"
    FILLED_WHOLE = "filled whole"
    CANCEL_REQUESTED = "cancel requested"
    CANCEL_REFUSED = "cancel refused"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    OUTCOME_LOST = "outcome lost"
    MISSING = "missing"


_WORKING: Final = frozenset(
    {
        OrderState.SUBMITTED,
        OrderState.UNKNOWN,
        OrderState.ACCEPTED,
        OrderState.PARTIALLY_FILLED,
        OrderState.PENDING_CANCEL,
    }
)

_S, _T = OrderState, Trigger

#: Every legal step. An ending stays what it is unless the venue shows that it was wrong about it.
TRANSITIONS: Final[dict[OrderState, dict[Trigger, OrderState]]] = {
    _S.SUBMITTED: {
        _T.ACCEPTED: _S.ACCEPTED,
        _T.FILLED_IN_PART: _S.PARTIALLY_FILLED,  # the fill overtook the acknowledgement
        _T.FILLED_WHOLE: _S.FILLED,
        _T.CANCEL_REQUESTED: _S.PENDING_CANCEL,
        _T.CANCELLED: _S.CANCELLED,
        _T.REJECTED: _S.REJECTED,
        _T.EXPIRED: _S.EXPIRED,
        _T.OUTCOME_LOST: _S.UNKNOWN,
    },
    _S.UNKNOWN: {
        _T.ACCEPTED: _S.ACCEPTED,
        _T.FILLED_IN_PART: _S.PARTIALLY_FILLED,
        _T.FILLED_WHOLE: _S.FILLED,
        _T.CANCEL_REQUESTED: _S.UNKNOWN,  # what is asked of it changes nothing about what is known of it
        _T.CANCEL_REFUSED: _S.UNKNOWN,
        _T.CANCELLED: _S.CANCELLED,
        _T.REJECTED: _S.REJECTED,
        _T.EXPIRED: _S.EXPIRED,
        _T.OUTCOME_LOST: _S.UNKNOWN,
        _T.MISSING: _S.MISSING,
    },
    _S.ACCEPTED: {
        _T.ACCEPTED: _S.ACCEPTED,  # said twice
        _T.FILLED_IN_PART: _S.PARTIALLY_FILLED,
        _T.FILLED_WHOLE: _S.FILLED,
        _T.CANCEL_REQUESTED: _S.PENDING_CANCEL,
        _T.CANCEL_REFUSED: _S.ACCEPTED,
        _T.CANCELLED: _S.CANCELLED,
        _T.REJECTED: _S.REJECTED,
        _T.EXPIRED: _S.EXPIRED,
        _T.OUTCOME_LOST: _S.UNKNOWN,
    },
    _S.PARTIALLY_FILLED: {
        _T.ACCEPTED: _S.PARTIALLY_FILLED,  # the acknowledgement came after the fill
        _T.FILLED_IN_PART: _S.PARTIALLY_FILLED,
        _T.FILLED_WHOLE: _S.FILLED,
        _T.CANCEL_REQUESTED: _S.PENDING_CANCEL,
        _T.CANCEL_REFUSED: _S.PARTIALLY_FILLED,
        _T.CANCELLED: _S.CANCELLED,
        _T.REJECTED: _S.REJECTED,  # the rest is refused; what has filled stays filled
        _T.EXPIRED: _S.EXPIRED,
        _T.OUTCOME_LOST: _S.UNKNOWN,
    },
    _S.PENDING_CANCEL: {
        _T.ACCEPTED: _S.PENDING_CANCEL,
        _T.FILLED_IN_PART: _S.PENDING_CANCEL,
        _T.FILLED_WHOLE: _S.FILLED,  # the fill won the race
        _T.CANCEL_REQUESTED: _S.PENDING_CANCEL,
        _T.CANCEL_REFUSED: _S.ACCEPTED,  # or partially filled: see `after`
        _T.CANCELLED: _S.CANCELLED,
        _T.REJECTED: _S.REJECTED,
        _T.EXPIRED: _S.EXPIRED,
        _T.OUTCOME_LOST: _S.UNKNOWN,
    },
    _S.FILLED: {
        _T.ACCEPTED: _S.FILLED,
        _T.CANCEL_REFUSED: _S.FILLED,  # too late to cancel
        _T.OUTCOME_LOST: _S.FILLED,
    },
    _S.CANCELLED: {
        _T.ACCEPTED: _S.CANCELLED,
        _T.FILLED_IN_PART: _S.CANCELLED,  # a fill that happened before the cancellation and was told after it
        _T.FILLED_WHOLE: _S.FILLED,
        _T.CANCEL_REFUSED: _S.CANCELLED,
        _T.CANCELLED: _S.CANCELLED,
        _T.EXPIRED: _S.CANCELLED,
        _T.OUTCOME_LOST: _S.CANCELLED,
    },
    _S.EXPIRED: {
        _T.ACCEPTED: _S.EXPIRED,
        _T.FILLED_IN_PART: _S.EXPIRED,
        _T.FILLED_WHOLE: _S.FILLED,
        _T.CANCEL_REFUSED: _S.EXPIRED,
        _T.CANCELLED: _S.EXPIRED,
        _T.EXPIRED: _S.EXPIRED,
        _T.OUTCOME_LOST: _S.EXPIRED,
    },
    _S.REJECTED: {
        _T.REJECTED: _S.REJECTED,
        _T.CANCEL_REFUSED: _S.REJECTED,
        _T.FILLED_WHOLE: _S.FILLED,  # it was not refused after all; the money has moved
        _T.FILLED_IN_PART: _S.UNKNOWN,  # and what is left may still work
        _T.OUTCOME_LOST: _S.REJECTED,
    },
    _S.MISSING: {
        _T.ACCEPTED: _S.ACCEPTED,  # it arrived later than anyone thought possible
        _T.FILLED_IN_PART: _S.PARTIALLY_FILLED,
        _T.FILLED_WHOLE: _S.FILLED,
        _T.CANCEL_REFUSED: _S.MISSING,
        _T.CANCELLED: _S.CANCELLED,
        _T.REJECTED: _S.REJECTED,
        _T.EXPIRED: _S.EXPIRED,
        _T.OUTCOME_LOST: _S.MISSING,
        _T.MISSING: _S.MISSING,
    },
}


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """An order that was sent, and what became of it.

    Attributes:
        order: as the gate let it through.
        state: where it stands.
        filled: how much of it has traded, signed as the order.
        submitted_at: when it was written down, UTC nanoseconds.
        venue_order: the venue's id, None while it has not said.
        replaces: our id of the order whose place it was to take.
        cancel_why: why it is being cancelled; empty while it is not.
    """

    order: Order
    state: OrderState
    filled: Decimal
    submitted_at: int
    venue_order: str | None = None
    replaces: str | None = None
    cancel_why: str = ""

    @property
    def rest(self) -> Decimal:
        """What may still trade, signed; nothing once it has ended."""
        return self.order.size - self.filled if self.state.working else Decimal(0)


def after(placed: PlacedOrder, trigger: Trigger) -> PlacedOrder | None:
    """The order after something happened to it, None where that cannot be in the state that it is in.

    Sizes are the caller's: a fill is booked with :func:`after_fill`.
    """
    state = TRANSITIONS[placed.state].get(trigger)
    if state is None:
        return None
    if state is OrderState.ACCEPTED and placed.filled:
        state = OrderState.PARTIALLY_FILLED
    return replace(placed, state=state)


def after_fill(placed: PlacedOrder, size: Decimal) -> PlacedOrder | None:
    """The order after a part of it traded; None where it trades the other way, or more than there is.

    Args:
        placed: the order before.
        size: of the fill, signed.
    """
    if size * placed.order.size <= 0 or abs(placed.filled + size) > abs(placed.order.size):
        return None
    filled = placed.filled + size
    trigger = Trigger.FILLED_WHOLE if filled == placed.order.size else Trigger.FILLED_IN_PART
    stepped = after(placed, trigger)
    return None if stepped is None else replace(stepped, filled=filled)
