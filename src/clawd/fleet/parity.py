"""Parity: what a day on paper made, less what the backtester makes of it, told cause by cause, in money.

The way from one to the other is a chain of replays. It begins with the backtest of the day and imposes one fact more at
each step, class after class in the order of :class:`~clawd.fleet.parity_words.Cause` and in order of time within a
class. What a fact costs is the profit with it less the profit without it, so all of them add up by construction; what
is left at the end is not explained.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import groupby

import numpy as np

from clawd.core.costs import Costs
from clawd.core.events import RunStarted
from clawd.core.panel import Panel
from clawd.engine.backtest import market_of
from clawd.fleet.parity_difference import AgentParity, DayParity, Difference
from clawd.fleet.parity_facts import Facts, History
from clawd.fleet.parity_record import ALL, IMPOSED, Key, Note
from clawd.fleet.parity_replay import Course, Stretch, backtested, course_of, same_bars, seen_panel
from clawd.fleet.parity_twin import Twin
from clawd.fleet.parity_words import Cause, moment, plain
from clawd.fleet.run import finalists_of

#: Facts of one cause, agent and day that are told one by one; of more, some in a row are told together.
_MOST_STEPS = 100

#: Bars that a line names before it counts the rest.
_NAMED = 3


def parities(
    history: History, market: Panel, *, compare: bool = False, agents: Sequence[str] = ()
) -> Iterator[DayParity]:
    """Compare the days of a history with the backtester, one after the other.

    Args:
        history: of a run.
        market: it has the run's instruments, and the bars before the run.
        compare: whether its bars are set against those that the fleet saw; they are not where it is another market's.
        agents: only these; all where empty.

    Raises:
        ClawdError: when a strategy does not fit the market.
    """
    start = history.start
    seen = seen_panel(market, start, history.bars)
    catalog = _cut(market, seen, start) if compare else seen
    strategies = finalists_of(start)
    courses: dict[tuple[int, bool], Course] = {}

    def course(rank: int, *, now: bool) -> Course:
        if (rank, now) not in courses:
            of_it = market_of(strategies[rank], catalog if now else seen)
            courses[rank, now] = course_of(strategies[rank], of_it, start.first)
        return courses[rank, now]

    costs = Costs(start.fee, start.slippage)
    differ = not same_bars(seen, catalog)
    for day in history.days:
        found = []
        for name, opening in day.openings.items():
            if agents and name not in agents:
                continue
            stretch = Stretch(course(opening.rank, now=False), opening, day.marks, costs, day.last)
            bars = Stretch(course(opening.rank, now=True), opening, day.marks, costs, day.last) if differ else stretch
            found.append(_agent(stretch, bars, start.symbols, day.facts[name]))
        yield DayParity(day.day, tuple(found), day.profit, not agents)


def _cut(market: Panel, seen: Panel, start: RunStarted) -> Panel:
    """The market's bars up to the last one seen, in the order of the run's instruments, with the run's steps."""
    rows = [market.symbols.index(symbol) for symbol in start.symbols]
    ordered = seen_panel(market, start, ())
    upto = market.between(0, int(np.searchsorted(market.times, seen.times[-1], "right")))
    return Panel(
        instruments=ordered.instruments,
        bar=market.bar,
        times=upto.times,
        open=upto.open[rows],
        high=upto.high[rows],
        low=upto.low[rows],
        close=upto.close[rows],
        volume=upto.volume[rows],
        funding=upto.funding[rows],
        bars_per_year=market.bars_per_year,
        series={name: values if values.ndim == 1 else values[rows] for name, values in upto.series.items()},
        groups=ordered.groups,
        vwap=None if upto.vwap is None else upto.vwap[rows],
    )


def _agent(stretch: Stretch, catalog: Stretch, symbols: Sequence[str], facts: Facts) -> AgentParity:
    opening = stretch.opening
    replayed = backtested(catalog, symbols)
    real = facts.close - opening.worth
    differences = list(_explained(stretch, catalog, symbols, facts, replayed, real))
    return AgentParity(opening.agent, opening.strategy, replayed, real, tuple(differences))


