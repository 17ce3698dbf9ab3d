"""Results in a CSV file that grows as they come, so that a run that was stopped goes on where it was."""

from __future__ import annotations

import csv
import fcntl
import io
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Final, TextIO

from clawd.cluster.study import Key, Result, Study
from clawd.cluster.work import code_version
from clawd.core.errors import ClawdError
from clawd.engine.metrics import Metrics

_FIGURES: Final = tuple(field.name for field in fields(Metrics))
_COUNTS: Final = ("bars", "trades")
_IDENTITY: Final = ("strategy", "market", "first", "last", "fee_rate", "slippage_rate", "capital", "code")


class ResultsFile:
    """The results of one study in a file of its own, one row each. Floats are written so that they read back equal.

    Only one process may write it at a time. A row cut off by a crash is dropped when the file is opened again.

    Args:
        path: the file; it is made where it does not exist.
        study: what the results are of.
        labels: for each strategy by its identity, what stands in the first columns, such as its parameters.

    Attributes:
        known: what the file had when it was opened.

    Raises:
        ClawdError: when the file holds something else, or another process is writing it.
    """

    def __init__(self, path: Path, study: Study, labels: Mapping[str, Mapping[str, str]]) -> None:
        self.path = path
        self.known: dict[Key, Result] = {}
        self._labels = labels
        self._label_names = tuple(next(iter(labels.values()), {}))
        self._columns = (*self._label_names, *_FIGURES, "failure", *_IDENTITY)
        self._circumstances = (
            f"{study.costs.fee:f}",
            f"{study.costs.slippage:f}",
            f"{study.capital:f}",
            code_version(),
        )
        self._file = _locked(path)
        try:
            self._read(frozenset(study.keys))
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> ResultsFile:
        return self

    def __exit__(self, *exception: object) -> None:
        self._file.close()

    def append(self, results: Iterable[Result]) -> None:
        """Keep results. When this returns, a kill of this process loses none of them."""
        self._write(self._file, results)
        self._file.flush()

    def finish(self, results: Sequence[Result]) -> None:
        """Put the whole file in order, at once or not at all."""
        scratch = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            with scratch.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file, lineterminator="\n").writerow(self._columns)
                self._write(file, results)
            scratch.replace(self.path)
        finally:
            scratch.unlink(missing_ok=True)

    def _write(self, file: TextIO, results: Iterable[Result]) -> None:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        for result in results:
            if not result.given_up:
                writer.writerow(self._row(result))
        file.write(text.getvalue())

    def _row(self, result: Result) -> list[str]:
        labels = self._labels[result.key.strategy]
        figures = [""] * len(_FIGURES)
        if result.metrics is not None:
            values = [getattr(result.metrics, name) for name in _FIGURES]
            figures = ["" if math.isnan(value) else repr(value) for value in values]
        return [
            *(labels[name] for name in self._label_names),
            *figures,
            result.failure or "",
            *map(str, result.key),
            *self._circumstances,
        ]

    def _read(self, wanted: frozenset[Key]) -> None:
        try:
            text = self._file.read()
        except UnicodeDecodeError:
            raise self._foreign("it is not text") from None
        whole = text[: text.rfind("\n") + 1]
        rows = csv.reader(io.StringIO(whole, newline=""))
        columns = next(rows, None)
        if columns is None:
            if text:
                raise self._foreign("it is not a file of results")
            csv.writer(self._file, lineterminator="\n").writerow(self._columns)
            self._file.flush()
            return
        if tuple(columns) != self._columns:
            raise self._foreign("its columns are others")
        for row in rows:
            result = self._result(row)
            if result.key not in wanted:
                raise self._foreign("a result in it is of another strategy, market or window")
            self.known.setdefault(result.key, result)
        if len(whole) < len(text):
            self._file.seek(len(whole.encode()))
            self._file.truncate()
        self._file.seek(0, io.SEEK_END)

    def _result(self, row: Sequence[str]) -> Result:
        try:
            labels = len(self._label_names)  # whose names may be those of other columns
            cells = dict(zip(self._columns[labels:], row[labels:], strict=True))
            key = Key(cells["strategy"], cells["market"], int(cells["first"]), int(cells["last"]))
            if tuple(cells[name] for name in _IDENTITY[4:]) != self._circumstances:
                raise self._foreign("a result in it is of other costs, another capital or another version of clawd")
            if cells["failure"]:
                return Result(key, None, cells["failure"])
            figures: dict[str, Any] = {name: float(cells[name] or "nan") for name in _FIGURES if name not in _COUNTS}
            figures |= {name: int(cells[name]) for name in _COUNTS}
        except ValueError:
            raise self._foreign("a row of it is damaged") from None
        return Result(key, Metrics(**figures))

    def _foreign(self, why: str) -> ClawdError:
        return ClawdError(
            f"the file cannot be continued: {why}", where=str(self.path), hint="name another file, or remove this one"
        )


def _locked(path: Path) -> TextIO:
    """The file, open for this process alone."""
    while True:
        try:
            file = path.open("a+", encoding="utf-8", newline="")
        except OSError as error:
            raise ClawdError(f"cannot be written: {error.strerror}", where=str(path)) from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _stands_at(path, file):
                file.seek(0)
                return file
        except BlockingIOError:
            file.close()
            raise ClawdError("another run is writing this file", where=str(path), hint="wait for it") from None
        file.close()  # whoever had it has just put a finished one in its place


def _stands_at(path: Path, file: TextIO) -> bool:
    return path.exists() and os.path.samestat(path.stat(), os.fstat(file.fileno()))
