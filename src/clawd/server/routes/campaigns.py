"""The research campaigns of a home: what was searched, who was judged, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field, ValidationError

from clawd.core.errors import ClawdError
from clawd.research.kept_campaigns import Campaign, read_campaigns
from clawd.server.caller import Scope, needs
from clawd.server.evidence_desk import EvidenceDesk
from clawd.server.milliseconds import milliseconds
from clawd.server.problem import MissingError
from clawd.server.routes.evidence import AtDesk
from clawd.server.site import AtSite
from clawd.store.ledger import Ledger
from clawd.store.registry import Registry

router = APIRouter(tags=["evidence"], dependencies=[needs(Scope.READ)])


class CampaignModel(BaseModel):
    """A research campaign in short. Times are milliseconds since 1970 UTC, of bars their opens."""

    run: str
    state: Literal["concluded", "open"] = Field(description="open: it searches, or was stopped and can go on")
    began_at: float | None
    symbols: list[str]
    seed: int | None
    budget: int | None
    tried: int = Field(description="distinct trials that are its own")
    strategies: int
    selection_from: float | None
    vault_from: float | None
    until: float | None
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
    value: float | None
    threshold: float | None
    passed: bool
    meaning: str


class FinalistModel(BaseModel):
    """A finalist of a campaign, and what became of it."""

    rank: int
    name: str
    content_hash: str
    sharpe: float | None = Field(description="annual, on the bars of the search")
    stressed_sharpe: float | None = Field(description="at twice the costs")
    delayed_sharpe: float | None = Field(description="one bar late")
    endured_sharpe: float | None = Field(description="at twice the costs and one bar late")
    selection_sharpe: float | None = Field(description="annual, on the bars of the selection")
    gates: list[GateModel]
    passed: bool
    refusal: str | None
    hypothesis: int | None
    proven: bool
    verdict: str


class CampaignDetail(BaseModel):
    """A research campaign and its finalists, best first."""

    campaign: CampaignModel
    fee: float | None
    slippage: float | None
    capital: str | None
    code: str | None
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
    return Campaigns(total=len(found), campaigns=[_campaign(each) for each in found[offset : offset + limit]])


@router.get("/evidence/campaigns/{run}")
def read_campaign(desk: AtDesk, site: AtSite, run: Annotated[str, Path(max_length=100)]) -> CampaignDetail:
    """A campaign with every gate of every finalist."""
    own = next((each for each in _campaigns(desk, site) if each.run == run), None)
    if own is None:
        raise MissingError("there is no such campaign", where=run)
    told = own.told or {}
    return CampaignDetail(
        campaign=_campaign(own),
        fee=told.get("fee"),
        slippage=told.get("slippage"),
        capital=told.get("capital"),
        code=told.get("code"),
        finalists=[finalist_model(each) for each in own.finalists],
    )


def finalist_model(told: Mapping[str, Any]) -> FinalistModel:
    """A finalist as its campaign has written it."""
    try:
        return FinalistModel.model_validate(told)
    except ValidationError as error:
        raise ClawdError("a file of a campaign holds something else than a finalist", where="campaign.json") from error


def _campaigns(desk: EvidenceDesk, site: AtSite) -> tuple[Campaign, ...]:
    if not desk.path.exists():
        return read_campaigns(site.home, (), ())
    with Ledger.open(desk.path) as ledger, Registry.open(desk.path) as registry:
        return read_campaigns(site.home, ledger.runs(), registry.seals())


def _campaign(campaign: Campaign) -> CampaignModel:
    told, seal, tried = campaign.told or {}, campaign.seal, campaign.tried
    finalists = campaign.finalists
    return CampaignModel(
        run=campaign.run,
        state="open" if campaign.told is None else "concluded",
        began_at=milliseconds(campaign.began_at),
        symbols=list(told.get("symbols", ())) if seal is None else list(seal.symbols),
        seed=told.get("seed"),
        budget=told.get("budget"),
        tried=0 if tried is None else tried.trials,
        strategies=0 if tried is None else tried.strategies,
        selection_from=None if seal is None else milliseconds(seal.selection_from),
        vault_from=None if seal is None else milliseconds(seal.vault_from),
        until=None if seal is None else milliseconds(seal.until),
        finalists=len(finalists),
        passed=sum(bool(each.get("passed")) for each in finalists),
        registered=sum(each.get("hypothesis") is not None for each in finalists),
        proven=sum(bool(each["proven"]) for each in finalists),
    )
