"""Where backtests are kept: a folder for each, under ``backtests`` in the home.

::

    <id>/run.json            what was asked for and where it stands
    <id>/result/result.json  what came of it, in figures and words
    <id>/result/arrays.npz   its curves, bars, fills and trades
    <id>/result/report.html.gz
    removed/<id>/            what a person has removed, the latest ones
    <id>.work/               what a worker is writing; worth nothing until it is the result

A file or folder stands under its name whole or not at all.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from clawd.backtests.run import Run
from clawd.core.errors import ClawdError

_ID: Final = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{6}")
_REMOVED: Final = "removed"
#: What was removed is kept so long that a person can want it back: this many.
MOST_REMOVED: Final = 20


def is_id(text: str) -> bool:
    """Whether a text is the name of a backtest, and so of a folder, and nothing else."""
    return _ID.fullmatch(text) is not None


class Shelf:
    """The backtests of a home. One process writes; its threads take turns.

    Args:
        root: the folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def open(self) -> None:
        """Make the folder, and clear what a worker was writing when it died.

        Raises:
            ClawdError: when the disk refuses.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            for path in self.root.glob("*.work"):
                shutil.rmtree(path, ignore_errors=True)
        except OSError as error:
            raise ClawdError(f"backtests cannot be kept: {error.strerror}", where=str(self.root)) from None

    def runs(self) -> Iterator[Run]:
        """Every backtest that can be read, the oldest first; a folder that holds none is passed over."""
        for path in sorted(self.root.iterdir()):
            if is_id(path.name):
                try:
                    form = json.loads((path / "run.json").read_text(encoding="utf-8"))
                    yield Run.from_json(form)
                except (OSError, ValueError, KeyError, TypeError, ArithmeticError):
                    continue

    def keep(self, run: Run) -> None:
        """Write down where a backtest stands.

        Raises:
            ClawdError: when the disk refuses.
        """
        folder = self.root / run.id
        scratch = folder / f".run.{os.getpid()}"
        try:
            folder.mkdir(exist_ok=True)
            scratch.write_text(json.dumps(run.to_json()), encoding="utf-8")
            scratch.replace(folder / "run.json")
        except OSError as error:
            raise ClawdError(f"a backtest cannot be written down: {error.strerror}", where=str(folder)) from None

    def work_folder(self, run_id: str) -> Path:
        """Where a worker writes what it finds."""
        return self.root / f"{run_id}.work"

    def result_folder(self, run_id: str) -> Path:
        """Where a result stands when it is whole."""
        return self.root / run_id / "result"

    def has_result(self, run_id: str) -> bool:
        return self.result_folder(run_id).is_dir()

    def show_result(self, run_id: str) -> None:
        """Let what a worker has written be the result.

        Raises:
            ClawdError: when the disk refuses.
        """
        try:
            self.work_folder(run_id).replace(self.result_folder(run_id))
        except OSError as error:
            raise ClawdError(f"the result cannot be kept: {error.strerror}", where=str(self.root / run_id)) from None

    def discard_work(self, run_id: str) -> None:
        """Clear what a worker has begun to write."""
        shutil.rmtree(self.work_folder(run_id), ignore_errors=True)

    def result(self, run_id: str) -> dict[str, Any]:
        """What came of a backtest.

        Raises:
            ClawdError: when it cannot be read.
        """
        path = self.result_folder(run_id) / "result.json"
        try:
            form: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise unreadable(path) from None
        return form

    def arrays(self, run_id: str) -> Path:
        """The file of a backtest's curves."""
        return self.result_folder(run_id) / "arrays.npz"

    def report(self, run_id: str) -> bytes:
        """A backtest's report, gzipped HTML.

        Raises:
            ClawdError: when it cannot be read.
        """
        path = self.result_folder(run_id) / "report.html.gz"
        try:
            return path.read_bytes()
        except OSError:
            raise unreadable(path) from None

    def remove(self, run_id: str) -> None:
        """Move a backtest aside.

        Raises:
            ClawdError: when the disk refuses.
        """
        removed = self.root / _REMOVED
        try:
            removed.mkdir(exist_ok=True)
            (self.root / run_id).replace(removed / run_id)
            for path in sorted(removed.iterdir(), key=lambda each: each.stat().st_mtime_ns)[:-MOST_REMOVED]:
                shutil.rmtree(path, ignore_errors=True)
        except OSError as error:
            raise ClawdError(f"it cannot be moved aside: {error.strerror}", where=str(self.root / run_id)) from None


def unreadable(path: Path) -> ClawdError:
    """The error of a result that is damaged."""
    return ClawdError("this backtest's result cannot be read", where=str(path), hint="run it again")
