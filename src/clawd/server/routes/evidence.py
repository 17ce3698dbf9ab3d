"""The evidence of a home: what was tried, how much of it is different, and what luck alone would show."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from clawd.research.luck import HIGH, LOW, Luck, LuckOf
from clawd.research.overview import Claim, Overview, Sample
from clawd.server.caller import Scope, needs
from clawd.server.evidence_at_work import AtDesk
from clawd.server.evidence_desk import Counted
from clawd.server.milliseconds import milliseconds
from clawd.store.ledger import Tally
from clawd.store.registry import Seal
from clawd.store.trial_list import MOST_ROWS, Order, TrialList, TrialRow, Wanted

router = APIRouter(tags=["evidence"], dependencies=[needs(Scope.READ)])


#: How long a page waits for the first count, seconds.
_PATIENCE = 0.6
_MOST_TALLIES = 200
_MOST_SEALS = 200


class TallyModel(BaseModel):
    """What was tried by one author, or in one campaign."""

    name: str
    trials: int
    strategies: int
    families: int
    looks: int = Field(description="how often they were tried, the same ones again included")
    first_at: float = Field(description="milliseconds since 1970 UTC")
    last_at: float = Field(description="milliseconds since 1970 UTC")


class SealModel(BaseModel):
    """Bars that are held back from authors. Times are opens of bars, milliseconds since 1970 UTC."""

    symbols: list[str]
    selection_from: float
    vault_from: float
    until: float
    sealed_at: float
    run: str


class ClaimCounts(BaseModel):
    """How many claims there are, by where they stand."""

    registered: int
    proven: int
    on_the_way: int
    not_begun: int = Field(description="no bar has counted yet")
    broken: int = Field(description="a bar lost more than its bound, so nothing counts any more")


class Looks(BaseModel):
    """How often bars that are held back were looked at."""

    selection: int
    vault: int


class Counts(BaseModel):
    """What is in the ledger and the registry."""

    counted_at: float = Field(description="milliseconds since 1970 UTC")
    distinct_trials: int = Field(description="one strategy, on one stretch of data, at one cost; gates charge for all")
    distinct_strategies: int
    families: int = Field(description="of strategies that are alike but for their numbers")
    largest_family: int
    looks: Looks
    claims: ClaimCounts
    authors: list[TallyModel]
    runs: list[TallyModel] = Field(description="the newest, in the order in which they began")
    all_runs: int
    seals: list[SealModel] = Field(description="the newest, in the order in which they were set")
    all_seals: int


class LuckModel(BaseModel):
    """The best of so many independent strategies without an edge: annual Sharpe ratios."""

    trials: int
    expected: float
    low: float = Field(description=f"in {LOW:.0%} of such homes the best lies below")
    high: float = Field(description=f"in {1 - HIGH:.0%} of such homes the best lies above")


class BestFound(BaseModel):
    """The trial with the highest Sharpe ratio."""

    content_hash: str
    name: str
    author: str
    sharpe: float = Field(description="annual, of net returns")


class LuckOnBars(BaseModel):
    """The trials on the same bars at the same costs, held against what luck alone would show."""

    data_fingerprint: str
    first: float = Field(description="open of the first bar, milliseconds since 1970 UTC")
    last: float = Field(description="open of the last bar, milliseconds since 1970 UTC")
    fee: float
    slippage: float
    trials: int
    bars: int
    bars_per_year: float
    best: BestFound
    own: LuckModel = Field(description="of as many as were tried on these bars")
    charged: LuckModel = Field(description="of as many as there are in the ledger: what the best is held against")
    curve: list[LuckModel]


class Behaviour(BaseModel):
    """How many of the trials on the same bars are different, by estimators that disagree."""

    data_fingerprint: str
    first: float = Field(description="open of the first bar, milliseconds since 1970 UTC")
    last: float = Field(description="open of the last bar, milliseconds since 1970 UTC")
    fee: float
    slippage: float
    trials: int
    compared: int = Field(description="how many of them were held against each other")
    moving: int = Field(description="those whose returns vary")
    clusters: int = Field(description="groups of trials whose returns over 60 stretches of time correlate by 0.9")
    average_correlation: float | None = Field(description="ρ + (1 - ρ) N, ρ the mean correlation of two trials")
    effective_rank: float | None = Field(description="e to the entropy of the eigenvalues' shares")
    participation_ratio: float | None = Field(description="(Σ λ)² / Σ λ² of the eigenvalues")


class EvidenceOverview(BaseModel):
    """All that the ledger knows, counted. What is still being counted is null, and is announced when it is known."""

    ledger: str
    current: bool = Field(description="whether the counts are of the ledger as it is now; false while it is counted")
    counts: Counts | None
    luck: list[LuckOnBars] | None
    behaviour: list[Behaviour] | None
    behaviour_current: bool


@router.get("/evidence")
def read_evidence(desk: AtDesk) -> EvidenceOverview:
    """What was tried, how much of it is different, what luck alone would show, what is claimed and held back."""
    counted = desk.counts.read(_PATIENCE)
    samples = desk.samples.read()
    told = counted.value
    return EvidenceOverview(
        ledger=str(desk.path),
        current=counted.current,
        counts=None if told is None else _counts(told),
        luck=None if told is None else [_luck(each) for each in told.luck],
        behaviour=None if samples.value is None else [_behaviour(each) for each in samples.value],
        behaviour_current=samples.current,
    )


def _counts(counted: Counted) -> Counts:
    overview: Overview = counted.overview
    return Counts(
        counted_at=milliseconds(counted.at),
        distinct_trials=overview.trials,
        distinct_strategies=overview.strategies,
        families=len(overview.families),
        largest_family=max(overview.families, default=0),
        looks=Looks(selection=overview.selection_looks, vault=overview.vault_looks),
        claims=_claim_counts(overview.claims),
        authors=[_tally(each) for each in overview.authors[:_MOST_TALLIES]],
        runs=[_tally(each) for each in overview.runs[-_MOST_TALLIES:]],
        all_runs=len(overview.runs),
        seals=[_seal(each) for each in overview.seals[-_MOST_SEALS:]],
        all_seals=len(overview.seals),
    )


def _claim_counts(claims: tuple[Claim, ...]) -> ClaimCounts:
    proven = sum(each.proven for each in claims)
    broken = sum(each.evidence.broken and not each.proven for each in claims)
    begun = sum(each.evidence.bars > 0 and not each.proven and not each.evidence.broken for each in claims)
    return ClaimCounts(
        registered=len(claims),
        proven=proven,
        on_the_way=begun,
        not_begun=len(claims) - proven - broken - begun,
        broken=broken,
    )


def _tally(tally: Tally) -> TallyModel:
    return TallyModel(
        **{**asdict(tally), "first_at": milliseconds(tally.first_at), "last_at": milliseconds(tally.last_at)}
    )


def _seal(seal: Seal) -> SealModel:
    return SealModel(
        symbols=list(seal.symbols),
        selection_from=milliseconds(seal.selection_from),
        vault_from=milliseconds(seal.vault_from),
        until=milliseconds(seal.until),
        sealed_at=milliseconds(seal.at),
        run=seal.run,
    )


def _luck(luck: Luck) -> LuckOnBars:
    own = luck.conditions
    best = luck.best
    assert best.sharpe is not None
    return LuckOnBars(
        data_fingerprint=own.data_fingerprint,
        first=milliseconds(own.first_ts),
        last=milliseconds(own.last_ts),
        fee=own.fee,
        slippage=own.slippage,
        trials=luck.trials,
        bars=luck.bars,
        bars_per_year=luck.bars_per_year,
        best=BestFound(content_hash=best.content_hash, name=best.name, author=best.author, sharpe=best.sharpe),
        own=_luck_of(luck.own),
        charged=_luck_of(luck.charged),
        curve=[_luck_of(each) for each in luck.curve],
    )


def _luck_of(luck: LuckOf) -> LuckModel:
    return LuckModel(**asdict(luck))


def _behaviour(sample: Sample) -> Behaviour:
    own, found = sample.conditions, sample.effective
    return Behaviour(
        data_fingerprint=own.data_fingerprint,
        first=milliseconds(own.first_ts),
        last=milliseconds(own.last_ts),
        fee=own.fee,
        slippage=own.slippage,
        trials=sample.trials,
        compared=sample.compared,
        moving=found.moving,
        clusters=found.clusters,
        average_correlation=_finite(found.average_correlation),
        effective_rank=_finite(found.effective_rank),
        participation_ratio=_finite(found.participation_ratio),
    )


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


class TrialModel(BaseModel):
    """A trial in short. What is undefined is null."""

    id: int = Field(description="its place among all that were tried, from 1")
    content_hash: str
    name: str
    author: str
    run: str = Field(description="the campaign, empty outside of one")
    origin: str
    recorded_at: float = Field(description="milliseconds since 1970 UTC")
    looks: int = Field(description="how often it was tried")
    data_fingerprint: str
    first: float = Field(description="open of the first bar, milliseconds since 1970 UTC")
    last: float = Field(description="open of the last bar, milliseconds since 1970 UTC")
    fee: float
    slippage: float
    bars: int
    trades: int
    sharpe: float | None = Field(description="annual, of net returns")
    total_return: float | None = Field(description="share of the capital at the start")
    max_drawdown: float | None = Field(description="share of the peak, not negative")
    turnover: float | None
    exposure: float | None = Field(description="mean gross exposure, share of the capital")


class TrialPage(BaseModel):
    """Some of the trials that fit."""

    total: int = Field(description="how many fit")
    offset: int
    trials: list[TrialModel]


Text = Annotated[str | None, Query(max_length=200)]


@router.get("/evidence/trials")
def list_trials(
    desk: AtDesk,
    author: Text = None,
    run: Text = None,
    strategy: Annotated[
        str | None, Query(max_length=64, pattern="^[0-9a-f]*$", description="how its hash begins")
    ] = None,
    market: Annotated[str | None, Query(max_length=64, description="fingerprint of the data")] = None,
    name: Annotated[str | None, Query(max_length=200, description="words in the name of the strategy")] = None,
    order: Order = "recorded",
    descending: bool = True,
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 50,
) -> TrialPage:
    """Every trial, in pages; those without the number that orders them come last."""
    if not desk.path.exists():
        return TrialPage(total=0, offset=offset, trials=[])
    wanted = Wanted(author=author, run=run, data_fingerprint=market, content_hash=strategy, name=name)
    with TrialList.open(desk.path) as trials:
        total, rows = trials.page(wanted, order=order, descending=descending, offset=offset, limit=limit)
    return TrialPage(total=total, offset=offset, trials=[trial_model(row) for row in rows])


def trial_model(row: TrialRow) -> TrialModel:
    """A trial on the wire."""
    return TrialModel(
        id=row.id,
        content_hash=row.content_hash,
        name=row.name,
        author=row.author,
        run=row.run,
        origin=row.origin,
        recorded_at=milliseconds(row.recorded_at),
        looks=row.looks,
        data_fingerprint=row.data_fingerprint,
        first=milliseconds(row.first_ts),
        last=milliseconds(row.last_ts),
        fee=row.fee,
        slippage=row.slippage,
        bars=row.bars,
        trades=row.trades,
        sharpe=_finite(row.sharpe),
        total_return=_finite(row.total_return),
        max_drawdown=_finite(row.max_drawdown),
        turnover=_finite(row.turnover),
        exposure=_finite(row.exposure),
    )
