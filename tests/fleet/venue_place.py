"""An account at a simulated exchange in a folder, traded up to any moment and left there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from fleet_worlds import strategy_of
from venue_markets import BTC, SECOND

from clawd.core.costs import Costs
from clawd.core.events import OrderFilled, OrderSubmitted, read_event
from clawd.core.instrument import Instrument
from clawd.core.orders import Order
from clawd.core.settings import Settings
from clawd.data.capture import MarketEvent
from clawd.execution.account import Account
from clawd.execution.recovery import replay
from clawd.execution.waiting import Approvals
from clawd.fleet.venue_run import VenueRun, begin
from clawd.language.strategy import Strategy
from clawd.risk.limit_settings import limits_of
from clawd.risk.limits import Limits
from clawd.store.journal import Journal
from clawd.store.switchboard import NOTHING_ORDERED, Command, Decision, Pause
from clawd.venues.matching.file import VenueFile
from clawd.venues.matching.rules import Delay, FeeTier, Latency, Listing, Rules
from clawd.venues.matching.venue import MatchingVenue

BAR = 5 * SECOND
CASH = Decimal(10_000)
RULES = Rules(
    (FeeTier(Decimal(0), Decimal("0.0002"), Decimal("0.0005")),),
    latency=Latency(Delay(20_000_000), Delay(20_000_000), Delay(20_000_000)),
)
#: One follows and one fades, so that they hold against one another.
STRATEGIES = [
    strategy_of("long_short(sign(ret(close, 3)))", "stop = { percent = 0.05 }\ntake = { percent = 0.05 }", name="f"),
    strategy_of("long_short(-sign(ret(close, 2)))", "stop = { percent = 0.1 }\ntrail = { percent = 0.04 }", name="g"),
]


@dataclass
class Place:
    """A folder with an account in it, and the market that it trades."""

    folder: Path
    messages: list[MarketEvent]
    day_loss: Decimal = Decimal(500)
    leverage: Decimal | None = Decimal(10)
    strategies: Sequence[Strategy] = tuple(STRATEGIES)
    rules: Rules = RULES
    instrument: Instrument = BTC
    cash: Decimal = CASH
    costs: Costs | None = None
    approvals: Approvals | None = None

    @property
    def listings(self) -> list[Listing]:
        return [Listing(self.instrument, leverage=self.leverage)]

    @property
    def limits(self) -> Limits:
        limits = limits_of(Settings(capital=self.cash, day_loss_limit=self.day_loss))
        return limits if self.costs is None else replace(limits, costs=self.costs)

    def live(
        self,
        until: int | None = None,
        ordered: Callable[[], Command] = lambda: NOTHING_ORDERED,
        *,
        swallow: bool = False,
        by_hand: Order | None = None,
        decided: Callable[[int], Sequence[Decision]] = lambda after: (),
        paused: Callable[[], Mapping[str, Pause]] = dict,
    ) -> Account:
        """Trade up to a time, or to the end, and leave as abruptly as can be within one process.

        With ``swallow`` what the venue answers to the last orders is heard by nobody. An order ``by_hand`` is given to
        the venue before, past us.
        """
        venue = MatchingVenue("paper", self.listings, self.rules, self.cash, now=self.messages[0].time - 1)
        file = VenueFile.open(self.folder / "venue.sqlite", venue)
        if by_hand is not None:
            venue._exchange.submit(by_hand, None, venue.now, reduce_only=False)
        limits = self.limits
        with Journal.open(self.folder / "journal.sqlite") as journal:
            if journal.head[0] == 0:
                begin(journal, "acc", venue, self.strategies, self.listings, limits, self.cash, BAR)
            agents = {f"a{number:03d}": each for number, each in enumerate(self.strategies, start=1)}
            asked = None if self.approvals is None else lambda view: self.approvals
            run = VenueRun(
                journal,
                venue,
                self.messages,
                agents,
                self.listings,
                limits,
                BAR,
                ordered,
                approvals=asked,  # type: ignore[arg-type]
                decided=decided,
                paused=paused,
            )
            for moment in run.moments():
                if until is not None and moment.time >= until:
                    break
        if swallow:
            venue.advance(venue.now + SECOND)
            venue.receive()
        file.close()
        self.venue = venue
        return run.trader.account

    def check(self, account: Account) -> None:
        """The two sides agree to the last digit, and the journal says what the account says."""
        there = self.venue._exchange.account
        assert account.cash == there.cash
        assert account.sizes() == {
            symbol: lots * self.instrument.lot for symbol, lots in there.positions.items() if lots
        }
        with Journal.open(self.folder / "journal.sqlite", read_only=True) as journal:
            journal.verify_chain()
            told = replay(journal.entries())
            events = [read_event(entry.kind, entry.body) for entry in journal.entries()]
        assert told == account
        submitted = Counter(event.order for event in events if isinstance(event, OrderSubmitted))
        assert set(submitted.values()) <= {1}, "nothing is sent twice"
        fills = Counter(event.trade for event in events if isinstance(event, OrderFilled))
        assert set(fills.values()) <= {1}, "nothing is booked twice"
        assert sum(fills.values()) == len(there.fills), "and nothing is left out"
