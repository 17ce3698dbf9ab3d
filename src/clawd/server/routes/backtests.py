"""Backtests: asked for, watched, called off, listed, and what came of one in short."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query
from fastapi.responses import Response

from clawd.authors.starter import find_starter
from clawd.backtests.desk import BusyError, Desk
from clawd.backtests.limits import MOST_KEPT, MOST_WAITING
from clawd.backtests.request import Request, strategy_in
from clawd.backtests.run import STAGES, Run, State
from clawd.core.errors import ClawdError
from clawd.server.backtest_desk import ADoneRun, ARun, AtDesk, as_conflict, missing, result_of
from clawd.server.backtest_models import (
    BacktestDetail,
    BacktestError,
    BacktestList,
    BacktestOrder,
    BacktestResult,
    BacktestSummary,
    LuckSummary,
    Pin,
)
from clawd.server.caller import AsCaller, Scope, needs
from clawd.server.live.currency import currency_of
from clawd.server.milliseconds import milliseconds
from clawd.server.problem import Problem
from clawd.server.recording import record
from clawd.server.site import AtSite, Site
from clawd.store.strategies import read_saved

router = APIRouter(tags=["backtests"], dependencies=[needs(Scope.READ)])

_REFUSED: dict[int | str, dict[str, Any]] = {409: {"model": Problem}, 404: {"model": Problem}}


@router.post(
    "/backtests", status_code=202, dependencies=[needs(Scope.BUILD)], responses=_REFUSED, response_model_by_alias=True
)
def start_backtest(order: BacktestOrder, site: AtSite, desk: AtDesk, caller: AsCaller) -> BacktestSummary:
    """Ask for a backtest; it runs when its turn comes. Each whose result is shown counts as a trial in the ledger."""
    request, name, content_hash = _request(order, site)
    try:
        run = desk.ask(request, name, content_hash)
    except BusyError as error:
        raise as_conflict(error) from None
    record(site, caller, "BacktestStarted", {"id": run.id, "strategy": name, "content_hash": content_hash})
    return _summary(desk, run)


@router.get("/backtests", response_model_by_alias=True)
def list_backtests(
    desk: AtDesk,
    text: Annotated[str, Query(max_length=100, description="part of the strategy's name")] = "",
    state: State | None = None,
    content_hash: Annotated[str | None, Query(max_length=64)] = None,
    offset: Annotated[int, Query(ge=0, le=10_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> BacktestList:
    """Backtests, the newest first, in summary."""
    runs = desk.runs()
    wanted = text.casefold()
    fitting = [
        run
        for run in runs
        if wanted in run.name.casefold() and state in (None, run.state) and content_hash in (None, run.content_hash)
    ]
    engine = desk.engine()
    return BacktestList(
        backtests=[_summary(desk, run) for run in fitting[offset : offset + limit]],
        total=len(fitting),
        kept=len(runs),
        most=MOST_KEPT,
        most_waiting=MOST_WAITING,
        engine=engine,
        engine_text=None if engine is None else STAGES[engine],
    )


@router.get("/backtests/{id}", responses=_REFUSED, response_model_by_alias=True)
def read_backtest(run: ARun, desk: AtDesk) -> BacktestDetail:
    """Where a backtest stands, and what came of it."""
    result = _result(result_of(desk, run)) if run.state == "done" else None
    return BacktestDetail(**_summary(desk, run).model_dump(by_alias=True), strategy=run.request.text, result=result)


@router.post(
    "/backtests/{id}/cancel", dependencies=[needs(Scope.BUILD)], responses=_REFUSED, response_model_by_alias=True
)
def cancel_backtest(run: ARun, site: AtSite, desk: AtDesk, caller: AsCaller) -> BacktestSummary:
    """Call a backtest off: nothing of it is counted."""
    try:
        ended = desk.cancel(run.id)
    except BusyError as error:
        raise as_conflict(error) from None
    except KeyError:
        raise missing() from None
    record(site, caller, "BacktestCancelled", {"id": run.id, "strategy": run.name})
    return _summary(desk, ended)


@router.put("/backtests/{id}/pin", dependencies=[needs(Scope.BUILD)], responses=_REFUSED, response_model_by_alias=True)
def pin_backtest(run: ARun, pin: Pin, site: AtSite, desk: AtDesk, caller: AsCaller) -> BacktestSummary:
    """Keep a backtest when the oldest have to go, or no longer."""
    try:
        changed = desk.pin(run.id, pin.pinned)
    except KeyError:
        raise missing() from None
    record(site, caller, "BacktestPinned", {"id": run.id, "before": run.pinned, "after": pin.pinned})
    return _summary(desk, changed)


@router.delete("/backtests/{id}", status_code=204, dependencies=[needs(Scope.BUILD)], responses=_REFUSED)
def remove_backtest(run: ARun, site: AtSite, desk: AtDesk, caller: AsCaller) -> None:
    """Move a backtest aside: it is listed no more. Its trial stays counted."""
    try:
        desk.remove(run.id)
    except BusyError as error:
        raise as_conflict(error) from None
    except KeyError:
        raise missing() from None
    record(site, caller, "BacktestRemoved", {"id": run.id, "strategy": run.name})


@router.get("/backtests/{id}/report", responses={**_REFUSED, 200: {"content": {"text/html": {}}}})
def download_report(run: ADoneRun, desk: AtDesk) -> Response:
    """The report of a backtest as one HTML file that needs nothing else."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", run.name).strip("-").lower()[:60] or "backtest"
    return Response(
        desk.shelf.report(run.id),
        media_type="text/html; charset=utf-8",
        headers={
            "Content-Encoding": "gzip",
            "Content-Disposition": f'attachment; filename="{quote(plain)}-{run.id}.html"',
            "X-Content-Type-Options": "nosniff",
        },
    )


