"""A story for programs, and kept in the home: telling one runs a strategy many times, so it is told once.

What is kept is what was true when it was told. It says when that was and how many trials there were, for the gates
charge for every one of them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any

from clawd import __version__
from clawd.core.clock import Clock, SystemClock, duration, iso, parse_duration
from clawd.core.costs import Costs
from clawd.core.panel import Panel
from clawd.data.market import load_market
from clawd.engine.warm import warm_up
from clawd.language.strategy import Strategy
from clawd.reports.story import Story
from clawd.research.kept_stories import kept_path
from clawd.research.story import find, tell
from clawd.store.whole_file import write_whole


def story_json(story: Story) -> dict[str, Any]:
    """The story for programs; what is unknown is null."""
    claim, wealth = story.hypothesis, story.wealth
    return {
        "strategy": story.result.strategy.name,
        "content_hash": story.result.strategy.content_hash,
        "family_hash": story.result.strategy.family_hash,
        "verdict": story.verdict,
        "run": story.run or None,
        "explanation": story.explanation,
        "lineage": [asdict(each) for each in story.lineage],
        "trials_in_family": story.family,
        "distinct_strategies": story.strategies,
        "distinct_trials": story.trials,
        "gates": [
            {**asdict(gate), "value": _known(gate.value), "threshold": _known(gate.threshold)} for gate in story.gates
        ],
        "sharpe": {
            "search": _known(story.result.metrics.sharpe),
            "selection": _known(story.selection),
            "double_costs": _known(story.stressed),
            "one_bar_late": _known(story.delayed),
            "both": _known(story.endured),
        },
        "hypothesis": None if claim is None else asdict(claim),
        "wealth": float(wealth[-1]) if wealth.size else None,
        "wealth_curve": [
            {"bar": iso(bet.ts), "wealth": value} for bet, value in zip(story.bets, wealth.tolist(), strict=True)
        ],
        "neighbours": [{"change": each.change, "sharpe": _known(each.sharpe)} for each in story.neighbours],
        "regimes": [
            {**asdict(each), "sharpe": _known(each.sharpe), "annual_return": _known(each.annual_return)}
            for each in story.regimes
        ],
    }


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def tell_and_keep(
    strategy: Strategy, source: str, whole: Panel, home: Path, *, costs: Costs, capital: Decimal, clock: Clock
) -> Story:
    """Tell a story and keep it in the home, in the place of what was told of this strategy before.

    Args:
        source: what people call the market.
        strategy, whole, home, costs, capital, clock: as of :func:`~clawd.research.story.tell`.

    Raises:
        ClawdError: as there.
    """
    story = tell(strategy, whole, home, costs=costs, capital=capital, clock=clock)
    panel = story.result.panel
    told = {
        "told_at": clock.now(),
        "version": __version__,
        "source": source,
        "symbols": list(panel.symbols),
        "bar": duration(panel.bar),
        "first_ts": int(panel.times[0]),
        "last_ts": int(panel.times[-1]),
        "bars": int(panel.times.size),
        "fee": float(costs.fee),
        "slippage": float(costs.slippage),
        "capital": f"{capital:f}",
        # What the registry knows goes on; it is asked when it is shown.
        "story": {name: value for name, value in story_json(story).items() if name != "wealth_curve"},
    }
    write_whole(kept_path(home, strategy.content_hash), json.dumps(told, indent=1, allow_nan=False) + "\n")
    return story


def tell_by_hash(
    content_hash: str,
    home: Path,
    *,
    source: str,
    universe: Sequence[str] | None,
    bar: str | None,
    fee: str,
    slippage: str,
    capital: str,
) -> Story:
    """Tell and keep the story of a strategy that was tried, on a market by its name; compiles the engine if need be.

    Args:
        content_hash: of the strategy, whole.
        home: where the ledger lies.
        source, universe, bar: as of :func:`~clawd.data.market.load_market`, the size of bars as text.
        fee, slippage, capital: at which it is run, decimals as text.

    Raises:
        ClawdError: as of :func:`~clawd.research.story.tell` and :func:`~clawd.data.market.load_market`.
    """
    strategy = find(content_hash, home)
    market = load_market(source, universe, None if bar is None else parse_duration(bar), home=home)
    warm_up()
    costs = Costs(Decimal(fee), Decimal(slippage))
    return tell_and_keep(
        strategy, source, market.panel, home, costs=costs, capital=Decimal(capital), clock=SystemClock()
    )
