"""All that is known of a strategy, gathered: from the ledger, from the campaign that judged it, from the registry.

Nothing here looks at a sealed bar: what is run is run on the bars of the search, and what is known of later ones is
what the campaign and the registry kept. Every run is a trial, and is recorded.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import numpy as np

from clawd.cluster.trials import trial_of_backtest
from clawd.core.clock import Clock
from clawd.core.costs import Costs
from clawd.core.errors import ClawdError
from clawd.core.panel import Floats, Panel
from clawd.data.align import fingerprint
from clawd.engine.backtest import Backtest, market_of, run_backtest
from clawd.evidence.gates import Gate
from clawd.evidence.sharpe import sharpe_ratio
from clawd.language.explain import explain
from clawd.language.strategy import Strategy, load_strategy, parse_json
from clawd.reports.story import Neighbour, Regime, Story
from clawd.research.finalists import candidate
from clawd.research.judgement import search_gates
from clawd.research.neighbourhood import neighbourhood
from clawd.research.periods import FEWEST_BARS
from clawd.research.tried import tried_on
from clawd.research.vault import seal, searchable
from clawd.store.ledger import Ledger
from clawd.store.registry import Hypothesis, Registry, market_key

#: Bars of the past by which a market is called calm or wild, rising or falling.
_PAST: Final = 60
_SHORTEST: Final = 6  # digits of a content hash that are worth a search


def find(word: str, home: Path) -> Strategy:
    """The strategy that a file, a name or the beginning of a content hash means, among files and the ledger.

    Raises:
        ClawdError: when there is none, or more than one.
    """
    path = Path(word)
    if path.suffix in (".toml", ".json") or "/" in word:
        return load_strategy(path)
    found: dict[str, str] = {}
    with Ledger.open(home / "ledger.sqlite") as ledger:
        program = ledger.strategy(word)
        if program is not None:
            return parse_json(program)
        for trial in ledger.trials():
            alike = trial.name == word or (len(word) >= _SHORTEST and trial.content_hash.startswith(word.lower()))
            if alike and trial.program:
                found.setdefault(trial.content_hash, trial.program)
    if not found:
        hint = "a .toml file, a name, or the first digits of a content hash, as `clawd evidence` has them"
        raise ClawdError("no strategy is called so", where=word, hint=hint)
    if len(found) > 1:
        hashes = ", ".join(each[:12] for each in list(found)[:5])
        raise ClawdError(f"{len(found)} strategies are called so", where=word, hint=f"say which: {hashes}")
    return parse_json(next(iter(found.values())))


def tell(strategy: Strategy, whole: Panel, home: Path, *, costs: Costs, capital: Decimal, clock: Clock) -> Story:
    """The story of a strategy on a market, of which only the bars of the search are looked at.

    Args:
        strategy: whose.
        whole: the market.
        home: where the ledger and the campaigns lie.
        costs, capital: at which it is run.
        clock: stamps the trials.

    Raises:
        ClawdError: when it does not fit the market, or never trades on it.
    """
    author = _open_to_all(whole, home)
    market_of(strategy, author)  # says what does not fit
    tried = candidate(strategy, author, costs, capital, delay=True)
    if tried.result is None or tried.stressed is None:
        raise ClawdError(str(tried.rejection), where=strategy.name)
    changed = [(what, run_backtest(other, author, costs, capital)) for what, other in neighbourhood(strategy)]
    print_ = fingerprint(author)
    with Ledger.open(home / "ledger.sqlite") as ledger, Registry.open(home / "ledger.sqlite") as registry:
        _record(ledger, [tried.result, tried.stressed], [result for _, result in changed], print_, clock.now())
        (own,) = search_gates([tried], tried_on(ledger, [tried], author, print_, costs))
        symbols = strategy.universe or author.symbols
        market = market_key(symbols, author.bar)
        hypothesis = registry.find(strategy.content_hash, market, float(costs.fee), float(costs.slippage))
        judged = _judged(home, strategy.content_hash, author.symbols, costs)
        bets = () if hypothesis is None else registry.bars(hypothesis.number)
        evidence = None if hypothesis is None else registry.evidence(hypothesis.number)
        wealth, reached = (
            (1.0, False)
            if evidence is None or hypothesis is None
            else (evidence.wealth, evidence.reached(hypothesis.wealth_to_reach))
        )
        return Story(
            result=tried.result,
            stressed=tried.stressed_sharpe,
            delayed=tried.delayed_sharpe,
            endured=tried.endured_sharpe,
            explanation=explain(strategy),
            lineage=ledger.lineage(strategy.content_hash),
            family=ledger.families().get(strategy.family_hash, 0),
            strategies=ledger.distinct_strategies(),
            trials=ledger.distinct(),
            gates=own if judged is None else _gates(judged),
            run="" if judged is None else str(judged["run"]),
            selection=math.nan if judged is None else _number(judged["selection_sharpe"]),
            verdict=_verdict(tried.rejection, own, judged, hypothesis, wealth, reached),
            hypothesis=hypothesis,
            bets=bets,
            neighbours=tuple(Neighbour(what, result.metrics.sharpe) for what, result in changed),
            regimes=regimes(tried.result),
        )


def _open_to_all(whole: Panel, home: Path) -> Panel:
    """The bars of the search, without those that an earlier campaign has sealed: it may have had fewer bars."""
    author, _ = seal(whole)
    with Registry.open(home / "ledger.sqlite") as registry:
        sealed = registry.sealed_from(author.symbols)
    bars = author.times.size if sealed is None else int(np.searchsorted(author.times, sealed))
    if bars < FEWEST_BARS // 2:
        raise ClawdError("nearly all bars of this market are sealed", hint="name the market of the campaign")
    return searchable(author, bars)


def _record(ledger: Ledger, own: Sequence[Backtest], others: Sequence[Backtest], print_: str, now: int) -> None:
    """Every run was a look, and counts."""
    trials = [trial_of_backtest(result, print_, "person", now, origin="file") for result in own]
    parents = (own[0].strategy.content_hash,)
    trials += [
        trial_of_backtest(result, print_, "person", now, origin="neighbour", parents=parents) for result in others
    ]
    ledger.record(trials)


def _judged(home: Path, content_hash: str, symbols: Sequence[str], costs: Costs) -> dict[str, Any] | None:
    """What the latest campaign on these instruments and at these costs that judged a strategy said of it."""
    conditions = {"symbols": list(symbols), "fee": float(costs.fee), "slippage": float(costs.slippage)}
    files = sorted((home / "research").glob("*/campaign.json"), key=lambda path: (path.stat().st_mtime_ns, path))
    for path in reversed(files):
        told = json.loads(path.read_text(encoding="utf-8"))
        if any(told[name] != value for name, value in conditions.items()):
            continue
        for each in told["finalists"]:
            if each["content_hash"] == content_hash:
                return {**each, "run": told["run"]}
    return None


def _gates(judged: dict[str, Any]) -> tuple[Gate, ...]:
    return tuple(
        Gate(each["name"], _number(each["value"]), each["threshold"], each["passed"], each["meaning"])
        for each in judged["gates"]
    )


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _verdict(
    rejection: str | None,
    own: Sequence[Gate],
    judged: dict[str, Any] | None,
    hypothesis: Hypothesis | None,
    wealth: float,
    reached: bool,
) -> str:
    if hypothesis is not None:
        level = f"{hypothesis.wealth_to_reach:,.0f}"
        if reached:
            return f"proven, waiting for you: it reached wealth {level}, and HOT needs a person and a venue"
        return f"on paper at wealth {wealth:,.2f} of {level}"
    if judged is not None:
        return str(judged["verdict"])
    failed = [gate.name for gate in own if not gate.passed]
    if rejection is not None:
        return f"no finalist: {rejection}"
    return (
        f"not judged by a campaign; as of now it would be held back by {', '.join(failed)}"
        if failed
        else ("not judged by a campaign; nothing on the bars of the search speaks against it")
    )


def regimes(result: Backtest) -> tuple[Regime, ...]:
    """How a run did where the market was calm or wild, rising or falling, by the bars before each bar."""
    panel, returns = result.panel, result.net_returns
    with np.errstate(invalid="ignore", divide="ignore"):
        moves = np.diff(np.log(panel.close), axis=1, prepend=np.nan)
    known = ~np.isnan(moves)
    counts = known.sum(axis=0)
    market = np.where(counts > 0, np.where(known, moves, 0.0).sum(axis=0) / np.maximum(counts, 1), 0.0)
    if market.size <= 2 * _PAST:
        return ()
    windows = np.lib.stride_tricks.sliding_window_view(market, _PAST)[:-1]  # the bars before each of the rest
    past, volatility = windows.sum(axis=1), windows.std(axis=1)
    own, middle = returns[_PAST:], float(np.median(volatility))
    bars = panel.bars_per_year
    kinds: tuple[tuple[str, str, Any], ...] = (
        ("rising", f"the market rose over the {_PAST} bars before", past > 0),
        ("falling", f"the market fell over the {_PAST} bars before", past <= 0),
        ("calm", f"its volatility over the {_PAST} bars before was below its median", volatility < middle),
        ("wild", f"its volatility over the {_PAST} bars before was at or above its median", volatility >= middle),
    )
    return tuple(
        Regime(name, meaning, float(here.mean()), sharpe_ratio(own[here], bars), _annual(own[here], bars))
        for name, meaning, here in kinds
        if here.any()
    )


def _annual(returns: Floats, bars_per_year: float) -> float:
    return float(returns.mean()) * bars_per_year
