"""An order as a simulated exchange holds it, in whole ticks and lots."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from clawd.core.instrument import Instrument
from clawd.core.orders import OrderType, TimeInForce
from clawd.core.reports import OrderReport, VenueState
from clawd.data.book_replay import BID

FINISHED = frozenset({VenueState.FILLED, VenueState.CANCELLED, VenueState.REJECTED, VenueState.EXPIRED})


@dataclass(slots=True)
class Working:
    """One order, working or finished.

    Attributes:
        id, number: ours, and the venue's; None where it was never accepted.
        side: BID buys, ASK sells.
        lots, filled: whole and traded so far, not signed.
        limit, level: ticks, where it has them.
        priority: rises with the time at which it took its place.
        ahead: lots of others before it at its price; None while the book does not reach so far.
        resting: whether it stands in the book, where it gives liquidity. What is neither resting nor a stop that
            waits for its level waits for a sound book to take from.
        triggered: whether a stop's level was reached.
        changed: when it last changed, by the venue's clock.
        code: why it ended.
    """

    id: str
    number: int | None
    symbol: str
    side: int
    lots: int
    type: OrderType
    time_in_force: TimeInForce
    limit: int | None
    level: int | None
    expires: int | None
    reduce_only: bool
    priority: int
    changed: int
    state: VenueState = VenueState.ACCEPTED
    filled: int = 0
    ahead: int | None = None
    resting: bool = False
    triggered: bool = False
    code: str = ""

    @property
    def left(self) -> int:
        return self.lots - self.filled

    @property
    def sign(self) -> int:
        return 1 if self.side == BID else -1

    @property
    def done(self) -> bool:
        return self.state in FINISHED

    @property
    def waits_for_level(self) -> bool:
        """Whether it is a stop that has not been triggered."""
        return self.level is not None and not self.triggered

    def reaches(self, price: int) -> bool:
        """Whether it may trade at a price."""
        if self.limit is None:
            return True
        return price <= self.limit if self.side == BID else price >= self.limit

    def touched(self, price: int) -> bool:
        """Whether a price is at or beyond a stop's level."""
        assert self.level is not None
        return price >= self.level if self.side == BID else price <= self.level

    def report(self, venue: str, instrument: Instrument) -> OrderReport:
        """What the venue says of it at the time at which it last changed."""
        tick, lot = instrument.tick, instrument.lot
        return OrderReport(
            venue=venue,
            order=self.id,
            venue_order=None if self.number is None else str(self.number),
            symbol=self.symbol,
            state=self.state,
            size=self.sign * self.lots * lot,
            filled=self.sign * self.filled * lot,
            venue_time=self.changed,
            time=self.changed,
            level=None if self.level is None else self.level * tick,
            limit=None if self.limit is None else self.limit * tick,
            reduce_only=self.reduce_only,
            code=self.code,
        )

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Working:
        return cls(
            **{
                **body,
                "type": OrderType(body["type"]),
                "time_in_force": TimeInForce(body["time_in_force"]),
                "state": VenueState(body["state"]),
            }
        )