def _explained(
    stretch: Stretch, catalog: Stretch, symbols: Sequence[str], facts: Facts, replayed: Decimal, real: Decimal
) -> Iterator[Difference]:
    """The chain of replays, from the backtest of the catalog's bars to what happened."""
    opening, panel = stretch.opening, stretch.course.panel
    began = max(opening.bar + panel.bar, 0) if stretch.decides_first else int(panel.times[stretch.course.started])

    def told(cause: Cause, symbol: str, time: int, words: str, money: Decimal) -> Difference:
        return Difference(cause, opening.agent, symbol, time, words, money)

    at = replayed
    if catalog is not stretch:
        seen = backtested(stretch, symbols)
        if seen != at:
            yield told(Cause.BARS, "", began, _bars_told(catalog, stretch), seen - at)
        at = seen
    twin = Twin(stretch, symbols, facts)
    cuts: dict[Cause, Key] = {}
    replay = twin.replay(cuts)
    if replay.profit != at:
        yield told(Cause.UNEXPLAINED, "", began, "the replay bar by bar is not the backtest", replay.profit - at)
    everything = twin.replay(dict.fromkeys(IMPOSED, ALL))
    # Where no fact changes anything, none does on the way there either.
    for cause in IMPOSED if everything.notes else ():
        whole = twin.replay(cuts | {cause: ALL})
        notes = whole.of(cause)
        groups = _steps(notes)
        for place, group in enumerate(groups):
            last = place + 1 == len(groups)
            step = whole if last else twin.replay(cuts | {cause: group[-1].key}, replay, group[0].key[0])
            if step.profit != replay.profit:
                first, cost = group[0], step.profit - replay.profit
                yield told(_reported(cause), first.symbol, first.time, _told_together(group), cost)
            replay = step
        if not notes and whole.profit != replay.profit:
            yield told(Cause.UNEXPLAINED, "", began, f"{cause} without a fact", whole.profit - replay.profit)
        cuts[cause], replay = ALL, whole
    replay = everything if not everything.notes else replay
    left = real - replay.profit
    for fill, surplus in (each for fees in replay.fees.values() for each in fees):
        if surplus:
            words = f"fee of {plain(fill.fee)} on {plain(fill.size)} at {fill.price}, the model says "
            yield told(Cause.FEES, fill.symbol, fill.time, words + plain(fill.fee - surplus), -surplus)
            left += surplus
    for time, symbol in sorted({*replay.funding, *facts.funding} - {(opening.bar, each) for each in symbols}):
        paid, due = facts.funding.get((time, symbol), Decimal(0)), replay.funding.get((time, symbol), Decimal(0))
        if paid != due:
            words = f"funding paid {plain(paid)}, the market's rate says {plain(due)}"
            yield told(Cause.FUNDING, symbol, time + panel.bar, words, due - paid)
            left -= due - paid
    strangers = replay.of(Cause.UNEXPLAINED)
    for place, note in enumerate(strangers):
        yield told(Cause.UNEXPLAINED, note.symbol, note.time, note.words, left if place == 0 else Decimal(0))
    if left and not strangers:
        yield told(Cause.UNEXPLAINED, "", began, "the facts in the journal do not give the profit of its books", left)


def _steps(notes: Sequence[Note]) -> list[list[Note]]:
    """Facts by the step of the chain that imposes them: those of one moment are one, and so are many in a row."""
    moments = [list(group) for _, group in groupby(notes, key=lambda note: note.key)]
    size = max(-(-len(moments) // _MOST_STEPS), 1)
    return [
        [note for group in moments[place : place + size] for note in group] for place in range(0, len(moments), size)
    ]


def _told_together(group: Sequence[Note]) -> str:
    same = [note for note in group if note.key == group[0].key]
    words = "; ".join(note.words for note in same)
    rest = len(group) - len(same)
    return f"{words}; and {rest} more until {moment(group[-1].time)}" if rest else words


def _bars_told(catalog: Stretch, seen: Stretch) -> str:
    """Which bars of the day, and how many before it, are not those that the fleet saw."""
    now, then = catalog.course.panel, seen.course.panel
    opened = int(then.times[seen.columns.start]) if seen.columns else int(then.times[-1])
    unseen: list[str] = []
    changed: list[str] = []
    gone: list[str] = []
    earlier = 0
    for time in np.union1d(now.times, then.times):
        one, other = _bar(now, int(time)), _bar(then, int(time))
        for symbol in now.symbols:
            mine, theirs = one.get(symbol), other.get(symbol)
            if mine == theirs:
                continue
            if time < opened:
                earlier += 1
            else:
                place = unseen if theirs is None else gone if mine is None else changed
                place.append(f"{symbol} {moment(int(time))}")
    parts = [
        f"{_some(places)} {words}"
        for places, words in (
            (unseen, "not seen by the fleet"),
            (changed, "seen with other figures"),
            (gone, "seen by the fleet and gone since"),
        )
        if places
    ]
    if earlier:
        parts.append(f"{earlier} earlier bars that are not those seen")
    return "; ".join(parts) or "bars that are not those seen"


def _bar(panel: Panel, time: int) -> dict[str, tuple[str, ...]]:
    """The bars of a time by instrument, as texts, which are equal where the figures are, unknown ones included."""
    column = int(np.searchsorted(panel.times, time))
    if column == panel.times.size or panel.times[column] != time:
        return {}
    fields = (panel.open, panel.high, panel.low, panel.close, panel.volume)
    return {
        symbol: tuple(repr(float(field[row, column])) for field in fields)
        for row, symbol in enumerate(panel.symbols)
        if panel.present[row, column]
    }


def _some(places: Sequence[str]) -> str:
    rest = len(places) - _NAMED
    return ", ".join(places[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _reported(cause: Cause) -> Cause:
    return Cause.SLIPPAGE if cause is Cause.LATE_SLIPPAGE else cause
