"""A home in which a research campaign has run: a small market whose drift can be followed, and a real search."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from shutil import copytree

import numpy as np

from clawd.cluster.trials import trial_of_backtest
from clawd.core.costs import Costs
from clawd.core.instrument import Instrument
from clawd.core.panel import NANOSECONDS_PER_DAY, Panel
from clawd.data.align import fingerprint
from clawd.engine.backtest import run_backtest
from clawd.engine.warm import warm_up
from clawd.language.strategy import parse_json, parse_toml
from clawd.research.campaign import Concluded, campaign
from clawd.store.ledger import Ledger
from clawd.store.registry import Registry, market_key

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

    def __init__(self, day: int = 20_370) -> None:
        self._now = day * NANOSECONDS_PER_DAY

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


#: The worst that the language lets a strategy be called, and what a registry would take besides.
HOSTILE = "<img src=x onerror=\"document.title='taken'\">&amp;{{7*7}}" + "x" * 20
BACKWARDS = f"\u202e{HOSTILE}"


def person_tries(home: Path, name: str = HOSTILE) -> str:
    """A person backtests a strategy of a hostile name on the market that was searched; its content hash."""
    plain = parse_toml(
        'name = "n"\n[position]\ntarget = "long_short(sign(ret(close, 5)))"\n[exits]\nstop = {percent = 20}\n'
    )
    strategy = parse_json(json.dumps({**plain.to_json(), "name": name}))
    panel = market().between(0, 600)
    result = run_backtest(strategy, panel, COSTS, MONEY)
    with Ledger.open(home / "ledger.sqlite") as ledger:
        ledger.record([trial_of_backtest(result, fingerprint(panel), "person", Tick(20_380).now(), origin="file")])
    return strategy.content_hash


def claims_more(home: Path, content_hash: str, name: str = BACKWARDS) -> tuple[int, int]:
    """Two more claims: one on which no bar has counted, and one of which a bar lost more than its bound."""
    with Registry.open(home / "ledger.sqlite") as registry:
        numbers = []
        for fee in (0.0, 0.001):
            made = registry.register(
                content_hash=content_hash,
                name=name,
                author="person",
                market=market_key(["BTC", "ETH"], NANOSECONDS_PER_DAY),
                fee=fee,
                slippage=0.0,
                at=Tick(20_390).now(),
                counts_from=17_000 * NANOSECONDS_PER_DAY,
                run="by hand",
            )
            numbers.append(made.number)
        bars = [(17_000 * NANOSECONDS_PER_DAY, 0.01, 0.5), (17_001 * NANOSECONDS_PER_DAY, -0.9, 0.5)]
        registry.bet(numbers[1], bars)
    return numbers[0], numbers[1]


_made: list[Path] = []


def researched(folder: Path) -> Path:
    """A home with a campaign of evolution, a person's backtest, and claims in every state; made once, then copied."""
    if not _made:
        warm_up()
        searched(folder / "made")
        claims_more(folder / "made", person_tries(folder / "made"))
        _made.append(folder / "made")
    return copytree(_made[0], folder / "home")
