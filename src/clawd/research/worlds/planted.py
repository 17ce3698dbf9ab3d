"""Edges of a known kind and size, planted in surrogate markets, with the rule that knows them.

A rule of the language says at each close what it wants to hold, and the next bar's price then drifts that way: the
mean of its simple return from open to close is the rule's target times a constant. The rule reads the world's own
past, drift included, so the world is the fixed point of "the bars that follow from what the rule wants on these bars".
There is exactly one: the drift of a bar depends only on bars before it, so each pass from the bars to the
rule's targets and back settles at least one more bar, and in practice nearly all of them at once.

The constant is calibrated so that the *oracle*, the rule traded as a strategy of the language at the campaign's
costs, has the annual Sharpe ratio that was asked for, net, and in expectation.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

import numpy as np

from clawd.core.costs import Costs
from clawd.core.errors import ClawdError
from clawd.core.panel import Floats, Panel
from clawd.engine.population import evaluate
from clawd.engine.runtime import Runtime
from clawd.language.strategy import Strategy, parse_toml
from clawd.research.worlds.surrogates import Draws, Rows, Surrogate, block_shuffled

#: The outside series of the worlds that have one, and how much of it is left at the next bar.
SERIES: Final = "lead"
_MEMORY: Final = 0.9
CAPITAL: Final = Decimal(10_000)
#: Worlds and bars on which the drift is calibrated: 400 years of days, on which a Sharpe ratio errs by 0.05 at most.
_WORLDS, _BARS = 16, 6_300
_PASSES: Final = 1_000


@dataclass(frozen=True, slots=True)
class Edge:
    """A kind of edge.

    Attributes:
        kind: its name.
        target: of the rule that knows it, in the language.
        outside: whether it lies in an outside series.
        visible: whether a campaign is shown everything that the rule reads: if not, nothing can find it.
    """

    kind: str
    target: str
    outside: bool = False
    visible: bool = True

    @property
    def oracle(self) -> Strategy:
        """The rule as a strategy, with the stop that every strategy has, far away."""
        return parse_toml(
            f"name = {json.dumps(f'oracle of {self.kind}')}\n[position]\ntarget = {json.dumps(self.target)}\n"
            "[exits]\nstop = { percent = 90 }\n"
        )


EDGES: Final = (
    Edge("momentum", "long_short(sign(ret(close, 10)))"),
    Edge("reversal", "long_short(-sign(ret(close, 10)))"),
    Edge("breakout", "signal_if(close > delay(ts_max(high, 5), 1), close < delay(ts_min(low, 5), 1))"),
    Edge("volatility", "long_short(sign(ts_std(ret(close, 1), 60) - ts_std(ret(close, 1), 10)))"),
    Edge("volume", "long_short(sign(ts_mean(volume, 10) - ts_mean(volume, 60)))"),
    Edge("cross-section", "xs_portfolio(cs_rank(ret(close, 10)))"),
    Edge("calendar", 'long_short(where(clock("month_day") > 15, 1, -1))'),
    Edge("outside", f'long_short(sign(ext("{SERIES}")))', outside=True),
    Edge("hidden", f'long_short(sign(ext("{SERIES}")))', outside=True, visible=False),
)


@dataclass(frozen=True, eq=False)
class World:
    """A market and what is true of it.

    Attributes:
        panel: what a campaign is shown.
        known: the same bars with everything that the rule reads.
        oracle: the rule; None where there is no edge.
        drift: float64 [I, T], the mean of each bar's simple return from open to close given its past.
    """

    panel: Panel
    known: Panel
    oracle: Strategy | None
    drift: Floats


def noise(draws: Draws) -> World:
    """The world without an edge."""
    panel = draws.panel()
    return World(panel, panel, None, np.zeros_like(draws.shock))


def planted(draws: Draws, edge: Edge, strength: float, seed: int) -> World:
    """The world with an edge.

    Args:
        draws: its chance.
        edge: the kind.
        strength: the mean return of the bar after one at whose close the rule wanted all of the capital in an
            instrument.
        seed: of the outside series, where there is one.

    Raises:
        ClawdError: when the rule's targets do not settle, which is a fault in the rule: it looks ahead.
    """
    oracle = edge.oracle
    series = {SERIES: _series(draws.times.size, seed)} if edge.outside else {}
    drift = np.zeros_like(draws.shock)
    for _ in range(_PASSES):
        known = replace(draws.panel(drift), series=series)
        targets = np.nan_to_num(Runtime([oracle], known).advance(known)[0].targets)
        wanted = np.zeros_like(drift)
        wanted[:, 1:] = strength * targets[:, :-1]
        if np.array_equal(wanted, drift):
            return World(known if edge.visible else replace(known, series={}), known, oracle, drift)
        drift = wanted
    raise ClawdError(f"its targets do not settle after {_PASSES:,} passes", where=edge.kind)


def calibrated(
    rows: Rows,
    edge: Edge,
    sharpes: Sequence[float],
    costs: Costs,
    surrogate: Surrogate = block_shuffled,
    seed: int = 0,
) -> dict[float, float]:
    """The strength with which the oracle of an edge has an annual Sharpe ratio net of costs, for each of some ratios.

    The ratio is very nearly linear in the strength, so it is measured without one, with one that is about right for
    the highest, and then once more at each.
    """
    bench = _Bench(rows, edge, costs, surrogate, seed)
    idle = bench.sharpe(0.0)
    guess = (max(sharpes) - idle) * bench.strength_of_one
    slope = (bench.sharpe(guess) - idle) / guess
    found = {}
    for wanted in sharpes:
        strength = (wanted - idle) / slope
        reached = bench.sharpe(strength)
        found[wanted] = strength * (wanted - idle) / (reached - idle)
    return found


class _Bench:
    """Long realisations on which an oracle's Sharpe ratio is measured, the same chance at every strength.

    What the oracle gains before costs where there is no edge is chance and nothing else, so it is taken off.
    """

    def __init__(self, rows: Rows, edge: Edge, costs: Costs, surrogate: Surrogate, seed: int) -> None:
        self.edge, self.costs = edge, costs
        seeds = np.random.SeedSequence([seed, 0x0C1A]).generate_state(_WORLDS)
        self.draws = [(surrogate(rows, _BARS, int(each)), int(each)) for each in seeds]
        self.chance = 0.0
        runs = [self._run(0.0, index) for index in range(_WORLDS)]
        self.chance = float(np.mean([gain + cost for gain, cost, _ in runs]))
        volatility = float(np.sqrt(np.mean([square for _, _, square in runs])))
        exposed = max(float(np.mean([self._held(index) for index in range(2)])), 1e-3)
        #: About the strength that is worth a Sharpe ratio of 1.
        self.strength_of_one = volatility / 252 / exposed

    def sharpe(self, strength: float) -> float:
        runs = [self._run(strength, index) for index in range(_WORLDS)]
        gain = float(np.mean([gain for gain, _, _ in runs])) - self.chance
        return gain / float(np.sqrt(np.mean([square for _, _, square in runs])))

    def _run(self, strength: float, index: int) -> tuple[float, float, float]:
        """Annual net return, annual costs, and annual variance of the oracle in one of the worlds."""
        draws, seed = self.draws[index]
        world = planted(draws, self.edge, strength, seed)
        assert world.oracle is not None
        (metrics,) = evaluate([world.oracle], world.known, self.costs, CAPITAL, threads=1)
        years = metrics.bars / world.known.bars_per_year
        paid = (metrics.fees + metrics.slippage) / float(CAPITAL)
        return metrics.total_return / years, paid / years, metrics.annual_volatility**2

    def _held(self, index: int) -> float:
        draws, seed = self.draws[index]
        world = planted(draws, self.edge, 0.0, seed)
        return float(np.mean(np.sum(_targets(world) ** 2, axis=0)))


def _targets(world: World) -> Floats:
    assert world.oracle is not None
    return np.nan_to_num(Runtime([world.oracle], world.known).advance(world.known)[0].targets)


def _series(length: int, seed: int) -> Floats:
    """A stationary series of mean 0 and deviation 1 that remembers."""
    shocks = np.random.default_rng([seed, 0x5E]).standard_normal(length)
    values = np.empty(length)
    values[0] = shocks[0]
    for bar in range(1, length):
        values[bar] = _MEMORY * values[bar - 1] + np.sqrt(1.0 - _MEMORY**2) * shocks[bar]
    return values
