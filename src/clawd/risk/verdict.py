"""The gate's answer: allow, shrink or refuse, why, and the numbers."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Outcome(StrEnum):
    """The gate's answers."""

    ALLOW = "allow"
    SHRINK = "shrink"
    REFUSE = "refuse"


class Code(StrEnum):
    """Why. The first check that objects names the code; of the limits that shrink, the one that leaves least."""

    WITHIN_LIMITS = "WITHIN_LIMITS"
    REDUCES_RISK = "REDUCES_RISK"
    # The order by itself: these concern every order.
    SNAPSHOT_MISMATCH = "SNAPSHOT_MISMATCH"
    SIZE_INVALID = "SIZE_INVALID"
    ORDER_INVALID = "ORDER_INVALID"
    PRICE_INVALID = "PRICE_INVALID"
    NOT_REDUCING = "NOT_REDUCING"
    # Who may enter, and where.
    HALTED = "HALTED"
    REDUCING = "REDUCING"
    AGENT_NOT_ACTIVE = "AGENT_NOT_ACTIVE"
    AGENT_PAUSED = "AGENT_PAUSED"
    BLOCKED = "BLOCKED"
    VENUE_BREAKER = "VENUE_BREAKER"
    VENUE_DISCONNECTED = "VENUE_DISCONNECTED"
    # No trading blind.
    FIGURE_UNKNOWN = "FIGURE_UNKNOWN"
    ORDER_UNKNOWN = "ORDER_UNKNOWN"
    UNATTRIBUTED = "UNATTRIBUTED"
    CLOCK_SKEW = "CLOCK_SKEW"
    PRICE_MISSING = "PRICE_MISSING"
    PRICE_STALE = "PRICE_STALE"
    # The entry in its market.
    EXPIRED = "EXPIRED"
    PRICE_BAND = "PRICE_BAND"
    BELOW_MINIMUM = "BELOW_MINIMUM"
    # The three rules (the third is the part above).
    NO_STOP = "NO_STOP"
    POSITION_FLIP = "POSITION_FLIP"
    ADDING_TO_LOSER = "ADDING_TO_LOSER"
    # How often.
    AGENT_ORDERS = "AGENT_ORDERS"
    VENUE_ORDERS = "VENUE_ORDERS"
    # How much. These shrink.
    DAY_BUDGET = "DAY_BUDGET"
    LEVERAGE = "LEVERAGE"
    LARGEST_SIZE = "LARGEST_SIZE"
    ORDER_NOTIONAL = "ORDER_NOTIONAL"
    INSTRUMENT_GROSS = "INSTRUMENT_GROSS"
    VENUE_GROSS = "VENUE_GROSS"
    ACCOUNT_GROSS = "ACCOUNT_GROSS"
    ACCOUNT_NET = "ACCOUNT_NET"
    EQUITY_LEVERAGE = "EQUITY_LEVERAGE"
    CONCENTRATION = "CONCENTRATION"
    CLUSTER_SHARE = "CLUSTER_SHARE"
    DEPTH_SHARE = "DEPTH_SHARE"
    VOLUME_SHARE = "VOLUME_SHARE"
    FREE_MARGIN = "FREE_MARGIN"
    LIQUIDATION_DISTANCE = "LIQUIDATION_DISTANCE"
    # What the dealer refuses by itself, before it comes here.
    DUPLICATE = "DUPLICATE"
    NOT_READY = "NOT_READY"
    NOT_SUPPORTED = "NOT_SUPPORTED"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one order.

    Attributes:
        outcome: allow, shrink or refuse.
        code: why.
        allowed: signed size that may be sent, 0 for a refusal.
        numbers: what the check compared, by name; NaN for a figure that is not known.
    """

    outcome: Outcome
    code: Code
    allowed: Decimal
    numbers: dict[str, Decimal | int]


def refusal(code: Code, **numbers: Decimal | int) -> Verdict:
    """Nothing may be sent."""
    return Verdict(Outcome.REFUSE, code, Decimal(0), dict(numbers))


def known(figure: object) -> bool:
    """Whether it is a finite number. What the types promise is checked here again: this is the last check there is."""
    return type(figure) is Decimal and figure.is_finite()


def counted(figure: object) -> bool:
    """Whether it is a count: a whole number, not negative."""
    return type(figure) is int and figure >= 0
