"""What is true in a world whose making is known: what a strategy really earns there, and how sure a count can be."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np

from clawd.core.costs import Costs
from clawd.engine.population import evaluate
from clawd.engine.stakes import stakes
from clawd.evidence.eprocess import EProcess
from clawd.language.strategy import Strategy
from clawd.research.worlds.planted import Edge, World, noise, planted
from clawd.research.worlds.surrogates import INSTRUMENTS, Rows, block_shuffled, phase_randomised

SURROGATES: Final = {"block-shuffled": block_shuffled, "phase-randomised": phase_randomised}

#: Fresh worlds on which a strategy's true gain is measured, bars to warm up and bars traded in each: 200 years, in
#: stretches short enough that the capital is not lost in one of them for the rest.
_WORLDS, _WARM, _BARS = 20, 300, 2_520
_CONFIDENCE: Final = 0.95


@dataclass(frozen=True, slots=True)
class Making:
    """How a world is made, its seed left open.

    Attributes:
        surrogate: one of :data:`SURROGATES`.
        edge: what is planted, None for noise.
        strength: of the edge, as of :func:`~clawd.research.worlds.planted.planted`.
        holders: how many instruments hold it.
    """

    surrogate: str
    edge: Edge | None = None
    strength: float = 0.0
    holders: int = INSTRUMENTS

    def world(self, rows: Rows, bars: int, seed: int) -> World:
        """One of the worlds that are made like this."""
        draws = SURROGATES[self.surrogate](rows, bars, seed)
        if self.edge is None:
            return noise(draws)
        holders = self.holders if self.holders < INSTRUMENTS else None
        return planted(draws, self.edge, self.strength, seed, holders)


def expected_gains(
    strategies: Sequence[Strategy], making: Making, rows: Rows, costs: Costs, capital: Decimal, seed: int
) -> list[tuple[float, float]]:
    """What strategies earn in a year in worlds made like this, net of costs, each with its standard error.

    Measured on worlds of other seeds. In one without an edge, or with one that nobody is shown, every gain before
    costs is a fair bet, so nothing is measured there: whoever trades loses his costs, and no promotion is a true one.
    """
    if not strategies:
        return []
    if making.edge is None or not making.edge.visible:
        return [(-math.inf, 0.0)] * len(strategies)
    seeds = np.random.SeedSequence([seed, 0x7E57]).generate_state(_WORLDS)
    panels = [making.world(rows, _WARM + _BARS, int(each)).panel for each in seeds]
    gains = np.array(
        [
            [each.annual_return for each in evaluate(strategies, panel, costs, capital, _WARM, threads=1)]
            for panel in panels
        ]
    )
    return list(zip(gains.mean(axis=0).tolist(), (gains.std(axis=0, ddof=1) / _WORLDS**0.5).tolist(), strict=True))


def oracle_evidence(world: World, first: int, costs: Costs, capital: Decimal) -> EProcess:
    """The evidence that the rule which knows the edge would have on the bars from ``first`` on.

    Raises:
        ValueError: in a world without an edge.
    """
    if world.oracle is None:
        raise ValueError("a world without an edge has no oracle")
    found = stakes(world.oracle, world.known, costs, capital, first)
    evidence = EProcess()
    for net_return, bound in zip(found.net_returns.tolist(), found.bounds.tolist(), strict=True):
        evidence = evidence.after(net_return, bound)
    return evidence


def clopper_pearson(hits: int, tries: int, confidence: float = _CONFIDENCE) -> tuple[float, float]:
    """The exact interval of a binomial share; (0, 1) where nothing was tried.

    Reference: Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case of the
    binomial", Biometrika 26 (1934).

    Raises:
        ValueError: when there are more hits than tries, or fewer than none.
    """
    if not 0 <= hits <= tries:
        raise ValueError(f"{hits} of {tries} cannot be")
    tail = (1.0 - confidence) / 2.0
    low = 0.0 if hits == 0 else _root(lambda share: 1.0 - _at_most(hits - 1, tries, share), tail)
    high = 1.0 if hits == tries else _root(lambda share: -_at_most(hits, tries, share), -tail)
    return low, high


def _at_most(hits: int, tries: int, share: float) -> float:
    """Probability of at most so many hits."""
    logs = (
        math.lgamma(tries + 1)
        - math.lgamma(k + 1)
        - math.lgamma(tries - k + 1)
        + k * math.log(share)
        + (tries - k) * math.log1p(-share)
        for k in range(hits + 1)
    )
    return math.fsum(math.exp(log) for log in logs)


def _root(rising: Callable[[float], float], value: float) -> float:
    """Where a function that rises on (0, 1) comes to a value."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2.0
        if rising(middle) < value:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0
