"""Strategies: the library and a person's own, checked, saved, and put on the fleet's list."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Literal, cast

from fastapi import APIRouter, Path
from pydantic import BaseModel, ValidationError

from clawd.authors.starter import find_starter, starter_names
from clawd.backtests.desk import Desk
from clawd.core.clock import duration
from clawd.core.errors import ClawdError, suggestion
from clawd.language.explain import sentence
from clawd.language.strategy import Strategy, parse_toml
from clawd.server.caller import AsCaller, Scope, needs
from clawd.server.milliseconds import milliseconds
from clawd.server.problem import ConflictError, MissingError
from clawd.server.recording import record
from clawd.server.site import AtSite, Site
from clawd.server.strategy_checks import checked_graph, checked_text, checked_tree, palette
from clawd.server.strategy_models import (
    Check,
    CheckRequest,
    Deployment,
    DeployRequest,
    Form,
    Graph,
    LastBacktest,
    ListedStrategy,
    Palette,
    Removed,
    SavedAnswer,
    SaveRequest,
    StrategyDetail,
    StrategySummary,
    Viewport,
)
from clawd.store.fleet_list import Listed, add_to_fleet, read_fleet_list, take_off_fleet
from clawd.store.strategies import (
    GoneError,
    RevisionError,
    Saved,
    check_name,
    put_back,
    read_saved,
    remove,
    save,
    saved_strategies,
)

router = APIRouter(tags=["strategies"], dependencies=[needs(Scope.READ)])

Name = Annotated[str, Path(max_length=80, description="of a saved strategy or of the starter library")]


@router.get("/palette")
def read_palette() -> Palette:
    """The blocks, exits and units that strategies are built of."""
    return palette()


@router.get("/strategies")
def list_strategies(site: AtSite) -> list[StrategySummary]:
    """The starter library and what was saved, own ones first, newest first."""
    listed = {each.content_hash for each in _fleet(site)}
    own = sorted(saved_strategies(site.home), key=lambda saved: saved.saved_at, reverse=True)
    tested = _last_backtests(site)
    found = [_own_summary(saved, listed, tested) for saved in own]
    return found + [_summary(name, find_starter(name), listed, tested, None) for name in starter_names()]


@router.post("/strategies/check")
def check_strategy(request: CheckRequest) -> Check:
    """A strategy in its three forms, or everything that is wrong with it. Nothing is saved."""
    given = [form for form in (request.text, request.tree, request.graph) if form is not None]
    if len(given) != 1:
        raise ClawdError("exactly one of `text`, `tree` and `graph` is needed", where="body")
    if request.text is not None:
        return checked_text(request.text, request.previous)
    if request.tree is not None:
        return checked_tree(request.tree, request.previous)
    assert request.graph is not None
    return checked_graph(request.graph)


@router.get("/strategies/{name}")
def read_strategy(name: Name, site: AtSite) -> StrategyDetail:
    """A strategy with its text, JSON and graph, as it was left."""
    if name in starter_names():
        text = find_starter(name).to_toml()
        return StrategyDetail(
            name=name,
            own=False,
            revision=0,
            saved_at=None,
            edited_outside=False,
            form="text",
            draft=None,
            viewport=None,
            pane=None,
            check=checked_text(text),
        )
    return _detail(_saved(site, name))


@router.put("/strategies/{name}", dependencies=[needs(Scope.BUILD)])
def save_strategy(name: Name, request: SaveRequest, site: AtSite, caller: AsCaller) -> SavedAnswer:
    """Save a strategy: its text where it is valid, else as a draft. Refused (409) where another has saved it since."""
    if check_name(name) in starter_names():
        raise ConflictError(f"`{name}` is of the starter library", where="name", hint="save it under a name of its own")
    check = _check(request)
    given = {"text": request.text, "json": request.tree, "graph": request.graph}[request.form]
    if given is None:
        raise ClawdError(f"the form that was edited is missing: {request.form}", where="body")
    graph = request.graph if request.form == "graph" or not check.valid else check.graph
    drawing: dict[str, object] = {
        "graph": graph.model_dump(mode="json", by_alias=True, exclude_none=True) if graph else None,
        "viewport": request.viewport.model_dump() if request.viewport else None,
        "pane": request.pane,
    }
    draft: dict[str, object] | None = None
    if not check.valid:
        draft = {"form": request.form, "content": None if isinstance(given, Graph) else given}
    before = read_saved(site.home, name)
    try:
        saved = save(site.home, name, request.revision, check.text if check.valid else None, drawing, draft, _now(site))
    except RevisionError as error:
        raise ConflictError(error.what, where=name, hint=_what_changed(error.saved, check)) from None
    except GoneError as error:
        raise ConflictError(error.what, where=name, hint=error.hint) from None
    if before is None or before.text != saved.text or (draft is None) != (before.draft is None):
        facts = {"name": name, "revision": saved.revision, "draft": draft is not None, "hash": check.content_hash}
        record(site, caller, "StrategySaved", cast("Mapping[str, bool | int | str | None]", facts))
    site.announce("strategies")
    return SavedAnswer(
        name=name,
        revision=saved.revision,
        saved_at=milliseconds(saved.saved_at),
        draft=draft is not None,
        content_hash=check.content_hash,
    )


@router.delete("/strategies/{name}", dependencies=[needs(Scope.BUILD)])
def remove_strategy(name: Name, site: AtSite, caller: AsCaller) -> Removed:
    """Set a saved strategy aside. What the fleet tries goes on being tried."""
    saved = _saved(site, name)
    ticket = remove(site.home, saved.name)
    record(site, caller, "StrategyRemoved", {"name": name, "ticket": ticket})
    site.announce("strategies")
    return Removed(name=name, ticket=ticket)


class Ticket(BaseModel):
    """Of a removal."""

    ticket: Annotated[str, Path(max_length=100)]


@router.post("/strategies/restore", dependencies=[needs(Scope.BUILD)])
def restore_strategy(request: Ticket, site: AtSite, caller: AsCaller) -> StrategyDetail:
    """Put a strategy back that was set aside."""
    saved = put_back(site.home, request.ticket)
    record(site, caller, "StrategyRestored", {"name": saved.name, "ticket": request.ticket})
    site.announce("strategies")
    return _detail(saved)


@router.get("/strategies/{name}/deployment")
def read_deployment(name: Name, site: AtSite) -> Deployment:
    """What deploying a strategy to paper would mean."""
    text, content_hash = _deployable(site, name)
    del text
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
    if any(each.content_hash == content_hash for each in _fleet(site)):
        raise ConflictError("the fleet's list already has this very strategy", where=name)
    listed = add_to_fleet(site.home, name, text, _now(site), caller.name)
    record(site, caller, "StrategyDeployed", {"name": name, "hash": listed.content_hash})
    if site.deploy is not None:
        site.deploy()
    site.announce("strategies")
    return _deployment(site, name, content_hash)


@router.get("/fleet/list")
def list_fleet(site: AtSite) -> list[ListedStrategy]:
    """The strategies that `clawd up` tries beside the library."""
    return [_listed(site, each) for each in _fleet(site)]


@router.delete("/fleet/list/{name}", dependencies=[needs(Scope.DECIDE)])
def take_off_list(name: Name, site: AtSite, caller: AsCaller) -> ListedStrategy:
    """Take a strategy off the fleet's list: the next run does not try it. Its count in the ledger stays."""
    if not any(each.name == name for each in _fleet(site)):
        raise MissingError(f"`{name}` is not on the fleet's list", where="name")
    gone = take_off_fleet(site.home, name)
    record(site, caller, "StrategyTakenOff", {"name": name, "hash": gone.content_hash})
    if site.deploy is not None:
        site.deploy()
    site.announce("strategies")
    return _listed(site, gone)


