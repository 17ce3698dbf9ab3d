"""What program this is."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from clawd import __version__
from clawd.server.site import AtSite

router = APIRouter(tags=["about"])


class About(BaseModel):
    """The program."""

    version: str
    home: str


@router.get("/about")
def read_about(site: AtSite) -> About:
    """What program this is, and where its files lie."""
    return About(version=__version__, home=str(site.home))
