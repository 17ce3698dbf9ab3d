"""The books of one agent: a virtual sub-account with its own positions, cash, profit and evidence."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from clawd.core.costs import Costs
from clawd.core.money import booked_float, cash_of_fill, studied
from clawd.core.reason import Reason
from clawd.engine.plan import STOP, plan_of
from clawd.engine.position import POSITION, stop_level
from clawd.engine.stakes import bound_of, most_funding, position_at_risk
from clawd.evidence.eprocess import EProcess
from clawd.evidence.monitor import Monitor
from clawd.fleet.claims import Bet
from clawd.language.exits import Exits
from clawd.risk.reserve import entry_reserve_per_unit, leaving_rate, position_reserve

#: A stop is never nearer than this share of the price: about a tick.
NEAREST_STOP = 1e-9


@dataclass(slots=True)
class AgentBook:
    """What the journal says of one agent. Money is in quote currency.

    Attributes:
        id, strategy, content_hash, rank: who it is.
        row: place of its strategy among the run's finalists.
        capital: what it was given; exposures and returns are shares of it.
        hypothesis: its number in the home's registry.
        level: wealth that its evidence needs for the door of HOT.
        counts_from: bars that open earlier are no evidence, UTC nanoseconds.
        cash: capital plus everything that its fills paid and received.
        positions: [I] of :data:`~clawd.engine.position.POSITION`, what its decisions and exits remember.
        exits: how its positions are left.
        sizes: signed size by symbol.
        invested: signed entry notional of the open position by symbol.
        episode: cash that the open position has cost (negative) or brought so far, by symbol.
        evidence: its e-process; with it ``bound``, the most that the coming bar can lose as a share of the capital,
            and ``bet``, what the last bar added to it, None where it did not count.
        monitor: the evidence that it loses, from every bar since it was hired.
        proven: whether the journal says that its evidence has reached its level.
        fired: why it lost its slot, None while it has it; ``paused``, whether a person lets it enter nothing for now.
        plan: its exits as numbers, with the windows of its own average true ranges.
        equity, peak, day_equity: at the last mark, the highest so far, and when the day opened.
    """

    id: str
    strategy: str
    content_hash: str
    rank: int
    row: int
    capital: Decimal
    hypothesis: int
    level: float
    counts_from: int
    cash: Decimal
    positions: NDArray[np.void]
    exits: Exits
    hired_at: int
    sizes: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    invested: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    episode: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    evidence: EProcess = field(default_factory=EProcess)
    bound: float = 0.0
    bet: Bet | None = None
    monitor: Monitor = field(default_factory=Monitor)
    proven: bool = False
    equity: Decimal = Decimal(0)
    peak: Decimal = Decimal(0)
    day_equity: Decimal = Decimal(0)
    deepest: Decimal = Decimal(0)
    profits: list[Decimal] = field(default_factory=list)
    traded: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    slippage: Decimal = Decimal(0)
    funding: Decimal = Decimal(0)
    refusals: int = 0
    fired: str | None = None
    paused: bool = False
    released: bool = False
    plan: np.void = field(init=False)

    def __post_init__(self) -> None:
        self.plan = plan_of(self.exits, self.exits.windows)

    @property
    def active(self) -> bool:
        """Whether it has its slot."""
        return self.fired is None

    @property
    def flat(self) -> bool:
        return not any(self.sizes.values())

    @property
    def profit(self) -> Decimal:
        """Profit and loss since it was hired, open positions at their marks."""
        return self.equity - self.capital

    def drawdown(self, marks: dict[str, Decimal]) -> Decimal:
        """How far its equity at some marks lies below its peak, as a share of its capital."""
        value = self.value(marks)
        return (max(self.peak, value) - value) / self.capital

    def day_loss(self, marks: dict[str, Decimal]) -> Decimal:
        """Its loss since the day opened, at some marks, not negative."""
        return max(self.day_equity - self.value(marks), Decimal(0))

    def average(self, symbol: str) -> Decimal | None:
        """Average entry price of the open position, None while flat."""
        size = self.sizes[symbol]
        return self.invested[symbol] / size if size else None

    def book(self, symbol: str, size: Decimal, price: Decimal, fee: Decimal, slippage: Decimal) -> None:
        """Book a fill on cash, size and profit."""
        held = self.sizes[symbol]
        flow = cash_of_fill(size, price) - fee
        self.cash += flow
        self.episode[symbol] += flow
        self.invested[symbol] += size * price if held * size >= 0 else size * self.invested[symbol] / held
        self.sizes[symbol] = held + size
        self.traded += abs(size) * price
        self.fees += fee
        self.slippage += slippage
        if self.sizes[symbol] == 0:
            self.profits.append(self.episode.pop(symbol))
            self.invested.pop(symbol)

    def value(self, marks: dict[str, Decimal]) -> Decimal:
        """Equity at some marks."""
        return self.cash + sum((size * marks[symbol] for symbol, size in self.sizes.items() if size), Decimal(0))

    def exposure(self, marks: dict[str, Decimal]) -> Decimal:
        """Notional of its positions."""
        return sum((abs(size) * marks[symbol] for symbol, size in self.sizes.items() if size), Decimal(0))

    def position_reserved(self, symbols: tuple[str, ...], marks: dict[str, Decimal], costs: Costs) -> Decimal:
        """The worst case still to come of its open positions. What is being closed keeps only its costs."""
        total = Decimal(0)
        for symbol, position in zip(symbols, self.positions, strict=True):
            if size := self.sizes.get(symbol):
                closing = size * booked_float(abs(position["closing"] / position["lots"]))
                total += position_reserve(size - closing, marks[symbol], booked_float(stop_level(position)), costs)
                total += abs(closing) * marks[symbol] * leaving_rate(costs)
        return total

    def entry_reserved(self, symbols: tuple[str, ...], lots: tuple[Decimal, ...], costs: Costs) -> Decimal:
        """The worst case of its working entries."""
        total = Decimal(0)
        for row in range(len(symbols)):
            position = self.positions[row]
            if position["opening"] != 0.0:
                price = booked_float(position["reference"])
                distance = entry_stop_distance(position)
                side = 1 if position["opening"] > 0 else -1
                size = abs(booked_float(position["opening"])) * lots[row]
                total += size * entry_reserve_per_unit(price, distance, side, costs)
        return total

    def most_to_lose(
        self,
        symbols: tuple[str, ...],
        ticks: tuple[Decimal, ...],
        lots: tuple[Decimal, ...],
        marks: dict[str, Decimal],
        costs: Costs,
        bar: int,
    ) -> float:
        """The most that the coming bar can lose, as a share of the capital, known before it.

        The rule is that of a simulated run, :mod:`clawd.engine.stakes`; ``bar`` is its duration in nanoseconds.
        """
        at_risk = 0.0
        for row, symbol in enumerate(symbols):
            position = self.positions[row]
            if position["lots"] or position["opening"]:
                at_risk += position_at_risk(
                    position,
                    studied(marks[symbol]),
                    studied(ticks[row]),
                    studied(lots[row]),
                    studied(costs.fee),
                    studied(costs.slippage),
                    most_funding(bar),
                )
        return float(bound_of(at_risk, studied(self.capital)))


def entry_stop_distance(position: np.void) -> Decimal:
    """Distance of the stop that an opening order will have, at the price it was decided at.

    A position that is enlarged keeps its stop, however far behind the price that lies. A stop that the close has passed
    takes the position, and with it the order, off at the next open.
    """
    reference, distance = float(position["reference"]), float(position["distances"][STOP])
    if position["opening_reason"] == Reason.INCREASE and position["lots"] != 0.0:
        ahead = reference - float(stop_level(position))
        return booked_float(max(ahead if position["lots"] > 0.0 else -ahead, NEAREST_STOP * reference))
    return booked_float(distance if distance >= 0.0 else -distance * reference)


def new_positions(instruments: int) -> NDArray[np.void]:
    """[I] flat positions."""
    return np.zeros(instruments, POSITION)
