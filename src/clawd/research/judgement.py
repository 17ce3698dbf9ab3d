"""From a finalist to the door of real money: gates decide who may knock, the vault and its wealth who has proof.

The gates are looks backward: each is a statistic that luck, overfitting or thin margins would fail. They prove
nothing, for they are looked at by someone who chose; they only keep those from knocking who would waste a number.
Whoever passes all of them knocks. All who knock are registered together, best first, before the vault is opened for
any of them, so that nothing seen there can steer who is registered or in which order. Then each has its one look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

import numpy as np

from clawd.core.clock import Clock
from clawd.core.costs import Costs
from clawd.core.errors import ClawdError
from clawd.core.panel import Floats, Panel
from clawd.engine.backtest import run_backtest
from clawd.evidence.bootstrap import step_down
from clawd.evidence.cross_validation import split_sharpes
from clawd.evidence.eprocess import EProcess
from clawd.evidence.gates import (
    FALSE_DISCOVERY_RATE,
    OVERFITTING,
    Gate,
    all_passed,
    cross_validation_gate,
    deflated_sharpe_gate,
    endurance_gate,
    overfitting_gate,
    superiority_gate,
)
from clawd.evidence.information import counts_from
from clawd.evidence.multiple_testing import benjamini_yekutieli
from clawd.evidence.overfitting import probability_of_overfitting
from clawd.evidence.segments import Segments
from clawd.evidence.sharpe import moments, probabilistic_sharpe, sharpe_ratio
from clawd.language.strategy import Strategy, parse_json
from clawd.research.finalists import Candidate, correlation
from clawd.research.tried import Tried, tried_on
from clawd.research.vault import Vault
from clawd.store.ledger import Ledger
from clawd.store.registry import EVERYBODY, Hypothesis, Registry, market_key

#: Two whose net returns move together more than this are one strategy under two names.
DISGUISED: Final = 0.95
#: Into how many stretches of time overfitting is judged, and a finalist's returns are cut.
GROUPS, SEGMENTS = 10, 60


@dataclass(frozen=True, eq=False)
class Judgement:
    """What became of a finalist.

    Attributes:
        rank: its place among the finalists, from 1.
        finalist: what was judged, on the bars of the search.
        selection_sharpe: annual, on the bars of the selection.
        gates: in the order in which a strategy meets them.
        refusal: why it may not knock although it passed all gates, None where it may.
        hypothesis: as it is registered, None for one that did not knock.
        evidence: from the bars that counted, None for one that did not knock.
    """

    rank: int
    finalist: Candidate
    selection_sharpe: float
    gates: tuple[Gate, ...]
    refusal: str | None = None
    hypothesis: Hypothesis | None = None
    evidence: EProcess | None = None

    @property
    def strategy(self) -> Strategy:
        return self.finalist.strategy

    @property
    def passed(self) -> bool:
        """Whether it passed all gates."""
        return all_passed(self.gates)

    @property
    def proven(self) -> bool:
        """Whether its wealth ever reached what it must."""
        return (
            self.hypothesis is not None
            and self.evidence is not None
            and self.evidence.reached(self.hypothesis.wealth_to_reach)
        )

    @property
    def verdict(self) -> str:
        """Where it stands, for people."""
        if self.hypothesis is None or self.evidence is None:
            failed = ", ".join(gate.name for gate in self.gates if not gate.passed)
            return f"on paper: {self.refusal}" if self.refusal else f"on paper: held back by {failed}"
        level = f"{self.hypothesis.wealth_to_reach:,.0f}"
        if self.proven:
            return f"proven, waiting for you: it reached wealth {level}, and HOT needs a person and a venue"
        if self.evidence.bars == 0:
            return f"on paper at wealth 1 of {level}: the bars of this vault had been shown and count no more"
        return f"on paper at wealth {self.evidence.wealth:,.2f} of {level}"


def gates(
    finalists: Sequence[Candidate], selections: Sequence[Floats], search: Tried, *, looks: int, runs: int
) -> tuple[tuple[Gate, ...], ...]:
    """The gates of each finalist.

    Args:
        finalists: best first, each with its results at double costs and one bar late.
        selections: of each, float64 [T] net returns on the bars of the selection.
        search: what was tried.
        looks: distinct strategies that were ever looked at on these bars, of all campaigns.
        runs: campaigns that ever looked at them.
    """
    if not finalists:
        return ()
    # Each campaign has its share of the level, and each look of the past is a test that found nothing.
    stepped = np.minimum(step_down(np.array(selections).T).adjusted * runs, 1.0)
    chances = [_chance(returns) for returns in selections]
    padded = np.array([*chances, *([1.0] * max(0, looks - len(chances)))])
    discovered = benjamini_yekutieli(padded, FALSE_DISCOVERY_RATE).adjusted
    found = []
    for place, (own, returns) in enumerate(zip(search_gates(finalists, search), selections, strict=True)):
        result = finalists[place].result
        sharpe = float("nan") if result is None else sharpe_ratio(returns, result.panel.bars_per_year)
        selected = Gate(
            "selection", sharpe, 0.0, sharpe > 0, "annual Sharpe ratio on the bars of the selection; above 0"
        )
        found.append((*own, selected, superiority_gate(float(stepped[place]), float(discovered[place]))))
    return tuple(found)


def search_gates(finalists: Sequence[Candidate], search: Tried) -> tuple[tuple[Gate, ...], ...]:
    """Those gates of each finalist that need no look at the selection.

    Raises:
        ValueError: when a finalist has no result.
    """
    judged = probability_of_overfitting(search.pool, GROUPS)
    overfitting = replace(
        overfitting_gate(judged),
        meaning=f"how often the best of one half of the time is not above the middle in the other, among "
        f"{judged.trials:,} behaviours that made money; at most {OVERFITTING:g}",
    )
    found = []
    for each in finalists:
        if each.result is None:
            raise ValueError("a finalist has a result")
        own = each.result.net_returns
        found.append(
            (
                deflated_sharpe_gate(moments(own), trials=search.trials, trials_sd=search.spread),
                overfitting,
                cross_validation_gate(split_sharpes(Segments.of(own[:, None], SEGMENTS))[0]),
                endurance_gate(each.sharpe, each.endured_sharpe),
            )
        )
    return tuple(found)


def _chance(returns: Floats) -> float:
    """The chance of such a Sharpe ratio or a better one without an edge, NaN where it did not trade."""
    shape = moments(returns)
    return 1.0 - probabilistic_sharpe(shape.sharpe, shape.bars, shape.skew, shape.kurtosis)


@dataclass(frozen=True, eq=False)
class Court:
    """What a judgement needs: both parts of the market, the home's books, and the conditions of the campaign.

    Attributes:
        author: the author's market.
        vault: the rest.
        ledger, registry: of the home.
        costs, capital: at which everything is traded.
        run: the campaign.
        clock: stamps what is written.
        name: of the author, for the information rule.
    """

    author: Panel
    vault: Vault
    ledger: Ledger
    registry: Registry
    costs: Costs
    capital: Decimal
    run: str
    clock: Clock
    name: str = "evolution"

    def judge(self, finalists: Sequence[Candidate], fingerprint: str) -> tuple[Judgement, ...]:
        """Look at the selection once for each finalist, and hold all against the gates.

        Whoever reads a judgement has been shown the selection, so from now on no bar of it can be evidence for anyone.
        """
        selections, sharpes = [], []
        if finalists:
            symbols, until = self.author.symbols, self.vault.selection_until
            self.registry.show(EVERYBODY, symbols, until, self.clock.now(), f"selection of {self.run}")
        for each in finalists:
            result = self.vault.on_selection(
                each.strategy, self.costs, self.capital, self.registry, self.run, self.clock.now()
            )
            selections.append(result.net_returns)
            sharpes.append(result.metrics.sharpe)
        if not finalists:
            return ()
        looks, runs = self._looks_at_selection()
        search = tried_on(self.ledger, finalists, self.author, fingerprint, self.costs)
        found = gates(finalists, selections, search, looks=looks, runs=runs)
        return tuple(
            Judgement(rank, finalist, sharpe, own)
            for rank, (finalist, sharpe, own) in enumerate(zip(finalists, sharpes, found, strict=True), start=1)
        )

    def conclude(self, judgements: Sequence[Judgement]) -> tuple[Judgement, ...]:
        """Register all who knock, open the vault for each, and promote who has proof.

        Registering is one transaction, with the note that everybody has been shown the vault: from then on no other
        campaign can earn anything on these bars, though it began before this one ended.
        """
        knocking = self._knocking(judgements)
        with self.registry.at_once():
            knocking = [
                replace(each, hypothesis=self._register(each)) if each.refusal is None else each for each in knocking
            ]
            if any(each.hypothesis is not None for each in knocking):
                why = f"vault of {self.run}"
                self.registry.show(EVERYBODY, self.author.symbols, self.vault.until, self.clock.now(), why)
        found = {each.rank: self._open(each) for each in knocking}
        return tuple(found.get(each.rank, each) for each in judgements)

    def _looks_at_selection(self) -> tuple[int, int]:
        """How many strategies were ever looked at on any of these bars, and by how many campaigns."""
        symbols, bar = set(self.author.symbols), market_key((), self.author.bar)
        first, last = self.vault.selection_from, self.vault.selection_until
        looks = [
            look
            for look in self.registry.looks("selection")
            if look.market.startswith(bar)
            and symbols.intersection(look.market.removeprefix(bar).split(","))
            and look.first_ts <= last
            and look.last_ts >= first
        ]
        return len({look.content_hash for look in looks}), len({look.run for look in looks})

    def _knocking(self, judgements: Sequence[Judgement]) -> list[Judgement]:
        """Those who passed all gates, with the reason why some of them are turned away."""
        known = self._registered()
        found = []
        for each in judgements:
            if not each.passed or each.finalist.result is None:
                continue
            mine = each.finalist.result.net_returns
            twin = next(
                (
                    hypothesis
                    for hypothesis, returns in known
                    if hypothesis.content_hash != each.strategy.content_hash and correlation(mine, returns) > DISGUISED
                ),
                None,
            )
            refusal = None
            if twin is not None:
                refusal = f"it moves like hypothesis {twin.number} ({twin.name}), which is registered already"
            found.append(replace(each, refusal=refusal))
        return found

    def _registered(self) -> list[tuple[Hypothesis, Floats]]:
        """The net returns on the author's bars of every hypothesis that can be run on them."""
        found = []
        for hypothesis in self.registry.hypotheses():
            program = self.ledger.strategy(hypothesis.content_hash)
            if program is None:
                continue
            try:
                result = run_backtest(parse_json(program), self.author, self.costs, self.capital)
            except ClawdError:  # written for another market
                continue
            found.append((hypothesis, result.net_returns))
        return found

    def _register(self, judgement: Judgement) -> Hypothesis:
        strategy = judgement.strategy
        symbols = strategy.universe or self.author.symbols
        shown = self.registry.shown_until(self.name, symbols)
        return self.registry.register(
            content_hash=strategy.content_hash,
            name=strategy.name,
            author=self.name,
            market=self.vault.market_of(strategy),
            fee=float(self.costs.fee),
            slippage=float(self.costs.slippage),
            at=self.clock.now(),
            counts_from=max(self.vault.vault_from, counts_from([shown])),
            run=self.run,
        )

    def _open(self, judgement: Judgement) -> Judgement:
        """The one look into the vault, or what an earlier one found; promoted where that is proof."""
        hypothesis = judgement.hypothesis
        if hypothesis is None:
            return judgement
        conditions = (self.costs, self.capital, self.registry, self.run, self.clock.now())
        evidence = self.vault.open(hypothesis, judgement.strategy, *conditions)
        if evidence.reached(hypothesis.wealth_to_reach):
            hypothesis = self.registry.promote(hypothesis.number, self.clock.now())
        return replace(judgement, hypothesis=hypothesis, evidence=evidence)


