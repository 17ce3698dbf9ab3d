"""A home in which a research campaign has run: a small market whose drift can be followed, and a real search."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from shutil import copytree

from clawd.cluster.trials import trial_of_backtest
from clawd.core.costs import Costs
from clawd.core.panel import NANOSECONDS_PER_DAY, Panel
from clawd.data.align import fingerprint
from clawd.engine.backtest import run_backtest
from clawd.engine.warm import warm_up
from clawd.language.strategy import parse_json, parse_toml
from clawd.research.campaign import Concluded, campaign
from clawd.store.ledger import Ledger
from clawd.store.registry import Registry, market_key
from research.research_worlds import Tick
from research.research_worlds import market as random_market

COSTS = Costs(Decimal("0.0005"), Decimal("0.0002"))
MONEY = Decimal(10_000)


def market(bars: int = 1_600, *, drift: float = 0.7, seed: int = 4) -> Panel:
    """Daily bars of a random walk whose drift changes sign every thirty bars; 0 is noise."""
    panel = random_market(bars, 2, drift=drift, hold=30, volatility=0.04, seed=seed)
    names = ("BTC", "ETH")
    return replace(
        panel,
        instruments=tuple(replace(each, symbol=name) for each, name in zip(panel.instruments, names, strict=True)),
    )


def clock(day: int = 20_370) -> Tick:
    """One that begins on a day since 1970."""
    return Tick(day * NANOSECONDS_PER_DAY)


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
        clock=clock(),
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
        ledger.record([trial_of_backtest(result, fingerprint(panel), "person", clock(20_380).now(), origin="file")])
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
                at=clock(20_390).now(),
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
