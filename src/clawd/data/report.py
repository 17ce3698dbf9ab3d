"""Quality reports of files, folders and the catalog."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from clawd.core.clock import duration
from clawd.core.errors import ClawdError, suggestion
from clawd.data import catalog
from clawd.data.bar_size import bar_size
from clawd.data.bars import RawBars, read_raw_bars
from clawd.data.file_name import stem
from clawd.data.finding import Finding
from clawd.data.folder import open_folder
from clawd.data.quality import check


@dataclass(frozen=True)
class Report:
    """What a look at one set of bars found.

    Attributes:
        target: the file, or symbol and bar of a catalog entry.
        bar: duration of a bar in nanoseconds, None where the file cannot be read.
        rows: how many rows there are.
        findings: the gravest first; empty where nothing is odd.
    """

    target: str
    bar: int | None
    rows: int
    findings: tuple[Finding, ...]


def reports(targets: Sequence[str], root: Path) -> list[Report]:
    """The reports of files, folders of files, and symbols of the catalog; without targets of all the catalog.

    A file of a folder that cannot be read is a finding, so that the others are still looked at.

    Args:
        targets: paths and symbols.
        root: the catalog.

    Raises:
        ClawdError: a target is no file, folder or symbol; or a file named by itself cannot be read as bars.
    """
    if not targets:
        return _of_catalog(root, None)
    found = []
    for target in targets:
        path = Path(target)
        if path.is_dir():
            found += _of_folder(path)
        elif path.exists():
            found.append(_of_file(path))
        else:
            found += _of_catalog(root, target)
    return found


def _of_file(path: Path) -> Report:
    return _report(str(path), stem(path), read_raw_bars(path))


def _of_folder(path: Path) -> list[Report]:
    folder = open_folder(path)
    found = [_unreadable(file, error) for file, error in folder.broken.items()]
    for offer in folder.offers:
        try:
            found.append(_of_file(offer.path))
        except ClawdError as error:
            found.append(_unreadable(offer.path, error))
    if not found:
        raise ClawdError("there are no files of bars here", where=str(path))
    return sorted(found, key=lambda report: report.target)


def _of_catalog(root: Path, symbol: str | None) -> list[Report]:
    held = [entry for entry in catalog.entries(root) if entry.bar is not None]
    found = []
    for entry in held:
        if entry.symbol is not None and entry.bar is not None and symbol in (None, entry.symbol):
            raw = catalog.load_bars(root, entry.symbol, entry.bar)
            found.append(_report(f"{entry.symbol} {duration(entry.bar)}", entry.symbol, raw))
    if symbol is not None and not found:
        hint = suggestion(symbol, {entry.symbol or "" for entry in held})
        raise ClawdError("this is no file, no folder and no symbol of the catalog", where=symbol, hint=hint)
    return found


def _report(target: str, symbol: str, raw: RawBars) -> Report:
    bar = bar_size(raw.frame["ts"].to_numpy(), str(raw.place.path))
    return Report(target, bar, raw.frame.height, tuple(check(raw.frame, symbol, bar)))


def _unreadable(path: Path, error: ClawdError) -> Report:
    place = (error.where or "").removeprefix(str(path)).lstrip(", ") or "the whole file"
    message = error.what + (f" ({error.hint})" if error.hint else "")
    return Report(str(path), None, 0, (Finding("unreadable", "error", stem(path), place, 1, message),))
