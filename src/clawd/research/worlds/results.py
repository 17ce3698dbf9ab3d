"""What the planted worlds have said: the table that came with this release, and those that were made in a home.

Every table that ``clawd research worlds`` has made in a home is kept, also one that was stopped: who keeps only the
best of several has searched again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from clawd.core.errors import ClawdError
from clawd.store.lock import take_lock
from clawd.store.whole_file import write_whole

#: Tables of a home; the oldest go.
_MOST: Final = 100
_NAME: Final = "worlds.json"
_RELEASED: Final = "released.json"


@dataclass(frozen=True, slots=True)
class Table:
    """What campaigns on worlds whose truth is known came to.

    Attributes:
        at: when it was made: a date for the release, else UTC to the second.
        version: of the program.
        command: that makes it again.
        source: the market from which the worlds were made.
        seed: of everything.
        years: of a world.
        budget: strategies that each search might try.
        planned: campaigns that were to be run; fewer rows' campaigns than that where somebody stopped it.
        fee, slippage: per side, shares of notional and price.
        promoted: strategies proven in all of them, the false ones included.
        rows: as :meth:`clawd.research.worlds.table.Row.to_json` has them; ``promoted`` and
            ``false_discovery_rate`` may be missing.
    """

    at: str
    version: str
    command: str
    source: str
    seed: int
    years: float
    budget: int
    planned: int
    fee: float
    slippage: float
    promoted: int
    rows: tuple[Mapping[str, Any], ...]

    @property
    def campaigns(self) -> int:
        """Campaigns that were run to their end."""
        return sum(int(row["campaigns"]) for row in self.rows)


def released() -> Table:
    """The table that was measured for this release, as ``docs/worlds.md`` has it."""
    text = (files("clawd.research.worlds") / _RELEASED).read_text(encoding="utf-8")
    return _table(json.loads(text))


def read_tables(home: Path) -> tuple[Table, ...]:
    """The tables that were made in a home, the newest first.

    Raises:
        ClawdError: when the file holds something else.
    """
    path = _path(home)
    if not path.exists():
        return ()
    try:
        return tuple(_table(each) for each in reversed(json.loads(path.read_text(encoding="utf-8"))))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ClawdError("this is no file of tables of worlds", where=str(path), hint="move it away") from error


def keep_table(home: Path, table: Table) -> None:
    """Add a table to those of a home, in one step; others may do so at the same time.

    Raises:
        ClawdError: when it cannot be written, or the file holds something else.
    """
    path = _path(home)
    path.parent.mkdir(parents=True, exist_ok=True)
    with take_lock(path, "file of tables", wait=True):
        kept = [*reversed(read_tables(home)), table][-_MOST:]
        write_whole(path, json.dumps([asdict(each) for each in kept], indent=1) + "\n")


def _path(home: Path) -> Path:
    return home / "research" / _NAME


def _table(told: Mapping[str, Any]) -> Table:
    rows = tuple(_row(each) for each in told["rows"])
    return Table(**{name: told[name] for name in _FIELDS if name != "rows"}, rows=rows)


def _row(row: Mapping[str, Any]) -> Mapping[str, Any]:
    missing = [name for name in _COUNTS if not isinstance(row[name], int)]
    intervals: Sequence[Sequence[float]] = (row["found_interval"], row["false_interval"])
    if missing or any(len(each) != 2 for each in intervals):
        raise ValueError(f"this is no row: {row}")
    return dict(row)


_FIELDS: Final = tuple(column.name for column in fields(Table))
_COUNTS: Final = (
    "campaigns", "trials", "planted", "found", "false", "false_campaigns", "oracle_found", "naive_found", "naive_false"
)  # fmt: skip
