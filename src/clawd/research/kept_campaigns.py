"""The research campaigns of a home, as each has left itself there: what was searched, judged and promoted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from clawd.store.ledger import Tally
from clawd.store.registry import Seal

#: Files are read up to this size: twenty finalists with their gates fill a hundredth of it.
_LARGEST: Final = 4_000_000


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign of a home.

    Attributes:
        run: what it is known by.
        tried: what it has tried, None where the ledger has nothing of it.
        seal: what it has sealed, None where the registry knows of nothing.
        ended: whether it has left its file.
        told: what that says, as :func:`clawd.research.campaign.campaign` writes it; None where there is none, or
            something else is in it.
    """

    run: str
    tried: Tally | None
    seal: Seal | None
    ended: bool
    told: Mapping[str, Any] | None

    @property
    def began_at(self) -> int | None:
        """UTC nanoseconds, None where nobody knows."""
        known = [] if self.seal is None else [self.seal.at]
        known += [] if self.tried is None else [self.tried.first_at]
        return min(known, default=None)


def read_campaigns(home: Path, tried: Sequence[Tally], seals: Sequence[Seal]) -> tuple[Campaign, ...]:
    """The campaigns of a home, the newest first.

    Args:
        home: the home folder.
        tried: what was tried in each run, as the ledger has it.
        seals: as the registry has them.
    """
    tallies = {each.name: each for each in tried}
    sealed = {each.run: each for each in seals if each.run}
    ended = {path.parent.name: path for path in sorted((home / "research").glob("*/campaign.json"))}
    found = [
        Campaign(run, tallies.get(run), sealed.get(run), run in ended, read_told(ended[run]) if run in ended else None)
        for run in {**sealed, **ended}
    ]
    return tuple(sorted(found, key=lambda each: (each.began_at or 0, each.run), reverse=True))


def read_told(path: Path) -> Mapping[str, Any] | None:
    """What a campaign has left in its file, None where that is none."""
    try:
        if path.stat().st_size > _LARGEST:
            return None
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) else None
