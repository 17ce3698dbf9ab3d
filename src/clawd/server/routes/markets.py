"""Which markets a strategy can be run on."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from clawd.research.markets import list_markets
from clawd.server.caller import Scope, needs
from clawd.server.milliseconds import milliseconds
from clawd.server.site import AtSite

router = APIRouter(tags=["markets"], dependencies=[needs(Scope.READ)])

#: Instruments that are listed of a market at most.
MOST_LISTED = 2_000


class ListedInstrument(BaseModel):
    """An instrument at one size of its bars."""

    symbol: str
    bar: str = Field(description="such as 1d")
    first: float = Field(description="open of its first bar, milliseconds since 1970")
    last: float = Field(description="open of its last bar, milliseconds since 1970")
    bars: int


class MarketSummary(BaseModel):
    """A market that can be studied."""

    data: str = Field(description="what it is called: sample or catalog")
    title: str
    instruments: list[ListedInstrument]
    left_out: int = Field(description="instruments beyond those that are listed")
    sealed_from: float | None = Field(
        description="no bar from here on is shown to authors, milliseconds since 1970; null where all are"
    )


_TITLES = {"sample": "Sample market: two indices, daily", "catalog": "Your catalog of imported bars"}


@router.get("/markets")
def list_study_markets(site: AtSite) -> list[MarketSummary]:
    """The sample market, and the catalog where it has bars."""
    return [
        MarketSummary(
            data=market.data,
            title=_TITLES[market.data],
            instruments=[
                ListedInstrument(
                    symbol=each.symbol,
                    bar=each.bar,
                    first=milliseconds(each.first),
                    last=milliseconds(each.last),
                    bars=each.bars,
                )
                for each in market.instruments[:MOST_LISTED]
            ],
            left_out=max(len(market.instruments) - MOST_LISTED, 0),
            sealed_from=milliseconds(market.sealed_from),
        )
        for market in list_markets(site.home)
    ]