def _request(order: BacktestOrder, site: Site) -> tuple[Request, str, str]:
    """What is asked for, looked over as far as that can be done before the market is read."""
    if (order.text is None) == (order.name is None):
        raise ClawdError("a strategy is given by its text or by its name", where="text", hint="give one of the two")
    text = _text_of(site, order.name or "") if order.text is None else order.text
    strategy = strategy_in(text)
    if any("," in symbol for symbol in order.universe or ()):
        raise ClawdError("an instrument has no comma in its name", where="universe", hint="one name an entry")
    request = Request(
        text=text,
        data=order.data,
        universe=",".join(order.universe) if order.universe else None,
        bar=order.bar,
        start=order.start,
        end=order.end,
        capital=order.capital,
        fee=site.settings.fee if order.fee is None else order.fee,
        slippage=site.settings.slippage if order.slippage is None else order.slippage,
    )
    _ = request.size, request.span  # whether they can be read
    return request, strategy.name, strategy.content_hash


def _text_of(site: Site, name: str) -> str:
    """The text of a strategy that was saved here, or of a starter strategy."""
    with suppress(ClawdError):  # a name that no saved strategy can have
        saved = read_saved(site.home, name)
        if saved is not None and saved.text is not None:
            return saved.text
    return find_starter(name).to_toml()


def _summary(desk: Desk, run: Run) -> BacktestSummary:
    request, figures, place = run.request, run.figures or {}, desk.place(run.id)
    error = run.error
    return BacktestSummary(
        id=run.id,
        name=run.name,
        content_hash=run.content_hash,
        state=run.state,
        stage=run.stage,
        text=_where_it_stands(run, place),
        progress=run.progress if run.state == "running" else float(run.state == "done"),
        place=place,
        created=milliseconds(run.created),
        seconds=None if run.started is None or run.ended is None else (run.ended - run.started) / 1e9,
        pinned=run.pinned,
        data=request.data,
        universe=None if request.universe is None else request.universe.split(","),
        bar=request.bar,
        **{"from": request.start, "to": request.end},
        capital=f"{request.capital:f}",
        fee=f"{request.fee:f}",
        slippage=f"{request.slippage:f}",
        total_return=figures.get("total_return"),
        sharpe=figures.get("sharpe"),
        max_drawdown=figures.get("max_drawdown"),
        trades=figures.get("trades"),
        error=error and BacktestError(what=error.what, where=error.where, hint=error.hint),
    )


def _where_it_stands(run: Run, place: int | None) -> str:
    if run.state == "waiting":
        return f"Waiting, number {place} in the queue" if place else "Waiting"
    if run.state == "running":
        return STAGES[run.stage or "starting"]
    return {
        "done": "Done",
        "failed": "Failed",
        "cancelled": "Called off: nothing was counted",
        "interrupted": "Interrupted",
    }[run.state]


def _result(found: dict[str, Any]) -> BacktestResult:
    months = found["months"]
    notes = [found["sealed"]] if found["sealed"] else []
    return BacktestResult(
        **{name: found[name] for name in _PLAIN},
        currency=currency_of(tuple(each["symbol"] for each in found["instruments"])),
        bar=found["figures"]["bar"],
        first=milliseconds(found["first"]),
        last=milliseconds(found["last"]),
        months=months["years"],
        months_total=months["total"],
        months_held=months["held"],
        warnings=[_sentence(note) for note in (*notes, *found["cautions"], *found["notes"])],
        luck=LuckSummary(**found["luck"], text=_luck_in_words(found)),
    )


_PLAIN = (
    "figures", "held", "equity", "held_equity", "summary", "money_decimals", "trades", "exits", "instruments",
    "assumptions",
)  # fmt: skip


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith(".") else f"{text}."


def _luck_in_words(found: dict[str, Any]) -> str:
    luck, sharpe = found["luck"], found["figures"]["sharpe"]
    trials = f"{luck['trials']:,} distinct trial{'s have' if luck['trials'] != 1 else ' has'}"
    words = [f"{trials} been counted in this home, this one included."]
    if luck["expected"] is not None and sharpe is not None and luck["trials"] > 1:
        words.append(
            f"The best of so many strategies without any edge would be expected to show a Sharpe ratio of about "
            f"{luck['expected']:.2f} over these bars by luck alone; this one shows {sharpe:.2f}."
        )
    if luck["deflated"] is not None:
        words.append(f"The confidence that it is more than luck is {luck['deflated'] * 100:.1f}%; 95% is asked for.")
    words.append("A backtest proves nothing: evidence is what comes after it.")
    return " ".join(words)
