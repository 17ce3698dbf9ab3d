"""Strategies: the library and a person's own, checked and saved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, cast

from fastapi import APIRouter, Path
from pydantic import BaseModel, ValidationError

from clawd.authors.starter import find_starter, starter_names
from clawd.backtests.desk import Desk
from clawd.core.clock import duration
from clawd.core.errors import ClawdError
from clawd.language.explain import sentence
from clawd.language.strategy import Strategy
from clawd.server.caller import AsCaller, Scope, needs
from clawd.server.milliseconds import milliseconds
from clawd.server.problem import ConflictError
from clawd.server.recording import record
from clawd.server.saved_strategies import Name, parsed, saved_strategy
from clawd.server.site import AtSite, Site
from clawd.server.strategy_checks import checked_graph, checked_text, checked_tree, palette
from clawd.server.strategy_models import (
    Check,
    CheckRequest,
    Form,
    Graph,
    LastBacktest,
    Palette,
    Removed,
    SavedAnswer,
    SaveRequest,
    StrategyDetail,
    StrategySummary,
    Viewport,
)
from clawd.store.fleet_list import read_fleet_list
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


@router.get("/palette")
def read_palette() -> Palette:
    """The blocks, exits and units that strategies are built of."""
    return palette()


@router.get("/strategies")
def list_strategies(site: AtSite) -> list[StrategySummary]:
    """The starter library and what was saved, own ones first, newest first."""
    listed = {each.content_hash for each in read_fleet_list(site.home)}
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
    return _detail(saved_strategy(site, name))


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
        saved = save(
            site.home, name, request.revision, check.text if check.valid else None, drawing, draft, site.clock.now()
        )
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
    saved = saved_strategy(site, name)
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
    strategy = parsed(saved.text) if saved.text is not None else None
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


def _what_changed(theirs: Saved, mine: Check) -> str:
    """In words, what another has saved since."""
    if theirs.edited:
        return "the file was changed with an editor; load it again, or save yours under another name"
    other = parsed(theirs.text or "")
    own = parsed(mine.text or "")
    changed = []
    if other is not None and own is not None:
        changed += ["the name"] if other.name != own.name else []
        changed += ["the program"] if other.target != own.target else []
        changed += ["the exits"] if other.exits != own.exits else []
        changed += ["bars or instruments"] if (other.bar, other.universe) != (own.bar, own.universe) else []
    said = ", ".join(changed) or "the drawing alone"
    return f"what is different there: {said}; load it again, or save yours under another name"
