"""A home in which a research campaign has run: a small market whose drift can be followed, and a real search."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np

from clawd.core.costs import Costs
from clawd.core.instrument import Instrument
from clawd.core.panel import NANOSECONDS_PER_DAY, Panel
from clawd.research.campaign import Concluded, campaign

COSTS = Costs(Decimal("0.0005"), Decimal("0.0002"))
MONEY = Decimal(10_000)


def market(bars: int = 1_600, *, drift: float = 0.7, seed: int = 4) -> Panel:
    """Daily bars of a random walk whose drift changes sign every thirty bars; 0 is noise."""
    random = np.random.default_rng(seed)
    volatility, shape = 0.04, (2, bars)
    signs = np.repeat(random.choice([-1.0, 1.0], (2, -(-bars // 30))), 30, axis=1)[:, :bars]
    steps = random.normal(0, volatility, shape) + signs * drift * volatility - volatility**2 / 2
    close = 100 * np.exp(np.cumsum(steps, axis=1))
    opened = np.concatenate([np.full((2, 1), 100.0), close[:, :-1]], axis=1)
    reach = [np.sqrt(steps**2 - 2 * volatility**2 * np.log(random.uniform(size=shape))) for _ in range(2)]
    return Panel(
        instruments=tuple(Instrument(name, Decimal("0.000001"), Decimal("0.000001")) for name in ("BTC", "ETH")),
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

    def __init__(self) -> None:
        self._now = 1_760_000_000_000_000_000

    def now(self) -> int:
        self._now += 10**9
        return self._now


def searched(
    home: Path, *, budget: int = 150, seed: int = 1, panel: Panel | None = None, stop: Callable[[], bool] | None = None
) -> Concluded:
    """Run a campaign to its end."""
    panel = market() if panel is None else panel
    stages = campaign(
        panel,
        home,
        budget=budget,
        seed=seed,
        costs=COSTS,
        capital=MONEY,
        clock=Tick(),
        workers=1,
        stop=stop or (lambda: False),
    )
    *_, end = stages
    assert isinstance(end, Concluded)
    return end