def _now(site: Site) -> int:
    return site.clock.now()


def _fleet(site: Site) -> tuple[Listed, ...]:
    return read_fleet_list(site.home)


def _saved(site: Site, name: str) -> Saved:
    try:
        saved = read_saved(site.home, name)
    except ClawdError as error:
        if error.where != "name":
            raise
        saved = None
    if saved is None:
        names = [*starter_names(), *(each.name for each in saved_strategies(site.home))]
        raise MissingError(f"there is no strategy `{name}`", where="name", hint=suggestion(name, names))
    return saved


def _check(request: SaveRequest) -> Check:
    if request.form == "graph" and request.graph is not None:
        return checked_graph(request.graph, request.text)
    if request.form == "json" and request.tree is not None:
        return checked_tree(request.tree, request.graph)
    return checked_text(request.text or "", request.graph)


def _detail(saved: Saved) -> StrategyDetail:
    graph = _graph(saved.drawing.get("graph"))
    draft = saved.draft or {}
    form = cast("Form", draft.get("form") if draft.get("form") in ("text", "json", "graph") else "text")
    content = draft.get("content")
    if saved.draft is None or saved.text is None or form == "graph":
        check = checked_graph(graph, saved.text) if graph and not saved.edited else None
        if check is None or (saved.draft is None and check.text != saved.text):
            check = checked_text(saved.text or "", graph)
    else:
        check = checked_text(saved.text, graph)
    if saved.draft is not None and form != "graph":
        typed = checked_text if form == "text" else checked_tree
        wrong = typed(str(content), None)
        # What is drawn is what was valid last; what is typed says what is wrong.
        check = check.model_copy(update={"problems": wrong.problems, "valid": wrong.valid})
    return StrategyDetail(
        name=saved.name,
        own=True,
        revision=saved.revision,
        saved_at=milliseconds(saved.saved_at) if saved.saved_at else None,
        edited_outside=saved.edited and saved.saved_at > 0,
        form=form if saved.draft is not None else "text",
        draft=content if isinstance(content, str) else None,
        viewport=_viewport(saved.drawing.get("viewport")),
        pane=pane if isinstance(pane := saved.drawing.get("pane"), str) else None,
        check=check,
    )


