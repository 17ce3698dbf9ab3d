"""Runs whose venue lies about fills on purpose, read back as the parity report reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal

from fleet_worlds import Trading, costs_of

from clawd.core.clock import utc_day
from clawd.core.event import Event
from clawd.core.events import BarClosed
from clawd.core.panel import Panel
from clawd.core.settings import Settings
from clawd.fleet.fleet import Fleet
from clawd.fleet.parity import parities
from clawd.fleet.parity_difference import AgentParity, DayParity
from clawd.fleet.parity_facts import History, read_history
from clawd.fleet.parity_words import Cause
from clawd.language.strategy import Strategy
from clawd.store.switchboard import NOTHING_ORDERED, Command, Pause
from clawd.venues.paper import Bar, CancelReport, FillReport, PaperVenue, Phase

Reports = list[FillReport | CancelReport]

#: What becomes of a report in a bar, counted from 0: itself, another one, or None for not in this bar.
Doctor = Callable[[int, FillReport | CancelReport], FillReport | CancelReport | None]


class DoctoredVenue(PaperVenue):
    """The paper venue, with another word in the end."""

    doctor: Doctor
    bar = -1

    def match(self, phase: Phase, bars: Mapping[str, Bar], averages: Mapping[str, Decimal]) -> Reports:
        found = [self.doctor(self.bar, report) for report in super().match(phase, bars, averages)]
        return [report for report in found if report is not None]


def traded(
    strategies: Sequence[Strategy],
    panel: Panel,
    settings: Settings,
    first: int = 1,
    doctor: Doctor = lambda _, report: report,
    ordered: Callable[[], Command] = lambda: NOTHING_ORDERED,
    paused: Callable[[], Mapping[str, Pause]] = dict,
) -> list[Event]:
    """The events of a whole run, at a venue whose reports go through ``doctor``, under a person's orders."""
    trading = Trading(strategies, panel, settings, first)
    venue = DoctoredVenue(panel.instruments, costs_of(settings), settings.capital)
    venue.doctor = doctor
    trading.venue = venue
    trading.fleet = Fleet(trading.books, venue, strategies, panel, first, trading.claims, ordered, paused)
    events: list[Event] = [trading.start]
    venue.bar = first
    for found in trading.bars():
        events += found
        venue.bar = trading.fleet.next_bar
    return events


def history_of(events: Iterable[Event], days: Sequence[int] | None = None) -> History:
    """What a run's events say of its days, of all of them where none is given."""
    found = list(events)
    times = [event.time for event in found if isinstance(event, BarClosed)]
    return read_history(found, times, {utc_day(time) for time in times} if days is None else days)


def compared(events: Iterable[Event], market: Panel, *, compare: bool = False) -> list[DayParity]:
    """The parity of every day."""
    days = list(parities(history_of(events), market, compare=compare))
    for day in days:
        for agent in day.agents:
            adds_up(agent)
        assert day.beside == 0
    return days


def adds_up(agent: AgentParity) -> None:
    """Real less replayed is the sum of the causes, to the last digit."""
    assert agent.real - agent.replayed == sum((agent.of(cause) for cause in Cause), Decimal(0))


def strangers(days: Iterable[DayParity]) -> list[str]:
    """What is not explained, in words."""
    return [
        f"{day.day} {agent.agent} {each.symbol} {each.words}: {each.money}"
        for day in days
        for agent in day.agents
        for each in agent.differences
        if each.cause is Cause.UNEXPLAINED
    ]
