"""A folder of bar files, as they are found: CSV or Parquet, one instrument a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from clawd.core.errors import ClawdError
from clawd.data.columns import are_bars
from clawd.data.file_name import instrument_in, is_table, stem
from clawd.data.table import open_table
from clawd.data.universe import Offer


@dataclass(frozen=True, eq=False)
class Folder:
    """What a folder offers.

    Attributes:
        offers: its files of bars, sorted by name.
        broken: files that cannot be read, and why.
    """

    offers: tuple[Offer, ...]
    broken: dict[Path, ClawdError]


def open_folder(path: Path) -> Folder:
    """The files of bars that lie right in a folder, told by their columns; funding is none of them.

    Raises:
        ClawdError: it is not a folder.
    """
    if not path.is_dir():
        what = "this is a file, not a folder" if path.exists() else "there is no such folder"
        hint = "a source of bars is `sample`, `catalog` or a folder of CSV or Parquet files"
        raise ClawdError(what, where=str(path), hint=hint)
    offers = []
    broken = {}
    for file in sorted(path.iterdir()):
        name = stem(file)
        if not file.is_file() or not is_table(file) or name.startswith("funding_"):
            continue
        try:
            if are_bars(open_table(file).names):
                offers.append(Offer(name, instrument_in(name), file))
        except ClawdError as error:
            broken[file] = error
    return Folder(tuple(offers), broken)
