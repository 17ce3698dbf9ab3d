"""The research campaigns of a home: what was searched, who was judged, and what became of them."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field, FiniteFloat, ValidationError

from clawd.research.kept_campaigns import Campaign, read_campaigns
from clawd.server.caller import Scope, needs
from clawd.server.evidence_at_work import AtDesk
from clawd.server.evidence_desk import EvidenceDesk
from clawd.server.milliseconds import milliseconds
from clawd.server.problem import MissingError
from clawd.server.site import AtSite
from clawd.store.registry import Registry

router = APIRouter(tags=["evidence"], dependencies=[needs(Scope.READ)])

#: How long it waits for the first count, seconds.
_PATIENCE = 0.4


class CampaignModel(BaseModel):
    """A research campaign in short. Times are milliseconds since 1970 UTC, of bars their opens."""

    run: str
    state: Literal["concluded", "open", "unreadable"] = Field(
        description="open: it searches, or was stopped and can go on; unreadable: what it has left is damaged"
    )
    began_at: FiniteFloat | None
    symbols: list[str]
    seed: int | None
    budget: int | None
    tried: int | None = Field(description="distinct trials that are its own; null where it has none or is counted yet")
    strategies: int | None = Field(description="distinct ones among them, likewise")
    selection_from: FiniteFloat | None
    vault_from: FiniteFloat | None
    until: FiniteFloat | None
    finalists: int
    passed: int = Field(description="finalists that passed all gates")
    registered: int = Field(description="of them that knocked and have a claim")
    proven: int


class Campaigns(BaseModel):
    """The research campaigns of the home, the newest first."""

    total: int
    campaigns: list[CampaignModel]


class GateModel(BaseModel):
    """A number against a threshold that was fixed before; what is unknown does not pass."""

    name: str
    value: FiniteFloat | None
    threshold: FiniteFloat | None
    passed: bool
    meaning: str


class FinalistModel(BaseModel):
    """A finalist of a campaign, and what became of it."""

    rank: int
    name: str
    content_hash: str
    sharpe: FiniteFloat | None = Field(description="annual, on the bars of the search")
    stressed_sharpe: FiniteFloat | None = Field(description="at twice the costs")
    delayed_sharpe: FiniteFloat | None = Field(description="one bar late")
    endured_sharpe: FiniteFloat | None = Field(description="at twice the costs and one bar late")
    selection_sharpe: FiniteFloat | None = Field(description="annual, on the bars of the selection")
    gates: list[GateModel]
    passed: bool
    refusal: str | None
    hypothesis: int | None
    proven: bool
    verdict: str


class ToldCampaign(BaseModel):
    """What a campaign has left in its file."""

    symbols: list[str]
    seed: int
    budget: int
    fee: FiniteFloat
    slippage: FiniteFloat
    capital: str
    code: str
    finalists: list[FinalistModel]


class CampaignDetail(BaseModel):
    """A research campaign and its finalists, best first."""

    campaign: CampaignModel
    fee: float | None
    slippage: float | None
    capital: str | None = Field(description="quote currency")
    code: str | None = Field(description="version of the program")
    finalists: list[FinalistModel]


@router.get("/evidence/campaigns")
def list_campaigns(
    desk: AtDesk,
    site: AtSite,
    offset: Annotated[int, Query(ge=0, le=10**6)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Campaigns:
    """What was searched, who came to a final, who was judged, registered and proven."""
    found = _campaigns(desk, site)
    return Campaigns(
        total=len(found), campaigns=[_campaign(each, told_of(each)) for each in found[offset : offset + limit]]
    )


@router.get("/evidence/campaigns/{run}")
def read_campaign(desk: AtDesk, site: AtSite, run: Annotated[str, Path(max_length=100)]) -> CampaignDetail:
    """A campaign with every gate of every finalist."""
    own = next((each for each in _campaigns(desk, site) if each.run == run), None)
    if own is None:
        raise MissingError("there is no such campaign", where=run)
    told = told_of(own)
    return CampaignDetail(
        campaign=_campaign(own, told),
        fee=told and told.fee,
        slippage=told and told.slippage,
        capital=told and told.capital,
        code=told and told.code,
        finalists=[] if told is None else told.finalists,
    )


def told_of(campaign: Campaign) -> ToldCampaign | None:
    """What a campaign has left, None where it has left nothing or that cannot be read."""
    if campaign.told is None:
        return None
    try:
        return ToldCampaign.model_validate(campaign.told)
    except ValidationError:
        return None


def _campaigns(desk: EvidenceDesk, site: AtSite) -> tuple[Campaign, ...]:
    if not desk.path.exists():
        return read_campaigns(site.home, (), ())
    counted = desk.counts.read(_PATIENCE).value
    with Registry.open(desk.path) as registry:
        return read_campaigns(site.home, () if counted is None else counted.overview.runs, registry.seals())


def _campaign(campaign: Campaign, told: ToldCampaign | None) -> CampaignModel:
    seal, tried = campaign.seal, campaign.tried
    finalists = [] if told is None else told.finalists
    ended: Literal["concluded", "unreadable"] = "unreadable" if told is None else "concluded"
    return CampaignModel(
        run=campaign.run,
        state=ended if campaign.ended else "open",
        began_at=milliseconds(campaign.began_at),
        symbols=list(seal.symbols) if seal is not None else [] if told is None else told.symbols,
        seed=told and told.seed,
        budget=told and told.budget,
        tried=None if tried is None else tried.trials,
        strategies=None if tried is None else tried.strategies,
        selection_from=None if seal is None else milliseconds(seal.selection_from),
        vault_from=None if seal is None else milliseconds(seal.vault_from),
        until=None if seal is None else milliseconds(seal.until),
        finalists=len(finalists),
        passed=sum(each.passed for each in finalists),
        registered=sum(each.hypothesis is not None for each in finalists),
        proven=sum(each.proven for each in finalists),
    )
