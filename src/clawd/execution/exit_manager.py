"""The exit manager: what is written down of the exits of positions, and what is asked of a venue so that they hold.

It decides and does nothing. Whoever keeps the journal and the venue enters its facts, puts its orders before the gate,
and sends them. All that it goes by is in the account, so it says the same after a restart, and says nothing twice: what
is on its way counts as asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, TypeAlias

from clawd.core.account_events import UNATTRIBUTED, ProtectionChanged, ProtectionEnded
from clawd.core.event import Event
from clawd.core.events import OrderFilled
from clawd.core.instrument import Instrument
from clawd.core.orders import Order, OrderKind, OrderType, TimeInForce, order_id
from clawd.core.reason import Reason
from clawd.core.reports import Quote
from clawd.execution.account import Account
from clawd.execution.exits import Exit
from clawd.execution.life_cycle import OrderState, PlacedOrder
from clawd.execution.naked import check_naked
from clawd.execution.placement import placed, places_for, rests
from clawd.execution.protection import Protection, after_bar, after_fill, aligned, from_event, to_event
from clawd.execution.refusals import Refusals
from clawd.execution.watch import HELD, WatchLimits, comes_to, is_fresh, is_touched, needed, touched, watched
from clawd.venues.venue import Capabilities

#: Stops of one position whose outcome is not known beyond which no further one is sent.
MOST_UNKNOWN: Final = 2

_ZERO: Final = Decimal(0)

_ANY_NUMBER: Final = 1_000_000

#: Why an exit is taken off.
POSITION_CLOSED, REPLACED, TARGET_TAKEN, MAKES_ROOM = "POSITION_CLOSED", "REPLACED", "TARGET_TAKEN", "MAKES_ROOM"


Naming: TypeAlias = Callable[[str, str, int, OrderKind, int], str]


def plain_id(agent: str, symbol: str, time: int, kind: OrderKind, number: int) -> str:
    """An id that a person can read; some venues want shorter ones."""
    return order_id(agent, symbol, time, kind) + (str(number + 1) if number else "")


@dataclass(frozen=True, slots=True)
class Asked:
    """An order to send, and our id of the working one whose place it takes at a venue that can replace."""

    order: Order
    replaces: str | None = None


@dataclass(slots=True)
class Requests:
    """What to ask of the venue: cancellations as (our id, why), then orders."""

    cancel: list[tuple[str, str]] = field(default_factory=list)
    submit: list[Asked] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.cancel or self.submit)


class _Orders:
    """The orders that would close a position: those that rest at the venue, and those that trade at once."""

    def __init__(self, exits: list[PlacedOrder]) -> None:
        self.closing = [each for each in exits if not rests(each)]
        self.stops = [each for each in exits if rests(each) and each.order.kind is OrderKind.STOP]
        self.takes = [each for each in exits if rests(each) and each.order.kind is OrderKind.TAKE]


@dataclass(frozen=True, slots=True)
class ExitManager:
    """What the exits of an account go by.

    Attributes:
        account: the fold of its journal; only read.
        instruments: by symbol.
        capabilities: of the venue.
        limits: of the watch.
        refusals: noted by whoever hears the venue.
        naming: our id of an order, by agent, symbol, time of the decision (UTC nanoseconds), kind, and a number that
            tells orders of one decision apart.
    """

    account: Account
    instruments: Mapping[str, Instrument]
    capabilities: Capabilities
    limits: WatchLimits = field(default_factory=WatchLimits)
    refusals: Refusals = field(default_factory=Refusals)
    naming: Naming = plain_id

    # Facts: what becomes of a protection.

    def protection(self, agent: str, symbol: str) -> Protection | None:
        """The exits of a position with their memory, None where there are none.

        Raises:
            ClawdError: when the journal's memory of them cannot be read.
        """
        event = self.account.protection(agent, symbol)
        return None if event is None else from_event(event, self.instruments[symbol])

    def after_fill(self, fill: OrderFilled) -> list[Event]:
        """The facts that follow a fill which the account has just taken in; to be entered with it."""
        account, agent, symbol = self.account, fill.agent, fill.symbol
        if agent == UNATTRIBUTED:
            return []
        before = self.protection(agent, symbol)
        order = account.orders[fill.order].order
        # Several fills may have been taken in before the first of them is looked at: each counts by itself.
        held = before.size if before is not None else _ZERO
        plan, instrument = account.plans.get(order.id), self.instruments[symbol]
        after = after_fill(before, order, plan, fill.price, held + fill.size, fill.time, instrument)
        if after is not None and not after.ended and symbol in account.agents[agent].holdings:
            return [to_event(after)]
        if before is None:
            return []
        shut = 0 if after is None else int(after.position["shut"])
        return [
            ProtectionEnded(agent=agent, symbol=symbol, shut=shut, acted_on=not shut or order.reason is Reason.TIME)
        ]

    def after_bar(
        self,
        symbol: str,
        bar: int,
        time: int,
        high: float,
        low: float,
        close: float,
        traded: bool,
        ranges: Mapping[int, float],
    ) -> list[ProtectionChanged]:
        """The facts that follow a closed bar, for every position that bars of its duration move.

        Args:
            symbol: of the instrument.
            bar: duration of the bar, nanoseconds.
            time: its open, UTC nanoseconds.
            high, low, close: quote currency.
            traded: whether it had volume.
            ranges: the average true ranges at its close, by window.
        """
        facts = []
        for agent in self.account.totals.holders(symbol):
            event = self.account.protection(agent, symbol)
            if event is not None and event.memory.get("bar") == bar:
                before = from_event(event, self.instruments[symbol])
                after = after_bar(before, time, high, low, close, traded, ranges)
                if after is not before:
                    facts.append(to_event(after))
        return facts

    def reattached(self) -> list[Event]:
        """The facts that bind exits to positions after a start: none, where every batch was written whole.

        Exits of a position that is not there end; those of one that has another size follow it.

        Raises:
            ClawdError: when the journal's memory of exits cannot be read.
        """
        facts: list[Event] = []
        for agent, protections in self.account.protections.items():
            for symbol in protections:
                before = self.protection(agent, symbol)
                assert before is not None
                after = aligned(before, self.account.agents[agent].size(symbol))
                if after is None:
                    facts.append(ProtectionEnded(agent=agent, symbol=symbol))
                elif after is not before:
                    facts.append(to_event(after))
        return facts

    # Requests: what the venue must be asked.

    def keep(self, agent: str, symbol: str, quotes: Mapping[str, Quote], now: int, leaving: bool = False) -> Requests:
        """What brings the orders at the venue nearer to what the position needs.

        To be asked after every fact about the position or its orders, and now and then; each answer of the venue brings
        the next step. The old stop is taken off only once the venue holds the new one, or, where only one fits, while
        the price is known so that the watch here holds.

        Args:
            agent, symbol: whose position, in what.
            quotes: the last of each instrument.
            now: UTC nanoseconds.
            leaving: whether the agent waits to close the position: a venue that does not know reduce-only must then
                hold no exit, and its closing order may go once none works.
        """
        account, requests = self.account, Requests()
        book = account.agents.get(agent)
        if agent == UNATTRIBUTED or book is None:
            return requests
        working, size = account.working_of(agent, symbol), book.size(symbol)
        exits = [each for each in working if each.order.kind is not OrderKind.OPENING]
        entries = [each for each in working if each.order.kind is OrderKind.OPENING]
        if not size:
            self._take_off(requests, exits, POSITION_CLOSED, now)
            self._take_off(requests, [each for each in entries if _belonged(each)], POSITION_CLOSED, now)
            return requests
        self._take_off(requests, [each for each in exits if each.order.size * size > 0], POSITION_CLOSED, now)
        event = account.protection(agent, symbol)
        if event is None:
            return requests
        increases = [each for each in entries if each.order.reason is Reason.INCREASE]
        if increases and from_event(event, self.instruments[symbol]).took:
            self._take_off(requests, increases, TARGET_TAKEN, now)
        ours = _Orders([each for each in exits if each.order.size * size < 0])
        if not self.capabilities.reduce_only and (leaving or ours.closing or _time_is_over(event)):
            self._take_off(requests, [*ours.stops, *ours.takes], MAKES_ROOM, now)
            return requests
        quote = quotes[symbol] if is_fresh(quotes, symbol, now, self.limits) else None
        placement = placed(needed(event, size), places_for(account, agent, symbol, self.capabilities))
        targets = []
        for each in placement.rests:
            if each.kind is OrderKind.TAKE:
                targets.append(each)
            elif self.capabilities.reduce_only or quote is None or not touched(watched(account, agent, symbol), quote):
                self._keep_stop(requests, agent, symbol, each, ours, quote, now)
        spared = 0 if len(targets) == len(placement.rests) or ours.stops else 1
        self._keep_targets(requests, agent, symbol, targets, ours, abs(size), spared, quote, now)
        return requests

    def _keep_stop(
        self,
        requests: Requests,
        agent: str,
        symbol: str,
        stop: Exit,
        ours: _Orders,
        quote: Quote | None,
        now: int,
    ) -> None:
        right = [each for each in ours.stops if not each.cancel_why and _is(each, stop)]
        held = [each for each in right if each.state in HELD]
        if held:
            self._take_off(requests, [each for each in ours.stops if each is not held[0]], REPLACED, now)
            return
        if any(each.state is OrderState.SUBMITTED for each in ours.stops):
            return  # one at a time: what becomes of it is known before the next
        if quote is not None and is_touched(stop, quote):
            return  # a stop beyond the price would be refused; the watch closes the position
        old = [each for each in ours.stops if each.state in HELD and not each.cancel_why]
        unknown = sum(1 for each in ours.stops if each.state is OrderState.UNKNOWN)
        covered = sum((abs(each.rest) for each in old), _ZERO) >= abs(stop.size)
        if unknown and (covered or not self.capabilities.reduce_only or unknown >= MOST_UNKNOWN):
            return
        # The gate lets a stop stand beside those of its own group only, also one that an earlier position has left.
        group = next((each.order.group for each in ours.stops), None) or _group(self.account, agent, symbol)
        order = self._exit_order(requests, agent, symbol, stop, now, group)
        if self.refusals.hold_back(order, now):
            return
        if old and self.capabilities.replace and not unknown:
            requests.submit.append(Asked(order, replaces=old[-1].order.id))
        elif self._free_places(symbol) > 0 and (self.capabilities.reduce_only or not ours.stops):
            requests.submit.append(Asked(order))
        elif ours.takes:
            self._take_off(requests, ours.takes, MAKES_ROOM, now)
        elif quote is not None:
            self._take_off(requests, old, MAKES_ROOM, now)

    def _keep_targets(
        self,
        requests: Requests,
        agent: str,
        symbol: str,
        targets: list[Exit],
        ours: _Orders,
        held: Decimal,
        spared: int,
        quote: Quote | None,
        now: int,
    ) -> None:
        """The targets that rest. They and what closes at once are together never for more than the position.

        ``spared`` places are kept free for a stop that is not there yet.
        """
        wanted, spare = list(targets), []
        for each in ours.takes:
            match = next((target for target in wanted if not each.cancel_why and _is(each, target)), None)
            if match is None:
                spare.append(each)
            else:
                wanted.remove(match)
        movable = [each for each in spare if each.state in HELD and not each.cancel_why]
        working = sum((abs(each.rest) for each in (*ours.takes, *ours.closing)), _ZERO)
        for target in wanted:
            group = _group(self.account, agent, symbol) if abs(target.size) == held else None
            order = self._exit_order(requests, agent, symbol, target, now, group)
            if self.refusals.hold_back(order, now) or (quote is not None and is_touched(target, quote)):
                continue
            old = movable[0] if movable and self.capabilities.replace else None
            # What is replaced works on for all but the order that takes its place, until the venue says otherwise.
            if working - (abs(old.rest) if old is not None else _ZERO) + abs(target.size) > held:
                continue
            if old is not None:
                movable.remove(old)
                spare.remove(old)
                requests.submit.append(Asked(order, replaces=old.order.id))
            elif self._free_places(symbol) - self._new(requests) > spared:
                requests.submit.append(Asked(order))
            else:
                continue
            working += abs(target.size)
        self._take_off(requests, spare, REPLACED, now)

    def _take_off(self, requests: Requests, orders: Iterable[PlacedOrder], why: str, now: int) -> None:
        """Cancel what is not being cancelled yet."""
        asked = {order for order, _ in requests.cancel}
        for each in orders:
            name = each.order.id
            if not each.cancel_why and name not in asked and not self.refusals.hold_back_cancel(name, now):
                requests.cancel.append((name, why))

    def _free_places(self, symbol: str) -> int:
        """How many more exits the venue can hold in an instrument."""
        if self.capabilities.exits is None:
            return _ANY_NUMBER
        taken = sum(
            1
            for agent in self.account.agents
            for each in self.account.working_of(agent, symbol)
            if each.order.kind is not OrderKind.OPENING and rests(each)
        )
        return self.capabilities.exits - taken

    @staticmethod
    def _new(requests: Requests) -> int:
        """Orders that will take another place, but for the stop's, which is spared already."""
        return sum(1 for each in requests.submit if each.replaces is None and each.order.kind is not OrderKind.STOP)

    def _exit_order(
        self, requests: Requests, agent: str, symbol: str, exit_: Exit, now: int, group: str | None
    ) -> Order:
        stop = exit_.kind is OrderKind.STOP
        held = self.protection(agent, symbol) if stop else None
        return Order(
            id=self._name(requests, agent, symbol, exit_.kind, now),
            agent=agent,
            symbol=symbol,
            kind=exit_.kind,
            size=exit_.size,
            reason=held.stop_reason if held is not None else Reason.TAKE,
            level=exit_.level,
            type=OrderType.STOP if stop else OrderType.LIMIT,
            group=group,
        )

    def _name(self, requests: Requests, agent: str, symbol: str, kind: OrderKind, now: int) -> str:
        """An id that no order has had: what was written down is never sent again."""
        taken, number = {asked.order.id for asked in requests.submit}, 0
        while (name := self.naming(agent, symbol, now, kind, number)) in taken or name in self.account.orders:
            number += 1
        return name

    # What must act now.

    def on_quote(self, quote: Quote, now: int) -> Requests:
        """The orders of the exits in an instrument that are watched here and that its price has come to."""
        requests, symbol = Requests(), quote.symbol
        if now - quote.time > self.limits.quote_age:
            return requests
        for agent in self.account.totals.holders(symbol):
            event = self.account.protection(agent, symbol)
            if event is None or not comes_to(event, self.account.agents[agent].size(symbol) > 0, quote):
                continue
            for exit_ in touched(watched(self.account, agent, symbol), quote):
                stops = exit_.kind is OrderKind.STOP
                reason = from_event(event, self.instruments[symbol]).stop_reason if stops else Reason.TAKE
                self._close(requests, agent, symbol, exit_.kind, reason, abs(exit_.size), exit_.level, now)
        return requests

    def on_time(self, now: int) -> Requests:
        """The closing orders of the positions that have been held for as long as they may."""
        requests = Requests()
        for protections in self.account.protections.values():
            for symbol, event in protections.items():
                if _time_is_over(event):
                    self._close(requests, event.agent, symbol, OrderKind.CLOSING, Reason.TIME, None, None, now)
        return requests

    def on_naked(self, quotes: Mapping[str, Quote], now: int) -> tuple[list[Event], Requests]:
        """The facts about positions that nothing protects, and the orders that close those that had too little time."""
        check, requests = check_naked(self.account, quotes, now, self.limits), Requests()
        for agent, symbol in check.close:
            self._close(requests, agent, symbol, OrderKind.CLOSING, Reason.STOP, None, None, now)
        return list(check.facts), requests

    def _close(
        self,
        requests: Requests,
        agent: str,
        symbol: str,
        kind: OrderKind,
        reason: Reason,
        part: Decimal | None,
        level: Decimal | None,
        now: int,
    ) -> None:
        """Close a position or a part of it at the market: never more than is held and not being closed already."""
        size = self.account.agents[agent].size(symbol)
        exits = [
            each
            for each in self.account.working_of(agent, symbol)
            if each.order.kind is not OrderKind.OPENING and each.order.size * size < 0
        ]
        # A target that works in whatever state needs no second order: the gate lets targets be no more than is held.
        beside = [each for each in exits if not rests(each) or each.order.kind is kind is OrderKind.TAKE]
        closing = sum((abs(each.rest) for each in beside), _ZERO)
        closing += sum(
            (
                abs(each.order.size)
                for each in requests.submit
                if (each.order.agent, each.order.symbol) == (agent, symbol)
            ),
            _ZERO,
        )
        left = abs(size) - closing
        amount = left if part is None else min(part, left)
        if amount <= 0:
            return
        resting = [each for each in exits if rests(each)]
        if resting and not self.capabilities.reduce_only:
            self._take_off(requests, resting, MAKES_ROOM, now)
            return
        at_once = kind is OrderKind.TAKE and TimeInForce.IOC in self.capabilities.times_in_force
        order = Order(
            id=self._name(requests, agent, symbol, kind, now),
            agent=agent,
            symbol=symbol,
            kind=kind,
            size=-amount if size > 0 else amount,
            reason=reason,
            level=level if at_once else None,
            reference=level,
            type=OrderType.LIMIT if at_once else OrderType.MARKET,
            time_in_force=TimeInForce.IOC if at_once else TimeInForce.GTC,
        )
        if not self.refusals.hold_back(order, now):
            requests.submit.append(Asked(order))


def _is(placed: PlacedOrder, exit_: Exit) -> bool:
    """Whether an order is what an exit asks for."""
    return placed.order.level == exit_.level and placed.rest == exit_.size


def _time_is_over(event: ProtectionChanged) -> bool:
    """Whether a position has been held for as many bars as it may be, without reading all of its memory."""
    bars = (event.memory.get("exits") or {}).get("time")
    return bars is not None and float(event.memory["position"]["held"]) >= bars


def _group(account: Account, agent: str, symbol: str) -> str:
    """The OCO group of what closes the whole of a position: of this one, not of the one before it."""
    event = account.protections[agent][symbol]
    return f"{agent}.{symbol}.{event.memory['opened']}"


def _belonged(entry: PlacedOrder) -> bool:
    """Whether an entry belongs to a position that is gone: it was to enlarge it, or a part of it had opened it."""
    return entry.order.reason is Reason.INCREASE or bool(entry.filled)