def to_json(judgement: Judgement) -> dict[str, Any]:
    """A judgement for programs, and for whoever shows it later."""
    hypothesis, evidence = judgement.hypothesis, judgement.evidence
    return {
        "rank": judgement.rank,
        "name": judgement.strategy.name,
        "content_hash": judgement.strategy.content_hash,
        "sharpe": _number(judgement.finalist.sharpe),
        "stressed_sharpe": _number(judgement.finalist.stressed_sharpe),
        "delayed_sharpe": _number(judgement.finalist.delayed_sharpe),
        "endured_sharpe": _number(judgement.finalist.endured_sharpe),
        "selection_sharpe": _number(judgement.selection_sharpe),
        "gates": [
            {
                "name": gate.name,
                "value": _number(gate.value),
                "threshold": gate.threshold,
                "passed": bool(gate.passed),
                "meaning": gate.meaning,
            }
            for gate in judgement.gates
        ],
        "passed": judgement.passed,
        "refusal": judgement.refusal,
        "hypothesis": None if hypothesis is None else hypothesis.number,
        "wealth": None if evidence is None else evidence.wealth,
        "wealth_to_reach": None if hypothesis is None else hypothesis.wealth_to_reach,
        "bars_counted": 0 if evidence is None else evidence.bars,
        "proven": judgement.proven,
        "verdict": judgement.verdict,
    }


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
