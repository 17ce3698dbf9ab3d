"""The fleet's list: the strategies that `clawd up` tries beside the library, and what it means to be on it."""

from __future__ import annotations

from fastapi import APIRouter

from clawd.authors.starter import find_starter, starter_names
from clawd.language.strategy import parse_toml
from clawd.server.caller import AsCaller, Scope, needs
from clawd.server.milliseconds import milliseconds
from clawd.server.problem import ConflictError, MissingError
from clawd.server.recording import record
from clawd.server.saved_strategies import Name, parsed, saved_strategy
from clawd.server.site import AtSite, Site
from clawd.server.strategy_models import Deployment, DeployRequest, ListedStrategy
from clawd.store.fleet_list import Listed, add_to_fleet, read_fleet_list, take_off_fleet
from clawd.store.strategies import read_saved

router = APIRouter(tags=["strategies"], dependencies=[needs(Scope.READ)])


@router.get("/strategies/{name}/deployment")
def read_deployment(name: Name, site: AtSite) -> Deployment:
    """What deploying a strategy to paper would mean."""
    _, content_hash = _deployable(site, name)
    return _deployment(site, name, content_hash)


@router.post("/strategies/{name}/deploy", dependencies=[needs(Scope.DECIDE)])
def deploy_strategy(name: Name, request: DeployRequest, site: AtSite, caller: AsCaller) -> Deployment:
    """Put a strategy on the fleet's list: it is counted, judged and gated like every other.

    Whoever may build alone does not: what trades is stopped and begins a new run.
    """
    text, content_hash = _deployable(site, name)
    if content_hash != request.content_hash:
        what = f"`{name}` is another strategy by now than the one that was looked at"
        raise ConflictError(what, where="content_hash", hint="load it again and look at it first")
    if any(each.content_hash == content_hash for each in read_fleet_list(site.home)):
        raise ConflictError("the fleet's list already has this very strategy", where=name)
    listed = add_to_fleet(site.home, name, text, site.clock.now(), caller.name)
    record(site, caller, "StrategyDeployed", {"name": name, "hash": listed.content_hash})
    if site.deploy is not None:
        site.deploy()
    site.announce("strategies")
    return _deployment(site, name, content_hash)


@router.get("/fleet/list")
def list_fleet(site: AtSite) -> list[ListedStrategy]:
    """The strategies that `clawd up` tries beside the library."""
    return [_listed(site, each) for each in read_fleet_list(site.home)]


@router.delete("/fleet/list/{name}", dependencies=[needs(Scope.DECIDE)])
def take_off_list(name: Name, site: AtSite, caller: AsCaller) -> ListedStrategy:
    """Take a strategy off the fleet's list: the next run does not try it. Its count in the ledger stays."""
    if not any(each.name == name for each in read_fleet_list(site.home)):
        raise MissingError(f"`{name}` is not on the fleet's list", where="name")
    gone = take_off_fleet(site.home, name)
    record(site, caller, "StrategyTakenOff", {"name": name, "hash": gone.content_hash})
    if site.deploy is not None:
        site.deploy()
    site.announce("strategies")
    return _listed(site, gone)


def _deployable(site: Site, name: str) -> tuple[str, str]:
    """The text and the content hash of a strategy that may be deployed."""
    if name in starter_names():
        raise ConflictError(
            f"`{name}` is of the starter library, which every run tries anyway",
            where="name",
            hint="change something in it and deploy your own",
        )
    saved = saved_strategy(site, name)
    if saved.draft is not None or saved.text is None:
        raise ConflictError(
            f"`{name}` has changes that are not valid yet", where=name, hint="mend what is marked first"
        )
    strategy = parse_toml(saved.text)
    twin = next((each for each in starter_names() if find_starter(each).content_hash == strategy.content_hash), None)
    if twin is not None:
        hint = "change something in it and deploy your own"
        raise ConflictError(
            f"it is the same as `{twin}` of the library, which every run tries anyway", where=name, hint=hint
        )
    return saved.text, strategy.content_hash


def _deployment(site: Site, name: str, content_hash: str) -> Deployment:
    restarts = site.deploy is not None
    slots = site.settings.slots
    begins = (
        "The paper run that is at work stops after the bar at hand, and a new run begins with this strategy beside the"
        " library."
        if restarts
        else "Nothing that trades now changes. The next `clawd up` begins a new run with this strategy beside the"
        " library."
    )
    return Deployment(
        name=name,
        content_hash=content_hash,
        listed=any(each.content_hash == content_hash for each in read_fleet_list(site.home)),
        restarts=restarts,
        consequences=[
            begins,
            f"The strategy is backtested on the first {site.settings.search_share:.0%} of the bars and counted in the"
            " ledger as a trial, as every other is. A trial is never uncounted.",
            f"It trades on paper only if it ranks among the best: there are {slots} slots, and whoever moves like a"
            " better one gets none.",
            "Evidence for it counts only from bars that you could not have seen: what you have backtested, and what a"
            " run has traded before your eyes, proves nothing about it.",
            "Every order goes through the gate, within the day's loss limit. No real money is involved.",
        ],
    )


def _listed(site: Site, each: Listed) -> ListedStrategy:
    saved = read_saved(site.home, each.name)
    now = parsed(saved.text) if saved and saved.text is not None else None
    return ListedStrategy(
        name=each.name,
        title=parse_toml(each.text).name,
        content_hash=each.content_hash,
        added_at=milliseconds(each.added_at),
        by=each.by,
        current=now is not None and now.content_hash == each.content_hash,
    )