def _graph(form: object) -> Graph | None:
    """A drawing as it was saved; one that another program has spoiled is as good as none."""
    try:
        return Graph.model_validate(form)
    except ValidationError:
        return None


def _viewport(form: object) -> Viewport | None:
    try:
        return Viewport.model_validate(form)
    except ValidationError:
        return None


def _last_backtests(site: Site) -> dict[str, LastBacktest]:
    """The newest that is done of each strategy, by content hash."""
    if not isinstance(site.backtests, Desk):
        return {}
    found: dict[str, LastBacktest] = {}
    for run in site.backtests.runs():
        if run.state == "done" and run.figures is not None and run.ended is not None:
            last = LastBacktest(
                id=run.id,
                ended_at=milliseconds(run.ended),
                total_return=run.figures.get("total_return"),
                sharpe=run.figures.get("sharpe"),
            )
            found.setdefault(run.content_hash, last)
    return found


def _own_summary(saved: Saved, listed: set[str], tested: Mapping[str, LastBacktest]) -> StrategySummary:
    strategy = _strategy(saved.text) if saved.text is not None else None
    if strategy is not None:
        return _summary(saved.name, strategy, listed, tested, saved)
    graph = _graph(saved.drawing.get("graph"))
    return StrategySummary(
        name=saved.name,
        title=graph.name if graph and graph.name else saved.name,
        own=True,
        draft=True,
        sentence="",
        source="",
        claim="",
        content_hash=None,
        bar=None,
        saved_at=milliseconds(saved.saved_at) if saved.saved_at else None,
        on_fleet=False,
        last_backtest=None,
    )


def _summary(
    name: str, strategy: Strategy, listed: set[str], tested: Mapping[str, LastBacktest], saved: Saved | None
) -> StrategySummary:
    return StrategySummary(
        name=name,
        title=strategy.name,
        own=saved is not None,
        draft=saved is not None and saved.draft is not None,
        sentence=sentence(strategy),
        source=strategy.source,
        claim=strategy.claim,
        content_hash=strategy.content_hash,
        bar=duration(strategy.bar) if strategy.bar is not None else None,
        saved_at=milliseconds(saved.saved_at) if saved and saved.saved_at else None,
        on_fleet=strategy.content_hash in listed,
        last_backtest=tested.get(strategy.content_hash),
    )


@lru_cache(maxsize=2_000)
def _strategy(text: str) -> Strategy | None:
    try:
        return parse_toml(text)
    except ClawdError:
        return None


def _what_changed(theirs: Saved, mine: Check) -> str:
    """In words, what another has saved since."""
    if theirs.edited:
        return "the file was changed with an editor; load it again, or save yours under another name"
    other = _strategy(theirs.text or "")
    own = _strategy(mine.text or "")
    changed = []
    if other is not None and own is not None:
        changed += ["the name"] if other.name != own.name else []
        changed += ["the program"] if other.target != own.target else []
        changed += ["the exits"] if other.exits != own.exits else []
        changed += ["bars or instruments"] if (other.bar, other.universe) != (own.bar, own.universe) else []
    said = ", ".join(changed) or "the drawing alone"
    return f"what is different there: {said}; load it again, or save yours under another name"


def _deployable(site: Site, name: str) -> tuple[str, str]:
    """The text and the content hash of a strategy that may be deployed."""
    if name in starter_names():
        raise ConflictError(
            f"`{name}` is of the starter library, which every run tries anyway",
            where="name",
            hint="change something in it and deploy your own",
        )
    saved = _saved(site, name)
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
        listed=any(each.content_hash == content_hash for each in _fleet(site)),
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
    saved: Literal[None] | Saved = read_saved(site.home, each.name)
    now = _strategy(saved.text) if saved and saved.text is not None else None
    return ListedStrategy(
        name=each.name,
        title=parse_toml(each.text).name,
        content_hash=each.content_hash,
        added_at=milliseconds(each.added_at),
        by=each.by,
        current=now is not None and now.content_hash == each.content_hash,
    )
