"""Small markets with and without an edge, for the tests of this folder."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from clawd.core.clock import Clock
from clawd.core.costs import Costs
from clawd.core.instrument import Instrument
from clawd.core.panel import NANOSECONDS_PER_DAY, Panel
from clawd.data.align import fingerprint
from clawd.engine.population import evaluate_in_segments
from clawd.language.strategy import Strategy, parse_toml
from clawd.research.campaign import Search
from clawd.research.finalists import candidate
from clawd.research.search import SearchStep
from clawd.store.ledger import Ledger
from clawd.store.trial import Segments, Trial

COSTS = Costs(Decimal("0.0002"), Decimal("0.0001"))
MONEY = Decimal(10_000)


def strategy_of(target: str, name: str = "s", exits: str = "stop = { percent = 50 }") -> Strategy:
    """A strategy from its target."""
    return parse_toml(f"name = {name!r}\n[position]\ntarget = {target!r}\n[exits]\n{exits}\n")


def market(
    bars: int = 2_000,
    instruments: int = 3,
    *,
    drift: float = 0.0,
    hold: int = 20,
    volatility: float = 0.02,
    seed: int = 0,
    edged: int | None = None,
) -> Panel:
    """Daily bars of a random walk whose drift changes sign every so many bars, so that it can be followed.

    Args:
        drift: of a bar, as a share of its volatility; 0 is noise.
        hold: bars between two draws of the sign.
        edged: how many of the instruments have the drift; all when None.
    """
    random = np.random.default_rng(seed)
    shape = (instruments, bars)
    signs = np.repeat(random.choice([-1.0, 1.0], (instruments, -(-bars // hold))), hold, axis=1)[:, :bars]
    if edged is not None:
        signs[edged:] = 0.0
    steps = random.normal(0, volatility, shape) + signs * drift * volatility - volatility**2 / 2
    close = 100 * np.exp(np.cumsum(steps, axis=1))
    opened = np.concatenate([np.full((instruments, 1), 100.0), close[:, :-1]], axis=1)
    # The extremes that a random walk has between its ends: with shorter wicks a stop alone would be an edge.
    reach = [(np.sqrt(steps**2 - 2 * volatility**2 * np.log(random.uniform(size=shape)))) for _ in range(2)]
    return Panel(
        instruments=tuple(
            Instrument(f"X{row}", Decimal("0.000001"), Decimal("0.000001")) for row in range(instruments)
        ),
        bar=NANOSECONDS_PER_DAY,
        times=15_000 * NANOSECONDS_PER_DAY + np.arange(bars, dtype=np.int64) * NANOSECONDS_PER_DAY,
        open=opened,
        high=opened * np.exp((steps + reach[0]) / 2),
        low=opened * np.exp((steps - reach[1]) / 2),
        close=close,
        volume=np.ones(shape),
        funding=np.zeros(shape),
        bars_per_year=365.25,
    )


class Tick:
    """A clock that goes on by a second each time it is asked."""

    def __init__(self, now: int = 1_700_000_000_000_000_000) -> None:
        self._now = now

    def now(self) -> int:
        self._now += 10**9
        return self._now


def author_of(strategies: Sequence[Strategy], *, finished: bool = True) -> Search:
    """An author that tries a list of strategies on all bars of the search, each a trial of the ledger."""

    def search(
        panel: Panel, ledger: Ledger, *, seed: int, costs: Costs, capital: Decimal, run: str, clock: Clock, **_: Any
    ) -> Iterator[SearchStep]:
        ledger.record(tried(strategies, panel, costs, capital, run, seed, clock.now()))
        elites = sorted(
            (candidate(each, panel, costs, capital) for each in strategies),
            key=lambda each: -np.nan_to_num(each.sharpe),
        )
        yield SearchStep(0, "all", len(strategies), len(strategies), len(strategies), 0, (), {}, (), False)
        yield SearchStep(
            1,
            "all",
            len(strategies),
            len(strategies),
            len(strategies),
            0,
            (),
            {},
            tuple(elites),
            finished,  # type: ignore[arg-type]
        )

    return search


def tried(
    strategies: Sequence[Strategy], panel: Panel, costs: Costs, capital: Decimal, run: str, seed: int, now: int
) -> list[Trial]:
    """Trials as a search records them."""
    print_ = fingerprint(panel)
    return [
        Trial(
            content_hash=strategy.content_hash,
            family_hash=strategy.family_hash,
            data_fingerprint=print_,
            first_ts=int(panel.times[0]),
            last_ts=int(panel.times[-1]),
            fee=float(costs.fee),
            slippage=float(costs.slippage),
            author="test",
            name=strategy.name,
            recorded_at=now,
            code_version="0",
            bars=found.metrics.bars,
            trades=found.metrics.trades,
            sharpe=found.metrics.sharpe,
            capital=float(capital),
            run=run,
            seed=seed,
            origin="random",
            program=json.dumps(strategy.to_json()),
            segments=Segments(found.bars, found.returns, found.squares),
        )
        for strategy, found in zip(
            strategies, evaluate_in_segments(strategies, panel, costs, capital, segments=60), strict=True
        )
    ]
