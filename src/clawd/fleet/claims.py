"""What a run claims: its agents are hypotheses of the home's registry, and what they earn is kept there.

The journal comes first. A hire enters the number, the level and the evidence so far into it, so that it can be folded
alone; and a bar is bet on in the registry after it is in the journal. Whoever is killed between the two gives the
registry what it lacks when he continues.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from clawd.core.clock import Clock, iso
from clawd.core.errors import ClawdError
from clawd.core.events import RunStarted
from clawd.evidence.eprocess import EProcess
from clawd.language.strategy import Strategy
from clawd.store.registry import Registry, market_key

#: Who reads what a run says, and may write the next strategy after that.
READER: Final = "person"


class Bet(NamedTuple):
    """A bar of an agent: its open in UTC nanoseconds, net return, and bound, as the e-process wants them."""

    ts: int
    net_return: float
    bound: float


@dataclass(frozen=True, slots=True)
class Claim:
    """A hypothesis at the moment of a hire.

    Attributes:
        number: k, for ever the same for a strategy on a market at some costs.
        promotions_before: R_k.
        level: the wealth that its evidence has to reach.
        counts_from: bars that open earlier do not count: too much was known of them, or they were counted before.
        evidence: so far.
    """

    number: int
    promotions_before: int
    level: float
    counts_from: int
    evidence: EProcess


class Claims(Protocol):
    """Where a fleet claims, and where its evidence is kept."""

    def shown_until(self) -> int | None:
        """The open of the last bar that who chose the finalists has been shown, UTC nanoseconds; None for none."""

    def claim(self, strategy: Strategy, counts_from: int) -> Claim:
        """Register a strategy, or find it; ``counts_from`` is for one that was not registered before."""

    def last_bet(self, number: int, strategy: str) -> int | None:
        """The open of the last bar that was bet on for a hypothesis, None before the first.

        Args:
            number: k.
            strategy: the content hash that it must have.
        """

    def settle(self, bets: Mapping[int, Sequence[Bet]], proven: Iterable[int], until: int) -> None:
        """Keep bars by hypothesis, and promote those that are proven; the same again changes nothing.

        Args:
            bets: by k, in order of time.
            proven: every k whose evidence has reached its level.
            until: the open of the last bar that has been shown.
        """


class RegisteredClaims:
    """Claims in the registry of a home.

    Args:
        registry: open for writing.
        start: how the run began.
        clock: for when things were registered.
        author: who wrote or chose the finalists: what he was shown is no evidence for them.
    """

    def __init__(self, registry: Registry, start: RunStarted, clock: Clock, author: str = READER) -> None:
        self.registry = registry
        self.start = start
        self.clock = clock
        self.author = author

    def shown_until(self) -> int | None:
        return self.registry.shown_until(self.author, self.start.symbols)

    def claim(self, strategy: Strategy, counts_from: int) -> Claim:
        symbols = self.start.symbols if strategy.universe is None else strategy.universe
        hypothesis = self.registry.register(
            content_hash=strategy.content_hash,
            name=strategy.name,
            author=self.author,
            market=market_key(symbols, self.start.bar),
            fee=float(self.start.fee),
            slippage=float(self.start.slippage),
            at=self.clock.now(),
            counts_from=counts_from,
            run=self.start.run,
        )
        last = self.last_bet(hypothesis.number, strategy.content_hash)
        return Claim(
            number=hypothesis.number,
            promotions_before=hypothesis.promotions_before,
            level=hypothesis.wealth_to_reach,
            counts_from=hypothesis.counts_from if last is None else max(hypothesis.counts_from, last + 1),
            evidence=self.registry.evidence(hypothesis.number),
        )

    def last_bet(self, number: int, strategy: str) -> int | None:
        hypothesis = self.registry.hypothesis(number)
        if hypothesis.content_hash != strategy:
            raise ClawdError(
                f"hypothesis {number} is {hypothesis.name}, this run knows it as another strategy",
                where=str(self.registry.path),
                hint="the ledger is not the one that the run began with; --fresh begins anew",
            )
        bars = self.registry.bars(number)
        return bars[-1].ts if bars else None

    def settle(self, bets: Mapping[int, Sequence[Bet]], proven: Iterable[int], until: int) -> None:
        now = self.clock.now()
        with self.registry.at_once():
            for number, bars in bets.items():
                try:
                    self.registry.bet(number, bars)
                except ClawdError as error:
                    raise ClawdError(
                        f"the evidence of {iso(bars[0].ts)} cannot be kept: {error.what}",
                        where=error.where,
                        hint="another run went on with this hypothesis; --fresh begins this one anew",
                    ) from None
            for number in proven:
                self.registry.promote(number, now)
            self.registry.show(READER, self.start.symbols, until, now, f"run {self.start.run}")
