"""What the gate holds everybody to: the day's budget, the limits and how far they are used, and what it has refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from clawd.core.events import VerdictGiven
from clawd.execution.account import Account
from clawd.fleet.books import Books
from clawd.server.budget import Budget, Use, budgets, uses
from clawd.server.caller import Scope, needs
from clawd.server.live.currency import currency_in
from clawd.server.live.places import Place
from clawd.server.live.tale import Tale
from clawd.server.milliseconds import milliseconds
from clawd.server.refusal_words import RULES, words_of
from clawd.server.routes.settings import Setting, list_settings
from clawd.server.setting_rows import text_of
from clawd.server.site import AtSite

router = APIRouter(tags=["risk"])


class BudgetRow(BaseModel):
    """A part of the day's limit. Amounts are text in the run's currency, null where they are not known."""

    name: str = Field(description="of the agent")
    strategy: str
    capital: str
    limit: str = Field(description="the most that it may lose in this UTC day")
    lost: str | None = Field(description="realised and unrealised")
    reserved: str | None = Field(description="the worst case still to come of its positions and working entries")
    free: str | None = Field(description="what it may still put at risk")
    used: float | None = Field(description="share of the limit that is lost or reserved")
    active: bool = Field(description="whether it may enter")


class RunRisk(BaseModel):
    """The day's budget of one run: the account's, and below it each agent's part."""

    run: str
    kind: Literal["bars", "account"]
    currency: str
    time: float | None = Field(description="the clock of whoever trades, milliseconds since 1970")
    account: BudgetRow
    agents: list[BudgetRow] = Field(description="those with the most used first")
    agents_in_all: int


class LimitRow(BaseModel):
    """A limit: what is set, what is in force in the run that is at work, and how far it is used."""

    setting: Setting
    in_force: str | None = Field(description="in the run; null where there is none, or no run")
    used: str | None = Field(description="in the unit of the setting; null where that is not known")
    share: float | None = Field(description="used by in force")


class Refusal(BaseModel):
    """What the gate refused or shrank."""

    run: str
    at: float = Field(description="the clock of whoever trades, milliseconds since 1970")
    order: str
    agent: str
    symbol: str
    outcome: Literal["shrink", "refuse"]
    code: str
    text: str = Field(description="why, in words")
    asked: str
    allowed: str
    numbers: dict[str, str] = Field(description="what the check compared")


class Rule(BaseModel):
    """A rule that nobody can set."""

    code: str
    text: str


class RiskView(BaseModel):
    """The day's budgets, and what the gate has refused."""

    runs: list[RunRisk]
    refusals: list[Refusal] = Field(description="the newest first")
    rules: list[Rule]


@router.get("/risk", dependencies=[needs(Scope.READ)])
def read_risk(
    site: AtSite,
    agents: Annotated[int, Query(ge=1, le=2_000)] = 100,
    refusals: Annotated[int, Query(ge=0, le=300)] = 50,
) -> RiskView:
    """The budget tree of each run, the last refusals of the gate, and the three rules."""
    runs: list[RunRisk] = []
    told: list[tuple[str, int, VerdictGiven]] = []

    def look(tale: Tale, place: Place, whole: bool) -> None:
        del whole
        runs.append(_run(tale, place, agents))
        told.extend((place.run, at, verdict) for at, verdict in tale.refused)

    site.hand.stakes.each(look)
    if not runs and site.follower is not None and site.follower.place is not None:
        with site.follower.tale():  # while it is still being read nobody is told that there is none
            pass
    told.sort(key=lambda each: each[1], reverse=True)
    return RiskView(
        runs=runs,
        refusals=[_refusal(run, at, verdict) for run, at, verdict in told[:refusals]],
        rules=[Rule(code=code, text=text) for code, text in RULES.items()],
    )


@router.get("/limits", dependencies=[needs(Scope.READ)])
def list_limits(site: AtSite) -> list[LimitRow]:
    """Every limit: what is set, where it comes from, what the run at work holds itself to, and how far it is used."""
    found = site.hand.stakes.each(lambda tale, place, whole: uses(_fold(tale), tale.marks))
    used = found[0] if found else {}
    return [
        _limit(setting, used.get(setting.name, Use(None, None)))
        for setting in list_settings(site).settings
        if setting.limit
    ]


def _limit(setting: Setting, use: Use) -> LimitRow:
    share = float(use.used / use.limit) if use.limit and use.used is not None else None
    return LimitRow(setting=setting, in_force=text_of(use.limit), used=text_of(use.used), share=share)


def _fold(tale: Tale) -> Books | Account:
    fold = tale.books or tale.account
    assert fold is not None, "a tale that has begun is of one or the other"
    return fold


def _run(tale: Tale, place: Place, most: int) -> RunRisk:
    fold = _fold(tale)
    account, *agents = [_budget(each) for each in budgets(fold, tale.marks)]
    agents.sort(key=lambda each: (each.used is None, -(each.used or 0.0)))
    return RunRisk(
        run=place.run,
        kind=place.kind,
        currency=currency_in(tale),
        time=milliseconds(tale.time) if tale.time > 0 else None,
        account=account,
        agents=agents[:most],
        agents_in_all=len(agents),
    )


def _budget(each: Budget) -> BudgetRow:
    used = None
    if each.lost is not None and each.reserved is not None and each.limit:
        used = float((each.lost + each.reserved) / each.limit)
    return BudgetRow(
        name=each.name,
        strategy=each.strategy,
        capital=f"{each.capital:f}",
        limit=f"{each.limit:f}",
        lost=_amount(each.lost),
        reserved=_amount(each.reserved),
        free=_amount(each.free),
        used=used,
        active=each.active,
    )


def _amount(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"


def _refusal(run: str, at: int, verdict: VerdictGiven) -> Refusal:
    return Refusal(
        run=run,
        at=milliseconds(at),
        order=verdict.order,
        agent=verdict.agent,
        symbol=verdict.symbol,
        outcome="refuse" if verdict.outcome == "refuse" else "shrink",
        code=verdict.code,
        text=words_of(verdict.code),
        asked=f"{verdict.asked:f}",
        allowed=f"{verdict.allowed:f}",
        numbers=dict(list(verdict.numbers.items())[:20]),
    )
