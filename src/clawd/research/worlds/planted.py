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
from clawd.research.worlds.surrogates import INSTRUMENTS, Draws, Rows, Surrogate, block_shuffled

#: The outside series of the worlds that have one.
SERIES: Final = "lead"
CAPITAL: Final = Decimal(10_000)
#: Worlds and bars on which the drift is calibrated: 300 years of days, on which a Sharpe ratio errs by 0.06.
_WORLDS, _BARS = 12, 6_300
_PASSES: Final = 1_000


@dataclass(frozen=True, slots=True)
class Edge:
    """A kind of edge.

    Attributes:
        kind: its name.
        target: of the rule that knows it, in the language.
        outside: whether it lies in an outside series.
        visible: whether a campaign is shown everything that the rule reads: if not, nothing can find it.
        memory: how much of the outside series is left at the next bar. One that is hidden has none, or else past
            returns would tell of it.
    """

    kind: str
    target: str
    outside: bool = False
    visible: bool = True
    memory: float = 0.9

    @property
    def oracle(self) -> Strategy:
        """The rule as a strategy, with the stop that every strategy has, far away."""
        return parse_toml(
            f"name = {json.dumps(f'oracle of {self.kind}')}\n[position]\ntarget = {json.dumps(self.target)}\n"
            "[exits]\nstop = { percent = 90 }\n"
        )


def _edges(kind: str, target: str, *parameters: tuple[object, ...]) -> tuple[Edge, ...]:
    return tuple(Edge(kind, target.format(*each)) for each in parameters)


#: The kinds that a campaign can find, three of each. Their windows are on none of the grids from which authors draw,
#: and every one of them outlives a bar of delay: an edge that does not is not one that the gates let through.
EDGES: Final = {
    edges[0].kind: edges
    for edges in (
        _edges("momentum", "long_short(sign(ret(close, {})))", (7,), (9,), (11,)),
        _edges("reversal", "long_short(-sign(ret(close, {})))", (6,), (9,), (17,)),
        _edges(
            "breakout",
            "signal_if(close > delay(ts_max(high, {0}), 1), close < delay(ts_min(low, {0}), 1))",
            (4,),
            (6,),
            (7,),
        ),
        _edges(
            "volatility",
            "long_short(sign(ts_std(ret(close, 1), {1}) - ts_std(ret(close, 1), {0})))",
            (7, 50),
            (12, 70),
            (17, 100),
        ),
        _edges("volume", "long_short(sign(ts_mean(volume, {}) - ts_mean(volume, {})))", (6, 25), (9, 50), (12, 75)),
        _edges("cross-section", "xs_portfolio(cs_rank(ret(close, {})))", (7,), (9,), (11,)),
        _edges(
            "calm-momentum",
            "gate(long_short(sign(ret(close, {0}))), ts_std(ret(close, 1), {0}) < ts_std(ret(close, 1), {1}), 0)",
            (7, 45),
            (9, 55),
            (11, 70),
        ),
        _edges("turning", "long_short(sign(ret(close, {0}) - delay(ret(close, {0}), {0})))", (6,), (9,), (13,)),
        _edges("calendar", 'long_short(where(clock("month_day") > {}, 1, -1))', (12,), (15,), (18,)),
        tuple(
            replace(edge, outside=True)
            for edge in _edges(
                "outside",
                "long_short(sign({}))",
                (f'ext("{SERIES}")',),
                (f'-ts_mean(ext("{SERIES}"), 4)',),
                (f'ext("{SERIES}") - ts_mean(ext("{SERIES}"), 25)',),
            )
        ),
    )
}
#: The control: what it reads is not shown to the campaign, so whoever finds it has looked where he may not.
HIDDEN: Final = Edge("hidden", f'long_short(sign(ext("{SERIES}")))', outside=True, visible=False, memory=0.0)


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


def planted(draws: Draws, edge: Edge, strength: float, seed: int, holders: int | None = None) -> World:
    """The world with an edge.

    Args:
        draws: its chance.
        edge: the kind.
        strength: the mean return of the bar after one at whose close the rule wanted all of the capital in an
            instrument.
        seed: of the outside series, where there is one.
        holders: how many of the instruments, from the first on, hold the edge, the rest being noise; all when None.

    Raises:
        ClawdError: when the rule's targets do not settle, which is a fault in the rule: it looks ahead.
    """
    symbols = tuple(each.symbol for each in draws.instruments[:holders])
    oracle = edge.oracle if holders is None else replace(edge.oracle, universe=symbols)
    series = {SERIES: _series(draws.times.size, edge.memory, seed)} if edge.outside else {}
    drift = np.zeros_like(draws.shock)
    for _ in range(_PASSES):
        known = replace(draws.panel(drift), series=series)
        part = known.select(symbols)
        targets = np.nan_to_num(Runtime([oracle], part).advance(part)[0].targets)
        wanted = np.zeros_like(drift)
        wanted[: len(symbols), 1:] = strength * targets[:, :-1]
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
    holders: int = INSTRUMENTS,
) -> dict[float, float]:
    """The strength with which the oracle of an edge has an annual Sharpe ratio net of costs, for each of some ratios.

    The ratio is very nearly linear in the strength, so it is measured without one, with one that is about right for
    the highest, and then once more at each.
    """
    bench = _Bench(rows, edge, costs, surrogate, seed, holders)
    idle = bench.idle
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

    def __init__(self, rows: Rows, edge: Edge, costs: Costs, surrogate: Surrogate, seed: int, holders: int) -> None:
        self.edge, self.costs = edge, costs
        seeds = np.random.SeedSequence([seed, 0x0C1A]).generate_state(_WORLDS)
        self.draws = [(surrogate(rows, _BARS, int(each), holders), int(each)) for each in seeds]
        self.chance = 0.0
        runs = [self._run(0.0, index) for index in range(_WORLDS)]
        self.chance = float(np.mean([gain + cost for gain, cost, _ in runs]))
        world = planted(self.draws[0][0], edge, 0.0, self.draws[0][1])
        exposed = float(np.mean(np.sum(_targets(world) ** 2, axis=0) / np.maximum(1.0, _gross(world))))
        volatility = float(np.sqrt(np.mean([square for _, _, square in runs])))
        #: The oracle's Sharpe ratio where there is no edge: its costs.
        self.idle = -float(np.mean([cost for _, cost, _ in runs])) / volatility
        #: About the strength that is worth a Sharpe ratio of 1.
        self.strength_of_one = volatility / world.known.bars_per_year / exposed

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


def _targets(world: World) -> Floats:
    assert world.oracle is not None
    return np.nan_to_num(Runtime([world.oracle], world.known).advance(world.known)[0].targets)


def _gross(world: World) -> Floats:
    return np.asarray(np.sum(np.abs(_targets(world)), axis=0))


def _series(length: int, memory: float, seed: int) -> Floats:
    """A stationary series of mean 0 and deviation 1, autoregressive of the first order."""
    shocks = np.random.default_rng([seed, 0x5E]).standard_normal(length)
    values = shocks.copy()
    for bar in range(1, length):
        values[bar] = memory * values[bar - 1] + np.sqrt(1.0 - memory**2) * shocks[bar]
    return values
