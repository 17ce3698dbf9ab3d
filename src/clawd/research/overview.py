"""All that the ledger knows, counted: for people and for programs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from clawd.core.clock import iso
from clawd.evidence.effective_trials import EffectiveTrials, effective_trials
from clawd.evidence.eprocess import EProcess
from clawd.store.ledger import Conditions, Ledger, Tally
from clawd.store.registry import Hypothesis, Registry, Seal

#: Data sets whose trials are held against each other, those with the most trials first.
_MOST_SAMPLES = 5


@dataclass(frozen=True, slots=True)
class Sample:
    """Trials under the same conditions, and how many of them are different by several estimators.

    Attributes:
        conditions: what they share.
        trials: those whose segments were kept.
        compared: how many of them were held against each other.
        effective: the estimates.
    """

    conditions: Conditions
    trials: int
    compared: int
    effective: EffectiveTrials


@dataclass(frozen=True, slots=True)
class Claim:
    """A hypothesis and how far its proof has come."""

    hypothesis: Hypothesis
    evidence: EProcess

    @property
    def proven(self) -> bool:
        """Whether its evidence has ever reached its level; real money needs a person and a venue besides."""
        return self.hypothesis.promoted_at is not None or self.evidence.reached(self.hypothesis.wealth_to_reach)

    @property
    def state(self) -> str:
        """Where it stands, in words."""
        if self.proven:
            return "proven, waiting for you"
        if self.evidence.broken:
            return "a bar lost more than its bound"
        return "on its way" if self.evidence.bars else "no bar has counted yet"


@dataclass(frozen=True, slots=True)
class Overview:
    """All that the ledger knows, counted.

    Attributes:
        path: of the ledger.
        trials, strategies: distinct ones.
        families: distinct strategies of each family, by its hash.
        authors, runs: who tried what, and in which campaign.
        selection_looks, vault_looks: how often bars that are held back were looked at.
        samples: how many trials are different.
        claims: every hypothesis by its number.
        seals: what is held back.
    """

    path: Path
    trials: int = 0
    strategies: int = 0
    families: tuple[int, ...] = ()
    authors: tuple[Tally, ...] = ()
    runs: tuple[Tally, ...] = ()
    selection_looks: int = 0
    vault_looks: int = 0
    samples: tuple[Sample, ...] = ()
    claims: tuple[Claim, ...] = ()
    seals: tuple[Seal, ...] = ()


def read_overview(path: Path) -> Overview:
    """All that a ledger knows, counted; a file that does not exist is not made."""
    return replace(read_counts(path), samples=read_samples(path))


def read_counts(path: Path) -> Overview:
    """The overview without its samples, which take seconds where much was tried."""
    if not path.exists():
        return Overview(path)
    with (
        Ledger.open(path) as ledger,
        Registry.open(path) as registry,
        ledger.at_one_moment(),
        registry.at_one_moment(),
    ):
        return Overview(
            path=path,
            trials=ledger.distinct(),
            strategies=ledger.distinct_strategies(),
            families=tuple(sorted(ledger.families().values(), reverse=True)),
            authors=ledger.authors(),
            runs=ledger.runs(),
            selection_looks=len(registry.looks("selection")),
            vault_looks=len(registry.looks("vault")),
            claims=tuple(Claim(each, registry.evidence(each.number)) for each in registry.hypotheses()),
            seals=registry.seals(),
        )


def read_samples(path: Path) -> tuple[Sample, ...]:
    """How many trials are different, for the bars that most was tried on."""
    if not path.exists():
        return ()
    with Ledger.open(path) as ledger:
        return tuple(_samples(ledger))


def _samples(ledger: Ledger) -> Iterator[Sample]:
    for conditions, trials in list(ledger.conditions().items())[:_MOST_SAMPLES]:
        matrix = ledger.segments(conditions) if trials > 1 else None
        if matrix is not None:
            yield Sample(conditions, trials, len(matrix.content_hashes), effective_trials(matrix.returns))


def overview_json(overview: Overview) -> dict[str, object]:
    """The overview for programs; what has no number is null."""
    return {
        "ledger": str(overview.path),
        "distinct_trials": overview.trials,
        "distinct_strategies": overview.strategies,
        "families": len(overview.families),
        "largest_family": max(overview.families, default=0),
        "trials_for_gates": overview.trials,
        "looks": {"selection": overview.selection_looks, "vault": overview.vault_looks},
        "authors": [_tally_json(each) for each in overview.authors],
        "runs": [_tally_json(each) for each in overview.runs],
        "behaviour": [
            {
                **asdict(each.conditions),
                "first": iso(each.conditions.first_ts),
                "last": iso(each.conditions.last_ts),
                "trials": each.trials,
                "compared": each.compared,
                **{name: _finite(value) for name, value in asdict(each.effective).items()},
            }
            for each in overview.samples
        ],
        "hypotheses": [_claim_json(each) for each in overview.claims],
        "seals": [asdict(each) for each in overview.seals],
    }


def _tally_json(tally: Tally) -> dict[str, object]:
    return {**asdict(tally), "first_at": iso(tally.first_at), "last_at": iso(tally.last_at)}


def _claim_json(claim: Claim) -> dict[str, object]:
    return {
        **asdict(claim.hypothesis),
        "level": 1 / claim.hypothesis.wealth_to_reach,
        "wealth": _finite(claim.evidence.wealth),
        "peak_wealth": _finite(claim.evidence.peak),
        "bars": claim.evidence.bars,
        "proven": claim.proven,
        "state": claim.state,
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
