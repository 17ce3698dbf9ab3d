"""The fleet at work: one bar after another through venue, books, evidence, firing, hiring, decisions and gate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_FLOOR, Decimal
from typing import Final

import numpy as np

from clawd.core.account_events import (
    PAUSED,
    AgentPaused,
    AgentUnpaused,
    FlattenBegan,
    FlatVerified,
    TradingState,
    TradingStateChanged,
)
from clawd.core.clock import ReplayClock, utc_day
from clawd.core.events import (
    AgentFired,
    AgentHired,
    AgentReleased,
    BarClosed,
    DayOpened,
    FundingPaid,
    HaltBegan,
    HaltEnded,
    HypothesisProven,
    IntentsProposed,
    KnowledgeNoted,
    RunFinished,
    Wish,
)
from clawd.core.money import booked_amount, booked_float, booked_size
from clawd.core.orders import Order, OrderKind, order_id
from clawd.core.panel import Panel
from clawd.core.reason import Reason
from clawd.engine.decision import decide
from clawd.engine.plan import CHANDELIER
from clawd.engine.position import stop_level
from clawd.engine.runtime import Decisions
from clawd.evidence.eprocess import EProcess
from clawd.evidence.information import counts_from
from clawd.evidence.monitor import why_to_fire
from clawd.fleet.agent_book import AgentBook, entry_stop_distance
from clawd.fleet.books import Books
from clawd.fleet.claims import Claims
from clawd.fleet.desk import Desk, Record
from clawd.fleet.programs import Programs
from clawd.fleet.wishes import enter_nothing, same, wish_of
from clawd.language.strategy import Strategy
from clawd.risk.reserve import entry_reserve_per_unit, leaving_rate, position_reserve
from clawd.store.switchboard import NOTHING_ORDERED, Command, Pause, Switch
from clawd.venues.paper import Bar, PaperVenue

#: A position that no longer fits its share of the day is cut to this part of what fits, not to the last lot every bar.
ROOM_LEFT: Final = Decimal("0.9")


class Fleet:
    """Agents on paper, from wherever the books stand.

    Args:
        books: a fold of the journal so far.
        venue: the paper account, as the same journal left it.
        strategies: the run's finalists, in the order of ``books.start.finalists``.
        panel: every bar of the run's market, the ones before the run included: they warm the programs up.
        first: index of the first bar to trade that the journal does not have yet.
        claims: where the agents are registered as hypotheses.
        ordered: what a person orders at the moment of asking; asked once a bar.
        paused: the last word of a person on each strategy that was ever paused, by content hash; asked once a bar.
    """

    def __init__(
        self,
        books: Books,
        venue: PaperVenue,
        strategies: Sequence[Strategy],
        panel: Panel,
        first: int,
        claims: Claims,
        ordered: Callable[[], Command] = lambda: NOTHING_ORDERED,
        paused: Callable[[], Mapping[str, Pause]] = dict,
    ) -> None:
        self.clock = ReplayClock(int(panel.times[first - 1]) + panel.bar if first else 0)
        instruments = {instrument.symbol: instrument for instrument in panel.instruments}
        self.desk = Desk(books, venue, instruments, self.clock)
        self.books = books
        self.claims = claims
        self._ordered = ordered
        self._paused = paused
        self.strategies = strategies
        self.panel = panel
        self.next_bar = first
        self._programs = Programs(strategies, panel)
        self._lots = panel.lots
        started = int(np.searchsorted(panel.times, books.start.first))
        if started:
            self._programs.warm_up(panel.between(0, started))
        if first > started:
            self._programs.advance(panel.between(started, first))

    def step(self) -> list[Record]:
        """Live through the next bar and return its records, to be appended to the journal in one transaction."""
        desk, books, panel = self.desk, self.books, self.panel
        index = self.next_bar
        row = panel.between(index, index + 1)
        time = int(row.times[0])
        bars = _bars(row)
        desk.events, desk.records = [], []
        self.clock.set(time)
        if not books.agents:
            desk.enter(KnowledgeNoted(until=self.claims.shown_until()))
            self._hire()
        self._open_day_before(time)
        desk.match(bars, time)
        self.clock.set(time + panel.bar)
        decisions = self._programs.advance(row)
        values = {symbol: _values(bar) for symbol, bar in bars.items()}
        desk.enter(BarClosed(time=time, bars=values, ranges=self._ranges(decisions, bars)))
        self._pay_funding(row)
        for agent in books.agents.values():
            for symbol in bars:
                if agent.sizes[symbol]:
                    desk.keep_exits(agent, symbol, time)
        self._open_day()
        self._fire()
        self._hire()
        self._heed_pauses()
        self._obey()
        if books.halted_until is None and not books.flattening:
            for agent in books.active_agents():
                self._decide(agent, decisions[agent.row], row)
        self._protect()
        desk.enter(books.marked())
        self._prove()
        self.next_bar += 1
        if self.next_bar == panel.times.size:
            desk.enter(RunFinished(bars=books.bars, equity=books.equity))
        return desk.records

    # Evidence decides who has a slot.

    def _hire(self) -> None:
        books, start = self.books, self.books.start
        used = {agent.content_hash for agent in books.agents.values()}
        occupied = sum(not agent.released for agent in books.agents.values())
        for finalist, strategy in zip(start.finalists, self.strategies, strict=True):
            if occupied >= start.slots:
                return
            if finalist["content_hash"] in used:
                continue
            capital = min((start.capital / start.slots).quantize(Decimal("1e-8"), ROUND_FLOOR), books.unallotted)
            if capital <= 0:
                return
            claim = self.claims.claim(strategy, counts_from([books.known_until]))
            self.desk.enter(
                AgentHired(
                    agent=f"a{len(books.agents) + 1:03d}",
                    strategy=strategy.name,
                    content_hash=strategy.content_hash,
                    rank=int(finalist["rank"]),
                    capital=capital,
                    hypothesis=claim.number,
                    level=claim.level,
                    promotions_before=claim.promotions_before,
                    counts_from=claim.counts_from,
                    evidence=None if claim.evidence == EProcess() else claim.evidence.to_json(),
                )
            )
            occupied += 1

    def _fire(self) -> None:
        books, limit = self.books, self.books.start.max_drawdown
        for agent in list(books.agents.values()):
            if agent.released:
                continue
            if agent.active:
                drawdown, monitor = agent.drawdown(books.marks), books.monitor_of(agent)
                if why := why_to_fire(monitor, drawdown, limit):
                    wealth = monitor.wealth
                    self.desk.enter(AgentFired(agent=agent.id, why=why, drawdown=drawdown, limit=limit, wealth=wealth))
                    self._close_all(agent, Reason.FIRED)
            if not agent.active and agent.flat and not books.has_orders(agent.id):
                self.desk.enter(AgentReleased(agent=agent.id, capital=agent.cash))

    def _prove(self) -> None:
        for agent in self.books.agents.values():
            if not agent.proven and agent.evidence.reached(agent.level):
                wealth = agent.evidence.peak
                self.desk.enter(
                    HypothesisProven(agent=agent.id, hypothesis=agent.hypothesis, wealth=wealth, level=agent.level)
                )

    # A person's orders.

    def _heed_pauses(self) -> None:
        """Pause and unpause agents as a person has said last."""
        books, said = self.books, self._paused()
        for agent in books.agents.values():
            pause = said.get(agent.content_hash)
            if pause is None or agent.released or agent.paused is pause.paused:
                continue
            kind = AgentPaused if pause.paused else AgentUnpaused
            self.desk.enter(kind(agent=agent.id, by=pause.by, why=pause.why, pause=pause.number))
            if agent.paused:
                self._cancel_entries(PAUSED, agent)

    def _obey(self) -> None:
        """Do what a person has ordered since the last bar, and go on closing where everything is to be closed."""
        books, command = self.books, self._ordered()
        if command.number != books.command:
            self.desk.enter(
                TradingStateChanged(state=command.switch.state, by=command.by, why=command.why, command=command.number)
            )
            if books.state is not TradingState.ACTIVE:
                self._cancel_entries(Reason.HALT.name)
            if command.switch is Switch.FLATTEN:
                self.desk.enter(FlattenBegan(by=command.by, why=command.why))
        if not books.flattening:
            return
        for agent in books.agents.values():
            self._close_all(agent, Reason.HALT)
        venue = self.desk.venue
        if not venue.orders and not any(venue.positions.values()):
            self.desk.enter(FlatVerified(venue_time=self.clock.now()))

    def _cancel_entries(self, why: str, agent: AgentBook | None = None) -> None:
        """Take off the entries that work: those of one agent, or all."""
        for order in list(self.books.orders.values()):
            if order.kind is OrderKind.OPENING and (agent is None or order.agent == agent.id):
                self.desk.cancel(order, why)

    # The day's limit.

    def _open_day_before(self, time: int) -> None:
        """After a pause of the market the day opens with the bar that ends the pause, not with that bar's close."""
        books = self.books
        if 0 <= books.day < utc_day(time):
            self.desk.enter(DayOpened(day=utc_day(time), equity=books.equity))
            if books.halted_until is not None and books.day >= books.halted_until:
                self.desk.enter(HaltEnded(day=books.day))

    def _open_day(self) -> None:
        books, limit = self.books, self.desk.limits.day_loss
        today = utc_day(self.clock.now())
        loss = books.day_loss
        if loss >= limit and books.halted_until is None and books.day >= 0:
            self.desk.enter(HaltBegan(day=books.day, until_day=today + 1, loss=loss, limit=limit, beyond=loss - limit))
            for agent in books.agents.values():
                self._close_all(agent, Reason.HALT)
        if today != books.day:
            self.desk.enter(DayOpened(day=today, equity=books.equity))
            if books.halted_until is not None and today >= books.halted_until:
                self.desk.enter(HaltEnded(day=today))

    def _protect(self) -> None:
        """Make positions smaller where the worst case still to come no longer fits the agent's share of the day."""
        books = self.books
        costs = books.costs
        for agent in books.active_agents():
            reserved = books.reserved_by(agent)
            free = max(self.desk.share_of(agent) - agent.day_loss(books.marks), Decimal(0))
            if reserved <= free:
                continue
            held: list[tuple[int, str, Decimal]] = []
            at_stops = to_leave = Decimal(0)
            for row, symbol in enumerate(books.symbols):
                position = agent.positions[row]
                size = agent.sizes[symbol] + booked_size(position["closing"], books.start.lots[row])
                if size:
                    held.append((row, symbol, size))
                    mark, stop = books.marks[symbol], booked_float(stop_level(position))
                    at_stops += position_reserve(size, mark, stop, costs)
                    to_leave += abs(size) * mark * leaving_rate(costs)
            # Leaving costs as well: what is kept and what is given up must fit together.
            room = max(ROOM_LEFT * free - (reserved - at_stops) - to_leave, Decimal(0))
            kept = room / (at_stops - to_leave) if at_stops > to_leave else Decimal(0)
            for row, symbol, size in held:
                lot = books.start.lots[row]
                rest = (abs(size) * kept / lot).to_integral_value(ROUND_FLOOR) * lot
                closing = (rest if size > 0 else -rest) - agent.sizes[symbol]
                self._close(agent, symbol, closing, Reason.BUDGET, float(agent.positions[row]["acted"]))

    # Decisions.

    def _decide(self, agent: AgentBook, decisions: Decisions, row: Panel) -> None:
        """Ask what an agent wants after this bar, and take it to the gate."""
        rows = self._programs.rows[agent.row]
        before = agent.positions[rows]
        after = before.copy()
        after["target"] = np.nan_to_num(self._programs.latest[agent.row])
        decide(
            after,
            self._programs.plans[agent.row],
            np.ascontiguousarray(row.close[rows]),
            np.ascontiguousarray(row.present[rows]),
            np.ascontiguousarray(decisions.ranges),
            0,
            float(agent.capital),
            self._lots[rows],
            False,
        )
        if self.books.state is not TradingState.ACTIVE or agent.paused:
            enter_nothing(before, after)
        changed = [k for k in range(len(rows)) if not same(before[k], after[k])]
        if not changed:
            return
        wishes = [wish_of(self.books.symbols[rows[k]], after[k]) for k in changed]
        for wish in wishes:
            self.desk.replace_market_orders(agent, wish.symbol)
        self.desk.enter(IntentsProposed(agent=agent.id, wishes=wishes))
        for wish in wishes:
            self._send(agent, wish, OrderKind.CLOSING, wish.closing, wish.closing_reason)
        openings = [wish for wish in wishes if wish.opening]
        # Entries of one moment share what is free by what each would put at risk, so none depends on coming first.
        risks = [self._risk_of(agent, wish) for wish in openings]
        for k, wish in enumerate(openings):
            rest = sum(risks[k:], Decimal(0))
            part = risks[k] / rest if rest else Decimal(1)
            self._send(agent, wish, OrderKind.OPENING, wish.opening, wish.opening_reason, part)

    def _risk_of(self, agent: AgentBook, wish: Wish) -> Decimal:
        """What would be reserved for a wished entry; the wish is in the books already."""
        row = self.books.row(wish.symbol)
        size = booked_float(abs(wish.opening)) * self.books.start.lots[row]
        distance = entry_stop_distance(agent.positions[row])
        side = 1 if wish.opening > 0 else -1
        return size * entry_reserve_per_unit(booked_float(wish.reference), distance, side, self.books.costs)

    def _send(
        self,
        agent: AgentBook,
        wish: Wish,
        kind: OrderKind,
        lots: float,
        reason: int,
        part: Decimal = Decimal(1),
    ) -> None:
        if not lots:
            return
        order = Order(
            id=order_id(agent.id, wish.symbol, self.books.time, kind),
            agent=agent.id,
            symbol=wish.symbol,
            kind=kind,
            size=booked_size(lots, self.books.start.lots[self.books.row(wish.symbol)]),
            reason=Reason(reason),
            reference=self.books.marks[wish.symbol],
        )
        self.desk.send(order, agent, part)

    def _close_all(self, agent: AgentBook, reason: Reason) -> None:
        for symbol in self.books.symbols:
            self.desk.replace_market_orders(agent, symbol, reason.name)
            if agent.sizes[symbol]:
                self._close(agent, symbol, -agent.sizes[symbol], reason, None)

    def _close(self, agent: AgentBook, symbol: str, size: Decimal, reason: Reason, acted: float | None) -> None:
        row = self.books.row(symbol)
        self.desk.replace_market_orders(agent, symbol)
        wish = Wish(
            symbol=symbol,
            exposure=None if acted is None or np.isnan(acted) else float(acted),
            shut=int(agent.positions[row]["shut"]),
            closing=float(size / self.books.start.lots[row]),
            closing_reason=int(reason),
        )
        self.desk.enter(IntentsProposed(agent=agent.id, wishes=[wish]))
        self._send(agent, wish, OrderKind.CLOSING, wish.closing, wish.closing_reason)

    # Bars.

    def _pay_funding(self, row: Panel) -> None:
        for index, symbol in enumerate(row.symbols):
            rate = float(row.funding[index, 0])
            if rate == 0.0 or not row.present[index, 0]:
                continue
            for agent in self.books.agents.values():
                if size := agent.sizes[symbol]:
                    amount = booked_amount(size * self.books.marks[symbol] * booked_float(rate))
                    self.desk.enter(FundingPaid(agent=agent.id, symbol=symbol, rate=rate, amount=amount))
                    self.desk.venue.pay_funding(amount)

    def _ranges(self, decisions: Sequence[Decisions], bars: Mapping[str, Bar]) -> dict[str, dict[int, float]]:
        """The average true ranges at the close that the levels of agents' positions hang by, where they are known."""
        found: dict[str, dict[int, float]] = {}
        for agent in self.books.agents.values():
            chandelier = agent.exits.chandelier
            if agent.released or chandelier is None or chandelier.window is None:
                continue
            values = decisions[agent.row].ranges[self._programs.plans[agent.row]["window"][CHANDELIER], :, 0]
            for row, value in zip(self._programs.rows[agent.row], values, strict=True):
                symbol = self.books.symbols[row]
                if agent.sizes[symbol] and symbol in bars and np.isfinite(value):
                    found.setdefault(symbol, {})[chandelier.window] = float(value)
        return found


def _bars(row: Panel) -> dict[str, Bar]:
    fields = (row.open, row.high, row.low, row.close, row.volume)
    return {
        symbol: Bar(*(float(field[index, 0]) for field in fields))
        for index, symbol in enumerate(row.symbols)
        if row.present[index, 0]
    }


def _values(bar: Bar) -> tuple[float, float, float, float, float | None]:
    return bar.open, bar.high, bar.low, bar.close, None if np.isnan(bar.volume) else bar.volume
