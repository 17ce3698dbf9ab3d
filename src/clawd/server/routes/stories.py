"""All that is known of one strategy: what it does, its gates, its claims, where it comes from, what stresses it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field, FiniteFloat, ValidationError

from clawd.core.errors import ClawdError
from clawd.data.sample import SYMBOLS
from clawd.language.explain import explain
from clawd.language.strategy import parse_json
from clawd.research.kept_campaigns import Campaign, read_campaigns
from clawd.research.kept_stories import read_story
from clawd.server.caller import AsCaller, Scope, needs
from clawd.server.evidence_at_work import AtDesk
from clawd.server.evidence_desk import EvidenceDesk, Order, Telling
from clawd.server.milliseconds import milliseconds
from clawd.server.problem import MissingError, Problem
from clawd.server.recording import record
from clawd.server.routes.campaigns import FinalistModel, GateModel, told_of
from clawd.server.routes.claims import ClaimModel, claims_of
from clawd.server.routes.evidence import TrialModel, trial_model
from clawd.server.site import AtSite
from clawd.store.ledger import Ledger
from clawd.store.registry import Registry
from clawd.store.trial_list import TrialList, Wanted

router = APIRouter(tags=["evidence"])

Hash = Annotated[str, Path(pattern="^[0-9a-f]{6,64}$", description="the content hash, or its first digits")]

_MOST_ANCESTORS = 100
_MOST_TRIALS = 50
_MOST_JUDGED = 20


class AncestorModel(BaseModel):
    """A strategy in a lineage."""

    content_hash: str
    name: str
    author: str
    origin: str
    generations: int = Field(description="steps before the strategy, 0 for itself")


class JudgedModel(BaseModel):
    """What a campaign said of it."""

    run: str
    symbols: list[str]
    fee: float
    slippage: float
    finalist: FinalistModel


class NeighbourModel(BaseModel):
    """The strategy with one number a step up or down."""

    change: str
    sharpe: FiniteFloat | None = Field(description="annual, on the same bars")


class RegimeModel(BaseModel):
    """The bars of one kind of market."""

    name: str
    meaning: str
    share: FiniteFloat = Field(description="of all bars")
    sharpe: FiniteFloat | None
    annual_return: FiniteFloat | None = Field(description="a year's worth of its mean bar, a share of the capital")


class SharpesModel(BaseModel):
    """Annual Sharpe ratios of net returns."""

    search: FiniteFloat | None
    selection: FiniteFloat | None
    double_costs: FiniteFloat | None
    one_bar_late: FiniteFloat | None
    both: FiniteFloat | None


class ToldModel(BaseModel):
    """What came out when its story was told: it was run on the bars of the search, and every run counted."""

    told_at: FiniteFloat = Field(description="milliseconds since 1970 UTC")
    source: str
    symbols: list[str]
    first: FiniteFloat = Field(description="open of the first bar, milliseconds since 1970 UTC")
    last: FiniteFloat = Field(description="open of the last bar, milliseconds since 1970 UTC")
    bars: int
    fee: FiniteFloat
    slippage: FiniteFloat
    capital: str
    verdict: str
    trials: int = Field(description="distinct trials in the ledger when it was told: the gates charge for all of them")
    gates: list[GateModel]
    sharpe: SharpesModel
    neighbours: list[NeighbourModel]
    regimes: list[RegimeModel]


class TellingModel(BaseModel):
    """A story on its way."""

    state: Literal["waiting", "telling", "told", "failed"]
    since: float = Field(description="milliseconds since 1970 UTC")
    problem: Problem | None


class StoryModel(BaseModel):
    """All that is known of a strategy. Reading it runs nothing and counts nothing."""

    content_hash: str
    family_hash: str
    name: str
    author: str
    explanation: str | None = Field(description="what it does, in plain English; null where its program was not kept")
    family: int = Field(description="distinct strategies tried of its family")
    distinct_trials: int = Field(description="of the ledger; the gates charge for all of them")
    lineage: list[AncestorModel]
    ancestors: int = Field(description="how many there are; the nearest are listed")
    trials: list[TrialModel]
    all_trials: int
    claims: list[ClaimModel]
    judged: list[JudgedModel] = Field(description="by campaigns, the newest first")
    told: ToldModel | None = Field(description="null where nobody has asked for it")
    telling: TellingModel | None
    source: Literal["sample", "catalog"] = Field(description="on which its story would be told")


@router.get("/evidence/strategies/{content_hash}", dependencies=[needs(Scope.READ)])
def read_strategy_evidence(desk: AtDesk, site: AtSite, content_hash: Hash) -> StoryModel:
    """What is known of a strategy that was tried: gates, claims, lineage, stress, neighbours, regimes."""
    whole, program, name = _found(desk, content_hash)
    with Ledger.open(desk.path) as ledger, Registry.open(desk.path) as registry:
        lineage = ledger.lineage(whole)
        claims = claims_of(registry, whole)
        campaigns = read_campaigns(site.home, (), registry.seals())
        distinct = ledger.distinct()
    with TrialList.open(desk.path) as trials:
        all_trials, rows = trials.page(Wanted(content_hash=whole), limit=_MOST_TRIALS)
        family = trials.family(rows[0].family_hash)
    judged = [own for each in campaigns if (own := _judged(each, whole)) is not None][:_MOST_JUDGED]
    telling = desk.telling(whole)
    return StoryModel(
        content_hash=whole,
        family_hash=rows[0].family_hash,
        name=name,
        author=lineage[0].author,
        explanation=_explained(program),
        family=family,
        distinct_trials=distinct,
        lineage=[
            AncestorModel(
                content_hash=each.content_hash,
                name=each.name,
                author=each.author,
                origin=each.origin,
                generations=each.generations,
            )
            for each in lineage[:_MOST_ANCESTORS]
        ],
        ancestors=len(lineage),
        trials=[trial_model(row) for row in rows],
        all_trials=all_trials,
        claims=claims,
        judged=judged,
        told=_told(read_story(site.home, whole)),
        telling=None if telling is None else _telling(telling),
        source=_source(judged[0].symbols if judged else []),
    )


class TellRequest(BaseModel):
    """On which market to tell a story, and at what costs; what is left out is as usual."""

    source: Literal["sample", "catalog"] = "sample"
    universe: list[Annotated[str, Field(min_length=1, max_length=40)]] | None = Field(
        None, min_length=1, max_length=200
    )
    bar: str | None = Field(None, pattern=r"^[1-9][0-9]{0,3}[smhdw]$", description="size of the bars, such as 1d")
    capital: Decimal = Field(Decimal(10_000), ge=1, le=10**12, description="quote currency")


@router.post("/evidence/strategies/{content_hash}/story", status_code=202, dependencies=[needs(Scope.BUILD)])
def tell_story(desk: AtDesk, site: AtSite, caller: AsCaller, content_hash: Hash, wanted: TellRequest) -> TellingModel:
    """Run a strategy on the bars of the search, with its neighbours and under stress: every run counts as a trial."""
    whole, program, _ = _found(desk, content_hash)
    if program is None:
        raise MissingError("the program of this strategy was not kept", where=whole)
    order = Order(
        content_hash=whole,
        source=wanted.source,
        universe=None if wanted.universe is None else tuple(wanted.universe),
        bar=wanted.bar,
        fee=str(site.settings.fee),
        slippage=str(site.settings.slippage),
        capital=f"{wanted.capital:f}",
    )
    telling = desk.tell(order)
    record(site, caller, "StoryOrdered", {"content_hash": whole, "source": wanted.source, "capital": order.capital})
    return _telling(telling)


def _found(desk: EvidenceDesk, digits: str) -> tuple[str, str | None, str]:
    """The whole hash, the program and the name of the strategy whose hash begins so."""
    missing = MissingError("no strategy that was tried has a hash that begins so", where=digits)
    if not desk.path.exists():
        raise missing
    with TrialList.open(desk.path) as trials:
        found = trials.strategies(digits, 6)
    if not found:
        raise missing
    if len(found) > 1:
        hint = f"say which: {', '.join(each[:12] for each, _ in found[:5])}"
        raise ClawdError("several strategies have a hash that begins so", where=digits, hint=hint)
    (whole, name) = found[0]
    with Ledger.open(desk.path) as ledger:
        return whole, ledger.strategy(whole), name


def _explained(program: str | None) -> str | None:
    if program is None:
        return None
    try:
        return explain(parse_json(program)).partition("\n")[2].partition("\nIdentity\n")[0].strip("\n")
    except ClawdError:  # written by another version of the language
        return None


def _judged(campaign: Campaign, content_hash: str) -> JudgedModel | None:
    told = told_of(campaign)
    own = next((each for each in told.finalists if each.content_hash == content_hash), None) if told else None
    if told is None or own is None:
        return None
    return JudgedModel(run=campaign.run, symbols=told.symbols, fee=told.fee, slippage=told.slippage, finalist=own)


def _told(kept: Mapping[str, Any] | None) -> ToldModel | None:
    if kept is None:
        return None
    story = kept["story"]
    try:
        return ToldModel.model_validate(
            {
                **{name: kept.get(name) for name in ("source", "symbols", "bars", "fee", "slippage", "capital")},
                **{name: story.get(name) for name in ("verdict", "gates", "sharpe", "neighbours", "regimes")},
                "told_at": milliseconds(kept.get("told_at")),
                "first": milliseconds(kept.get("first_ts")),
                "last": milliseconds(kept.get("last_ts")),
                "trials": story.get("distinct_trials"),
            }
        )
    except (ValidationError, TypeError):
        return None


def _telling(telling: Telling) -> TellingModel:
    problem = None
    if telling.problem is not None:
        what, where, hint = telling.problem
        problem = Problem(what=what, where=where, hint=hint)
    return TellingModel(state=telling.state, since=milliseconds(telling.since), problem=problem)


def _source(symbols: list[str]) -> Literal["sample", "catalog"]:
    """The market of the campaign that judged it, as far as its instruments tell."""
    return "sample" if set(symbols) <= set(SYMBOLS) else "catalog"
