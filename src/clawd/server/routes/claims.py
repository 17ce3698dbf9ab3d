"""Claims: every hypothesis that was registered, the level that it has to reach, and how far its wealth has come."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from clawd.research.overview import Claim
from clawd.research.proof import bar_of, curve_of, level_of, stretches_of
from clawd.server.caller import Scope, needs
from clawd.server.evidence_at_work import AtDesk
from clawd.server.milliseconds import milliseconds
from clawd.server.problem import MissingError
from clawd.store.registry import Bet, Hypothesis, Registry

router = APIRouter(tags=["evidence"], dependencies=[needs(Scope.READ)])

Standing = Literal["proven", "on_the_way", "not_begun", "broken"]
ClaimOrder = Literal["number", "nearness", "wealth", "bars", "name"]

#: Points of the small curve in a list.
_SPARK = 60
#: Beyond this a float is no longer a number for people.
_MOST = 1e300


class ClaimModel(BaseModel):
    """A claim in short: this strategy, on this market, at these costs, has an edge."""

    number: int = Field(description="k, its place among all that were ever registered in this home, from 1")
    content_hash: str
    name: str
    author: str
    market: str
    fee: float
    slippage: float
    registered_at: float = Field(description="milliseconds since 1970 UTC")
    counts_from: float = Field(description="open of the first bar that may count, milliseconds since 1970 UTC")
    run: str
    promotions_before: int
    level: float = Field(description="α_k, its share of the false discovery rate")
    wealth_to_reach: float = Field(description="1/α_k")
    wealth: float = Field(description="now, as a multiple of the 1 that it began with")
    peak: float = Field(description="the highest so far, at least 1; what is held against the level")
    bars: int = Field(description="that were bet on")
    last_bar: float | None = Field(description="open of the last bar that was bet on, milliseconds since 1970 UTC")
    broken: bool = Field(description="a bar lost more than its bound, so nothing counts any more")
    promoted_at: float | None = Field(description="milliseconds since 1970 UTC")
    standing: Standing
    state: str = Field(description="where it stands, in words")
    spark: list[float] = Field(description="base-10 logarithms of the wealth, from 0 on; empty before the first bar")


class ClaimPage(BaseModel):
    """Some of the claims that fit."""

    total: int = Field(description="how many fit")
    registered: int = Field(description="how many there are at all")
    offset: int
    claims: list[ClaimModel]


@router.get("/evidence/claims")
def list_claims(
    desk: AtDesk,
    standing: Standing | None = None,
    name: Annotated[str | None, Query(max_length=200, description="words in the name or the market")] = None,
    order: ClaimOrder = "number",
    descending: bool = True,
    offset: Annotated[int, Query(ge=0, le=10**6)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> ClaimPage:
    """Every claim with its level and its wealth, in pages."""
    if not desk.path.exists():
        return ClaimPage(total=0, registered=0, offset=offset, claims=[])
    counted = desk.counts.read()
    with Registry.open(desk.path) as registry:
        if counted.current and counted.value is not None:
            every = list(counted.value.overview.claims)
        else:
            every = [Claim(each, registry.evidence(each.number)) for each in registry.hypotheses()]
        words = (name or "").lower()
        found = [
            each
            for each in every
            if (standing is None or standing_of(each) == standing)
            and (not words or words in f"{each.hypothesis.name} {each.hypothesis.market}".lower())
        ]
        found.sort(key=_ORDERS[order], reverse=descending)
        shown = found[offset : offset + limit]
        claims = [_claim(registry, each, spark=True) for each in shown]
    return ClaimPage(total=len(found), registered=len(every), offset=offset, claims=claims)


_ORDERS: dict[ClaimOrder, Callable[[Claim], tuple[float | str, int]]] = {
    "number": lambda claim: (0.0, claim.hypothesis.number),
    "nearness": lambda claim: (nearness(claim), -claim.hypothesis.number),
    "wealth": lambda claim: (claim.evidence.wealth, -claim.hypothesis.number),
    "bars": lambda claim: (float(claim.evidence.bars), -claim.hypothesis.number),
    "name": lambda claim: (claim.hypothesis.name.lower(), claim.hypothesis.number),
}


def nearness(claim: Claim) -> float:
    """How much of the way to its level a claim has come, on a logarithmic scale: 1 and more for one that is there."""
    if claim.proven:
        return 2.0
    return claim.evidence.log_peak / math.log(claim.hypothesis.wealth_to_reach)


def standing_of(claim: Claim) -> Standing:
    """Where a claim stands."""
    if claim.proven:
        return "proven"
    if claim.evidence.broken:
        return "broken"
    return "on_the_way" if claim.evidence.bars else "not_begun"


class LevelModel(BaseModel):
    """Why this level: α_k = α γ_k (R_k + 1), e-LOND (Xu and Ramdas 2024)."""

    number: int = Field(description="k")
    promotions_before: int = Field(description="R_k: promotions that had been made when it was registered")
    alpha: float = Field(description="the false discovery rate that is kept over all claims of the home")
    share: float = Field(description="γ_k = 1 / (k (k + 1))")
    level: float = Field(description="α_k")
    wealth_to_reach: float = Field(description="1 / α_k")


class WealthCurve(BaseModel):
    """The wealth after each bar that was bet on, at the time of its close; it begins with 1."""

    bars: int
    times: list[float] = Field(description="milliseconds since 1970 UTC")
    wealth: list[float | None] = Field(description="null where everything was lost")


class StretchModel(BaseModel):
    """The bars of a span of the calendar."""

    name: str
    bars: int
    net_return: float = Field(description="sum of the net returns, a share of the capital")
    wealth: float = Field(description="after the last of them")


class LookModel(BaseModel):
    """A look at bars that are held back. Times are milliseconds since 1970 UTC."""

    kind: Literal["selection", "vault"]
    first: float
    last: float
    run: str
    at: float


class ClaimDetail(BaseModel):
    """A claim and how its proof has come about."""

    claim: ClaimModel
    why: LevelModel
    anytime_p: float | None = Field(
        description="1 over the highest wealth: a p-value of this claim alone that holds at any time; null where a "
        "bound was broken"
    )
    curve: WealthCurve
    stretches: list[StretchModel]
    looks: list[LookModel] = Field(description="at bars held back, of this strategy on this market")
    evidence_until: float | None = Field(
        description="close of the last bar in the registry, milliseconds since 1970 UTC; a running fleet's journal "
        "may be ahead of it"
    )


@router.get("/evidence/claims/{number}")
def read_claim(desk: AtDesk, number: Annotated[int, Path(ge=1, le=2**31)]) -> ClaimDetail:
    """A claim: its wealth bar by bar, the level it has to reach, and why that."""
    if not desk.path.exists():
        raise MissingError(f"there is no claim {number}", hint="nothing is registered yet")
    with Registry.open(desk.path) as registry, registry.at_one_moment():
        known = next((each for each in registry.hypotheses() if each.number == number), None)
        if known is None:
            raise MissingError(f"there is no claim {number}")
        claim = Claim(known, registry.evidence(number))
        bets = registry.bars(number)
        looks = registry.looks(content_hash=known.content_hash, market=known.market)
        model = _claim(registry, claim, spark=False)
    curve, why = curve_of(known, bets), level_of(known)
    return ClaimDetail(
        claim=model,
        why=LevelModel(
            number=why.number,
            promotions_before=why.promotions_before,
            alpha=why.alpha,
            share=why.share,
            level=why.level,
            wealth_to_reach=why.wealth_to_reach,
        ),
        anytime_p=None if claim.evidence.broken else math.exp(-claim.evidence.log_peak),
        curve=WealthCurve(
            bars=curve.bars, times=[milliseconds(time) for time in curve.times.tolist()], wealth=curve.wealth
        ),
        stretches=[
            StretchModel(name=each.name, bars=each.bars, net_return=each.net_return, wealth=_wealth(each.log_wealth))
            for each in stretches_of(bets)
        ],
        looks=[
            LookModel(
                kind=each.kind,
                first=milliseconds(each.first_ts),
                last=milliseconds(each.last_ts),
                run=each.run,
                at=milliseconds(each.at),
            )
            for each in looks[-100:]
        ],
        evidence_until=milliseconds(bets[-1].ts + bar_of(known.market)) if bets else None,
    )


def claims_of(registry: Registry, content_hash: str) -> list[ClaimModel]:
    """The claims of a strategy."""
    found = registry.hypotheses(content_hash)[:100]
    return [_claim(registry, Claim(each, registry.evidence(each.number)), spark=True) for each in found]


def _claim(registry: Registry, claim: Claim, *, spark: bool) -> ClaimModel:
    own, evidence = claim.hypothesis, claim.evidence
    bets = registry.bars(own.number) if spark else ()
    last = bets[-1].ts if bets else registry.last_bar(own.number)
    return ClaimModel(
        number=own.number,
        content_hash=own.content_hash,
        name=own.name,
        author=own.author,
        market=own.market,
        fee=own.fee,
        slippage=own.slippage,
        registered_at=milliseconds(own.registered_at),
        counts_from=milliseconds(own.counts_from),
        run=own.run,
        promotions_before=own.promotions_before,
        level=1 / own.wealth_to_reach,
        wealth_to_reach=own.wealth_to_reach,
        wealth=min(evidence.wealth, _MOST),
        peak=min(evidence.peak, _MOST),
        bars=evidence.bars,
        last_bar=milliseconds(last),
        broken=evidence.broken,
        promoted_at=milliseconds(own.promoted_at),
        standing=standing_of(claim),
        state=claim.state,
        spark=_spark(own, bets) if spark and bets else [],
    )


def _spark(hypothesis: Hypothesis, bets: Sequence[Bet]) -> list[float]:
    logs = curve_of(hypothesis, bets, _SPARK).log_wealth / math.log(10)
    return [round(max(log, -9.0), 4) for log in logs.tolist()]


def _wealth(log: float) -> float:
    return min(math.exp(min(log, 700.0)), _MOST)
