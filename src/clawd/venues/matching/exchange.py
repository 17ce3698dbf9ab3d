"""The simulated exchange itself: a book that is replayed, our orders in it, and an account.

The market that is replayed does not know of us. What we take is gone for us, not for it; what trades in it may trade
with our orders, when all that stood before them has. docs/matching.md says the rules.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from clawd.core.orders import Order, OrderType, TimeInForce
from clawd.core.reports import AccountReport, OrderReport, Report, RequestFailed, RequestKind, VenueState
from clawd.data.book_replay import ASK, BID
from clawd.data.capture import Gap, MarketEvent, Print
from clawd.venues.matching.account import Account, Fill
from clawd.venues.matching.book import Trust
from clawd.venues.matching.market import Market
from clawd.venues.matching.rules import Code, FeeTier, Listing, Rules
from clawd.venues.matching.terms import AT_ONCE, below_least, form, reducible, unaffordable, working
from clawd.venues.matching.working import Working


class Exchange:
    """One account at one exchange. Times are of the exchange's clock, UTC nanoseconds.

    Attributes:
        now: the time of what happened last.
        markets: by symbol.
        orders: by our id: those that work, and those that finished within the retention.
        account: cash, positions, fills.
        said: what it has to report, oldest first; who sends it empties it.
        touched: ids of orders that changed since who keeps them emptied it.
    """

    def __init__(self, name: str, listings: Iterable[Listing], rules: Rules, cash: Decimal, opened: int) -> None:
        self.name = name
        self.rules = rules
        self.now = opened
        self.markets = {listing.instrument.symbol: Market(listing) for listing in listings}
        self.orders: dict[str, Working] = {}
        self.account = Account(cash, opened)
        self.said: list[Report] = []
        self.touched: set[str] = set()
        self._numbers = 0  # of orders accepted so far
        self._priorities = 0
        self._used: dict[int, tuple[int, int]] = {}  # by limit: the window, and what was asked for in it
        self._ends: list[tuple[int, str]] = []  # when GTD orders end
        self._finished: dict[str, int] = {}  # when orders ended, oldest first

    # The market.

    def play(self, event: MarketEvent) -> None:
        """Let something happen in the market.

        Raises:
            KeyError: it is of an instrument that is not listed.
        """
        self.now = max(self.now, event.time)
        market = self.markets[event.symbol]
        if isinstance(event, Print):
            self._traded(market, event)
        elif isinstance(event, Gap):
            market.book.known = False
        else:
            market.shows(event, self.rules.queue_exponent)
            if (market.waiting or market.stops or market.resting[BID] or market.resting[ASK]) and self._sound(market):
                self._settle(market)

    def _sound(self, market: Market) -> bool:
        return market.book.trust(self.now, self.rules.stale) is Trust.SOUND

    def _traded(self, market: Market, event: Print) -> None:
        """A trade first goes to our orders at better prices, then passes those before us at its own."""
        market.last = event.price
        side = market.book.sides[event.maker]
        if event.price in side.lots:
            side.traded[event.price] = side.traded.get(event.price, 0) + event.lots
        left, ours, before = event.lots, 0, len(self.account.fills)
        for order in market.resting[event.maker].until(event.price) if market.resting[event.maker] else ():
            if order.done:
                continue
            assert order.limit is not None
            if order.limit != event.price:
                lots = min(left, reducible(order, self.account))
                left -= lots
            elif order.ahead is None:
                continue
            else:
                reach = left - ours
                lots = min(max(reach - order.ahead, 0), reducible(order, self.account))
                order.ahead = max(order.ahead - reach, 0)
                ours += lots
            if lots:
                self._fill(market, order, lots, order.limit, maker=True)
                self._say_filled(market, order)
        for order in [each for each in market.stops if each.touched(event.price)]:
            self._trigger(market, order)
        self._trim(market, before)

    def _settle(self, market: Market) -> None:
        """What a sound book does: it fills orders that it crossed, sets off stops, and lets those that wait take."""
        before = len(self.account.fills)
        bids, asks = market.book.sides
        for mine, theirs in ((BID, asks), (ASK, bids)):
            best, price = market.resting[mine].best, theirs.best
            if best is not None and price is not None and (best >= price if mine == BID else best <= price):
                self._crossed(market, mine)
        for order in [each for each in market.stops if self._passed(market, each)]:
            self._trigger(market, order)
        for order in list(market.waiting):
            if not order.done:
                market.take_off(order)
                self._enter(market, order)
        self._trim(market, before)

    def _crossed(self, market: Market, side: int) -> None:
        """Others now offer what our resting orders want: who came was they, so we trade at our price."""
        theirs = market.book.sides[1 - side]
        for order in list(market.resting[side]):
            if theirs.best is None or not order.reaches(theirs.best):
                break
            assert order.limit is not None
            for price in list(theirs.prices()):
                lots = min(theirs.open(price), reducible(order, self.account))
                if not order.reaches(price) or order.done:
                    break
                if lots:
                    theirs.taken[price] = theirs.taken.get(price, 0) + lots
                    self._fill(market, order, lots, order.limit, maker=True)
                    self._say_filled(market, order)

    def _trigger(self, market: Market, order: Working) -> None:
        market.take_off(order)
        order.triggered, order.priority, order.changed = True, self._next_priority(), self.now
        self.touched.add(order.id)
        self._enter(market, order)

    # Our orders.

    def submit(self, order: Order, replaces: str | None, time: int, *, reduce_only: bool) -> None:
        """An order arrives."""
        self.now = time
        if order.id in self.orders:
            kind = RequestKind.SUBMIT if replaces is None else RequestKind.REPLACE
            self.said.append(self._failed(order.id, kind, Code.DUPLICATE))
            return
        market = self.markets.get(order.symbol)
        refusal: str | None = Code.UNKNOWN_SYMBOL if market is None else form(order, market.instrument, time)
        if reduce_only and not self.rules.reduce_only:
            refusal = Code.UNSUPPORTED
        old = None
        if refusal is None and replaces is not None:
            old = self.orders.get(replaces)
            if old is None or old.done:
                refusal = Code.UNKNOWN_ORDER
            elif old.symbol != order.symbol or (old.side == BID) != (order.size > 0):
                refusal = Code.INVALID
        if market is None or refusal is not None:
            self._reject(order, str(refusal), reduce_only)
            return
        new = working(order, market.instrument, time, self._next_priority(), reduce_only)
        refusal = self._refusal(order, new, market, old)
        if refusal is not None:
            self._reject(order, refusal, reduce_only)
            return
        if old is not None:
            self._end(market, old, VenueState.CANCELLED, Code.REPLACED)
        self._numbers += 1
        new.number = self._numbers
        self.orders[new.id] = new
        self.touched.add(new.id)
        if new.expires is not None:
            heapq.heappush(self._ends, (new.expires, new.id))
        self.said.append(new.report(self.name, market.instrument))
        if old is not None and _keeps_place(old, new):
            new.priority, new.ahead, new.resting = old.priority, old.ahead, True
            market.place(new)
        elif new.waits_for_level and not self._passed(market, new):
            market.place(new)
        else:
            new.triggered = new.level is not None
            before = len(self.account.fills)
            self._enter(market, new)
            self._trim(market, before)

    def _refusal(self, order: Order, new: Working, market: Market, old: Working | None) -> str | None:
        """Why an order that is well written is not taken."""
        if new.reduce_only and reducible(new, self.account) == 0:
            return Code.REDUCE_ONLY
        trust = market.book.trust(self.now, self.rules.stale)
        needs_book = new.type is OrderType.MARKET or new.time_in_force in AT_ONCE or order.post_only
        if needs_book and trust is not Trust.SOUND:
            return trust.value
        if below_least(new, market):
            return Code.MIN_NOTIONAL
        if order.post_only:
            best = market.book.sides[1 - new.side].best
            if market.meets_ours(new):
                return Code.SELF_TRADE
            if best is not None and new.reaches(best):
                return Code.POST_ONLY
        return unaffordable(new, self.markets, self.account, self._tier(), old)

    def _enter(self, market: Market, order: Working) -> None:
        """An order, placed nowhere, takes what it may and rests with what is left, or waits for a sound book."""
        if not self._sound(market):
            market.place(order)
            return
        wanted = reducible(order, self.account)
        plan = market.plan(order, wanted)
        planned = sum(lots for _, lots in plan)
        if order.time_in_force is TimeInForce.FOK and planned < order.left:
            self._end(market, order, VenueState.CANCELLED, Code.NOT_WHOLE)
            return
        if order.type in {OrderType.MARKET, OrderType.STOP} and not self._payable(market, order, plan):
            self._end(market, order, VenueState.CANCELLED, Code.INSUFFICIENT_BALANCE)
            return
        side = market.book.sides[1 - order.side]
        for price, lots in plan:
            side.taken[price] = side.taken.get(price, 0) + lots
            self._fill(market, order, lots, price, maker=False)
        if order.left == 0:
            self._say_filled(market, order)
        elif order.reduce_only and reducible(order, self.account) == 0:
            self._end(market, order, VenueState.CANCELLED, Code.REDUCE_ONLY)
        elif planned < wanted and market.meets_ours(order):
            self._end(market, order, VenueState.CANCELLED, Code.SELF_TRADE)
        elif order.limit is None:
            self._end(market, order, VenueState.CANCELLED, Code.NO_LIQUIDITY)
        elif order.time_in_force in AT_ONCE:
            self._end(market, order, VenueState.CANCELLED, Code.IOC_REST)
        else:
            order.resting, order.priority = True, self._next_priority()
            order.ahead = market.book.sides[order.side].shown(order.limit)
            self.touched.add(order.id)
            market.place(order)
            if plan:
                self._say_filled(market, order)

    def _payable(self, market: Market, order: Working, plan: list[tuple[int, int]]) -> bool:
        """Whether cash covers a purchase on spot: one that was set off beyond its level costs more than it reserved."""
        if market.listing.leverage is not None or order.side == ASK:
            return True
        step = market.instrument.lot * market.instrument.tick
        value = sum((price * lots * step for price, lots in plan), Decimal(0))
        return value * (1 + max(self._tier().taker, Decimal(0))) <= self.account.cash

    def _passed(self, market: Market, order: Working) -> bool:
        """Whether the last trade passed a stop's level, or the price of a sound book that it would trade at."""
        if market.last is not None and order.touched(market.last):
            return True
        if not self._sound(market):
            return False
        best = market.book.sides[1 - order.side].best
        return best is not None and order.touched(best)

    def cancel(self, order: str, time: int) -> None:
        """A wish to take an order off arrives."""
        self.now = time
        held = self.orders.get(order)
        if held is None or held.done:
            code = Code.UNKNOWN_ORDER if held is None else Code.ORDER_FINISHED
            self.said.append(self._failed(order, RequestKind.CANCEL, code))
            return
        self._end(self.markets[held.symbol], held, VenueState.CANCELLED, Code.REQUESTED)

    def query(self, order: str, symbol: str, time: int) -> None:
        """A question about an order arrives."""
        self.now = time
        held = self.orders.get(order)
        if held is not None:
            self.said.append(held.report(self.name, self.markets[held.symbol].instrument))
            return
        state, none = VenueState.NOT_FOUND, Decimal(0)
        self.said.append(OrderReport(self.name, order, None, symbol, state, none, none, time, time))

    def report_account(self, since: int, time: int) -> None:
        """A question about the account arrives."""
        self.now = time
        instruments = {symbol: market.instrument for symbol, market in self.markets.items()}
        account = self.account
        positions = {symbol: lots * instruments[symbol].lot for symbol, lots in account.positions.items()}
        orders = tuple(
            order.report(self.name, market.instrument)
            for market in self.markets.values()
            for order in sorted(market.working(), key=lambda each: each.number or 0)
        )
        fills = tuple(fill.report(self.name, instruments[fill.symbol]) for fill in account.fills if fill.time >= since)
        self.said.append(AccountReport(self.name, account.cash, positions, orders, fills, time, time))

    def charge(self, kind: RequestKind, order: str | None, time: int) -> bool:
        """Count a request that arrives against the limits; False when one of them refuses it, which is said."""
        self.now = time
        self._forget(time)
        weight = self.rules.weights.get(kind, 1)
        used = {}
        for place, limit in enumerate(self.rules.limits):
            window = time // limit.window
            before = self._used.get(place, (window, 0))
            total = weight + (before[1] if before[0] == window else 0)
            if total > limit.weight:
                retry = (window + 1) * limit.window
                self.said.append(RequestFailed(self.name, order, kind, True, Code.RATE_LIMIT, time, retry))
                return False
            used[place] = (window, total)
        self._used.update(used)
        return True

    def next_end(self) -> int | None:
        """When the next GTD order ends."""
        while self._ends and self._ended(self._ends[0][1]):
            heapq.heappop(self._ends)
        return self._ends[0][0] if self._ends else None

    def end_orders(self, time: int) -> None:
        """End the GTD orders whose time has come."""
        self.now = time
        while (end := self.next_end()) is not None and end <= time:
            order = self.orders[heapq.heappop(self._ends)[1]]
            self._end(self.markets[order.symbol], order, VenueState.EXPIRED, Code.TIME)

    def _ended(self, order: str) -> bool:
        return order not in self.orders or self.orders[order].done

    # What happens to an order.

    def _fill(self, market: Market, order: Working, lots: int, price: int, *, maker: bool) -> None:
        fill = self.account.book(order, market.instrument, lots, price, maker, self.now, self.rules)
        order.filled += lots
        self.said.append(fill.report(self.name, market.instrument))

    def _say_filled(self, market: Market, order: Working) -> None:
        if order.left == 0:
            self._end(market, order, VenueState.FILLED, "")
        else:
            order.state, order.changed = VenueState.PARTIALLY_FILLED, self.now
            self.touched.add(order.id)
            self.said.append(order.report(self.name, market.instrument))

    def _end(self, market: Market, order: Working, state: VenueState, code: str) -> None:
        market.take_off(order)
        order.state, order.code, order.changed = state, str(code), self.now
        self.touched.add(order.id)
        self._finished[order.id] = self.now
        self.said.append(order.report(self.name, market.instrument))

    def _trim(self, market: Market, before: int) -> None:
        """Take off what can only reduce a position that is gone, if there was a fill after so many."""
        if len(self.account.fills) == before:
            return
        for order in [each for each in market.working() if each.reduce_only]:
            if reducible(order, self.account) == 0:
                self._end(market, order, VenueState.CANCELLED, Code.REDUCE_ONLY)

    def _reject(self, order: Order, code: str, reduce_only: bool) -> None:
        """Refuse an order, which leaves no trace: nothing happened, and its id may be used again."""
        self.said.append(
            OrderReport(
                self.name,
                order.id,
                None,
                order.symbol,
                VenueState.REJECTED,
                order.size,
                Decimal(0),
                self.now,
                self.now,
                order.level,
                order.limit,
                reduce_only,
                code,
            )
        )

    def _failed(self, order: str, kind: RequestKind, code: str) -> RequestFailed:
        return RequestFailed(self.name, order, kind, True, str(code), self.now)

    def _tier(self) -> FeeTier:
        return self.rules.tier(self.account.volume(self.now, self.rules))

    def _next_priority(self) -> int:
        self._priorities += 1
        return self._priorities

    def _forget(self, time: int) -> None:
        """Forget orders that finished longer ago than the retention."""
        for order, ended in list(self._finished.items()):
            if ended + self.rules.retention >= time:
                return
            del self._finished[order], self.orders[order]
            self.touched.add(order)

    # What survives.

    def state(self) -> dict[str, Any]:
        """All but the orders, fills and books, as JSON."""
        return {
            "now": self.now,
            "cash": str(self.account.cash),
            "opened": self.account.opened,
            "numbers": self._numbers,
            "priorities": self._priorities,
            "used": [[place, *used] for place, used in self._used.items()],
        }

    def restore(
        self, state: dict[str, Any], books: dict[str, Any], orders: Iterable[Working], fills: Iterable[Fill]
    ) -> None:
        """Go on where a state was taken."""
        instruments = {symbol: market.instrument for symbol, market in self.markets.items()}
        self.now = state["now"]
        self.account = Account.of(Decimal(state["cash"]), state["opened"], fills, instruments)
        self._numbers, self._priorities = state["numbers"], state["priorities"]
        self._used = {place: (window, weight) for place, window, weight in state["used"]}
        for symbol, book in books.items():
            self.markets[symbol].restore(book)
        self.orders = {order.id: order for order in sorted(orders, key=lambda each: each.number or 0)}
        for order in sorted(self.orders.values(), key=lambda each: each.priority):
            if not order.done:
                self.markets[order.symbol].place(order)
        self._ends = [(order.expires, order.id) for order in self.orders.values() if order.expires and not order.done]
        heapq.heapify(self._ends)
        ended = sorted((order.changed, order.number or 0, order.id) for order in self.orders.values() if order.done)
        self._finished = {order: time for time, _, order in ended}


def _keeps_place(old: Working, new: Working) -> bool:
    """Whether an order that replaces another takes over its place: the same, of no more than was left."""
    same = (new.limit, new.level, new.type, new.reduce_only) == (old.limit, old.level, old.type, old.reduce_only)
    return old.resting and same and new.lots <= old.left and new.time_in_force not in AT_ONCE
