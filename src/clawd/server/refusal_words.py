"""Why the gate refuses or shrinks, in words; docs/risk.md has the whole of it."""

from __future__ import annotations

from typing import Final

from clawd.risk.verdict import Code

#: The three rules. None of them can be set.
RULES: Final[dict[str, str]] = {
    Code.NO_STOP.value: "No naked position: an entry says how far from its fill its stop will lie.",
    Code.POSITION_FLIP.value: "A position is closed before it is turned.",
    Code.ADDING_TO_LOSER.value: "Nobody adds to a position that loses.",
}

WORDS: Final[dict[str, str]] = {
    Code.WITHIN_LIMITS: "within all limits",
    Code.REDUCES_RISK: "it makes a position smaller",
    Code.SNAPSHOT_MISMATCH: "the facts were about another agent or instrument",
    Code.SIZE_INVALID: "the size is zero, no number, or not in whole lots",
    Code.ORDER_INVALID: "the order is not one that a venue could carry out",
    Code.PRICE_INVALID: "a price is not positive or not on the grid of ticks",
    Code.NOT_REDUCING: "it would not only make the position smaller",
    Code.HALTED: "the account is halted",
    Code.REDUCING: "positions may only become smaller",
    Code.AGENT_NOT_ACTIVE: "the agent may enter nothing any more",
    Code.AGENT_PAUSED: "a person has paused the agent",
    Code.BLOCKED: "the instrument is blocked",
    Code.VENUE_BREAKER: "too much failed at the venue within a minute",
    Code.VENUE_DISCONNECTED: "the way to the venue is not open, or its books and ours do not agree yet",
    Code.FIGURE_UNKNOWN: "a figure that a limit needs is not known",
    Code.ORDER_UNKNOWN: "nobody knows what became of an order of this agent here",
    Code.UNATTRIBUTED: "the venue holds something here that no agent has, and nobody has decided on it",
    Code.CLOCK_SKEW: "the venue's clock differs too much from ours",
    Code.PRICE_MISSING: "there is no price",
    Code.PRICE_STALE: "the price is too old",
    Code.EXPIRED: "its time had passed",
    Code.PRICE_BAND: "its price lies too far from the market's",
    Code.BELOW_MINIMUM: "the venue takes no order that small",
    Code.NO_STOP: "it has no stop: no naked position",
    Code.POSITION_FLIP: "it would turn the position: it is closed first",
    Code.ADDING_TO_LOSER: "the position loses: nobody adds to a loser",
    Code.AGENT_ORDERS: "the agent has entered too often within the window",
    Code.VENUE_ORDERS: "too many entries at the venue within the window",
    Code.DAY_BUDGET: "the day's budget has no more room",
    Code.LEVERAGE: "the agent's book would be too large for its capital",
    Code.LARGEST_SIZE: "the venue takes no order that large",
    Code.ORDER_NOTIONAL: "above the limit on the notional of one entry",
    Code.INSTRUMENT_GROSS: "above the limit on the notional in the instrument",
    Code.VENUE_GROSS: "above the limit on the notional at the venue",
    Code.ACCOUNT_GROSS: "above the limit on the account's gross notional",
    Code.ACCOUNT_NET: "above the limit on the account's net notional",
    Code.EQUITY_LEVERAGE: "above the limit on gross notional by equity",
    Code.CONCENTRATION: "too much in one instrument by equity",
    Code.CLUSTER_SHARE: "too much in instruments that move together",
    Code.DEPTH_SHARE: "too large for the size that is visible",
    Code.VOLUME_SHARE: "too large for a day's volume",
    Code.FREE_MARGIN: "not enough free margin",
    Code.LIQUIDATION_DISTANCE: "too near to liquidation",
    Code.DUPLICATE: "an order of this id was sent before",
    Code.NOT_READY: "the books do not agree with the venue yet",
    Code.NOT_SUPPORTED: "the venue cannot hold such an order",
}


def words_of(code: str) -> str:
    """A code in words; one that another version wrote as it is."""
    return WORDS.get(code, code.replace("_", " ").lower())
