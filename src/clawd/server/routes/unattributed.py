"""What accounts hold and no agent has done."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from clawd.core.errors import ClawdError
from clawd.execution.adoption import adopt, unattributed
from clawd.server.caller import AsCaller, Scope, needs
from clawd.server.problem import ConflictError
from clawd.server.recording import record
from clawd.server.site import AtSite
from clawd.store.switchboard import Switchboard

router = APIRouter(tags=["positions"])

Account = Annotated[str, Path(pattern="^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$", description="name of an account")]


class UnattributedPosition(BaseModel):
    """An instrument that nobody enters before a person has decided."""

    account: str
    symbol: str
    size: str = Field(description="signed")
    decided: bool = Field(description="a person has decided, and the account has not heard it yet")


class Adoption(BaseModel):
    """It is mine, and stays where it is."""

    model_config = ConfigDict(extra="forbid")

    symbol: str = Field(min_length=1, max_length=100)


@router.get("/positions/unattributed", dependencies=[needs(Scope.READ)])
def list_unattributed_positions(site: AtSite) -> list[UnattributedPosition]:
    """What waits for a person's word: trades by hand, transfers, and what a venue cannot explain."""
    found = []
    with Switchboard.open(site.home) as switchboard:
        for name in site.hand.stakes.accounts():
            try:
                with site.hand.stakes.account(name) as books:
                    waiting = unattributed(books, switchboard)
            except ClawdError:
                continue  # just being opened, or set aside meanwhile
            for symbol, size, decided in waiting:
                found.append(UnattributedPosition(account=name, symbol=symbol, size=f"{size:f}", decided=decided))
    return found


@router.post("/positions/unattributed/{account}/adopt", dependencies=[needs(Scope.DECIDE)])
def adopt_position(site: AtSite, caller: AsCaller, account: Account, adoption: Adoption) -> UnattributedPosition:
    """Say that what is unattributed in an instrument is yours, so that agents may enter beside it."""
    with site.hand.stakes.account(account) as books, Switchboard.open(site.home) as switchboard:
        waiting = {each.symbol: each for each in unattributed(books, switchboard)}
        known = waiting.get(adoption.symbol)
        if known is None:
            raise ConflictError(
                f"nothing in {adoption.symbol} waits for a decision",
                where="symbol",
                hint=f"there is {', '.join(waiting)}" if waiting else None,
            )
        if not known.decided:
            decision = adopt(books, switchboard, adoption.symbol, caller.name, site.clock.now())
            record(
                site,
                caller,
                "PositionAdopted",
                {
                    "account": account,
                    "symbol": adoption.symbol,
                    "size": f"{known.size:f}",
                    "adoption": decision.number,
                },
            )
    site.announce("standing")
    return UnattributedPosition(account=account, symbol=adoption.symbol, size=f"{known.size:f}", decided=True)
